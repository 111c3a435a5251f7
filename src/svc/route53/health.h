/* Health checks, between what they are (health.c), what is valid (health_config.c) and who looks
 * (health_probe.c). */
#pragma once
#include "route53.h"

#define HEALTH_DEEP 8 /* calculated checks of calculated checks */

/* Whether the type begins so: HTTP, HTTPS, TCP, CALCULATED, CLOUDWATCH. */
bool health_kind_is(const route53_HealthCheckConfig *c, const char *part);
/* Defaults are put in; what is wrong is refused. */
err health_config_complete(req *rq, const txn *tx, route53_HealthCheckConfig *c);
err health_config_update(req *rq, const txn *tx, const route53_UpdateHealthCheck_in *in,
                         route53_HealthCheckConfig *c);
bool health_config_same(const route53_HealthCheckConfig *a, const route53_HealthCheckConfig *b);
/* What it costs by the hour from now on. */
void health_charge(txn *tx, const route53_health *h, int64_t now, bool exists);
