/*
 * What a zone answers: wildcards, CNAMEs, aliases, and the routing policies with the health of what they
 * choose from. Whoever asks is taken to be where Farthing is, in us-east-1.
 */
#include "cloud/meter.h"
#include "cloud/name_lookup.h"
#include "route53.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <math.h>

#define DEEP 16
#define ZONES_DEEP 8
#define TTL_OURS 60
#define MULTIVALUE_MAX 8
#define SETS_AT_ONCE 128
#define LOOKS_MAX 16384 /* aliases of aliases may branch without end: what lies beyond is taken to be well */
#define LOOKS_LED 256   /* the same where a request waits to be led */

typedef struct asker {
	const txn *tx;
	arena *mem;
	const route53_zone *z;
	str type, client;
	dns_answer *a;
	size_t looks; /* at most */
} asker;

static const struct { const char *region; double latitude, longitude; } regions[] = {
	{ "us-east-1", 38.9, -77.4 }, { "us-east-2", 40.0, -83.0 }, { "us-west-1", 37.4, -121.9 },
	{ "us-west-2", 45.8, -119.7 }, { "ca-central-1", 45.5, -73.6 }, { "ca-west-1", 51.0, -114.1 },
	{ "eu-west-1", 53.3, -6.3 }, { "eu-west-2", 51.5, -0.1 }, { "eu-west-3", 48.9, 2.4 },
	{ "eu-central-1", 50.1, 8.7 }, { "eu-central-2", 47.4, 8.5 }, { "eu-north-1", 59.3, 18.1 },
	{ "eu-south-1", 45.5, 9.2 }, { "eu-south-2", 41.7, -0.9 }, { "ap-southeast-1", 1.4, 103.8 },
	{ "ap-southeast-2", -33.9, 151.2 }, { "ap-southeast-3", -6.2, 106.8 }, { "ap-southeast-4", -37.8, 145.0 },
	{ "ap-southeast-5", 3.1, 101.7 }, { "ap-southeast-6", -36.8, 174.8 }, { "ap-southeast-7", 13.8, 100.5 },
	{ "ap-northeast-1", 35.7, 139.7 }, { "ap-northeast-2", 37.6, 127.0 }, { "ap-northeast-3", 34.7, 135.5 },
	{ "ap-south-1", 19.1, 72.9 }, { "ap-south-2", 17.4, 78.5 }, { "ap-east-1", 22.3, 114.2 },
	{ "ap-east-2", 25.0, 121.6 }, { "sa-east-1", -23.6, -46.6 }, { "mx-central-1", 20.6, -100.4 },
	{ "me-south-1", 26.1, 50.6 }, { "me-central-1", 25.3, 55.3 }, { "il-central-1", 32.1, 34.8 },
	{ "af-south-1", -33.9, 18.4 }, { "us-gov-east-1", 40.0, -83.0 }, { "us-gov-west-1", 45.8, -119.7 },
	{ "cn-north-1", 39.9, 116.4 }, { "cn-northwest-1", 37.5, 105.2 },
};

static double from_here(double latitude, double longitude)
{
	const double degree = M_PI / 180;
	double a = regions[0].latitude * degree, b = latitude * degree;
	double c = sin(a) * sin(b) + cos(a) * cos(b) * cos((longitude - regions[0].longitude) * degree);
	return acos(c > 1 ? 1 : c < -1 ? -1 : c);
}

static double region_distance(str region)
{
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		if (str_eq(region, str_c(regions[i].region)))
			return from_here(regions[i].latitude, regions[i].longitude);
	return M_PI;
}

static double proximity(const route53_GeoProximityLocation *p)
{
	double latitude = 0, longitude = 0, bias = (double)p->Bias.v / 100, far = M_PI;
	if (p->Coordinates && str_to_f64(p->Coordinates->Latitude, &latitude) &&
	    str_to_f64(p->Coordinates->Longitude, &longitude))
		far = from_here(latitude, longitude);
	else if (str_is(p->AWSRegion))
		far = region_distance(p->AWSRegion);
	return bias >= 0 ? far * (1 - bias) : far / (1 + bias);
}

