/*
 * What a load balancer says of its work: metrics, and load balancer capacity units. Of those an hour costs as
 * many as the largest of its measures asks for: new connections, bytes and looks at rules. Each request adds
 * to the sums of its hour, and what the largest one has grown by is metered.
 */
#include "base/time.h"
#include "cloud/metrics.h"
#include "sys/clock.h"
#include "visit.h"
#include "wire/http_proxy.h"
#include <pthread.h>

#define BALANCERS 1024 /* at work in one hour */
#define TRIES 64
#define FREE_RULES 10

static struct sums {
	uint64_t key;
	int64_t hour, connections, bytes, lambda_bytes, rules, metered;
} sums[BALANCERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t largest(const struct sums *s)
{
	int64_t of[] = {
		s->connections * 1000000 / (25 * 3600),
		((s->bytes * 1000000) >> 30) + ((s->lambda_bytes * 2500000) >> 30),
		s->rules * 1000000 / (1000 * 3600),
	}, most = 0;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		most = of[i] > most ? of[i] : most;
	return most;
}

/* Locked. Those of this hour, or new ones in the place of an hour that is over. */
static struct sums *sums_of(uint64_t key, int64_t hour)
{
	struct sums *old = NULL;
	for (size_t i = 0; i < TRIES; i++) {
		struct sums *s = &sums[(key + i) % BALANCERS];
		if (s->key == key && s->hour == hour)
			return s;
		if (!old && s->hour != hour)
			old = s;
	}
	old = old ? old : &sums[key % BALANCERS];
	*old = (struct sums){ .key = key, .hour = hour };
	return old;
}

static bool count_units(const visit *v)
{
	str arn = v->b->It->LoadBalancerArn;
	uint64_t key = str_hash(arn);
	int64_t bytes = (int64_t)(v->bytes + v->x->body_bytes) + (int64_t)v->x->target.n;
	bool opened = http_is_first(v->x);
	pthread_mutex_lock(&lock);
	/* Not v->now: what began in the last hour and ends in this one must not begin the sums anew. */
	int64_t now = clock_now();
	struct sums *s = sums_of(key, now / MS_HOUR);
	s->connections += opened;
	*(v->lambda ? &s->lambda_bytes : &s->bytes) += bytes;
	s->rules += v->rules > FREE_RULES ? v->rules - FREE_RULES : 0;
	int64_t grown = largest(s) - s->metered;
	s->metered += grown;
	pthread_mutex_unlock(&lock);
	if (grown)
		usage_later(v->b->Account, v->b->Region, now, &ELBV2_ALB_LCU, arn, grown);
	return opened;
}

static str group_dimension(const elbv2_group *g)
{
	str arn = g->It->TargetGroupArn, marker = S(":targetgroup/");
	return str_sub(arn, str_find(arn, marker) + 1, arn.n);
}

typedef struct measure {
	const char *name, *unit;
	double value;
	bool of_target; /* of the target group, too */
} measure;

static void point(const visit *v, const measure *m)
{
	metric_point p = { .account = v->b->Account, .region = v->b->Region,
		               .name_space = S("AWS/ApplicationELB"), .name = str_c(m->name), .unit = str_c(m->unit),
		               .dimensions = { { S("LoadBalancer"), v->path } }, .n_dimensions = 1, .when = v->now,
		               .value = m->value };
	metric_later(&p);
	if (!m->of_target || !v->g)
		return;
	p.dimensions[0] = (metric_dimension){ S("TargetGroup"), group_dimension(v->g) };
	p.dimensions[1] = (metric_dimension){ S("LoadBalancer"), v->path };
	p.n_dimensions = 2;
	metric_later(&p);
}

void elb_tell(const visit *v, int status)
{
	if (elb_is_network(v->b->It))
		return;
	bool opened = count_units(v);
	str code = arena_fmt(v->mem, "HTTPCode_%s_%dXX_Count", v->target_status ? "Target" : "ELB",
	                     (v->target_status ? v->target_status : status) / 100);
	point(v, &(measure){ "ProcessedBytes", "Bytes", (double)(v->bytes + v->x->body_bytes), false });
	point(v, &(measure){ "NewConnectionCount", "Count", opened, false });
	point(v, &(measure){ "RuleEvaluations", "Count", (double)v->rules, false });
	if (v->target_status) {
		point(v, &(measure){ "RequestCount", "Count", 1, true });
		point(v, &(measure){ "TargetResponseTime", "Seconds", (double)v->target_us / 1e6, true });
		point(v, &(measure){ code.p, "Count", 1, true });
		return;
	}
	if (status >= 300)
		point(v, &(measure){ code.p, "Count", 1, false });
	if (status == 502 || status == 503 || status == 504)
		point(v, &(measure){ arena_fmt(v->mem, "HTTPCode_ELB_%d_Count", status).p, "Count", 1, false });
	if (v->t && (status == 502 || status == 504))
		point(v, &(measure){ "TargetConnectionErrorCount", "Count", 1, true });
}

void elb_tell_hosts(const elbv2_group *g, str balancer, int healthy, int unhealthy, int64_t now)
{
	bool network = str_starts(balancer, S("net/"));
	metric_point p = { .account = g->Account,
		               .region = g->Region,
		               .name_space = network ? S("AWS/NetworkELB") : S("AWS/ApplicationELB"),
		               .name = S("HealthyHostCount"),
		               .unit = S("Count"),
		               .dimensions = { { S("TargetGroup"), group_dimension(g) },
		                               { S("LoadBalancer"), balancer } },
		               .n_dimensions = 2,
		               .when = now,
		               .value = healthy };
	metric_later(&p);
	p.name = S("UnHealthyHostCount");
	p.value = unhealthy;
	metric_later(&p);
}
