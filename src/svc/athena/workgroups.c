/* Workgroups: where results go, and what a query may cost. */
#include "athena.h"
#include "cloud/authorise.h"
#include "cloud/quota.h"
#include "cloud/tagged.h"

#define ENGINE "Athena engine version 3"
#define PRIMARY ATHENA_PRIMARY

QUOTAS(athena, "athena", "Amazon Athena", false,
	{ "L-FC5F6546", "Active DML queries", ATHENA_ACTIVE_MAX, true, NULL });

#define OF "\"ResourceARN\":$arn"
TAGGED(athena, "athena", { .type = "athena:workgroup", .at = "workgroup/",
	.list = { "ListWorkGroups", NULL, "WorkGroups" },
		.arn = "arn:aws:athena:{region}:{account}:workgroup/{Name}",
	TAGGED_PAGES("NextToken"), .read = { "ListTagsForResource", OF, "Tags" },
	.tag = { "TagResource", OF ",\"Tags\":$Key", NULL },
	.untag = { "UntagResource", OF ",\"TagKeys\":$keys", NULL } });

const tag_rules athena_tag_rules = {
	.most = ATHENA_TAGS_MAX,
	.too_many = { &athena_InvalidRequestException, "The request contains too many tags: the most are 50." },
	.twice = { &athena_InvalidRequestException, "Duplicate tag keys found in the request." },
	.reserved = { &athena_InvalidRequestException, "Tag keys that begin with aws: are reserved." },
};

err athena_refused(req *rq, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str message = arena_vfmt(rq->mem, format, args);
	va_end(args);
	athena_InvalidRequestException_error *detail = arena_new(rq->mem, athena_InvalidRequestException_error);
	detail->AthenaErrorCode = S("INVALID_INPUT");
	return fail_with(rq, &athena_InvalidRequestException, detail, "%.*s", STR_ARG(message));
}

static athena_EngineVersion *engine(req *rq, const athena_EngineVersion *asked)
{
	athena_EngineVersion *v = arena_new(rq->mem, athena_EngineVersion);
	bool chosen = asked && str_is(asked->SelectedEngineVersion);
	v->SelectedEngineVersion = chosen ? asked->SelectedEngineVersion : S("AUTO");
	v->EffectiveEngineVersion = S(ENGINE);
	return v;
}

static err check_engine(req *rq, const athena_EngineVersion *v)
{
	if (!v || !str_is(v->SelectedEngineVersion) || str_eq(v->SelectedEngineVersion, S("AUTO")) ||
	    str_eq(v->SelectedEngineVersion, S(ENGINE)))
		return OK;
	return athena_refused(rq, "Invalid engine version: %.*s", STR_ARG(v->SelectedEngineVersion));
}

static err check_location(req *rq, const athena_ResultConfiguration *r)
{
	if (!r || !str_is(r->OutputLocation) || str_empty(r->OutputLocation))
		return OK;
	if (str_starts(r->OutputLocation, S("s3://")) && r->OutputLocation.n > 5 && r->OutputLocation.n < 1024)
		return OK;
	return athena_refused(rq, "OutputLocation is not a valid S3 path. Provided: %.*s",
	                      STR_ARG(r->OutputLocation));
}

/* What stands in a configuration that is nothing but itself. */
static err check_configuration(req *rq, const athena_WorkGroupConfiguration *c)
{
	if (c && c->ManagedQueryResultsConfiguration && c->ManagedQueryResultsConfiguration->Enabled.v)
		return fail(rq, &aws_NotImplemented, "Farthing's Athena does not keep results itself.");
	if (c && (str_is(c->ExecutionRole) || c->MonitoringConfiguration || c->EngineConfiguration ||
	          c->IdentityCenterConfiguration))
		return fail(rq, &aws_NotImplemented, "Farthing's Athena has neither Spark nor Identity Center.");
	TRY(check_engine(rq, c ? c->EngineVersion : NULL));
	return check_location(rq, c ? c->ResultConfiguration : NULL);
}

