#include "cloud/metrics.h"

#define WAIT_MS 50

extern metric_sink *const __start_farthing_metric_sinks[] __attribute__((weak));
extern metric_sink *const __stop_farthing_metric_sinks[] __attribute__((weak));
extern metric_source *const __start_farthing_metric_sources[] __attribute__((weak));
extern metric_source *const __stop_farthing_metric_sources[] __attribute__((weak));

static later *points;

void metric_later(const metric_point *p)
{
	arena *a = points ? later_begin(points) : NULL;
	if (!a)
		return;
	metric_point *copy = arena_new(a, metric_point);
	*copy = *p;
	copy->account = arena_str(a, p->account);
	copy->region = arena_str(a, p->region);
	copy->name_space = arena_str(a, p->name_space);
	copy->name = arena_str(a, p->name);
	copy->unit = arena_str(a, p->unit);
	for (size_t i = 0; i < p->n_dimensions; i++) {
		copy->dimensions[i].name = arena_str(a, p->dimensions[i].name);
		copy->dimensions[i].value = arena_str(a, p->dimensions[i].value);
	}
	later_end(points, &copy->item, sizeof *copy + 256);
}

static void write_points(txn *tx, const later_item *items)
{
	metric_sink *const *sink = __start_farthing_metric_sinks;
	for (; sink < __stop_farthing_metric_sinks; sink++)
		(*sink)(tx, (const metric_point *)items);
}

void metric_send(void)
{
	metric_source *const *source = __start_farthing_metric_sources;
	for (; source < __stop_farthing_metric_sources; source++)
		(*source)();
	if (points)
		later_send(points);
}

void metric_start(store *s)
{
	points = later_open(s, WAIT_MS, write_points);
}

void metric_stop(void)
{
	later_close(points);
	points = NULL;
}
