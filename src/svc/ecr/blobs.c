/*
 * Blobs on disk and who needs them. The file is in place before the row that counts it is committed, and
 * goes only when no row counts it; `placing` keeps a removal from falling between the two.
 */
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "ecr.h"
#include "run/image.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)
#define ORPHAN_MS MS_DAY

static char data[3072]; /* the server's folder; empty before it starts */
static pthread_mutex_t placing = PTHREAD_MUTEX_INITIALIZER;

static err file_fault(arena *mem, int system_error, const char *what)
{
	return fault_new(mem, &ecr_ServerException, "The registry's disk: %s: %s", what,
	                 strerror(system_error));
}

static const char *upload_path(arena *mem, str id)
{
	return arena_fmt(mem, "%s/ecr/uploads/%.*s", data, STR_ARG(id)).p;
}

int blob_open(arena *mem, str sum)
{
	return open(image_blob_path(mem, str_c(data), sum).p, O_RDONLY | O_CLOEXEC);
}

static str link_name(arena *mem, int64_t repo, str sum)
{
	return arena_fmt(mem, "%lld %.*s", (long long)repo, STR_ARG(sum));
}

static void charge(txn *tx, arena *mem, const ecr_link *l, int64_t bytes, int64_t now)
{
	ecr_repo r = { .Account = l->Account, .Region = l->Region, .Name = l->Repo };
	resident_add(tx, l->Account, l->Region, now, &ECR_STORAGE, repo_arn(mem, &r), bytes);
}

void link_add(txn *tx, arena *mem, const ecr_repo *r, str sum, int64_t bytes, int64_t now)
{
	if (ecr_link_get(tx, mem, r->Id, sum))
		return;
	ecr_link l = { .RepoId = r->Id, .Digest = sum, .Bytes = bytes, .Account = r->Account,
		       .Region = r->Region, .Repo = r->Name };
	ecr_link_put(tx, &l);
	ecr_blob *b = ecr_blob_get(tx, mem, sum);
	ecr_blob_put(tx, &(ecr_blob){ .Digest = sum, .Bytes = bytes, .Repos = (b ? b->Repos : 0) + 1 });
	charge(tx, mem, &l, bytes, now);
	str name = link_name(mem, r->Id, sum);
	timer_set(tx, "ecr_orphan", name, now + ORPHAN_MS, name);
}

void link_drop(txn *tx, arena *mem, const ecr_link *l, int64_t now)
{
	ecr_link_delete(tx, l->RepoId, l->Digest);
	timer_cancel(tx, "ecr_orphan", link_name(mem, l->RepoId, l->Digest));
	charge(tx, mem, l, -l->Bytes, now);
	ecr_blob *b = ecr_blob_get(tx, mem, l->Digest);
	if (b && b->Repos > 1) {
		b->Repos--;
		ecr_blob_put(tx, b);
		return;
	}
	ecr_blob_delete(tx, l->Digest);
	task_add(tx, "ecr_unlink", l->Digest, 0);
}

void link_use(txn *tx, arena *mem, const ecr_repo *r, str sum, int change, int64_t now)
{
	ecr_link *l = ecr_link_get(tx, mem, r->Id, sum);
	if (!l)
		return;
	l->Images += change;
	if (l->Images <= 0) {
		link_drop(tx, mem, l, now);
		return;
	}
	ecr_link_put(tx, l);
	timer_cancel(tx, "ecr_orphan", link_name(mem, r->Id, sum));
}

TIMER(ecr_orphan)
{
	str rest = payload, repo = str_cut(&rest, ' ');
	int64_t id;
	ensure(str_to_i64(repo, &id));
	ecr_link *l = ecr_link_get(tx, txn_arena(tx), id, rest);
	if (l && l->Images <= 0)
		link_drop(tx, txn_arena(tx), l, due);
}