static athena_WorkGroup *new_group(req *rq, str name, athena_WorkGroupConfiguration *c, int64_t made)
{
	athena_WorkGroup *g = arena_new(rq->mem, athena_WorkGroup);
	if (!c)
		c = arena_new(rq->mem, athena_WorkGroupConfiguration);
	if (!c->ResultConfiguration)
		c->ResultConfiguration = arena_new(rq->mem, athena_ResultConfiguration);
	if (!c->EnforceWorkGroupConfiguration.set)
		c->EnforceWorkGroupConfiguration = BOOL(true);
	if (!c->PublishCloudWatchMetricsEnabled.set)
		c->PublishCloudWatchMetricsEnabled = BOOL(false);
	if (!c->RequesterPaysEnabled.set)
		c->RequesterPaysEnabled = BOOL(false);
	if (!c->EnableMinimumEncryptionConfiguration.set)
		c->EnableMinimumEncryptionConfiguration = BOOL(false);
	c->EngineVersion = engine(rq, c->EngineVersion);
	*g = (athena_WorkGroup){ .Name = name, .State = athena_WorkGroupState_ENABLED, .Configuration = c,
		                     .CreationTime = TIME(made) };
	return g;
}

err athena_find_workgroup(req *rq, const txn *tx, str name, athena_workgroup **out)
{
	if (!str_is(name))
		name = S(PRIMARY);
	*out = athena_workgroup_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (*out)
		return OK;
	if (!str_eq(name, S(PRIMARY)))
		return athena_refused(rq, "WorkGroup %.*s is not found.", STR_ARG(name));
	athena_WorkGroupConfiguration *c = arena_new(rq->mem, athena_WorkGroupConfiguration);
	c->EnforceWorkGroupConfiguration = BOOL(false);
	*out = arena_new(rq->mem, athena_workgroup);
	**out = (athena_workgroup){ .Account = rq->who.account, .Region = rq->region, .Name = name,
		                        .It = new_group(rq, name, c, 0) };
	(*out)->It->CreationTime = TIME(rq->now);
	return OK;
}

err athena_CreateWorkGroup(req *rq, txn *tx, const athena_CreateWorkGroup_in *in,
                           athena_CreateWorkGroup_out *out)
{
	(void)out;
	if (str_eq(in->Name, S(PRIMARY)) ||
	    athena_workgroup_get(tx, rq->mem, rq->who.account, rq->region, in->Name))
		return athena_refused(rq, "WorkGroup is already created");
	TRY(check_configuration(rq, in->Configuration));
	athena_workgroup g = { .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		                   .It = new_group(rq, in->Name, in->Configuration, rq->now) };
	g.It->Description = in->Description;
	TRY(tags_add(rq, &athena_tag_rules, TAGS(&g.Tags, Key), TAGS(&in->Tags, Key)));
	athena_workgroup_put(tx, &g);
	return OK;
}

err athena_GetWorkGroup(req *rq, const txn *tx, const athena_GetWorkGroup_in *in,
	athena_GetWorkGroup_out *out)
{
	athena_workgroup *g;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	out->WorkGroup = g->It;
	return OK;
}

static void update_result(athena_ResultConfiguration *r, const athena_ResultConfigurationUpdates *u)
{
	if (str_is(u->OutputLocation) || u->RemoveOutputLocation.v)
		r->OutputLocation = u->RemoveOutputLocation.v ? STR_NONE : u->OutputLocation;
	if (u->EncryptionConfiguration || u->RemoveEncryptionConfiguration.v)
		r->EncryptionConfiguration = u->RemoveEncryptionConfiguration.v ? NULL : u->EncryptionConfiguration;
	if (str_is(u->ExpectedBucketOwner) || u->RemoveExpectedBucketOwner.v)
		r->ExpectedBucketOwner = u->RemoveExpectedBucketOwner.v ? STR_NONE : u->ExpectedBucketOwner;
	if (u->AclConfiguration || u->RemoveAclConfiguration.v)
		r->AclConfiguration = u->RemoveAclConfiguration.v ? NULL : u->AclConfiguration;
}

