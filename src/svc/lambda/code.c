#include "lambda.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include "zip.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define PINS_MAX 64
#define HASH_HEX 64
#define LOCATION_MS (10 * MS_MINUTE)
#define SWEEP_AFTER_MS MS_MINUTE
#define LOCATION_PATH "/_lambda-code/"

/*
 * FOLDER/zip/HASH.zip is the package, on disk before anything names it. FOLDER/code-BOOT/HASH is it
 * unpacked, not synced: after a crash of the machine (another BOOT) it is made again when it is needed.
 */
static struct {
	arena *mem; /* boot */
	str data, folder, unpacked;
	unsigned char secret[32];
	pthread_mutex_t lock;
	char pins[PINS_MAX][HASH_HEX + 1];
} code = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What a server that was killed had begun to unpack. */
static err drop_unfinished(void)
{
	str *names;
	size_t n;
	TRY(dir_list(code.mem, code.unpacked, &names, &n));
	for (size_t i = 0; i < n; i++)
		if (names[i].p[0] == '.')
			TRY(dir_remove(code.mem, path_join(code.mem, code.unpacked, names[i])));
	return OK;
}

err code_start(store *s, str folder)
{
	char boot[16] = "x";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (f && !fgets(boot, 9, f))
		boot[0] = 'x';
	if (f)
		fclose(f);
	code.mem = arena_open(4096);
	code.data = arena_str(code.mem, folder);
	code.folder = path_join(code.mem, folder, S("lambda"));
	code.unpacked = arena_fmt(code.mem, "%.*s/code-%s", STR_ARG(code.folder), boot);
	rand_bytes(code.secret, sizeof code.secret);
	str *names;
	size_t n;
	if (!dir_list(code.mem, code.folder, &names, &n))
		for (size_t i = 0; i < n; i++)
			if (str_starts(names[i], S("code-")) && !str_ends(code.unpacked, names[i]))
				TRY(dir_remove(code.mem, path_join(code.mem, code.folder, names[i])));
	TRY(dir_make(code.mem, path_join(code.mem, code.folder, S("zip")), 0700));
	TRY(dir_make(code.mem, code.unpacked, 0755));
	return drop_unfinished();
}

static bool pinned(str hash)
{
	for (int i = 0; i < PINS_MAX; i++)
		if (str_eq(str_c(code.pins[i]), hash))
			return true;
	return false;
}

/* Every pin is one upload under way; more of them than fit wait for a place. */
void code_pin(str hash)
{
	for (bool done = false; !done;) {
		pthread_mutex_lock(&code.lock);
		for (int i = 0; i < PINS_MAX && !done; i++)
			if (!code.pins[i][0]) {
				memcpy(code.pins[i], hash.p, HASH_HEX);
				code.pins[i][HASH_HEX] = '\0';
				done = true;
			}
		pthread_mutex_unlock(&code.lock);
		if (!done)
			clock_sleep_ms(5);
	}
}

void code_release(const package *p)
{
	pthread_mutex_lock(&code.lock);
	for (int i = 0; i < PINS_MAX; i++)
		if (str_eq(str_c(code.pins[i]), p->hash)) {
			code.pins[i][0] = '\0';
			break;
		}
	pthread_mutex_unlock(&code.lock);
}

static str zip_path(arena *mem, str hash)
{
	return arena_fmt(mem, "%.*s/zip/%.*s.zip", STR_ARG(code.folder), STR_ARG(hash));
}

err code_zip(arena *mem, str hash, str *zip)
{
	return file_read(mem, zip_path(mem, hash), LAMBDA_UNZIPPED_BYTES, zip);
}

str code_data_folder(void)
{
	return code.data;
}

str code_unpacked(arena *mem, str hash)
{
	return path_join(mem, code.unpacked, hash);
}

/* Beside its place first, so that what stands there is always whole. */
err code_install(arena *mem, str hash, err (*fill)(arena *mem, str folder, void *context), void *context)
{
	str path = code_unpacked(mem, hash), id = rand_uuid(mem);
	str fresh = arena_fmt(mem, "%.*s/.%.*s", STR_ARG(code.unpacked), STR_ARG(id));
	err e = dir_make(mem, fresh, 0755);
	if (!e)
		e = fill(mem, fresh, context);
	if (!e && rename(fresh.p, path.p) && !file_exists(path))
		e = fault_new(mem, &fault_system, "%s: %s", path.p, strerror(errno));
	err left = dir_remove(mem, fresh);
	return e ? e : left;
}

