/* Identities: found by their logins, or made. */
#include "identity.h"
#include "sys/rand.h"

err id_identity_find(req *rq, const txn *tx, str id, id_identity **out)
{
	*out = cognito_identity_identity_get(tx, rq->mem, id);
	return *out
		? OK
		: fail(rq, &cognito_identity_ResourceNotFoundException, "Identity '%.*s' not found.", STR_ARG(id));
}

typedef struct coming {
	const id_pool *p;
	const id_login *logins;
	size_t n;
	str id;
} coming;

static err settle(req *rq, txn *tx, void *context)
{
	coming *c = context;
	c->id = STR_NONE;
	for (size_t i = 0; i < c->n && !str_is(c->id); i++) {
		const cognito_identity_login *l =
			cognito_identity_login_get(tx, rq->mem, c->p->Id, c->logins[i].provider, c->logins[i].subject);
		c->id = l ? l->Identity : STR_NONE;
	}
	if (str_is(c->id))
		return OK;
	c->id = arena_fmt(rq->mem, "%.*s:%.*s", STR_ARG(c->p->Region), STR_ARG(rand_uuid(rq->mem)));
	id_identity row = { .Id = c->id, .Pool = c->p->Id, .Created = rq->now, .Changed = rq->now };
	row.Logins.v = arena_array(rq->mem, cognito_identity_LoginsMap_entry, c->n + 1);
	for (size_t i = 0; i < c->n; i++) {
		cognito_identity_login l = { .Pool = c->p->Id,
			                         .Provider = c->logins[i].provider,
			                         .Subject = c->logins[i].subject,
			                         .Identity = c->id };
		row.Logins.v[row.Logins.n++] =
			(cognito_identity_LoginsMap_entry){ c->logins[i].provider, c->logins[i].subject };
		cognito_identity_login_put(tx, &l);
	}
	cognito_identity_member m = { .Pool = c->p->Id, .Identity = c->id, .Since = rq->now };
	cognito_identity_identity_put(tx, &row);
	cognito_identity_member_put(tx, &m);
	return OK;
}

err cognito_identity_GetId(req *rq, const cognito_identity_GetId_in *in, cognito_identity_GetId_out *out)
{
	id_pool *p;
	id_login *logins;
	coming c = { 0 };
	const txn *tx = req_read(rq);
	err e = id_pool_enter(rq, tx, in->IdentityPoolId, &p);
	req_read_end(rq, tx);
	TRY(e);
	if (!in->Logins.n && !p->It->AllowUnauthenticatedIdentities.v)
		return fail(rq, &cognito_identity_NotAuthorizedException,
		            "Unauthenticated access is not supported for this identity pool.");
	TRY(id_logins_check(rq, p, &in->Logins, &logins, &c.n));
	c.p = p;
	c.logins = logins;
	TRY(req_write(rq, settle, &c));
	out->IdentityId = c.id;
	return OK;
}

static cognito_identity_IdentityDescription shown(arena *mem, const id_identity *i)
{
	cognito_identity_IdentityDescription d = { .IdentityId = i->Id,
		                                       .CreationDate = TIME(i->Created),
		                                       .LastModifiedDate = TIME(i->Changed) };
	d.Logins.v = i->Logins.n ? arena_array(mem, str, i->Logins.n) : NULL;
	for (size_t k = 0; k < i->Logins.n; k++)
		d.Logins.v[d.Logins.n++] = i->Logins.v[k].key;
	return d;
}

static err find_ours(req *rq, const txn *tx, str id, id_identity **i)
{
	id_pool *p;
	TRY(id_identity_find(rq, tx, id, i));
	return id_pool_find(rq, tx, (*i)->Pool, &p);
}

err cognito_identity_DescribeIdentity(req *rq, const txn *tx, const cognito_identity_DescribeIdentity_in *in,
                                      cognito_identity_DescribeIdentity_out *out)
{
	id_identity *i;
	TRY(find_ours(rq, tx, in->IdentityId, &i));
	*out = shown(rq->mem, i);
	return OK;
}

