/*
 * Rotation: a function of the user's makes a new value in four steps, called one after another with the ARN
 * of the secret and the id of the version that is to be. At once and then by the secret's schedule, on
 * Farthing's clock. A rotation that fails is tried again, and leaves its version AWSPENDING.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/cron.h"
#include "secret.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

static str place_of(arena *mem, const secretsmanager_secret *s)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(s->Account), STR_ARG(s->Region), STR_ARG(s->Name));
}

static secretsmanager_secret *secret_at(const txn *tx, arena *mem, str *place)
{
	str account = str_cut(place, ' '), region = str_cut(place, ' ');
	str name = str_cut(place, ' ');
	return secretsmanager_secret_get(tx, mem, account, region, name);
}

/* rate(N days), cron(..) or so many days after the last one; INT64_MAX: never. */
static int64_t next_moment(const secretsmanager_secret *s, int64_t now)
{
	schedule plan;
	const secretsmanager_RotationRulesType *r = s->Rules;
	if (r && str_is(r->ScheduleExpression) && schedule_parse(r->ScheduleExpression, &plan))
		return schedule_next(&plan, now, now);
	return r && r->AutomaticallyAfterDays.set ? now + r->AutomaticallyAfterDays.v * MS_DAY : INT64_MAX;
}

static void plan_next(txn *tx, arena *mem, secretsmanager_secret *s, int64_t now)
{
	int64_t at = s->Rotates ? next_moment(s, now) : INT64_MAX;
	str place = place_of(mem, s);
	s->RotateAt = at == INT64_MAX ? 0 : at;
	if (s->RotateAt)
		timer_set(tx, "secretsmanager_rotate", place, s->RotateAt, place);
	else
		timer_cancel(tx, "secretsmanager_rotate", place);
}

/* The version that is to be has its stage before it has a value. */
static void begin(txn *tx, arena *mem, secretsmanager_secret *s, str version_id, int64_t now)
{
	secretsmanager_version *v =
		secretsmanager_version_get(tx, mem, s->Account, s->Region, s->Name, version_id);
	stage_take(tx, mem, s, STAGE_PENDING);
	if (v)
		v = secretsmanager_version_get(tx, mem, s->Account, s->Region, s->Name, version_id);
	secretsmanager_version fresh = { .Account = s->Account, .Region = s->Region, .Name = s->Name,
		                         .VersionId = version_id, .Created = now };
	stage_give(tx, mem, v ? v : &fresh, STAGE_PENDING);
	s->Rotating = version_id;
	secretsmanager_secret_put(tx, s);
	task_add(tx, "secretsmanager_steps",
	         arena_fmt(mem, "%.*s %.*s", STR_ARG(place_of(mem, s)), STR_ARG(version_id)), 0);
}

TIMER(secretsmanager_rotate)
{
	arena *mem = txn_arena(tx);
	str place = payload;
	secretsmanager_secret *s = secret_at(tx, mem, &place);
	if (!s || !s->Rotates || s->DeleteAt)
		return;
	begin(tx, mem, s, rand_uuid(mem), due);
	plan_next(tx, mem, s, due);
	secretsmanager_secret_put(tx, s);
}

static bool step(req *rq, const secretsmanager_secret *s, str version_id, const char *name)
{
	str arn = secret_arn(rq, s), answer;
	str event = arena_fmt(rq->mem, "{\"Step\":\"%s\",\"SecretId\":\"%.*s\",\"ClientRequestToken\":\"%.*s\"}",
	                      name, STR_ARG(arn), STR_ARG(version_id));
	buf b = buf_in(rq->mem, 1024, 16384);
	buf_put(&b, S("{\"FunctionName\":"));
	json_put_string(&b, s->Lambda);
	buf_fmt(&b, ",\"Payload\":\"%.*s\"}", STR_ARG(base64_encode(rq->mem, event)));
	if (call_json(rq, NULL, "lambda", "Invoke", buf_str(&b), &answer))
		return false;
	const json_value *v = json_parse(rq->mem, answer);
	return v && !json_get(v, S("FunctionError"));
}

typedef struct outcome {
	str place; /* with the version */
	bool done; /* or given up */
} outcome;

static err rotated(req *rq, txn *tx, void *context)
{
	const outcome *o = context;
	str version_id = o->place;
	secretsmanager_secret *s = secret_at(tx, rq->mem, &version_id);
	if (!s)
		return OK;
	if (o->done)
		s->Rotated = s->Changed = clock_now();
	if (str_eq(s->Rotating, version_id))
		s->Rotating = STR_NONE;
	secretsmanager_secret_put(tx, s);
	return OK;
}

