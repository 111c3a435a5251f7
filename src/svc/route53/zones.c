/* Hosted zones. */
#include "base/time.h"
#include "cloud/meter.h"
#include "route53.h"
#include "store/due.h"

/* A zone that is deleted sooner costs nothing. */
#define GRACE_MS (12 * MS_HOUR)
#define TTL_NS 172800
#define TTL_SOA 900

bool zone_private(const route53_zone *z)
{
	return z->It->Config && z->It->Config->PrivateZone.v;
}

str zone_arn(arena *mem, str id)
{
	return arena_fmt(mem, "arn:aws:route53:::hostedzone/%.*s", STR_ARG(id));
}

route53_zone *zone_any(const txn *tx, arena *mem, str id)
{
	route53_zone_owner *o = route53_zone_owner_get(tx, mem, id);
	return o ? route53_zone_get(tx, mem, o->Account, id) : NULL;
}

err zone_find(req *rq, const txn *tx, str id, route53_zone **z)
{
	id = id_bare(id);
	*z = route53_zone_get(tx, rq->mem, rq->who.account, id);
	return *z ? OK : fail(rq, &route53_NoSuchHostedZone, "No hosted zone found with ID: %.*s", STR_ARG(id));
}

route53_zone *zone_above(const txn *tx, arena *mem, str name)
{
	for (str at = name; str_is(at); at = name_parent(at)) {
		route53_zone *found = NULL;
		record_scan s = route53_zone_name_scan(tx, mem, 1, name_order(mem, at), STR_NONE);
		for (route53_zone_name *n; (n = route53_zone_name_next(&s));) {
			route53_zone *z = route53_zone_get(tx, mem, n->Account, n->Id);
			/* Of several public ones only one is delegated to: the first that was made. */
			if (z && (!found || (zone_private(found) && !zone_private(z)) ||
			          (zone_private(found) == zone_private(z) && z->Created < found->Created)))
				found = z;
		}
		if (found)
			return found;
	}
	return NULL;
}

route53_HostedZone zone_shown(req *rq, const route53_zone *z)
{
	route53_HostedZone h = *z->It;
	h.Id = arena_fmt(rq->mem, "/hostedzone/%.*s", STR_ARG(z->Id));
	h.ResourceRecordSetCount = I64(z->Sets);
	return h;
}

route53_DelegationSet *zone_servers(req *rq, const txn *tx, const route53_zone *z)
{
	if (zone_private(z))
		return NULL;
	route53_DelegationSet *d = arena_new(rq->mem, route53_DelegationSet);
	route53_delegation_set *kept = !str_is(z->DelegationSet) ? NULL :
		route53_delegation_set_get(tx, rq->mem, z->Account, z->DelegationSet);
	if (kept)
		*d = *kept->It;
	d->NameServers = z->Servers;
	return d;
}

static int64_t next_month(int64_t when)
{
	civil c = time_civil(when);
	return time_from_civil((civil){ .year = c.month == 12 ? c.year + 1 : c.year,
	                                .month = c.month == 12 ? 1 : c.month + 1, .day = 1 });
}

static void charge_month(txn *tx, const route53_zone *z, int64_t when)
{
	usage_add(tx, z->Account, str_c(route53_service.global_region), when, &ROUTE53_ZONE,
	          zone_arn(txn_arena(tx), z->Id), QTY(meter_month_hours(when)));
}

/* Half a day after a zone was made its first month is charged, and then each on its first day. */
TIMER(route53_zone_month)
{
	route53_zone *z = zone_any(tx, txn_arena(tx), payload);
	if (!z)
		return;
	int64_t month = due == z->Created + GRACE_MS ? z->Created : due;
	charge_month(tx, z, month);
	for (month = next_month(month); month <= due; month = next_month(month))
		charge_month(tx, z, month);
	timer_set(tx, "route53_zone_month", z->Id, month, z->Id);
}

static void own_set(req *rq, txn *tx, route53_zone *z, str type, int64_t ttl, const str *values, size_t n)
{
	route53_ResourceRecordSet r = { .Name = z->It->Name, .Type = type, .TTL = I64(ttl) };
	r.ResourceRecords.v = arena_array(rq->mem, route53_ResourceRecord, n);
	for (size_t i = 0; i < n; i++)
		r.ResourceRecords.v[r.ResourceRecords.n++].Value = values[i];
	rrset_put(tx, z, &r);
}

