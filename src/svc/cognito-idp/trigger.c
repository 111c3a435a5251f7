/*
 * Functions that a pool asks: one synchronous invocation with the event AWS documents, in the name of
 * Cognito, whom the function's policy must let in where policies decide. A function has five seconds and
 * three tries on AWS; here it has its own time and one try, as a broken one does not mend by itself.
 */
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "pool.h"

#define EVENT_MAX ((size_t)256 << 10)

void idp_json_put(buf *b, str name, str value)
{
	json_put_string(b, name);
	buf_c(b, ':');
	json_put_string(b, value);
}

str idp_json_map(arena *mem, const idp_metadata *m)
{
	buf b = buf_in(mem, 256, EVENT_MAX);
	buf_c(&b, '{');
	for (size_t i = 0; m && i < m->n; i++) {
		buf_put(&b, i ? S(",") : S(""));
		idp_json_put(&b, m->v[i].key, m->v[i].value);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

str idp_json_attributes(arena *mem, const idp_user *u, bool status)
{
	buf b = buf_in(mem, 512, EVENT_MAX);
	buf_c(&b, '{');
	if (u->Sub.n)
		idp_json_put(&b, S("sub"), u->Sub);
	for (size_t i = 0; i < u->Attributes.n; i++) {
		buf_put(&b, b.n > 1 ? S(",") : S(""));
		idp_json_put(&b, u->Attributes.v[i].Name, u->Attributes.v[i].Value);
	}
	if (status) {
		buf_c(&b, ',');
		idp_json_put(&b, S("cognito:user_status"), u->Status);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

str idp_json_str(const json_value *v, str name)
{
	const json_value *m = v ? json_get(v, name) : NULL;
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

bool idp_json_true(const json_value *v, str name)
{
	const json_value *m = v ? json_get(v, name) : NULL;
	return m && m->kind == JSON_TRUE;
}

static str event_of(req *rq, const idp_event *e)
{
	buf b = buf_in(rq->mem, 1024, 2 * EVENT_MAX);
	buf_c(&b, '{');
	idp_json_put(&b, S("version"), e->version.n ? e->version : S("1"));
	buf_c(&b, ',');
	idp_json_put(&b, S("region"), e->pool->Region);
	buf_c(&b, ',');
	idp_json_put(&b, S("userPoolId"), e->pool->Id);
	buf_c(&b, ',');
	idp_json_put(&b, S("userName"), e->user);
	buf_put(&b, S(",\"callerContext\":{\"awsSdkVersion\":\"aws-sdk-unknown-unknown\","));
	idp_json_put(&b, S("clientId"), e->client.n ? e->client : S("CLIENT_ID_NOT_APPLICABLE"));
	buf_put(&b, S("},"));
	idp_json_put(&b, S("triggerSource"), str_c(e->source));
	buf_fmt(&b, ",\"request\":%.*s,\"response\":%.*s}", STR_ARG(e->request), STR_ARG(e->response));
	return buf_str(&b);
}

static err answered(req *rq, const idp_event *e, str answer, const json_value **out)
{
	const json_value *v = json_parse(rq->mem, answer);
	str payload, error = idp_json_str(v, S("FunctionError"));
	if (!base64_decode(rq->mem, idp_json_str(v, S("Payload")), &payload))
		payload = S("");
	const json_value *said = json_parse(rq->mem, payload);
	if (str_is(error)) {
		str why = idp_json_str(said, S("errorMessage"));
		return fail(rq, &cognito_idp_UserLambdaValidationException, "%s failed with error %.*s.", e->trigger,
		            STR_ARG(why));
	}
	const json_value *response = said ? json_get(said, S("response")) : NULL;
	if (!response || response->kind != JSON_OBJECT)
		return fail(rq, &cognito_idp_InvalidLambdaResponseException, "Unrecognizable lambda output");
	*out = response;
	return OK;
}

err idp_trigger(req *rq, const idp_event *e, const json_value **answer)
{
	*answer = NULL;
	if (!e->function.n)
		return OK;
	req *own =
		req_internal(rq->mem, rq->store, "cognito-idp.amazonaws.com", e->pool->Account, e->pool->Region);
	req_become_service(own, "cognito-idp.amazonaws.com", idp_arn(rq->mem, e->pool));
	str said;
	buf b = buf_in(rq->mem, 2048, 4 * EVENT_MAX);
	buf_c(&b, '{');
	idp_json_put(&b, S("FunctionName"), e->function);
	buf_c(&b, ',');
	idp_json_put(&b, S("Payload"), base64_encode(rq->mem, event_of(rq, e)));
	buf_c(&b, '}');
	err failed = call_json(own, NULL, "lambda", "Invoke", buf_str(&b), &said);
	usage_settle_later(own);
	if (failed)
		return fail(rq, &cognito_idp_UnexpectedLambdaException, "%s invocation failed due to error %s.",
		            e->trigger, failed->kind->name);
	return answered(rq, e, said, answer);
}