TASK(secretsmanager_steps)
{
	static const char *const steps[] = { "createSecret", "setSecret", "testSecret", "finishSecret" };
	str version_id = payload;
	const txn *tx = store_read(s);
	secretsmanager_secret *secret = secret_at(tx, mem, &version_id);
	store_read_end(s, tx);
	if (!secret)
		return TASK_DONE;
	bool over = secret->DeleteAt || !str_is(secret->Lambda);
	req *rq = req_internal(mem, s, "secretsmanager.amazonaws.com", secret->Account, secret->Region);
	outcome o = { .place = payload, .done = !over };
	for (int i = 0; i < 4 && o.done; i++)
		o.done = step(rq, secret, version_id, steps[i]);
	if (!o.done && !over && attempt < SECRETS_ROTATION_TRIES)
		return clock_now() + attempt * MS_MINUTE;
	err e = req_write(rq, rotated, &o);
	return e ? clock_now() + MS_MINUTE : TASK_DONE;
}

/* The function's policy must let Secrets Manager in. */
static err check_function(req *rq, const txn *tx, const secretsmanager_secret *s, str function)
{
	req *self = req_internal(rq->mem, rq->store, "secretsmanager.amazonaws.com", s->Account, s->Region);
	const policy_key *k = policy_key_add(rq->mem, NULL, S("aws:SourceAccount"), s->Account);
	k = policy_key_add(rq->mem, k, S("aws:SourceArn"), secret_arn(rq, s));
	if (decide(self, tx, S("lambda:InvokeFunction"), function, k).allowed)
		return OK;
	return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
	            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function "
	            "policy grants access to the principal secretsmanager.amazonaws.com.");
}

static err check_rules(req *rq, const secretsmanager_RotationRulesType *r)
{
	schedule plan;
	if (!r)
		return OK;
	if (r->AutomaticallyAfterDays.set && str_is(r->ScheduleExpression))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.");
	if (str_is(r->ScheduleExpression) && !schedule_parse(r->ScheduleExpression, &plan))
		return fail(rq, &secretsmanager_InvalidParameterException, "The schedule expression is invalid.");
	return OK;
}

typedef struct asked {
	const secretsmanager_RotateSecret_in *in;
	secretsmanager_RotateSecret_out *out;
	bool again; /* an earlier rotation, which has been given up, is tried once more */
} asked;

static err incomplete(req *rq)
{
	return fail(rq, &secretsmanager_InvalidRequestException,
	            "A previous rotation isn't complete. That rotation will be reattempted.");
}

static err rotate(req *rq, txn *tx, void *context)
{
	asked *a = context;
	const secretsmanager_RotateSecret_in *in = a->in;
	secretsmanager_secret *s;
	secretsmanager_version *pending;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	TRY(token_check(rq, in->ClientRequestToken, &secretsmanager_InvalidParameterException));
	TRY(check_rules(rq, in->RotationRules));
	str function = str_is(in->RotationLambdaARN) ? in->RotationLambdaARN : s->Lambda;
	if (!str_is(function))
		return fail(rq, &secretsmanager_InvalidRequestException,
		            "No Lambda rotation function ARN is associated with this secret.");
	TRY(check_function(rq, tx, s, function));
	a->again = !version_find(rq, tx, s, STR_NONE, STAGE_PENDING, &pending) &&
		   !version_has(pending, STAGE_CURRENT);
	if (a->again && str_is(s->Rotating))
		return incomplete(rq);
	s->Lambda = function;
	if (in->RotationRules)
		s->Rules = in->RotationRules;
	s->Rotates = true;
	plan_next(tx, rq->mem, s, rq->now);
	secretsmanager_secret_put(tx, s);
	a->out->ARN = secret_arn(rq, s);
	a->out->Name = s->Name;
	meter_one(rq, &SECRETS_API, a->out->ARN);
	if (!a->again && in->RotateImmediately.set && !in->RotateImmediately.v)
		return OK;
	str token = str_is(in->ClientRequestToken) ? in->ClientRequestToken : rq->id;
	a->out->VersionId = a->again ? pending->VersionId : token;
	begin(tx, rq->mem, s, a->out->VersionId, rq->now);
	return OK;
}

/* AWS refuses and tries the earlier rotation again; a fault would undo that, so it comes after the commit. */
err secretsmanager_RotateSecret(req *rq, const secretsmanager_RotateSecret_in *in,
                                secretsmanager_RotateSecret_out *out)
{
	asked a = { .in = in, .out = out };
	TRY(req_write(rq, rotate, &a));
	return a.again ? incomplete(rq) : OK;
}

err secretsmanager_CancelRotateSecret(req *rq, txn *tx, const secretsmanager_CancelRotateSecret_in *in,
                                      secretsmanager_CancelRotateSecret_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	s->Rotates = false;
	plan_next(tx, rq->mem, s, rq->now);
	secretsmanager_secret_put(tx, s);
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}
