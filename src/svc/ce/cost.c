#include "base/map.h"
#include "base/time.h"
#include "ce.h"

typedef struct group {
	str keys[CE_GROUPS_MAX];
	money amount;
	i128 quantity;
	str unit;
	bool mixed;      /* units differ */
	struct group *next;
} group;

typedef struct report {
	req *rq;
	const ce_GroupDefinitions *by;
	map *groups;     /* one table a period */
	group **first;
	size_t n_periods;
} report;

/* A tag's or category's group is KEY$VALUE, with nothing behind the sign where there is none. */
str ce_group_key(req *rq, const ce_row *row, const ce_GroupDefinition *by)
{
	bool tag = str_eq(by->Type, S("TAG"));
	if (!tag && !str_eq(by->Type, S("COST_CATEGORY")))
		return ce_dimension(rq, row, by->Key);
	str value = tag ? ce_tag(row, by->Key) : ce_category_of(row, by->Key);
	return arena_fmt(rq->mem, "%.*s$%.*s", STR_ARG(by->Key), STR_ARG(str_is(value) ? value : S("")));
}

static group *group_of(report *r, const ce_row *row, size_t period)
{
	str keys[CE_GROUPS_MAX] = { S(""), S("") };
	for (size_t i = 0; i < r->by->n; i++)
		keys[i] = ce_group_key(r->rq, row, &r->by->v[i]);
	str key = arena_fmt(r->rq->mem, "%.*s\n%.*s", STR_ARG(keys[0]), STR_ARG(keys[1]));
	group *g = map_get(&r->groups[period], key);
	if (g)
		return g;
	g = arena_new(r->rq->mem, group);
	*g = (group){ .keys = { arena_str(r->rq->mem, keys[0]), arena_str(r->rq->mem, keys[1]) },
		      .unit = row->unit };
	map_put(&r->groups[period], key, g);
	group **at = &r->first[period];
	while (*at && (str_cmp((*at)->keys[0], g->keys[0]) < 0 ||
	               (str_eq((*at)->keys[0], g->keys[0]) && str_cmp((*at)->keys[1], g->keys[1]) < 0)))
		at = &(*at)->next;
	g->next = *at;
	return *at = g;
}

static void add_row(void *context, const ce_row *row, size_t period)
{
	group *g = group_of(context, row, period);
	g->amount += row->amount;
	g->quantity += row->quantity;
	g->mixed |= !str_eq(g->unit, row->unit);
}

static const char *const metrics[][2] = {
	{ "AmortizedCost", "AMORTIZED_COST" },
	{ "BlendedCost", "BLENDED_COST" },
	{ "NetAmortizedCost", "NET_AMORTIZED_COST" },
	{ "NetUnblendedCost", "NET_UNBLENDED_COST" },
	{ "NormalizedUsageAmount", "NORMALIZED_USAGE_AMOUNT" },
	{ "UnblendedCost", "UNBLENDED_COST" },
	{ "UsageQuantity", "USAGE_QUANTITY" },
};

str ce_metric_named(str name)
{
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		if (str_eq(name, str_c(metrics[i][0])) || str_eq(name, str_c(metrics[i][1])))
			return str_c(metrics[i][0]);
	return STR_NONE;
}

static ce_MetricValue metric_value(report *r, const group *g, str metric)
{
	bool cost = str_ends(metric, S("Cost"));
	if (cost)
		return (ce_MetricValue){ .Amount = ce_amount(r->rq, g->amount), .Unit = S("USD") };
	return (ce_MetricValue){
		.Amount = ce_quantity(r->rq, g->quantity),
		.Unit = g->mixed || !g->unit.n ? S("N/A") : g->unit,
	};
}

static ce_Metrics metrics_of(report *r, const group *g, const ce_MetricNames *wanted)
{
	ce_Metrics m = { .v = arena_array(r->rq->mem, ce_Metrics_entry, wanted->n), .n = wanted->n };
	for (size_t i = 0; i < wanted->n; i++) {
		m.v[i].key = ce_metric_named(wanted->v[i]);
		m.v[i].value = metric_value(r, g, m.v[i].key);
	}
	return m;
}

