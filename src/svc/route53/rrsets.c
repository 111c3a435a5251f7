/* Record sets: batches of changes, all or nothing, and lists. */
#include "route53.h"

typedef struct batch {
	req *rq;
	txn *tx;
	route53_zone *z;
	route53_ResourceRecordSet *sets; /* clean, one for each change */
	const route53_Changes *changes;
	buf wrong;
	size_t n_wrong;
} batch;

static void say(batch *b, str what)
{
	if (b->n_wrong++)
		buf_put(&b->wrong, S(", "));
	buf_put(&b->wrong, what);
}

static str set_of(const route53_ResourceRecordSet *r)
{
	return str_is(r->SetIdentifier) ? r->SetIdentifier : S("");
}

static route53_rrset *kept(const txn *tx, arena *mem, const route53_zone *z,
	const route53_ResourceRecordSet *r)
{
	return route53_rrset_get(tx, mem, z->Id, name_order(mem, r->Name), r->Type, set_of(r));
}

static void drop(txn *tx, route53_zone *z, const route53_rrset *r)
{
	if (str_is(r->It->HealthCheckId))
		route53_health_use_delete(tx, r->It->HealthCheckId, z->Id, r->Order, r->Type, r->Set);
	if (route53_rrset_delete(tx, z->Id, r->Order, r->Type, r->Set))
		z->Sets--;
}

void rrset_put(txn *tx, route53_zone *z, const route53_ResourceRecordSet *r)
{
	arena *mem = txn_arena(tx);
	route53_rrset *old = kept(tx, mem, z, r);
	route53_ResourceRecordSet it = *r;
	if (old)
		drop(tx, z, old);
	route53_rrset row = { z->Id, name_order(mem, r->Name), r->Type, set_of(r), &it };
	route53_rrset_put(tx, &row);
	z->Sets++;
	if (str_is(it.HealthCheckId))
		route53_health_use_put(tx, &(route53_health_use){ it.HealthCheckId, z->Id, row.Order, row.Type,
			row.Set });
}

static bool deletes(const batch *b, size_t i)
{
	return str_eq(b->changes->v[i].Action, route53_ChangeAction_DELETE);
}

static void apply(batch *b, size_t i)
{
	arena *mem = b->rq->mem;
	const route53_ResourceRecordSet *r = &b->sets[i];
	route53_rrset *old = kept(b->tx, mem, b->z, r);
	if (deletes(b, i)) {
		if (!old)
			say(b, arena_fmt(mem, "Tried to delete resource record set %.*s but it was not found",
			                 STR_ARG(rrset_called(mem, r))));
		else if (!rrset_same(old->It, r))
			say(b, arena_fmt(mem, "Tried to delete resource record set %.*s but the values provided do not "
				"match "
			                 "the current values", STR_ARG(rrset_called(mem, r))));
		else
			drop(b->tx, b->z, old);
		return;
	}
	if (old && str_eq(b->changes->v[i].Action, route53_ChangeAction_CREATE))
		say(b, arena_fmt(mem, "Tried to create resource record set %.*s but it already exists",
		                 STR_ARG(rrset_called(mem, r))));
	else
		rrset_put(b->tx, b->z, r);
}

/* The same set changed twice, other than deleted and made anew. */
static bool twice(const batch *b, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		const route53_ResourceRecordSet *x = &b->sets[j], *y = &b->sets[i];
		if (str_eq(x->Name, y->Name) && str_eq(x->Type, y->Type) && str_eq(set_of(x), set_of(y)) &&
		    (!deletes(b, j) || deletes(b, i)))
			return true;
	}
	return false;
}

