/*
 * Savings Plans cannot be bought here, reservations only of databases and cache nodes. What nobody has is not
 * used, all that it could cover is on demand, and nobody can have asked for an analysis of buying some. How
 * far reservations that somebody has are used is not written down, so whoever asks is told so. What AWS would
 * advise is answered only where there is nothing to advise on.
 */
#include "base/map.h"
#include "base/time.h"
#include "ce.h"

#define COMPUTE S("Amazon Elastic Compute Cloud - Compute")

static err period_of(req *rq, const ce_DateInterval *interval, str granularity, ce_period *p)
{
	if (str_is(granularity) && str_eq(granularity, S("HOURLY")))
		return fail(rq, &aws_ValidationException, "Only DAILY and MONTHLY granularity is supported");
	return ce_period_of(rq, interval, str_is(granularity) ? granularity : S("MONTHLY"), false, p);
}

static err unavailable(req *rq)
{
	return fail(rq, &ce_DataUnavailableException, "The requested data is unavailable.");
}

static err none(req *rq, const ce_DateInterval *interval, str granularity)
{
	ce_period p;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(period_of(rq, interval, granularity, &p));
	return unavailable(rq);
}

static void add_reserved(void *context, const ce_row *row, size_t period)
{
	(void)period;
	*(bool *)context |= charges_reserved(row->charge);
}

static err no_reservations(req *rq, const ce_period *p, const ce_Expression *filter)
{
	bool any = false;
	TRY(ce_rows(rq, p, filter, NULL, rq->now, add_reserved, &any));
	if (any)
		return fail(rq, &aws_NotImplemented, "How far reservations are used is not implemented.");
	return OK;
}

err ce_GetReservationUtilization(req *rq, const ce_GetReservationUtilization_in *in,
                                 ce_GetReservationUtilization_out *out)
{
	ce_period p;
	(void)out;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(period_of(rq, in->TimePeriod, in->Granularity, &p));
	TRY(no_reservations(rq, &p, in->Filter));
	return unavailable(rq);
}

err ce_GetSavingsPlansUtilization(req *rq, const ce_GetSavingsPlansUtilization_in *in,
                                  ce_GetSavingsPlansUtilization_out *out)
{
	(void)out;
	return none(rq, in->TimePeriod, in->Granularity);
}

err ce_GetSavingsPlansUtilizationDetails(req *rq, const ce_GetSavingsPlansUtilizationDetails_in *in,
                                         ce_GetSavingsPlansUtilizationDetails_out *out)
{
	(void)out;
	return none(rq, in->TimePeriod, STR_NONE);
}

typedef struct covered {
	i128 hours, units;
	money cost;
} covered;

/* By what is asked for: the dimension, and what AWS calls it in the answer. */
typedef struct group_name {
	const char *key, *dimension, *attribute;
} group_name;
static const group_name reservation_groups[] = {
	{ "AZ", "AZ", "az" },
	{ "CACHE_ENGINE", "CACHE_ENGINE", "cacheEngine" },
	{ "DATABASE_ENGINE", "DATABASE_ENGINE", "databaseEngine" },
	{ "DEPLOYMENT_OPTION", "DEPLOYMENT_OPTION", "deploymentOption" },
	{ "INSTANCE_TYPE", "INSTANCE_TYPE", "instanceType" },
	{ "LINKED_ACCOUNT", "LINKED_ACCOUNT", "linkedAccount" },
	{ "OPERATING_SYSTEM", "OPERATING_SYSTEM", "operatingSystem" },
	{ "PLATFORM", "PLATFORM", "platform" },
	{ "REGION", "REGION", "region" },
	{ "TENANCY", "TENANCY", "tenancy" },
	{ NULL, NULL, NULL },
};
static const group_name plan_groups[] = {
	{ "INSTANCE_FAMILY", "INSTANCE_TYPE_FAMILY", "INSTANCE_FAMILY" },
	{ "REGION", "REGION", "REGION" },
	{ "SERVICE", "SERVICE", "SERVICE" },
	{ NULL, NULL, NULL },
};
#define GROUPS_MAX (sizeof reservation_groups / sizeof *reservation_groups - 1)

