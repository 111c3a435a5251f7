#include "cloud/foreign_host.h"
#include "cloud/name_lookup.h"
#include "cloud/virtual_host.h"

#define NAME_MOST 255

extern foreign_owner *const __start_farthing_foreign_owners[] __attribute__((weak));
extern foreign_owner *const __stop_farthing_foreign_owners[] __attribute__((weak));
extern foreign_taker *const __start_farthing_foreign_takers[] __attribute__((weak));
extern foreign_taker *const __stop_farthing_foreign_takers[] __attribute__((weak));

static bool ends_in(str name, const str *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name.n >= ends[i].n &&
		    str_eq_nocase(str_sub(name, name.n - ends[i].n, name.n), ends[i]))
			return true;
	return false;
}

static str name_of(str host)
{
	return str_sub(host, 0, str_find_char(host, ':'));
}

foreign_kind foreign_host_kind(str host)
{
	static const str aws[] = { S(".amazonaws.com"), S(".amazonaws.com.cn"), S(".cloudfront.net"),
		                       S(".on.aws"), S(".api.aws"), S(".amazoncognito.com"),
		                       S("localhost.localstack.cloud") };
	static const str local[] = { S(".localhost") };
	str name = name_of(host);
	bool letters = false;
	for (size_t i = 0; i < name.n; i++)
		letters = letters || (name.p[i] != '.' && (name.p[i] < '0' || name.p[i] > '9'));
	if (!letters || name.n > NAME_MOST || name.p[0] == '[' || str_find_char(name, '.') == SIZE_MAX ||
	    ends_in(name, aws, sizeof aws / sizeof *aws))
		return FOREIGN_NOT;
	if (!ends_in(name, local, 1))
		return FOREIGN_HOST;
	return str_is(virtual_host_bucket(name)) ? FOREIGN_NOT : FOREIGN_LOCAL;
}

/* Whether it may well be a call of an API at an endpoint with a name of its own. */
static bool is_call(const wire_message *m)
{
	static const str signs[] = { S("x-amz-target"), S("x-amz-content-sha256"), S("x-amz-date"),
		                         S("amz-sdk-invocation-id"), S("smithy-protocol") };
	static const str words[] = { S("X-Amz-Signature="), S("X-Amz-Credential="), S("AWSAccessKeyId="),
		                         S("Action=") };
	str authorization = wire_header(m, S("authorization"));
	if (str_starts(authorization, S("AWS4-")) || str_starts(authorization, S("AWS ")))
		return true;
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (str_is(wire_header(m, signs[i])))
			return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(m->query) && str_find(m->query, words[i]) != SIZE_MAX)
			return true;
	return false;
}

/* A call of one of our own APIs, as its signature says: nobody's record takes it away. Only what is signed
 * for these goes to names of one's own. */
static bool is_signed_call(const wire_message *m)
{
	static const str to_own_names[] = { S("execute-api"), S("s3"), S("appsync"), S("lambda") };
	static const str start = S("Credential=");
	str scope = wire_header(m, S("authorization"));
	size_t at = str_starts(scope, S("AWS4-")) ? str_find(scope, start) : SIZE_MAX;
	if (at == SIZE_MAX)
		return false;
	scope = str_sub(scope, at + start.n, scope.n);
	for (int i = 0; i < 3 && str_is(scope); i++) /* key, date, Region */
		str_cut(&scope, '/');
	str signing = str_is(scope) ? str_cut(&scope, '/') : STR_NONE;
	for (size_t i = 0; i < sizeof to_own_names / sizeof *to_own_names; i++)
		if (str_eq(signing, to_own_names[i]))
			return false;
	return str_is(signing);
}

/* Names that machines give one another without a domain: more likely this machine's than a site's. */
static bool is_of_machines(str name)
{
	static const str ends[] = { S(".internal"), S(".local"), S(".lan"), S(".home.arpa") };
	return ends_in(name, ends, sizeof ends / sizeof *ends);
}

foreign_kind foreign_host_kind_of(const http_exchange *x)
{
	return is_signed_call(&x->in) ? FOREIGN_NOT : foreign_host_kind(x->host);
}

bool foreign_host_recorded(arena *mem, store *s, str host, str *to)
{
	*to = STR_NONE;
	if (foreign_host_kind(host) == FOREIGN_NOT)
		return false;
	const txn *tx = store_read(s);
	bool any = name_leads(tx, mem, name_of(host), to);
	store_read_end(s, tx);
	return any;
}

static bool is_owned(const http_exchange *x, const txn *tx, str name)
{
	bool owned = false;
	for (foreign_owner *const *o = __start_farthing_foreign_owners;
	     !owned && o < __stop_farthing_foreign_owners; o++)
		owned = (*o)(tx, x->mem, name);
	return owned;
}

str foreign_host_taker(const http_exchange *x, store *s)
{
	str to = STR_NONE, name = arena_lower(x->mem, name_of(x->host));
	if (foreign_host_kind(x->host) != FOREIGN_HOST || is_of_machines(name) || is_call(&x->in))
		return to;
	const txn *tx = store_read(s);
	if (!is_owned(x, tx, name))
		for (foreign_taker *const *t = __start_farthing_foreign_takers;
		     !str_is(to) && t < __stop_farthing_foreign_takers; t++)
			to = (*t)(tx, x->mem);
	store_read_end(s, tx);
	return to;
}
