/* The data protection policy of a group. */
#include "base/text.h"
#include "protection.h"

#define DOCUMENT_MAX 30720

err logs_PutDataProtectionPolicy(req *rq, txn *tx, const logs_PutDataProtectionPolicy_in *in,
                                 logs_PutDataProtectionPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	if (utf8_length(in->policyDocument) > DOCUMENT_MAX)
		return fail(rq, &logs_InvalidParameterException,
		            "The policy document has at most %d characters.", DOCUMENT_MAX);
	if (str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS))
		return fail(rq, &logs_InvalidParameterException,
		            "Data protection is not supported for log groups of the Infrequent Access class.");
	TRY(protection_check(rq, tx, in->policyDocument));
	g->Protection = in->policyDocument;
	g->ProtectionUpdated = rq->now;
	g->WasProtected = true;
	logs_group_put(tx, g);
	*out = (logs_PutDataProtectionPolicy_out){ .logGroupIdentifier = in->logGroupIdentifier,
		.policyDocument = in->policyDocument, .lastUpdatedTime = I64(rq->now) };
	return OK;
}

err logs_GetDataProtectionPolicy(req *rq, const txn *tx, const logs_GetDataProtectionPolicy_in *in,
                                 logs_GetDataProtectionPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	out->logGroupIdentifier = in->logGroupIdentifier;
	if (!g->Protection.n)
		return OK;
	out->policyDocument = g->Protection;
	out->lastUpdatedTime = I64(g->ProtectionUpdated);
	return OK;
}

err logs_DeleteDataProtectionPolicy(req *rq, txn *tx, const logs_DeleteDataProtectionPolicy_in *in,
                                    logs_DeleteDataProtectionPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	if (!g->Protection.n)
		return fail(rq, &logs_ResourceNotFoundException,
		            "The specified log group does not have a data protection policy.");
	g->Protection = STR_NONE;
	logs_group_put(tx, g);
	return OK;
}