typedef struct cover_group {
	str values[GROUPS_MAX];
	covered *v;       /* one a period; hours or cost that are 0: nothing of this group ran */
	struct cover_group *next;
} cover_group;

typedef struct coverage {
	req *rq;
	bool plans;       /* what Savings Plans could cover; else what reservations could */
	bool of_service;  /* the filter says of which service */
	const group_name *by[GROUPS_MAX];
	size_t n_by, n_periods;
	covered *v;
	map groups;
	cover_group *first;
} coverage;

static err groups_of(coverage *c, const ce_GroupDefinitions *by)
{
	const group_name *names = c->plans ? plan_groups : reservation_groups;
	for (size_t i = 0; i < by->n; i++) {
		const group_name *g = names;
		while (g->key && !str_eq(by->v[i].Key, str_c(g->key)))
			g++;
		bool tag = str_is(by->v[i].Type) && !str_eq(by->v[i].Type, S("DIMENSION"));
		bool again = false;
		for (size_t k = 0; k < c->n_by; k++)
			again |= c->by[k] == g;
		if (!g->key || tag || again)
			return fail(c->rq, &aws_ValidationException, "Group Definition dimension is invalid: %.*s",
			            STR_ARG(str_is(by->v[i].Key) ? by->v[i].Key : S("")));
		c->by[c->n_by++] = g;
	}
	return OK;
}

static cover_group *group_of(coverage *c, const ce_row *row)
{
	arena *mem = c->rq->mem;
	cover_group wanted = { .v = NULL };
	str key = S("");
	for (size_t i = 0; i < c->n_by; i++) {
		wanted.values[i] = arena_str(mem, ce_dimension(c->rq, row, str_c(c->by[i]->dimension)));
		key = arena_fmt(mem, "%.*s\n%.*s", STR_ARG(key), STR_ARG(wanted.values[i]));
	}
	cover_group *g = map_get(&c->groups, key);
	if (g)
		return g;
	g = arena_new(mem, cover_group);
	*g = wanted;
	g->v = arena_array(mem, covered, c->n_periods);
	map_put(&c->groups, key, g);
	cover_group **at = &c->first;
	while (*at && str_cmp((*at)->values[0], g->values[0]) < 0)
		at = &(*at)->next;
	g->next = *at;
	return *at = g;
}

static ce_Attributes attributes_of(const coverage *c, const cover_group *g)
{
	ce_Attributes out = { .v = arena_array(c->rq->mem, ce_Attributes_entry, c->n_by + 1), .n = c->n_by };
	for (size_t i = 0; i < c->n_by; i++) {
		out.v[i].key = str_c(c->by[i]->attribute);
		out.v[i].value = g->values[i];
	}
	return out;
}

/* How many small instances one of this size is, in millionths; 0 when the size says nothing. */
static int64_t units_of(str type)
{
	static const struct { const char *size; int64_t units; } sizes[] = {
		{ "nano", 250000 }, { "micro", 500000 }, { "small", 1000000 }, { "medium", 2000000 },
		{ "large", 4000000 }, { "xlarge", 8000000 },
	};
	int64_t times;
	size_t dot = type.n;
	while (dot > 0 && type.p[dot - 1] != '.')
		dot--;
	str size = str_sub(type, dot, type.n);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (str_eq(size, str_c(sizes[i].size)))
			return sizes[i].units;
	bool many = str_ends(size, S("xlarge")) && str_to_i64(str_sub(size, 0, size.n - 6), &times);
	return many ? times * 8000000 : 0;
}

static bool could_be_covered(const coverage *c, const ce_row *row, str type)
{
	str of = ce_dimension(c->rq, row, S("SERVICE"));
	bool instance = !str_starts(type, S("No")) && str_eq(row->unit, S("Hrs"));
	if (c->plans && str_eq(of, S("AWS Lambda")))
		return true;
	return instance && (str_eq(of, COMPUTE) || (c->of_service && !c->plans));
}

