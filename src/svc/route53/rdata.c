/* What the values of records are: as the API writes them and as DNS sends them. */
#include "base/text.h"
#include "route53.h"
#include <arpa/inet.h>

#define WORDS_MAX 32

/* Blanks separate words; what stands between quotation marks is one. */
static size_t words_of(str s, str *words)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		if (s.p[i] == ' ' || s.p[i] == '\t') {
			i++;
			continue;
		}
		size_t from = i;
		bool quoted = false;
		for (; i < s.n && (quoted || (s.p[i] != ' ' && s.p[i] != '\t')); i++) {
			if (s.p[i] == '\\' && i + 1 < s.n)
				i++;
			else if (s.p[i] == '"')
				quoted = !quoted;
		}
		if (n == WORDS_MAX)
			return n + 1;
		words[n++] = str_sub(s, from, i);
	}
	return n;
}

static void put16(buf *out, int64_t v)
{
	buf_c(out, (char)(v >> 8));
	buf_c(out, (char)v);
}

static bool number(str s, int64_t most, int64_t *v)
{
	return s.n && s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, v) && *v <= most;
}

static const char *domain(arena *mem, str value, buf *out)
{
	str name;
	if (str_eq(value, S("."))) {
		buf_c(out, 0);
		return NULL;
	}
	const char *wrong = name_clean(mem, value, &name);
	if (wrong)
		return wrong;
	return name_wire(name, out) ? NULL : "DomainTooLong (Domain name is too long)";
}

static const char *address(arena *mem, str value, buf *out)
{
	struct in_addr four;
	if (value.n > 15 || inet_pton(AF_INET, arena_str(mem, value).p, &four) != 1)
		return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)";
	buf_put(out, str_of((const char *)&four, sizeof four));
	return NULL;
}

static const char *address6(arena *mem, str value, buf *out)
{
	struct in6_addr six;
	if (value.n > 45 || inet_pton(AF_INET6, arena_str(mem, value).p, &six) != 1)
		return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)";
	buf_put(out, str_of((const char *)&six, sizeof six));
	return NULL;
}

/* "text", with \" and \ooo inside, as a length and bytes. */
static const char *character_string(str word, buf *out)
{
	char bytes[255];
	size_t n = 0;
	if (word.n < 2 || word.p[0] != '"' || word.p[word.n - 1] != '"')
		return "InvalidCharacterString (Value should be enclosed in quotation marks)";
	for (size_t i = 1; i + 1 < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];
		if (c == '"')
			return "InvalidCharacterString (Value should be enclosed in quotation marks)";
		if (c == '\\' && i + 4 < word.n && word.p[i + 1] >= '0' && word.p[i + 1] <= '3' &&
		    word.p[i + 2] >= '0' && word.p[i + 2] <= '7' && word.p[i + 3] >= '0' && word.p[i + 3] <= '7') {
			c = (unsigned char)((word.p[i + 1] - '0') * 64 + (word.p[i + 2] - '0') * 8 + word.p[i + 3] - '0');
			i += 3;
		} else if (c == '\\') {
			if (i + 2 >= word.n)
				return "InvalidCharacterString (Value should be enclosed in quotation marks)";
			c = (unsigned char)word.p[++i];
		}
		if (n == sizeof bytes)
			return "CharacterStringTooLong (Value is too long)";
		bytes[n++] = (char)c;
	}
	buf_c(out, (char)n);
	buf_put(out, str_of(bytes, n));
	return NULL;
}

