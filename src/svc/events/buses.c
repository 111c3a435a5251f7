#include "base/json.h"
#include "bus.h"
#include "cloud/target.h"
#include "sys/rand.h"

#define LIST_PAGE 100

bus_name bus_named(req *rq, str name_or_arn)
{
	arn_parts a;
	bus_name b = { rq->who.account, rq->region, name_or_arn };
	if (!name_or_arn.n)
		b.name = S(DEFAULT_BUS);
	else if (arn_split(name_or_arn, &a) && str_starts(a.resource, S("event-bus/")))
		b = (bus_name){ a.account, a.region, str_sub(a.resource, sizeof("event-bus/") - 1, a.resource.n) };
	return b;
}

str bus_arn(arena *mem, const bus_name *b)
{
	return arena_fmt(mem, "arn:aws:events:%.*s:%.*s:event-bus/%.*s", STR_ARG(b->region), STR_ARG(b->account),
	                 STR_ARG(b->name));
}

events_bus *bus_get(const txn *tx, arena *mem, const bus_name *b)
{
	events_bus *bus = events_bus_get(tx, mem, b->account, b->region, b->name);
	if (!bus && str_eq(b->name, S(DEFAULT_BUS))) {
		bus = arena_new(mem, events_bus);
		*bus = (events_bus){ .Account = b->account, .Region = b->region, .Name = b->name };
	}
	return bus;
}

err bus_find(req *rq, const txn *tx, str name_or_arn, bus_name *name, events_bus **b)
{
	*name = bus_named(rq, name_or_arn);
	*b = bus_get(tx, rq->mem, name);
	return *b ? OK : fail(rq, &events_ResourceNotFoundException, "Event bus %.*s does not exist.",
	                      STR_ARG(name->name));
}

void bus_rules_changed(txn *tx, arena *mem, const bus_name *b)
{
	events_bus *bus = bus_get(tx, mem, b);
	bus->Rules = (int64_t)(rand_u64() >> 1) | 1;
	events_bus_put(tx, bus);
}

err events_CreateEventBus(req *rq, txn *tx, const events_CreateEventBus_in *in,
		events_CreateEventBus_out *out)
{
	bus_name name = { rq->who.account, rq->region, in->Name };
	if (str_find_char(in->Name, '/') != SIZE_MAX)
		return fail(rq, &aws_ValidationException, "Event bus name must not contain '/'.");
	if (bus_get(tx, rq->mem, &name))
		return fail(rq, &events_ResourceAlreadyExistsException, "Event bus %.*s already exists.",
		            STR_ARG(in->Name));
	events_bus_put(tx, &(events_bus){ .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		.Created = rq->now, .Modified = rq->now, .Description = in->Description, .Kms = in->KmsKeyIdentifier,
		.DeadLetters = in->DeadLetterConfig, .Tags = in->Tags });
	out->EventBusArn = bus_arn(rq->mem, &name);
	out->Description = in->Description;
	out->KmsKeyIdentifier = in->KmsKeyIdentifier;
	out->DeadLetterConfig = in->DeadLetterConfig;
	return OK;
}

err events_UpdateEventBus(req *rq, txn *tx, const events_UpdateEventBus_in *in,
		events_UpdateEventBus_out *out)
{
	bus_name name;
	events_bus *b;
	TRY(bus_find(rq, tx, in->Name, &name, &b));
	b->Description = str_is(in->Description) ? in->Description : b->Description;
	b->Kms = str_is(in->KmsKeyIdentifier) ? in->KmsKeyIdentifier : b->Kms;
	b->DeadLetters = in->DeadLetterConfig ? in->DeadLetterConfig : b->DeadLetters;
	b->Modified = rq->now;
	events_bus_put(tx, b);
	out->Arn = bus_arn(rq->mem, &name);
	out->Name = b->Name;
	out->Description = b->Description;
	out->KmsKeyIdentifier = b->Kms;
	out->DeadLetterConfig = b->DeadLetters;
	return OK;
}

err events_DeleteEventBus(req *rq, txn *tx, const events_DeleteEventBus_in *in,
		events_DeleteEventBus_out *out)
{
	bus_name b = bus_named(rq, in->Name);
	if (str_eq(b.name, S(DEFAULT_BUS)))
		return fail(rq, &aws_ValidationException, "Cannot delete event bus default.");
	record_scan s = events_rule_scan(tx, rq->mem, 3, b.account, b.region, b.name, STR_NONE);
	bool any = events_rule_next(&s) != NULL;
	cursor_close(&s.at);
	if (any)
		return fail(rq, &aws_ValidationException, "Event bus can't be deleted since it has rules.");
	events_bus_delete(tx, b.account, b.region, b.name);
	return OK;
}

err events_DescribeEventBus(req *rq, const txn *tx, const events_DescribeEventBus_in *in,
                            events_DescribeEventBus_out *out)
{
	bus_name name;
	events_bus *b;
	TRY(bus_find(rq, tx, in->Name, &name, &b));
	out->Name = b->Name;
	out->Arn = bus_arn(rq->mem, &name);
	out->Description = b->Description;
	out->KmsKeyIdentifier = b->Kms;
	out->DeadLetterConfig = b->DeadLetters;
	out->Policy = b->Policy;
	if (b->Created)
		out->CreationTime = TIME(b->Created);
	if (b->Modified)
		out->LastModifiedTime = TIME(b->Modified);
	return OK;
}

