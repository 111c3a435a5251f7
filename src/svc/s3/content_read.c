/* Contents on their way out: into memory, past a function, or as the body of a reply. */
#include "base/text.h"
#include "content_folder.h"
#include "faults.h"
#include <errno.h>
#include <unistd.h>

typedef struct place {
	size_t i;
	int64_t at;          /* in the content i */
	int64_t left;
} place;

static void settle(const content_list *l, place *p)
{
	while (p->i < l->n && p->at >= l->v[p->i]->Size.v)
		p->at -= l->v[p->i++]->Size.v;
}

static place place_of(const content_list *l, int64_t offset, int64_t length)
{
	place p = { 0, offset, length };
	settle(l, &p);
	return p;
}

/* How much of what is left lies in this content, at most `most`. */
static int64_t here(const content_list *l, const place *p, int64_t most)
{
	int64_t rest = p->i < l->n ? l->v[p->i]->Size.v - p->at : 0;
	rest = rest < p->left ? rest : p->left;
	return rest < most ? rest : most;
}

static void step(const content_list *l, place *p, int64_t n)
{
	p->at += n;
	p->left -= n;
	settle(l, p);
}

static err missing(arena *mem)
{
	return fault_new(mem, &fault_InternalError, "The object's bytes are missing.");
}

static err read_fully(arena *mem, int fd, char *to, int64_t n, int64_t offset)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, (size_t)n, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return content_fault(mem, got < 0 ? errno : EIO, "read");
		to += got;
		n -= got;
		offset += got;
	}
	return OK;
}

static unsigned digit_of(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void unseal(const content_list *l, const content *c, int64_t at, char *p, size_t n)
{
	unsigned char nonce[SEAL_NONCE];
	if (!l->key || c->Nonce.n != 2 * sizeof nonce)
		return;
	for (size_t i = 0; i < sizeof nonce; i++)
		nonce[i] = (unsigned char)(digit_of(c->Nonce.p[2 * i]) << 4 | digit_of(c->Nonce.p[2 * i + 1]));
	seal_apply(l->key, nonce, at, p, p, n);
}

static err row_some(arena *mem, store *s, const content *c, int64_t at, char *to, int64_t n)
{
	arena *own = arena_open(S3_INLINE_BYTES + 4096);
	const txn *tx = store_read(s);
	s3_data *row = s3_data_get(tx, own, c->Id);
	bool there = row && row->Bytes.n >= (size_t)(at + n);
	if (there)
		memcpy(to, row->Bytes.p + at, (size_t)n);
	store_read_end(s, tx);
	arena_close(own);
	return there ? OK : missing(mem);
}

/* A walk over a list; the file of content `open` is open in `fd`. */
typedef struct reading {
	store *s;
	arena *mem;
	const content_list *l;
	place p;
	int fd;
	size_t open;
} reading;

static void reading_close(void *subject)
{
	reading *r = subject;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static err file_here(reading *r)
{
	if (r->fd >= 0 && r->open == r->p.i)
		return OK;
	reading_close(r);
	r->fd = content_open(r->mem, r->l->v[r->p.i]->Id);
	r->open = r->p.i;
	return r->fd < 0 ? content_fault(r->mem, errno, "open") : OK;
}

static err read_here(reading *r, char *to, int64_t n)
{
	const content *c = r->l->v[r->p.i];
	if (c->Row.v) {
		TRY(row_some(r->mem, r->s, c, r->p.at, to, n));
	} else {
		TRY(file_here(r));
		TRY(read_fully(r->mem, r->fd, to, n, r->p.at));
	}
	unseal(r->l, c, r->p.at, to, (size_t)n);
	step(r->l, &r->p, n);
	return OK;
}

err content_read(const txn *tx, arena *mem, const content_list *l, int64_t offset, int64_t length, str *out)
{
	reading r = { .s = txn_store(tx), .mem = mem, .l = l, .fd = -1, .p = place_of(l, offset, length) };
	char *to = arena_bytes(mem, (size_t)length + 1);
	err e = OK;
	*out = str_of(to, (size_t)length);
	while (r.p.left > 0 && !e) {
		int64_t n = here(l, &r.p, INT64_MAX);
		e = n > 0 ? read_here(&r, to, n) : missing(mem);
		to += n;
	}
	reading_close(&r);
	return e;
}

err content_each(store *s, arena *mem, const content_list *l, int64_t offset, int64_t length,
                 err (*add)(void *context, const char *p, size_t n), void *context)
{
	reading r = { .s = s, .mem = mem, .l = l, .fd = -1, .p = place_of(l, offset, length) };
	char *block = arena_bytes(mem, CONTENT_BLOCK);
	err e = OK;
	while (r.p.left > 0 && !e) {
		int64_t n = here(l, &r.p, (int64_t)CONTENT_BLOCK);
		e = n > 0 ? read_here(&r, block, n) : missing(mem);
		if (!e)
			e = add(context, block, (size_t)n);
	}
	reading_close(&r);
	return e;
}

typedef struct reply {
	reading r; /* first: what the hook closes */
	char *block;
} reply;

/* Whole files go from the disk to the socket in the kernel; rows and what is sealed pass through memory. */
static bool next(void *context, int64_t at, http_piece *piece)
{
	reply *v = context;
	reading *r = &v->r;
	(void)at;
	if (r->p.i >= r->l->n)
		return false;
	const content *c = r->l->v[r->p.i];
	if (!c->Row.v && !r->l->key) {
		int64_t n = here(r->l, &r->p, INT64_MAX);
		*piece = (http_piece){ .fd = content_open(r->mem, c->Id), .offset = r->p.at, .length = n };
		step(r->l, &r->p, n);
		return piece->fd >= 0;
	}
	int64_t n = here(r->l, &r->p, (int64_t)CONTENT_BLOCK);
	if (read_here(r, v->block, n))
		return false;
	*piece = (http_piece){ .fd = -1, .bytes = str_of(v->block, (size_t)n) };
	return true;
}

err content_reply(store *s, arena *mem, const content_list *l, int64_t offset, int64_t length,
                  http_reply_body *out)
{
	reply *v = arena_new(mem, reply);
	v->r = (reading){ .s = s, .mem = mem, .l = l, .fd = -1, .p = place_of(l, offset, length) };
	*out = (http_reply_body){ .fd = -1, .length = length };
	if (v->r.p.i >= l->n)
		return missing(mem);
	const content *c = l->v[v->r.p.i];
	bool one = here(l, &v->r.p, INT64_MAX) == length;
	if (one && !c->Row.v && !l->key) {
		*out = (http_reply_body){ .fd = content_open(mem, c->Id), .offset = v->r.p.at, .length = length };
		return out->fd < 0 ? content_fault(mem, errno, "open") : OK;
	}
	v->block = arena_bytes(mem, CONTENT_BLOCK);
	arena_hook(mem, reading_close, v);
	if (str_is(l->id))
		content_use(mem, l->id);
	/* One file cannot go any more once it is open. */
	if (!c->Row.v && l->key)
		TRY(file_here(&v->r));
	out->next = next;
	out->context = v;
	return OK;
}
