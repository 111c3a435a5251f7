#include "run/postgres_parts.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The note in a base has a link in the folder of each backup that stands on it, beside its data: the number
 * of links says whether somebody still does. Its words are the base's name. It begins as part of its first
 * backup's folder and ends as part of its last one's, so that whatever is interrupted goes with these.
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
	str note = postgres_folder(a, root, name, WHOLE "/" NOTE), link_to = postgres_folder(a, root, name, NOTE);
	TRY(postgres_file(a, note, base));
	if (link(note.p, link_to.p) < 0)
		return fault_new(a, &fault_system, "%s: link: %s", note.p, strerror(errno));
	return engine_rename(a, root, arena_fmt(a, "%.*s/" WHOLE, STR_ARG(name)), base);
}

err postgres_base_share(arena *a, str root, str of, str name)
{
	str note = postgres_folder(a, root, postgres_beneath(a, root, of), NOTE);
	str link_to = postgres_folder(a, root, name, NOTE);
	pthread_mutex_lock(&lock);
	bool shared = link(note.p, link_to.p) == 0;
	pthread_mutex_unlock(&lock);
	return shared ? OK : fault_new(a, &fault_system, "%s: link: %s", note.p, strerror(errno));
}

void postgres_base_leave(arena *a, str root, str name)
{
	struct stat st;
	str base = note_of(a, root, name);
	if (!str_is(base))
		return;
	pthread_mutex_lock(&lock);
	if (stat(postgres_folder(a, root, base, NOTE).p, &st) == 0 && st.st_nlink <= 2) {
		err e = engine_rename(a, root, base, arena_fmt(a, "%.*s/" WHOLE, STR_ARG(name)));
		(void)e; /* it stays until the removal is tried again */
	}
	pthread_mutex_unlock(&lock);
}
