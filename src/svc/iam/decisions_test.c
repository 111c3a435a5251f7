/*
 * Every combination of policies that bear on a request, and what becomes of it: AWS's documented logic as
 * data. The identity is real (users and roles of this service); the resource's policy is the test's own.
 */
#include <stdlib.h>
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "gen/iam.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"

#define HERE "000000000001"
#define ELSEWHERE "000000000002"
#define ACTION "decisions:Do"

typedef enum kind { USER, ROLE, FED } kind;
typedef enum owner { OWN, OTHER } owner;

/*
 * What each policy says of the action: ' ' there is none (the identity always has one), '-' nothing,
 * '+' allow, '!' deny. Then what happens (y, n) when the resource's policy grants to nobody, the caller
 * itself, what the caller is a session of (not for users), the caller's account, everybody, somebody else;
 * and when it denies everybody.
 */
static const struct row {
	kind who;
	owner resource;
	char identity, boundary, session;
	const char *want;
} rows[] = {
	{ USER, OWN, '-', ' ', ' ', "nynynn" }, { USER, OWN, '-', '-', ' ', "nynynn" },
	{ USER, OWN, '-', '+', ' ', "nynynn" }, { USER, OWN, '-', '!', ' ', "nnnnnn" },
	{ USER, OWN, '+', ' ', ' ', "yyyyyn" }, { USER, OWN, '+', '-', ' ', "nynynn" },
	{ USER, OWN, '+', '+', ' ', "yyyyyn" }, { USER, OWN, '+', '!', ' ', "nnnnnn" },
	{ USER, OWN, '!', ' ', ' ', "nnnnnn" }, { USER, OWN, '!', '-', ' ', "nnnnnn" },
	{ USER, OWN, '!', '+', ' ', "nnnnnn" }, { USER, OWN, '!', '!', ' ', "nnnnnn" },
	{ USER, OTHER, '-', ' ', ' ', "nnnnnn" }, { USER, OTHER, '-', '-', ' ', "nnnnnn" },
	{ USER, OTHER, '-', '+', ' ', "nnnnnn" }, { USER, OTHER, '-', '!', ' ', "nnnnnn" },
	{ USER, OTHER, '+', ' ', ' ', "nyyynn" }, { USER, OTHER, '+', '-', ' ', "nnnnnn" },
	{ USER, OTHER, '+', '+', ' ', "nyyynn" }, { USER, OTHER, '+', '!', ' ', "nnnnnn" },
	{ USER, OTHER, '!', ' ', ' ', "nnnnnn" }, { USER, OTHER, '!', '-', ' ', "nnnnnn" },
	{ USER, OTHER, '!', '+', ' ', "nnnnnn" }, { USER, OTHER, '!', '!', ' ', "nnnnnn" },
	{ ROLE, OWN, '-', ' ', ' ', "nyynynn" }, { ROLE, OWN, '-', ' ', '-', "nynnnnn" },
	{ ROLE, OWN, '-', ' ', '+', "nyynynn" }, { ROLE, OWN, '-', ' ', '!', "nnnnnnn" },
	{ ROLE, OWN, '-', '-', ' ', "nynnnnn" }, { ROLE, OWN, '-', '-', '-', "nynnnnn" },
	{ ROLE, OWN, '-', '-', '+', "nynnnnn" }, { ROLE, OWN, '-', '-', '!', "nnnnnnn" },
	{ ROLE, OWN, '-', '+', ' ', "nyynynn" }, { ROLE, OWN, '-', '+', '-', "nynnnnn" },
	{ ROLE, OWN, '-', '+', '+', "nyynynn" }, { ROLE, OWN, '-', '+', '!', "nnnnnnn" },
	{ ROLE, OWN, '-', '!', ' ', "nnnnnnn" }, { ROLE, OWN, '-', '!', '-', "nnnnnnn" },
	{ ROLE, OWN, '-', '!', '+', "nnnnnnn" }, { ROLE, OWN, '-', '!', '!', "nnnnnnn" },
	{ ROLE, OWN, '+', ' ', ' ', "yyyyyyn" }, { ROLE, OWN, '+', ' ', '-', "nynnnnn" },
	{ ROLE, OWN, '+', ' ', '+', "yyyyyyn" }, { ROLE, OWN, '+', ' ', '!', "nnnnnnn" },
	{ ROLE, OWN, '+', '-', ' ', "nynnnnn" }, { ROLE, OWN, '+', '-', '-', "nynnnnn" },
	{ ROLE, OWN, '+', '-', '+', "nynnnnn" }, { ROLE, OWN, '+', '-', '!', "nnnnnnn" },
	{ ROLE, OWN, '+', '+', ' ', "yyyyyyn" }, { ROLE, OWN, '+', '+', '-', "nynnnnn" },
	{ ROLE, OWN, '+', '+', '+', "yyyyyyn" }, { ROLE, OWN, '+', '+', '!', "nnnnnnn" },
	{ ROLE, OWN, '+', '!', ' ', "nnnnnnn" }, { ROLE, OWN, '+', '!', '-', "nnnnnnn" },
	{ ROLE, OWN, '+', '!', '+', "nnnnnnn" }, { ROLE, OWN, '+', '!', '!', "nnnnnnn" },
	{ ROLE, OWN, '!', ' ', ' ', "nnnnnnn" }, { ROLE, OWN, '!', ' ', '-', "nnnnnnn" },
	{ ROLE, OWN, '!', ' ', '+', "nnnnnnn" }, { ROLE, OWN, '!', ' ', '!', "nnnnnnn" },
	{ ROLE, OWN, '!', '-', ' ', "nnnnnnn" }, { ROLE, OWN, '!', '-', '-', "nnnnnnn" },
	{ ROLE, OWN, '!', '-', '+', "nnnnnnn" }, { ROLE, OWN, '!', '-', '!', "nnnnnnn" },
	{ ROLE, OWN, '!', '+', ' ', "nnnnnnn" }, { ROLE, OWN, '!', '+', '-', "nnnnnnn" },
	{ ROLE, OWN, '!', '+', '+', "nnnnnnn" }, { ROLE, OWN, '!', '+', '!', "nnnnnnn" },
	{ ROLE, OWN, '!', '!', ' ', "nnnnnnn" }, { ROLE, OWN, '!', '!', '-', "nnnnnnn" },
	{ ROLE, OWN, '!', '!', '+', "nnnnnnn" }, { ROLE, OWN, '!', '!', '!', "nnnnnnn" },
	{ ROLE, OTHER, '-', ' ', ' ', "nnnnnnn" }, { ROLE, OTHER, '-', ' ', '-', "nnnnnnn" },
	{ ROLE, OTHER, '-', ' ', '+', "nnnnnnn" }, { ROLE, OTHER, '-', ' ', '!', "nnnnnnn" },
	{ ROLE, OTHER, '-', '-', ' ', "nnnnnnn" }, { ROLE, OTHER, '-', '-', '-', "nnnnnnn" },
	{ ROLE, OTHER, '-', '-', '+', "nnnnnnn" }, { ROLE, OTHER, '-', '-', '!', "nnnnnnn" },
	{ ROLE, OTHER, '-', '+', ' ', "nnnnnnn" }, { ROLE, OTHER, '-', '+', '-', "nnnnnnn" },
	{ ROLE, OTHER, '-', '+', '+', "nnnnnnn" }, { ROLE, OTHER, '-', '+', '!', "nnnnnnn" },
	{ ROLE, OTHER, '-', '!', ' ', "nnnnnnn" }, { ROLE, OTHER, '-', '!', '-', "nnnnnnn" },
	{ ROLE, OTHER, '-', '!', '+', "nnnnnnn" }, { ROLE, OTHER, '-', '!', '!', "nnnnnnn" },
	{ ROLE, OTHER, '+', ' ', ' ', "nyyyynn" }, { ROLE, OTHER, '+', ' ', '-', "nnnnnnn" },
	{ ROLE, OTHER, '+', ' ', '+', "nyyyynn" }, { ROLE, OTHER, '+', ' ', '!', "nnnnnnn" },
	{ ROLE, OTHER, '+', '-', ' ', "nnnnnnn" }, { ROLE, OTHER, '+', '-', '-', "nnnnnnn" },
	{ ROLE, OTHER, '+', '-', '+', "nnnnnnn" }, { ROLE, OTHER, '+', '-', '!', "nnnnnnn" },
	{ ROLE, OTHER, '+', '+', ' ', "nyyyynn" }, { ROLE, OTHER, '+', '+', '-', "nnnnnnn" },
	{ ROLE, OTHER, '+', '+', '+', "nyyyynn" }, { ROLE, OTHER, '+', '+', '!', "nnnnnnn" },
	{ ROLE, OTHER, '+', '!', ' ', "nnnnnnn" }, { ROLE, OTHER, '+', '!', '-', "nnnnnnn" },
	{ ROLE, OTHER, '+', '!', '+', "nnnnnnn" }, { ROLE, OTHER, '+', '!', '!', "nnnnnnn" },
	{ ROLE, OTHER, '!', ' ', ' ', "nnnnnnn" }, { ROLE, OTHER, '!', ' ', '-', "nnnnnnn" },
	{ ROLE, OTHER, '!', ' ', '+', "nnnnnnn" }, { ROLE, OTHER, '!', ' ', '!', "nnnnnnn" },
	{ ROLE, OTHER, '!', '-', ' ', "nnnnnnn" }, { ROLE, OTHER, '!', '-', '-', "nnnnnnn" },
	{ ROLE, OTHER, '!', '-', '+', "nnnnnnn" }, { ROLE, OTHER, '!', '-', '!', "nnnnnnn" },
	{ ROLE, OTHER, '!', '+', ' ', "nnnnnnn" }, { ROLE, OTHER, '!', '+', '-', "nnnnnnn" },
	{ ROLE, OTHER, '!', '+', '+', "nnnnnnn" }, { ROLE, OTHER, '!', '+', '!', "nnnnnnn" },
	{ ROLE, OTHER, '!', '!', ' ', "nnnnnnn" }, { ROLE, OTHER, '!', '!', '-', "nnnnnnn" },
	{ ROLE, OTHER, '!', '!', '+', "nnnnnnn" }, { ROLE, OTHER, '!', '!', '!', "nnnnnnn" },
	{ FED, OWN, '-', ' ', ' ', "nynnnnn" }, { FED, OWN, '-', ' ', '-', "nynnnnn" },
	{ FED, OWN, '-', ' ', '+', "nyynynn" }, { FED, OWN, '-', ' ', '!', "nnnnnnn" },
	{ FED, OWN, '+', ' ', ' ', "nynnnnn" }, { FED, OWN, '+', ' ', '-', "nynnnnn" },
	{ FED, OWN, '+', ' ', '+', "yyyyyyn" }, { FED, OWN, '+', ' ', '!', "nnnnnnn" },
	{ FED, OWN, '!', ' ', ' ', "nnnnnnn" }, { FED, OWN, '!', ' ', '-', "nnnnnnn" },
	{ FED, OWN, '!', ' ', '+', "nnnnnnn" }, { FED, OWN, '!', ' ', '!', "nnnnnnn" },
	{ FED, OTHER, '-', ' ', ' ', "nnnnnnn" }, { FED, OTHER, '-', ' ', '-', "nnnnnnn" },
	{ FED, OTHER, '-', ' ', '+', "nnnnnnn" }, { FED, OTHER, '-', ' ', '!', "nnnnnnn" },
	{ FED, OTHER, '+', ' ', ' ', "nnnnnnn" }, { FED, OTHER, '+', ' ', '-', "nnnnnnn" },
	{ FED, OTHER, '+', ' ', '+', "nyyyynn" }, { FED, OTHER, '+', ' ', '!', "nnnnnnn" },
	{ FED, OTHER, '!', ' ', ' ', "nnnnnnn" }, { FED, OTHER, '!', ' ', '-', "nnnnnnn" },
	{ FED, OTHER, '!', ' ', '+', "nnnnnnn" }, { FED, OTHER, '!', ' ', '!', "nnnnnnn" },
};