/* Every zone begins with its name servers and its authority. */
static void own_sets(req *rq, txn *tx, route53_zone *z)
{
	str servers[8];
	size_t n = 0;
	for (; n < z->Servers.n && n < 8; n++)
		servers[n] = arena_fmt(rq->mem, "%.*s.", STR_ARG(z->Servers.v[n]));
	own_set(rq, tx, z, S("NS"), TTL_NS, servers, n);
	str authority = arena_fmt(rq->mem, "%.*s awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
	                          STR_ARG(servers[0]));
	own_set(rq, tx, z, S("SOA"), TTL_SOA, &authority, 1);
}

static size_t zones_of(const txn *tx, arena *mem, str account)
{
	size_t n = 0;
	record_scan s = route53_zone_scan(tx, mem, 1, account, STR_NONE);
	while (route53_zone_next(&s))
		n++;
	return n;
}

static const str private_servers[] = { S("ns-1536.awsdns-00.co.uk"), S("ns-0.awsdns-00.com"),
	                                   S("ns-1024.awsdns-00.org"), S("ns-512.awsdns-00.net") };

static err choose_servers(req *rq, const txn *tx, const route53_CreateHostedZone_in *in, route53_zone *z)
{
	route53_delegation_set *d;
	if (in->VPC) {
		z->Servers.v = arena_array(rq->mem, str, 4);
		for (size_t i = 0; i < 4; i++)
			z->Servers.v[z->Servers.n++] = private_servers[i];
		return OK;
	}
	if (!str_is(in->DelegationSetId)) {
		z->Servers = servers_new(rq->mem);
		return OK;
	}
	TRY(delegation_find(rq, tx, in->DelegationSetId, &d));
	z->Servers = d->It->NameServers;
	z->DelegationSet = d->Id;
	record_scan s = route53_zone_name_scan(tx, rq->mem, 1, name_order(rq->mem, z->It->Name), STR_NONE);
	for (route53_zone_name *n; (n = route53_zone_name_next(&s));) {
		route53_zone *other = route53_zone_get(tx, rq->mem, n->Account, n->Id);
		if (other && str_eq(other->DelegationSet, z->DelegationSet)) {
			cursor_close(&s.at);
			return fail(rq, &route53_ConflictingDomainExists,
			            "Cannot create hosted zone with DelegationSetId DelegationSetId:%.*s as the "
			            "DNSName %.*s "
			            "conflicts with existing ones sharing the delegation set",
			            STR_ARG(d->Id), STR_ARG(z->It->Name));
		}
	}
	return OK;
}

static err allow(req *rq, txn *tx, const route53_CreateHostedZone_in *in, str *name)
{
	const char *wrong = name_clean(rq->mem, in->Name, name);
	if (wrong || str_eq(*name, S(".")))
		return fail(rq, &route53_InvalidDomainName, "%s encountered with '%.*s'",
		            wrong ? wrong : "DomainLabelEmpty (Domain label is empty)", STR_ARG(in->Name));
	if (in->HostedZoneConfig && in->HostedZoneConfig->PrivateZone.v && !in->VPC)
		return fail(rq, &route53_InvalidInput,
		            "When you're creating a private hosted zone (when you specify true for PrivateZone), you "
		            "must also specify values for VPCId and VPCRegion.");
	if (in->VPC && str_is(in->DelegationSetId))
		return fail(rq, &route53_InvalidInput,
		            "A reusable delegation set can't be associated with a private hosted zone.");
	if (route53_reference_get(tx, rq->mem, rq->who.account, S("zone"), in->CallerReference))
		return fail(rq, &route53_HostedZoneAlreadyExists,
		            "A hosted zone has already been created with the specified caller reference.");
	if (zones_of(tx, rq->mem, rq->who.account) >= ROUTE53_ZONES_MAX)
		return fail(rq, &route53_TooManyHostedZones,
		            "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.");
	return in->VPC ? vpc_check(rq, tx, in->VPC) : OK;
}