static void beside_same_type(batch *b, const route53_ResourceRecordSet *r, const route53_ResourceRecordSet *o)
{
	arena *mem = b->rq->mem;
	const char *how = rrset_routing(r), *other = rrset_routing(o);
	str called = arena_fmt(mem, "RRSet with DNS name %.*s, type %.*s", STR_ARG(r->Name), STR_ARG(r->Type));
	if (!str_is(r->SetIdentifier)) {
		say(b, arena_fmt(mem, "%.*s cannot be created as other RRSets exist with the same name and type.",
		                 STR_ARG(called)));
		return;
	}
	called = arena_fmt(mem, "%.*s, SetIdentifier %.*s", STR_ARG(called), STR_ARG(r->SetIdentifier));
	if (strcmp(how, other) != 0)
		say(b, arena_fmt(mem, "%.*s cannot be created as a non-%s set exists with the same name and type.",
		                 STR_ARG(called), how));
	else if (r->Weight.set && r->TTL.set && o->TTL.set && r->TTL.v != o->TTL.v)
		say(b, arena_fmt(mem, "%.*s cannot be created as weighted sets must contain the same TTL.",
		                 STR_ARG(called)));
	else if (str_is(r->Region) && str_eq(r->Region, o->Region))
		say(b, arena_fmt(mem, "%.*s, and Region Name=%.*s cannot be created because a latency RRSet with "
			"the same "
		                 "name, type and region already exists.", STR_ARG(called), STR_ARG(r->Region)));
	else if (str_is(r->Failover) && str_eq(r->Failover, o->Failover))
		say(b, arena_fmt(mem, "%.*s, and Failover %.*s cannot be created because a failover RRSet with the "
			"same "
		                 "name, type and failover already exists.", STR_ARG(called), STR_ARG(r->Failover)));
	else if (r->GeoLocation && str_eq(r->GeoLocation->ContinentCode, o->GeoLocation->ContinentCode) &&
	         str_eq(r->GeoLocation->CountryCode, o->GeoLocation->CountryCode) &&
	         str_eq(r->GeoLocation->SubdivisionCode, o->GeoLocation->SubdivisionCode))
		say(b, arena_fmt(mem, "%.*s cannot be created because a geolocation RRSet with the same name, type "
			"and "
		                 "location already exists.", STR_ARG(called)));
}

static void beside(batch *b, const route53_ResourceRecordSet *r)
{
	arena *mem = b->rq->mem, *rows = arena_open(1 << 14); /* a batch looks at the same ones again and again */
	str zone = b->z->It->Name;
	bool canonical = str_eq(r->Type, S("CNAME"));
	size_t before = b->n_wrong, alike = 0;
	record_scan s =
		route53_rrset_scan(b->tx, rows, 2, b->z->Id, name_order(mem, r->Name), STR_NONE, STR_NONE);
	for (route53_rrset *o; b->n_wrong == before && (o = route53_rrset_next(&s));) {
		if (str_eq(o->Type, r->Type)) {
			if (++alike > ROUTE53_ALIKE_MAX)
				say(b, arena_fmt(mem, "Number of records limit of %d exceeded for RRSets with DNS name %.*s, "
				                 "type %.*s", (int)ROUTE53_ALIKE_MAX, STR_ARG(r->Name), STR_ARG(r->Type)));
			else if (!str_eq(o->Set, set_of(r)))
				beside_same_type(b, r, o->It);
		} else if (canonical) {
			say(b, arena_fmt(mem, "RRSet of type CNAME with DNS name %.*s is not permitted as it conflicts "
				"with "
			                 "other records with the same DNS name in zone %.*s", STR_ARG(r->Name),
			                 STR_ARG(zone)));
		} else if (str_eq(o->Type, S("CNAME"))) {
			say(b, arena_fmt(mem, "RRSet of type %.*s with DNS name %.*s is not permitted because a "
				"conflicting "
			                 "RRSet of type CNAME with the same DNS name already exists in zone %.*s",
			                 STR_ARG(r->Type), STR_ARG(r->Name), STR_ARG(zone)));
		}
	}
	cursor_close(&s.at);
	arena_close(rows);
}

bool alias_of_ours(str name)
{
	static const str ends[] = { S(".amazonaws.com."), S(".cloudfront.net."), S(".localhost."),
		                        S(".awsglobalaccelerator.com."), S(".elasticbeanstalk.com."),
		                        S(".amazonaws.com.cn."), S(".awsapprunner.com."), S(".on.aws.") };
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (str_ends(name, ends[i]))
			return true;
	return false;
}

