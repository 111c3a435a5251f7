/* Pushing a blob: bodies of any size go to a spool on disk while they come, and from there into an upload. */
#include "registry.h"
#include <unistd.h>

typedef struct spool {
	http_sink sink; /* first */
	int fd;
	str name;
	int64_t bytes;
	bool failed;
} spool;

static bool to_spool(http_sink *sink, const char *p, size_t n)
{
	spool *s = sink->context;
	while (n && !s->failed) {
		ssize_t put = s->bytes < ECR_LAYER_BYTES ? write(s->fd, p, n) : -1;
		if (put < 0) {
			s->failed = true;
			break;
		}
		p += put;
		n -= (size_t)put;
		s->bytes += put;
	}
	return !s->failed;
}

static void close_spool(void *subject)
{
	close(((spool *)subject)->fd);
}

void registry_open(http_exchange *x, store *st)
{
	if (str_find(x->in.path, S("/blobs/uploads")) == SIZE_MAX || str_eq(x->in.method, S("GET")))
		return;
	/* Nobody fills the disk without a token: a body without one has the usual limit. */
	const txn *tx = store_read(st);
	bool known = registry_token(x, tx, x->mem) != NULL;
	store_read_end(st, tx);
	spool *s = arena_new(x->mem, spool);
	s->fd = known ? spool_create(x->mem, &s->name) : -1;
	if (s->fd < 0)
		return;
	arena_hook(x->mem, close_spool, s);
	s->sink = (http_sink){ .write = to_spool, .context = s };
	x->sink = &s->sink;
}

bool registry_spool(http_exchange *x, str *name, err *why)
{
	spool *s = x->sink && x->sink->write == to_spool ? x->sink->context : NULL;
	*why = OK;
	if (!s)
		return false;
	*name = s->name;
	if (s->failed)
		*why = fault_new(x->mem, &ecr_ServerException, "The registry's disk takes no more, or the layer is "
		                                               "too large");
	else if (x->body_cut)
		*why = fault_new(x->mem, &ecr_InvalidLayerPartException, "The body was cut short");
	return true;
}

static void located(visit *v, str id, int64_t bytes)
{
	registry_header(v, S("Location"),
	                arena_fmt(v->x->mem, "%.*s/v2/%.*s/blobs/uploads/%.*s", STR_ARG(registry_base(v)),
	                          STR_ARG(v->name), STR_ARG(id)));
	registry_header(v, S("Docker-Upload-UUID"), id);
	registry_header(v, S("Range"), arena_fmt(v->x->mem, "0-%lld", (long long)(bytes ? bytes - 1 : 0)));
}

static void created(visit *v, str sum)
{
	registry_header(v, S("Location"), arena_fmt(v->x->mem, "%.*s/v2/%.*s/blobs/%.*s",
	                                            STR_ARG(registry_base(v)), STR_ARG(v->name), STR_ARG(sum)));
	registry_header(v, S("Docker-Content-Digest"), sum);
	registry_reply(v, 201, STR_NONE, S(""));
}

/* `Content-Range: 0-1023`, of the client's idea where its part belongs. */
static bool range_begins(visit *v, int64_t *at)
{
	str header = wire_header(&v->x->in, S("content-range"));
	if (!str_is(header))
		return true;
	if (str_starts(header, S("bytes ")))
		header = str_sub(header, 6, header.n);
	int64_t first;
	str from = str_cut(&header, '-');
	return str_to_i64(from, &first) && first == *at;
}

/* The body at the end of the upload. false: the reply has been given. */
static bool take_body(visit *v, str id, int64_t *bytes)
{
	str name = STR_NONE;
	err why;
	*bytes = push_bytes(v->x->mem, id);
	bool spooled = registry_spool(v->x, &name, &why);
	bool fits = !why && range_begins(v, bytes);
	if (fits && spooled && v->x->body_bytes)
		fits = push_append_spool(v->x->mem, id, *bytes, name, &why);
	else if (fits && !spooled && v->x->in.body.n)
		fits = push_append(v->x->mem, id, *bytes, v->x->in.body, &why);
	if (why) {
		registry_fault(v, why);
		return false;
	}
	*bytes = push_bytes(v->x->mem, id);
	if (!fits) {
		located(v, id, *bytes);
		registry_error(v, 416, "BLOB_UPLOAD_INVALID", "The part does not begin where the upload ends");
	}
	return fits;
}

