/* What a health check may be told to do. */
#include "base/buf.h"
#include "health.h"

static err refuse(req *rq, const char *why)
{
	return fail(rq, &route53_InvalidInput, "Invalid parameter : %s", why);
}

static err complete_endpoint(req *rq, route53_HealthCheckConfig *c)
{
	bool http = health_kind_is(c, "HTTP"), https = health_kind_is(c, "HTTPS");
	if (!c->IPAddress.n && !c->FullyQualifiedDomainName.n)
		return refuse(rq, "One of IPAddress or FullyQualifiedDomainName must be specified");
	if (!http && !c->IPAddress.n && !c->Port.set)
		return refuse(rq, "Port must be specified for TCP health checks");
	if (!http && !c->Port.set)
		return refuse(rq, "Port must be specified for TCP health checks");
	if (!http && c->ResourcePath.n)
		return refuse(rq, "ResourcePath is not valid for TCP health checks");
	if (str_ends(c->Type, S("STR_MATCH")) != (c->SearchString.n > 0))
		return refuse(rq, c->SearchString.n ? "SearchString is valid only for string matching health checks" :
		                                      "SearchString must be specified for string matching health "
		                                      "checks");
	if (c->ChildHealthChecks.n || c->HealthThreshold.set || c->AlarmIdentifier ||
	    str_is(c->InsufficientDataHealthStatus))
		return refuse(rq, "Settings of calculated and metric health checks are not valid for this type");
	if (!c->Port.set)
		c->Port = I64(https ? 443 : 80);
	if (!c->RequestInterval.set)
		c->RequestInterval = I64(30);
	if (c->RequestInterval.v != 10 && c->RequestInterval.v != 30)
		return refuse(rq, "RequestInterval must be 10 or 30");
	if (!c->FailureThreshold.set)
		c->FailureThreshold = I64(3);
	if (!c->MeasureLatency.set)
		c->MeasureLatency = BOOL(false);
	if (!c->EnableSNI.set)
		c->EnableSNI = BOOL(https);
	return OK;
}

static err complete_calculated(req *rq, const txn *tx, route53_HealthCheckConfig *c)
{
	if (!c->ChildHealthChecks.v || !c->HealthThreshold.set)
		return refuse(rq, "ChildHealthChecks and HealthThreshold must be specified for calculated health "
			"checks");
	for (size_t i = 0; i < c->ChildHealthChecks.n; i++) {
		route53_health *child = route53_health_get(tx, rq->mem, rq->who.account, c->ChildHealthChecks.v[i]);
		if (!child)
			return fail(rq, &route53_InvalidInput, "Invalid parameter : The child health check %.*s does "
				"not exist",
			            STR_ARG(c->ChildHealthChecks.v[i]));
		if (health_kind_is(child->It->HealthCheckConfig, "CALCULATED"))
			return refuse(rq, "A calculated health check can't monitor another calculated health check");
	}
	return OK;
}

err health_config_complete(req *rq, const txn *tx, route53_HealthCheckConfig *c)
{
	if (str_eq(c->Type, route53_HealthCheckType_RECOVERY_CONTROL))
		return fail(rq, &aws_NotImplemented, "Farthing has no routing controls.");
	if (health_kind_is(c, "CALCULATED")) {
		TRY(complete_calculated(rq, tx, c));
	} else if (health_kind_is(c, "CLOUDWATCH")) {
		if (!c->AlarmIdentifier || !str_is(c->InsufficientDataHealthStatus))
			return refuse(rq, "AlarmIdentifier and InsufficientDataHealthStatus must be specified for "
				"metric health "
			              "checks");
	} else {
		TRY(complete_endpoint(rq, c));
	}
	if (!c->Inverted.set)
		c->Inverted = BOOL(false);
	if (!c->Disabled.set)
		c->Disabled = BOOL(false);
	return OK;
}

#define TAKE(member, is) do { if (is) c->member = in->member; } while (0)

err health_config_update(req *rq, const txn *tx, const route53_UpdateHealthCheck_in *in,
                         route53_HealthCheckConfig *c)
{
	for (size_t i = 0; i < in->ResetElements.n; i++) {
		str e = in->ResetElements.v[i];
		if (str_eq(e, route53_ResettableElementName_ChildHealthChecks))
			c->ChildHealthChecks.n = 0;
		else if (str_eq(e, route53_ResettableElementName_FullyQualifiedDomainName))
			c->FullyQualifiedDomainName = STR_NONE;
		else if (str_eq(e, route53_ResettableElementName_Regions))
			c->Regions = (route53_HealthCheckRegionList){ 0 };
		else
			c->ResourcePath = STR_NONE;
	}
	TAKE(IPAddress, str_is(in->IPAddress));
	TAKE(Port, in->Port.set);
	TAKE(ResourcePath, str_is(in->ResourcePath));
	TAKE(FullyQualifiedDomainName, str_is(in->FullyQualifiedDomainName));
	TAKE(SearchString, str_is(in->SearchString));
	TAKE(FailureThreshold, in->FailureThreshold.set);
	TAKE(Inverted, in->Inverted.set);
	TAKE(Disabled, in->Disabled.set);
	TAKE(HealthThreshold, in->HealthThreshold.set);
	TAKE(ChildHealthChecks, in->ChildHealthChecks.v);
	TAKE(EnableSNI, in->EnableSNI.set);
	TAKE(Regions, in->Regions.v);
	TAKE(AlarmIdentifier, in->AlarmIdentifier);
	TAKE(InsufficientDataHealthStatus, str_is(in->InsufficientDataHealthStatus));
	return health_config_complete(rq, tx, c);
}

static bool same_texts(const str *a, size_t n, const str *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(a[i], b[i]))
			return false;
	return true;
}

bool health_config_same(const route53_HealthCheckConfig *a, const route53_HealthCheckConfig *b)
{
	return str_eq(a->Type, b->Type) && str_eq(a->IPAddress, b->IPAddress) && a->Port.v == b->Port.v &&
	       str_eq(a->ResourcePath, b->ResourcePath) && str_eq(a->SearchString, b->SearchString) &&
	       str_eq(a->FullyQualifiedDomainName, b->FullyQualifiedDomainName) &&
	       a->RequestInterval.v == b->RequestInterval.v && a->FailureThreshold.v == b->FailureThreshold.v &&
	       a->MeasureLatency.v == b->MeasureLatency.v && a->Inverted.v == b->Inverted.v &&
	       a->Disabled.v == b->Disabled.v && a->HealthThreshold.v == b->HealthThreshold.v &&
	       a->EnableSNI.v == b->EnableSNI.v &&
	       same_texts(a->ChildHealthChecks.v, a->ChildHealthChecks.n, b->ChildHealthChecks.v,
	                  b->ChildHealthChecks.n) &&
	       same_texts(a->Regions.v, a->Regions.n, b->Regions.v, b->Regions.n) &&
	       !a->AlarmIdentifier == !b->AlarmIdentifier &&
	       (!a->AlarmIdentifier || (str_eq(a->AlarmIdentifier->Name, b->AlarmIdentifier->Name) &&
	                                str_eq(a->AlarmIdentifier->Region, b->AlarmIdentifier->Region))) &&
	       str_eq(a->InsufficientDataHealthStatus, b->InsufficientDataHealthStatus);
}
