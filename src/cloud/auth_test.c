#include "cloud/auth.h"
#include "base/time.h"
#include "cloud/record.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
	store *store;
	str folder;
	service service;
	operation op;
	wire_message m;
	req rq;
} fixture;

static void close_fixture(void *subject)
{
	fixture *f = subject;
	arena *a = arena_open(1024);
	store_close(f->store);
	err e = dir_remove(a, f->folder);
	ensure(!e);
	arena_close(a);
}

static fixture *fixture_of(arena *mem, const char *name, const codec *spoken)
{
	fixture *f = arena_new(mem, fixture);
	char folder[] = "/tmp/farthing-auth-XXXXXX";
	ensure(mkdtemp(folder) != NULL);
	f->folder = arena_str(mem, str_c(folder));
	store_options o = { .path = f->folder, .map_bytes = (size_t)64 << 20, .format = 1 };
	CHECK_OK(store_open(mem, &o, &f->store));
	arena_hook(mem, close_fixture, f);
	CHECK_OK(auth_start(mem, f->store));
	f->service = (service){ .name = name, .signing_name = name };
	f->op = (operation){ .name = "Op", .service = &f->service };
	f->m = (wire_message){ .mem = mem, .method = S("POST"), .path = S("/"), .body = S("Action=Op") };
	f->rq = (req){ .mem = mem, .op = &f->op, .codec = spoken, .region = S("us-east-1"), .now = clock_now(),
		       .http = &f->m, .host = S("localhost:4566"), .store = f->store };
	return f;
}

static const char *outcome(fixture *f, bool strict)
{
	sigv4 sig;
	f->rq.who = (caller){ 0 };
	err e = sigv4_parse(&f->m, f->rq.host, &sig);
	if (!e)
		e = auth_caller(&f->rq, &sig, strict);
	return e ? e->kind->query_code : "OK";
}

static void sign(fixture *f, str key, str secret, str token, int64_t when)
{
	f->m.n_headers = 0;
	sigv4_sign(&f->m, f->rq.host, key, secret, token, S("us-east-1"), str_c(f->service.name), when);
}

#define IS(got, want) CHECK_STR(str_c(got), S(want))

TEST(auth_root_key_is_kept)
{
	fixture *f = fixture_of(mem, "iam", &codec_query);
	str key, secret, key2, secret2;
	CHECK_OK(auth_root_key(mem, f->store, &key, &secret));
	CHECK_OK(auth_start(mem, f->store));
	CHECK_OK(auth_root_key(mem, f->store, &key2, &secret2));
	CHECK_STR(key, key2);
	CHECK_STR(secret, secret2);
	CHECK(key.n == 20 && secret.n == 40 && str_starts(key, S("AKIA")));
	CHECK_STR(access_key_account(mem, key), S("000000000000"));
	CHECK_STR(access_key_account(mem, access_key_new(mem, "ASIA", S("999999999999"))), S("999999999999"));
	CHECK(!str_is(access_key_account(mem, S("AKIAIOSFODNN0EXAMPLE"))));
}

TEST(auth_known_keys)
{
	fixture *f = fixture_of(mem, "iam", &codec_query);
	str key, secret;
	CHECK_OK(auth_root_key(mem, f->store, &key, &secret));
	for (int strict = 0; strict < 2; strict++) {
		sign(f, key, secret, STR_NONE, clock_real());
		IS(outcome(f, strict), "OK");
		CHECK(f->rq.who.root && !f->rq.who.anonymous);
		CHECK_STR(f->rq.who.arn, S("arn:aws:iam::000000000000:root"));
		CHECK_STR(f->rq.who.access_key, key);
		sign(f, key, S("another secret"), STR_NONE, clock_real());
		IS(outcome(f, strict), "SignatureDoesNotMatch");
		sign(f, key, secret, S("a token it does not have"), clock_real());
		IS(outcome(f, strict), "InvalidClientTokenId");
		sign(f, key, secret, STR_NONE, clock_real() - 16 * MS_MINUTE);
		IS(outcome(f, strict), "SignatureDoesNotMatch");
		sign(f, key, secret, STR_NONE, clock_real() + 16 * MS_MINUTE);
		IS(outcome(f, strict), "SignatureDoesNotMatch");
		sign(f, key, secret, STR_NONE, clock_real());
		f->m.body = S("Action=Other");
		IS(outcome(f, strict), "SignatureDoesNotMatch");
		f->m.body = S("Action=Op");
		f->service.signing_name = "sts";
		IS(outcome(f, strict), "SignatureDoesNotMatch");
		f->service.signing_name = "iam";
		IS(outcome(f, strict), "OK");
	}
}