/* An alias names a set of its own zone, or something of AWS's. */
static void alias_lands(batch *b, const route53_ResourceRecordSet *r)
{
	arena *mem = b->rq->mem;
	const route53_AliasTarget *a = r->AliasTarget;
	if (!a || alias_of_ours(a->DNSName))
		return;
	str tried = arena_fmt(mem, "Tried to create an alias that targets %.*s, type %.*s in zone %.*s, but ",
	                      STR_ARG(a->DNSName), STR_ARG(r->Type), STR_ARG(a->HostedZoneId));
	if (!str_eq(a->HostedZoneId, b->z->Id) || !name_within(a->DNSName, b->z->It->Name)) {
		say(b, arena_concat(mem, tried, S("the alias target name does not lie within the target zone")));
		return;
	}
	record_scan s =
		route53_rrset_scan(b->tx, mem, 3, b->z->Id, name_order(mem, a->DNSName), r->Type, STR_NONE);
	if (!route53_rrset_next(&s))
		say(b, arena_concat(mem, tried, S("that target was not found")));
	else
		cursor_close(&s.at);
}

static void apex_whole(batch *b)
{
	static const struct { str type, says; } must[] = {
		{ S("SOA"), S("A HostedZone must contain exactly one SOA record.") },
		{ S("NS"), S("A HostedZone must contain at least one NS record for the zone itself.") },
	};
	for (size_t i = 0; i < 2; i++)
		if (!route53_rrset_get(b->tx, b->rq->mem, b->z->Id, name_order(b->rq->mem, b->z->It->Name),
		                       must[i].type, S("")))
			say(b, must[i].says);
}

static err batch_bounds(req *rq, const route53_Changes *changes)
{
	size_t records = 0, characters = 0;
	for (size_t i = 0; i < changes->n; i++) {
		const route53_ResourceRecordSet *r = changes->v[i].ResourceRecordSet;
		size_t times = str_eq(changes->v[i].Action, route53_ChangeAction_UPSERT) ? 2 : 1;
		records += times * (r->ResourceRecords.n ? r->ResourceRecords.n : 1);
		for (size_t k = 0; k < r->ResourceRecords.n; k++)
			characters += times * r->ResourceRecords.v[k].Value.n;
	}
	if (records > ROUTE53_CHANGES_MAX)
		return fail(rq, &route53_InvalidChangeBatch, "[Number of records limit of %d exceeded.]",
		            (int)ROUTE53_CHANGES_MAX);
	if (characters > ROUTE53_CHARACTERS_MAX)
		return fail(rq, &route53_InvalidChangeBatch, "[Number of characters limit of %d exceeded.]",
		            (int)ROUTE53_CHARACTERS_MAX);
	return OK;
}

static err batch_clean(batch *b)
{
	req *rq = b->rq;
	for (size_t i = 0; i < b->changes->n; i++) {
		str wrong;
		TRY(rrset_check(rq, &b->changes->v[i], b->z, &b->sets[i], &wrong));
		str health = b->sets[i].HealthCheckId;
		if (!deletes(b, i) && str_is(health) && !route53_health_get(b->tx, rq->mem, rq->who.account, health))
			return fail(rq, &route53_NoSuchHealthCheck, "No health check exists with the specified ID %.*s",
			            STR_ARG(health));
		if (str_is(wrong))
			say(b, wrong);
		else if (twice(b, i))
			say(b, arena_fmt(rq->mem, "The request contains an invalid set of changes for a resource "
				"record set "
			                 "'%.*s %.*s'", STR_ARG(b->sets[i].Type), STR_ARG(b->sets[i].Name)));
	}
	return OK;
}

static err batch_fault(const batch *b)
{
	return b->n_wrong ? fail(b->rq, &route53_InvalidChangeBatch, "[%.*s]", STR_ARG(buf_str(&b->wrong))) : OK;
}

