/* What the operations are called in policies, and on which buses and rules they act. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "bus.h"

/* The ARN of a rule names its bus unless that is the default one. */
static str rule_arn_of(req *rq, const void *in)
{
	bus_name bus = bus_named(rq, access_member(rq, in, S("EventBusName")));
	str name = access_member(rq, in, S("Name"));
	if (!str_is(name))
		name = access_member(rq, in, S("Rule"));
	bool usual = str_eq(bus.name, S("default"));
	return arena_fmt(rq->mem, "arn:aws:events:%.*s:%.*s:rule/%.*s%s%.*s", STR_ARG(bus.region),
	                 STR_ARG(bus.account), STR_ARG(usual ? S("") : bus.name), usual ? "" : "/",
	                 STR_ARG(name));
}

static size_t the_rule(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = rule_arn_of(rq, in);
	return 1;
}

/* A rule's own role, then its targets', are handed over with them. */
static size_t with_role(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	size_t n = 0;
	const events_PutTargets_in *t = strcmp(rq->op->name, "PutTargets") == 0 ? in : NULL;
	str own = access_member(rq, in, S("RoleArn"));
	*arns = arena_array(rq->mem, str, (t ? t->Targets.n : 0) + 2);
	(*arns)[n++] = rule_arn_of(rq, in);
	if (str_is(own))
		(*arns)[n++] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(own));
	for (size_t i = 0; t && i < t->Targets.n; i++)
		if (str_is(t->Targets.v[i].RoleArn))
			(*arns)[n++] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(t->Targets.v[i].RoleArn));
	return n;
}

static str bus_arn_of(req *rq, str given)
{
	bus_name bus = bus_named(rq, given);
	return bus_arn(rq->mem, &bus);
}

static size_t the_bus(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = bus_arn_of(rq, access_member(rq, in, S("Name")));
	return 1;
}

static size_t put(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const events_PutEvents_in *in = in_;
	*arns = arena_array(rq->mem, str, in->Entries.n + 1);
	for (size_t i = 0; i < in->Entries.n; i++)
		(*arns)[i] = bus_arn_of(rq, in->Entries.v[i].EventBusName);
	return in->Entries.n;
}