TASK(ecr_unlink)
{
	int bad = 0;
	pthread_mutex_lock(&placing);
	const txn *tx = store_read(s);
	bool wanted = ecr_blob_get(tx, mem, payload) != NULL;
	store_read_end(s, tx);
	if (!wanted && unlink(image_blob_path(mem, str_c(data), payload).p) < 0 && errno != ENOENT)
		bad = errno;
	pthread_mutex_unlock(&placing);
	return bad ? clock_now() + MS_MINUTE : TASK_DONE;
}

TIMER(ecr_upload_end)
{
	push_drop(tx, payload);
}

TASK(ecr_upload_unlink)
{
	if (unlink(upload_path(mem, payload)) < 0 && errno != ENOENT)
		return clock_now() + MS_MINUTE;
	return TASK_DONE;
}

str push_begin(req *rq, txn *tx, const ecr_repo *r)
{
	str id = rand_uuid(rq->mem);
	ecr_upload_put(tx, &(ecr_upload){ .Id = id, .RepoId = r->Id });
	timer_set(tx, "ecr_upload_end", id, rq->now + ORPHAN_MS, id);
	return id;
}

ecr_upload *push_find(const txn *tx, arena *mem, const ecr_repo *r, str id)
{
	ecr_upload *u = id.n <= 64 ? ecr_upload_get(tx, mem, id) : NULL;
	return u && u->RepoId == r->Id ? u : NULL;
}

void push_drop(txn *tx, str id)
{
	if (!ecr_upload_delete(tx, id))
		return;
	timer_cancel(tx, "ecr_upload_end", id);
	task_add(tx, "ecr_upload_unlink", id, 0);
}

int64_t push_bytes(arena *mem, str id)
{
	struct stat st;
	return stat(upload_path(mem, id), &st) == 0 ? st.st_size : 0;
}

static err write_all(arena *mem, int fd, const char *p, size_t n, int64_t at)
{
	while (n) {
		ssize_t put = pwrite(fd, p, n, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return file_fault(mem, errno, "write");
		p += put;
		at += put;
		n -= (size_t)put;
	}
	return OK;
}

/* Two parts for one place: the second finds the file longer than it thought. */
static bool place_part(arena *mem, str id, int64_t at, str bytes, int from, err *why)
{
	static pthread_mutex_t appending = PTHREAD_MUTEX_INITIALIZER;
	struct stat st;
	*why = OK;
	int fd = open(upload_path(mem, id), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		*why = file_fault(mem, errno, "open");
		return true;
	}
	pthread_mutex_lock(&appending);
	bool fits = fstat(fd, &st) == 0 && st.st_size == at;
	if (fits && from < 0)
		*why = write_all(mem, fd, bytes.p, bytes.n, at);
	char *block = fits && from >= 0 ? arena_bytes(mem, BLOCK) : NULL;
	while (block && !*why) {
		ssize_t n = read(from, block, BLOCK);
		if (n < 0)
			*why = file_fault(mem, errno, "read");
		if (n <= 0)
			break;
		*why = write_all(mem, fd, block, (size_t)n, at);
		at += n;
	}
	/* Half a part is none. */
	if (fits && *why && ftruncate(fd, st.st_size) < 0)
		*why = file_fault(mem, errno, "truncate");
	pthread_mutex_unlock(&appending);
	close(fd);
	return fits;
}

bool push_append(arena *mem, str id, int64_t at, str bytes, err *why)
{
	return place_part(mem, id, at, bytes, -1, why);
}

bool push_append_spool(arena *mem, str id, int64_t at, str spool, err *why)
{
	const char *path = upload_path(mem, spool);
	*why = OK;
	/* The first part becomes the file as it is. */
	if (at == 0 && push_bytes(mem, id) == 0) {
		if (rename(path, upload_path(mem, id)) < 0)
			*why = file_fault(mem, errno, "rename");
		return true;
	}
	int from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0) {
		*why = file_fault(mem, errno, "open");
		return true;
	}
	bool fits = place_part(mem, id, at, S(""), from, why);
	close(from);
	unlink(path);
	return fits;
}