err route53_ChangeResourceRecordSets(req *rq, txn *tx, const route53_ChangeResourceRecordSets_in *in,
                                     route53_ChangeResourceRecordSets_out *out)
{
	batch b = { .rq = rq, .tx = tx, .changes = &in->ChangeBatch->Changes,
		        .wrong = buf_in(rq->mem, 256, 1 << 20) };
	TRY(zone_find(rq, tx, in->HostedZoneId, &b.z));
	TRY(batch_bounds(rq, b.changes));
	b.sets = arena_array(rq->mem, route53_ResourceRecordSet, b.changes->n);
	TRY(batch_clean(&b));
	TRY(batch_fault(&b));
	for (size_t i = 0; i < b.changes->n; i++)
		apply(&b, i);
	TRY(batch_fault(&b));
	for (size_t i = 0; i < b.changes->n; i++)
		if (!deletes(&b, i)) {
			beside(&b, &b.sets[i]);
			alias_lands(&b, &b.sets[i]);
		}
	apex_whole(&b);
	TRY(batch_fault(&b));
	if (b.z->Sets > ROUTE53_SETS_MAX)
		return fail(rq, &route53_InvalidChangeBatch, "[Number of records limit of %d exceeded in zone %.*s]",
		            (int)ROUTE53_SETS_MAX, STR_ARG(b.z->Id));
	route53_zone_put(tx, b.z);
	out->ChangeInfo = change_begin(rq, tx, in->ChangeBatch->Comment);
	return OK;
}

static err list_start(req *rq, const route53_ListResourceRecordSets_in *in, str *from)
{
	str name;
	*from = STR_NONE;
	if (!in->StartRecordName.n) {
		if (str_is(in->StartRecordType))
			return fail(rq, &route53_InvalidInput, "The input is not valid: a record type needs a record "
				"name.");
		return OK;
	}
	if (str_is(in->StartRecordIdentifier) && !str_is(in->StartRecordType))
		return fail(rq, &route53_InvalidInput,
		            "The input is not valid: a record identifier needs a record type.");
	const char *why = name_clean(rq->mem, in->StartRecordName, &name);
	if (why)
		return fail(rq, &route53_InvalidInput, "%s encountered with '%.*s'", why,
			STR_ARG(in->StartRecordName));
	*from = name_order(rq->mem, name);
	return OK;
}

static bool is_before(const route53_rrset *r, str from, const route53_ListResourceRecordSets_in *in)
{
	int order = str_cmp(r->Order, from);
	if (order == 0 && str_is(in->StartRecordType)) {
		order = str_cmp(r->Type, in->StartRecordType);
		if (order == 0 && str_is(in->StartRecordIdentifier))
			order = str_cmp(r->Set, in->StartRecordIdentifier);
	}
	return order < 0;
}

err route53_ListResourceRecordSets(req *rq, const txn *tx, const route53_ListResourceRecordSets_in *in,
                                   route53_ListResourceRecordSets_out *out)
{
	route53_zone *z;
	int64_t most;
	str from;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_SETS, &most));
	TRY(list_start(rq, in, &from));
	out->ResourceRecordSets.v = arena_array(rq->mem, route53_ResourceRecordSet, (size_t)most);
	out->IsTruncated = BOOL(false);
	record_scan s = route53_rrset_scan(tx, rq->mem, 1, z->Id, STR_NONE, STR_NONE, STR_NONE);
	if (str_is(from)) /* from before the name itself */
		record_scan_after(&s, str_sub(from, 0, from.n - 1));
	for (route53_rrset *r; (r = route53_rrset_next(&s));) {
		if (str_is(from) && is_before(r, from, in))
			continue;
		if (out->ResourceRecordSets.n == (size_t)most) {
			out->NextRecordName = r->It->Name;
			out->NextRecordType = r->Type;
			out->NextRecordIdentifier = r->It->SetIdentifier;
			out->IsTruncated = BOOL(true);
			cursor_close(&s.at);
			break;
		}
		out->ResourceRecordSets.v[out->ResourceRecordSets.n++] = *r->It;
	}
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}
