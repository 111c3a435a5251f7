/*
 * farthing watch: keeps a function's code the same as a folder. A save becomes a package (stored, not
 * compressed: it travels over loopback) and an UpdateFunctionCode, as any client would call it.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/folder_watch.h"
#include "wire/http_client.h"
#include "wire/sigv4.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUIET_MS 8
#define PACKAGE_MAX ((size_t)256 << 20)
#define ANSWER_MS 60000
#define DEEP 64
#define STORED_VERSION 20
#define MADE_BY_UNIX (3 << 8 | STORED_VERSION)
#define DOS_DATE 0x21 /* 1980-01-01: the same files are always the same package */

typedef struct package {
	arena *mem;
	buf files, directory;
	size_t n;
	const char *why;    /* what could not be packed */
} package;

static bool skipped(str name)
{
	return str_eq(name, S(".git")) || str_eq(name, S("__pycache__")) || str_eq(name, S(".DS_Store")) ||
	       str_ends(name, S(".swp")) || str_ends(name, S("~")) || str_eq(name, S("4913"));
}

static void put(buf *b, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_c(b, (char)(value >> 8 * i));
}

/* What the local header and the directory's entry have in common. */
static void put_facts(buf *b, str name, str content)
{
	uint32_t sum = crc32_of(0, content.p, content.n);
	put(b, STORED_VERSION, 2);
	put(b, 1 << 11, 2); /* names are UTF-8 */
	put(b, 0, 2);
	put(b, 0, 2);
	put(b, DOS_DATE, 2);
	put(b, sum, 4);
	put(b, content.n, 4);
	put(b, content.n, 4);
	put(b, name.n, 2);
	put(b, 0, 2);
}

static void add_file(package *p, str name, str content, unsigned mode)
{
	size_t offset = p->files.n;
	put(&p->files, 0x04034b50, 4);
	put_facts(&p->files, name, content);
	buf_put(&p->files, name);
	buf_put(&p->files, content);
	put(&p->directory, 0x02014b50, 4);
	put(&p->directory, MADE_BY_UNIX, 2);
	put_facts(&p->directory, name, content);
	put(&p->directory, 0, 2);  /* comment */
	put(&p->directory, 0, 2);  /* part */
	put(&p->directory, 0, 2);
	put(&p->directory, (uint64_t)mode << 16, 4);
	put(&p->directory, offset, 4);
	buf_put(&p->directory, name);
	p->n++;
}

static void add_link(package *p, str path, str name)
{
	char text[4096];
	ssize_t n = readlink(path.p, text, sizeof text);
	if (n > 0)
		add_file(p, name, arena_str(p->mem, str_of(text, (size_t)n)), S_IFLNK | 0777);
}

