/*
 * AWS/Logs IncomingBytes and IncomingLogEvents, by group and in all. A batch is noted while its transaction
 * runs and told to CloudWatch when it is on disk: what is undone is never told.
 */
#include "cloud/metrics.h"
#include "logs.h"

#define SLOTS 1024 /* more than are ever between their noting and the commit */
#define NAME_BYTES 513

typedef struct slot {
	char account[16], region[32], group[NAME_BYTES];
	double bytes, events;
	int64_t when;
} slot;

/* The writer thread's alone. */
static slot slots[SLOTS];
static size_t next;

static void copy(char *to, size_t room, str from)
{
	size_t n = from.n < room - 1 ? from.n : room - 1;
	memcpy(to, from.p, n);
	to[n] = 0;
}

static void tell_one(const slot *s, const char *name, const char *unit, double value)
{
	metric_point p = { .account = str_c(s->account), .region = str_c(s->region), .name_space = S("AWS/Logs"),
		               .name = str_c(name), .unit = str_c(unit), .when = s->when, .value = value };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("LogGroupName"), str_c(s->group) };
	metric_later(&p);
}

static void tell(void *subject)
{
	const slot *s = subject;
	tell_one(s, "IncomingBytes", "Bytes", s->bytes);
	tell_one(s, "IncomingLogEvents", "None", s->events);
}

void incoming_note(txn *tx, const logs_group *g, size_t events, int64_t bytes, int64_t now)
{
	slot *s = &slots[next++ % SLOTS];
	*s = (slot){ .bytes = (double)bytes, .events = (double)events, .when = now };
	copy(s->account, sizeof s->account, g->Account);
	copy(s->region, sizeof s->region, g->Region);
	copy(s->group, sizeof s->group, g->Name);
	txn_on_commit(tx, tell, s);
}
