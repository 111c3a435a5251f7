#include "run/postgres_parts.h"
#include "sys/file.h"
#include "sys/clock.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_SECONDS 86400L
#define VALID_DAYS 3650L
#define EVICT_MS 5000

static X509 *signed_by_itself(EVP_PKEY *key)
{
	X509 *x = X509_new();
	if (!x)
		return NULL;
	X509_NAME *name = X509_get_subject_name(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -DAY_SECONDS);
	X509_gmtime_adj(X509_getm_notAfter(x), VALID_DAYS * DAY_SECONDS);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"Farthing", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Farthing RDS", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	if (!X509_sign(x, key, EVP_sha256())) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static str bytes_of(arena *a, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	return arena_str(a, str_of(p, n > 0 ? (size_t)n : 0));
}

err postgres_file(arena *a, str path, str bytes)
{
	const engine_user *u = engine_identity();
	TRY(file_write(a, path, bytes, 0600));
	if (u->change && chown(path.p, u->uid, u->gid) < 0)
		return fault_new(a, &fault_system, "%s: chown: %s", path.p, strerror(errno));
	return OK;
}

err postgres_certificate(arena *a, str certificate_path, str key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? signed_by_itself(key) : NULL;
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
	bool made = x && c && k && PEM_write_bio_X509(c, x) &&
	            PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
	str certificate = made ? bytes_of(a, c) : STR_NONE, secret = made ? bytes_of(a, k) : STR_NONE;
	BIO_free(c);
	BIO_free(k);
	X509_free(x);
	EVP_PKEY_free(key);
	if (!made)
		return fault_new(a, &fault_system, "OpenSSL made no certificate");
	TRY(postgres_file(a, certificate_path, certificate));
	return postgres_file(a, key_path, secret);
}

static pthread_mutex_t walk_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t walk_bytes;

static int add(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	if (kind == FTW_D && at->level == 1 && strcmp(path + at->base, "pg_wal") == 0)
		return FTW_SKIP_SUBTREE;
	if (kind == FTW_F)
		walk_bytes += st->st_blocks * 512;
	return FTW_CONTINUE;
}

int64_t postgres_bytes(arena *a, str root, str name)
{
	str path = postgres_folder(a, root, name, "data");
	pthread_mutex_lock(&walk_lock);
	walk_bytes = 0;
	nftw(path.p, add, 16, FTW_PHYS | FTW_ACTIONRETVAL);
	int64_t n = walk_bytes;
	pthread_mutex_unlock(&walk_lock);
	return n;
}

/* Kills those that stand in the folder, by whatever name they know it; how many there were. */
static int evict_once(arena *a, str data)
{
	int n = 0;
	char path[64];
	struct stat here, there;
	DIR *d = stat(arena_str(a, data).p, &here) == 0 ? opendir("/proc") : NULL;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (*end || pid <= 1 || pid == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%ld/cwd", pid);
		if (stat(path, &there) == 0 && there.st_dev == here.st_dev && there.st_ino == here.st_ino) {
			kill((pid_t)pid, SIGKILL);
			n++;
		}
	}
	if (d)
		closedir(d);
	return n;
}

err postgres_evict(arena *a, str data)
{
	for (int ms = 0; evict_once(a, data); ms += 10) {
		if (ms > EVICT_MS)
			return fault_new(a, &fault_system, "%.*s: an earlier PostgreSQL does not go", STR_ARG(data));
		clock_sleep_ms(10);
	}
	/* Locks of a dead server, or of one whose copy this is. */
	str *names;
	size_t n;
	TRY(dir_list(a, data, &names, &n));
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], S(".s.PGSQL.")) || str_eq(names[i], S("postmaster.pid")))
			unlink(path_join(a, data, names[i]).p);
	return OK;
}