err events_ListEventBuses(req *rq, const txn *tx, const events_ListEventBuses_in *in,
                          events_ListEventBuses_out *out)
{
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	str after, last = STR_NONE;
	bus_name by_default = { rq->who.account, rq->region, S(DEFAULT_BUS) };
	record_scan s = events_bus_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	out->EventBuses.v = arena_array(rq->mem, events_EventBus, page + 1);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	} else if (str_starts(by_default.name, in->NamePrefix)) {
		const events_bus *b = bus_get(tx, rq->mem, &by_default);
		out->EventBuses.v[out->EventBuses.n++] =
			(events_EventBus){ .Name = b->Name, .Arn = bus_arn(rq->mem, &by_default), .Policy = b->Policy };
	}
	for (events_bus *b; (b = events_bus_next(&s));) {
		bus_name name = { b->Account, b->Region, b->Name };
		if (!str_starts(b->Name, in->NamePrefix) || str_eq(b->Name, S(DEFAULT_BUS)))
			continue;
		if (out->EventBuses.n >= page) {
			out->NextToken = page_token(rq, str_is(last) ? last : S(""));
			break;
		}
		out->EventBuses.v[out->EventBuses.n++] = (events_EventBus){ .Name = b->Name, .Policy = b->Policy,
			.Arn = bus_arn(rq->mem, &name), .Description = b->Description,
			.CreationTime = TIME(b->Created), .LastModifiedTime = TIME(b->Modified) };
		last = b->Name;
	}
	cursor_close(&s.at);
	return OK;
}

/* The statement that PutPermission's parameters describe. */
static str statement_of(req *rq, const events_PutPermission_in *in, const bus_name *b)
{
	buf s = buf_in(rq->mem, 512, 1 << 16);
	buf_put(&s, S("{\"Sid\":"));
	json_put_string(&s, in->StatementId);
	buf_put(&s, S(",\"Effect\":\"Allow\",\"Principal\":"));
	if (str_eq(in->Principal, S("*")))
		buf_put(&s, S("\"*\""));
	else
		buf_fmt(&s, "{\"AWS\":\"arn:aws:iam::%.*s:root\"}", STR_ARG(in->Principal));
	buf_put(&s, S(",\"Action\":"));
	json_put_string(&s, in->Action);
	buf_fmt(&s, ",\"Resource\":\"%.*s\"", STR_ARG(bus_arn(rq->mem, b)));
	if (in->Condition) {
		buf_put(&s, S(",\"Condition\":{"));
		json_put_string(&s, in->Condition->Type);
		buf_put(&s, S(":{"));
		json_put_string(&s, in->Condition->Key);
		buf_c(&s, ':');
		json_put_string(&s, in->Condition->Value);
		buf_put(&s, S("}}"));
	}
	buf_c(&s, '}');
	return buf_str(&s);
}

/* The policy with the statement of this id replaced, added (`put`) or taken away. */
static str policy_with(req *rq, str policy, str id, str put, bool *found)
{
	buf b = buf_in(rq->mem, 1024, 1 << 20);
	bool any = false;
	*found = false;
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Statement\":["));
	const json_value *list = policy.n ? json_get(json_parse(rq->mem, policy), S("Statement")) : NULL;
	for (const json_value *s = list ? list->first : NULL; s; s = s->next) {
		const json_value *sid = json_get(s, S("Sid"));
		if (sid && str_eq(sid->text, id)) {
			*found = true;
			continue;
		}
		if (any)
			buf_c(&b, ',');
		json_write(&b, s);
		any = true;
	}
	if (put.n) {
		if (any)
			buf_c(&b, ',');
		buf_put(&b, put);
		any = true;
	}
	buf_put(&b, S("]}"));
	return any ? buf_str(&b) : S("");
}

err events_PutPermission(req *rq, txn *tx, const events_PutPermission_in *in, events_PutPermission_out *out)
{
	bus_name name;
	events_bus *b;
	bool found;
	TRY(bus_find(rq, tx, in->EventBusName, &name, &b));
	if (str_is(in->Policy)) {
		if (!json_parse(rq->mem, in->Policy))
			return fail(rq, &aws_ValidationException, "Parameter Policy is not valid JSON.");
		b->Policy = in->Policy;
	} else {
		if (!in->StatementId.n || !in->Principal.n || !in->Action.n)
			return fail(rq, &aws_ValidationException,
			            "Parameters Action, Principal and StatementId are required without Policy.");
		if (!str_eq(in->Action, S("events:PutEvents")))
			return fail(rq, &aws_ValidationException,
			            "Provided value in parameter 'action' is not supported.");
		b->Policy = policy_with(rq, b->Policy, in->StatementId, statement_of(rq, in, &name), &found);
	}
	events_bus_put(tx, b);
	return OK;
}

err events_RemovePermission(req *rq, txn *tx, const events_RemovePermission_in *in,
                            events_RemovePermission_out *out)
{
	bus_name name;
	events_bus *b;
	bool found = true, all = in->RemoveAllPermissions.set && in->RemoveAllPermissions.v;
	TRY(bus_find(rq, tx, in->EventBusName, &name, &b));
	if (!all && !b->Policy.n)
		return fail(rq, &events_ResourceNotFoundException, "EventBus does not have a policy.");
	str rest = all ? S("") : policy_with(rq, b->Policy, in->StatementId, STR_NONE, &found);
	if (!found)
		return fail(rq, &events_ResourceNotFoundException, "Statement with the provided id does not exist.");
	b->Policy = rest.n ? rest : STR_NONE;
	events_bus_put(tx, b);
	return OK;
}
