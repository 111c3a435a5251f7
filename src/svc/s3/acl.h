/*
 * Access control lists: kept as grants, made from canned names, headers or documents, and asked for callers
 * that no policy lets in.
 */
#pragma once
#include "bucket.h"

/* Whether the bucket's or the object's grants let this caller do it; `o` may be NULL. */
bool acl_allows(req *rq, const s3_bucket *b, const char *action, const s3_StoredObject *o);

/* What a request says of an ACL. */
typedef struct acl_request {
	str canned, full_control, read, read_acp, write, write_acp;
	const s3_AccessControlPolicy *document;
} acl_request;
/* The grants it asks for; `out->v` NULL when it says nothing. Refuses where ACLs do not exist, where public
 * ones are blocked, and what is malformed. `tx` NULL: on a snapshot. */
err acl_read(req *rq, const txn *tx, const s3_bucket *b, str owner_account, const acl_request *r,
             s3_Grants *out);
/* The request says nothing of an ACL. */
err acl_missing(req *rq);
/* The grants of something without any: its owner's full control. */
s3_Grants acl_default(arena *mem, str account);
bool acl_is_public(const s3_Grants *g);
