/*
 * AWS/Logs IncomingBytes and IncomingLogEvents, by group and in all. A batch is noted while its transaction
 * runs and told to CloudWatch when it is on disk: what is undone is never told.
 */
#include "cloud/metrics.h"
#include "logs.h"

typedef struct note {
	str account, region, group;
	double bytes, events;
	int64_t when;
} note;

/* The writer thread's alone. Hooks of a commit run before the next one begins: once one has run, whatever was
 * noted before is told or undone. */
static arena *notes;
static bool told;

static void tell_one(const note *n, const char *name, const char *unit, double value)
{
	metric_point p = { .account = n->account, .region = n->region, .name_space = S("AWS/Logs"),
		               .name = str_c(name), .unit = str_c(unit), .when = n->when, .value = value };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("LogGroupName"), n->group };
	metric_later(&p);
}

static void tell(void *subject)
{
	const note *n = subject;
	tell_one(n, "IncomingBytes", "Bytes", n->bytes);
	tell_one(n, "IncomingLogEvents", "None", n->events);
	told = true;
}

void incoming_note(txn *tx, const logs_group *g, size_t events, int64_t bytes, int64_t now)
{
	if (!notes)
		notes = arena_open(0);
	if (told)
		arena_reset(notes);
	told = false;
	note *n = arena_new(notes, note);
	*n = (note){ .account = arena_str(notes, g->Account), .region = arena_str(notes, g->Region),
		         .group = arena_str(notes, g->Name), .bytes = (double)bytes, .events = (double)events,
		         .when = now };
	txn_on_commit(tx, tell, n);
}
