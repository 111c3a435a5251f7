#include "cloud/outbox.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "wire/smtp_client.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL_MAX ((size_t)40 << 20)
#define TRY_AGAIN_FIRST_MS 1000
#define TRY_AGAIN_LAST_MS (10 * MS_MINUTE)
#define GIVE_UP_MS (5 * MS_DAY)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static str folder; /* of the running server */
static str relay;
static uint64_t spooled; /* mails since the start */
static pthread_t sender;

void outbox_send_to(str host_port)
{
	relay = host_port;
}

/* The envelope stands before the mail: the sender, then the receivers, each on a line, then an empty one. */
static err send_file(arena *mem, str path, bool *refused)
{
	str text, to[64];
	TRY(file_read(mem, path, 2 * MAIL_MAX, &text));
	smtp_mail m = { .from = str_cut(&text, '\n'), .to = to };
	for (str line; str_is(text) && (line = str_cut(&text, '\n')).n > 0;)
		if (m.n_to < sizeof to / sizeof *to)
			to[m.n_to++] = line;
	m.text = str_is(text) ? text : S("");
	return smtp_send(mem, relay, &m, refused);
}

static bool too_old(str path)
{
	struct stat st;
	return stat(path.p, &st) == 0 && clock_real() - (int64_t)st.st_mtime * MS_SECOND > GIVE_UP_MS;
}

static bool is_stopping(void)
{
	pthread_mutex_lock(&lock);
	bool stopping = !str_is(folder);
	pthread_mutex_unlock(&lock);
	return stopping;
}

/* true: all that waited is gone. */
static bool send_all(arena *mem, str data)
{
	str *names, waiting = path_join(mem, data, S("mail/smtp"));
	size_t n = 0;
	str sent = path_join(mem, data, S("mail/sent"));
	err e = dir_make(mem, sent, 0700);
	if (e || !file_exists(waiting) || dir_list(mem, waiting, &names, &n))
		return true;
	bool all = true;
	for (size_t i = 0; i < n && !is_stopping(); i++) {
		bool refused = false;
		str path = path_join(mem, waiting, names[i]);
		e = send_file(mem, path, &refused);
		if (!e) {
			rename(path.p, path_join(mem, sent, names[i]).p);
		} else if (e && (refused || too_old(path))) {
			str aside = path_join(mem, data, S("mail/refused"));
			err made = dir_make(mem, aside, 0700);
			if (!made)
				rename(path.p, path_join(mem, aside, names[i]).p);
			fprintf(stderr, "farthing: mail %.*s was refused: %.*s\n", STR_ARG(names[i]),
			        STR_ARG(e->message));
		} else if (e) {
			all = false;
		}
	}
	return all;
}

/* Until there are more mails than there were. */
static void wait_for(int64_t ms, uint64_t were)
{
	int64_t real = clock_real() + ms;
	struct timespec until = { .tv_sec = real / 1000, .tv_nsec = real % 1000 * 1000000 };
	pthread_mutex_lock(&lock);
	if (str_is(folder) && spooled == were)
		pthread_cond_timedwait(&news, &lock, &until);
	pthread_mutex_unlock(&lock);
}

static void *send_mails(void *context)
{
	(void)context;
	arena *mem = arena_open(1 << 14);
	int64_t again = TRY_AGAIN_FIRST_MS;
	while (!is_stopping()) {
		pthread_mutex_lock(&lock);
		str data = arena_str(mem, folder);
		uint64_t were = spooled;
		pthread_mutex_unlock(&lock);
		bool all = !str_is(data) || send_all(mem, data);
		again = all ? TRY_AGAIN_FIRST_MS : again < TRY_AGAIN_LAST_MS ? 2 * again : TRY_AGAIN_LAST_MS;
		wait_for(all ? MS_MINUTE : again, were);
		arena_reset(mem);
	}
	arena_close(mem);
	return NULL;
}

static err start(store *s, str data_folder)
{
	(void)s;
	pthread_mutex_lock(&lock);
	folder = data_folder;
	pthread_mutex_unlock(&lock);
	if (relay.n)
		ensure(pthread_create(&sender, NULL, send_mails, NULL) == 0);
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&lock);
	folder = STR_NONE;
	pthread_cond_signal(&news);
	pthread_mutex_unlock(&lock);
	if (relay.n)
		pthread_join(sender, NULL);
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

/* Written in tmp/, so that nothing stands in its folder, for a reader or the sender, before it is whole. */
static err put_whole(arena *mem, str data, str path, str id, str bytes)
{
	str unfinished = path_join(mem, path_join(mem, data, S("mail/tmp")), id);
	TRY(file_write(mem, unfinished, bytes, 0600));
	return file_move(mem, unfinished, path);
}

/* Telephone numbers, which short messages go to, stay in the maildir. */
static err spool(arena *mem, str data, const outbox_mail *m, str text)
{
	buf b = buf_in(mem, text.n + 1024, 2 * MAIL_MAX);
	size_t n = 0;
	buf_put(&b, m->from);
	buf_c(&b, '\n');
	for (size_t i = 0; i < m->n_to; i++)
		if (str_find_char(m->to[i], '@') != SIZE_MAX && str_find_char(m->to[i], '\n') == SIZE_MAX) {
			buf_put(&b, m->to[i]);
			buf_c(&b, '\n');
			n++;
		}
	buf_c(&b, '\n');
	buf_put(&b, text);
	if (n == 0)
		return OK;
	str folder_of = path_join(mem, data, S("mail/smtp"));
	/* In the order in which a mail goes through them, so that it is seen in one. */
	static const char *const stages[] = { "mail/smtp", "mail/sent", "mail/refused" };
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
		if (file_exists(path_join(mem, path_join(mem, data, str_c(stages[i])), m->id)))
			return OK;
	TRY(dir_make(mem, folder_of, 0700));
	TRY(put_whole(mem, data, path_join(mem, folder_of, m->id), m->id, buf_str(&b)));
	pthread_mutex_lock(&lock);
	spooled++;
	pthread_cond_signal(&news);
	pthread_mutex_unlock(&lock);
	return OK;
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
	str path = path_join(mem, path_join(mem, data, S("mail/new")), m->id);
	if (file_exists(path))
		return OK;
	/* First where it is sent from: what is in the maildir has been there. */
	if (relay.n)
		TRY(spool(mem, data, m, text));
	return put_whole(mem, data, path, m->id, text);
}
