/* Archives: what passed a bus, kept for so many days, oldest first. */
#include "base/time.h"
#include "bus.h"
#include "cloud/event_pattern.h"
#include "cloud/meter.h"
#include "cloud/target.h"
#include "store/due.h"

#define LIST_PAGE 100
#define EXPIRE_CHUNK 1000

str name_in_arn(str arn, str kind)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_eq(a.service, S("events")) || !str_starts(a.resource, kind) ||
	    a.resource.n <= kind.n || a.resource.p[kind.n] != '/')
		return STR_NONE;
	return str_sub(a.resource, kind.n + 1, a.resource.n);
}

static str archive_arn(const req *rq, str name)
{
	return req_arn(rq, "events", "archive/%.*s", STR_ARG(name));
}

static void expiry_set(txn *tx, const events_archive *a, int64_t when)
{
	arena *mem = txn_arena(tx);
	str key = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(a->Account), STR_ARG(a->Region), STR_ARG(a->Name));
	if (a->Retention)
		timer_set(tx, "events_expire", key, when, key);
	else
		timer_cancel(tx, "events_expire", key);
}

/* What an archive holds, changed; how many events it is now. */
static int64_t hold(txn *tx, const events_archive *a, int64_t events, int64_t bytes, int64_t when)
{
	arena *mem = txn_arena(tx);
	const events_holding *h = events_holding_get(tx, mem, a->Id);
	events_holding now = { a->Id, (h ? h->Events : 0) + events, (h ? h->Bytes : 0) + bytes };
	events_holding_put(tx, &now);
	str arn = arena_fmt(mem, "arn:aws:events:%.*s:%.*s:archive/%.*s", STR_ARG(a->Region), STR_ARG(a->Account),
	                    STR_ARG(a->Name));
	resident_set(tx, a->Account, a->Region, when, &EVENTS_ARCHIVE_STORE, arn, now.Bytes);
	return now.Events;
}

void archive_keep(req *rq, txn *tx, const bus_name *b, str name, const one_event *e)
{
	const events_archive *a = events_archive_get(tx, rq->mem, b->account, b->region, name);
	ensure(a != NULL);
	events_archived_put(tx, &(events_archived){ a->Id, e->ingested, (int64_t)txn_next(tx,
	                                                                                  S("events.archived")),
	                                            e->json, e->source });
	usage_add(tx, a->Account, a->Region, e->ingested, &EVENTS_ARCHIVE_GB, archive_arn(rq, name),
	          (qty)e->json.n);
	if (hold(tx, a, 1, (int64_t)e->json.n, e->ingested) == 1)
		expiry_set(tx, a, e->ingested + a->Retention * MS_DAY);
}

TIMER(events_expire)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const events_archive *a = events_archive_get(tx, mem, account, region, rest);
	if (!a || !a->Retention)
		return;
	int64_t events = 0, bytes = 0, next = INT64_MAX;
	record_scan s = events_archived_scan(tx, mem, 1, a->Id, 0, 0);
	for (const events_archived *e; (e = events_archived_next(&s)); events++) {
		next = e->When + a->Retention * MS_DAY;
		if (next > due || events == EXPIRE_CHUNK)
			break;
		next = INT64_MAX;
		bytes += (int64_t)e->Json.n;
		events_archived_delete(tx, a->Id, e->When, e->Number);
	}
	cursor_close(&s.at);
	hold(tx, a, -events, -bytes, due);
	if (next != INT64_MAX)
		expiry_set(tx, a, next > due ? next : due);
}

/* The rows of an archive that is gone, a piece at a time. */
TIMER(events_archive_drop)
{
	arena *mem = txn_arena(tx);
	int64_t id;
	size_t n = 0;
	ensure(str_to_i64(payload, &id));
	record_scan s = events_archived_scan(tx, mem, 1, id, 0, 0);
	for (const events_archived *e; n < EXPIRE_CHUNK && (e = events_archived_next(&s)); n++)
		events_archived_delete(tx, id, e->When, e->Number);
	cursor_close(&s.at);
	if (n == EXPIRE_CHUNK)
		timer_set(tx, "events_archive_drop", payload, due, payload);
}

static err archive_find(req *rq, const txn *tx, str name, events_archive **a)
{
	*a = events_archive_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *a ? OK : fail(rq, &events_ResourceNotFoundException, "Archive %.*s does not exist.",
	                      STR_ARG(name));
}

static err pattern_check(req *rq, str pattern)
{
	str why;
	return !pattern.n || event_pattern_parse(rq->mem, pattern, &why) ? OK :
	       fail(rq, &events_InvalidEventPatternException, "Event pattern is not valid. Reason: %.*s",
	            STR_ARG(why));
}

