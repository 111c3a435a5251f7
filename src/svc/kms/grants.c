/* Grants: what a key's owner lets somebody do with it, beside the key's policy, until it is taken back. */
#include "base/json.h"
#include "base/text.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "key.h"
#include "sys/rand.h"

#define TOKEN_BYTES 96
#define POLICY_MAX ((size_t)1 << 20)

static bool same_context(const kms_EncryptionContextType *a, const kms_EncryptionContextType *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = str_eq(a->v[i].key, b->v[i].key) && str_eq(a->v[i].value, b->v[i].value);
	return same;
}

/* The same request with the same name is the same grant. */
static bool same_grant(const kms_CreateGrant_in *in, const kms_GrantListEntry *it)
{
	static const kms_GrantConstraints none;
	const kms_GrantConstraints *a = in->Constraints ? in->Constraints : &none;
	const kms_GrantConstraints *b = it->Constraints ? it->Constraints : &none;
	bool same = str_is(in->Name) && str_eq(in->Name, it->Name) &&
		    str_eq(in->GranteePrincipal, it->GranteePrincipal) && in->Operations.n == it->Operations.n;
	for (size_t i = 0; i < in->Operations.n && same; i++)
		same = str_eq(in->Operations.v[i], it->Operations.v[i]);
	return same && same_context(&a->EncryptionContextEquals, &b->EncryptionContextEquals) &&
	       same_context(&a->EncryptionContextSubset, &b->EncryptionContextSubset);
}

err kms_CreateGrant(req *rq, txn *tx, const kms_CreateGrant_in *in, kms_CreateGrant_out *out)
{
	kms_key *k;
	char raw[TOKEN_BYTES], id[32];
	int n = 0;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	if (!str_starts(in->GranteePrincipal, S("arn:")) && !str_ends(in->GranteePrincipal, S(".amazonaws.com")))
		return fail(rq, &kms_InvalidArnException, "ARN does not refer to a valid principal: %.*s",
		            STR_ARG(in->GranteePrincipal));
	if (in->Constraints && !key_is_symmetric(k))
		return fail(rq, &aws_ValidationException,
		            "You cannot specify an encryption context constraint for a key of spec %.*s.",
		            STR_ARG(key_spec(k)));
	record_scan s = kms_grant_scan(tx, rq->mem, 3, k->Account, k->Region, k->KeyId, STR_NONE);
	for (kms_grant *g; (g = kms_grant_next(&s)); n++)
		if (same_grant(in, g->It)) {
			out->GrantId = g->GrantId;
			out->GrantToken = g->Token;
			return OK;
		}
	if (n >= KMS_GRANTS_MAX)
		return fail(rq, &kms_LimitExceededException, "The key has %d grants, as many as may be.",
		            KMS_GRANTS_MAX);
	rand_bytes(raw, sizeof raw);
	rand_bytes(id, sizeof id);
	out->GrantId = hex_encode(rq->mem, str_of(id, sizeof id));
	out->GrantToken = base64_encode(rq->mem, str_of(raw, sizeof raw));
	kms_GrantListEntry it = {
		.KeyId = key_arn_of(rq->mem, k), .GrantId = out->GrantId, .Name = in->Name,
		.CreationDate = TIME(rq->now), .GranteePrincipal = in->GranteePrincipal,
		.RetiringPrincipal = in->RetiringPrincipal, .Operations = in->Operations,
		.Constraints = in->Constraints,
		.IssuingAccount = arena_fmt(rq->mem, "arn:aws:iam::%.*s:root", STR_ARG(rq->who.account)),
	};
	kms_grant_put(tx, &(kms_grant){ .Account = k->Account, .Region = k->Region, .KeyId = k->KeyId,
	                                .GrantId = out->GrantId, .It = &it, .Token = out->GrantToken });
	kms_grant_token_put(tx, &(kms_grant_token){ .Account = k->Account, .Region = k->Region,
	                                            .Token = out->GrantToken, .KeyId = k->KeyId,
	                                            .GrantId = out->GrantId });
	return dry_run(rq, in->DryRun);
}

