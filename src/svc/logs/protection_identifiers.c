/* The managed data identifiers that are known here, by their patterns. */
#include "protection.h"
#include <arpa/inet.h>

static bool luhn(arena *mem, str s)
{
	int sum = 0, n = 0;
	(void)mem;
	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] < '0' || s.p[i] > '9')
			continue;
		int d = s.p[i] - '0';
		if (n++ % 2 && (d *= 2) > 9)
			d -= 9;
		sum += d;
	}
	return n >= 13 && n <= 19 && sum % 10 == 0;
}

static bool address(arena *mem, str s)
{
	unsigned char bytes[16];
	const char *c = arena_str(mem, s).p;
	return inet_pton(AF_INET, c, bytes) == 1 || (s.n > 2 && inet_pton(AF_INET6, c, bytes) == 1);
}

/* The ninth character checks the others. */
static bool vehicle(arena *mem, str s)
{
	static const int weights[] = { 8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2 };
	static const char values[] = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ";
	int sum = 0;
	(void)mem;
	if (s.n != 17)
		return false;
	for (size_t i = 0; i < 17; i++)
		sum += (int)((strchr(values, s.p[i]) - values) % 10) * weights[i];
	return s.p[8] == (sum % 11 == 10 ? 'X' : '0' + sum % 11);
}

static bool social(arena *mem, str s)
{
	(void)mem;
	return s.p[0] != '9' && !str_starts(s, S("000")) && !str_starts(s, S("666")) &&
	       !str_eq(str_sub(s, 4, 6), S("00")) && !str_ends(s, S("0000"));
}

static bool place(arena *mem, str s)
{
	double latitude, longitude;
	(void)mem;
	str rest = s, first = str_trim(str_cut(&rest, ','));
	return str_is(rest) && str_to_f64(first, &latitude) && str_to_f64(str_trim(rest), &longitude) &&
	       latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180;
}

#define ANY "(?:.|\\n)*?"
#define KEY(kind) "-----BEGIN " kind "-----" ANY "(?:-----END " kind "-----|$)"
static const char *const secret_words[] = { "aws_secret_access_key", "credentials", "secret access key",
	"secret key", "secretaccesskey", "set-awscredential", NULL };

static const identifier identifiers[] = {
	{ "EmailAddress", "[A-Za-z0-9_][A-Za-z0-9._%+-]*@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,}", NULL, NULL, "@" },
	{ "IpAddress", "\\b(?:[0-9]{1,3}\\.){3}[0-9]{1,3}\\b|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}", address,
	  NULL, NULL },
	{ "CreditCardNumber", "\\b[3-6][0-9]{3}(?:[ -]?[0-9]){9,15}\\b", luhn, NULL, NULL },
	{ "AwsSecretKey", "[A-Za-z0-9/+]{40}", NULL, secret_words, NULL },
	{ "OpenSshPrivateKey", KEY("OPENSSH PRIVATE KEY"), NULL, NULL, "-----BEGIN " },
	{ "PgpPrivateKey", KEY("PGP PRIVATE KEY BLOCK"), NULL, NULL, "-----BEGIN " },
	{ "PkcsPrivateKey", KEY("(?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY"), NULL, NULL, "-----BEGIN " },
	{ "PuttyPrivateKey", "PuTTY-User-Key-File-[23]:" ANY "(?:Private-MAC: [0-9a-f]+|$)", NULL, NULL,
	  "PuTTY-User-Key-File-" },
	{ "Ssn-US", "\\b[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\\b", social, NULL, NULL },
	{ "PhoneNumber-US",
	  "(?:\\+1[ .-]?)?(?:\\([2-9][0-9]{2}\\) ?|\\b[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\\b",
	  NULL, NULL, NULL },
	{ "VehicleIdentificationNumber", "\\b[A-HJ-NPR-Z0-9]{17}\\b", vehicle, NULL, NULL },
	{ "LatLong", "-?\\b[0-9]{1,2}\\.[0-9]{3,} *, *-?[0-9]{1,3}\\.[0-9]{3,}\\b", place, NULL, "," },
};

const identifier *identifier_named(str name)
{
	for (size_t i = 0; i < sizeof identifiers / sizeof *identifiers; i++)
		if (str_eq(name, str_c(identifiers[i].name)))
			return &identifiers[i];
	return NULL;
}
