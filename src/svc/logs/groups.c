#include "index.h"
#include "base/time.h"
#include "store/due.h"

#define PAGE 50
#define EXPIRE_CHUNK 1000

str group_arn(const req *rq, str name)
{
	return req_arn(rq, "logs", "log-group:%.*s", STR_ARG(name));
}

str group_name_of(str identifier)
{
	size_t at = str_find(identifier, S(":log-group:"));
	if (!str_starts(identifier, S("arn:")) || at == SIZE_MAX)
		return identifier;
	str rest = str_sub(identifier, at + 11, identifier.n);
	return str_cut(&rest, ':');
}

err group_find(req *rq, const txn *tx, str name, str identifier, logs_group **group)
{
	if (!str_is(name) && !str_is(identifier))
		return fail(rq, &logs_InvalidParameterException,
		            "LogGroupName and LogGroupIdentifier cannot both be empty");
	str wanted = str_is(name) ? name : group_name_of(identifier);
	*group = logs_group_get(tx, rq->mem, rq->who.account, rq->region, wanted);
	if (!*group)
		return fail(rq, &logs_ResourceNotFoundException, "The specified log group does not exist.");
	return OK;
}

err group_standard(req *rq, const logs_group *g)
{
	if (!str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS))
		return OK;
	return fail(rq, &logs_InvalidOperationException,
	            "The log group %.*s is of log-group-class %.*s. %s is not supported for this log class.",
	            STR_ARG(g->Name), STR_ARG(g->Class), rq->op->name);
}

err scan_goes_on(req *rq, str token, record_scan *s)
{
	str after;
	if (!str_is(token))
		return OK;
	if (!page_position(rq, token, &after))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	record_scan_after(s, after);
	return OK;
}

err group_either(req *rq, const txn *tx, str name, str identifier, logs_group **group)
{
	if (str_is(name) && str_is(identifier))
		return fail(rq, &logs_ValidationException,
		            "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
	return group_find(rq, tx, name, identifier, group);
}

logs_group *group_make(txn *tx, arena *mem, str account, str region, str name, int64_t now)
{
	logs_group *g = arena_new(mem, logs_group);
	*g = (logs_group){ .Account = account, .Region = region, .Name = name, .Created = now,
		           .Id = (int64_t)txn_next(tx, S("logs.group")), .Class = logs_LogGroupClass_STANDARD };
	logs_group_put(tx, g);
	return g;
}

err logs_CreateLogGroup(req *rq, txn *tx, const logs_CreateLogGroup_in *in,
                        logs_CreateLogGroup_out *out)
{
	if (logs_group_get(tx, rq->mem, rq->who.account, rq->region, in->logGroupName))
		return fail(rq, &logs_ResourceAlreadyExistsException, "The specified log group already exists");
	if (str_starts(in->logGroupName, S("aws/")))
		return fail(rq, &logs_InvalidParameterException,
		            "Log groups starting with AWS/ are reserved for AWS.");
	TRY(group_tags_check(rq, &in->tags));
	if (str_is(in->kmsKeyId))
		TRY(key_check(rq, tx, in->kmsKeyId, in->logGroupName));
	logs_group *g = group_make(tx, rq->mem, rq->who.account, rq->region, in->logGroupName, rq->now);
	g->KmsKeyId = in->kmsKeyId;
	g->Tags = in->tags;
	g->Protected = in->deletionProtectionEnabled.v;
	if (str_is(in->logGroupClass))
		g->Class = in->logGroupClass;
	logs_group_put(tx, g);
	return OK;
}

static str place_of(arena *mem, const logs_group *g)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(g->Account), STR_ARG(g->Region), STR_ARG(g->Name));
}

static str resource_of(arena *mem, const logs_group *g)
{
	return arena_fmt(mem, "arn:aws:logs:%.*s:%.*s:log-group:%.*s", STR_ARG(g->Region),
	                 STR_ARG(g->Account), STR_ARG(g->Name));
}

/* Empties a group that is gone already from the caller's sight, a piece at a time. */
TIMER(logs_empty)
{
	arena *mem = txn_arena(tx);
	int64_t id;
	ensure(str_to_i64(payload, &id));
	logs_group gone = { .Id = id };
	if (events_expire(tx, &gone, INT64_MAX, EXPIRE_CHUNK, due) == EXPIRE_CHUNK)
		timer_set(tx, "logs_empty", payload, due, payload);
	(void)mem;
}

err logs_DeleteLogGroup(req *rq, txn *tx, const logs_DeleteLogGroup_in *in,
                        logs_DeleteLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	if (g->Protected)
		return fail(rq, &logs_OperationAbortedException, "The log group has deletion protection enabled.");
	record_scan s = logs_stream_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	for (logs_stream *st; (st = logs_stream_next(&s));) {
		logs_stream_delete(tx, g->Id, st->Name);
		logs_streamname_delete(tx, st->Id);
	}
	metric_filters_drop(tx, rq->mem, g);
	subscriptions_drop(tx, rq->mem, g);
	index_drop(tx, g);
	transformer_drop(tx, g);
	policies_drop(tx, rq->mem, g, group_arn(rq, g->Name));
	logs_group_delete(tx, g->Account, g->Region, g->Name);
	timer_cancel(tx, "logs_retention", place_of(rq->mem, g));
	str id = arena_fmt(rq->mem, "%lld", (long long)g->Id);
	timer_set(tx, "logs_empty", id, rq->now, id);
	resident_set(tx, g->Account, g->Region, rq->now, &LOGS_STORE, resource_of(rq->mem, g), 0);
	return OK;
}

