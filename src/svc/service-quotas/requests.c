/* Requests for more: kept and told, and never granted, because a limit here is what Farthing enforces. */
#include <stdlib.h>
#include "base/json.h"
#include "quotas.h"
#include "sys/rand.h"

static bool is_open(const service_quotas_RequestedServiceQuotaChange *r)
{
	return str_eq(r->Status, service_quotas_RequestStatus_PENDING) ||
	       str_eq(r->Status, service_quotas_RequestStatus_CASE_OPENED);
}

static err check(req *rq, const txn *tx, const service_quotas_RequestServiceQuotaIncrease_in *in,
                 const quota *q)
{
	if (!q->adjustable)
		return fail(rq, &service_quotas_IllegalArgumentException, "The specified quota is not adjustable.");
	if (in->DesiredValue.v <= (double)q->value)
		return fail(rq, &service_quotas_IllegalArgumentException,
		            "You must provide a quota value greater than the current quota value.");
	record_scan s = service_quotas_request_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (service_quotas_request *r; (r = service_quotas_request_next(&s));)
		if (str_eq(r->It->QuotaCode, in->QuotaCode) && str_eq(r->It->ServiceCode, in->ServiceCode) &&
		    is_open(r->It)) {
			cursor_close(&s.at);
			return fail(rq, &service_quotas_ResourceAlreadyExistsException,
			            "Only one open service quota increase request is allowed per quota.");
		}
	return OK;
}

static str requester(req *rq)
{
	buf b = buf_in(rq->mem, 256, 8192);
	buf_put(&b, S("{\"accountId\":"));
	json_put_string(&b, rq->who.account);
	buf_put(&b, S(",\"callerArn\":"));
	json_put_string(&b, rq->who.arn);
	buf_c(&b, '}');
	return buf_str(&b);
}

err service_quotas_RequestServiceQuotaIncrease(req *rq, txn *tx,
                                               const service_quotas_RequestServiceQuotaIncrease_in *in,
                                               service_quotas_RequestServiceQuotaIncrease_out *out)
{
	const quota_table *t;
	const quota *q;
	TRY(quota_find(rq, in->ServiceCode, in->QuotaCode, &t, &q));
	TRY(check(rq, tx, in, q));
	service_quotas_RequestedServiceQuotaChange *r =
		arena_new(rq->mem, service_quotas_RequestedServiceQuotaChange);
	*r = (service_quotas_RequestedServiceQuotaChange){
		.Id = rand_uuid(rq->mem), .ServiceCode = str_c(t->service), .ServiceName = str_c(t->title),
		.QuotaCode = str_c(q->code), .QuotaName = str_c(q->name), .DesiredValue = in->DesiredValue,
		.Status = service_quotas_RequestStatus_PENDING, .Created = TIME(rq->now),
		.LastUpdated = TIME(rq->now), .Requester = requester(rq),
		.QuotaArn = quota_arn(rq, t, q, rq->who.account), .GlobalQuota = BOOL(t->global),
		.Unit = str_c(quota_unit(q)), .QuotaRequestedAtLevel = service_quotas_AppliedLevelEnum_ACCOUNT,
	};
	service_quotas_request_put(tx, &(service_quotas_request){ rq->who.account, rq->region, r->Id, r,
	rq->now });
	out->RequestedQuota = r;
	return OK;
}

err service_quotas_GetRequestedServiceQuotaChange(req *rq, const txn *tx,
                                                  const service_quotas_GetRequestedServiceQuotaChange_in *in,
                                                  service_quotas_GetRequestedServiceQuotaChange_out *out)
{
	service_quotas_request *r =
		service_quotas_request_get(tx, rq->mem, rq->who.account, rq->region, in->RequestId);
	if (!r)
		return fail(rq, &service_quotas_NoSuchResourceException,
		            "The request failed because the specified request does not exist.");
	out->RequestedQuota = r->It;
	return OK;
}

typedef struct wanted {
	str service_code, quota_code, status, level, token;
	opt_i64 most;
} wanted;

static bool fits(const wanted *w, const service_quotas_RequestedServiceQuotaChange *r)
{
	return (!str_is(w->service_code) || str_eq(w->service_code, r->ServiceCode)) &&
	       (!str_is(w->quota_code) || str_eq(w->quota_code, r->QuotaCode)) &&
	       (!str_is(w->status) || str_eq(w->status, r->Status)) &&
	       !str_eq(w->level, service_quotas_AppliedLevelEnum_RESOURCE);
}

static int newest_first(const void *a, const void *b)
{
	const service_quotas_request *x = *(service_quotas_request *const *)a;
	const service_quotas_request *y = *(service_quotas_request *const *)b;
	return x->Made != y->Made ? (x->Made < y->Made ? 1 : -1) : str_cmp(x->Id, y->Id);
}

static err history(req *rq, const txn *tx, const wanted *w,
                   service_quotas_RequestedServiceQuotaChangeHistoryListDefinition *out, str *next)
{
	size_t n = 0, room = 0, at, most;
	record_scan s = service_quotas_request_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (service_quotas_request_next(&s))
		room++;
	service_quotas_request **v = arena_array(rq->mem, service_quotas_request *, room + 1);
	s = service_quotas_request_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (service_quotas_request *r; (r = service_quotas_request_next(&s));)
		if (fits(w, r->It))
			v[n++] = r;
	if (n)
		qsort(v, n, sizeof *v, newest_first);
	TRY(page_from(rq, w->token, w->most, n, &at, &most));
	out->v = arena_array(rq->mem, service_quotas_RequestedServiceQuotaChange, n + 1);
	for (size_t i = at; i < n && out->n < most; i++)
		out->v[out->n++] = *v[i]->It;
	*next = page_next(rq, at, most, n);
	return OK;
}

err service_quotas_ListRequestedServiceQuotaChangeHistory(
	req *rq, const txn *tx, const service_quotas_ListRequestedServiceQuotaChangeHistory_in *in,
	service_quotas_ListRequestedServiceQuotaChangeHistory_out *out)
{
	wanted w = { in->ServiceCode, STR_NONE, in->Status, in->QuotaRequestedAtLevel, in->NextToken,
		     in->MaxResults };
	return history(rq, tx, &w, &out->RequestedQuotas, &out->NextToken);
}

err service_quotas_ListRequestedServiceQuotaChangeHistoryByQuota(
	req *rq, const txn *tx, const service_quotas_ListRequestedServiceQuotaChangeHistoryByQuota_in *in,
	service_quotas_ListRequestedServiceQuotaChangeHistoryByQuota_out *out)
{
	const quota_table *t;
	const quota *q;
	wanted w = { in->ServiceCode, in->QuotaCode, in->Status, in->QuotaRequestedAtLevel, in->NextToken,
		     in->MaxResults };
	TRY(quota_find(rq, in->ServiceCode, in->QuotaCode, &t, &q));
	return history(rq, tx, &w, &out->RequestedQuotas, &out->NextToken);
}
