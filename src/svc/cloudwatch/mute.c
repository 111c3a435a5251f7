#include "mute.h"
#include "store/due.h"

static bool targets(const cloudwatch_mute *m, str name)
{
	for (size_t i = 0; m->Targets && i < m->Targets->AlarmNames.n; i++)
		if (str_eq(m->Targets->AlarmNames.v[i], name))
			return true;
	return false;
}

/* The end of its open window; 0: it does not mute now. */
static int64_t open_until(arena *mem, const cloudwatch_mute *m, int64_t now)
{
	const char *why;
	const mute_schedule *s = mute_read(mem, m->Rule->Schedule, &why);
	if (!s || now < m->Start || (m->Expire && now >= m->Expire))
		return 0;
	int64_t end = mute_open(s, now);
	return m->Expire && end > m->Expire ? m->Expire : end;
}

int64_t muted_until(const txn *tx, arena *mem, str account, str region, str alarm_name, int64_t now)
{
	int64_t end = 0;
	record_scan s = cloudwatch_mute_scan(tx, mem, 2, account, region, STR_NONE);
	for (cloudwatch_mute *m; (m = cloudwatch_mute_next(&s));) {
		int64_t until = targets(m, alarm_name) ? open_until(mem, m, now) : 0;
		end = until > end ? until : end;
	}
	cursor_close(&s.at);
	return end;
}

static void wait(txn *tx, str account, str region, str name, int64_t due)
{
	str key = arena_fmt(txn_arena(tx), "%.*s %.*s %.*s", STR_ARG(account), STR_ARG(region), STR_ARG(name));
	timer_set(tx, "cloudwatch_unmute", key, due, key);
}

bool muted(txn *tx, const alarm *a, str before, int64_t now)
{
	str account = ALARM_KEY(a, Account), region = ALARM_KEY(a, Region), name = ALARM_KEY(a, Name);
	int64_t end = muted_until(tx, txn_arena(tx), account, region, name, now);
	if (!end)
		return false;
	/* Auto Scaling's actions come again and again while an alarm has a state. */
	int64_t when = ALARM_OF(a, StateTransitionedTimestamp).v;
	const cloudwatch_muted *waiting = cloudwatch_muted_get(tx, txn_arena(tx), account, region, name);
	cloudwatch_muted row = { account, region, name, before, when };
	if (!waiting || waiting->When != when)
		cloudwatch_muted_put(tx, &row);
	wait(tx, account, region, name, end);
	return true;
}

void muted_look(txn *tx, str account, str region, int64_t now)
{
	record_scan s = cloudwatch_muted_scan(tx, txn_arena(tx), 2, account, region, STR_NONE);
	for (cloudwatch_muted *m; (m = cloudwatch_muted_next(&s));)
		wait(tx, account, region, m->Alarm, now);
	cursor_close(&s.at);
}

TIMER(cloudwatch_unmute)
{
	arena *mem = txn_arena(tx);
	str name = payload, account = str_cut(&name, ' '), region = str_cut(&name, ' ');
	cloudwatch_muted *m = cloudwatch_muted_get(tx, mem, account, region, name);
	int64_t end = muted_until(tx, mem, account, region, name, due);
	alarm a;
	if (!m)
		return;
	if (end) {
		wait(tx, account, region, name, end);
		return;
	}
	cloudwatch_muted_delete(tx, account, region, name);
	if (alarm_get(tx, mem, account, region, name, &a)
	    && ALARM_OF(&a, StateTransitionedTimestamp).v == m->When)
		alarm_act(tx, &a, m->Before, S(""), due);
}
