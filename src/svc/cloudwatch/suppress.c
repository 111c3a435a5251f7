/*
 * A composite's actions may wait for its suppressor: while that is in ALARM they do not happen; before, the
 * alarm waits a while for it to go into ALARM; afterwards, an extension passes. When the waiting is over the
 * actions of the state that the alarm then has are performed, unless they were performed last.
 */
#include "alarm.h"
#include "cloud/call.h"
#include "store/due.h"

static bool in_alarm(const txn *tx, arena *mem, const cloudwatch_composite *c)
{
	alarm a;
	str name = alarm_name_of(c->It->ActionsSuppressor);
	return alarm_get(tx, mem, c->Account, c->Region, name, &a)
		&& str_eq(ALARM_OF(&a, StateValue), S("ALARM"));
}

static str place_of(arena *mem, const cloudwatch_composite *c)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(c->Account), STR_ARG(c->Region), STR_ARG(c->Name));
}

static void until(txn *tx, cloudwatch_composite *c, str by, int64_t when, const char *why)
{
	arena *mem = txn_arena(tx);
	c->It->ActionsSuppressedBy = by;
	c->It->ActionsSuppressedReason = arena_fmt(mem, "Actions suppressed by %s", why);
	c->SuppressedUntil = when;
	if (when)
		timer_set(tx, "cloudwatch_suppress", place_of(mem, c), when, place_of(mem, c));
	else
		timer_cancel(tx, "cloudwatch_suppress", place_of(mem, c));
}

static void by_alarm(txn *tx, cloudwatch_composite *c)
{
	until(tx, c, cloudwatch_ActionsSuppressedBy_Alarm, 0,
	      arena_fmt(txn_arena(tx), "alarm %.*s", STR_ARG(alarm_name_of(c->It->ActionsSuppressor))).p);
}

static void none(txn *tx, cloudwatch_composite *c)
{
	c->It->ActionsSuppressedBy = STR_NONE;
	c->It->ActionsSuppressedReason = STR_NONE;
	c->SuppressedUntil = 0;
	timer_cancel(tx, "cloudwatch_suppress", place_of(txn_arena(tx), c));
}

bool suppressed(txn *tx, cloudwatch_composite *c, int64_t now)
{
	const cloudwatch_CompositeAlarm *it = c->It;
	int64_t wait = it->ActionsSuppressorWaitPeriod.v * MS_SECOND;
	bool alarm_now = str_eq(it->StateValue, S("ALARM"));
	if (str_is(it->ActionsSuppressor) && in_alarm(tx, txn_arena(tx), c))
		by_alarm(tx, c);
	else if (c->SuppressedUntil > now && alarm_now)
		; /* what goes on goes on */
	else if (str_is(it->ActionsSuppressor) && alarm_now && wait > 0)
		until(tx, c, cloudwatch_ActionsSuppressedBy_WaitPeriod, now + wait, "WaitPeriod");
	else if (str_is(it->ActionsSuppressedBy) && str_eq(c->Acted, it->StateValue))
		none(tx, c); /* back where it was before anyone was told */
	else {
		none(tx, c);
		c->Acted = it->StateValue;
		return false;
	}
	return true;
}

/* Nothing holds the actions back any more. */
static void settle(txn *tx, cloudwatch_composite *c, int64_t now)
{
	str old = c->Acted;
	bool late = !str_eq(old, c->It->StateValue);
	none(tx, c);
	c->Acted = c->It->StateValue;
	cloudwatch_composite_put(tx, c);
	if (late)
		alarm_act(tx, &(alarm){ .composite = c }, old, S(""), now);
}

void suppressor_changed(txn *tx, cloudwatch_composite *c, int64_t now)
{
	int64_t extension = c->It->ActionsSuppressorExtensionPeriod.v * MS_SECOND;
	bool waiting = str_is(c->It->ActionsSuppressedBy);
	bool by_it = str_eq(c->It->ActionsSuppressedBy, cloudwatch_ActionsSuppressedBy_Alarm);
	if (in_alarm(tx, txn_arena(tx), c)) {
		if (!waiting)
			return;
		by_alarm(tx, c);
	} else if (by_it && extension > 0) {
		until(tx, c, cloudwatch_ActionsSuppressedBy_ExtensionPeriod, now + extension, "ExtensionPeriod");
	} else if (by_it) {
		settle(tx, c, now);
		return;
	}
	cloudwatch_composite_put(tx, c);
}

TIMER(cloudwatch_suppress)
{
	arena *mem = txn_arena(tx);
	str name = payload, account = str_cut(&name, ' '), region = str_cut(&name, ' ');
	cloudwatch_composite *c = cloudwatch_composite_get(tx, mem, account, region, name);
	if (!c || !c->SuppressedUntil || c->SuppressedUntil > due)
		return;
	if (in_alarm(tx, mem, c)) {
		by_alarm(tx, c);
		cloudwatch_composite_put(tx, c);
	} else {
		settle(tx, c, due);
	}
}