/* How closely a location fits whoever is in Virginia; 0: not at all. */
static int geo_fits(const route53_GeoLocation *g)
{
	if (str_is(g->SubdivisionCode))
		return str_eq(g->CountryCode, S("US")) && str_eq(g->SubdivisionCode, S("VA")) ? 4 : 0;
	if (str_is(g->CountryCode))
		return str_eq(g->CountryCode, S("US")) ? 3 : str_eq(g->CountryCode, S("*")) ? 1 : 0;
	return str_eq(g->ContinentCode, S("NA")) ? 2 : 0;
}

static size_t sets_at(const asker *q, str name, str type, route53_ResourceRecordSet **sets);

static bool healthy(const asker *q, const route53_ResourceRecordSet *r, int deep)
{
	if (q->a->looked++ >= q->looks)
		return true;
	if (str_is(r->HealthCheckId) && !health_ok(q->tx, q->mem, r->HealthCheckId))
		return false;
	const route53_AliasTarget *a = r->AliasTarget;
	if (!a || !a->EvaluateTargetHealth.v || alias_of_ours(a->DNSName) || deep >= DEEP)
		return true;
	route53_ResourceRecordSet **sets = arena_array(q->mem, route53_ResourceRecordSet *, SETS_AT_ONCE);
	size_t n = sets_at(q, a->DNSName, r->Type, sets);
	q->a->looked += n;
	for (size_t i = 0; i < n; i++)
		if (healthy(q, sets[i], deep + 1))
			return true;
	return n == 0;
}

static size_t sets_at(const asker *q, str name, str type, route53_ResourceRecordSet **sets)
{
	size_t n = 0;
	record_scan s = route53_rrset_scan(q->tx, q->mem, 3, q->z->Id, name_order(q->mem, name), type, STR_NONE);
	for (route53_rrset *r; n < SETS_AT_ONCE && (r = route53_rrset_next(&s));)
		sets[n++] = r->It;
	cursor_close(&s.at);
	return n;
}

static const route53_ResourceRecordSet *weighted(route53_ResourceRecordSet **sets, size_t n)
{
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++)
		all += (uint64_t)sets[i]->Weight.v;
	if (!all)
		return sets[rand_below(n)];
	uint64_t at = rand_below(all);
	for (size_t i = 0; i < n; i++) {
		if (at < (uint64_t)sets[i]->Weight.v)
			return sets[i];
		at -= (uint64_t)sets[i]->Weight.v;
	}
	return sets[0];
}

static double rank(const route53_ResourceRecordSet *r)
{
	if (str_is(r->Region))
		return region_distance(r->Region);
	if (r->GeoProximityLocation)
		return proximity(r->GeoProximityLocation);
	if (r->GeoLocation)
		return -geo_fits(r->GeoLocation);
	return str_eq(r->Failover, S("PRIMARY")) ? 0 : 1;
}

static const route53_ResourceRecordSet *best(route53_ResourceRecordSet **sets, size_t n)
{
	const route53_ResourceRecordSet *found = NULL;
	for (size_t i = 0; i < n; i++)
		if ((!sets[i]->GeoLocation || geo_fits(sets[i]->GeoLocation)) && (!found ||
			rank(sets[i]) < rank(found)))
			found = sets[i];
	return found;
}

/* Those that are healthy in front; how many. Weights of 0 count only when there is nothing else. */
static size_t healthy_first(const asker *q, route53_ResourceRecordSet **sets, size_t n)
{
	size_t good = 0;
	for (size_t pass = 0; pass < 2 && !good; pass++)
		for (size_t i = 0; i < n; i++)
			if ((pass || !sets[i]->Weight.set || sets[i]->Weight.v) && healthy(q, sets[i], 0)) {
				route53_ResourceRecordSet *r = sets[i];
				sets[i] = sets[good];
				sets[good++] = r;
			}
	return good;
}

static void add(const asker *q, str name, str type, int64_t ttl, str value)
{
	dns_answer *a = q->a;
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		dns_record *more = arena_array(q->mem, dns_record, room);
		if (a->n)
			memcpy(more, a->v, a->n * sizeof *more);
		a->v = more;
		a->room = room;
	}
	a->v[a->n++] = (dns_record){ name, type, value, ttl };
}

