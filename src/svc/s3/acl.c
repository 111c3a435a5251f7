#include "acl.h"
#include "base/text.h"

#define ALL_USERS S("http://acs.amazonaws.com/groups/global/AllUsers")
#define ANY_AWS S("http://acs.amazonaws.com/groups/global/AuthenticatedUsers")
#define LOG_DELIVERY S("http://acs.amazonaws.com/groups/s3/LogDelivery")

static s3_Grant group_grant(arena *mem, str uri, str permission)
{
	s3_Grantee *g = arena_new(mem, s3_Grantee);
	g->Type = S("Group");
	g->URI = uri;
	return (s3_Grant){ .Grantee = g, .Permission = permission };
}

static s3_Grant user_grant(arena *mem, str id, str permission)
{
	s3_Grantee *g = arena_new(mem, s3_Grantee);
	g->Type = S("CanonicalUser");
	g->ID = id;
	return (s3_Grant){ .Grantee = g, .Permission = permission };
}

s3_Grants acl_default(arena *mem, str account)
{
	s3_Grants g = { arena_array(mem, s3_Grant, 4), 1 };
	g.v[0] = user_grant(mem, canonical_id(mem, account), S("FULL_CONTROL"));
	return g;
}

bool acl_is_public(const s3_Grants *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].Grantee && (str_eq(g->v[i].Grantee->URI, ALL_USERS) ||
		                        str_eq(g->v[i].Grantee->URI, ANY_AWS)))
			return true;
	return false;
}

static bool canned(req *rq, const s3_bucket *b, str name, str owner, s3_Grants *g)
{
	*g = acl_default(rq->mem, owner);
	bool full = str_eq(name, S("bucket-owner-full-control"));
	if (full || str_eq(name, S("bucket-owner-read"))) {
		if (!str_eq(owner, b->Account))
			g->v[g->n++] = user_grant(rq->mem, canonical_id(rq->mem, b->Account),
			                          full ? S("FULL_CONTROL") : S("READ"));
		return true;
	}
	if (str_eq(name, S("private")) || str_eq(name, S("aws-exec-read")))
		return true;
	if (str_eq(name, S("public-read")) || str_eq(name, S("public-read-write")))
		g->v[g->n++] = group_grant(rq->mem, ALL_USERS, S("READ"));
	if (str_eq(name, S("public-read-write")))
		g->v[g->n++] = group_grant(rq->mem, ALL_USERS, S("WRITE"));
	if (str_eq(name, S("authenticated-read")))
		g->v[g->n++] = group_grant(rq->mem, ANY_AWS, S("READ"));
	if (str_eq(name, S("log-delivery-write"))) {
		g->v[g->n++] = group_grant(rq->mem, LOG_DELIVERY, S("WRITE"));
		g->v[g->n++] = group_grant(rq->mem, LOG_DELIVERY, S("READ_ACP"));
	}
	return g->n > 1;
}

static bool known_group(str uri)
{
	return str_eq(uri, ALL_USERS) || str_eq(uri, ANY_AWS) || str_eq(uri, LOG_DELIVERY);
}

static bool canonical(str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!strchr("0123456789abcdef", id.p[i] ? id.p[i] : 'x'))
			return false;
	return id.n == 64;
}

/* `xml`: it stands in a document, not in a header. */
static err check_grantee(req *rq, str name, str value, bool xml)
{
	if (str_eq_nocase(name, S("emailAddress")))
		return fail(rq, &fault_UnresolvableGrantByEmailAddress,
		            "The e-mail address you provided does not match any account on record.");
	if (str_eq_nocase(name, S("id")) && !canonical(value))
		return invalid_argument(rq, "Invalid id", xml ? S("CanonicalUser/ID") : S("id"), value);
	if (str_eq_nocase(name, S("uri")) && !known_group(value))
		return invalid_argument(rq, "Invalid group uri", xml ? S("Group/URI") : S("uri"), value);
	return OK;
}