static str resource_document;

static str find_document(const txn *tx, arena *mem, str action, str arn)
{
	(void)tx, (void)mem, (void)action, (void)arn;
	return resource_document;
}
RESOURCE_POLICY(decisions, find_document, false);

static str decisive_document(const txn *tx, arena *mem, str action, str arn)
{
	(void)tx, (void)mem, (void)action, (void)arn;
	return resource_document;
}
RESOURCE_POLICY(decisive, decisive_document, true);

typedef struct fixture {
	store *store;
	str folder;
	req rq;
	const txn *tx; /* a snapshot with everybody in it */
} fixture;

static void close_fixture(void *subject)
{
	fixture *f = subject;
	arena *a = arena_open(1024);
	if (f->tx)
		req_read_end(&f->rq, f->tx);
	store_close(f->store);
	err e = dir_remove(a, f->folder);
	ensure(!e);
	arena_close(a);
}

static const char *word_of(char says)
{
	return says == '+' ? "may" : says == '!' ? "maynot" : says == '-' ? "silent" : "free";
}

static str name_of(arena *mem, char identity, char boundary)
{
	return arena_fmt(mem, "%s-%s", word_of(identity), word_of(boundary));
}

static str statement(arena *mem, char says)
{
	return arena_fmt(mem, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"%s\",\"Action\":\"%s\","
	                 "\"Resource\":\"*\"}]}", says == '!' ? "Deny" : "Allow",
	                 says == '-' ? "decisions:Else" : ACTION);
}

