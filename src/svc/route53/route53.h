/*
 * What the handlers of Route 53 share. A zone has record sets; names are kept as the API shows them (lower
 * case, a dot at the end, \ooo for what is no letter, digit, '-' or '_') and sorted by their labels from the
 * right. Route 53 is global: rows know no Region.
 */
#pragma once
#include "cloud/tags.h"
#include "gen/route53.h"

/* As it is kept; what is wrong with it otherwise: "DomainLabelEmpty (Domain label is empty)". */
const char *name_clean(arena *mem, str given, str *name);
str name_order(arena *mem, str name);
/* Whether a name is in the zone, or the zone itself. */
bool name_within(str name, str zone);
/* Its labels as DNS sends them; false: too long. */
bool name_wire(str name, buf *out);
/* www.example.com. is below example.com.; STR_NONE for the root. */
str name_parent(str name);
/* Z123 of /hostedzone/Z123. */
str id_bare(str id);
str id_new(arena *mem, char first);
/* A page's size from its text. */
err page_size(req *rq, str text, int64_t most, int64_t *n);

typedef struct rdata_type {
	str name;
	uint16_t code;
	const char *(*encode)(arena *mem, str value, buf *out);
} rdata_type;
const rdata_type *rdata_named(str name);
const rdata_type *rdata_coded(uint16_t code);

err zone_find(req *rq, const txn *tx, str id, route53_zone **z);
/* The zone of whatever account. */
route53_zone *zone_any(const txn *tx, arena *mem, str id);
/* The zone with the longest name that a name is in, a public one before a private one; NULL: none. */
route53_zone *zone_above(const txn *tx, arena *mem, str name);
bool zone_private(const route53_zone *z);
route53_HostedZone zone_shown(req *rq, const route53_zone *z);
route53_DelegationSet *zone_servers(req *rq, const txn *tx, const route53_zone *z);
str zone_arn(arena *mem, str id);

/* A change begins; what the answer tells of it. */
route53_ChangeInfo *change_begin(req *rq, txn *tx, str comment);

route53_DelegationSetNameServers servers_new(arena *mem);
err delegation_find(req *rq, const txn *tx, str id, route53_delegation_set **d);

/* The VPC is there and may be used. */
err vpc_check(req *rq, txn *tx, const route53_VPC *v);
err vpc_join(req *rq, txn *tx, route53_zone *z, const route53_VPC *v);
void vpc_leave(txn *tx, route53_zone *z, const route53_VPC *v);

/* What is wrong with a set whatever else is there: a sentence for the list, or STR_NONE. A fault is for
 * requests that make no sense. */
err rrset_check(req *rq, const route53_Change *c, const route53_zone *z, route53_ResourceRecordSet *clean,
                str *wrong);
bool rrset_same(const route53_ResourceRecordSet *a, const route53_ResourceRecordSet *b);
/* As the answers speak of it. */
str rrset_called(arena *mem, const route53_ResourceRecordSet *r);
/* simple, weighted, latency, failover, geolocation, multivalue, geoproximity or cidr */
const char *rrset_routing(const route53_ResourceRecordSet *r);

/* Whether something of AWS's has this name: aliases to it cost nothing, and are answered with our address. */
bool alias_of_ours(str name);
void rrset_put(txn *tx, route53_zone *z, const route53_ResourceRecordSet *r);

typedef struct dns_record {
	str name, type, value;
	int64_t ttl;
} dns_record;
typedef struct dns_answer {
	const char *rcode;      /* NOERROR, NXDOMAIN, SERVFAIL */
	dns_record *v;
	size_t n, room;
	const char *routing;    /* how the first set was chosen */
	bool free_;             /* an alias to what AWS does not charge queries for */
	size_t looked;          /* sets whose health was looked at */
	str leads;              /* the last name that an alias of AWS's or a CNAME gave */
} dns_answer;
/* What the zone says to this question of someone at `client` (its address as text; empty: unknown). */
void dns_ask(const txn *tx, arena *mem, const route53_zone *z, str name, str type, str client, dns_answer *a);

/* What an answered question costs. */
void dns_charge(arena *mem, const route53_zone *z, const dns_answer *a);

bool health_ok(const txn *tx, arena *mem, str id);
err health_find(req *rq, const txn *tx, str id, route53_health **h);
route53_health *health_any(const txn *tx, arena *mem, str id);
str health_arn(arena *mem, str id);

extern const tag_rules route53_tag_rules;

#define DNS_PACKET_MAX 65535
#define DNS_UDP_PLAIN 512
typedef struct dns_asked {
	str client;             /* address as text */
	bool udp;               /* what does not fit is left out, and the reply says so */
	void (*charge)(arena *mem, const route53_zone *z, const dns_answer *a); /* or NULL */
} dns_asked;
/* The reply to a packet. n == 0: there is nothing to reply to. */
str dns_reply(const txn *tx, arena *mem, str packet, const dns_asked *from);
