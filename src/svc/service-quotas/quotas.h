/* Quotas by their codes, as everything here wants them. */
#pragma once
#include "cloud/quota.h"
#include "cloud/req.h"
#include "gen/service-quotas.h"

/* Global quotas are known in one Region only, as AWS has it. */
err quotas_of(req *rq, str service_code, const quota_table **t);
err quota_find(req *rq, str service_code, str quota_code, const quota_table **t, const quota **q);
/* `account` empty: the default, which is nobody's. */
str quota_arn(req *rq, const quota_table *t, const quota *q, str account);
const char *quota_unit(const quota *q);

/* A page of a list whose n members stand in an order of their own: from *at, at most *most. */
err page_from(req *rq, str token, opt_i64 wanted, size_t n, size_t *at, size_t *most);
str page_next(req *rq, size_t at, size_t most, size_t n);
