/* Passwords that are forgotten, changed, set and reset. */
#include "pool.h"

#define CODE_MS MS_HOUR

static err password_of_pool(req *rq, const idp_pool *p, const idp_user *u, str password, idp_user *made)
{
	TRY(idp_password_check(rq, p, password));
	TRY(idp_password_fresh(rq, p, u, password));
	*made = *u;
	idp_password_make(rq->mem, p, made, password);
	return OK;
}

/* By the pool's order of recovery: the first verified way that the user has. */
static str way_back(arena *mem, const idp_pool *p, const idp_user *u)
{
	const cognito_idp_RecoveryMechanismsType *m = &p->It->AccountRecoverySetting->RecoveryMechanisms;
	for (int64_t rank = 1; rank <= 2; rank++)
		for (size_t i = 0; i < m->n; i++) {
			if (m->v[i].Priority.v != rank || str_eq(m->v[i].Name, S("admin_only")))
				continue;
			str name = str_eq(m->v[i].Name, S("verified_email")) ? S("email") : S("phone_number");
			str mark = arena_fmt(mem, "%.*s_verified", STR_ARG(name));
			if (idp_attribute(&u->Attributes, name).n
			    && str_eq_nocase(idp_attribute(&u->Attributes, mark), S("true")))
				return name;
		}
	return STR_NONE;
}

typedef struct forgotten {
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	idp_message m;
	bool reset;
} forgotten;

static err keep_code(req *rq, txn *tx, void *context)
{
	forgotten *f = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, f->p->Id, f->u->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	if (f->reset) {
		u->Status = IDP_RESET;
		idp_grants_end(tx, rq->mem, u->Pool, u->Name);
	}
	idp_active(rq, f->p, u);
	if (f->reset)
		idp_user_put(tx, rq, u);
	else
		cognito_idp_user_put(tx, u);
	if (!f->m.attribute.n)
		return OK;
	idp_code_keep(rq, tx, &f->m, S("forgot"), CODE_MS, f->m.attribute);
	idp_message_send(rq, tx, &f->m);
	return OK;
}

static err write_code(req *rq, forgotten *f, const idp_metadata *metadata)
{
	f->m = (idp_message){ .kind = IDP_FORGOT,
		                  .pool = f->p,
		                  .client = f->c ? f->c->Id : STR_NONE,
		                  .user = f->u,
		                  .metadata = metadata,
		                  .attribute = way_back(rq->mem, f->p, f->u),
		                  .code = idp_code_new(rq->mem) };
	if (!f->m.attribute.n)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Cannot reset password for the user as there is no "
		            "registered/verified email or phone_number");
	return idp_message_write(rq, &f->m);
}

err cognito_idp_ForgotPassword(req *rq, const cognito_idp_ForgotPassword_in *in,
                               cognito_idp_ForgotPassword_out *out)
{
	forgotten f = { 0 };
	const txn *tx = req_read(rq);
	err e = idp_client_enter(rq, tx, in->ClientId, &f.p, &f.c);
	f.u = e ? NULL : idp_user_look(tx, rq->mem, f.p, in->Username);
	req_read_end(rq, tx);
	TRY(e);
	TRY(idp_secret_check(rq, f.c, in->SecretHash, in->Username, f.u));
	if (!f.u && idp_hides_users(f.c)) {
		out->CodeDeliveryDetails = arena_new(rq->mem, idp_delivery);
		*out->CodeDeliveryDetails = (idp_delivery){ .Destination = S("d***@e***"),
			                                        .DeliveryMedium = S("EMAIL"),
			                                        .AttributeName = S("email") };
		return OK;
	}
	if (!f.u)
		return fail(rq, &cognito_idp_UserNotFoundException, "Username/client id combination not found.");
	if (f.u->Disabled)
		return fail(rq, &cognito_idp_NotAuthorizedException, "User is disabled.");
	const cognito_idp_RecoveryMechanismsType *m = &f.p->It->AccountRecoverySetting->RecoveryMechanisms;
	if (m->n == 1 && str_eq(m->v[0].Name, S("admin_only")))
		return fail(rq, &cognito_idp_NotAuthorizedException, "Contact administrator to reset password.");
	if (str_eq(f.u->Status, IDP_TEMPORARY))
		return fail(rq, &cognito_idp_NotAuthorizedException,
		            "User password cannot be reset in the current state.");
	TRY(write_code(rq, &f, &in->ClientMetadata));
	TRY(req_write(rq, keep_code, &f));
	out->CodeDeliveryDetails = idp_message_details(rq->mem, &f.m);
	return OK;
}

