/* Replays: what an archive holds of a time goes through its bus once more, a piece at a time. */
#include "base/json.h"
#include "base/time.h"
#include "bus.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"

#define LIST_PAGE 100

static str replay_arn(const req *rq, str name)
{
	return req_arn(rq, "events", "replay/%.*s", STR_ARG(name));
}

static void next_piece(txn *tx, const events_replay *r, int64_t when)
{
	str key = arena_fmt(txn_arena(tx), "%.*s %.*s %.*s", STR_ARG(r->Account), STR_ARG(r->Region),
	                    STR_ARG(r->Name));
	timer_set(tx, "events_replay", key, when, key);
}

static err replay_find(req *rq, const txn *tx, str name, events_replay **r)
{
	*r = events_replay_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *r ? OK : fail(rq, &events_ResourceNotFoundException, "Replay %.*s does not exist.",
	                      STR_ARG(name));
}

err events_StartReplay(req *rq, txn *tx, const events_StartReplay_in *in, events_StartReplay_out *out)
{
	bus_name name;
	events_bus *b;
	str archive = name_in_arn(in->EventSourceArn, S("archive"));
	if (!str_is(name_in_arn(in->Destination->Arn, S("event-bus"))))
		return fail(rq, &aws_ValidationException,
		            "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.");
	TRY(bus_find(rq, tx, in->Destination->Arn, &name, &b));
	if (events_replay_get(tx, rq->mem, rq->who.account, rq->region, in->ReplayName))
		return fail(rq, &events_ResourceAlreadyExistsException, "Replay %.*s already exists.",
		            STR_ARG(in->ReplayName));
	const events_archive *a =
		str_is(archive) ? events_archive_get(tx, rq->mem, rq->who.account, rq->region, archive) : NULL;
	if (!a)
		return fail(rq, &aws_ValidationException,
		            "Parameter EventSourceArn is not valid. Reason: Archive %.*s does not exist.",
		            STR_ARG(str_is(archive) ? archive : in->EventSourceArn));
	if (!str_eq(a->Bus, bus_arn(rq->mem, &name)))
		return fail(rq, &aws_ValidationException,
		            "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not "
		            "permitted.");
	if (in->EventStartTime.v >= in->EventEndTime.v)
		return fail(rq, &aws_ValidationException, "Parameter EventEndTime is not valid. Reason: "
		                                          "EventStartTime must be before EventEndTime.");
	events_replay r = { .Account = rq->who.account, .Region = rq->region, .Name = in->ReplayName,
		.Archive = in->EventSourceArn, .Description = in->Description, .Destination = in->Destination,
		.From = in->EventStartTime.v, .To = in->EventEndTime.v, .State = events_ReplayState_STARTING,
		.Started = rq->now, .ArchiveId = a->Id, .Last = in->EventStartTime.v - 1 };
	events_replay_put(tx, &r);
	next_piece(tx, &r, rq->now);
	out->ReplayArn = replay_arn(rq, r.Name);
	out->State = r.State;
	out->ReplayStartTime = TIME(rq->now);
	return OK;
}

/* The event once more, and which replay it is of. */
static void put_again(req *rq, txn *tx, const bus_name *b, const events_replay *r, const events_archived *a)
{
	const json_value *id = json_get(json_parse(rq->mem, a->Json), S("id"));
	buf j = buf_in(rq->mem, a->Json.n + 128, a->Json.n + 1024);
	buf_put(&j, str_sub(a->Json, 0, a->Json.n - 1));
	buf_put(&j, S(",\"replay-name\":"));
	json_put_string(&j, r->Name);
	buf_c(&j, '}');
	const events_ReplayDestinationFilters *only = &r->Destination->FilterArns;
	one_event e = { .id = id ? id->text : STR_NONE, .json = buf_str(&j), .source = a->Source,
		        .ingested = rq->now, .replay = r->Name, .only = only->n ? only : NULL };
	event_put(rq, tx, b, &e);
}

