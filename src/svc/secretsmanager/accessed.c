/*
 * When a value was last read, to the day. Reading writes nothing itself: the first read of a day is noted in
 * memory and written moments later.
 */
#include "base/time.h"
#include "cloud/later.h"
#include "cloud/server.h"
#include "secret.h"

#define WAIT_MS 50

static later *reads;

typedef struct read_item {
	later_item item;
	str account, region, name, version_id;
	int64_t day;
} read_item;

void accessed(req *rq, const secretsmanager_secret *s, const secretsmanager_version *v)
{
	int64_t day = rq->now - rq->now % MS_DAY;
	arena *a = !reads || (s->Accessed >= day && v->Accessed >= day) ? NULL : later_begin(reads);
	if (!a)
		return;
	read_item *r = arena_new(a, read_item);
	*r = (read_item){ .account = arena_str(a, s->Account), .region = arena_str(a, s->Region),
		          .name = arena_str(a, s->Name), .version_id = arena_str(a, v->VersionId), .day = day };
	later_end(reads, &r->item, sizeof *r + s->Name.n);
}

static void write_reads(txn *tx, const later_item *items)
{
	arena *mem = txn_arena(tx);
	for (const later_item *i = items; i; i = i->next) {
		const read_item *r = (const read_item *)i;
		secretsmanager_secret *s = secretsmanager_secret_get(tx, mem, r->account, r->region, r->name);
		secretsmanager_version *v =
			secretsmanager_version_get(tx, mem, r->account, r->region, r->name, r->version_id);
		if (s && s->Accessed < r->day) {
			s->Accessed = r->day;
			secretsmanager_secret_put(tx, s);
		}
		if (v && v->Accessed < r->day) {
			v->Accessed = r->day;
			secretsmanager_version_put(tx, v);
		}
	}
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	reads = later_open(s, WAIT_MS, write_reads);
	return OK;
}

static void stop(void)
{
	later_close(reads);
	reads = NULL;
}

SERVER_PART(secrets_accessed, start, stop);