static void follow(const asker *q, str name, str shown, int deep);

static void give(const asker *q, str shown, const route53_ResourceRecordSet *r, int deep)
{
	const route53_AliasTarget *t = r->AliasTarget;
	if (t && alias_of_ours(t->DNSName)) {
		q->a->free_ = true;
		q->a->leads = t->DNSName;
		if (str_eq(r->Type, S("A")))
			add(q, shown, r->Type, TTL_OURS, S("127.0.0.1"));
		return;
	}
	if (t) {
		follow(q, t->DNSName, shown, deep + 1);
		return;
	}
	for (size_t i = 0; i < r->ResourceRecords.n; i++)
		add(q, shown, r->Type, r->TTL.v, r->ResourceRecords.v[i].Value);
	str next;
	if (!str_eq(r->Type, S("CNAME")) || str_eq(q->type, S("CNAME")) || !r->ResourceRecords.n ||
	    name_clean(q->mem, r->ResourceRecords.v[0].Value, &next))
		return;
	q->a->leads = next;
	if (name_within(next, q->z->It->Name))
		follow(q, next, next, deep + 1);
}

static bool choose(const asker *q, str shown, str name, str type, int deep)
{
	route53_ResourceRecordSet **sets = arena_array(q->mem, route53_ResourceRecordSet *, SETS_AT_ONCE);
	size_t n = sets_at(q, name, type, sets);
	if (!n)
		return false;
	if (!q->a->routing)
		q->a->routing = rrset_routing(sets[0]);
	size_t good = healthy_first(q, sets, n);
	if (!good)
		good = n; /* when all are ill, all are taken to be well */
	if (sets[0]->MultiValueAnswer.set) {
		for (size_t i = 0; i < MULTIVALUE_MAX && i < good; i++) {
			size_t k = i + (size_t)rand_below(good - i);
			route53_ResourceRecordSet *r = sets[k];
			sets[k] = sets[i];
			give(q, shown, r, deep);
		}
		return true;
	}
	const route53_ResourceRecordSet *r = sets[0]->Weight.set ? weighted(sets, good) : best(sets, good);
	if (r)
		give(q, shown, r, deep);
	return true;
}

/* Something has this name, or a name below it. */
static bool exists(const asker *q, str name)
{
	str order = name_order(q->mem, name);
	record_scan s = route53_rrset_scan(q->tx, q->mem, 2, q->z->Id, order, STR_NONE, STR_NONE);
	bool found = route53_rrset_next(&s);
	cursor_close(&s.at);
	if (found)
		return true;
	s = route53_rrset_scan(q->tx, q->mem, 1, q->z->Id, STR_NONE, STR_NONE, STR_NONE);
	record_scan_after(&s, order);
	route53_rrset *next = route53_rrset_next(&s);
	found = next && str_starts(next->Order, order);
	cursor_close(&s.at);
	return found;
}

static void follow(const asker *q, str name, str shown, int deep)
{
	str source = name;
	if (deep > DEEP || !name_within(name, q->z->It->Name))
		return;
	if (!exists(q, name)) {
		str above = name_parent(name);
		while (str_is(above) && !exists(q, above) && name_within(above, q->z->It->Name))
			above = name_parent(above);
		source = arena_fmt(q->mem, "\\052.%.*s", STR_ARG(above));
		if (!str_is(above) || !name_within(source, q->z->It->Name) || !exists(q, source)) {
			if (!deep)
				q->a->rcode = "NXDOMAIN";
			return;
		}
	}
	if (!choose(q, shown, source, q->type, deep) && !str_eq(q->type, S("CNAME")))
		choose(q, shown, source, S("CNAME"), deep);
}

static void ask(const txn *tx, arena *mem, const route53_zone *z, str name, str type, str client,
                size_t looks, dns_answer *a)
{
	asker q = { tx, mem, z, type, client, a, looks };
	*a = (dns_answer){ .rcode = "NOERROR" };
	follow(&q, name, name, 0);
}

void dns_ask(const txn *tx, arena *mem, const route53_zone *z, str name, str type, str client, dns_answer *a)
{
	ask(tx, mem, z, name, type, client, LOOKS_MAX, a);
}