err push_digest(arena *mem, str id, str *sum, int64_t *bytes)
{
	err e = OK;
	struct digest *d = digest_open(mem, DIGEST_SHA256);
	char *block = arena_bytes(mem, BLOCK);
	*bytes = 0;
	int fd = open(upload_path(mem, id), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return file_fault(mem, errno, "open");
	while (fd >= 0) {
		ssize_t n = read(fd, block, BLOCK);
		if (n < 0)
			e = file_fault(mem, errno, "read");
		if (n <= 0)
			break;
		digest_add(d, block, (size_t)n);
		*bytes += n;
	}
	if (fd >= 0)
		close(fd);
	*sum = arena_concat(mem, S("sha256:"), hex_encode(mem, digest_finish(mem, d)));
	return e;
}

typedef struct finish {
	const ecr_repo *repo;
	str id, sum;
	int64_t bytes;
} finish;

static err finish_rows(req *rq, txn *tx, void *context)
{
	const finish *f = context;
	ecr_repo *r = ecr_repo_get(tx, rq->mem, f->repo->Account, f->repo->Region, f->repo->Name);
	if (!r || r->Id != f->repo->Id)
		return fail(rq, &ecr_RepositoryNotFoundException, "The repository with name '%.*s' does not exist",
		            STR_ARG(f->repo->Name));
	link_add(tx, rq->mem, r, f->sum, f->bytes, rq->now);
	push_drop(tx, f->id);
	return OK;
}

static err sync_path(arena *mem, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int bad = fd < 0 || fsync(fd) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return bad ? file_fault(mem, bad, "sync") : OK;
}

static err place(req *rq, const finish *f)
{
	const char *to = image_blob_path(rq->mem, str_c(data), f->sum).p;
	const char *from = upload_path(rq->mem, f->id);
	char *folder = arena_str(rq->mem, str_c(to)).p ? (char *)arena_str(rq->mem, str_c(to)).p : NULL;
	*strrchr(folder, '/') = '\0';
	TRY(dir_make(rq->mem, str_c(folder), 0700));
	if (f->bytes == 0) {
		int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
	}
	TRY(sync_path(rq->mem, from, O_RDONLY));
	if (rename(from, to) < 0)
		return file_fault(rq->mem, errno, "rename");
	return sync_path(rq->mem, folder, O_RDONLY | O_DIRECTORY);
}

err push_finish(req *rq, const ecr_repo *r, str id, str sum, int64_t bytes)
{
	finish f = { r, id, sum, bytes };
	pthread_mutex_lock(&placing);
	err e = place(rq, &f);
	if (!e)
		e = req_write(rq, finish_rows, &f);
	pthread_mutex_unlock(&placing);
	return e;
}

int spool_create(arena *mem, str *name)
{
	*name = arena_concat(mem, S("spool-"), rand_uuid(mem));
	return data[0] ? open(upload_path(mem, *name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
}

void spool_drop(arena *mem, str name)
{
	unlink(upload_path(mem, name));
}

/* Bodies that a crash cut off. */
static void sweep(arena *mem, str folder)
{
	str *names;
	size_t n;
	if (dir_list(mem, folder, &names, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], S("spool-")))
			spool_drop(mem, names[i]);
}

static err start(store *s, str data_folder)
{
	(void)s;
	arena *mem = arena_open(4096);
	snprintf(data, sizeof data, "%.*s", STR_ARG(data_folder));
	str folder = arena_fmt(mem, "%s/ecr/uploads", data);
	err e = dir_make(mem, folder, 0700);
	if (!e)
		sweep(mem, folder);
	static const fault cannot = { &fault_system, { "The registry's folder cannot be made.", 37 }, NULL };
	arena_close(mem);
	return e ? &cannot : OK;
}

static void stop(void)
{
	data[0] = 0;
}

SERVER_PART(ecr, start, stop);