err route53_CreateHostedZone(req *rq, txn *tx, const route53_CreateHostedZone_in *in,
                             route53_CreateHostedZone_out *out)
{
	str name;
	TRY(allow(rq, tx, in, &name));
	route53_HostedZoneConfig config = { .PrivateZone = BOOL(in->VPC != NULL) };
	if (in->HostedZoneConfig && in->HostedZoneConfig->Comment.n)
		config.Comment = in->HostedZoneConfig->Comment;
	route53_HostedZone it = { .Name = name, .CallerReference = in->CallerReference, .Config = &config };
	route53_zone z = { .Account = rq->who.account, .Id = id_new(rq->mem, 'Z'), .It = &it,
		               .Created = rq->now };
	it.Id = z.Id;
	TRY(choose_servers(rq, tx, in, &z));
	route53_zone_owner_put(tx, &(route53_zone_owner){ z.Id, z.Account });
	route53_zone_name_put(tx, &(route53_zone_name){ name_order(rq->mem, name), z.Id, z.Account });
	route53_reference_put(tx, &(route53_reference){ z.Account, S("zone"), in->CallerReference, z.Id });
	if (in->VPC)
		TRY(vpc_join(rq, tx, &z, in->VPC));
	own_sets(rq, tx, &z);
	route53_zone_put(tx, &z);
	timer_set(tx, "route53_zone_month", z.Id, z.Created + GRACE_MS, z.Id);
	out->HostedZone = arena_new(rq->mem, route53_HostedZone);
	*out->HostedZone = zone_shown(rq, &z);
	out->HostedZone->Config = arena_new(rq->mem, route53_HostedZoneConfig);
	*out->HostedZone->Config = config;
	out->ChangeInfo = change_begin(rq, tx, STR_NONE);
	out->DelegationSet = zone_servers(rq, tx, &z);
	out->VPC = in->VPC;
	out->Location = arena_fmt(rq->mem, "https://route53.amazonaws.com/2013-04-01/hostedzone/%.*s",
	                          STR_ARG(z.Id));
	return OK;
}

err route53_GetHostedZone(req *rq, const txn *tx, const route53_GetHostedZone_in *in,
                          route53_GetHostedZone_out *out)
{
	route53_zone *z;
	TRY(zone_find(rq, tx, in->Id, &z));
	out->HostedZone = arena_new(rq->mem, route53_HostedZone);
	*out->HostedZone = zone_shown(rq, z);
	out->DelegationSet = zone_servers(rq, tx, z);
	if (z->VPCs.n)
		out->VPCs = z->VPCs;
	return OK;
}

err route53_DeleteHostedZone(req *rq, txn *tx, const route53_DeleteHostedZone_in *in,
                             route53_DeleteHostedZone_out *out)
{
	route53_zone *z;
	TRY(zone_find(rq, tx, in->Id, &z));
	str order = name_order(rq->mem, z->It->Name);
	record_scan s = route53_rrset_scan(tx, rq->mem, 1, z->Id, STR_NONE, STR_NONE, STR_NONE);
	for (route53_rrset *r; (r = route53_rrset_next(&s));)
		if (!str_eq(r->Order, order) || (!str_eq(r->Type, S("NS")) && !str_eq(r->Type, S("SOA")))) {
			cursor_close(&s.at);
			return fail(rq, &route53_HostedZoneNotEmpty,
			            "The specified hosted zone contains non-required resource record sets  and so "
			            "cannot be "
			            "deleted.");
		}
	route53_rrset_delete(tx, z->Id, order, S("NS"), S(""));
	route53_rrset_delete(tx, z->Id, order, S("SOA"), S(""));
	while (z->VPCs.n)
		vpc_leave(tx, z, &z->VPCs.v[0]);
	route53_logging *l;
	record_scan logs = route53_logging_scan(tx, rq->mem, 1, z->Account, STR_NONE);
	while ((l = route53_logging_next(&logs)))
		if (str_eq(l->Zone, z->Id))
			route53_logging_delete(tx, l->Account, l->Id);
	route53_zone_owner_delete(tx, z->Id);
	route53_zone_name_delete(tx, order, z->Id);
	route53_reference_delete(tx, z->Account, S("zone"), z->It->CallerReference);
	route53_zone_delete(tx, z->Account, z->Id);
	timer_cancel(tx, "route53_zone_month", z->Id);
	out->ChangeInfo = change_begin(rq, tx, STR_NONE);
	return OK;
}

err route53_UpdateHostedZoneComment(req *rq, txn *tx, const route53_UpdateHostedZoneComment_in *in,
                                    route53_UpdateHostedZoneComment_out *out)
{
	route53_zone *z;
	TRY(zone_find(rq, tx, in->Id, &z));
	z->It->Config->Comment = in->Comment.n ? in->Comment : STR_NONE;
	route53_zone_put(tx, z);
	out->HostedZone = arena_new(rq->mem, route53_HostedZone);
	*out->HostedZone = zone_shown(rq, z);
	return OK;
}

err route53_GetHostedZoneCount(req *rq, const txn *tx, const route53_GetHostedZoneCount_in *in,
                               route53_GetHostedZoneCount_out *out)
{
	(void)in;
	out->HostedZoneCount = I64((int64_t)zones_of(tx, rq->mem, rq->who.account));
	return OK;
}