static void complete(visit *v, str id, str sum)
{
	int64_t bytes;
	str is;
	if (!digest_good(sum)) {
		registry_error(v, 400, "DIGEST_INVALID", "A digest is sha256: and 64 hexadecimal digits");
		return;
	}
	if (!take_body(v, id, &bytes))
		return;
	err e = push_digest(v->x->mem, id, &is, &bytes);
	if (!e && !str_eq(is, sum)) {
		registry_error(v, 400, "DIGEST_INVALID", "The bytes uploaded have the digest %.*s", STR_ARG(is));
		return;
	}
	if (!e)
		e = push_finish(v->rq, v->repo, id, sum, bytes);
	if (e)
		registry_fault(v, e);
	else
		created(v, sum);
}

typedef struct begun {
	visit *v;
	str id, sum, from;
	bool mounted;
} begun;

static err begin_work(req *rq, txn *tx, void *context)
{
	begun *b = context;
	const ecr_repo *r = b->v->repo;
	ecr_repo *from = b->from.n && b->from.n <= 256 ?
	                         ecr_repo_get(tx, rq->mem, r->Account, r->Region, b->from) : NULL;
	ecr_link *l = from && digest_good(b->sum) ? ecr_link_get(tx, rq->mem, from->Id, b->sum) : NULL;
	b->mounted = l != NULL;
	if (l)
		link_add(tx, rq->mem, r, b->sum, l->Bytes, rq->now);
	else
		b->id = push_begin(rq, tx, r);
	return OK;
}

static void begin(visit *v)
{
	begun b = { .v = v, .sum = registry_query(v, "mount"), .from = registry_query(v, "from") };
	err e = req_write(v->rq, begin_work, &b);
	str whole = registry_query(v, "digest");
	if (e) {
		registry_fault(v, e);
	} else if (b.mounted) {
		created(v, b.sum);
	} else if (whole.n) {
		complete(v, b.id, whole);
	} else {
		located(v, b.id, 0);
		registry_reply(v, 202, STR_NONE, S(""));
	}
}

static err drop_work(req *rq, txn *tx, void *context)
{
	(void)rq;
	push_drop(tx, *(str *)context);
	return OK;
}

static void go_on(visit *v, str id)
{
	int64_t bytes;
	str method = v->x->in.method;
	if (str_eq(method, S("PATCH"))) {
		if (!take_body(v, id, &bytes))
			return;
		located(v, id, bytes);
		registry_reply(v, 202, STR_NONE, S(""));
	} else if (str_eq(method, S("PUT"))) {
		complete(v, id, registry_query(v, "digest"));
	} else if (str_eq(method, S("GET"))) {
		located(v, id, push_bytes(v->x->mem, id));
		registry_reply(v, 204, STR_NONE, S(""));
	} else if (str_eq(method, S("DELETE"))) {
		err e = req_write(v->rq, drop_work, &id);
		if (e)
			registry_fault(v, e);
		else
			registry_reply(v, 204, STR_NONE, S(""));
	} else {
		registry_error(v, 405, "UNSUPPORTED", "An upload is not made for this");
	}
}

void registry_upload(visit *v, str id)
{
	if (!id.n) {
		if (str_eq(v->x->in.method, S("POST")))
			begin(v);
		else
			registry_error(v, 405, "UNSUPPORTED", "Uploads begin with POST");
		return;
	}
	const txn *tx = req_read(v->rq);
	bool there = push_find(tx, v->x->mem, v->repo, id) != NULL;
	req_read_end(v->rq, tx);
	if (there)
		go_on(v, id);
	else
		registry_error(v, 404, "BLOB_UPLOAD_UNKNOWN", "There is no such upload");
}