/* id="..", uri=".." */
static err header_grants(req *rq, str header, const char *argument, str permission, s3_Grants *g)
{
	while (str_is(header)) {
		str value = str_trim(str_cut(&header, ',')), whole = value;
		str name = str_trim(str_cut(&value, '='));
		value = str_trim(value);
		if (value.n >= 2 && value.p[0] == '"')
			value = str_sub(value, 1, value.n - 1);
		bool id = str_eq_nocase(name, S("id")), uri = str_eq_nocase(name, S("uri"));
		if (!id && !uri && !str_eq_nocase(name, S("emailAddress")))
			return invalid_argument(rq, "Argument format not recognized", str_c(argument), whole);
		TRY(check_grantee(rq, name, value, false));
		s3_Grant *more = arena_array(rq->mem, s3_Grant, g->n + 1);
		if (g->n)
			memcpy(more, g->v, g->n * sizeof *more);
		more[g->n] = id ? user_grant(rq->mem, value, permission) : group_grant(rq->mem, value, permission);
		*g = (s3_Grants){ more, g->n + 1 };
	}
	return OK;
}

static err malformed_acl(req *rq)
{
	return fail(rq, &fault_MalformedACLError, "The XML you provided was not well-formed or did not validate "
	                                          "against our published schema");
}

static err of_document(req *rq, const s3_AccessControlPolicy *d, s3_Grants *out)
{
	static const char *const permissions[] = { "FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP" };
	if (!d->Owner || !d->Owner->ID.n)
		return malformed_acl(rq);
	TRY(check_grantee(rq, S("id"), d->Owner->ID, true));
	for (size_t i = 0; i < d->Grants.n; i++) {
		const s3_Grant *g = &d->Grants.v[i];
		bool known = false;
		for (size_t k = 0; k < sizeof permissions / sizeof *permissions; k++)
			known |= str_eq(g->Permission, str_c(permissions[k]));
		if (!g->Grantee || !known)
			return malformed_acl(rq);
		if (g->Grantee->EmailAddress.n)
			TRY(check_grantee(rq, S("emailAddress"), g->Grantee->EmailAddress, true));
		if (str_eq(g->Grantee->Type, S("CanonicalUser")))
			TRY(check_grantee(rq, S("id"), g->Grantee->ID, true));
		if (str_eq(g->Grantee->Type, S("Group")))
			TRY(check_grantee(rq, S("uri"), g->Grantee->URI, true));
	}
	*out = d->Grants;
	if (!out->v)
		out->v = arena_new(rq->mem, s3_Grant);
	return OK;
}

static err said(req *rq, const s3_bucket *b, str owner, const acl_request *r, s3_Grants *out)
{
	bool headers = r->full_control.n || r->read.n || r->read_acp.n || r->write.n || r->write_acp.n;
	if (r->canned.n && headers)
		return fail(rq, &fault_InvalidRequest,
		            "Specifying both Canned ACLs and Header Grants is not allowed");
	if (r->document && (r->canned.n || headers))
		return fail(rq, &fault_UnexpectedContent, "This request does not support content");
	if (r->canned.n)
		return canned(rq, b, r->canned, owner, out) ? OK :
			       invalid_argument(rq, "", S("x-amz-acl"), r->canned);
	if (r->document)
		return of_document(rq, r->document, out);
	TRY(header_grants(rq, r->full_control, "x-amz-grant-full-control", S("FULL_CONTROL"), out));
	TRY(header_grants(rq, r->read, "x-amz-grant-read", S("READ"), out));
	TRY(header_grants(rq, r->read_acp, "x-amz-grant-read-acp", S("READ_ACP"), out));
	TRY(header_grants(rq, r->write, "x-amz-grant-write", S("WRITE"), out));
	return header_grants(rq, r->write_acp, "x-amz-grant-write-acp", S("WRITE_ACP"), out);
}

err acl_missing(req *rq)
{
	return fail_with(rq, &fault_MissingSecurityHeader, DETAIL(rq, .MissingHeaderName = S("x-amz-acl")),
	                 "Your request was missing a required header");
}

