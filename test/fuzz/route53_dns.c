/*
 * Any bytes as a DNS packet, by UDP or TCP, to a store with zones of every kind: there is no reply or a whole
 * one, which is the packet's, fits, and has the records that its head counts.
 */
#include "svc/route53/route53.h"
#include "sys/file.h"
#include <stdlib.h>

#define HEADER 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void set_put(txn *tx, route53_zone *z, route53_ResourceRecordSet r, const char *id, const char *value)
{
	route53_ResourceRecord one = { .Value = value ? str_c(value) : STR_NONE };
	r.TTL = I64(60);
	if (value)
		r.ResourceRecords = (route53_ResourceRecords){ &one, 1 };
	r.SetIdentifier = id ? str_c(id) : STR_NONE;
	rrset_put(tx, z, &r);
}
#define SET(name, type, value, ...) \
	set_put(tx, z, (route53_ResourceRecordSet){ .Name = S(name), .Type = S(type), __VA_ARGS__ }, NULL, value)
#define CHOICE(name, id, value, ...) \
	set_put(tx, z, (route53_ResourceRecordSet){ .Name = S(name), .Type = S("A"), __VA_ARGS__ }, id, value)
#define ALIAS(name) &(route53_AliasTarget){ .HostedZoneId = S("Z1"), .DNSName = S(name), \
	.EvaluateTargetHealth = BOOL(true) }

static void simple_sets(txn *tx, route53_zone *z)
{
	arena *mem = txn_arena(tx);
	SET("a.", "SOA", "ns.a. admin.a. 1 7200 900 1209600 86400");
	SET("a.", "NS", "ns.a.");
	SET("a.", "MX", "10 mail.a.");
	SET("a.", "CAA", "0 issue \"b.com\"");
	SET("b.a.", "A", "192.0.2.1");
	SET("b.a.", "AAAA", "::1");
	SET("\\052.w.a.", "A", "192.0.2.2");
	SET("c.a.", "CNAME", "b.a.");
	SET("l.a.", "CNAME", "m.a.");
	SET("m.a.", "CNAME", "l.a.");
	SET("o.a.", "A", NULL, .AliasTarget = ALIAS("o.a."));
	route53_ResourceRecordSet long_ = { .Name = S("t.a."), .Type = S("TXT"), .TTL = I64(60) };
	long_.ResourceRecords.v = arena_array(mem, route53_ResourceRecord, ROUTE53_RECORDS_MAX);
	for (int i = 0; i < ROUTE53_RECORDS_MAX; i++)
		long_.ResourceRecords.v[i].Value = arena_fmt(mem, "\"%0250d\"", i);
	long_.ResourceRecords.n = ROUTE53_RECORDS_MAX;
	rrset_put(tx, z, &long_);
}

static void chosen_sets(txn *tx, route53_zone *z)
{
	route53_GeoLocation us = { .CountryCode = S("US") }, asia = { .ContinentCode = S("AS") };
	CHOICE("p.a.", "1", "192.0.2.3", .Weight = I64(0));
	CHOICE("p.a.", "2", NULL, .Weight = I64(9), .AliasTarget = ALIAS("q.a."));
	CHOICE("q.a.", "1", NULL, .Failover = S("PRIMARY"), .AliasTarget = ALIAS("p.a."));
	CHOICE("q.a.", "2", "192.0.2.4", .Failover = S("SECONDARY"));
	CHOICE("r.a.", "1", "192.0.2.5", .Region = S("eu-west-1"));
	CHOICE("g.a.", "1", "192.0.2.6", .GeoLocation = &us);
	CHOICE("h.a.", "1", "192.0.2.7", .GeoLocation = &asia);
	for (char id[] = "a"; *id <= 'j'; ++*id)
		CHOICE("v.a.", id, "192.0.2.8", .MultiValueAnswer = BOOL(true));
}

static bool fill(void *nothing, txn *tx)
{
	route53_HostedZoneConfig config = { .PrivateZone = BOOL(false) };
	route53_HostedZone it = { .Id = S("Z1"), .Name = S("a."), .Config = &config };
	route53_zone zone = { .Account = S("1"), .Id = it.Id, .It = &it }, *z = &zone;
	simple_sets(tx, z);
	chosen_sets(tx, z);
	route53_zone_put(tx, z);
	route53_zone_name_put(tx, &(route53_zone_name){ name_order(txn_arena(tx), it.Name), z->Id, z->Account });
	return true;
}

/* Its folder is gone at once: nobody else opens it. */
static store *zones(void)
{
	static store *kept;
	arena *mem = arena_open(1 << 12);
	str path = arena_str(mem, S("/tmp/fuzz-dns-XXXXXX"));
	if (!kept) {
		ensure(mkdtemp((char *)(uintptr_t)path.p));
		ensure(!store_open(mem, &(store_options){ .path = path, .map_bytes = 1 << 26 }, &kept));
		ensure(!store_write(kept, fill, NULL) && !dir_remove(mem, path));
	}
	arena_close(mem);
	return kept;
}

static size_t get16(str s, size_t at)
{
	ensure(at + 2 <= s.n);
	return (size_t)(unsigned char)s.p[at] << 8 | (unsigned char)s.p[at + 1];
}

static void skip_name(str s, size_t *at)
{
	for (size_t label = 1, all = 0; label; *at += 1 + label) {
		ensure(*at < s.n);
		label = (unsigned char)s.p[*at];
		all += label + 1;
		ensure(label <= 63 && all <= 255);
	}
}

static void whole(str packet, str reply, const dns_asked *from)
{
	size_t at = HEADER, records = get16(reply, 6) + get16(reply, 8) + get16(reply, 10);
	ensure(get16(reply, 0) == get16(packet, 0) && get16(reply, 2) & 0x8000);
	ensure(reply.n <= (from->udp ? 1232 : DNS_PACKET_MAX));
	ensure(reply.n <= DNS_UDP_PLAIN || !from->udp || get16(reply, 10));
	for (size_t i = 0; i < get16(reply, 4); i++) {
		skip_name(reply, &at);
		at += 4;
	}
	for (size_t i = 0; i < records; i++) {
		skip_name(reply, &at);
		at += 10 + get16(reply, at + 8);
	}
	ensure(at == reply.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n || n > DNS_PACKET_MAX)
		return 0;
	arena *mem = arena_open(1 << 14);
	store *s = zones();
	dns_asked from = { S("192.0.2.99"), data[0] & 1, NULL };
	str packet = str_of((const char *)data + 1, n - 1);
	const txn *tx = store_read(s);
	str reply = dns_reply(tx, mem, packet, &from);
	if (reply.n)
		whole(packet, reply, &from);
	else
		ensure(packet.n < HEADER || get16(packet, 2) & 0x8000);
	store_read_end(s, tx);
	arena_close(mem);
	return 0;
}
