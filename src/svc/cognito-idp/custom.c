/* Custom flows: the three functions that define, make and check challenges; and users that another one knows.
 */
#include "auth.h"
#include "base/json.h"
#include "sys/rand.h"

#define HISTORY_MAX ((size_t)64 << 10)

str idp_history_add(arena *mem, str history, const char *name, bool right, str metadata)
{
	buf b = buf_in(mem, history.n + 256, HISTORY_MAX);
	buf_put(&b, str_sub(history, 0, history.n - 1));
	buf_put(&b, history.n > 2 ? S(",{") : S("{"));
	idp_json_put(&b, S("challengeName"), str_c(name));
	buf_fmt(&b, ",\"challengeResult\":%s,\"challengeMetadata\":", right ? "true" : "false");
	if (metadata.n)
		json_put_string(&b, metadata);
	else
		buf_put(&b, S("null"));
	buf_put(&b, S("}]"));
	return buf_str(&b);
}

static err ask(req *rq, const idp_auth *a, const char *trigger, const char *source, str function, str more,
               str response, const json_value **said)
{
	if (!function.n)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Custom auth lambda trigger is not configured for the user pool.");
	idp_event e = {
		.pool = a->pool,
		.client = a->client->Id,
		.user = a->user->Username,
		.trigger = trigger,
		.source = source,
		.function = function,
		.request = arena_fmt(rq->mem,
		                     "{\"userAttributes\":%.*s,%.*s,\"clientMetadata\":%.*s,\"userNotFound\":false}",
		                     STR_ARG(idp_json_attributes(rq->mem, a->user, true)), STR_ARG(more),
		                     STR_ARG(idp_json_map(rq->mem, a->metadata))),
		.response = response,
	};
	return idp_trigger(rq, &e, said);
}

static str object_of(arena *mem, const json_value *v, str name)
{
	const json_value *o = json_get(v, name);
	buf b = buf_in(mem, 256, HISTORY_MAX);
	if (!o || o->kind != JSON_OBJECT)
		return S("{}");
	json_write(&b, o);
	return buf_str(&b);
}

static err make_challenge(req *rq, idp_auth *a, str history)
{
	const json_value *said;
	str more =
		arena_fmt(rq->mem, "\"challengeName\":\"CUSTOM_CHALLENGE\",\"session\":%.*s", STR_ARG(history));
	TRY(ask(rq, a, "CreateAuthChallenge", "CreateAuthChallenge_Authentication",
	        IDP_FUNCTION(a->pool, CreateAuthChallenge), more,
	        S("{\"publicChallengeParameters\":null,\"privateChallengeParameters\":null,\"challengeMetadata\":"
	          "null}"),
	        &said));
	cognito_idp_session s = { .History = history,
		                      .Private = object_of(rq->mem, said, S("privateChallengeParameters")),
		                      .Secret = idp_json_str(said, S("challengeMetadata")) };
	TRY(idp_auth_challenge(rq, a, "CUSTOM_CHALLENGE", &s));
	const json_value *shown = json_get(said, S("publicChallengeParameters"));
	idp_parameter(rq->mem, a, "USERNAME", a->user->Username);
	for (const json_value *v = shown ? shown->first : NULL; v; v = v->next)
		if (v->kind == JSON_STRING || v->kind == JSON_NUMBER)
			idp_parameter(rq->mem, a, arena_str(rq->mem, v->key).p, v->text);
	return OK;
}

err idp_auth_custom(req *rq, idp_auth *a, str history)
{
	const json_value *said;
	TRY(ask(rq, a, "DefineAuthChallenge", "DefineAuthChallenge_Authentication",
	        IDP_FUNCTION(a->pool, DefineAuthChallenge),
	        arena_fmt(rq->mem, "\"session\":%.*s", STR_ARG(history)),
	        S("{\"challengeName\":null,\"issueTokens\":null,\"failAuthentication\":null}"), &said));
	str name = idp_json_str(said, S("challengeName"));
	if (idp_json_true(said, S("failAuthentication")))
		return idp_password_wrong(rq);
	if (idp_json_true(said, S("issueTokens"))) {
		TRY(idp_auth_state(rq, a->user));
		return idp_auth_tokens(rq, a);
	}
	if (str_eq(name, S("CUSTOM_CHALLENGE")))
		return make_challenge(rq, a, history);
	if (str_eq(name, S("PASSWORD_VERIFIER")) && a->srp_a.n)
		return idp_auth_srp(rq, a, a->srp_a, history);
	return fail(rq, &cognito_idp_InvalidLambdaResponseException,
	            "DefineAuthChallenge answered no challenge that can "
	            "be made: %.*s",
	            STR_ARG(name));
}