#define ON_RULE(operation) { operation, NULL, NULL, the_rule }
#define ON_BUS(operation) { operation, NULL, NULL, the_bus }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
ACCESS(events, "events", NULL,
	{ "PutRule", NULL, NULL, with_role }, { "PutTargets", NULL, NULL, with_role },
	{ "PutEvents", NULL, NULL, put }, ON_RULE("DeleteRule"), ON_RULE("DescribeRule"), ON_RULE("EnableRule"),
	ON_RULE("DisableRule"), ON_RULE("RemoveTargets"), ON_RULE("ListTargetsByRule"),
	ON_BUS("CreateEventBus"), ON_BUS("UpdateEventBus"), ON_BUS("DeleteEventBus"), ON_BUS("DescribeEventBus"),
	ON_ALL("ListEventBuses"), ON_ALL("ListRules"), ON_ALL("ListRuleNamesByTarget"), ON_ALL("PutPermission"),
	ON_ALL("RemovePermission"), ON_ALL("TestEventPattern"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"), { "CreateArchive", NULL, "archive/{ArchiveName}", NULL },
	{ "DescribeArchive", NULL, "archive/{ArchiveName}", NULL },
	{ "UpdateArchive", NULL, "archive/{ArchiveName}", NULL },
	{ "DeleteArchive", NULL, "archive/{ArchiveName}", NULL }, ON_ALL("ListArchives"),
	{ "StartReplay", NULL, "replay/{ReplayName}", NULL },
	{ "DescribeReplay", NULL, "replay/{ReplayName}", NULL },
	{ "CancelReplay", NULL, "replay/{ReplayName}", NULL }, ON_ALL("ListReplays"),
	{ "CreateConnection", NULL, "connection/{Name}", NULL },
	{ "DescribeConnection", NULL, "connection/{Name}", NULL },
	{ "UpdateConnection", NULL, "connection/{Name}", NULL },
	{ "DeleteConnection", NULL, "connection/{Name}", NULL }, ON_ALL("ListConnections"),
	{ "CreateApiDestination", NULL, "api-destination/{Name}", NULL },
	{ "DescribeApiDestination", NULL, "api-destination/{Name}", NULL },
	{ "UpdateApiDestination", NULL, "api-destination/{Name}", NULL },
	{ "DeleteApiDestination", NULL, "api-destination/{Name}", NULL }, ON_ALL("ListApiDestinations"),
	ON_ALL("ActivateEventSource"), ON_ALL("CreateEndpoint"), ON_ALL("CreatePartnerEventSource"),
	ON_ALL("DeactivateEventSource"), ON_ALL("DeauthorizeConnection"), ON_ALL("DeleteEndpoint"),
	ON_ALL("DeletePartnerEventSource"), ON_ALL("DescribeEndpoint"), ON_ALL("DescribeEventSource"),
	ON_ALL("DescribePartnerEventSource"), ON_ALL("ListEndpoints"), ON_ALL("ListEventSources"),
	ON_ALL("ListPartnerEventSourceAccounts"), ON_ALL("ListPartnerEventSources"),
	ON_ALL("PutPartnerEvents"), ON_ALL("UpdateEndpoint"));

static const policy_key *find_key(asking *a, str name)
{
	const char *op = a->rq->op->name;
	if (a->in && strcmp(op, "PutTargets") == 0 && str_eq_nocase(name, S("events:TargetArn"))) {
		const events_PutTargets_in *in = a->in;
		str *v = arena_array(a->rq->mem, str, in->Targets.n + 1);
		for (size_t i = 0; i < in->Targets.n; i++)
			v[i] = in->Targets.v[i].Arn;
		return asking_values(a, name, v, in->Targets.n);
	}
	bool by_source = str_eq_nocase(name, S("events:source"));
	bool by_type = str_eq_nocase(name, S("events:detail-type"));
	if (a->in && strcmp(op, "PutEvents") == 0 && (by_source || by_type)) {
		const events_PutEvents_in *in = a->in;
		str *v = arena_array(a->rq->mem, str, in->Entries.n + 1);
		for (size_t i = 0; i < in->Entries.n; i++)
			v[i] = by_source ? in->Entries.v[i].Source : in->Entries.v[i].DetailType;
		policy_key *k = arena_new(a->rq->mem, policy_key);
		*k = (policy_key){ .name = name, .v = v, .n = in->Entries.n, .multivalued = in->Entries.n > 1 };
		return in->Entries.n ? k : NULL;
	}
	return NULL;
}
ACCESS_KEYS(events, "events", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str rest = a.resource, kind = str_cut(&rest, '/'), bus = S("default");
	if (str_eq(kind, S("event-bus"))) {
		events_bus *b = events_bus_get(tx, mem, a.account, a.region, rest);
		return b ? RESOURCE_TAG_KEYS(mem, b->Tags, Key, Value) : NULL;
	}
	if (str_find_char(rest, '/') != SIZE_MAX)
		bus = str_cut(&rest, '/');
	events_rule *r = events_rule_get(tx, mem, a.account, a.region, bus, rest);
	return r ? RESOURCE_TAG_KEYS(mem, r->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(events, tags_of);

static str bus_policy(const txn *tx, arena *mem, str action, str arn)
{
	arn_parts a;
	str name;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("event-bus/")))
		return STR_NONE;
	name = str_sub(a.resource, 10, a.resource.n);
	events_bus *b = events_bus_get(tx, mem, a.account, a.region, name);
	return b && b->Policy.n ? b->Policy : STR_NONE;
}
RESOURCE_POLICY(events, bus_policy, false);