static err update(req *rq, athena_WorkGroupConfiguration *c, const athena_WorkGroupConfigurationUpdates *u)
{
	if (u->ManagedQueryResultsConfigurationUpdates && u->ManagedQueryResultsConfigurationUpdates->Enabled.v)
		return fail(rq, &aws_NotImplemented, "Farthing's Athena does not keep results itself.");
	if (str_is(u->ExecutionRole) || u->MonitoringConfiguration || u->EngineConfiguration)
		return fail(rq, &aws_NotImplemented, "Farthing's Athena has no Spark.");
	TRY(check_engine(rq, u->EngineVersion));
	if (u->ResultConfigurationUpdates)
		update_result(c->ResultConfiguration, u->ResultConfigurationUpdates);
	TRY(check_location(rq, c->ResultConfiguration));
	if (u->EnforceWorkGroupConfiguration.set)
		c->EnforceWorkGroupConfiguration = u->EnforceWorkGroupConfiguration;
	if (u->PublishCloudWatchMetricsEnabled.set)
		c->PublishCloudWatchMetricsEnabled = u->PublishCloudWatchMetricsEnabled;
	if (u->BytesScannedCutoffPerQuery.set)
		c->BytesScannedCutoffPerQuery = u->BytesScannedCutoffPerQuery;
	if (u->RemoveBytesScannedCutoffPerQuery.v)
		c->BytesScannedCutoffPerQuery = (opt_i64){ 0 };
	if (u->RequesterPaysEnabled.set)
		c->RequesterPaysEnabled = u->RequesterPaysEnabled;
	if (u->EnableMinimumEncryptionConfiguration.set)
		c->EnableMinimumEncryptionConfiguration = u->EnableMinimumEncryptionConfiguration;
	if (u->EngineVersion)
		c->EngineVersion = engine(rq, u->EngineVersion);
	return OK;
}

err athena_UpdateWorkGroup(req *rq, txn *tx, const athena_UpdateWorkGroup_in *in,
                           athena_UpdateWorkGroup_out *out)
{
	athena_workgroup *g;
	(void)out;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (in->ConfigurationUpdates)
		TRY(update(rq, g->It->Configuration, in->ConfigurationUpdates));
	if (str_is(in->Description))
		g->It->Description = in->Description;
	if (str_is(in->State))
		g->It->State = in->State;
	athena_workgroup_put(tx, g);
	return OK;
}

static bool has_queries(req *rq, const txn *tx, str name)
{
	record_scan s = athena_order_scan(tx, rq->mem, 3, rq->who.account, rq->region, name, 0, STR_NONE);
	bool any = athena_order_next(&s) != NULL;
	cursor_close(&s.at);
	s = athena_named_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (athena_named *q; !any && (q = athena_named_next(&s));)
		any = str_eq(q->It->WorkGroup, name);
	cursor_close(&s.at);
	return any;
}

/* Its queries stay: they are told by their ids. */
static void empty(req *rq, txn *tx, str name)
{
	for (;;) {
		record_scan s = athena_order_scan(tx, rq->mem, 3, rq->who.account, rq->region, name, 0, STR_NONE);
		athena_order *o = athena_order_next(&s);
		cursor_close(&s.at);
		if (!o)
			break;
		athena_order_delete(tx, o->Account, o->Region, o->WorkGroup, o->Down, o->Id);
	}
	for (;;) {
		record_scan s = athena_prepared_scan(tx, rq->mem, 3, rq->who.account, rq->region, name, STR_NONE);
		athena_prepared *p = athena_prepared_next(&s);
		cursor_close(&s.at);
		if (!p)
			break;
		athena_prepared_delete(tx, p->Account, p->Region, p->WorkGroup, p->Name);
	}
}

err athena_DeleteWorkGroup(req *rq, txn *tx, const athena_DeleteWorkGroup_in *in,
                           athena_DeleteWorkGroup_out *out)
{
	athena_workgroup *g;
	(void)out;
	if (str_eq(in->WorkGroup, S(PRIMARY)))
		return athena_refused(rq, "Deletion of primary WorkGroup is not allowed");
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (!in->RecursiveDeleteOption.v && has_queries(rq, tx, g->Name))
		return athena_refused(rq, "WorkGroup %.*s is not empty", STR_ARG(g->Name));
	empty(rq, tx, g->Name);
	athena_workgroup_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}

static athena_WorkGroupSummary summary(const athena_WorkGroup *g)
{
	return (athena_WorkGroupSummary){ .Name = g->Name, .State = g->State, .Description = g->Description,
		.CreationTime = g->CreationTime, .EngineVersion = g->Configuration->EngineVersion };
}

