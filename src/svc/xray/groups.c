/* Groups are named filters; encryption is a setting that is kept and told. */
#include "sys/rand.h"
#include "xray.h"

static str name_of(str name, str arn)
{
	size_t at = str_find(arn, S(":group/"));
	if (str_is(name) || at == SIZE_MAX)
		return name;
	str rest = str_sub(arn, at + 7, arn.n);
	return str_cut(&rest, '/');
}

static err group_find(req *rq, const txn *tx, str name, str arn, xray_group **g)
{
	str wanted = name_of(name, arn);
	*g = wanted.n ? xray_group_get(tx, rq->mem, rq->who.account, rq->region, wanted) : NULL;
	if (!*g)
		return fail(rq, &xray_InvalidRequestException, "Group not found.");
	return OK;
}

static xray_Group *describe(req *rq, const xray_group *g)
{
	xray_Group *out = arena_new(rq->mem, xray_Group);
	*out = (xray_Group){ .GroupName = g->Name, .FilterExpression = g->Filter,
		             .InsightsConfiguration = g->Insights,
		             .GroupARN = req_arn(rq, "xray", "group/%.*s/%.*s", STR_ARG(g->Name), STR_ARG(g->Id)) };
	return out;
}

err group_filter(req *rq, const txn *tx, str name, str arn, str *expression)
{
	xray_group *g;
	*expression = STR_NONE;
	if (!str_is(name) && !str_is(arn))
		return OK;
	TRY(group_find(rq, tx, name, arn, &g));
	*expression = g->Filter;
	return OK;
}

err xray_CreateGroup(req *rq, txn *tx, const xray_CreateGroup_in *in, xray_CreateGroup_out *out)
{
	filter *f;
	TRY(filter_read(rq, in->FilterExpression, &f));
	if (xray_group_get(tx, rq->mem, rq->who.account, rq->region, in->GroupName))
		return fail(rq, &xray_InvalidRequestException, "Group already exists.");
	xray_group g = { .Account = rq->who.account, .Region = rq->region, .Name = in->GroupName,
		         .Id = rand_text(rq->mem, 32, S("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
		         .Filter = in->FilterExpression, .Insights = in->InsightsConfiguration,
		         .Tags = in->Tags };
	xray_group_put(tx, &g);
	out->Group = describe(rq, &g);
	return OK;
}

err xray_GetGroup(req *rq, const txn *tx, const xray_GetGroup_in *in, xray_GetGroup_out *out)
{
	xray_group *g;
	TRY(group_find(rq, tx, in->GroupName, in->GroupARN, &g));
	out->Group = describe(rq, g);
	return OK;
}

err xray_GetGroups(req *rq, const txn *tx, const xray_GetGroups_in *in, xray_GetGroups_out *out)
{
	size_t n = 0;
	record_scan s = xray_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (xray_group_next(&s))
		n++;
	out->Groups.v = arena_array(rq->mem, xray_GroupSummary, n + 1);
	s = xray_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (xray_group *g; (g = xray_group_next(&s));) {
		xray_Group *d = describe(rq, g);
		out->Groups.v[out->Groups.n++] = (xray_GroupSummary){ d->GroupName, d->GroupARN,
			d->FilterExpression, d->InsightsConfiguration };
	}
	return OK;
}

err xray_UpdateGroup(req *rq, txn *tx, const xray_UpdateGroup_in *in, xray_UpdateGroup_out *out)
{
	xray_group *g;
	filter *f;
	TRY(group_find(rq, tx, in->GroupName, in->GroupARN, &g));
	TRY(filter_read(rq, in->FilterExpression, &f));
	if (str_is(in->FilterExpression))
		g->Filter = in->FilterExpression;
	if (in->InsightsConfiguration)
		g->Insights = in->InsightsConfiguration;
	xray_group_put(tx, g);
	out->Group = describe(rq, g);
	return OK;
}

err xray_DeleteGroup(req *rq, txn *tx, const xray_DeleteGroup_in *in, xray_DeleteGroup_out *out)
{
	xray_group *g;
	TRY(group_find(rq, tx, in->GroupName, in->GroupARN, &g));
	xray_group_delete(tx, rq->who.account, rq->region, g->Name);
	return OK;
}

err xray_PutEncryptionConfig(req *rq, txn *tx, const xray_PutEncryptionConfig_in *in,
                             xray_PutEncryptionConfig_out *out)
{
	bool kms = str_eq(in->Type, xray_EncryptionType_KMS);
	if (kms != str_is(in->KeyId))
		return fail(rq, &xray_InvalidRequestException, "KeyId is given with, and only with, type KMS");
	out->EncryptionConfig = arena_new(rq->mem, xray_EncryptionConfig);
	*out->EncryptionConfig = (xray_EncryptionConfig){ in->KeyId, xray_EncryptionStatus_ACTIVE, in->Type };
	xray_encryption_put(tx, &(xray_encryption){ .Account = rq->who.account, .Region = rq->region,
	                                            .Config = out->EncryptionConfig });
	return OK;
}

err xray_GetEncryptionConfig(req *rq, const txn *tx, const xray_GetEncryptionConfig_in *in,
                             xray_GetEncryptionConfig_out *out)
{
	xray_encryption *e = xray_encryption_get(tx, rq->mem, rq->who.account, rq->region);
	out->EncryptionConfig = e ? e->Config : arena_new(rq->mem, xray_EncryptionConfig);
	if (!e)
		*out->EncryptionConfig = (xray_EncryptionConfig){ STR_NONE, xray_EncryptionStatus_ACTIVE,
			xray_EncryptionType_NONE };
	return OK;
}
