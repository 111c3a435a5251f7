/* What a record set may be, whatever else is in its zone. */
#include "route53.h"

#define EITHER "AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId"
#define ROUTINGS \
	"Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig"

const char *rrset_routing(const route53_ResourceRecordSet *r)
{
	return r->Weight.set ? "weighted" : str_is(r->Region) ? "latency" : str_is(r->Failover) ? "failover" :
	       r->GeoLocation ? "geolocation" : r->MultiValueAnswer.set ? "multivalue answer" :
	       r->GeoProximityLocation ? "geoproximity" : r->CidrRoutingConfig ? "CIDR" : "simple";
}

static size_t routings(const route53_ResourceRecordSet *r)
{
	return (size_t)r->Weight.set + str_is(r->Region) + str_is(r->Failover) + (r->GeoLocation != NULL) +
	       r->MultiValueAnswer.set + (r->GeoProximityLocation != NULL) + (r->CidrRoutingConfig != NULL);
}

str rrset_called(arena *mem, const route53_ResourceRecordSet *r)
{
	if (!str_is(r->SetIdentifier))
		return arena_fmt(mem, "[name='%.*s', type='%.*s']", STR_ARG(r->Name), STR_ARG(r->Type));
	return arena_fmt(mem, "[name='%.*s', type='%.*s', set identifier='%.*s']", STR_ARG(r->Name),
	                 STR_ARG(r->Type), STR_ARG(r->SetIdentifier));
}

static err senseless(req *rq, const route53_Change *c, const char *what)
{
	const route53_ResourceRecordSet *r = c->ResourceRecordSet;
	return fail(rq, &route53_InvalidInput,
	            "Invalid request: %s in Change with [Action=%.*s, Name=%.*s, Type=%.*s, "
	            "SetIdentifier=%.*s]", what,
	            STR_ARG(c->Action), STR_ARG(r->Name), STR_ARG(r->Type),
	            STR_ARG(str_is(r->SetIdentifier) ? r->SetIdentifier : S("null")));
}

static err sense(req *rq, const route53_Change *c)
{
	const route53_ResourceRecordSet *r = c->ResourceRecordSet;
	bool values = r->TTL.set || r->ResourceRecords.v, whole = r->TTL.set && r->ResourceRecords.v;
	size_t kinds = (r->AliasTarget != NULL) + values + str_is(r->TrafficPolicyInstanceId);
	if (kinds > 1)
		return senseless(rq, c, "Expected exactly one of [" EITHER "], but found more than one");
	if (kinds == 0 || (values && !whole))
		return senseless(rq, c, "Expected exactly one of [" EITHER "], but found none");
	if (routings(r) > 1)
		return senseless(rq, c, "Expected exactly one of [" ROUTINGS "], but found more than one");
	if (routings(r) && !str_is(r->SetIdentifier))
		return senseless(rq, c, "Missing field 'SetIdentifier'");
	if (!routings(r) && str_is(r->SetIdentifier))
		return senseless(rq, c, "Expected exactly one of [" ROUTINGS "], but found none");
	if (str_is(r->TrafficPolicyInstanceId) || r->CidrRoutingConfig)
		return fail(rq, &aws_NotImplemented, "Farthing has no traffic policies and no routing by CIDR "
			"blocks.");
	return OK;
}

static bool listed(const route53_ResourceRecords *all, size_t n, str value)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(all->v[i].Value, value))
			return true;
	return false;
}

static str invalid_record(arena *mem, const char *why, str value)
{
	return arena_fmt(mem, "Invalid Resource Record: 'FATAL problem: %s encountered with '%.*s''", why,
	                 STR_ARG(value));
}

static str values_wrong(arena *mem, const route53_ResourceRecordSet *r, const route53_zone *z)
{
	const rdata_type *type = rdata_named(r->Type);
	if (r->ResourceRecords.n > ROUTE53_RECORDS_MAX)
		return arena_fmt(mem, "RRSet with DNS name %.*s, type %.*s has more than %d resource records",
		                 STR_ARG(r->Name), STR_ARG(r->Type), (int)ROUTE53_RECORDS_MAX);
	for (size_t i = 0; i < r->ResourceRecords.n; i++) {
		str value = r->ResourceRecords.v[i].Value;
		buf out = buf_in(mem, 256, DNS_PACKET_MAX / 2);
		const char *why = type->encode(mem, value, &out);
		if (!why && out.full)
			why = "CharacterStringTooLong (Value is too long)";
		if (why)
			return invalid_record(mem, why, value);
		if (listed(&r->ResourceRecords, i, value))
			return arena_fmt(mem, "Duplicate Resource Record: '%.*s'", STR_ARG(value));
	}
	bool single = str_eq(r->Type, S("CNAME")) || str_eq(r->Type, S("SOA"));
	if (single && r->ResourceRecords.n > 1)
		return arena_fmt(mem, "RRSet of type %.*s with DNS name %.*s in zone %.*s may have only one "
			"resource record",
		                 STR_ARG(r->Type), STR_ARG(r->Name), STR_ARG(z->It->Name));
	return STR_NONE;
}