err idp_auth_custom_answer(req *rq, idp_auth *a, str answer)
{
	const json_value *said;
	buf more = buf_in(rq->mem, 512, 2 * HISTORY_MAX);
	buf_fmt(&more, "\"privateChallengeParameters\":%.*s,", STR_ARG(a->session->Private));
	idp_json_put(&more, S("challengeAnswer"), answer);
	TRY(ask(rq, a, "VerifyAuthChallengeResponse", "VerifyAuthChallengeResponse_Authentication",
	        IDP_FUNCTION(a->pool, VerifyAuthChallengeResponse), buf_str(&more), S("{\"answerCorrect\":null}"),
	        &said));
	return idp_auth_custom(rq, a,
	                       idp_history_add(rq->mem, a->session->History, "CUSTOM_CHALLENGE",
	                                       idp_json_true(said, S("answerCorrect")), a->session->Secret));
}

typedef struct newcomer {
	idp_pool *p;
	idp_user u;
	str given;
} newcomer;

static err keep_newcomer(req *rq, txn *tx, void *context)
{
	newcomer *n = context;
	TRY(idp_user_free(rq, tx, n->p, &n->u, n->given, false));
	TRY(idp_aliases_set(rq, tx, n->p, NULL, &n->u, false));
	idp_user_add(rq, tx, n->p, &n->u);
	return OK;
}

err idp_auth_migrate(req *rq, idp_auth *a, str password)
{
	const json_value *said;
	newcomer n = { .p = a->pool, .given = a->given };
	buf b = buf_in(rq->mem, 512, HISTORY_MAX);
	if (!IDP_FUNCTION(a->pool, UserMigration).n)
		return OK;
	buf_c(&b, '{');
	idp_json_put(&b, S("password"), password);
	buf_fmt(&b, ",\"validationData\":null,\"clientMetadata\":%.*s}",
	        STR_ARG(idp_json_map(rq->mem, a->metadata)));
	idp_event e = {
		.pool = a->pool,
		.client = a->client->Id,
		.user = a->given,
		.trigger = "UserMigration",
		.source = "UserMigration_Authentication",
		.function = IDP_FUNCTION(a->pool, UserMigration),
		.request = buf_str(&b),
		.response = S("{\"userAttributes\":null,\"forceAliasCreation\":null,\"finalUserStatus\":null,"
		              "\"messageAction\":null,\"desiredDeliveryMediums\":null}"),
	};
	if (idp_trigger(rq, &e, &said))
		return OK;
	const json_value *attributes = said ? json_get(said, S("userAttributes")) : NULL;
	if (!attributes || attributes->kind != JSON_OBJECT)
		return OK;
	for (const json_value *v = attributes->first; v; v = v->next)
		if (!str_eq(v->key, S("sub")) && !str_eq(v->key, S("username")))
			idp_attribute_set(rq->mem, &n.u.Attributes, v->key, v->text);
	TRY(idp_attributes_check(rq, a->pool, &n.u.Attributes));
	str status = idp_json_str(said, S("finalUserStatus"));
	n.u.Status = str_eq(status, IDP_CONFIRMED) ? IDP_CONFIRMED : IDP_RESET;
	TRY(idp_user_name(rq, a->pool, a->given, &n.u));
	idp_password_make(rq->mem, a->pool, &n.u, password);
	TRY(req_write(rq, keep_newcomer, &n));
	a->user = arena_new(rq->mem, idp_user);
	*a->user = n.u;
	return OK;
}
