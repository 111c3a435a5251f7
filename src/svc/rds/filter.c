#include "rds.h"

#define PAGE_MAX 100

bool db_filter_has(const rds_FilterList *filters, const char *name, str value)
{
	for (size_t i = 0; i < filters->n; i++) {
		if (!str_eq(filters->v[i].Name, str_c(name)))
			continue;
		bool any = false;
		for (size_t k = 0; k < filters->v[i].Values.n; k++)
			any = any || (str_is(value) && str_eq_nocase(filters->v[i].Values.v[k], value));
		if (!any)
			return false;
	}
	return true;
}

bool db_filter_named(const rds_FilterList *filters, const char *name)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_eq(filters->v[i].Name, str_c(name)))
			return true;
	return false;
}

err db_filters_known(req *rq, const rds_FilterList *filters, const char *const *names)
{
	for (size_t i = 0; i < filters->n; i++) {
		bool known = false;
		for (const char *const *n = names; *n; n++)
			known = known || str_eq(filters->v[i].Name, str_c(*n));
		if (!known)
			return fail(rq, &rds_InvalidParameterValue, "Unrecognized filter name: %.*s",
			            STR_ARG(filters->v[i].Name));
		if (!filters->v[i].Values.n)
			return fail(rq, &rds_InvalidParameterCombination,
			            "Filter values must not be empty for filter name: %.*s", STR_ARG(filters->v[i].Name));
	}
	return OK;
}

err db_page_of(req *rq, opt_i64 max_records, str marker, page *out)
{
	return db_page_up_to(rq, max_records, marker, PAGE_MAX, out);
}

err db_page_up_to(req *rq, opt_i64 max_records, str marker, int64_t most, page *out)
{
	*out = (page){ .most = RDS_PAGE_DEFAULT };
	if (max_records.set) {
		if (max_records.v < RDS_PAGE_MIN || max_records.v > most)
			return fail(rq, &rds_InvalidParameterValue,
			            "Invalid value %lld for MaxRecords. Must be between %d and %lld",
			            (long long)max_records.v, RDS_PAGE_MIN, (long long)most);
		out->most = (size_t)max_records.v;
	}
	if (str_is(marker) && !str_empty(marker) && !page_position(rq, marker, &out->after))
		return fail(rq, &rds_InvalidParameterValue, "Invalid pagination marker");
	return OK;
}
