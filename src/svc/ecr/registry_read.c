/* Manifests, blobs, tags and the catalog: what is there, and taking it away. */
#include "base/json.h"
#include "cloud/meter.h"
#include "registry.h"
#include "sys/clock.h"
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MAX 1000

static bool reads(const visit *v)
{
	return str_eq(v->x->in.method, S("GET")) || str_eq(v->x->in.method, S("HEAD"));
}

/* bytes=FIRST-LAST, bytes=FIRST-, bytes=-N; several ranges are answered as the whole, as is allowed. */
static int range_of(str header, int64_t size, int64_t *offset, int64_t *length)
{
	*offset = 0;
	*length = size;
	if (!str_starts(header, S("bytes=")) || str_find_char(header, ',') != SIZE_MAX)
		return 200;
	str last = str_sub(header, 6, header.n), first = str_cut(&last, '-');
	int64_t a = 0, b = size - 1;
	if (first.n ? !str_to_i64(first, &a) : !str_to_i64(last, &b) || b <= 0)
		return 200;
	if (!first.n) {
		a = b < size ? size - b : 0;
		b = size - 1;
	} else if (last.n && !str_to_i64(last, &b)) {
		return 200;
	}
	if (a < 0 || a >= size || b < a)
		return 416;
	*offset = a;
	*length = (b < size ? b + 1 : size) - a;
	return 206;
}

static void send_blob(visit *v, str sum)
{
	struct stat st;
	int fd = blob_open(v->x->mem, sum);
	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			close(fd);
		registry_error(v, 500, "UNKNOWN", "The blob's file is missing");
		return;
	}
	http_reply_body *b = arena_new(v->x->mem, http_reply_body);
	b->fd = fd;
	int status = range_of(wire_header(&v->x->in, S("range")), st.st_size, &b->offset, &b->length);
	if (status == 416) {
		close(fd);
		registry_error(v, 416, "SIZE_INVALID", "The blob has %lld bytes", (long long)st.st_size);
		return;
	}
	if (status == 206)
		registry_header(v, S("Content-Range"),
		                arena_fmt(v->x->mem, "bytes %lld-%lld/%lld", (long long)b->offset,
		                          (long long)(b->offset + b->length - 1), (long long)st.st_size));
	registry_header(v, S("Docker-Content-Digest"), sum);
	registry_header(v, S("Accept-Ranges"), S("bytes"));
	v->rq->reply_body = b;
	if (str_eq(v->x->in.method, S("GET")) && v->repo)
		usage_later(v->repo->Account, v->repo->Region, clock_now(), &ECR_TRANSFER_OUT,
		            repo_arn(v->x->mem, v->repo), b->length);
	registry_reply(v, status, S("application/octet-stream"), STR_NONE);
}

static err drop_blob(req *rq, txn *tx, void *context)
{
	ecr_link *l = context;
	ecr_link *now = ecr_link_get(tx, rq->mem, l->RepoId, l->Digest);
	if (now && now->Images > 0)
		return fail(rq, &ecr_LimitExceededException, "An image uses the blob; delete the image");
	if (now)
		link_drop(tx, rq->mem, now, rq->now);
	return OK;
}

void registry_blob(visit *v, str named)
{
	const txn *tx = req_read(v->rq);
	ecr_link *l = digest_good(named) ? ecr_link_get(tx, v->x->mem, v->repo->Id, named) : NULL;
	req_read_end(v->rq, tx);
	if (!digest_good(named)) {
		registry_error(v, 400, "DIGEST_INVALID", "A digest is sha256: and 64 hexadecimal digits");
	} else if (!l) {
		registry_error(v, 404, "BLOB_UNKNOWN", "The repository does not hold the blob %.*s",
		               STR_ARG(named));
	} else if (reads(v)) {
		send_blob(v, named);
	} else if (str_eq(v->x->in.method, S("DELETE"))) {
		err e = req_write(v->rq, drop_blob, l);
		if (e)
			registry_error(v, 405, "UNSUPPORTED", "%.*s", STR_ARG(e->message));
		else
			registry_reply(v, 202, STR_NONE, S(""));
	} else {
		registry_error(v, 405, "UNSUPPORTED", "Blobs are made by uploads");
	}
}