static str boundary_arn(arena *mem, char says)
{
	return arena_fmt(mem, "arn:aws:iam::" HERE ":policy/%s", word_of(says));
}

static err make_user(req *rq, txn *tx, char identity, char boundary)
{
	iam_CreateUser_in in = { .UserName = name_of(rq->mem, identity, boundary) };
	iam_CreateUser_out out;
	if (boundary != ' ')
		in.PermissionsBoundary = boundary_arn(rq->mem, boundary);
	TRY(iam_CreateUser(rq, tx, &in, &out));
	iam_PutUserPolicy_in put = { in.UserName, S("own"), statement(rq->mem, identity) };
	return iam_PutUserPolicy(rq, tx, &put, &(iam_PutUserPolicy_out){ 0 });
}

static err make_role(req *rq, txn *tx, char identity, char boundary)
{
	iam_CreateRole_in in = { .RoleName = name_of(rq->mem, identity, boundary), .AssumeRolePolicyDocument = S(
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\","
		"\"Action\":\"sts:AssumeRole\"}]}") };
	iam_CreateRole_out out;
	if (boundary != ' ')
		in.PermissionsBoundary = boundary_arn(rq->mem, boundary);
	TRY(iam_CreateRole(rq, tx, &in, &out));
	iam_PutRolePolicy_in put = { in.RoleName, S("own"), statement(rq->mem, identity) };
	return iam_PutRolePolicy(rq, tx, &put, &(iam_PutRolePolicy_out){ 0 });
}