err kms_ListGrants(req *rq, const txn *tx, const kms_ListGrants_in *in, kms_ListGrants_out *out)
{
	kms_key *k;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : 50;
	str after;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	record_scan s = kms_grant_scan(tx, rq->mem, 3, k->Account, k->Region, k->KeyId, STR_NONE);
	if (str_is(in->Marker)) {
		if (!page_position(rq, in->Marker, &after))
			return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
		record_scan_after(&s, after);
	}
	out->Grants.v = arena_array(rq->mem, kms_GrantListEntry, page);
	out->Truncated = BOOL(false);
	for (kms_grant *g; (g = kms_grant_next(&s));) {
		if ((str_is(in->GrantId) && !str_eq(in->GrantId, g->GrantId)) ||
		    (str_is(in->GranteePrincipal) && !str_eq(in->GranteePrincipal, g->It->GranteePrincipal)))
			continue;
		if (out->Grants.n == page) {
			out->Truncated = BOOL(true);
			out->NextMarker = page_token(rq, out->Grants.v[page - 1].GrantId);
			break;
		}
		out->Grants.v[out->Grants.n++] = *g->It;
	}
	cursor_close(&s.at);
	return OK;
}

err kms_ListRetirableGrants(req *rq, const txn *tx, const kms_ListRetirableGrants_in *in,
                            kms_ListRetirableGrants_out *out)
{
	size_t page = in->Limit.set ? (size_t)in->Limit.v : 50;
	str after = STR_NONE, last = STR_NONE;
	record_scan s = kms_grant_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	if (str_is(in->Marker) && !page_position(rq, in->Marker, &after))
		return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
	out->Grants.v = arena_array(rq->mem, kms_GrantListEntry, page);
	out->Truncated = BOOL(false);
	for (kms_grant *g; (g = kms_grant_next(&s));) {
		str place = arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(g->KeyId), STR_ARG(g->GrantId));
		if (!str_is(g->It->RetiringPrincipal) || !str_eq(g->It->RetiringPrincipal, in->RetiringPrincipal) ||
		    (str_is(after) && str_cmp(place, after) <= 0))
			continue;
		if (out->Grants.n == page) {
			out->Truncated = BOOL(true);
			out->NextMarker = page_token(rq, last);
			break;
		}
		last = place;
		out->Grants.v[out->Grants.n++] = *g->It;
	}
	cursor_close(&s.at);
	return OK;
}

static void drop(txn *tx, const kms_grant *g)
{
	kms_grant_token_delete(tx, g->Account, g->Region, g->Token);
	kms_grant_delete(tx, g->Account, g->Region, g->KeyId, g->GrantId);
}

static err find_grant(req *rq, const txn *tx, str key, str id, kms_grant **g)
{
	kms_key *k;
	TRY(key_find_id(rq, tx, key, &k));
	*g = kms_grant_get(tx, rq->mem, k->Account, k->Region, k->KeyId, id);
	return *g ? OK : fail(rq, &kms_NotFoundException, "Grant ID %.*s not found", STR_ARG(id));
}

err kms_RevokeGrant(req *rq, txn *tx, const kms_RevokeGrant_in *in, kms_RevokeGrant_out *out)
{
	kms_grant *g;
	TRY(find_grant(rq, tx, in->KeyId, in->GrantId, &g));
	drop(tx, g);
	return dry_run(rq, in->DryRun);
}

/* By whoever may: the retiring principal, a grantee who was given RetireGrant, the key's account. */
err kms_RetireGrant(req *rq, txn *tx, const kms_RetireGrant_in *in, kms_RetireGrant_out *out)
{
	kms_grant *g;
	if (str_is(in->GrantToken)) {
		kms_grant_token *t =
			kms_grant_token_get(tx, rq->mem, rq->who.account, rq->region, in->GrantToken);
		g = t ? kms_grant_get(tx, rq->mem, t->Account, t->Region, t->KeyId, t->GrantId) : NULL;
		if (!g)
			return fail(rq, &kms_InvalidGrantTokenException, "The grant token is invalid.");
	} else {
		if (!str_is(in->KeyId) || !str_is(in->GrantId))
			return fail(rq, &aws_ValidationException,
			            "Either a grant token or a key ARN and a grant ID must be given.");
		TRY(find_grant(rq, tx, in->KeyId, in->GrantId, &g));
	}
	const caller *who = &rq->who;
	str role = who->key && str_is(who->key->Role) ? who->key->Role : who->arn;
	bool may = who->root || !rq->enforce || str_eq(g->It->RetiringPrincipal, role);
	for (size_t i = 0; i < g->It->Operations.n; i++)
		may = may || (str_eq(g->It->Operations.v[i], kms_GrantOperation_RetireGrant) &&
			      str_eq(g->It->GranteePrincipal, role));
	if (!may)
		may = decide(rq, tx, S("kms:RetireGrant"), g->It->KeyId, NULL).allowed;
	if (!may)
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED), "User: %.*s is not authorized to perform: "
		            "kms:RetireGrant on resource: %.*s", STR_ARG(who->arn), STR_ARG(g->It->KeyId));
	drop(tx, g);
	return dry_run(rq, in->DryRun);
}