static const char *text(arena *mem, str value, buf *out)
{
	(void)mem;
	str words[WORDS_MAX];
	size_t n = words_of(value, words);
	if (n == 0 || n > WORDS_MAX)
		return n ? "CharacterStringTooLong (Value is too long)" :
		           "InvalidCharacterString (Value should be enclosed in quotation marks)";
	for (size_t i = 0; i < n; i++) {
		const char *wrong = character_string(words[i], out);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *mail(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	int64_t preference;
	if (words_of(value, w) != 2)
		return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)";
	if (!number(w[0], 65535, &preference))
		return "MXRRDATAIllegalPriority (MX record's priority is not a number from 0 to 65535)";
	put16(out, preference);
	return domain(mem, w[1], out);
}

static const char *location(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	if (words_of(value, w) != 4)
		return "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)";
	for (size_t i = 0; i < 3; i++) {
		int64_t v;
		if (!number(w[i], 65535, &v))
			return "SRVRRDATAIllegalNumber (SRV record has a field that is not a number from 0 to 65535)";
		put16(out, v);
	}
	return domain(mem, w[3], out);
}

static const char *authority(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	if (words_of(value, w) != 7)
		return "SOARRDATANotSevenFields (SOA record doesn't have 7 fields)";
	for (size_t i = 0; i < 2; i++) {
		const char *wrong = domain(mem, w[i], out);
		if (wrong)
			return wrong;
	}
	for (size_t i = 2; i < 7; i++) {
		int64_t v;
		if (!number(w[i], UINT32_MAX, &v))
			return "SOARRDATAIllegalNumber (SOA record has a field that is not a number)";
		put16(out, v >> 16);
		put16(out, v & 0xffff);
	}
	return NULL;
}

static const char *issuer(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	int64_t flags;
	if (words_of(value, w) != 3)
		return "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)";
	if (!number(w[0], 255, &flags))
		return "CAARRDATAIllegalFlags (CAA record's flags are not a number from 0 to 255)";
	for (size_t i = 0; i < w[1].n; i++)
		if (!((w[1].p[i] >= 'a' && w[1].p[i] <= 'z') || (w[1].p[i] >= 'A' && w[1].p[i] <= 'Z') ||
		      (w[1].p[i] >= '0' && w[1].p[i] <= '9')))
			return "CAARRDATAIllegalTag (CAA record's tag has other than letters and digits)";
	if (w[1].n > 255)
		return "CAARRDATAIllegalTag (CAA record's tag is too long)";
	buf_c(out, (char)flags);
	buf_c(out, (char)w[1].n);
	buf_put(out, w[1]);
	buf quoted = buf_in(mem, 64, 512);
	const char *wrong = character_string(w[2], &quoted);
	if (!wrong)
		buf_put(out, str_sub(buf_str(&quoted), 1, quoted.n)); /* the value goes to the record's end */
	return wrong;
}

static const char *naming(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	if (words_of(value, w) != 6)
		return "NAPTRRRDATANotSixFields (NAPTR record doesn't have 6 fields)";
	for (size_t i = 0; i < 2; i++) {
		int64_t v;
		if (!number(w[i], 65535, &v))
			return "NAPTRRRDATAIllegalNumber (NAPTR record's order or preference is not a number from 0 to "
			       "65535)";
		put16(out, v);
	}
	for (size_t i = 2; i < 5; i++) {
		const char *wrong = character_string(w[i], out);
		if (wrong)
			return wrong;
	}
	return domain(mem, w[5], out);
}

/* Numbers of so many bits, then hexadecimal digits to the end. */
static const char *hexed(arena *mem, str value, buf *out, const int *bits, size_t n, const char *wrong)
{
	str w[WORDS_MAX], bytes;
	size_t have = words_of(value, w);
	buf digits = buf_in(mem, 64, 4096);
	if (have <= n || have > WORDS_MAX)
		return wrong;
	for (size_t i = 0; i < n; i++) {
		int64_t v;
		if (!number(w[i], bits[i] == 16 ? 65535 : 255, &v))
			return wrong;
		if (bits[i] == 16)
			put16(out, v);
		else
			buf_c(out, (char)v);
	}
	for (size_t i = n; i < have; i++)
		buf_put(&digits, w[i]);
	if (!hex_decode(mem, buf_str(&digits), &bytes))
		return wrong;
	buf_put(out, bytes);
	return NULL;
}

static const char *delegation(arena *mem, str value, buf *out)
{
	static const int bits[] = { 16, 8, 8 };
	return hexed(mem, value, out, bits, 3, "DSRRDATANotFourFields (DS record doesn't have 4 fields)");
}

static const char *fingerprint(arena *mem, str value, buf *out)
{
	static const int bits[] = { 8, 8 };
	return hexed(mem, value, out, bits, 2, "SSHFPRRDATANotThreeFields (SSHFP record doesn't have 3 fields)");
}

static const char *tls_association(arena *mem, str value, buf *out)
{
	static const int bits[] = { 8, 8, 8 };
	return hexed(mem, value, out, bits, 3, "TLSARRDATANotFourFields (TLSA record doesn't have 4 fields)");
}

#define BINDING_WRONG "SVCBRRDATAIllegalParameter (Value has a service parameter that is not valid)"

static const struct { str name; int key; } binding_keys[] = {
	{ S("mandatory"), 0 }, { S("alpn"), 1 }, { S("no-default-alpn"), 2 }, { S("port"), 3 },
	{ S("ipv4hint"), 4 }, { S("ech"), 5 }, { S("ipv6hint"), 6 },
};

static int binding_key(str name)
{
	int64_t v;
	for (size_t i = 0; i < sizeof binding_keys / sizeof *binding_keys; i++)
		if (str_eq(binding_keys[i].name, name))
			return binding_keys[i].key;
	return str_starts(name, S("key")) && number(str_sub(name, 3, name.n), 65534, &v) ? (int)v : -1;
}

/* One of the parts of a parameter that commas separate. */
static bool binding_part(arena *mem, int key, str part, buf *out)
{
	int64_t port;
	int other;
	switch (key) {
	case 0:
		if ((other = binding_key(part)) < 0)
			return false;
		put16(out, other);
		return true;
	case 1:
		if (!part.n || part.n > 255)
			return false;
		buf_c(out, (char)part.n);
		buf_put(out, part);
		return true;
	case 3:
		if (!number(part, 65535, &port))
			return false;
		put16(out, port);
		return true;
	case 4: return !address(mem, part, out);
	case 6: return !address6(mem, part, out);
	default: return false;
	}
}

static bool binding_value(arena *mem, int key, str value, buf *out)
{
	str bytes;
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = str_sub(value, 1, value.n - 1);
	if (key == 2)
		return !value.n;
	if (key == 5) {
		if (!base64_decode(mem, value, &bytes))
			return false;
		buf_put(out, bytes);
		return true;
	}
	if (key > 6) {
		buf_put(out, value);
		return true;
	}
	for (str rest = value.n ? value : STR_NONE; str_is(rest);)
		if (!binding_part(mem, key, str_cut(&rest, ','), out))
			return false;
	return value.n > 0;
}

static const char *binding(arena *mem, str value, buf *out)
{
	str w[WORDS_MAX];
	int64_t priority;
	size_t n = words_of(value, w);
	if (n < 2 || n > WORDS_MAX || !number(w[0], 65535, &priority))
		return "SVCBRRDATANotTwoFields (Value doesn't have a priority and a target)";
	put16(out, priority);
	const char *wrong = domain(mem, w[1], out);
	if (wrong)
		return wrong;
	int last = -1;
	for (size_t k = 2; k < n; k++) { /* the least key that has not been: DNS wants them in order */
		int least = 65536;
		str best = STR_NONE;
		for (size_t i = 2; i < n; i++) {
			str rest = w[i], name = str_cut(&rest, '=');
			int key = binding_key(name);
			if (key < 0)
				return BINDING_WRONG;
			if (key > last && key < least) {
				least = key;
				best = str_is(rest) ? rest : S("");
			}
		}
		buf inside = buf_in(mem, 64, 4096);
		if (!str_is(best) || !binding_value(mem, least, best, &inside))
			return BINDING_WRONG;
		last = least;
		put16(out, least);
		put16(out, (int64_t)inside.n);
		buf_put(out, buf_str(&inside));
	}
	return NULL;
}

static const rdata_type types[] = {
	{ S("A"), 1, address }, { S("AAAA"), 28, address6 }, { S("CAA"), 257, issuer }, { S("CNAME"), 5, domain },
	{ S("DS"), 43, delegation }, { S("HTTPS"), 65, binding }, { S("MX"), 15, mail },
	{ S("NAPTR"), 35, naming }, { S("NS"), 2, domain }, { S("PTR"), 12, domain }, { S("SOA"), 6, authority },
	{ S("SPF"), 99, text }, { S("SRV"), 33, location }, { S("SSHFP"), 44, fingerprint },
	{ S("SVCB"), 64, binding }, { S("TLSA"), 52, tls_association }, { S("TXT"), 16, text },
};

const rdata_type *rdata_named(str name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq(types[i].name, name))
			return &types[i];
	return NULL;
}

const rdata_type *rdata_coded(uint16_t code)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].code == code)
			return &types[i];
	return NULL;
}