/* AWS says less of what was found by a pattern. */
static logs_LogGroup describe(req *rq, const txn *tx, const logs_group *g, bool by_pattern)
{
	str arn = group_arn(rq, g->Name);
	logs_LogGroup d = {
		.logGroupName = g->Name,
		.creationTime = I64(g->Created),
		.metricFilterCount = I64(metric_filters_count(tx, rq->mem, g)),
		.arn = arena_concat(rq->mem, arn, S(":*")),
		.kmsKeyId = g->KmsKeyId,
		.logGroupClass = g->Class,
		.logGroupArn = arn,
	};
	if (!by_pattern) {
		d.storedBytes = I64(g->Bytes);
		d.deletionProtectionEnabled = BOOL(g->Protected);
	}
	if (g->RetentionDays)
		d.retentionInDays = I64(g->RetentionDays);
	if (g->WasProtected)
		d.dataProtectionStatus = g->Protection.n ? logs_DataProtectionStatus_ACTIVATED :
			                 logs_DataProtectionStatus_DELETED;
	if (account_policy_only(tx, rq->mem, g->Account, g->Region, logs_PolicyType_DATA_PROTECTION_POLICY)) {
		d.inheritedProperties.v = arena_new(rq->mem, str);
		d.inheritedProperties.v[d.inheritedProperties.n++] = logs_InheritedProperty_ACCOUNT_DATA_PROTECTION;
	}
	return d;
}

static bool listed(const logs_DescribeLogGroups_in *in, str name)
{
	bool found = !in->logGroupIdentifiers.n;
	for (size_t i = 0; i < in->logGroupIdentifiers.n; i++)
		found = found || str_eq(group_name_of(in->logGroupIdentifiers.v[i]), name);
	return found;
}

err logs_DescribeLogGroups(req *rq, const txn *tx, const logs_DescribeLogGroups_in *in,
                           logs_DescribeLogGroups_out *out)
{
	size_t page = in->limit.set ? (size_t)in->limit.v : PAGE;
	if (str_is(in->logGroupNamePrefix) && str_is(in->logGroupNamePattern))
		return fail(rq, &logs_InvalidParameterException,
		            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
	record_scan s = logs_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	out->logGroups.v = arena_array(rq->mem, logs_LogGroup, page);
	for (logs_group *g; (g = logs_group_next(&s));) {
		if (!listed(in, g->Name) || !str_starts(g->Name, in->logGroupNamePrefix) ||
		    str_find(g->Name, in->logGroupNamePattern) == SIZE_MAX ||
		    (str_is(in->logGroupClass) && !str_eq(g->Class, in->logGroupClass)))
			continue;
		if (out->logGroups.n == page) {
			out->nextToken = page_token(rq, out->logGroups.v[page - 1].logGroupName);
			break;
		}
		out->logGroups.v[out->logGroups.n++] = describe(rq, tx, g, in->logGroupNamePattern.n);
	}
	cursor_close(&s.at);
	return OK;
}

static bool retention_allowed(int64_t days)
{
	static const int allowed[] = { 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
		                       1827, 2192, 2557, 2922, 3288, 3653 };
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (allowed[i] == days)
			return true;
	return false;
}

/* Once a day, and again at once while there is more to remove. */
TIMER(logs_retention)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	logs_group *g = logs_group_get(tx, txn_arena(tx), account, region, rest);
	if (!g || !g->RetentionDays)
		return;
	size_t n = events_expire(tx, g, due - g->RetentionDays * MS_DAY, EXPIRE_CHUNK, due);
	timer_set(tx, "logs_retention", payload, n == EXPIRE_CHUNK ? due : due + MS_DAY, payload);
}

err logs_PutRetentionPolicy(req *rq, txn *tx, const logs_PutRetentionPolicy_in *in,
                            logs_PutRetentionPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	if (!retention_allowed(in->retentionInDays.v))
		return fail(rq, &logs_InvalidParameterException,
		            "1 validation error detected: Value '%lld' at 'retentionInDays' failed to satisfy "
		            "constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, "
		            "180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]",
		            (long long)in->retentionInDays.v);
	g->RetentionDays = in->retentionInDays.v;
	logs_group_put(tx, g);
	str place = place_of(rq->mem, g);
	timer_set(tx, "logs_retention", place, rq->now + MS_HOUR, place);
	return OK;
}

err logs_DeleteRetentionPolicy(req *rq, txn *tx, const logs_DeleteRetentionPolicy_in *in,
                               logs_DeleteRetentionPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	g->RetentionDays = 0;
	logs_group_put(tx, g);
	timer_cancel(tx, "logs_retention", place_of(rq->mem, g));
	return OK;
}
