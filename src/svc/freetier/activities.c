#include "base/digest.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "freetier.h"

/*
 * What earns an account of the credits kind more of them: five things, each done once. They are looked for
 * when somebody asks for them: in what has been metered since the account was opened, and among the budgets.
 */

#define REWARD USD(20)

typedef struct activity {
	const char *title, *description, *url;
	const char *skus[3];  /* metered usage that shows it, by how it begins */
	int minutes;
} activity;

static const activity activities[] = {
	{ "Launch an instance using EC2", "Start a virtual server with Amazon EC2.",
	  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/EC2_GetStarted.html",
	  { "ec2.linux.", "ec2.windows." }, 10 },
	{ "Use a foundation model in the Amazon Bedrock playground",
	  "Send a prompt to a model of Amazon Bedrock.",
	  "https://docs.aws.amazon.com/bedrock/latest/userguide/playgrounds.html", { 0 }, 5 },
	{ "Set up a cost budget using AWS Budgets", "Make a budget of costs.",
	  "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create.html", { 0 }, 5 },
	{ "Create a web app using AWS Lambda", "Make a function of AWS Lambda answer a request.",
	  "https://docs.aws.amazon.com/lambda/latest/dg/getting-started.html",
	  { "lambda.x86.requests", "lambda.arm.requests" }, 15 },
	{ "Create an Aurora or RDS database", "Start a database of Amazon RDS.",
	  "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_GettingStarted.html",
	  { "rds.", "aurora." }, 15 },
};
#define N_ACTIVITIES (sizeof activities / sizeof *activities)
#define OF_BUDGETS 2

typedef struct seen {
	bool done[N_ACTIVITIES];       /* found now */
	int64_t when[N_ACTIVITIES];    /* kept; 0: not done */
	bill_query account;
	bool earns;                    /* the account is of the kind that can */
} seen;

static str id_of(req *rq, size_t i)
{
	str title = str_c(activities[i].title);
	return str_sub(sha256_hex(rq->mem, arena_concat(rq->mem, rq->who.account, title)), 0, 32);
}

static void see_use(void *context, const price_use *u)
{
	seen *s = context;
	for (size_t i = 0; i < N_ACTIVITIES; i++)
		for (size_t j = 0; j < 3 && activities[i].skus[j]; j++)
			s->done[i] |= str_starts(u->sku, str_c(activities[i].skus[j]));
}

static err see_budgets(req *rq, seen *s)
{
	str out, in = arena_fmt(rq->mem, "{\"AccountId\":\"%.*s\"}", STR_ARG(rq->who.account));
	req *as_us = req_internal(rq->mem, rq->store, "freetier.amazonaws.com", rq->who.account, rq->region);
	if (!call_possible("budgets", "DescribeBudgets"))
		return OK;
	TRY(call_json(as_us, NULL, "budgets", "DescribeBudgets", in, &out));
	const json_value *list = json_get(json_parse(rq->mem, out), S("Budgets"));
	for (const json_value *b = list ? list->first : NULL; b; b = b->next) {
		const json_value *type = json_get(b, S("BudgetType"));
		s->done[OF_BUDGETS] |= type && str_eq(type->text, S("COST"));
	}
	return OK;
}

static void kept(req *rq, const txn *tx, seen *s)
{
	for (size_t i = 0; i < N_ACTIVITIES; i++) {
		const freetier_activity *row = freetier_activity_get(tx, rq->mem, rq->who.account, id_of(rq, i));
		s->when[i] = row ? row->Completed : 0;
	}
}

/* What was done since is kept, and its reward given, once. */
static err keep(req *rq, txn *tx, void *context)
{
	seen *s = context;
	kept(rq, tx, s);
	bill_query q = freetier_account(rq, tx);
	for (size_t i = 0; i < N_ACTIVITIES; i++) {
		if (!s->done[i] || s->when[i])
			continue;
		freetier_activity_put(tx, &(freetier_activity){ .Account = rq->who.account, .Id = id_of(rq, i),
			.Completed = s->when[i] = rq->now });
		q.credits += REWARD;
	}
	charges_keep_profile(tx, &q);
	return OK;
}

