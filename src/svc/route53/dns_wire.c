/* DNS messages: a question comes in, an answer goes out. Nothing of a packet is believed. */
#include "route53.h"

#define HEADER 12
#define EDNS_SIZE 1232
#define TYPE_OPT 41
#define TYPE_ANY 255
#define CLASS_IN 1

enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

typedef struct question {
	uint16_t id, flags, type, class;
	str name;        /* as the API writes names; "." for the root */
	str wire;        /* name, type and class as they came */
	bool edns;
	size_t room;     /* what the asker takes by UDP */
} question;

static uint16_t get16(str p, size_t at)
{
	return (uint16_t)((unsigned char)p.p[at] << 8 | (unsigned char)p.p[at + 1]);
}

static void put16(buf *b, size_t v)
{
	buf_c(b, (char)(v >> 8));
	buf_c(b, (char)v);
}

/* The name at `at`, uncompressed, as text; moves behind it. */
static bool read_name(arena *mem, str p, size_t *at, str *name)
{
	buf b = buf_in(mem, 64, 2048);
	size_t bytes = 1;
	for (;;) {
		if (*at >= p.n)
			return false;
		size_t n = (unsigned char)p.p[(*at)++];
		if (!n)
			break;
		bytes += n + 1;
		if (n > 63 || *at + n > p.n || bytes > 255)
			return false;
		for (size_t i = 0; i < n; i++)
			buf_fmt(&b, "\\%03o", (unsigned char)p.p[*at + i]);
		buf_c(&b, '.');
		*at += n;
	}
	if (!b.n) {
		*name = S(".");
		return true;
	}
	return !name_clean(mem, buf_str(&b), name);
}

/* Records that are none of the question's: only an OPT one is looked at. */
static void read_more(arena *mem, str p, size_t at, size_t n, question *q)
{
	str name;
	while (n-- && read_name(mem, p, &at, &name) && at + 10 <= p.n) {
		size_t length = get16(p, at + 8);
		if (get16(p, at) == TYPE_OPT) {
			q->edns = true;
			q->room = get16(p, at + 2);
		}
		at += 10 + length;
	}
}

static int read_question(arena *mem, str p, question *q)
{
	size_t at = HEADER, from = HEADER;
	*q = (question){ .id = get16(p, 0), .flags = get16(p, 2), .room = DNS_UDP_PLAIN, .wire = S("") };
	if ((q->flags >> 11 & 15) != 0)
		return NOTIMP;
	if (get16(p, 4) != 1 || !read_name(mem, p, &at, &q->name) || at + 4 > p.n)
		return FORMERR;
	q->type = get16(p, at);
	q->class = get16(p, at + 2);
	q->wire = str_sub(p, from, at + 4);
	if (!get16(p, 6) && !get16(p, 8))
		read_more(mem, p, at + 4, get16(p, 10), q);
	return NOERROR;
}

/* Owner, type, class, time to live, value. false: it does not fit, and nothing of it stays. */
static bool put_record(arena *mem, buf *out, str name, str type, int64_t ttl, str value)
{
	const rdata_type *t = rdata_named(type);
	size_t before = out->n;
	buf data = buf_in(mem, 256, DNS_PACKET_MAX);
	if (!t || t->encode(mem, value, &data))
		return true; /* kept before its type was checked: there is nothing to send */
	bool fits = name_wire(name, out);
	put16(out, t->code);
	put16(out, CLASS_IN);
	put16(out, (size_t)ttl >> 16);
	put16(out, (size_t)ttl & 0xffff);
	put16(out, data.n);
	buf_put(out, buf_str(&data));
	if (fits && !out->full && !data.full)
		return true;
	out->n = before;
	out->full = false;
	return false;
}

/* The zone's authority, so that its absence may be remembered. */
static size_t put_authority(const txn *tx, arena *mem, const route53_zone *z, buf *out)
{
	route53_rrset *r = route53_rrset_get(tx, mem, z->Id, name_order(mem, z->It->Name), S("SOA"), S(""));
	return r && r->It->ResourceRecords.n &&
	       put_record(mem, out, z->It->Name, S("SOA"), r->It->TTL.v, r->It->ResourceRecords.v[0].Value);
}

typedef struct reply {
	int code;
	bool cut, authority;
	size_t answers, authorities;
} reply;

static void put_answer(const txn *tx, arena *mem, const question *q, const dns_asked *from, buf *out,
                       reply *r)
{
	const rdata_type *type = rdata_coded(q->type);
	route53_zone *z = q->class == CLASS_IN ? zone_above(tx, mem, q->name) : NULL;
	dns_answer a = { .rcode = "NOERROR" };
	if (!z) {
		r->code = REFUSED;
		return;
	}
	r->authority = true;
	if (type || q->type == TYPE_ANY)
		dns_ask(tx, mem, z, q->name, type ? type->name : S("A"), from->client, &a);
	if (from->charge)
		from->charge(mem, z, &a);
	if (strcmp(a.rcode, "NXDOMAIN") == 0)
		r->code = NXDOMAIN;
	for (size_t i = 0; i < a.n && !r->cut; i++) {
		if (put_record(mem, out, a.v[i].name, a.v[i].type, a.v[i].ttl, a.v[i].value))
			r->answers++;
		else
			r->cut = true;
	}
	if (!a.n)
		r->authorities = put_authority(tx, mem, z, out);
}

str dns_reply(const txn *tx, arena *mem, str p, const dns_asked *from)
{
	question q;
	reply r = { 0 };
	if (p.n < HEADER || get16(p, 2) & 0x8000) /* an answer is not answered */
		return S("");
	r.code = read_question(mem, p, &q);
	size_t room = !from->udp ? DNS_PACKET_MAX : !q.edns || q.room < DNS_UDP_PLAIN ? DNS_UDP_PLAIN :
		q.room > EDNS_SIZE ? EDNS_SIZE : q.room;
	buf out = buf_in(mem, 512, room - (q.edns ? 11 : 0));
	for (size_t i = 0; i < HEADER; i++)
		buf_c(&out, 0);
	buf_put(&out, q.wire);
	if (r.code == NOERROR)
		put_answer(tx, mem, &q, from, &out, &r);
	out.max = room;
	if (q.edns) {
		buf_put(&out, str_of("\0\0\x29", 3));
		put16(&out, EDNS_SIZE);
		buf_put(&out, str_of("\0\0\0\0\0\0", 6));
	}
	size_t flags = 0x8000U | (r.authority ? 0x0400U : 0) | (r.cut ? 0x0200U : 0) | (q.flags & 0x0100U) |
	               (size_t)r.code;
	buf head = buf_in(mem, HEADER, HEADER);
	put16(&head, q.id);
	put16(&head, flags);
	put16(&head, q.wire.n ? 1 : 0);
	put16(&head, r.answers);
	put16(&head, r.authorities);
	put16(&head, q.edns);
	memcpy(out.p, head.p, HEADER);
	return buf_str(&out);
}