typedef struct change {
	visit *v;
	image_in in;
	ecr_image *image;
} change;

static err pulled(req *rq, txn *tx, void *context)
{
	change *c = context;
	ecr_image *i = image_get(tx, rq->mem, c->v->repo, c->in.digest, STR_NONE);
	if (i) {
		i->Pulled = rq->now;
		ecr_image_put(tx, i);
	}
	return OK;
}

static void get_manifest(visit *v, str reference)
{
	bool by_digest = str_find_char(reference, ':') != SIZE_MAX;
	const txn *tx = req_read(v->rq);
	ecr_image *i = reference.n <= 300 ? image_get(tx, v->x->mem, v->repo, by_digest ? reference : STR_NONE,
	                                              reference) : NULL;
	req_read_end(v->rq, tx);
	if (!i) {
		registry_error(v, 404, "MANIFEST_UNKNOWN", "Requested image not found");
		return;
	}
	change c = { .v = v, .in = { .digest = i->Digest } };
	/* AWS notes the day of the last pull, not each one. */
	if (str_eq(v->x->in.method, S("GET")) && v->rq->now - i->Pulled > INT64_C(3600000))
		(void)req_write(v->rq, pulled, &c);
	registry_header(v, S("Docker-Content-Digest"), i->Digest);
	registry_reply(v, 200, i->MediaType, i->Manifest);
}

static err put_work(req *rq, txn *tx, void *context)
{
	change *c = context;
	bool again;
	ecr_repo *r = ecr_repo_get(tx, rq->mem, c->v->repo->Account, c->v->repo->Region, c->v->repo->Name);
	if (!r)
		return fail(rq, &ecr_RepositoryNotFoundException, "The repository is gone");
	return image_put(rq, tx, r, &c->in, &c->image, &again);
}

static void put_manifest(visit *v, str reference)
{
	bool by_digest = str_find_char(reference, ':') != SIZE_MAX;
	str type = wire_header(&v->x->in, S("content-type"));
	type = str_trim(str_cut(&type, ';'));
	change c = { .v = v, .in = { v->x->in.body, type.n ? type : STR_NONE, by_digest ? STR_NONE : reference,
	                             by_digest ? reference : STR_NONE } };
	err e = req_write(v->rq, put_work, &c);
	if (e) {
		registry_fault(v, e);
		return;
	}
	registry_header(v, S("Location"), arena_fmt(v->x->mem, "%.*s/v2/%.*s/manifests/%.*s",
	                                            STR_ARG(registry_base(v)), STR_ARG(v->name),
	                                            STR_ARG(c.image->Digest)));
	registry_header(v, S("Docker-Content-Digest"), c.image->Digest);
	if (c.image->Subject.n)
		registry_header(v, S("OCI-Subject"), c.image->Subject);
	registry_reply(v, 201, STR_NONE, S(""));
}

static err delete_work(req *rq, txn *tx, void *context)
{
	change *c = context;
	const ecr_repo *r = c->v->repo;
	if (!str_is(c->in.digest))
		return image_untag(tx, rq->mem, r, c->in.tag) ? OK :
		       fail(rq, &ecr_ImageNotFoundException, "Requested image not found");
	ecr_image *i = image_get(tx, rq->mem, r, c->in.digest, STR_NONE);
	if (!i)
		return fail(rq, &ecr_ImageNotFoundException, "Requested image not found");
	if (image_is_part(tx, rq->mem, r, i->Digest))
		return fail(rq, &ecr_InvalidParameterException, "Requested image referenced by manifest list");
	image_delete(tx, rq->mem, r, i, rq->now);
	return OK;
}

static void delete_manifest(visit *v, str reference)
{
	bool by_digest = str_find_char(reference, ':') != SIZE_MAX;
	change c = { .v = v, .in = { .digest = by_digest ? reference : STR_NONE, .tag = reference } };
	err e = req_write(v->rq, delete_work, &c);
	if (!e)
		registry_reply(v, 202, STR_NONE, S(""));
	else if (e->kind == &ecr_ImageNotFoundException)
		registry_error(v, 404, "MANIFEST_UNKNOWN", "%.*s", STR_ARG(e->message));
	else
		registry_fault(v, e);
}

