#include "cloud/outbox.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/server.h"
#include "sys/file.h"
#include <pthread.h>

#define MAIL_MAX ((size_t)40 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static str folder; /* of the running server */

static err start(store *s, str data_folder)
{
	(void)s;
	pthread_mutex_lock(&lock);
	folder = data_folder;
	pthread_mutex_unlock(&lock);
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&lock);
	folder = STR_NONE;
	pthread_mutex_unlock(&lock);
}
SERVER_PART(outbox, start, stop);

/* One header line: what could end it or begin another is left out; other than ASCII is encoded. */
static void put_header(buf *b, const char *name, str value)
{
	bool plain = true;
	for (size_t i = 0; i < value.n; i++)
		plain = plain && value.p[i] >= ' ' && value.p[i] <= '~';
	buf_fmt(b, "%s: ", name);
	if (plain) {
		buf_put(b, value);
	} else {
		buf_put(b, S("=?utf-8?B?"));
		buf_put(b, base64_encode(b->mem, value));
		buf_put(b, S("?="));
	}
	buf_c(b, '\n');
}

static str mail_text(arena *mem, const outbox_mail *m)
{
	buf b = buf_in(mem, 1024 + m->body.n, MAIL_MAX);
	put_header(&b, "From", m->from);
	for (size_t i = 0; i < m->n_to; i++)
		put_header(&b, "To", m->to[i]);
	put_header(&b, "Subject", m->subject);
	put_header(&b, "Date", time_http(mem, m->when));
	put_header(&b, "Message-ID", arena_fmt(mem, "<%.*s@farthing.localhost>", STR_ARG(m->id)));
	buf_put(&b, S("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"));
	buf_put(&b, m->body);
	return b.full ? STR_NONE : buf_str(&b);
}

err outbox_put(arena *mem, const outbox_mail *m)
{
	static const char *const parts[] = { "mail", "mail/new", "mail/cur", "mail/tmp" };
	pthread_mutex_lock(&lock);
	str data = arena_str(mem, folder);
	pthread_mutex_unlock(&lock);
	if (!str_is(data))
		return fault_new(mem, &fault_system, "the server is going down");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		TRY(dir_make(mem, path_join(mem, data, str_c(parts[i])), 0700));
	str text = mail_text(mem, m);
	if (!str_is(text))
		return fault_new(mem, &fault_system, "a mail of more than %zu MiB", MAIL_MAX >> 20);
	str name = arena_fmt(mem, "mail/new/%lld.%.*s", (long long)(m->when / MS_SECOND), STR_ARG(m->id));
	return file_write(mem, path_join(mem, data, name), text, 0600);
}