static err make_identities(req *rq, txn *tx, void *context)
{
	static const char says[] = "-+!", bounds[] = " -+!";
	(void)context;
	for (const char *b = bounds + 1; *b; b++) {
		iam_CreatePolicy_in in = { .PolicyName = str_c(word_of(*b)), .PolicyDocument = statement(rq->mem,
		*b) };
		iam_CreatePolicy_out out;
		TRY(iam_CreatePolicy(rq, tx, &in, &out));
	}
	for (const char *i = says; *i; i++)
		for (const char *b = bounds; *b; b++) {
			TRY(make_user(rq, tx, *i, *b));
			TRY(make_role(rq, tx, *i, *b));
		}
	return OK;
}

static fixture *fixture_of(arena *mem)
{
	fixture *f = arena_new(mem, fixture);
	char folder[] = "/tmp/farthing-decisions-XXXXXX";
	ensure(mkdtemp(folder) != NULL);
	f->folder = arena_str(mem, str_c(folder));
	store_options o = { .path = f->folder, .map_bytes = (size_t)64 << 20, .format = 1 };
	CHECK_OK(store_open(mem, &o, &f->store));
	arena_hook(mem, close_fixture, f);
	f->rq = (req){ .mem = mem, .region = S("us-east-1"), .now = clock_now(), .store = f->store,
		       .who = { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true } };
	CHECK_OK(req_write(&f->rq, make_identities, NULL));
	f->tx = req_read(&f->rq);
	return f;
}

/* A federated user without a policy of the session's own may do nothing by what its federator may. */
static str session_of(arena *mem, const struct row *r)
{
	if (r->session == ' ')
		return r->who == FED ? statement(mem, '-') : STR_NONE;
	return statement(mem, r->session);
}

static void become(req *rq, const struct row *r)
{
	arena *mem = rq->mem;
	str name = name_of(mem, r->identity, r->boundary);
	str user = arena_fmt(mem, "arn:aws:iam::" HERE ":user/%.*s", STR_ARG(name));
	credential *key = arena_new(mem, credential);
	rq->who = (caller){ .account = S(HERE), .arn = user, .key = key };
	key->SessionPolicy = session_of(mem, r);
	if (r->who == ROLE) {
		key->Role = arena_fmt(mem, "arn:aws:iam::" HERE ":role/%.*s", STR_ARG(name));
		rq->who.arn = arena_fmt(mem, "arn:aws:sts::" HERE ":assumed-role/%.*s/s", STR_ARG(name));
	}
	if (r->who == FED) {
		key->Federator = user;
		rq->who.arn = S("arn:aws:sts::" HERE ":federated-user/guest");
	}
}