static void add_row(void *context, const ce_row *row, size_t period)
{
	coverage *c = context;
	str type = ce_dimension(c->rq, row, S("INSTANCE_TYPE"));
	if (!could_be_covered(c, row, type))
		return;
	i128 units = 0;
	i128_mul_div(row->quantity, units_of(type), INT64_C(1000000), &units);
	covered *into[2] = { &c->v[period], c->n_by ? &group_of(c, row)->v[period] : NULL };
	for (size_t i = 0; i < 2 && into[i]; i++) {
		into[i]->hours += row->quantity;
		into[i]->units += units;
		into[i]->cost += row->amount;
	}
}

static bool names_service(const ce_Expression *f)
{
	if (!f)
		return false;
	for (size_t i = 0; i < f->And.n; i++)
		if (names_service(&f->And.v[i]))
			return true;
	return f->Dimensions && str_eq(f->Dimensions->Key, S("SERVICE"));
}

static err coverage_of(req *rq, const ce_period *p, const ce_Expression *filter, bool plans,
                       const ce_GroupDefinitions *by, coverage *c)
{
	*c = (coverage){ .rq = rq, .plans = plans, .of_service = names_service(filter), .n_periods = p->n,
		         .v = arena_array(rq->mem, covered, p->n), .groups = map_in(rq->mem, 16) };
	if (by)
		TRY(groups_of(c, by));
	return ce_rows(rq, p, filter, NULL, rq->now, add_row, c);
}

static ce_Coverage *reservations_shown(req *rq, const covered *c)
{
	str hours = ce_quantity(rq, c->hours), units = ce_quantity(rq, c->units);
	ce_Coverage *o = arena_new(rq->mem, ce_Coverage);
	o->CoverageHours = arena_new(rq->mem, ce_CoverageHours);
	*o->CoverageHours = (ce_CoverageHours){ .OnDemandHours = hours, .ReservedHours = S("0"),
		                                .TotalRunningHours = hours, .CoverageHoursPercentage = S("0") };
	o->CoverageNormalizedUnits = arena_new(rq->mem, ce_CoverageNormalizedUnits);
	*o->CoverageNormalizedUnits = (ce_CoverageNormalizedUnits){
		.OnDemandNormalizedUnits = units, .ReservedNormalizedUnits = S("0"),
		.TotalRunningNormalizedUnits = units, .CoverageNormalizedUnitsPercentage = S("0") };
	o->CoverageCost = arena_new(rq->mem, ce_CoverageCost);
	o->CoverageCost->OnDemandCost = ce_amount(rq, c->cost);
	return o;
}

static ce_ReservationCoverageGroups reservation_groups_shown(const coverage *c, size_t period)
{
	ce_ReservationCoverageGroups out = {
		.v = arena_array(c->rq->mem, ce_ReservationCoverageGroup, c->groups.n + 1) };
	for (const cover_group *g = c->first; g; g = g->next)
		if (g->v[period].hours)
			out.v[out.n++] = (ce_ReservationCoverageGroup){
				.Attributes = attributes_of(c, g), .Coverage = reservations_shown(c->rq, &g->v[period]) };
	return out;
}

err ce_GetReservationCoverage(req *rq, const ce_GetReservationCoverage_in *in,
                              ce_GetReservationCoverage_out *out)
{
	ce_period p;
	coverage c;
	covered sum = { .hours = 0 };
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->GroupBy.n && str_is(in->Granularity))
		return fail(rq, &aws_ValidationException, "Granularity cannot be set when GroupBy is set");
	TRY(period_of(rq, in->TimePeriod, in->Granularity, &p));
	TRY(no_reservations(rq, &p, in->Filter));
	TRY(coverage_of(rq, &p, in->Filter, false, &in->GroupBy, &c));
	out->CoveragesByTime.v = arena_array(rq->mem, ce_CoverageByTime, p.n);
	out->CoveragesByTime.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		ce_CoverageByTime *o = &out->CoveragesByTime.v[i];
		o->TimePeriod = ce_interval(rq, &p, i);
		o->Groups = reservation_groups_shown(&c, i);
		o->Total = reservations_shown(rq, &c.v[i]);
		sum.hours += c.v[i].hours;
		sum.units += c.v[i].units;
		sum.cost += c.v[i].cost;
	}
	out->Total = reservations_shown(rq, &sum);
	return OK;
}