static void put_conditions(buf *b, const kms_EncryptionContextType *c, bool only)
{
	buf_put(b, S(",\"Condition\":{\"StringEquals\":{"));
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_c(b, ',');
		json_put_string(b, arena_fmt(b->mem, "kms:EncryptionContext:%.*s", STR_ARG(c->v[i].key)));
		buf_c(b, ':');
		json_put_string(b, c->v[i].value);
	}
	buf_c(b, '}');
	if (only) {
		buf_put(b, S(",\"ForAllValues:StringEquals\":{\"kms:EncryptionContextKeys\":["));
		for (size_t i = 0; i < c->n; i++) {
			if (i)
				buf_c(b, ',');
			json_put_string(b, c->v[i].key);
		}
		buf_put(b, S("]}"));
	}
	buf_c(b, '}');
}

/* Constraints are of what encrypts and decrypts; these have no encryption context to look at. */
static bool is_about_key(str what)
{
	return str_eq(what, kms_GrantOperation_DescribeKey) || str_eq(what, kms_GrantOperation_CreateGrant) ||
	       str_eq(what, kms_GrantOperation_RetireGrant) || str_eq(what, kms_GrantOperation_GetPublicKey);
}

static void put_statement(buf *b, const kms_GrantListEntry *g, bool about_key)
{
	bool is_service = !str_starts(g->GranteePrincipal, S("arn:"));
	size_t n = 0;
	for (size_t i = 0; i < g->Operations.n; i++)
		n += is_about_key(g->Operations.v[i]) == about_key;
	if (!n)
		return;
	buf_fmt(b, "{\"Effect\":\"Allow\",\"Principal\":{\"%s\":", is_service ? "Service" : "AWS");
	json_put_string(b, g->GranteePrincipal);
	buf_put(b, S("},\"Resource\":\"*\",\"Action\":["));
	for (size_t i = 0, put = 0; i < g->Operations.n; i++)
		if (is_about_key(g->Operations.v[i]) == about_key)
			buf_fmt(b, "%s\"kms:%.*s\"", put++ ? "," : "", STR_ARG(g->Operations.v[i]));
	buf_c(b, ']');
	const kms_GrantConstraints *c = about_key ? NULL : g->Constraints;
	if (c && c->EncryptionContextEquals.n)
		put_conditions(b, &c->EncryptionContextEquals, true);
	else if (c && c->EncryptionContextSubset.n)
		put_conditions(b, &c->EncryptionContextSubset, false);
	buf_put(b, S("},"));
}

static void put_grant(buf *b, const kms_GrantListEntry *g)
{
	put_statement(b, g, true);
	put_statement(b, g, false);
}

str policy_with_grants(const txn *tx, arena *mem, const kms_key *k)
{
	record_scan s = kms_grant_scan(tx, mem, 3, k->Account, k->Region, k->KeyId, STR_NONE);
	kms_grant *g = kms_grant_next(&s);
	if (!g)
		return k->Policy;
	const json_value *own = json_parse(mem, k->Policy), *list = own ? json_get(own, S("Statement")) : NULL;
	if (!list) {
		cursor_close(&s.at);
		return k->Policy;
	}
	buf b = buf_in(mem, 1024 + k->Policy.n, POLICY_MAX);
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Statement\":["));
	for (; g; g = kms_grant_next(&s))
		put_grant(&b, g->It);
	for (const json_value *v = list->kind == JSON_ARRAY ? list->first : list; v; v = v->next) {
		json_write(&b, v);
		if (v->next && list->kind == JSON_ARRAY)
			buf_c(&b, ',');
		if (list->kind != JSON_ARRAY)
			break;
	}
	buf_put(&b, S("]}"));
	return buf_str(&b);
}