typedef struct zipped {
	str zip;
	const char *why;
} zipped;

static err fill_from_zip(arena *mem, str folder, void *context)
{
	zipped *z = context;
	if (!zip_unpack(mem, z->zip, folder, LAMBDA_UNZIPPED_BYTES, &z->why))
		return fault_new(mem, &fault_syntax, "%s", z->why);
	z->why = NULL;
	return OK;
}

static err unpack(arena *mem, str hash, str zip, const char **why)
{
	zipped z = { .zip = zip };
	err e = code_install(mem, hash, fill_from_zip, &z);
	*why = z.why;
	return z.why ? OK : e;
}

err code_folder(arena *mem, str hash, str *folder)
{
	const char *why;
	str zip;
	*folder = code_unpacked(mem, hash);
	if (file_exists(*folder))
		return OK;
	TRY(code_zip(mem, hash, &zip));
	TRY(unpack(mem, hash, zip, &why));
	return why ? fault_new(mem, &fault_system, "The package %.*s: %s", STR_ARG(hash), why) : OK;
}

static err check(req *rq, str zip, int64_t *unzipped)
{
	zip_archive z = { .n = 0 };
	bool opens = zip_open(rq->mem, zip, &z);
	if (zip.n == 0 || (opens && z.n == 0))
		return fail(rq, &lambda_InvalidParameterValueException, "Uploaded file must be a non-empty zip");
	*unzipped = zip_unpacked_size(rq->mem, zip);
	if (*unzipped < 0)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Could not unzip uploaded file. Please check your file, then try to upload again.");
	if (*unzipped > LAMBDA_UNZIPPED_BYTES)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Unzipped size must be smaller than %d bytes", LAMBDA_UNZIPPED_BYTES);
	return OK;
}

static err keep(req *rq, str zip, const package *p)
{
	const char *why = NULL;
	str path = zip_path(rq->mem, p->hash);
	if (!file_exists(path_join(rq->mem, code.unpacked, p->hash)))
		TRY(unpack(rq->mem, p->hash, zip, &why));
	if (why)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Could not unzip uploaded file. Please check your file, then try to upload "
		            "again. (%s)", why);
	return file_exists(path) ? OK : file_write(rq->mem, path, zip, 0600);
}

err code_keep(req *rq, str zip, package *out)
{
	unsigned char hash[32];
	package p = { .size = (int64_t)zip.n };
	TRY(check(rq, zip, &p.unzipped));
	sha256(zip, hash);
	p.hash = hex_encode(rq->mem, str_of((char *)hash, sizeof hash));
	p.hash_base64 = base64_encode(rq->mem, str_of((char *)hash, sizeof hash));
	code_pin(p.hash);
	err failed = keep(rq, zip, &p);
	if (failed) {
		code_release(&p);
		return failed;
	}
	*out = p;
	return OK;
}

package *package_of(arena *mem, str hash, package *p)
{
	str raw = S("");
	hex_decode(mem, hash, &raw);
	*p = (package){ .hash = hash, .hash_base64 = base64_encode(mem, raw) };
	return p;
}

void code_refer(txn *tx, str account, str region, str owner, const package *p)
{
	arena *mem = txn_arena(tx);
	str whole = arena_fmt(mem, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(owner));
	lambda_coderef_put(tx, &(lambda_coderef){ .Hash = p->hash, .Owner = whole, .Size = p->size });
	lambda_codesize_put(tx, &(lambda_codesize){ .Account = account, .Region = region, .Owner = owner,
	                                            .Bytes = p->size });
}

static bool referred(const txn *tx, arena *mem, str hash)
{
	record_scan s = lambda_coderef_scan(tx, mem, 1, hash, STR_NONE);
	bool any = lambda_coderef_next(&s) != NULL;
	cursor_close(&s.at);
	return any;
}

void code_forget(txn *tx, str account, str region, str owner, str hash)
{
	arena *mem = txn_arena(tx);
	str whole = arena_fmt(mem, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(owner));
	lambda_coderef_delete(tx, hash, whole);
	lambda_codesize_delete(tx, account, region, owner);
	if (!referred(tx, mem, hash))
		task_add(tx, "lambda_code_sweep", hash, clock_now() + SWEEP_AFTER_MS);
}