void dns_charge(arena *mem, const route53_zone *z, const dns_answer *a)
{
	const char *how = a->routing ? a->routing : "simple";
	const meter_kind *kind = strcmp(how, "latency") == 0 ? &ROUTE53_QUERY_LATENCY :
		strncmp(how, "geo", 3) == 0 ? &ROUTE53_QUERY_GEO : &ROUTE53_QUERY;
	if (!a->free_ && !zone_private(z))
		usage_later(z->Account, str_c(route53_service.global_region), clock_now(), kind,
		            zone_arn(mem, z->Id), QTY(1));
}

err route53_TestDNSAnswer(req *rq, const txn *tx, const route53_TestDNSAnswer_in *in,
                          route53_TestDNSAnswer_out *out)
{
	route53_zone *z;
	str name;
	int64_t mask;
	dns_answer a;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	const char *why = name_clean(rq->mem, in->RecordName, &name);
	if (why)
		return fail(rq, &route53_InvalidInput, "%s encountered with '%.*s'", why, STR_ARG(in->RecordName));
	if (str_is(in->EDNS0ClientSubnetMask) &&
	    (!str_is(in->EDNS0ClientSubnetIP) || !str_to_i64(in->EDNS0ClientSubnetMask, &mask) || mask < 0 ||
	     mask > (str_find_char(in->EDNS0ClientSubnetIP, ':') == SIZE_MAX ? 32 : 128)))
		return fail(rq, &route53_InvalidInput, "The EDNS0 client subnet mask is not valid: %.*s",
		            STR_ARG(in->EDNS0ClientSubnetMask));
	dns_ask(tx, rq->mem, z, name, in->RecordType,
	        str_is(in->EDNS0ClientSubnetIP) ? in->EDNS0ClientSubnetIP : in->ResolverIP, &a);
	out->Nameserver = z->Servers.v[0];
	out->RecordName = in->RecordName;
	out->RecordType = in->RecordType;
	out->RecordData.v = arena_array(rq->mem, str, a.n + 1);
	for (size_t i = 0; i < a.n; i++)
		if (str_eq(a.v[i].type, in->RecordType) || a.n == 1)
			out->RecordData.v[out->RecordData.n++] = a.v[i].value;
	out->ResponseCode = name_within(name, z->It->Name) ? str_c(a.rcode) : S("REFUSED");
	out->Protocol = S("UDP");
	return OK;
}

static size_t public_values(const txn *tx, arena *mem, str name, str type, str **values)
{
	str clean;
	dns_answer a = { 0 };
	size_t n = 0;
	if (name_clean(mem, name, &clean))
		return 0;
	route53_zone *z = zone_above(tx, mem, clean);
	if (!z || zone_private(z))
		return 0;
	dns_ask(tx, mem, z, clean, type, STR_NONE, &a);
	*values = arena_array(mem, str, a.n + 1);
	for (size_t i = 0; i < a.n; i++)
		if (str_eq(a.v[i].type, type))
			(*values)[n++] = a.v[i].value;
	return n;
}
NAME_SOURCE(public_values);

/* From zone to zone, as a resolver goes, on a thread that has no time to lose. Nobody is charged: whoever
 * came here has asked before. */
static bool leads_to(const txn *tx, arena *mem, str name, str *to)
{
	str at;
	if (name_clean(mem, name, &at))
		return false;
	for (size_t hops = 0; hops < ZONES_DEEP; hops++) {
		dns_answer a = { 0 };
		route53_zone *z = hops && alias_of_ours(at) ? NULL : zone_above(tx, mem, at);
		if (!z)
			return hops > 0;
		ask(tx, mem, z, at, S("A"), STR_NONE, LOOKS_LED, &a);
		if (!a.n && !str_is(a.leads))
			ask(tx, mem, z, at, S("AAAA"), STR_NONE, LOOKS_LED, &a);
		if (!str_is(a.leads))
			return hops || a.n;
		at = a.leads;
		if (alias_of_ours(at)) {
			*to = str_sub(at, 0, at.n - 1);
			return true;
		}
	}
	return true;
}
NAME_LEADER(leads_to);
