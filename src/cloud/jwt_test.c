#include "cloud/jwt.h"
#include "base/keypair.h"
#include "test/test.h"

#define ELLIPTIC \
	"eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJhbm4ifQ." \
	"Wy6JBMEsilDsBORo3ULdp7U1jBc3OL1DQfxa4jCuDsk05x49miXjm6YmzasNSXMMex3L8p3JIG2FUPOldLBp2g"

static str made(arena *mem, str own, const char *head, const char *claims)
{
	str signature, text = arena_fmt(mem, "%.*s.%.*s", STR_ARG(base64_url(mem, str_c(head))),
	                                STR_ARG(base64_url(mem, str_c(claims))));
	ensure(keypair_sign(mem, own, S("RSASSA_PKCS1_V1_5_SHA_256"), false, text, &signature));
	return arena_fmt(mem, "%.*s.%.*s", STR_ARG(text), STR_ARG(base64_url(mem, signature)));
}

/* The modulus of a public key of 2048 bits stands before its exponent at the end. */
static const json_value *set_of(arena *mem, str open)
{
	return json_parse(mem, arena_fmt(mem,
		"{\"keys\":[1,{},{\"kty\":\"RSA\",\"kid\":\"bad\"},{\"kty\":\"RSA\",\"kid\":\"one\",\"e\":\"AQAB\","
		"\"n\":\"%.*s\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
		"\"x\":\"uXF3edop8epvkwSXQt6zdjEITmOFwU-175HkI6pCpK8\","
		"\"y\":\"1-9npwoVKun6Fxd1MXI4pmmhxeULAq-o9riWXXFODSQ\"}]}",
		STR_ARG(base64_url(mem, str_sub(open, open.n - 261, open.n - 5)))));
}

TEST(jwt_proves)
{
	str own, open, other, other_open;
	jwt t;
	CHECK(keypair_make(mem, S("RSA_2048"), &own, &open));
	CHECK(keypair_make(mem, S("RSA_2048"), &other, &other_open));
	const json_value *set = set_of(mem, open);
	CHECK(jwt_read(mem, made(mem, own, "{\"alg\":\"RS256\",\"kid\":\"one\"}",
	                         "{\"sub\":\"ann\",\"exp\":12}"), &t));
	CHECK(jwt_prove(mem, &t, set, true) == JWT_PROVED);
	CHECK_STR(jwt_text(t.claims, S("sub")), S("ann"));
	CHECK(jwt_seconds(t.claims, S("exp")) == 12 && !jwt_seconds(t.claims, S("sub")));
	CHECK(jwt_prove(mem, &t, NULL, true) == JWT_NO_KEY);
	CHECK(jwt_prove(mem, &t, set_of(mem, other_open), true) == JWT_FORGED);
	t.signature = str_sub(t.signature, 0, 255);
	CHECK(jwt_prove(mem, &t, set, true) == JWT_FORGED);
	CHECK(jwt_read(mem, made(mem, own, "{\"alg\":\"RS256\",\"kid\":\"two\"}", "{}"), &t));
	CHECK(jwt_prove(mem, &t, set, true) == JWT_NO_KEY);
	CHECK(jwt_read(mem, made(mem, own, "{\"alg\":\"RS256\",\"kid\":\"bad\"}", "{}"), &t));
	CHECK(jwt_prove(mem, &t, set, true) == JWT_NO_KEY);
	CHECK(jwt_read(mem, made(mem, own, "{\"alg\":\"RS256\",\"kid\":\"e\"}", "{}"), &t));
	CHECK(jwt_prove(mem, &t, set, true) == JWT_NO_KEY);
	CHECK(jwt_read(mem, made(mem, own, "{\"alg\":\"RS256\"}", "{}"), &t)); /* any of its kind */
	CHECK(jwt_prove(mem, &t, set, true) == JWT_PROVED);
	static const char *const others[] = { "\"use\":\"enc\"", "\"alg\":\"RS512\"",
		"\"alg\":\"RS256\",\"use\":\"sig\"" };
	str modulus = base64_url(mem, str_sub(open, open.n - 261, open.n - 5));
	for (size_t i = 0; i < 3; i++) {
		str only = arena_fmt(mem, "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%.*s\",%s}]}",
		                     STR_ARG(modulus), others[i]);
		CHECK_I64(jwt_prove(mem, &t, json_parse(mem, only), true), i == 2 ? JWT_PROVED : JWT_NO_KEY);
	}
	CHECK(jwt_read(mem, S(ELLIPTIC), &t));
	CHECK(jwt_prove(mem, &t, set, false) == JWT_PROVED && jwt_prove(mem, &t, set, true) == JWT_NO_METHOD);
	t.signed_part = S("else");
	CHECK(jwt_prove(mem, &t, set, false) == JWT_FORGED);
	static const char *const heads[] = { "{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}", "{\"alg\":7}", "{}" };
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		CHECK(jwt_read(mem, made(mem, own, heads[i], "{}"), &t));
		CHECK(jwt_prove(mem, &t, set, false) == JWT_NO_METHOD);
	}
}

TEST(jwt_reads)
{
	static const char *const wrong[] = { "", ".", "..", "a.b.c", "e30.e30", "e30.e30.YQ.YQ", "e30.W10.YQ",
		"W10.e30.YQ", "e30.e30.*", "e30.e3.YQ", " e30.e30.YQ" };
	jwt t;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(!jwt_read(mem, str_c(wrong[i]), &t));
	CHECK(jwt_read(mem, S("e30.e30.YQ"), &t));
	CHECK_STR(t.signed_part, S("e30.e30"));
	const json_value *c = json_parse(mem,
		S("{\"a\":\"x\",\"b\":[\"x\",1,\"y\"],\"c\":1e99,\"d\":-1,\"e\":1.5}"));
	CHECK(jwt_has(c, S("a"), S("x")) && jwt_has(c, S("b"), S("y")) && !jwt_has(c, S("b"), S("1")));
	CHECK(!jwt_has(c, S("none"), S("x")) && !jwt_seconds(c, S("c")) && !jwt_seconds(c, S("d")));
	CHECK(jwt_seconds(c, S("e")) == 1);
}