static void plans_shown(const coverage *c, const ce_period *p, size_t period, const cover_group *g,
                        ce_SavingsPlansCoverage *o)
{
	static const cover_group all;
	str cost = ce_amount(c->rq, g ? g->v[period].cost : c->v[period].cost);
	o->TimePeriod = ce_interval(c->rq, p, period);
	o->Attributes = attributes_of(c, g ? g : &all);
	o->Coverage = arena_new(c->rq->mem, ce_SavingsPlansCoverageData);
	*o->Coverage = (ce_SavingsPlansCoverageData){ .SpendCoveredBySavingsPlans = S("0"), .OnDemandCost = cost,
		                                      .TotalCost = cost, .CoveragePercentage = S("0") };
}

err ce_GetSavingsPlansCoverage(req *rq, const ce_GetSavingsPlansCoverage_in *in,
                               ce_GetSavingsPlansCoverage_out *out)
{
	ce_period p;
	coverage c;
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->GroupBy.n && str_is(in->Granularity))
		return fail(rq, &aws_ValidationException, "Granularity cannot be set when GroupBy is set");
	TRY(period_of(rq, in->TimePeriod, in->Granularity, &p));
	TRY(coverage_of(rq, &p, in->Filter, true, &in->GroupBy, &c));
	ce_SavingsPlansCoverages *all = &out->SavingsPlansCoverages;
	all->v = arena_array(rq->mem, ce_SavingsPlansCoverage, p.n * (c.groups.n + 1));
	for (size_t i = 0; i < p.n; i++) {
		if (!c.n_by)
			plans_shown(&c, &p, i, NULL, &all->v[all->n++]);
		for (const cover_group *g = c.first; g; g = g->next)
			if (g->v[i].hours || g->v[i].cost)
				plans_shown(&c, &p, i, g, &all->v[all->n++]);
	}
	return OK;
}

static int days_of(str lookback)
{
	return str_eq(lookback, S("THIRTY_DAYS")) ? 30 : str_eq(lookback, S("SIXTY_DAYS")) ? 60 : 7;
}

/* Fails unless there is nothing in use that advice could be about. */
static err nothing_to_advise(req *rq, int days, const ce_Expression *filter, bool plans, const char *what)
{
	int64_t today = rq->now - rq->now % MS_DAY;
	ce_period p = { .from = today - days * MS_DAY, .to = today + MS_DAY, .unit = 'D', .n = (size_t)days + 1 };
	coverage c;
	TRY(coverage_of(rq, &p, filter, plans, NULL, &c));
	for (size_t i = 0; i < p.n; i++)
		if (c.v[i].hours > 0)
			return fail(rq, &aws_NotImplemented, "%s for what is in use are not implemented.", what);
	return OK;
}

err ce_GetReservationPurchaseRecommendation(req *rq, const ce_GetReservationPurchaseRecommendation_in *in,
                                            ce_GetReservationPurchaseRecommendation_out *out)
{
	meter_one(rq, &CE_REQUEST, S(""));
	ce_DimensionValues one = { .Key = S("SERVICE"), .Values = { .v = (str[]){ in->Service }, .n = 1 } };
	ce_Expression of_service = { .Dimensions = &one };
	TRY(ce_filter_check(rq, in->Filter, 0));
	TRY(nothing_to_advise(rq, days_of(in->LookbackPeriodInDays), &of_service, false,
	                      "Recommendations of reservations"));
	out->Recommendations.v = arena_array(rq->mem, ce_ReservationPurchaseRecommendation, 1);
	return OK;
}