static int64_t expiry(const seen *s)
{
	return date_after(s->account.opened, FREETIER_PLAN_MONTHS);
}

static err look(req *rq, seen *s)
{
	*s = (seen){ 0 };
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	s->account = freetier_account(rq, tx);
	s->earns = s->account.profile == PROFILE_CREDITS;
	kept(rq, tx, s);
	if (s->earns)
		charges_usage(tx, rq->who.account, s->account.opened, rq->now, rq->now, see_use, s);
	req_read_end(rq, tx);
	if (!s->earns || rq->now >= expiry(s))
		return OK;
	TRY(see_budgets(rq, s));
	for (size_t i = 0; i < N_ACTIVITIES; i++)
		if (s->done[i] && !s->when[i])
			return req_write(rq, keep, s);
	return OK;
}

static freetier_ActivityReward *reward(req *rq)
{
	freetier_ActivityReward *r = arena_new(rq->mem, freetier_ActivityReward);
	r->credit = freetier_dollars(rq, REWARD);
	return r;
}

static str status_of(const seen *s, size_t i)
{
	return s->when[i] ? S("COMPLETED") : S("NOT_STARTED");
}

static bool wanted(const freetier_FilterActivityStatuses *statuses, str status)
{
	bool any = statuses->n == 0;
	for (size_t i = 0; i < statuses->n && !any; i++)
		any = str_eq(statuses->v[i], status);
	return any;
}

err freetier_ListAccountActivities(req *rq, const freetier_ListAccountActivities_in *in,
                                   freetier_ListAccountActivities_out *out)
{
	seen s;
	str after;
	int64_t from = 0;
	if (in->nextToken.n && (!page_position(rq, in->nextToken, &after) || !str_to_i64(after, &from)))
		return fail(rq, &freetier_ValidationException, "The token is not valid.");
	TRY(look(rq, &s));
	size_t most = in->maxResults.set ? (size_t)in->maxResults.v : N_ACTIVITIES;
	out->activities.v = arena_array(rq->mem, freetier_ActivitySummary, N_ACTIVITIES);
	/* What was not done in time can no longer be. */
	for (size_t i = (size_t)from; s.earns && i < N_ACTIVITIES; i++) {
		if (!wanted(&in->filterActivityStatuses, status_of(&s, i)) || (!s.when[i] && rq->now >= expiry(&s)))
			continue;
		if (out->activities.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%zu", i));
			break;
		}
		out->activities.v[out->activities.n++] = (freetier_ActivitySummary){
			.activityId = id_of(rq, i), .title = str_c(activities[i].title), .reward = reward(rq),
			.status = status_of(&s, i) };
	}
	return OK;
}

err freetier_GetAccountActivity(req *rq, const freetier_GetAccountActivity_in *in,
                                freetier_GetAccountActivity_out *out)
{
	seen s;
	size_t i = 0;
	TRY(look(rq, &s));
	while (i < N_ACTIVITIES && !str_eq(in->activityId, id_of(rq, i)))
		i++;
	if (!s.earns || i == N_ACTIVITIES)
		return fail(rq, &freetier_ResourceNotFoundException, "Activity %.*s was not found.",
		            STR_ARG(in->activityId));
	const activity *a = &activities[i];
	*out = (freetier_GetAccountActivity_out){
		.activityId = in->activityId, .title = str_c(a->title), .description = str_c(a->description),
		.status = status_of(&s, i), .instructionsUrl = str_c(a->url), .reward = reward(rq),
		.estimatedTimeToCompleteInMinutes = I64(a->minutes), .expiresAt = TIME(expiry(&s)) };
	if (s.when[i])
		out->completedAt = TIME(s.when[i]);
	return OK;
}