static str granted_to(arena *mem, const char *effect, str principal)
{
	return arena_fmt(mem, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"%s\",\"Principal\":%.*s,"
	                 "\"Action\":\"decisions:*\",\"Resource\":\"*\"}]}", effect, STR_ARG(principal));
}

static str aws(arena *mem, str arn)
{
	return arena_fmt(mem, "{\"AWS\":\"%.*s\"}", STR_ARG(arn));
}

enum { NOBODY, ITSELF, BEHIND, ACCOUNT, EVERYBODY, SOMEBODY, DENIED, N_GRANTS };

static str document_of(req *rq, int grant)
{
	arena *mem = rq->mem;
	const credential *key = rq->who.key;
	switch (grant) {
	case ITSELF: return granted_to(mem, "Allow", aws(mem, rq->who.arn));
	case BEHIND: return granted_to(mem, "Allow", aws(mem, str_is(key->Role) ? key->Role : key->Federator));
	case ACCOUNT: return granted_to(mem, "Allow", aws(mem, S("arn:aws:iam::" HERE ":root")));
	case EVERYBODY: return granted_to(mem, "Allow", S("\"*\""));
	case SOMEBODY: return granted_to(mem, "Allow", aws(mem, S("arn:aws:iam::000000000003:user/x")));
	case DENIED: return granted_to(mem, "Deny", S("\"*\""));
	default: return STR_NONE;
	}
}

static bool allowed_on(req *rq, const txn *tx, const char *service_name, const char *account)
{
	str arn = arena_fmt(rq->mem, "arn:aws:%s:us-east-1:%s:thing", service_name, account);
	return decide(rq, tx, S(ACTION), arn, NULL).allowed;
}

TEST(decisions_by_table)
{
	fixture *f = fixture_of(mem);
	static const char *const grants[] = { "nobody", "itself", "what is behind it", "its account",
		                              "everybody", "somebody else", "a deny" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		const char *want = r->want;
		become(&f->rq, r);
		for (int grant = 0; grant < N_GRANTS; grant++) {
			if (grant == BEHIND && r->who == USER)
				continue;
			resource_document = document_of(&f->rq, grant);
			bool may = allowed_on(&f->rq, f->tx, "decisions", r->resource == OWN ? HERE : ELSEWHERE);
			if (may != (*want++ == 'y'))
				test_failed(__FILE__, __LINE__, "row %zu (identity '%c', boundary '%c', session '%c'), the "
				            "resource grants %s: %s", i, r->identity, r->boundary, r->session, grants[grant],
				            may ? "allowed" : "refused");
		}
		CHECK(!*want);
	}
}

/* Root of the resource's account and of another; a service; nobody in particular; another identity's
 * trust. */
TEST(decisions_without_identity_policies)
{
	fixture *f = fixture_of(mem);
	static const struct { caller who; const char *principal; bool own, other; } cases[] = {
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true }, NULL, true, false },
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true },
		  "{\"AWS\":\"" HERE "\"}", true, true },
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true },
		  "{\"AWS\":\"arn:aws:iam::" HERE ":root\"}", true, true },
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true }, "\"*\"", true, true },
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true },
		  "{\"AWS\":\"" ELSEWHERE "\"}", true, false },
		{ { .account = S(HERE), .arn = S("sns.amazonaws.com"), .internal = true }, NULL, false, false },
		{ { .account = S(HERE), .arn = S("sns.amazonaws.com"), .internal = true },
		  "{\"Service\":\"sns.amazonaws.com\"}", true, true },
		{ { .account = S(HERE), .arn = S("sns.amazonaws.com"), .internal = true },
		  "{\"Service\":[\"sqs.amazonaws.com\",\"s3.amazonaws.com\"]}", false, false },
		{ { .account = S(HERE), .arn = S("sns.amazonaws.com"), .internal = true },
		  "{\"AWS\":\"" HERE "\"}", false, false },
		{ { .anonymous = true }, NULL, false, false },
		{ { .anonymous = true }, "\"*\"", true, true },
		{ { .anonymous = true }, "{\"AWS\":\"*\"}", true, true },
		{ { .anonymous = true }, "{\"AWS\":\"" HERE "\"}", false, false },
		{ { .anonymous = true }, "{\"Service\":\"sns.amazonaws.com\"}", false, false },
		/* An identity that no longer exists may do nothing, whoever grants. */
		{ { .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":user/gone") }, "\"*\"", false, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		f->rq.who = cases[i].who;
		resource_document = cases[i].principal ? granted_to(mem, "Allow",
		str_c(cases[i].principal)) : STR_NONE;
		if (allowed_on(&f->rq, f->tx, "decisions", HERE) != cases[i].own)
			test_failed(__FILE__, __LINE__, "case %zu, own resource", i);
		if (allowed_on(&f->rq, f->tx, "decisions", ELSEWHERE) != cases[i].other)
			test_failed(__FILE__, __LINE__, "case %zu, resource of another account", i);
		resource_document = granted_to(mem, "Deny", S("\"*\""));
		CHECK(!allowed_on(&f->rq, f->tx, "decisions", HERE));
	}
}