err ce_GetSavingsPlansPurchaseRecommendation(req *rq, const ce_GetSavingsPlansPurchaseRecommendation_in *in,
                                             ce_GetSavingsPlansPurchaseRecommendation_out *out)
{
	(void)out;
	meter_one(rq, &CE_REQUEST, S(""));
	return nothing_to_advise(rq, days_of(in->LookbackPeriodInDays), in->Filter, true,
	                         "Recommendations of Savings Plans");
}

err ce_GetRightsizingRecommendation(req *rq, const ce_GetRightsizingRecommendation_in *in,
                                    ce_GetRightsizingRecommendation_out *out)
{
	arena *mem = rq->mem;
	meter_one(rq, &CE_REQUEST, S(""));
	if (!str_eq(in->Service, S("AmazonEC2")))
		return fail(rq, &aws_ValidationException, "Only the service AmazonEC2 is supported: %.*s",
		            STR_ARG(in->Service));
	TRY(nothing_to_advise(rq, CE_RESOURCE_DAYS, in->Filter, false, "Recommendations of sizes"));
	out->Metadata = arena_new(mem, ce_RightsizingRecommendationMetadata);
	out->Metadata->GenerationTimestamp = time_iso(mem, rq->now - rq->now % MS_SECOND);
	out->Metadata->LookbackPeriodInDays = S("FOURTEEN_DAYS");
	out->Summary = arena_new(mem, ce_RightsizingRecommendationSummary);
	*out->Summary = (ce_RightsizingRecommendationSummary){ .TotalRecommendationCount = S("0"),
		.EstimatedTotalMonthlySavingsAmount = S("0"), .SavingsCurrencyCode = S("USD"),
		.SavingsPercentage = S("0") };
	out->RightsizingRecommendations.v = arena_array(mem, ce_RightsizingRecommendation, 1);
	out->Configuration = in->Configuration;
	return OK;
}

err ce_ListCommitmentPurchaseAnalyses(req *rq, const txn *tx, const ce_ListCommitmentPurchaseAnalyses_in *in,
                                      ce_ListCommitmentPurchaseAnalyses_out *out)
{
	(void)tx;
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->NextPageToken.n)
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	out->AnalysisSummaryList.v = arena_array(rq->mem, ce_AnalysisSummary, 1);
	return OK;
}

err ce_GetCommitmentPurchaseAnalysis(req *rq, const txn *tx, const ce_GetCommitmentPurchaseAnalysis_in *in,
                                     ce_GetCommitmentPurchaseAnalysis_out *out)
{
	(void)tx;
	(void)out;
	meter_one(rq, &CE_REQUEST, S(""));
	return fail(rq, &ce_AnalysisNotFoundException, "No analysis found with ID %.*s",
	            STR_ARG(in->AnalysisId));
}

err ce_ListSavingsPlansPurchaseRecommendationGeneration(
	req *rq, const txn *tx, const ce_ListSavingsPlansPurchaseRecommendationGeneration_in *in,
	ce_ListSavingsPlansPurchaseRecommendationGeneration_out *out)
{
	(void)tx;
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->NextPageToken.n)
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	out->GenerationSummaryList.v = arena_array(rq->mem, ce_GenerationSummary, 1);
	return OK;
}

err ce_GetSavingsPlanPurchaseRecommendationDetails(
	req *rq, const txn *tx, const ce_GetSavingsPlanPurchaseRecommendationDetails_in *in,
	ce_GetSavingsPlanPurchaseRecommendationDetails_out *out)
{
	(void)tx;
	(void)out;
	meter_one(rq, &CE_REQUEST, S(""));
	return fail(rq, &ce_DataUnavailableException, "No recommendation found with ID %.*s",
	            STR_ARG(in->RecommendationDetailId));
}
