/*
 * Subscription filters to Lambda functions. What fits of a batch leaves as one message, by a durable task of
 * the batch's own transaction; a function that throttles or fails is tried again for 24 hours, as on AWS.
 */
#include "base/gzip.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/metrics.h"
#include "cloud/target.h"
#include "logs.h"
#include "store/due.h"
#include "sys/clock.h"

#define MESSAGE_MAX ((size_t)900 << 10)
#define ESCAPED_MAX 6 /* bytes of JSON that a byte of an event may take */
#define RETRY_MAX_MS MS_MINUTE

static void count(const char *metric, str account, str region, str group, str filter_name, double value)
{
	metric_later(&(metric_point){ .account = account, .region = region, .name_space = S("AWS/Logs"),
		.name = str_c(metric), .unit = S("Count"), .when = clock_now(), .value = value,
		.n_dimensions = 3, .dimensions = { { S("LogGroupName"), group },
			{ S("DestinationType"), S("Lambda") }, { S("FilterName"), filter_name } } });
}

/* What Logs does for a group, it does in the name of all its streams. */
static void act_for(req *rq, str group)
{
	req_become_service(rq, "logs.amazonaws.com",
	                   arena_fmt(rq->mem, "%.*s:*", STR_ARG(group_arn(rq, group))));
}

/* payload: account region until events filter-name group-name ARN message; no name has a blank in it but the
 * filter's, whose length stands before it. */
TASK(logs_subscription)
{
	int64_t until, events, length;
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	bool read = str_to_i64(str_cut(&rest, ' '), &until);
	read = str_to_i64(str_cut(&rest, ' '), &events) && read;
	read = str_to_i64(str_cut(&rest, ' '), &length) && read;
	ensure(read && (size_t)length < rest.n);
	str name = str_sub(rest, 0, (size_t)length);
	rest = str_sub(rest, (size_t)length + 1, rest.n);
	str group = str_cut(&rest, ' '), arn = str_cut(&rest, ' ');
	req *rq = req_internal(mem, s, "logs.amazonaws.com", account, region);
	act_for(rq, group);
	str data = base64_encode(mem, gzip_pack(mem, rest));
	target_call t = { .arn = arn,
		              .payload = arena_fmt(mem, "{\"awslogs\":{\"data\":\"%.*s\"}}", STR_ARG(data)) };
	err e = target_call_now(rq, NULL, &t);
	usage_settle_later(rq);
	if (!e) {
		count("ForwardedLogEvents", account, region, group, name, (double)events);
		return TASK_DONE;
	}
	bool throttled = e->kind->status == 429;
	count(throttled ? "DeliveryThrottling" : "DeliveryErrors", account, region, group, name, (double)events);
	int64_t wait = MS_SECOND << (attempt < 6 ? attempt : 6),
			again = clock_now() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
	return target_worth_retrying(e) && again < until ? again : TASK_DONE;
}

static void message_begin(buf *b, const logs_group *g, const logs_stream *s, const logs_subscription *sub)
{
	buf_put(b, S("{\"messageType\":\"DATA_MESSAGE\",\"owner\":"));
	json_put_string(b, g->Account);
	buf_put(b, S(",\"logGroup\":"));
	json_put_string(b, g->Name);
	buf_put(b, S(",\"logStream\":"));
	json_put_string(b, s->Name);
	buf_put(b, S(",\"subscriptionFilters\":["));
	json_put_string(b, sub->Name);
	buf_put(b, S("],\"logEvents\":["));
}

static void message_send(txn *tx, const logs_group *g, const logs_subscription *sub, buf *b, size_t events)
{
	buf_put(b, S("]}"));
	int64_t until = clock_now() + MS_DAY;
	str head = arena_fmt(b->mem, "%.*s %.*s %lld %zu %zu %.*s %.*s %.*s ", STR_ARG(g->Account),
	                     STR_ARG(g->Region), (long long)until, events, sub->Name.n, STR_ARG(sub->Name),
	                     STR_ARG(g->Name), STR_ARG(sub->Destination));
	task_add(tx, "logs_subscription", arena_concat(b->mem, head, buf_str(b)), 0);
}

