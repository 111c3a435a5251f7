/*
 * FIFO topics that keep what they were told, for up to a year, and subscriptions that are told it again. An
 * archive has a number of its own, so that what was kept under a policy that has ended can go little by
 * little.
 *
 * A replay walks the archive in small transactions, in order. Without an end it goes on until it has caught
 * up, and what is published meanwhile comes to the subscription by the archive too.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "topic.h"

#define A_TIME 50
#define DROPS_A_TIME 500
#define DROP_BYTES ((size_t)1 << 20) /* are read at a time, and one message more */
#define DAYS_MAX 365
#define PENDING S("Pending")
#define IN_PROGRESS S("In progress")
#define COMPLETED S("Completed")

static bool is_empty(str policy)
{
	return !policy.n || str_eq(policy, S("{}"));
}

/* Of an archive policy; 0 when it says none. AWS writes the number as a text. */
static int64_t days_of(arena *mem, str policy)
{
	const json_value *v = json_get(json_parse(mem, policy), S("MessageRetentionPeriod"));
	int64_t days = 0;
	bool good = v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) && str_to_i64(v->text, &days);
	return good && days >= 1 && days <= DAYS_MAX ? days : 0;
}

str topic_archive_wrong(arena *mem, const sns_topic *t, str policy)
{
	if (is_empty(policy))
		return STR_NONE;
	if (!topic_is_fifo(t))
		return S("ArchivePolicy: is supported by FIFO topics only");
	if (!json_parse(mem, policy))
		return arena_fmt(mem, "ArchivePolicy: %.*s", STR_ARG(json_unreadable(mem, policy)));
	return days_of(mem, policy) ? STR_NONE
	                            : S("ArchivePolicy: MessageRetentionPeriod must be a whole number from 1 "
	                                "to 365");
}

/* A moment of a replay policy; INT64_MAX when it names none, INT64_MIN when it is no moment. */
static int64_t point(const json_value *v, str name)
{
	int64_t when;
	const json_value *p = json_get(v, name);
	if (!p)
		return INT64_MAX;
	return p->kind == JSON_STRING && time_parse(p->text, &when) ? when : INT64_MIN;
}

str replay_policy_wrong(arena *mem, const sns_topic *t, str policy)
{
	if (is_empty(policy))
		return STR_NONE;
	const json_value *v = json_parse(mem, policy), *kind = json_get(v, S("PointType"));
	if (!v)
		return json_unreadable(mem, policy);
	if (!t->Archive)
		return S("the topic has no active ArchivePolicy");
	if (!kind || kind->kind != JSON_STRING || !str_eq(kind->text, S("Timestamp")))
		return S("PointType must be Timestamp");
	int64_t from = point(v, S("StartingPoint")), to = point(v, S("EndingPoint"));
	if (from == INT64_MAX || from == INT64_MIN)
		return S("StartingPoint must be a timestamp in ISO 8601 format");
	if (to == INT64_MIN || to <= from)
		return S("EndingPoint must be a timestamp in ISO 8601 format after StartingPoint");
	return from < t->ArchiveSince - t->ArchiveSince % MS_SECOND
	       ? S("StartingPoint must not be before the topic's BeginningArchiveTime") : STR_NONE;
}

static str archive_key(arena *mem, int64_t archive)
{
	return arena_fmt(mem, "%lld", (long long)archive);
}

/* What an archive holds of before `until` goes; the moment of the first that stays, or 0. */
static int64_t drop(txn *tx, int64_t archive, int64_t until, bool *more)
{
	size_t n = 0, bytes = 0;
	int64_t first = 0;
	record_scan s = sns_kept_scan(tx, txn_arena(tx), 1, archive, 0, 0);
	*more = false;
	for (const sns_kept *k; !first && !*more && (k = sns_kept_next(&s)); n++) {
		*more = n >= DROPS_A_TIME || bytes >= DROP_BYTES;
		bytes += k->Message.n + k->Structure.n;
		if (k->When >= until)
			first = k->When;
		else if (!*more)
			sns_kept_delete(tx, archive, k->When, k->Sequence);
	}
	cursor_close(&s.at);
	*more = *more && !first;
	return first;
}

/* The payload is of a topic; the archive's number is the key, and in front of it. */
TIMER(sns_archive_expire)
{
	int64_t archive;
	bool more;
	arena *mem = txn_arena(tx);
	str rest = payload, number = str_cut(&rest, ' '), account = str_cut(&rest, ' '), region = str_cut(&rest,
	                                                                                                  ' ');
	ensure(str_to_i64(number, &archive));
	const sns_topic *t = sns_topic_get(tx, mem, account, region, rest);
	bool live = t && t->Archive == archive;
	int64_t keep = live ? days_of(mem, topic_attribute(t, S("ArchivePolicy"))) * MS_DAY : 0;
	int64_t first = drop(tx, archive, live ? due - keep : INT64_MAX, &more);
	if (more)
		timer_set(tx, "sns_archive_expire", number, due, payload);
	else if (first)
		timer_set(tx, "sns_archive_expire", number, first + keep + 1, payload);
}

static void expire_at(txn *tx, const sns_topic *t, int64_t archive, int64_t when)
{
	arena *mem = txn_arena(tx);
	str key = archive_key(mem, archive);
	timer_set(tx, "sns_archive_expire", key, when,
	          arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(key), STR_ARG(t->Account), STR_ARG(t->Region),
	                    STR_ARG(t->Name)));
}