static ce_Groups groups_of(report *r, size_t period, const ce_MetricNames *wanted)
{
	ce_Groups out = { .v = arena_array(r->rq->mem, ce_Group, r->groups[period].n + 1) };
	for (const group *g = r->first[period]; g; g = g->next) {
		ce_Group *o = &out.v[out.n++];
		o->Keys.v = arena_array(r->rq->mem, str, r->by->n);
		o->Keys.n = r->by->n;
		memcpy(o->Keys.v, g->keys, r->by->n * sizeof(str));
		o->Metrics = metrics_of(r, g, wanted);
	}
	return out;
}

/* A word that is no dimension at all, or one of Savings Plans' and anomalies', groups nothing. */
static bool groups_costs(str dimension)
{
	static const char *const others[] = { "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "ANOMALY_TOTAL_IMPACT_PERCENTAGE",
		"RIGHTSIZING_TYPE", "USAGE_TYPE_GROUP", "AGREEMENT_END_DATE_TIME_AFTER",
		"AGREEMENT_END_DATE_TIME_BEFORE" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (str_eq(dimension, str_c(others[i])))
			return false;
	return ce_dimension_named(dimension);
}

/* AWS's list, in its order. */
static const char groups_before[] =
	"AZ, INSTANCE_TYPE, LINKED_ACCOUNT, OPERATION, PURCHASE_TYPE, SERVICE, USAGE_TYPE, PLATFORM, TENANCY, "
	"RECORD_TYPE, LEGAL_ENTITY_NAME, DEPLOYMENT_OPTION, DATABASE_ENGINE, CACHE_ENGINE, INSTANCE_TYPE_FAMILY, "
	"REGION, BILLING_ENTITY, RESERVATION_ID, ";
static const char groups_after[] = "SAVINGS_PLANS_TYPE, SAVINGS_PLAN_ARN, OPERATING_SYSTEM";

err ce_groups_check(req *rq, const ce_GroupDefinitions *by, bool resources)
{
	if (by->n > CE_GROUPS_MAX)
		return fail(rq, &aws_ValidationException, "Only two values for GroupBy are allowed");
	for (size_t i = 0; i < by->n; i++) {
		const ce_GroupDefinition *g = &by->v[i];
		bool dimension = !str_eq(g->Type, S("TAG")) && !str_eq(g->Type, S("COST_CATEGORY"));
		bool resource = dimension && str_eq(g->Key, S("RESOURCE_ID")) && !resources;
		if (dimension && (!str_is(g->Key) || resource || !groups_costs(g->Key)))
			return fail(rq, &aws_ValidationException, "Group Definition dimension is invalid. Valid "
			            "values are %s%s%s", groups_before, resources ? "RESOURCE_ID, " : "", groups_after);
		if (!str_is(g->Key) || g->Key.n == 0)
			return fail(rq, &aws_ValidationException, "Group Definition key is invalid.");
	}
	return OK;
}

/* An answer is always whole, so there is no token that could continue one. */
static err check(req *rq, const ce_GroupDefinitions *by, const ce_MetricNames *wanted, str token,
                 bool resources)
{
	if (token.n)
		return fail(rq, &ce_InvalidNextTokenException, "Invalid next page token");
	TRY(ce_groups_check(rq, by, resources));
	for (size_t i = 0; i < wanted->n; i++)
		if (!str_is(ce_metric_named(wanted->v[i])))
			return fail(rq, &aws_ValidationException, "Invalid Metrics parameter: %.*s",
			            STR_ARG(wanted->v[i]));
	return OK;
}

static report report_open(req *rq, const ce_GroupDefinitions *by, size_t periods)
{
	report r = { .rq = rq, .by = by, .n_periods = periods };
	r.groups = arena_array(rq->mem, map, periods);
	r.first = arena_array(rq->mem, group *, periods);
	for (size_t i = 0; i < periods; i++)
		r.groups[i] = map_in(rq->mem, 8);
	return r;
}

static ce_ResultsByTime results_of(report *r, const ce_period *p, const ce_MetricNames *wanted)
{
	ce_ResultsByTime out = { .v = arena_array(r->rq->mem, ce_ResultByTime, p->n), .n = p->n };
	static const group nothing = { .unit = { "N/A", 3 } };
	for (size_t i = 0; i < p->n; i++) {
		ce_ResultByTime *o = &out.v[i];
		o->TimePeriod = ce_interval(r->rq, p, i);
		o->Estimated = BOOL(ce_period_to(p, i) > month_of(r->rq->now));
		if (r->by->n) {
			o->Groups = groups_of(r, i, wanted);
			o->Total.v = arena_array(r->rq->mem, ce_Metrics_entry, 1);
			continue;
		}
		o->Groups.v = arena_array(r->rq->mem, ce_Group, 1);
		o->Total = metrics_of(r, r->first[i] ? r->first[i] : &nothing, wanted);
	}
	return out;
}

static bool asks_resource(const ce_Expression *f)
{
	bool asks = f && f->Dimensions && str_eq(f->Dimensions->Key, S("RESOURCE_ID"));
	for (size_t i = 0; f && i < f->And.n && !asks; i++)
		asks = asks_resource(&f->And.v[i]);
	for (size_t i = 0; f && i < f->Or.n && !asks; i++)
		asks = asks_resource(&f->Or.v[i]);
	return asks || (f && f->Not && asks_resource(f->Not));
}

err ce_GetCostAndUsage(req *rq, const ce_GetCostAndUsage_in *in, ce_GetCostAndUsage_out *out)
{
	ce_period p;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, in->Granularity, false, &p));
	if (in->Metrics.n == 0)
		return fail(rq, &aws_ValidationException, "Selected metrics cannot be null.");
	TRY(check(rq, &in->GroupBy, &in->Metrics, in->NextPageToken, false));
	TRY(ce_filter_check(rq, in->Filter, 0));
	if (asks_resource(in->Filter))
		return fail(rq, &aws_ValidationException, "Dimension RESOURCE_ID is not allowed.");
	report r = report_open(rq, &in->GroupBy, p.n);
	TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, add_row, &r));
	if (in->GroupBy.n)
		out->GroupDefinitions = in->GroupBy;
	out->ResultsByTime = results_of(&r, &p, &in->Metrics);
	out->DimensionValueAttributes.v = arena_array(rq->mem, ce_DimensionValuesWithAttributes, 1);
	return OK;
}

err ce_GetCostAndUsageWithResources(req *rq, const ce_GetCostAndUsageWithResources_in *in,
                                    ce_GetCostAndUsageWithResources_out *out)
{
	ce_period p;
	static str unblended = { "UnblendedCost", 13 };
	ce_MetricNames wanted = in->Metrics.n ? in->Metrics : (ce_MetricNames){ .v = &unblended, .n = 1 };
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, in->Granularity, false, &p));
	TRY(check(rq, &in->GroupBy, &wanted, in->NextPageToken, true));
	if (p.from < rq->now - rq->now % MS_DAY - CE_RESOURCE_DAYS * MS_DAY)
		return fail(rq, &aws_ValidationException,
		            "Resource-level data is available for the past %d days only", CE_RESOURCE_DAYS);
	report r = report_open(rq, &in->GroupBy, p.n);
	TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, add_row, &r));
	if (in->GroupBy.n)
		out->GroupDefinitions = in->GroupBy;
	out->ResultsByTime = results_of(&r, &p, &wanted);
	out->DimensionValueAttributes.v = arena_array(rq->mem, ce_DimensionValuesWithAttributes, 1);
	return OK;
}