TIMER(events_replay)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	events_replay *r = events_replay_get(tx, mem, account, region, rest);
	if (!r || (!str_eq(r->State, events_ReplayState_STARTING) && !str_eq(r->State,
	                                                                     events_ReplayState_RUNNING)))
		return;
	req *rq = req_internal(mem, txn_store(tx), "events.amazonaws.com", r->Account, r->Region);
	rq->now = due;
	bus_name b = bus_named(rq, r->Destination->Arn);
	size_t n = 0;
	record_scan s = events_archived_scan(tx, mem, 1, r->ArchiveId, 0, 0);
	record_scan_after(&s, arena_fmt(mem, "%lld", (long long)(r->Last > 0 ? r->Last - 1 : 0)));
	for (const events_archived *a; n < EVENTS_REPLAY_CHUNK && (a = events_archived_next(&s));) {
		if (a->When > r->To)
			break;
		if (a->When < r->From || a->Number <= r->Number)
			continue;
		put_again(rq, tx, &b, r, a);
		r->Last = a->When;
		r->Number = a->Number;
		n++;
	}
	cursor_close(&s.at);
	r->State = n == EVENTS_REPLAY_CHUNK ? events_ReplayState_RUNNING : events_ReplayState_COMPLETED;
	if (n == EVENTS_REPLAY_CHUNK)
		next_piece(tx, r, due);
	else
		r->Ended = due;
	events_replay_put(tx, r);
	usage_settle(tx, rq);
}

err events_CancelReplay(req *rq, txn *tx, const events_CancelReplay_in *in, events_CancelReplay_out *out)
{
	events_replay *r;
	TRY(replay_find(rq, tx, in->ReplayName, &r));
	if (!str_eq(r->State, events_ReplayState_STARTING) && !str_eq(r->State, events_ReplayState_RUNNING))
		return fail(rq, &events_IllegalStatusException,
		            "Replay %.*s is not in a valid state for this operation.", STR_ARG(r->Name));
	r->State = events_ReplayState_CANCELLED;
	r->Ended = rq->now;
	events_replay_put(tx, r);
	out->ReplayArn = replay_arn(rq, r->Name);
	out->State = events_ReplayState_CANCELLING;
	return OK;
}

static opt_time since(int64_t when)
{
	return when > 0 ? TIME(when) : (opt_time){ 0 };
}

err events_DescribeReplay(req *rq, const txn *tx, const events_DescribeReplay_in *in,
                          events_DescribeReplay_out *out)
{
	events_replay *r;
	TRY(replay_find(rq, tx, in->ReplayName, &r));
	*out = (events_DescribeReplay_out){ .ReplayName = r->Name, .ReplayArn = replay_arn(rq, r->Name),
		.Description = r->Description, .State = r->State, .EventSourceArn = r->Archive,
		.Destination = r->Destination, .EventStartTime = TIME(r->From), .EventEndTime = TIME(r->To),
		.EventLastReplayedTime = since(r->Number ? r->Last : 0), .ReplayStartTime = TIME(r->Started),
		.ReplayEndTime = since(r->Ended) };
	return OK;
}

err events_ListReplays(req *rq, const txn *tx, const events_ListReplays_in *in, events_ListReplays_out *out)
{
	str after, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	if (str_is(in->NamePrefix) + str_is(in->EventSourceArn) + str_is(in->State) > 1)
		return fail(rq, &aws_ValidationException, "At most one filter is allowed for ListReplays. Use either "
		                                          ": State, EventSourceArn, or NamePrefix.");
	record_scan s = events_replay_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->Replays.v = arena_array(rq->mem, events_Replay, page);
	for (const events_replay *r; (r = events_replay_next(&s));) {
		if (!str_starts(r->Name, in->NamePrefix) ||
		    (str_is(in->EventSourceArn) && !str_eq(in->EventSourceArn, r->Archive)) ||
		    (str_is(in->State) && !str_eq(in->State, r->State)))
			continue;
		if (out->Replays.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->Replays.v[out->Replays.n++] = (events_Replay){ .ReplayName = r->Name,
			.EventSourceArn = r->Archive, .State = r->State, .EventStartTime = TIME(r->From),
			.EventEndTime = TIME(r->To), .EventLastReplayedTime = since(r->Number ? r->Last : 0),
			.ReplayStartTime = TIME(r->Started), .ReplayEndTime = since(r->Ended) };
		last = r->Name;
	}
	cursor_close(&s.at);
	return OK;
}