void topic_archive_set(req *rq, txn *tx, sns_topic *t, str policy)
{
	int64_t had = t->Archive;
	if (is_empty(policy)) {
		t->Archive = t->ArchiveSince = 0;
		topic_attribute_set(rq->mem, t, S("ArchivePolicy"), STR_NONE);
	} else if (!had) {
		t->Archive = (int64_t)txn_next(tx, S("sns.archive"));
		t->ArchiveSince = rq->now;
	}
	if (had)
		expire_at(tx, t, had, rq->now);
}

void topic_archive_keep(txn *tx, const sns_topic *t, const notice *n)
{
	arena *mem = txn_arena(tx);
	if (!t->Archive)
		return;
	record_scan s = sns_kept_scan(tx, mem, 1, t->Archive, 0, 0);
	bool first = !sns_kept_next(&s);
	cursor_close(&s.at);
	sns_kept k = { .Archive = t->Archive, .When = n->when, .Sequence = n->sequence, .MessageId = n->id,
		       .Message = n->message, .Subject = n->subject, .Structure = n->structure, .Group = n->group,
		       .Dedup = n->dedup };
	if (n->attributes)
		k.Attributes = *n->attributes;
	sns_kept_put(tx, &k);
	if (first)
		expire_at(tx, t, t->Archive,
		          n->when + days_of(mem, topic_attribute(t, S("ArchivePolicy"))) * MS_DAY + 1);
}

/* One that has failed tells nothing any more, and a topic without an archive keeps nothing to be told of. */
bool replay_will_tell(const sns_topic *t, const sns_sub *s)
{
	bool goes_on = str_eq(s->Replay, PENDING) || str_eq(s->Replay, IN_PROGRESS);
	return goes_on && t->Archive && !s->ReplayUntil;
}

void replay_set(req *rq, txn *tx, sns_sub *s, str policy)
{
	str key = arena_fmt(rq->mem, "%lld %.*s", (long long)s->TopicId, STR_ARG(s->Id));
	if (is_empty(policy)) {
		s->Replay = S("");
		timer_cancel(tx, "sns_replay", key);
		return;
	}
	const json_value *v = json_parse(rq->mem, policy);
	int64_t to = point(v, S("EndingPoint"));
	s->Replay = PENDING;
	s->ReplayWhen = point(v, S("StartingPoint"));
	s->ReplaySequence = 0;
	s->ReplayUntil = to < rq->now ? to : 0;
	timer_set(tx, "sns_replay", key, rq->now, key);
}

/* As it was published, with the mark of one that comes again. A FIFO queue that had it a moment
 * ago is to take it
 * once more, so it has another deduplication id. */
static void tell_again(req *rq, txn *tx, const sns_topic *t, const sns_sub *s, const sns_kept *k)
{
	arena *mem = rq->mem;
	sns_MessageAttributeMap marked = { arena_array(mem, sns_MessageAttributeMap_entry, k->Attributes.n + 1),
	                                  0 };
	for (size_t i = 0; i < k->Attributes.n; i++)
		if (!str_eq(k->Attributes.v[i].key, S("Replayed")))
			marked.v[marked.n++] = k->Attributes.v[i];
	marked.v[marked.n++] = (sns_MessageAttributeMap_entry){
		S("Replayed"), { .DataType = S("String"), .StringValue = S("true") } };
	notice n = { .id = k->MessageId, .message = k->Message, .subject = k->Subject, .structure = k->Structure,
		     .group = k->Group, .attributes = &marked, .sequence = k->Sequence, .when = k->When,
		     .views = arena_new(mem, notice_views) };
	n.dedup = sha256_hex(mem, arena_fmt(mem, "%.*s %.*s %lld", STR_ARG(k->MessageId), STR_ARG(k->Dedup),
	                                    (long long)rq->now));
	tell_subscriber(rq, tx, t, s, &n);
}

TIMER(sns_replay)
{
	arena *mem = txn_arena(tx);
	str id = payload, number = str_cut(&id, ' ');
	int64_t topic;
	ensure(str_to_i64(number, &topic));
	sns_sub *s = sns_sub_get(tx, mem, topic, id);
	const sns_topic *t = s ? sns_topic_get(tx, mem, s->Account, s->Region, s->Topic) : NULL;
	if (!t || !s->Replay.n)
		return;
	req *rq = req_internal(mem, txn_store(tx), "sns.amazonaws.com", t->Account, t->Region);
	size_t n = 0;
	const sns_kept *k = NULL;
	record_scan scan = sns_kept_scan(tx, mem, 1, t->Archive, 0, 0);
	record_scan_after(&scan, arena_fmt(mem, "%lld", (long long)(s->ReplayWhen - 1)));
	s->Replay = IN_PROGRESS;
	rq->now = due;
	while (t->Archive && n < A_TIME && (k = sns_kept_next(&scan))) {
		if (s->ReplayUntil && k->When > s->ReplayUntil)
			break;
		/* The walk begins at a moment, and the messages of that moment may have been told. */
		if (k->When == s->ReplayWhen && k->Sequence <= s->ReplaySequence)
			continue;
		tell_again(rq, tx, t, s, k);
		s->ReplayWhen = k->When;
		s->ReplaySequence = k->Sequence;
		n++;
	}
	cursor_close(&scan.at);
	if (n < A_TIME)
		s->Replay = t->Archive ? COMPLETED : S("Failed");
	else
		timer_set(tx, "sns_replay", payload, due, payload);
	sns_sub_put(tx, s);
	usage_settle(tx, rq);
}