static str alias_wrong(arena *mem, route53_ResourceRecordSet *r)
{
	route53_AliasTarget *a = arena_new(mem, route53_AliasTarget);
	*a = *r->AliasTarget;
	a->HostedZoneId = id_bare(a->HostedZoneId);
	const char *why = name_clean(mem, a->DNSName, &a->DNSName);
	if (why)
		return invalid_record(mem, why, r->AliasTarget->DNSName);
	r->AliasTarget = a;
	if (str_eq(r->Type, S("NS")) || str_eq(r->Type, S("SOA")))
		return arena_fmt(mem, "RRSet of type %.*s with DNS name %.*s may not be an alias", STR_ARG(r->Type),
		                 STR_ARG(r->Name));
	return STR_NONE;
}

static bool routed_alike(const route53_ResourceRecordSet *r)
{
	return str_eq(r->Type, S("NS")) || str_eq(r->Type, S("SOA"));
}

err rrset_check(req *rq, const route53_Change *c, const route53_zone *z, route53_ResourceRecordSet *clean,
                str *wrong)
{
	str zone = z->It->Name;
	TRY(sense(rq, c));
	*clean = *c->ResourceRecordSet;
	*wrong = STR_NONE;
	const char *why = name_clean(rq->mem, clean->Name, &clean->Name);
	if (why) {
		*wrong = arena_fmt(rq->mem, "FATAL problem: %s encountered with '%.*s'", why,
		                   STR_ARG(c->ResourceRecordSet->Name));
		return OK;
	}
	if (!name_within(clean->Name, zone))
		*wrong = arena_fmt(rq->mem, "RRSet with DNS name %.*s is not permitted in zone %.*s",
		                   STR_ARG(clean->Name), STR_ARG(zone));
	else if (str_eq(clean->Type, S("CNAME")) && str_eq(clean->Name, zone))
		*wrong = arena_fmt(rq->mem, "RRSet of type CNAME with DNS name %.*s is not permitted at apex in "
			"zone %.*s",
		                   STR_ARG(clean->Name), STR_ARG(zone));
	else if (routed_alike(clean) && routings(clean))
		*wrong = arena_fmt(rq->mem, "RRSet of type %.*s with DNS name %.*s may have no routing policy",
		                   STR_ARG(clean->Type), STR_ARG(clean->Name));
	else if (clean->MultiValueAnswer.set && clean->AliasTarget)
		*wrong = arena_fmt(rq->mem, "RRSet with DNS name %.*s, type %.*s may not be both an alias and a "
			"multivalue "
		                   "answer", STR_ARG(clean->Name), STR_ARG(clean->Type));
	else
		*wrong = clean->AliasTarget ? alias_wrong(rq->mem, clean) : values_wrong(rq->mem, clean, z);
	return OK;
}

static bool same_geo(const route53_GeoLocation *a, const route53_GeoLocation *b)
{
	return (!a && !b) || (a && b && str_eq(a->ContinentCode, b->ContinentCode) &&
	                      str_eq(a->CountryCode, b->CountryCode) && str_eq(a->SubdivisionCode,
	                      b->SubdivisionCode));
}

static bool same_alias(const route53_AliasTarget *a, const route53_AliasTarget *b)
{
	return (!a && !b) || (a && b && str_eq(a->HostedZoneId, b->HostedZoneId) && str_eq(a->DNSName,
		b->DNSName) &&
	                      a->EvaluateTargetHealth.v == b->EvaluateTargetHealth.v);
}

bool rrset_same(const route53_ResourceRecordSet *a, const route53_ResourceRecordSet *b)
{
	if (a->TTL.set != b->TTL.set || a->TTL.v != b->TTL.v || a->ResourceRecords.n != b->ResourceRecords.n ||
	    a->Weight.set != b->Weight.set || a->Weight.v != b->Weight.v || !str_eq(a->Region, b->Region) ||
	    !str_eq(a->Failover, b->Failover) || a->MultiValueAnswer.v != b->MultiValueAnswer.v ||
	    !str_eq(a->HealthCheckId, b->HealthCheckId) || !same_geo(a->GeoLocation, b->GeoLocation) ||
	    !same_alias(a->AliasTarget, b->AliasTarget))
		return false;
	for (size_t i = 0; i < a->ResourceRecords.n; i++)
		if (!listed(&b->ResourceRecords, b->ResourceRecords.n, a->ResourceRecords.v[i].Value))
			return false;
	return true;
}
