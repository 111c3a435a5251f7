#include "cloud/jwt.h"
#include "base/keypair.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "wire/http_client.h"
#include <pthread.h>

#define TOKEN_MAX ((size_t)128 << 10)
#define ANSWER_MAX ((size_t)1 << 20)
#define KEPT_MS (2 * MS_HOUR)
#define AGAIN_MS MS_SECOND
#define FAILED_MS (5 * MS_SECOND)
#define SLOTS 64

str base64_url(arena *mem, str bytes)
{
	str t = base64_encode(mem, bytes);
	char *p = arena_bytes(mem, t.n);
	size_t n = 0;
	for (size_t i = 0; i < t.n && t.p[i] != '='; i++)
		p[n++] = t.p[i] == '+' ? '-' : t.p[i] == '/' ? '_' : t.p[i];
	return str_of(p, n);
}

bool base64_url_read(arena *mem, str text, str *bytes)
{
	char *p = arena_bytes(mem, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
	return base64_decode(mem, str_of(p, text.n), bytes);
}

static const json_value *object_of(arena *mem, str part)
{
	str text;
	const json_value *v = base64_url_read(mem, part, &text) ? json_parse(mem, text) : NULL;
	return v && v->kind == JSON_OBJECT ? v : NULL;
}

bool jwt_read(arena *mem, str token, jwt *t)
{
	str rest = token, part[3];
	*t = (jwt){ 0 };
	if (token.n > TOKEN_MAX)
		return false;
	for (int i = 0; i < 3; i++) {
		if (!str_is(rest))
			return false;
		part[i] = str_cut(&rest, '.');
	}
	if (str_is(rest) || !base64_url_read(mem, part[2], &t->signature))
		return false;
	t->signed_part = str_sub(token, 0, part[0].n + 1 + part[1].n);
	t->head = object_of(mem, part[0]);
	t->claims = object_of(mem, part[1]);
	return t->head && t->claims;
}

str jwt_text(const json_value *claims, str name)
{
	const json_value *m = json_get(claims, name);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

int64_t jwt_seconds(const json_value *claims, str name)
{
	const json_value *m = json_get(claims, name);
	double seconds;
	return m && m->kind == JSON_NUMBER && str_to_f64(m->text, &seconds) && seconds > 0 && seconds < 1e11
		? (int64_t)seconds : 0;
}

bool jwt_has(const json_value *claims, str name, str wanted)
{
	const json_value *m = json_get(claims, name);
	if (m && m->kind == JSON_STRING)
		return str_eq(m->text, wanted);
	for (const json_value *v = m && m->kind == JSON_ARRAY ? m->first : NULL; v; v = v->next)
		if (v->kind == JSON_STRING && str_eq(v->text, wanted))
			return true;
	return false;
}

static bool number_of(arena *mem, const json_value *jwk, str name, str *bytes)
{
	return base64_url_read(mem, jwt_text(jwk, name), bytes) && bytes->n;
}

static bool key_of(arena *mem, const json_value *jwk, str *public_der)
{
	str kind = jwt_text(jwk, S("kty")), a, b;
	if (str_eq(kind, S("RSA")))
		return number_of(mem, jwk, S("n"), &a) && number_of(mem, jwk, S("e"), &b)
			&& keypair_from_rsa(mem, a, b, public_der);
	str curve = jwt_text(jwk, S("crv"));
	int bits = str_eq(curve, S("P-256")) ? 256 : str_eq(curve, S("P-384")) ? 384
		: str_eq(curve, S("P-521")) ? 521 : 0;
	return str_eq(kind, S("EC")) && bits && number_of(mem, jwk, S("x"), &a)
		&& number_of(mem, jwk, S("y"), &b) && keypair_from_point(mem, bits, a, b, public_der);
}

/* How the header says that it was signed; STR_NONE: in no way that is taken. */
static str method_of(const jwt *t, bool rsa_only)
{
	static const struct { str name, how; } ways[] = {
		{ S("RS256"), S("RSASSA_PKCS1_V1_5_SHA_256") }, { S("RS384"), S("RSASSA_PKCS1_V1_5_SHA_384") },
		{ S("RS512"), S("RSASSA_PKCS1_V1_5_SHA_512") }, { S("ES256"), S("ECDSA_SHA_256") },
		{ S("ES384"), S("ECDSA_SHA_384") }, { S("ES512"), S("ECDSA_SHA_512") },
	};
	str name = jwt_text(t->head, S("alg"));
	for (size_t i = 0; i < (rsa_only ? 3 : sizeof ways / sizeof *ways); i++)
		if (str_eq(ways[i].name, name))
			return ways[i].how;
	return STR_NONE;
}

/* Whether the key may have made this signature: of its kind, and by what it says of itself (RFC 7517). */
static bool key_is_for(const json_value *jwk, const jwt *t, str wanted, bool pair)
{
	str id = jwt_text(jwk, S("kid")), use = jwt_text(jwk, S("use")), alg = jwt_text(jwk, S("alg"));
	return (!str_is(wanted) || !str_is(id) || str_eq(id, wanted))
		&& str_eq(jwt_text(jwk, S("kty")), S("EC")) == pair && (!str_is(use) || str_eq(use, S("sig")))
		&& (!str_is(alg) || str_eq(alg, jwt_text(t->head, S("alg"))));
}

jwt_proof jwt_prove(arena *mem, const jwt *t, const json_value *set, bool rsa_only)
{
	str how = method_of(t, rsa_only), wanted = jwt_text(t->head, S("kid"));
	str public_der, signature = t->signature;
	const json_value *keys = json_get(set, S("keys"));
	bool any = false, pair = str_starts(how, S("ECDSA"));
	if (!str_is(how))
		return JWT_NO_METHOD;
	if (pair && !keypair_signature_from_pair(mem, t->signature, &signature))
		return JWT_FORGED;
	for (const json_value *jwk = keys ? keys->first : NULL; jwk; jwk = jwk->next) {
		if (!key_is_for(jwk, t, wanted, pair) || !key_of(mem, jwk, &public_der))
			continue;
		any = true;
		if (keypair_verify(public_der, how, false, t->signed_part, signature))
			return JWT_PROVED;
	}
	return any ? JWT_FORGED : JWT_NO_KEY;
}

/* Without services that are issuers there is no such section. */
extern const jwt_issuer *const __start_farthing_issuers[] __attribute__((weak));
extern const jwt_issuer *const __stop_farthing_issuers[] __attribute__((weak));

/* NULL: it is none of ours. */
static const jwt_issuer *ours(str issuer)
{
	for (const jwt_issuer *const *i = __start_farthing_issuers; i < __stop_farthing_issuers; i++) {
		bool mine = false;
		(*i)->keys(NULL, NULL, issuer, &mine);
		if (mine)
			return *i;
	}
	return NULL;
}

static str own_keys(store *s, arena *mem, const jwt_issuer *i, str issuer)
{
	bool mine;
	const txn *tx = store_read(s);
	str set = i->keys(tx, mem, issuer, &mine);
	store_read_end(s, tx);
	return set;
}

int64_t jwt_now(str issuer)
{
	return (ours(issuer) ? clock_now() : clock_real()) / MS_SECOND;
}

/* What was published before. */
typedef struct slot {
	arena *mem; /* of the texts, or NULL: empty */
	str issuer, set; /* no set: the issuer did not answer */
	int64_t since; /* real time */
} slot;
static slot slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

/* STR_NONE: nothing that is younger than `age_ms`. */
static str kept(arena *mem, str issuer, int64_t age_ms)
{
	const slot *s = &slots[str_hash(issuer) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	bool found = s->mem && str_eq(s->issuer, issuer) && clock_real() - s->since < age_ms;
	str set = found ? arena_str(mem, s->set) : STR_NONE;
	pthread_mutex_unlock(&slots_lock);
	return set;
}

/* One that hangs would hold everybody who asks for as long as he may wait. */
static bool failed_lately(str issuer)
{
	const slot *s = &slots[str_hash(issuer) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	bool found = s->mem && str_eq(s->issuer, issuer) && !str_is(s->set)
		&& clock_real() - s->since < FAILED_MS;
	pthread_mutex_unlock(&slots_lock);
	return found;
}

/* A failure takes no place from what another issuer has published. */
static void keep(str issuer, str set)
{
	slot *s = &slots[str_hash(issuer) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	if (!str_is(set) && s->mem && str_is(s->set)) {
		pthread_mutex_unlock(&slots_lock);
		return;
	}
	if (s->mem)
		arena_close(s->mem);
	arena *mem = arena_open(issuer.n + set.n + 128);
	*s = (slot){ mem, arena_str(mem, issuer), arena_str(mem, set), clock_real() };
	pthread_mutex_unlock(&slots_lock);
}

static err start(store *s, str data_folder)
{
	(void)s;
	(void)data_folder;
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&slots_lock);
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].mem)
			arena_close(slots[i].mem);
	memset(slots, 0, sizeof slots);
	pthread_mutex_unlock(&slots_lock);
}
SERVER_PART(jwt_issuers, start, stop);

/* STR_NONE: no answer. */
static str fetch(arena *mem, str url, int wait_ms)
{
	http_client_options o = { .total_ms = wait_ms, .connect_ms = wait_ms, .body_max = ANSWER_MAX };
	wire_message ask = { .mem = mem, .method = S("GET") }, answer = { .mem = mem };
	return http_call(mem, url, &ask, &o, &answer) == OK && answer.status == 200 ? answer.body : STR_NONE;
}

static jwt_proof asked(arena *mem, str issuer, int wait_ms, str *set)
{
	str end = str_ends(issuer, S("/")) ? S(".well-known/openid-configuration")
		: S("/.well-known/openid-configuration");
	str said = fetch(mem, arena_concat(mem, issuer, end), wait_ms);
	const json_value *about = str_is(said) ? json_parse(mem, said) : NULL;
	str where = jwt_text(about, S("jwks_uri"));
	if (!str_is(where))
		return JWT_NO_ABOUT;
	*set = fetch(mem, where, wait_ms);
	return str_is(*set) && json_parse(mem, *set) ? JWT_PROVED : JWT_NO_KEYS;
}

static jwt_proof published(arena *mem, str issuer, int wait_ms, str *set)
{
	if (failed_lately(issuer))
		return JWT_NO_ABOUT;
	jwt_proof p = asked(mem, issuer, wait_ms, set);
	keep(issuer, p == JWT_PROVED ? *set : STR_NONE);
	return p;
}

jwt_proof jwt_prove_by(store *s, arena *mem, const jwt *t, str issuer, jwt_way way)
{
	str set;
	if (!str_is(method_of(t, way.rsa_only)))
		return JWT_NO_METHOD;
	const jwt_issuer *own = ours(issuer);
	if (own && str_is(set = own_keys(s, mem, own, issuer)))
		return jwt_prove(mem, t, json_parse(mem, set), way.rsa_only);
	if (own)
		return JWT_NO_ABOUT;
	set = way.fresh ? STR_NONE : kept(mem, issuer, KEPT_MS);
	if (str_is(set)) {
		jwt_proof p = jwt_prove(mem, t, json_parse(mem, set), way.rsa_only);
		if (p != JWT_NO_KEY || str_is(kept(mem, issuer, AGAIN_MS)))
			return p;
	}
	jwt_proof p = published(mem, issuer, way.wait_ms, &set);
	return p == JWT_PROVED ? jwt_prove(mem, t, json_parse(mem, set), way.rsa_only) : p;
}