static str layer_owner(arena *mem, const lambda_version *v, size_t i)
{
	str owner = function_owner(mem, v);
	return arena_fmt(mem, "%.*s/%.*s/%.*s:layer:%zu", STR_ARG(v->Account), STR_ARG(v->Region),
	                 STR_ARG(owner), i);
}

void layers_refer(txn *tx, const lambda_version *v)
{
	for (size_t i = 0; i < v->LayerCodes.n; i++)
		lambda_coderef_put(tx, &(lambda_coderef){ .Hash = v->LayerCodes.v[i],
		                                          .Owner = layer_owner(txn_arena(tx), v, i) });
}

void layers_forget(txn *tx, const lambda_version *v)
{
	for (size_t i = 0; i < v->LayerCodes.n; i++) {
		lambda_coderef_delete(tx, v->LayerCodes.v[i], layer_owner(txn_arena(tx), v, i));
		if (!referred(tx, txn_arena(tx), v->LayerCodes.v[i]))
			task_add(tx, "lambda_code_sweep", v->LayerCodes.v[i], clock_now() + SWEEP_AFTER_MS);
	}
}

/* Removes a package that nobody has any more. */
TASK(lambda_code_sweep)
{
	str hash = arena_str(mem, payload);
	const txn *tx = store_read(s);
	bool used = referred(tx, mem, hash);
	store_read_end(s, tx);
	if (used || hash.n != HASH_HEX)
		return TASK_DONE;
	pthread_mutex_lock(&code.lock);
	bool busy = pinned(hash);
	if (!busy) {
		unlink(zip_path(mem, hash).p);
		busy = dir_remove(mem, path_join(mem, code.unpacked, hash)) != OK;
	}
	pthread_mutex_unlock(&code.lock);
	return busy ? clock_now() + SWEEP_AFTER_MS : TASK_DONE;
}

int64_t code_stored(const txn *tx, arena *mem, str account, str region)
{
	int64_t total = 0;
	record_scan s = lambda_codesize_scan(tx, mem, 2, account, region, STR_NONE);
	for (lambda_codesize *c; (c = lambda_codesize_next(&s));)
		total += c->Bytes;
	return total;
}

err code_room(req *rq, const txn *tx, int64_t more)
{
	if (code_stored(tx, rq->mem, rq->who.account, rq->region) + more <= LAMBDA_STORAGE_BYTES)
		return OK;
	return fail(rq, &lambda_CodeStorageExceededException, "Code storage limit exceeded.");
}

str function_owner(arena *mem, const lambda_version *v)
{
	return arena_fmt(mem, "function:%.*s:%lld", STR_ARG(v->Name), (long long)v->Number);
}

static str location_seal(arena *mem, str hash, str expires)
{
	unsigned char mac[32];
	hmac_sha256(str_of((char *)code.secret, sizeof code.secret),
	            arena_fmt(mem, "%.*s %.*s", STR_ARG(hash), STR_ARG(expires)), mac);
	return hex_encode(mem, str_of((char *)mac, sizeof mac));
}

/* Where a package can be fetched for ten minutes, by whoever has the address. */
str code_location(req *rq, str hash)
{
	str expires = arena_fmt(rq->mem, "%lld", (long long)(clock_real() + LOCATION_MS));
	str seal = location_seal(rq->mem, hash, expires);
	return arena_fmt(rq->mem, "%.*s" LOCATION_PATH "%.*s?Expires=%.*s&Signature=%.*s",
	                 STR_ARG(server_endpoint()),
	                 STR_ARG(hash), STR_ARG(expires), STR_ARG(seal));
}

static bool location_match(const http_exchange *x)
{
	return str_starts(x->in.path, S(LOCATION_PATH));
}

static void location_serve(http_exchange *x, store *s)
{
	str hash = str_sub(x->in.path, sizeof LOCATION_PATH - 1, x->in.path.n);
	str expires = query_value(x->mem, x->in.query, S("Expires"));
	wire_message out = { .mem = x->mem, .status = 403 };
	int64_t until = 0;
	bool ok = str_eq(x->in.method, S("GET")) && hash.n == HASH_HEX && str_to_i64(expires, &until) &&
		until > clock_real() &&
		secret_eq(query_value(x->mem, x->in.query, S("Signature")), location_seal(x->mem, hash, expires));
	if (ok && !code_zip(x->mem, hash, &out.body)) {
		out.status = 200;
		wire_header_add(&out, S("Content-Type"), S("application/zip"));
	}
	http_reply(x, &out, NULL);
}
PLANE(lambda_code, location_match, location_serve);
