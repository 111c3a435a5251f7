#include "run/postgres_parts.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/*
 * Each backup that stands on a base has a note beside its data with the base's name. Whether somebody still
 * does is read from these, not counted in links, which a data folder may lose when it is copied elsewhere. A
 * base begins as part of its first backup's folder and ends as part of its last one's, so that whatever is
 * interrupted goes with these.
 */
#define NOTE "base"
#define WHOLE POSTGRES_WHOLE
#define NOTE_MAX 64
#define RANDOM_LENGTH 24

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static str note_of(arena *a, str root, str name)
{
	str base;
	return file_read(a, postgres_folder(a, root, name, NOTE), NOTE_MAX, &base) ? STR_NONE : base;
}

str postgres_beneath(arena *a, str root, str name)
{
	str base = note_of(a, root, name);
	return str_is(base) ? base : name;
}

bool postgres_has_base(arena *a, str root, str name) { return str_is(note_of(a, root, name)); }

err postgres_base_lay(arena *a, str root, str name)
{
	str base = arena_concat(a, S("base-"), rand_text(a, RANDOM_LENGTH, S("abcdefghijklmnopqrstuvwxyz")));
	TRY(postgres_file(a, postgres_folder(a, root, name, NOTE), base));
	return engine_rename(a, root, arena_fmt(a, "%.*s/" WHOLE, STR_ARG(name)), base);
}

err postgres_base_share(arena *a, str root, str of, str name)
{
	str note = postgres_folder(a, root, of, NOTE), own = postgres_folder(a, root, name, NOTE);
	pthread_mutex_lock(&lock);
	str base = note_of(a, root, of);
	bool there = str_is(base) && file_exists(postgres_folder(a, root, base, "data"));
	bool shared = there && link(note.p, own.p) == 0;
	pthread_mutex_unlock(&lock);
	return shared ? OK : fault_new(a, &fault_system, "%s: link: %s", note.p,
	                               strerror(there ? errno : ENOENT));
}

static bool stood_on(arena *a, str root, str base, str but)
{
	str *names;
	size_t n;
	if (dir_list(a, root, &names, &n))
		return true; /* for all we know */
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], but) || !file_exists(postgres_folder(a, root, names[i], NOTE)))
			continue;
		str note = note_of(a, root, names[i]);
		if (!str_is(note) || str_eq(note, base)) /* what cannot be read may be anyone's */
			return true;
	}
	return false;
}

void postgres_base_leave(arena *a, str root, str name)
{
	str base = note_of(a, root, name);
	if (!str_is(base))
		return;
	pthread_mutex_lock(&lock);
	if (stood_on(a, root, base, name)) {
		/* At once: who leaves meanwhile may be the last. */
		unlink(postgres_folder(a, root, name, NOTE).p);
	} else {
		err e = engine_rename(a, root, base, arena_fmt(a, "%.*s/" WHOLE, STR_ARG(name)));
		(void)e; /* gone already */
	}
	pthread_mutex_unlock(&lock);
}