err cognito_idp_AdminResetUserPassword(req *rq, const cognito_idp_AdminResetUserPassword_in *in,
                                       cognito_idp_AdminResetUserPassword_out *out)
{
	forgotten f = { .reset = true };
	(void)out;
	const txn *tx = req_read(rq);
	err e = idp_pool_find(rq, tx, in->UserPoolId, &f.p);
	e = e ? e : idp_user_find(rq, tx, f.p, in->Username, &f.u);
	req_read_end(rq, tx);
	TRY(e);
	if (f.u->Disabled)
		return fail(rq, &cognito_idp_NotAuthorizedException, "User is disabled.");
	if (!str_eq(f.u->Status, IDP_CONFIRMED) && !str_eq(f.u->Status, IDP_RESET))
		return fail(rq, &cognito_idp_NotAuthorizedException,
		            "User password cannot be reset in the current state.");
	TRY(write_code(rq, &f, &in->ClientMetadata));
	return req_write(rq, keep_code, &f);
}

typedef struct renewal {
	idp_pool *p;
	idp_client *c;
	idp_user *u, made;
	str code;
	err wrong;
	const cognito_idp_AdminSetUserPassword_in *set;
} renewal;

static err with_code(req *rq, txn *tx, void *context)
{
	renewal *r = context;
	str attribute;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, r->p->Id, r->u->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	TRY(idp_code_take(rq, tx, r->p, u, S("forgot"), r->code, &attribute, &r->wrong));
	if (r->wrong)
		return OK;
	idp_password_take(rq->mem, r->p, u, &r->made);
	u->Status = IDP_CONFIRMED;
	idp_active(rq, r->p, u);
	idp_user_put(tx, rq, u);
	r->u = u;
	return OK;
}

err cognito_idp_ConfirmForgotPassword(req *rq, const cognito_idp_ConfirmForgotPassword_in *in,
                                      cognito_idp_ConfirmForgotPassword_out *out)
{
	renewal r = { .code = in->ConfirmationCode };
	(void)out;
	const txn *tx = req_read(rq);
	err e = idp_client_enter(rq, tx, in->ClientId, &r.p, &r.c);
	r.u = e ? NULL : idp_user_look(tx, rq->mem, r.p, in->Username);
	req_read_end(rq, tx);
	TRY(e);
	TRY(idp_secret_check(rq, r.c, in->SecretHash, in->Username, r.u));
	if (!r.u && idp_hides_users(r.c))
		return fail(rq, &cognito_idp_ExpiredCodeException,
		            "Invalid code provided, please request a code again.");
	if (!r.u)
		return fail(rq, &cognito_idp_UserNotFoundException, "Username/client id combination not found.");
	TRY(password_of_pool(rq, r.p, r.u, in->Password, &r.made));
	TRY(req_write(rq, with_code, &r));
	TRY(r.wrong);
	return idp_tell_confirmed(rq, r.p, r.u, r.c->Id, true, &in->ClientMetadata);
}

static err change(req *rq, txn *tx, void *context)
{
	renewal *r = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, r->p->Id, r->u->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	idp_user before = *u;
	idp_password_take(rq->mem, r->p, u, &r->made);
	if (r->set) {
		bool lasting = r->set->Permanent.v;
		u->Status = lasting ? IDP_CONFIRMED : IDP_TEMPORARY;
		if (!lasting)
			u->TemporaryEnd =
				rq->now + r->p->It->Policies->PasswordPolicy->TemporaryPasswordValidityDays.v * MS_DAY;
		TRY(idp_aliases_set(rq, tx, r->p, &before, u, false));
	}
	idp_active(rq, r->p, u);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_ChangePassword(req *rq, const cognito_idp_ChangePassword_in *in,
                               cognito_idp_ChangePassword_out *out)
{
	renewal r = { 0 };
	(void)out;
	const txn *tx = req_read(rq);
	err e = idp_token_enter(rq, tx, in->AccessToken, &r.p, &r.c, &r.u);
	req_read_end(rq, tx);
	TRY(e);
	TRY(idp_password_check(rq, r.p, in->ProposedPassword));
	TRY(idp_password_known(rq, r.p, r.u, in->PreviousPassword));
	TRY(password_of_pool(rq, r.p, r.u, in->ProposedPassword, &r.made));
	return req_write(rq, change, &r);
}

err cognito_idp_AdminSetUserPassword(req *rq, const cognito_idp_AdminSetUserPassword_in *in,
                                     cognito_idp_AdminSetUserPassword_out *out)
{
	renewal r = { .set = in };
	(void)out;
	const txn *tx = req_read(rq);
	err e = idp_pool_find(rq, tx, in->UserPoolId, &r.p);
	e = e ? e : idp_user_find(rq, tx, r.p, in->Username, &r.u);
	req_read_end(rq, tx);
	TRY(e);
	TRY(password_of_pool(rq, r.p, r.u, in->Password, &r.made));
	return req_write(rq, change, &r);
}