TEST(auth_modes)
{
	fixture *f = fixture_of(mem, "iam", &codec_query);
	IS(outcome(f, true), "MissingAuthenticationToken");
	IS(outcome(f, false), "OK");
	CHECK_STR(f->rq.who.account, S("000000000000"));
	sign(f, S("test"), S("test"), STR_NONE, clock_real());
	IS(outcome(f, true), "InvalidClientTokenId");
	IS(outcome(f, false), "OK");
	CHECK_STR(f->rq.who.arn, S("arn:aws:iam::000000000000:root"));
	sign(f, S("123456789012"), S("anything"), STR_NONE, clock_real());
	IS(outcome(f, false), "OK");
	CHECK_STR(f->rq.who.arn, S("arn:aws:iam::123456789012:root"));
	sign(f, S("test"), S("test"), STR_NONE, clock_real() - 20 * MS_MINUTE);
	IS(outcome(f, false), "SignatureDoesNotMatch");
	f->m.n_headers = 0;
	wire_header_add(&f->m, S("Authorization"), S("AWS4-HMAC-SHA256 nonsense"));
	IS(outcome(f, false), "IncompleteSignature");
	f->m.n_headers = 0;
	f->op.no_auth = true;
	IS(outcome(f, true), "OK");
	CHECK(f->rq.who.anonymous && !f->rq.who.root);
}

static const credential *row;

static bool put_row(__attribute__((unused)) void *context, txn *tx)
{
	if (str_is(row->Token))
		credential_put_session(tx, row);
	else
		credential_put(tx, row);
	return true;
}

TEST(auth_sessions_and_inactive_keys)
{
	fixture *f = fixture_of(mem, "dynamodb", &codec_json);
	str token = session_token_new(mem), key = access_key_new(mem, "ASIA", S("000000000001"));
	credential c = {
		.AccessKey = key, .Secret = S("s"), .Account = S("000000000001"), .Token = token,
		.Arn = S("arn:aws:sts::000000000001:assumed-role/R/S"), .UserId = S("AROA1:S"),
		.Expires = f->rq.now + MS_HOUR,
	};
	row = &c;
	CHECK_OK(store_write(f->store, put_row, NULL));
	sign(f, key, S("s"), token, clock_real());
	IS(outcome(f, true), "OK");
	CHECK_STR(f->rq.who.user_id, S("AROA1:S"));
	CHECK(!f->rq.who.root);
	sign(f, key, S("s"), STR_NONE, clock_real());
	IS(outcome(f, true), "UnrecognizedClientException");
	sign(f, key, S("s"), S("wrong"), clock_real());
	IS(outcome(f, false), "UnrecognizedClientException");
	sign(f, key, S("s"), token, clock_real());
	f->rq.now += MS_HOUR;
	IS(outcome(f, true), "ExpiredTokenException");
	f->rq.now -= MS_HOUR;

	credential inactive = { .AccessKey = S("AKIAINACTIVE"), .Secret = S("s"), .Account = S("000000000001"),
		                .Inactive = true };
	row = &inactive;
	CHECK_OK(store_write(f->store, put_row, NULL));
	sign(f, inactive.AccessKey, S("s"), STR_NONE, clock_real());
	IS(outcome(f, false), "UnrecognizedClientException");
}

TEST(auth_s3)
{
	fixture *f = fixture_of(mem, "s3", &codec_rest_xml);
	str key, secret;
	CHECK_OK(auth_root_key(mem, f->store, &key, &secret));
	IS(outcome(f, true), "OK");
	CHECK(f->rq.who.anonymous);
	sign(f, key, secret, STR_NONE, clock_real());
	IS(outcome(f, true), "OK");
	f->m.body = S("changed");
	IS(outcome(f, true), "XAmzContentSHA256Mismatch");
	f->m.body = S("Action=Op");
	sign(f, key, S("wrong"), STR_NONE, clock_real());
	sigv4 sig;
	CHECK_OK(sigv4_parse(&f->m, f->rq.host, &sig));
	err e = auth_caller(&f->rq, &sig, true);
	CHECK(e && e->detail && e->kind->shape && e->kind->status == 403);
	CHECK(str_starts(*(const str *)e->detail, key));
	sign(f, S("AKIAUNKNOWN"), S("wrong"), STR_NONE, clock_real());
	IS(outcome(f, true), "InvalidAccessKeyId");
	sign(f, key, secret, STR_NONE, clock_real() - 16 * MS_MINUTE);
	IS(outcome(f, true), "RequestTimeTooSkewed");
	f->m.n_headers = 0;
	f->m.query = S("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20200101%2Fus-east-1%2Fs3%2F"
	               "aws4_request&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"
	               "X-Amz-Signature=00");
	IS(outcome(f, false), "AccessDenied"); /* long expired, whoever signed it */
}

TEST(auth_remembers_last_use)
{
	fixture *f = fixture_of(mem, "iam", &codec_query);
	str key, secret;
	CHECK_OK(auth_root_key(mem, f->store, &key, &secret));
	sign(f, key, secret, STR_NONE, clock_real());
	IS(outcome(f, true), "OK");
	row = &(credential){ .AccessKey = S("x"), .Account = S("1") };
	CHECK_OK(store_write(f->store, put_row, NULL)); /* behind the job that notes the use */
	const txn *tx = store_read(f->store);
	const credential_use *use = credential_use_get(tx, mem, key);
	CHECK(use && use->When == f->rq.now);
	CHECK_STR(use->Service, S("iam"));
	store_read_end(f->store, tx);
}