static void add_folder(package *p, str path, str prefix, int depth)
{
	str *names, content;
	size_t n;
	if (depth == DEEP || dir_list(p->mem, path, &names, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		str inner = path_join(p->mem, path, names[i]);
		str name = prefix.n ? arena_fmt(p->mem, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(names[i])) : names[i];
		if (skipped(names[i]) || lstat(inner.p, &st))
			continue; /* or it went while we looked */
		if (S_ISDIR(st.st_mode))
			add_folder(p, inner, name, depth + 1);
		else if (S_ISLNK(st.st_mode))
			add_link(p, inner, name);
		else if (S_ISREG(st.st_mode) && file_read(p->mem, inner, PACKAGE_MAX, &content) == OK)
			add_file(p, name, content, S_IFREG | (st.st_mode & 0777));
	}
}

/* The folder as a zip; STR_NONE when it is too large. */
static str package_of(arena *mem, str folder, size_t *n)
{
	package p = { .mem = mem, .files = buf_in(mem, 65536, PACKAGE_MAX),
		          .directory = buf_in(mem, 4096, PACKAGE_MAX) };
	add_folder(&p, folder, S(""), 0);
	size_t at = p.files.n;
	buf_put(&p.files, buf_str(&p.directory));
	put(&p.files, 0x06054b50, 4);
	put(&p.files, 0, 4);
	put(&p.files, p.n, 2);
	put(&p.files, p.n, 2);
	put(&p.files, p.directory.n, 4);
	put(&p.files, at, 4);
	put(&p.files, 0, 2);
	*n = p.n;
	return p.files.full || p.directory.full ? STR_NONE : buf_str(&p.files);
}

typedef struct watching {
	str folder, function, region, data;
	char last[65];        /* SHA-256 of the package that was taken last */
} watching;

static str from_environment(const char *name, const char *otherwise)
{
	const char *given = getenv(name);
	return str_c(given && *given ? given : otherwise);
}

/* UpdateFunctionCode. 0 when the server does not answer. */
static int send_package(arena *mem, const watching *w, const running *r, str zip, str *body)
{
	wire_message m = { .mem = mem, .method = S("PUT"), .query = STR_NONE }, answer = { .mem = mem };
	str encoded = base64_encode(mem, zip);
	m.path = arena_fmt(mem, "/2015-03-31/functions/%.*s/code", STR_ARG(w->function));
	m.body = arena_fmt(mem, "{\"ZipFile\":\"%.*s\"}", STR_ARG(encoded));
	wire_header_add(&m, S("Content-Type"), S("application/json"));
	str host = arena_fmt(mem, "127.0.0.1:%d", r->port);
	sigv4_sign(&m, host, from_environment("AWS_ACCESS_KEY_ID", "test"),
	           from_environment("AWS_SECRET_ACCESS_KEY", "test"), from_environment("AWS_SESSION_TOKEN", ""),
	           w->region, S("lambda"), clock_real());
	http_client_options o = { .total_ms = ANSWER_MS };
	str url = arena_fmt(mem, "http://%.*s%.*s", STR_ARG(host), STR_ARG(m.path));
	if (http_call(mem, url, &m, &o, &answer))
		return 0;
	*body = answer.body;
	return answer.status;
}

static str message_of(arena *mem, str body)
{
	const json_value *v = json_parse(mem, body);
	const json_value *text = json_get(v, S("Message"));
	text = text ? text : json_get(v, S("message"));
	return text && text->kind == JSON_STRING ? text->text : body;
}

static void say(arena *mem, const char *what, str more)
{
	str now = str_sub(time_iso_ms(mem, clock_real()), 11, 23);
	printf("%.*s %s%.*s\n", STR_ARG(now), what, STR_ARG(more));
	fflush(stdout);
}

/* 0, or the exit status after a sentence: only what cannot get better by the next save ends it. */
static int deploy(arena *mem, watching *w)
{
	running r;
	size_t n;
	str body;
	int64_t begun = clock_mono_us();
	str zip = package_of(mem, w->folder, &n);
	str sum = str_is(zip) ? sha256_hex(mem, zip) : S("");
	if (!sum.n)
		return complain("%.*s is larger than a package may be", STR_ARG(w->folder));
	if (n == 0 || str_eq(sum, str_c(w->last)))
		return 0;
	if (!running_find(mem, w->data, &r))
		return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(w->data));
	int status = send_package(mem, w, &r, zip, &body);
	if (status == 0)
		return complain("the server on %.*s does not answer", STR_ARG(r.endpoint));
	if (status == 404)
		return complain("%.*s", STR_ARG(message_of(mem, body)));
	if (status != 200) {
		say(mem, "refused: ", message_of(mem, body));
		return 0;
	}
	memcpy(w->last, sum.p, sum.n);
	double ms = (double)(clock_mono_us() - begun) / 1000;
	say(mem, "", arena_fmt(mem, "%.*s has the folder's %zu file%s, %zu KB, after %.1f ms",
	                       STR_ARG(w->function), n, n == 1 ? "" : "s", (zip.n + 1023) / 1024, ms));
	return 0;
}

static int watch_run(arena *mem, int argc, char **argv)
{
	enum { FUNCTION, REGION, DATA, ONCE, N };
	option o[N] = { { .name = "function", .takes_value = true }, { .name = "region", .takes_value = true },
		            { .name = "data", .takes_value = true }, { .name = "once" } };
	str *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	folder_watch *watch;
	if (!options_read(o, N, argc, argv, rest, &n_rest))
		return 2;
	if (n_rest != 1 || !o[FUNCTION].given)
		return usage_error("watch", "watch which folder, for which function?");
	watching w = { .folder = path_absolute(mem, rest[0]), .function = o[FUNCTION].value,
		.region = o[REGION].given ? o[REGION].value : from_environment("AWS_DEFAULT_REGION", "us-east-1"),
		.data = o[DATA].given ? o[DATA].value : default_data(mem) };
	/* Watched before it is read, so that no save falls in between. */
	err e = folder_watch_open(mem, w.folder, skipped, &watch);
	if (e)
		return complain_fault(e);
	int status;
	do {
		arena *scratch = arena_open(1 << 20);
		status = deploy(scratch, &w);
		arena_close(scratch);
	} while (!status && !o[ONCE].given && folder_watch_wait(watch, -1, QUIET_MS));
	folder_watch_close(watch);
	return status;
}
VERB(watch, "watch DIR --function NAME [--region us-east-1] [--once] [--data DIR]\n"
     "\n  Deploys the folder at once and after every save, within a tenth of a second.\n"
     "  --once  deploy and leave", "Deploy a function's folder on every save", watch_run);
