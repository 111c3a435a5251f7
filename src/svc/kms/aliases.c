#include "key.h"

#define LIST_PAGE 50

/* AWS's answer for its own aliases, which its model does not have. */
static const fault_kind not_authorized = { .name = "NotAuthorizedException", .code = "NotAuthorizedException",
	                                   .query_code = "NotAuthorizedException", .status = 400 };

static err name_check(req *rq, str name)
{
	if (!str_starts(name, S("alias/")))
		return fail(rq, &aws_ValidationException, "Alias must start with the prefix \"alias/\". Please see "
		            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html");
	if (str_starts(name, S("alias/aws/")))
		return fail(rq, &not_authorized, "%s", "");
	if (str_find_char(name, ':') != SIZE_MAX)
		return fail(rq, &aws_ValidationException, "%.*s contains invalid characters for an alias",
		            STR_ARG(name));
	return OK;
}

static str alias_arn(req *rq, str name)
{
	return req_arn(rq, "kms", "%.*s", STR_ARG(name));
}

static err target_find(req *rq, const txn *tx, str given, kms_key **k)
{
	if (str_starts(given, S("alias/")) || str_find(given, S(":alias/")) != SIZE_MAX)
		return fail(rq, &aws_ValidationException, "Aliases must refer to keys. Not aliases");
	return customer_key(rq, tx, given, k);
}

err kms_CreateAlias(req *rq, txn *tx, const kms_CreateAlias_in *in,
                    kms_CreateAlias_out *out)
{
	kms_key *k;
	TRY(name_check(rq, in->AliasName));
	TRY(target_find(rq, tx, in->TargetKeyId, &k));
	str arn = alias_arn(rq, in->AliasName);
	if (kms_alias_get(tx, rq->mem, rq->who.account, rq->region, in->AliasName))
		return fail(rq, &kms_AlreadyExistsException, "An alias with the name %.*s already exists",
		            STR_ARG(arn));
	kms_alias_put(tx, &(kms_alias){ .Account = rq->who.account, .Region = rq->region,
	                                .AliasName = in->AliasName, .KeyId = k->KeyId, .Created = rq->now,
	                                .Updated = rq->now });
	return OK;
}

static err alias_find(req *rq, const txn *tx, str name, kms_alias **a)
{
	str arn = alias_arn(rq, name);
	TRY(name_check(rq, name));
	*a = kms_alias_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *a ? OK : fail(rq, &kms_NotFoundException, "Alias %.*s is not found.", STR_ARG(arn));
}

err kms_UpdateAlias(req *rq, txn *tx, const kms_UpdateAlias_in *in,
                    kms_UpdateAlias_out *out)
{
	kms_key *k;
	kms_alias *a;
	TRY(alias_find(rq, tx, in->AliasName, &a));
	TRY(target_find(rq, tx, in->TargetKeyId, &k));
	a->KeyId = k->KeyId;
	a->Updated = rq->now;
	kms_alias_put(tx, a);
	return OK;
}

err kms_DeleteAlias(req *rq, txn *tx, const kms_DeleteAlias_in *in,
                    kms_DeleteAlias_out *out)
{
	kms_alias *a;
	if (!str_starts(in->AliasName, S("alias/")))
		return fail(rq, &aws_ValidationException, "Invalid identifier");
	TRY(alias_find(rq, tx, in->AliasName, &a));
	kms_alias_delete(tx, a->Account, a->Region, a->AliasName);
	return OK;
}

err kms_ListAliases(req *rq, const txn *tx, const kms_ListAliases_in *in, kms_ListAliases_out *out)
{
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	str after, key_id = STR_NONE;
	kms_key *k;
	if (str_is(in->KeyId)) {
		TRY(key_find_id(rq, tx, in->KeyId, &k));
		key_id = k->KeyId;
	}
	record_scan s = kms_alias_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->Marker)) {
		if (!page_position(rq, in->Marker, &after))
			return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
		record_scan_after(&s, after);
	}
	out->Aliases.v = arena_array(rq->mem, kms_AliasListEntry, page);
	out->Truncated = BOOL(false);
	for (kms_alias *a; (a = kms_alias_next(&s));) {
		if (str_is(key_id) && !str_eq(a->KeyId, key_id))
			continue;
		if (out->Aliases.n == page) {
			out->Truncated = BOOL(true);
			out->NextMarker = page_token(rq, out->Aliases.v[page - 1].AliasName);
			break;
		}
		out->Aliases.v[out->Aliases.n++] = (kms_AliasListEntry){
			.AliasName = a->AliasName, .AliasArn = alias_arn(rq, a->AliasName), .TargetKeyId = a->KeyId,
			.CreationDate = TIME(a->Created), .LastUpdatedDate = TIME(a->Updated)
		};
	}
	cursor_close(&s.at);
	return OK;
}