err events_CreateArchive(req *rq, txn *tx, const events_CreateArchive_in *in, events_CreateArchive_out *out)
{
	bus_name name;
	events_bus *b;
	TRY(bus_find(rq, tx, in->EventSourceArn, &name, &b));
	TRY(pattern_check(rq, in->EventPattern));
	if (events_archive_get(tx, rq->mem, rq->who.account, rq->region, in->ArchiveName))
		return fail(rq, &events_ResourceAlreadyExistsException, "Archive %.*s already exists.",
		            STR_ARG(in->ArchiveName));
	events_archive_put(tx, &(events_archive){ .Account = rq->who.account, .Region = rq->region,
		.Name = in->ArchiveName, .Bus = bus_arn(rq->mem, &name), .Pattern = in->EventPattern,
		.Description = in->Description, .Retention = in->RetentionDays.set ? in->RetentionDays.v : 0,
		.Created = rq->now, .Id = (int64_t)txn_next(tx, S("events.archive")), .Kms = in->KmsKeyIdentifier });
	bus_rules_changed(tx, rq->mem, &name);
	out->ArchiveArn = archive_arn(rq, in->ArchiveName);
	out->State = events_ArchiveState_ENABLED;
	out->CreationTime = TIME(rq->now);
	return OK;
}

err events_UpdateArchive(req *rq, txn *tx, const events_UpdateArchive_in *in, events_UpdateArchive_out *out)
{
	events_archive *a;
	TRY(archive_find(rq, tx, in->ArchiveName, &a));
	TRY(pattern_check(rq, in->EventPattern));
	a->Pattern = str_is(in->EventPattern) ? in->EventPattern : a->Pattern;
	a->Description = str_is(in->Description) ? in->Description : a->Description;
	a->Kms = str_is(in->KmsKeyIdentifier) ? in->KmsKeyIdentifier : a->Kms;
	if (in->RetentionDays.set)
		a->Retention = in->RetentionDays.v;
	events_archive_put(tx, a);
	expiry_set(tx, a, rq->now);
	bus_name name = bus_named(rq, a->Bus);
	bus_rules_changed(tx, rq->mem, &name);
	out->ArchiveArn = archive_arn(rq, a->Name);
	out->State = events_ArchiveState_ENABLED;
	out->CreationTime = TIME(a->Created);
	return OK;
}

err events_DeleteArchive(req *rq, txn *tx, const events_DeleteArchive_in *in, events_DeleteArchive_out *out)
{
	events_archive *a;
	TRY(archive_find(rq, tx, in->ArchiveName, &a));
	a->Retention = 0;
	expiry_set(tx, a, 0);
	resident_set(tx, a->Account, a->Region, rq->now, &EVENTS_ARCHIVE_STORE, archive_arn(rq, a->Name), 0);
	events_archive_delete(tx, a->Account, a->Region, a->Name);
	events_holding_delete(tx, a->Id);
	str id = arena_fmt(rq->mem, "%lld", (long long)a->Id);
	timer_set(tx, "events_archive_drop", id, rq->now, id);
	bus_name name = bus_named(rq, a->Bus);
	bus_rules_changed(tx, rq->mem, &name);
	return OK;
}

err events_DescribeArchive(req *rq, const txn *tx, const events_DescribeArchive_in *in,
                           events_DescribeArchive_out *out)
{
	events_archive *a;
	TRY(archive_find(rq, tx, in->ArchiveName, &a));
	const events_holding *h = events_holding_get(tx, rq->mem, a->Id);
	*out = (events_DescribeArchive_out){ .ArchiveArn = archive_arn(rq, a->Name), .ArchiveName = a->Name,
		.EventSourceArn = a->Bus, .Description = a->Description, .EventPattern = a->Pattern,
		.State = events_ArchiveState_ENABLED, .KmsKeyIdentifier = a->Kms, .RetentionDays = I64(a->Retention),
		.SizeBytes = I64(h ? h->Bytes : 0), .EventCount = I64(h ? h->Events : 0),
		.CreationTime = TIME(a->Created) };
	return OK;
}

err events_ListArchives(req *rq, const txn *tx, const events_ListArchives_in *in,
                        events_ListArchives_out *out)
{
	str after, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	if (str_is(in->NamePrefix) + str_is(in->EventSourceArn) + str_is(in->State) > 1)
		return fail(rq, &aws_ValidationException, "At most one filter is allowed for ListArchives. Use "
		                                          "either : State, EventSourceArn, or NamePrefix.");
	if (str_is(in->EventSourceArn)) {
		bus_name name;
		events_bus *b;
		TRY(bus_find(rq, tx, in->EventSourceArn, &name, &b));
	}
	record_scan s = events_archive_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->Archives.v = arena_array(rq->mem, events_Archive, page);
	for (const events_archive *a; (a = events_archive_next(&s));) {
		if (!str_starts(a->Name, in->NamePrefix) ||
		    (str_is(in->EventSourceArn) && !str_eq(in->EventSourceArn, a->Bus)) ||
		    (str_is(in->State) && !str_eq(in->State, events_ArchiveState_ENABLED)))
			continue;
		if (out->Archives.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		const events_holding *h = events_holding_get(tx, rq->mem, a->Id);
		out->Archives.v[out->Archives.n++] = (events_Archive){ .ArchiveName = a->Name,
			.EventSourceArn = a->Bus, .State = events_ArchiveState_ENABLED,
			.RetentionDays = I64(a->Retention), .SizeBytes = I64(h ? h->Bytes : 0),
			.EventCount = I64(h ? h->Events : 0), .CreationTime = TIME(a->Created) };
		last = a->Name;
	}
	cursor_close(&s.at);
	return OK;
}