void registry_manifest(visit *v, str reference)
{
	if (reads(v))
		get_manifest(v, reference);
	else if (str_eq(v->x->in.method, S("PUT")))
		put_manifest(v, reference);
	else if (str_eq(v->x->in.method, S("DELETE")))
		delete_manifest(v, reference);
	else
		registry_error(v, 405, "UNSUPPORTED", "Manifests are got, put and deleted");
}

static size_t list_size(visit *v)
{
	int64_t n;
	return str_to_i64(registry_query(v, "n"), &n) && n > 0 && n < LIST_MAX ? (size_t)n : LIST_MAX;
}

static void more_after(visit *v, str path, size_t n, str last)
{
	registry_header(v, S("Link"), arena_fmt(v->x->mem, "</v2/%.*s?last=%.*s&n=%zu>; rel=\"next\"",
	                                        STR_ARG(path), STR_ARG(last), n));
}

void registry_tags(visit *v)
{
	size_t n = list_size(v), count = 0;
	str last = registry_query(v, "last"), previous = STR_NONE;
	buf b = buf_in(v->x->mem, 512, (size_t)1 << 20);
	buf_put(&b, S("{\"name\":"));
	json_put_string(&b, v->name);
	buf_put(&b, S(",\"tags\":["));
	const txn *tx = req_read(v->rq);
	record_scan s = ecr_tag_scan(tx, v->x->mem, 1, v->repo->Id, STR_NONE);
	if (last.n && last.n <= 300)
		record_scan_after(&s, last);
	for (ecr_tag *t; (t = ecr_tag_next(&s)); previous = t->Tag) {
		if (count++ == n) {
			more_after(v, arena_concat(v->x->mem, v->name, S("/tags/list")), n, previous);
			break;
		}
		if (count > 1)
			buf_c(&b, ',');
		json_put_string(&b, t->Tag);
	}
	cursor_close(&s.at);
	req_read_end(v->rq, tx);
	buf_put(&b, S("]}\n"));
	registry_reply(v, 200, S("application/json"), buf_str(&b));
}

void registry_catalog(visit *v)
{
	size_t n = list_size(v), count = 0;
	str last = registry_query(v, "last"), previous = STR_NONE;
	buf b = buf_in(v->x->mem, 512, (size_t)1 << 20);
	buf_put(&b, S("{\"repositories\":["));
	const txn *tx = req_read(v->rq);
	record_scan s = ecr_repo_scan(tx, v->x->mem, 2, v->rq->who.account, v->rq->region, STR_NONE);
	if (last.n && last.n <= 300)
		record_scan_after(&s, last);
	for (ecr_repo *r; (r = ecr_repo_next(&s)); previous = r->Name) {
		if (count++ == n) {
			more_after(v, S("_catalog"), n, previous);
			break;
		}
		if (count > 1)
			buf_c(&b, ',');
		json_put_string(&b, r->Name);
	}
	cursor_close(&s.at);
	req_read_end(v->rq, tx);
	buf_put(&b, S("]}\n"));
	registry_reply(v, 200, S("application/json"), buf_str(&b));
}

void registry_referrers(visit *v, str named)
{
	buf b = buf_in(v->x->mem, 512, (size_t)4 << 20);
	bool first = true;
	buf_put(&b, S("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
	              "\"manifests\":["));
	const txn *tx = req_read(v->rq);
	record_scan s = ecr_image_scan(tx, v->x->mem, 1, v->repo->Id, STR_NONE);
	for (ecr_image *i; (i = ecr_image_next(&s));) {
		if (!i->Subject.n || !str_eq(i->Subject, named))
			continue;
		buf_fmt(&b, "%s{\"mediaType\":", first ? "" : ",");
		json_put_string(&b, i->MediaType);
		buf_fmt(&b, ",\"size\":%zu,\"digest\":\"%.*s\",\"artifactType\":", i->Manifest.n,
		        STR_ARG(i->Digest));
		json_put_string(&b, i->ArtifactType);
		buf_c(&b, '}');
		first = false;
	}
	cursor_close(&s.at);
	req_read_end(v->rq, tx);
	buf_put(&b, S("]}\n"));
	registry_reply(v, 200, S("application/vnd.oci.image.index.v1+json"), buf_str(&b));
}
