#include <stdlib.h>
#include "quotas.h"

#define GLOBAL_REGION S("us-east-1")

static bool told_here(const req *rq, const quota_table *t)
{
	return !t->global || str_eq(rq->region, GLOBAL_REGION);
}

err quotas_of(req *rq, str service_code, const quota_table **t)
{
	const quota_table *const *all;
	size_t n = quota_tables(&all);
	for (size_t i = 0; i < n; i++)
		if (str_eq(service_code, str_c(all[i]->service)) && told_here(rq, all[i])) {
			*t = all[i];
			return OK;
		}
	return fail(rq, &service_quotas_NoSuchResourceException,
	            "The request failed because the specified service does not exist.");
}

err quota_find(req *rq, str service_code, str quota_code, const quota_table **t, const quota **q)
{
	TRY(quotas_of(rq, service_code, t));
	for (size_t i = 0; i < (*t)->n; i++)
		if (str_eq(quota_code, str_c((*t)->v[i].code))) {
			*q = &(*t)->v[i];
			return OK;
		}
	return fail(rq, &service_quotas_NoSuchResourceException,
	            "The request failed because the specified quota does not exist.");
}

str quota_arn(req *rq, const quota_table *t, const quota *q, str account)
{
	str region = t->global ? S("") : rq->region;
	return arena_fmt(rq->mem, "arn:aws:servicequotas:%.*s:%.*s:%s/%s", STR_ARG(region), STR_ARG(account),
	                 t->service, q->code);
}

const char *quota_unit(const quota *q)
{
	return q->unit ? q->unit : "None";
}

err page_from(req *rq, str token, opt_i64 wanted, size_t n, size_t *at, size_t *most)
{
	str position;
	int64_t from = 0;
	*most = wanted.set ? (size_t)wanted.v : QUOTAS_PAGE;
	if (str_is(token) && (!page_position(rq, token, &position) || !str_to_i64(position, &from)))
		return fail(rq, &service_quotas_InvalidPaginationTokenException, "Invalid pagination token.");
	*at = (size_t)from < n ? (size_t)from : n;
	return OK;
}

str page_next(req *rq, size_t at, size_t most, size_t n)
{
	return at + most < n ? page_token(rq, arena_fmt(rq->mem, "%zu", at + most)) : STR_NONE;
}

static service_quotas_ServiceQuota shown(req *rq, const quota_table *t, const quota *q, bool applied)
{
	return (service_quotas_ServiceQuota){
		.ServiceCode = str_c(t->service), .ServiceName = str_c(t->title),
		.QuotaArn = quota_arn(rq, t, q, applied ? rq->who.account : S("")),
		.QuotaCode = str_c(q->code), .QuotaName = str_c(q->name), .Value = F64((double)q->value),
		.Unit = str_c(quota_unit(q)), .Adjustable = BOOL(q->adjustable), .GlobalQuota = BOOL(t->global),
		.QuotaAppliedAtLevel = applied ? service_quotas_AppliedLevelEnum_ACCOUNT : STR_NONE,
	};
}

static err one(req *rq, str service_code, str quota_code, bool applied, service_quotas_ServiceQuota **out)
{
	const quota_table *t;
	const quota *q;
	TRY(quota_find(rq, service_code, quota_code, &t, &q));
	*out = arena_new(rq->mem, service_quotas_ServiceQuota);
	**out = shown(rq, t, q, applied);
	return OK;
}

err service_quotas_GetServiceQuota(req *rq, const txn *tx, const service_quotas_GetServiceQuota_in *in,
                                   service_quotas_GetServiceQuota_out *out)
{
	return one(rq, in->ServiceCode, in->QuotaCode, true, &out->Quota);
}

err service_quotas_GetAWSDefaultServiceQuota(req *rq, const txn *tx,
                                             const service_quotas_GetAWSDefaultServiceQuota_in *in,
                                             service_quotas_GetAWSDefaultServiceQuota_out *out)
{
	return one(rq, in->ServiceCode, in->QuotaCode, false, &out->Quota);
}

static err several(req *rq, str service_code, bool applied, str token, opt_i64 wanted,
                   service_quotas_ServiceQuotaListDefinition *out, str *next)
{
	const quota_table *t;
	size_t at, most;
	TRY(quotas_of(rq, service_code, &t));
	TRY(page_from(rq, token, wanted, t->n, &at, &most));
	out->v = arena_array(rq->mem, service_quotas_ServiceQuota, t->n);
	for (size_t i = at; i < t->n && out->n < most; i++)
		out->v[out->n++] = shown(rq, t, &t->v[i], applied);
	*next = page_next(rq, at, most, t->n);
	return OK;
}

err service_quotas_ListServiceQuotas(req *rq, const txn *tx, const service_quotas_ListServiceQuotas_in *in,
                                     service_quotas_ListServiceQuotas_out *out)
{
	if (str_eq(in->QuotaAppliedAtLevel, service_quotas_AppliedLevelEnum_RESOURCE)) {
		const quota_table *t; /* none of them is of a single resource */
		out->Quotas.v = arena_array(rq->mem, service_quotas_ServiceQuota, 1);
		return quotas_of(rq, in->ServiceCode, &t);
	}
	if (!str_is(in->QuotaCode))
		return several(rq, in->ServiceCode, true, in->NextToken, in->MaxResults, &out->Quotas,
		&out->NextToken);
	TRY(one(rq, in->ServiceCode, in->QuotaCode, true, &out->Quotas.v));
	out->Quotas.n = 1;
	return OK;
}

err service_quotas_ListAWSDefaultServiceQuotas(req *rq, const txn *tx,
                                               const service_quotas_ListAWSDefaultServiceQuotas_in *in,
                                               service_quotas_ListAWSDefaultServiceQuotas_out *out)
{
	return several(rq, in->ServiceCode, false, in->NextToken, in->MaxResults, &out->Quotas, &out->NextToken);
}

static int by_code(const void *a, const void *b)
{
	return strcmp((*(const quota_table *const *)a)->service, (*(const quota_table *const *)b)->service);
}

err service_quotas_ListServices(req *rq, const txn *tx, const service_quotas_ListServices_in *in,
                                service_quotas_ListServices_out *out)
{
	const quota_table *const *all;
	size_t n = quota_tables(&all), at, most;
	const quota_table **sorted = arena_array(rq->mem, const quota_table *, n + 1);
	TRY(page_from(rq, in->NextToken, in->MaxResults, n, &at, &most));
	memcpy(sorted, all, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_code);
	out->Services.v = arena_array(rq->mem, service_quotas_ServiceInfo, n + 1);
	for (size_t i = at; i < n && out->Services.n < most; i++)
		out->Services.v[out->Services.n++] =
			(service_quotas_ServiceInfo){ str_c(sorted[i]->service), str_c(sorted[i]->title) };
	out->NextToken = page_next(rq, at, most, n);
	return OK;
}