err athena_ListWorkGroups(req *rq, const txn *tx, const athena_ListWorkGroups_in *in,
                          athena_ListWorkGroups_out *out)
{
	str after = STR_NONE;
	athena_workgroup *g;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : ATHENA_PAGE;
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return athena_refused(rq, "Invalid NextToken");
	out->WorkGroups.v = arena_array(rq->mem, athena_WorkGroupSummary, most + 1);
	bool kept = athena_workgroup_get(tx, rq->mem, rq->who.account, rq->region, S(PRIMARY)) != NULL;
	if (!str_is(after) && !kept) {
		TRY(athena_find_workgroup(rq, tx, S(PRIMARY), &g));
		out->WorkGroups.v[out->WorkGroups.n++] = summary(g->It);
	}
	record_scan s = athena_workgroup_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after) && !str_eq(after, S(" ")))
		record_scan_after(&s, after);
	str last = S(" ");
	while ((g = athena_workgroup_next(&s))) {
		if (out->WorkGroups.n == most) {
			out->NextToken = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = g->Name;
		out->WorkGroups.v[out->WorkGroups.n++] = summary(g->It);
	}
	return OK;
}

err athena_ListEngineVersions(req *rq, const txn *tx, const athena_ListEngineVersions_in *in,
                              athena_ListEngineVersions_out *out)
{
	static const str names[] = { S("AUTO"), S(ENGINE) };
	(void)tx, (void)in;
	out->EngineVersions.v = arena_array(rq->mem, athena_EngineVersion, 2);
	for (size_t i = 0; i < 2; i++)
		out->EngineVersions.v[out->EngineVersions.n++] = (athena_EngineVersion){ names[i], S(ENGINE) };
	return OK;
}

/* arn:aws:athena:REGION:ACCOUNT:workgroup/NAME */
static athena_workgroup *tagged(const txn *tx, arena *mem, str arn)
{
	str part[5], rest = arn;
	for (size_t i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	if (!str_starts(rest, S("workgroup/")))
		return NULL;
	return athena_workgroup_get(tx, mem, part[4], part[3], str_sub(rest, 10, rest.n));
}

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	athena_workgroup *g = tagged(tx, mem, arn);
	return g ? RESOURCE_TAG_KEYS(mem, g->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(athena, tags_of);

static err find_tagged(req *rq, const txn *tx, str arn, athena_workgroup **g)
{
	str primary = req_arn(rq, "athena", "workgroup/" PRIMARY);
	*g = tagged(tx, rq->mem, arn);
	if (*g && str_eq((*g)->Account, rq->who.account) && str_eq((*g)->Region, rq->region))
		return OK;
	if (str_eq(arn, primary))
		return athena_find_workgroup(rq, tx, S(PRIMARY), g);
	athena_ResourceNotFoundException_error *e = arena_new(rq->mem, athena_ResourceNotFoundException_error);
	e->ResourceName = arn;
	return fail_with(rq, &athena_ResourceNotFoundException, e, "Resource %.*s is not found", STR_ARG(arn));
}

err athena_TagResource(req *rq, txn *tx, const athena_TagResource_in *in, athena_TagResource_out *out)
{
	athena_workgroup *g;
	(void)out;
	TRY(find_tagged(rq, tx, in->ResourceARN, &g));
	TRY(tags_add(rq, &athena_tag_rules, TAGS(&g->Tags, Key), TAGS(&in->Tags, Key)));
	athena_workgroup_put(tx, g);
	return OK;
}

err athena_UntagResource(req *rq, txn *tx, const athena_UntagResource_in *in, athena_UntagResource_out *out)
{
	athena_workgroup *g;
	(void)out;
	TRY(find_tagged(rq, tx, in->ResourceARN, &g));
	tags_drop(TAGS(&g->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	athena_workgroup_put(tx, g);
	return OK;
}

err athena_ListTagsForResource(req *rq, const txn *tx, const athena_ListTagsForResource_in *in,
                               athena_ListTagsForResource_out *out)
{
	athena_workgroup *g;
	TRY(find_tagged(rq, tx, in->ResourceARN, &g));
	out->Tags = g->Tags;
	tags_shown(rq, TAGS(&out->Tags, Key));
	return OK;
}
