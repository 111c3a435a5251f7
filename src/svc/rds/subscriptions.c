#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "rds.h"
#include "store/due.h"

#define RETRIES 3
#define RETRY_MS 5000

/* What happens here, by kind of source. */
static const struct kind {
	const char *type;
	const char *categories[12];
} kinds[] = {
	{ "db-instance",
	  { "availability", "backup", "configuration change", "creation", "deletion", "failover", "failure",
	    "low storage", "maintenance", "notification", "read replica", "recovery" } },
	{ "db-cluster", { "creation", "deletion", "failover", "failure", "maintenance", "notification" } },
	{ "db-snapshot", { "creation", "deletion", "notification", "restoration" } },
	{ "db-cluster-snapshot", { "backup", "creation", "notification" } },
	{ "db-parameter-group", { "configuration change" } },
	{ "db-security-group", { "configuration change", "failure" } },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static rds_EventCategoriesList categories_of(arena *a, const struct kind *k)
{
	rds_EventCategoriesList all = { arena_array(a, str, 12), 0 };
	for (int i = 0; i < 12 && k->categories[i]; i++)
		all.v[all.n++] = str_c(k->categories[i]);
	return all;
}

static const struct kind *kind_of(str type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (str_eq(type, str_c(kinds[i].type)))
			return &kinds[i];
	return NULL;
}

err rds_DescribeEventCategories(req *rq, const txn *tx, const rds_DescribeEventCategories_in *in,
                                rds_DescribeEventCategories_out *out)
{
	(void)tx;
	out->EventCategoriesMapList.v = arena_array(rq->mem, rds_EventCategoriesMap, KINDS);
	for (size_t i = 0; i < KINDS; i++)
		if (!str_is(in->SourceType) || str_eq(in->SourceType, str_c(kinds[i].type)))
			out->EventCategoriesMapList.v[out->EventCategoriesMapList.n++] =
				(rds_EventCategoriesMap){ str_c(kinds[i].type), categories_of(rq->mem, &kinds[i]) };
	if (!out->EventCategoriesMapList.n)
		return fail(rq, &rds_InvalidParameterValue, "Invalid source type: %.*s", STR_ARG(in->SourceType));
	return OK;
}

static err find(req *rq, const txn *tx, str name, rds_subscription **out)
{
	*out = rds_subscription_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *out
		? OK
		: fail(rq, &rds_SubscriptionNotFoundFault, "Event subscription %.*s not found.", STR_ARG(name));
}

static bool among(const str *v, size_t n, str one)
{
	for (size_t k = 0; k < n; k++)
		if (str_eq(v[k], one))
			return true;
	return false;
}

static err check(req *rq, const rds_EventSubscription *it)
{
	const struct kind *k = str_is(it->SourceType) ? kind_of(it->SourceType) : NULL;
	if (str_is(it->SourceType) && !k)
		return fail(rq, &rds_InvalidParameterValue, "Invalid source type: %.*s", STR_ARG(it->SourceType));
	if (it->SourceIdsList.n && !k)
		return fail(rq, &rds_InvalidParameterCombination,
		            "SourceType must be specified when SourceIds are specified.");
	rds_EventCategoriesList known = k ? categories_of(rq->mem, k) : (rds_EventCategoriesList){ 0 };
	for (size_t i = 0; k && i < it->EventCategoriesList.n; i++)
		if (!among(known.v, known.n, it->EventCategoriesList.v[i]))
			return fail(rq, &rds_SubscriptionCategoryNotFoundFault,
			            "The event category %.*s does not exist for the source type %.*s.",
			            STR_ARG(it->EventCategoriesList.v[i]), STR_ARG(it->SourceType));
	if (!str_starts(it->SnsTopicArn, S("arn:aws:sns:")))
		return fail(rq, &rds_SNSTopicArnNotFoundFault, "The SNS topic %.*s does not exist.",
		            STR_ARG(it->SnsTopicArn));
	return OK;
}

/* The answer says what a moment later is true. */
static rds_EventSubscription *as(req *rq, const rds_EventSubscription *it, const char *status)
{
	rds_EventSubscription *shown = arena_new(rq->mem, rds_EventSubscription);
	*shown = *it;
	shown->Status = str_c(status);
	return shown;
}

err rds_CreateEventSubscription(req *rq, txn *tx, const rds_CreateEventSubscription_in *in,
                                rds_CreateEventSubscription_out *out)
{
	if (rds_subscription_get(tx, rq->mem, rq->who.account, rq->region, in->SubscriptionName))
		return fail(rq, &rds_SubscriptionAlreadyExistFault, "Event subscription %.*s already exists.",
		            STR_ARG(in->SubscriptionName));
	int n = 0;
	record_scan s = rds_subscription_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (rds_subscription_next(&s))
		n++;
	if (n >= RDS_SUBSCRIPTIONS_MAX)
		return fail(rq, &rds_EventSubscriptionQuotaExceededFault, "Event subscription quota exceeded.");
	rds_EventSubscription *it = arena_new(rq->mem, rds_EventSubscription);
	*it = (rds_EventSubscription){
		.CustomerAwsId = rq->who.account,
		.CustSubscriptionId = in->SubscriptionName,
		.SnsTopicArn = in->SnsTopicArn,
		.Status = S("active"),
		.SubscriptionCreationTime = time_iso(rq->mem, rq->now),
		.SourceType = in->SourceType,
		.SourceIdsList = in->SourceIds,
		.EventCategoriesList = in->EventCategories,
		.Enabled = BOOL(!in->Enabled.set || in->Enabled.v),
		.EventSubscriptionArn = req_arn(rq, "rds", "es:%.*s", STR_ARG(in->SubscriptionName)),
	};
	TRY(check(rq, it));
	rds_subscription r = { .Account = rq->who.account,
		                   .Region = rq->region,
		                   .Name = in->SubscriptionName,
		                   .It = it,
		                   .Tags = in->Tags };
	rds_subscription_put(tx, &r);
	out->EventSubscription = as(rq, it, "creating");
	return OK;
}

err rds_ModifyEventSubscription(req *rq, txn *tx, const rds_ModifyEventSubscription_in *in,
                                rds_ModifyEventSubscription_out *out)
{
	rds_subscription *r;
	TRY(find(rq, tx, in->SubscriptionName, &r));
	if (str_is(in->SnsTopicArn))
		r->It->SnsTopicArn = in->SnsTopicArn;
	if (str_is(in->SourceType))
		r->It->SourceType = in->SourceType;
	if (in->EventCategories.v)
		r->It->EventCategoriesList = in->EventCategories;
	if (in->Enabled.set)
		r->It->Enabled = in->Enabled;
	TRY(check(rq, r->It));
	rds_subscription_put(tx, r);
	out->EventSubscription = as(rq, r->It, "modifying");
	return OK;
}

err rds_DeleteEventSubscription(req *rq, txn *tx, const rds_DeleteEventSubscription_in *in,
                                rds_DeleteEventSubscription_out *out)
{
	rds_subscription *r;
	TRY(find(rq, tx, in->SubscriptionName, &r));
	rds_subscription_delete(tx, r->Account, r->Region, r->Name);
	out->EventSubscription = as(rq, r->It, "deleting");
	return OK;
}

err rds_DescribeEventSubscriptions(req *rq, const txn *tx, const rds_DescribeEventSubscriptions_in *in,
                                   rds_DescribeEventSubscriptions_out *out)
{
	page p;
	rds_subscription *r;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->EventSubscriptionsList.v = arena_array(rq->mem, rds_EventSubscription, p.most);
	if (str_is(in->SubscriptionName)) {
		TRY(find(rq, tx, in->SubscriptionName, &r));
		out->EventSubscriptionsList.v[out->EventSubscriptionsList.n++] = *r->It;
		return OK;
	}
	record_scan s = rds_subscription_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((r = rds_subscription_next(&s))) {
		if (out->EventSubscriptionsList.n == p.most) {
			out->Marker = page_token(rq, out->EventSubscriptionsList.v[p.most - 1].CustSubscriptionId);
			break;
		}
		out->EventSubscriptionsList.v[out->EventSubscriptionsList.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

static err change_source(req *rq, txn *tx, str name, str source, bool add, rds_EventSubscription **out)
{
	rds_subscription *r;
	TRY(find(rq, tx, name, &r));
	rds_SourceIdsList *ids = &r->It->SourceIdsList;
	bool there = among(ids->v, ids->n, source);
	if (!add && !there)
		return fail(rq, &rds_SourceNotFoundFault, "The source %.*s is not among those of the subscription.",
		            STR_ARG(source));
	str *all = arena_array(rq->mem, str, ids->n + 1);
	size_t n = 0;
	for (size_t k = 0; k < ids->n; k++)
		if (add || !str_eq(ids->v[k], source))
			all[n++] = ids->v[k];
	if (add && !there)
		all[n++] = source;
	*ids = (rds_SourceIdsList){ all, n };
	TRY(check(rq, r->It));
	rds_subscription_put(tx, r);
	*out = r->It;
	return OK;
}

err rds_AddSourceIdentifierToSubscription(req *rq, txn *tx,
                                          const rds_AddSourceIdentifierToSubscription_in *in,
                                          rds_AddSourceIdentifierToSubscription_out *out)
{
	return change_source(rq, tx, in->SubscriptionName, in->SourceIdentifier, true, &out->EventSubscription);
}

err rds_RemoveSourceIdentifierFromSubscription(req *rq, txn *tx,
                                               const rds_RemoveSourceIdentifierFromSubscription_in *in,
                                               rds_RemoveSourceIdentifierFromSubscription_out *out)
{
	return change_source(rq, tx, in->SubscriptionName, in->SourceIdentifier, false, &out->EventSubscription);
}

static bool cares(const rds_EventSubscription *s, const rds_Event *e)
{
	return s->Enabled.v && (!str_is(s->SourceType) || str_eq(s->SourceType, e->SourceType))
		&& (!s->SourceIdsList.n || among(s->SourceIdsList.v, s->SourceIdsList.n, e->SourceIdentifier))
		&& (!s->EventCategoriesList.n
	        || among(s->EventCategoriesList.v, s->EventCategoriesList.n, e->EventCategories.v[0]));
}

static void put(buf *b, const char *name, str value)
{
	json_put_string(b, str_c(name));
	buf_c(b, ':');
	json_put_string(b, value);
}

void db_event_tell(txn *tx, str account, str region, const rds_Event *e)
{
	arena *mem = txn_arena(tx);
	record_scan s = rds_subscription_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_subscription *r; (r = rds_subscription_next(&s));) {
		if (!cares(r->It, e))
			continue;
		buf b = buf_in(mem, 512, 8192);
		buf_c(&b, '{');
		put(&b, "Event Source", e->SourceType);
		buf_c(&b, ',');
		put(&b, "Event Time", time_iso_ms(mem, e->Date.v));
		buf_c(&b, ',');
		put(&b, "Source ID", e->SourceIdentifier);
		buf_c(&b, ',');
		put(&b, "Source ARN", e->SourceArn);
		buf_c(&b, ',');
		put(&b, "Event Message", e->Message);
		buf_c(&b, '}');
		task_add(tx, "rds_notify",
		         arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(account), STR_ARG(region),
		                   STR_ARG(r->It->SnsTopicArn), STR_ARG(buf_str(&b))),
		         0);
	}
	cursor_close(&s.at);
}

TASK(rds_notify)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
		topic = str_cut(&rest, ' '), answer;
	req *rq = req_internal(mem, s, "events.rds.amazonaws.com", account, region);
	const json_value *told = json_get(json_parse(mem, rest), S("Source ARN"));
	req_become_service(rq, "events.rds.amazonaws.com", told ? told->text : topic);
	buf b = buf_in(mem, 512, 16384);
	buf_c(&b, '{');
	put(&b, "TopicArn", topic);
	buf_c(&b, ',');
	put(&b, "Subject", S("RDS Notification Message"));
	buf_c(&b, ',');
	put(&b, "Message", rest);
	buf_c(&b, '}');
	err e = call_json(rq, NULL, "sns", "Publish", buf_str(&b), &answer);
	usage_settle_later(rq);
	return e && attempt < RETRIES ? rq->now + RETRY_MS : TASK_DONE;
}