/* A key's policy, a role's trust: where there is one, identity policies alone allow nothing, not even to
 * root. */
TEST(decisions_where_the_resource_decides)
{
	fixture *f = fixture_of(mem);
	static const struct { kind who; char identity; int grant; bool may; } cases[] = {
		{ USER, '+', NOBODY, true }, { USER, '+', SOMEBODY, false }, { USER, '+', ACCOUNT, true },
		{ USER, '-', ACCOUNT, false }, { USER, '-', ITSELF, true }, { USER, '!', ITSELF, false },
		{ USER, '+', DENIED, false }, { ROLE, '+', SOMEBODY, false }, { ROLE, '+', ACCOUNT, true },
		{ ROLE, '-', ACCOUNT, false }, { ROLE, '-', BEHIND, true }, { ROLE, '-', ITSELF, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct row r = { cases[i].who, OWN, cases[i].identity, ' ', ' ', NULL };
		become(&f->rq, &r);
		resource_document = document_of(&f->rq, cases[i].grant);
		if (allowed_on(&f->rq, f->tx, "decisive", HERE) != cases[i].may)
			test_failed(__FILE__, __LINE__, "case %zu", i);
	}
	f->rq.who = (caller){ .account = S(HERE), .arn = S("arn:aws:iam::" HERE ":root"), .root = true };
	resource_document = document_of(&f->rq, SOMEBODY);
	CHECK(!allowed_on(&f->rq, f->tx, "decisive", HERE));
	resource_document = document_of(&f->rq, ACCOUNT);
	CHECK(allowed_on(&f->rq, f->tx, "decisive", HERE));
}

/* A deny for all but: whoever is not to be denied must be named together with its account (and its role). */
TEST(decisions_not_principal)
{
	fixture *f = fixture_of(mem);
	static const struct { kind who; const char *but; bool may; } cases[] = {
		{ USER, "\"arn:aws:iam::" HERE ":user/may-free\",\"arn:aws:iam::" HERE ":root\"", true },
		{ USER, "\"arn:aws:iam::" HERE ":user/may-free\",\"" HERE "\"", true },
		{ USER, "\"arn:aws:iam::" HERE ":user/may-free\"", false },
		{ USER, "\"arn:aws:iam::" HERE ":user/other\",\"arn:aws:iam::" HERE ":root\"", false },
		{ USER, "\"arn:aws:iam::" HERE ":root\"", false },
		{ USER, "\"arn:aws:iam::" ELSEWHERE ":root\"", false },
		{ ROLE, "\"arn:aws:iam::" HERE ":role/may-free\",\"arn:aws:sts::" HERE ":assumed-role/may-free/s\","
		        "\"arn:aws:iam::" HERE ":root\"", true },
		{ ROLE,
		"\"arn:aws:sts::" HERE ":assumed-role/may-free/other\",\"arn:aws:iam::" HERE ":role/may-free\","
		        "\"arn:aws:iam::" HERE ":root\"", false },
		{ ROLE, "\"arn:aws:iam::" HERE ":root\"", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct row r = { cases[i].who, OWN, '+', ' ', ' ', NULL };
		become(&f->rq, &r);
		resource_document = arena_fmt(mem,
			"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[%s]},"
			"\"Action\":\"*\",\"Resource\":\"*\"}]}", cases[i].but);
		if (allowed_on(&f->rq, f->tx, "decisions", HERE) != cases[i].may)
			test_failed(__FILE__, __LINE__, "case %zu", i);
	}
}