err acl_read(req *rq, const txn *tx, const s3_bucket *b, str owner_account, const acl_request *r,
             s3_Grants *out)
{
	*out = (s3_Grants){ 0 };
	TRY(said(rq, b, owner_account, r, out));
	if (!out->v)
		return OK;
	if (bucket_without_acls(b)) {
		/* What says no more than the owner has anyway is let pass. */
		if (str_eq(r->canned, S("bucket-owner-full-control")) ||
		    (str_eq(r->canned, S("private")) && !r->document)) {
			*out = (s3_Grants){ 0 };
			return OK;
		}
		if (r->document && out->n == 1 && str_eq(out->v[0].Permission, S("FULL_CONTROL")) &&
		    str_eq(out->v[0].Grantee->ID, canonical_id(rq->mem, owner_account))) {
			*out = (s3_Grants){ 0 };
			return OK;
		}
		return fail(rq, &fault_AccessControlListNotSupported, "The bucket does not allow ACLs");
	}
	if (acl_is_public(out) && bucket_block(rq, tx, b).BlockPublicAcls.v)
		return access_denied(rq);
	return OK;
}

static bool grants_allow(req *rq, const s3_Grants *g, const char *permission)
{
	str me = rq->who.anonymous ? STR_NONE : canonical_id(rq->mem, rq->who.account);
	for (size_t i = 0; i < g->n; i++) {
		const s3_Grantee *who = g->v[i].Grantee;
		if (!who || (!str_eq(g->v[i].Permission, str_c(permission)) &&
		             !str_eq(g->v[i].Permission, S("FULL_CONTROL"))))
			continue;
		if (str_eq(who->URI, ALL_USERS) || (!rq->who.anonymous && str_eq(who->URI, ANY_AWS)) ||
		    (me.n && str_eq(who->ID, me)))
			return true;
	}
	return false;
}

bool acl_allows(req *rq, const s3_bucket *b, const char *action, const s3_StoredObject *o)
{
	static const struct {
		const char *action, *permission;
		bool object;
	} rules[] = {
		{ "s3:GetObject", "READ", true }, { "s3:GetObjectVersion", "READ", true },
		{ "s3:GetObjectAcl", "READ_ACP", true }, { "s3:PutObjectAcl", "WRITE_ACP", true },
		{ "s3:ListBucket", "READ", false }, { "s3:ListBucketVersions", "READ", false },
		{ "s3:ListBucketMultipartUploads", "READ", false }, { "s3:PutObject", "WRITE", false },
		{ "s3:DeleteObject", "WRITE", false }, { "s3:GetBucketAcl", "READ_ACP", false },
		{ "s3:PutBucketAcl", "WRITE_ACP", false },
	};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (strcmp(rules[i].action, action) != 0)
			continue;
		if (rules[i].object)
			return o && grants_allow(rq, &o->Grants, rules[i].permission);
		return grants_allow(rq, &b->Grants, rules[i].permission);
	}
	return false;
}

err s3_GetBucketAcl(req *rq, const txn *tx, const s3_GetBucketAcl_in *in, s3_GetBucketAcl_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketAcl", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	out->Owner = owner_of(rq->mem, b->Account);
	out->Grants = b->Grants.n && !bucket_without_acls(b) ? b->Grants : acl_default(rq->mem, b->Account);
	return OK;
}

err s3_PutBucketAcl(req *rq, txn *tx, const s3_PutBucketAcl_in *in, s3_PutBucketAcl_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketAcl", STR_NONE, &b));
	acl_request r = { in->ACL, in->GrantFullControl, in->GrantRead, in->GrantReadACP, in->GrantWrite,
		          in->GrantWriteACP, in->AccessControlPolicy };
	s3_Grants g;
	TRY(acl_read(rq, tx, b, b->Account, &r, &g));
	if (!g.v && !r.canned.n && !r.document)
		return acl_missing(rq);
	b->Grants = g;
	s3_bucket_put(tx, b);
	meter_write(rq, b, STR_NONE);
	(void)out;
	return OK;
}
