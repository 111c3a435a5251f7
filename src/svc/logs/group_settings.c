/* A group's key and protection, and the short list of groups. */
#include "base/json.h"
#include "cloud/call.h"
#include "logs.h"

#define PAGE 50

err key_check(req *rq, txn *tx, str key, str group)
{
	str out;
	buf b = buf_in(rq->mem, 256, 4096);
	req *there = req_internal(rq->mem, rq->store, "logs.amazonaws.com", rq->who.account, rq->region);
	if (!str_starts(key, S("arn:")))
		return fail(rq, &logs_InvalidParameterException, "The specified KMS Key Id could not be found.");
	buf_put(&b, S("{\"KeyId\":"));
	json_put_string(&b, key);
	buf_c(&b, '}');
	err e = call_json(there, tx, "kms", "DescribeKey", buf_str(&b), &out);
	const json_value *about = e ? NULL : json_get(json_parse(rq->mem, out), S("KeyMetadata")),
			 *enabled = json_get(about, S("Enabled"));
	return enabled && enabled->kind == JSON_TRUE ? OK :
	       fail(rq, &logs_AccessDeniedException,
	            "The specified KMS key does not exist or is not allowed to be used with Arn '%.*s'",
	            STR_ARG(group_arn(rq, group)));
}

static err resource_group(req *rq, const txn *tx, str name, str resource, logs_group **g)
{
	if (str_is(name) && str_is(resource))
		return fail(rq, &logs_InvalidParameterException,
		            "logGroupName and resourceIdentifier are mutually exclusive parameters.");
	if (str_ends(resource, S(":query-result:*")))
		return fail(rq, &aws_NotImplemented, "Keys for the results of queries are not implemented.");
	return group_find(rq, tx, name, resource, g);
}

err logs_AssociateKmsKey(req *rq, txn *tx, const logs_AssociateKmsKey_in *in, logs_AssociateKmsKey_out *out)
{
	logs_group *g;
	TRY(resource_group(rq, tx, in->logGroupName, in->resourceIdentifier, &g));
	TRY(key_check(rq, tx, in->kmsKeyId, g->Name));
	g->KmsKeyId = in->kmsKeyId;
	logs_group_put(tx, g);
	return OK;
}

err logs_DisassociateKmsKey(req *rq, txn *tx, const logs_DisassociateKmsKey_in *in,
                            logs_DisassociateKmsKey_out *out)
{
	logs_group *g;
	TRY(resource_group(rq, tx, in->logGroupName, in->resourceIdentifier, &g));
	g->KmsKeyId = STR_NONE;
	logs_group_put(tx, g);
	return OK;
}

err logs_PutLogGroupDeletionProtection(req *rq, txn *tx, const logs_PutLogGroupDeletionProtection_in *in,
                                       logs_PutLogGroupDeletionProtection_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	g->Protected = in->deletionProtectionEnabled.v;
	logs_group_put(tx, g);
	return OK;
}

/* one|^two: a name that has one of these somewhere, or at its beginning. */
static bool name_fits(str pattern, str name)
{
	while (str_is(pattern)) {
		str part = str_cut(&pattern, '|');
		if (str_starts(part, S("^")) ? str_starts(name, str_sub(part, 1, part.n)) :
		                               str_find(name, part) != SIZE_MAX)
			return true;
	}
	return false;
}

err logs_ListLogGroups(req *rq, const txn *tx, const logs_ListLogGroups_in *in, logs_ListLogGroups_out *out)
{
	size_t page = in->limit.set ? (size_t)in->limit.v : PAGE;
	if (in->dataSources.n || in->fieldIndexNames.n || in->logGroupTags.n)
		return fail(rq, &aws_NotImplemented,
		            "Listing log groups by data source, field index or tag is not implemented.");
	record_scan s = logs_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	out->logGroups.v = arena_array(rq->mem, logs_LogGroupSummary, page);
	for (logs_group *g; (g = logs_group_next(&s));) {
		if ((str_is(in->logGroupNamePattern) && !name_fits(in->logGroupNamePattern, g->Name)) ||
		    (str_is(in->logGroupClass) && !str_eq(g->Class, in->logGroupClass)))
			continue;
		if (out->logGroups.n == page) {
			out->nextToken = page_token(rq, out->logGroups.v[page - 1].logGroupName);
			break;
		}
		out->logGroups.v[out->logGroups.n++] = (logs_LogGroupSummary){
			.logGroupName = g->Name, .logGroupArn = group_arn(rq, g->Name), .logGroupClass = g->Class };
	}
	cursor_close(&s.at);
	return OK;
}