err cognito_identity_ListIdentities(req *rq, const txn *tx, const cognito_identity_ListIdentities_in *in,
                                    cognito_identity_ListIdentities_out *out)
{
	id_pool *p;
	str after;
	size_t most = (size_t)in->MaxResults.v;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	record_scan scan = cognito_identity_member_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cognito_identity_InvalidParameterException, "Invalid NextToken.");
		record_scan_after(&scan, after);
	}
	out->IdentityPoolId = p->Id;
	out->Identities.v = arena_array(rq->mem, cognito_identity_IdentityDescription, most + 1);
	for (cognito_identity_member *m; (m = cognito_identity_member_next(&scan));) {
		if (out->Identities.n == most) {
			out->NextToken = page_token(rq, out->Identities.v[most - 1].IdentityId);
			break;
		}
		const id_identity *i = cognito_identity_identity_get(tx, rq->mem, m->Identity);
		out->Identities.v[out->Identities.n++] = shown(rq->mem, i);
	}
	return OK;
}

err cognito_identity_DeleteIdentities(req *rq, txn *tx, const cognito_identity_DeleteIdentities_in *in,
                                      cognito_identity_DeleteIdentities_out *out)
{
	out->UnprocessedIdentityIds.v =
		arena_array(rq->mem, cognito_identity_UnprocessedIdentityId, in->IdentityIdsToDelete.n + 1);
	for (size_t k = 0; k < in->IdentityIdsToDelete.n; k++) {
		id_identity *i;
		str id = in->IdentityIdsToDelete.v[k];
		if (find_ours(rq, tx, id, &i)) {
			out->UnprocessedIdentityIds.v[out->UnprocessedIdentityIds.n++] =
				(cognito_identity_UnprocessedIdentityId){ .IdentityId = id, .ErrorCode = S("AccessDenied") };
			continue;
		}
		for (size_t l = 0; l < i->Logins.n; l++)
			cognito_identity_login_delete(tx, i->Pool, i->Logins.v[l].key, i->Logins.v[l].value);
		cognito_identity_member_delete(tx, i->Pool, i->Id);
		cognito_identity_identity_delete(tx, i->Id);
	}
	return OK;
}

typedef struct leaving {
	const cognito_identity_UnlinkIdentity_in *in;
	id_identity *i;
} leaving;

static err unlink_all(req *rq, txn *tx, void *context)
{
	const leaving *l = context;
	id_identity *i;
	size_t n = 0;
	TRY(id_identity_find(rq, tx, l->in->IdentityId, &i));
	for (size_t k = 0; k < i->Logins.n; k++) {
		bool goes = false;
		for (size_t r = 0; r < l->in->LoginsToRemove.n; r++)
			goes |= str_eq(l->in->LoginsToRemove.v[r], i->Logins.v[k].key);
		if (goes)
			cognito_identity_login_delete(tx, i->Pool, i->Logins.v[k].key, i->Logins.v[k].value);
		else
			i->Logins.v[n++] = i->Logins.v[k];
	}
	i->Logins.n = n;
	i->Closed = n == 0;
	i->Changed = rq->now;
	cognito_identity_identity_put(tx, i);
	return OK;
}

err cognito_identity_UnlinkIdentity(req *rq, const cognito_identity_UnlinkIdentity_in *in,
                                    cognito_identity_UnlinkIdentity_out *out)
{
	leaving l = { .in = in };
	id_pool *p = NULL;
	id_login *logins;
	size_t n;
	(void)out;
	const txn *tx = req_read(rq);
	err e = id_identity_find(rq, tx, in->IdentityId, &l.i);
	e = e ? e : id_pool_enter(rq, tx, l.i->Pool, &p);
	req_read_end(rq, tx);
	TRY(e);
	TRY(id_logins_check(rq, p, &in->Logins, &logins, &n));
	for (size_t k = 0; k < l.i->Logins.n; k++)
		for (size_t g = 0; g < n; g++)
			if (str_eq(logins[g].provider, l.i->Logins.v[k].key)
			    && str_eq(logins[g].subject, l.i->Logins.v[k].value))
				return req_write(rq, unlink_all, &l);
	return fail(rq, &cognito_identity_NotAuthorizedException, "Access to Identity '%.*s' is forbidden.",
	            STR_ARG(in->IdentityId));
}