static void forward(txn *tx, const logs_group *g, const logs_stream *s, const logs_subscription *sub,
                    const filter *f, const event_in *events, size_t n)
{
	arena *mem = txn_arena(tx);
	size_t gathered = 0, most = MESSAGE_MAX + LOGS_EVENT_BYTES * ESCAPED_MAX + 4096;
	buf b = buf_in(mem, 1024, most);
	for (size_t i = 0; i < n; i++) {
		str message = event_filtered(&events[i], sub->OnTransformed);
		if (!filter_fits(mem, f, message))
			continue;
		if (!gathered)
			message_begin(&b, g, s, sub);
		str id = event_id(mem, events[i].when, events[i].seq);
		buf_fmt(&b, "%s{\"id\":\"%.*s\",\"timestamp\":%lld,\"message\":", gathered++ ? "," : "", STR_ARG(id),
		        (long long)events[i].when);
		json_put_string(&b, message);
		buf_c(&b, '}');
		if (b.n < MESSAGE_MAX)
			continue;
		message_send(tx, g, sub, &b, gathered);
		gathered = 0;
		b = buf_in(mem, 1024, most);
	}
	if (gathered)
		message_send(tx, g, sub, &b, gathered);
}

static str text_of(const json_value *document, str name)
{
	const json_value *v = json_get(document, name);
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

bool subscription_of_policy(const json_value *document, logs_subscription *s)
{
	*s = (logs_subscription){ .Destination = text_of(document, S("DestinationArn")),
		.Pattern = text_of(document, S("FilterPattern")), .Role = text_of(document, S("RoleArn")) };
	return s->Destination.n && str_is(s->Pattern);
}

static void account_subscription(txn *tx, const logs_group *g, const logs_stream *st, const event_in *events,
                                 size_t n)
{
	filter *f;
	logs_subscription sub;
	arena *mem = txn_arena(tx);
	const logs_accountpolicy *p = account_policy_only(tx, mem, g->Account, g->Region,
	                                                  logs_PolicyType_SUBSCRIPTION_FILTER_POLICY);
	if (!p || !account_policy_holds(mem, p, g->Name) ||
	    !subscription_of_policy(json_parse(mem, p->Document), &sub))
		return;
	sub.Name = p->Name;
	req *rq = req_internal(mem, txn_store(tx), "logs.amazonaws.com", g->Account, g->Region);
	if (!filter_parse(rq, sub.Pattern, &f))
		forward(tx, g, st, &sub, f, events, n);
}

void subscriptions_of(txn *tx, const logs_group *g, const logs_stream *st, const event_in *events, size_t n)
{
	arena *mem = txn_arena(tx);
	req *rq = NULL;
	record_scan s = logs_subscription_scan(tx, mem, 1, g->Id, STR_NONE);
	for (logs_subscription *sub; (sub = logs_subscription_next(&s));) {
		filter *f;
		if (!rq)
			rq = req_internal(mem, txn_store(tx), "logs.amazonaws.com", g->Account, g->Region);
		if (!filter_parse(rq, sub->Pattern, &f))
			forward(tx, g, st, sub, f, events, n);
	}
	cursor_close(&s.at);
	account_subscription(tx, g, st, events, n);
}

void subscriptions_drop(txn *tx, arena *mem, const logs_group *g)
{
	record_scan s = logs_subscription_scan(tx, mem, 1, g->Id, STR_NONE);
	for (logs_subscription *sub; (sub = logs_subscription_next(&s));)
		logs_subscription_delete(tx, g->Id, sub->Name);
}

static err keep(req *rq, txn *tx, void *context)
{
	const logs_PutSubscriptionFilter_in *in = context;
	logs_group *g;
	size_t others = 0;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	record_scan s = logs_subscription_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	for (logs_subscription *sub; (sub = logs_subscription_next(&s));)
		others += !str_eq(sub->Name, in->filterName);
	if (others >= LOGS_SUBSCRIPTIONS_MAX)
		return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
	logs_subscription *before = logs_subscription_get(tx, rq->mem, g->Id, in->filterName);
	logs_subscription_put(tx, &(logs_subscription){ .GroupId = g->Id, .Name = in->filterName,
		.Pattern = in->filterPattern, .Destination = in->destinationArn, .Role = in->roleArn,
		.Distribution = str_is(in->distribution) ? in->distribution : logs_Distribution_ByLogStream,
		.Created = before ? before->Created : rq->now, .OnTransformed = in->applyOnTransformedLogs.v });
	return OK;
}

/* Whether CloudWatch Logs may invoke the function; nothing runs. */
static err check_function(req *rq, str group, str arn)
{
	str out;
	req *there = req_internal(rq->mem, rq->store, "logs.amazonaws.com", rq->who.account, rq->region);
	act_for(there, group);
	buf b = buf_in(rq->mem, 256, 4096);
	buf_put(&b, S("{\"InvocationType\":\"DryRun\",\"FunctionName\":"));
	json_put_string(&b, arn);
	buf_c(&b, '}');
	return call_json(there, NULL, "lambda", "Invoke", buf_str(&b), &out);
}

static err group_may(req *rq, str name)
{
	logs_group *g;
	const txn *tx = req_read(rq);
	err e = group_find(rq, tx, name, STR_NONE, &g);
	if (!e)
		e = group_standard(rq, g);
	req_read_end(rq, tx);
	return e;
}

/* AWS looks at the destination before the group. */
err subscription_check(req *rq, str group, const logs_subscription *s)
{
	arn_parts a;
	filter *f;
	if (!arn_split(s->Destination, &a))
		return fail(rq, &logs_InvalidParameterException, "Invalid destination ARN: %.*s",
		            STR_ARG(s->Destination));
	bool function = str_eq(a.service, S("lambda"));
	if (function && !str_eq(a.account, rq->who.account))
		return fail(rq, &logs_AccessDeniedException,
		            "Cross-account lambda invocation passing is not allowed. You must use "
		            "DestinationPolicies to create cross account lambda triggers.");
	if (!function && !str_is(s->Role) && !str_eq(a.service, S("logs")))
		return fail(rq, &logs_InvalidParameterException,
		            "destinationArn for vendor %.*s cannot be used without roleArn", STR_ARG(a.service));
	if (!str_eq(group, S("*")))
		TRY(group_may(rq, group));
	TRY(filter_parse(rq, s->Pattern, &f));
	if (!function)
		return fail(rq, &aws_NotImplemented,
		            "Farthing forwards log events to Lambda functions; destinations of "
		            "%.*s are not implemented.",
		            STR_ARG(a.service));
	if (str_is(s->Role))
		return fail(rq, &logs_InvalidParameterException,
		            "destinationArn for vendor lambda cannot be used with roleArn");
	if (check_function(rq, group, s->Destination))
		return fail(rq, &logs_InvalidParameterException,
		            "Could not execute the lambda function. Make sure you "
		            "have given CloudWatch Logs permission to execute your function.");
	return OK;
}

err logs_PutSubscriptionFilter(req *rq, const logs_PutSubscriptionFilter_in *in,
                               logs_PutSubscriptionFilter_out *out)
{
	logs_subscription s = { .Destination = in->destinationArn, .Pattern = in->filterPattern,
		                    .Role = in->roleArn };
	TRY(subscription_check(rq, in->logGroupName, &s));
	if (str_is(in->fieldSelectionCriteria) || in->emitSystemFields.n)
		return fail(rq, &aws_NotImplemented,
		            "Field selection criteria and system fields of subscriptions are not implemented.");
	return req_write(rq, keep, (void *)(uintptr_t)in);
}

err logs_DeleteSubscriptionFilter(req *rq, txn *tx, const logs_DeleteSubscriptionFilter_in *in,
                                  logs_DeleteSubscriptionFilter_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	if (!logs_subscription_delete(tx, g->Id, in->filterName))
		return fail(rq, &logs_ResourceNotFoundException, "The specified subscription filter does not exist.");
	return OK;
}

err logs_DescribeSubscriptionFilters(req *rq, const txn *tx, const logs_DescribeSubscriptionFilters_in *in,
                                     logs_DescribeSubscriptionFilters_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	out->subscriptionFilters.v = arena_array(rq->mem, logs_SubscriptionFilter, LOGS_SUBSCRIPTIONS_MAX);
	record_scan s = logs_subscription_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	for (logs_subscription *sub; (sub = logs_subscription_next(&s));)
		if (str_starts(sub->Name, in->filterNamePrefix))
			out->subscriptionFilters.v[out->subscriptionFilters.n++] = (logs_SubscriptionFilter){
				.filterName = sub->Name, .logGroupName = g->Name, .filterPattern = sub->Pattern,
				.destinationArn = sub->Destination, .roleArn = sub->Role,
				.distribution = sub->Distribution, .creationTime = I64(sub->Created),
				.applyOnTransformedLogs = BOOL(sub->OnTransformed) };
	return OK;
}
