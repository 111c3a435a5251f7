/*
 * Which target gets a request: a group by its weight, in it one that is healthy (any, when none is), in turn,
 * at random or the one with the least to do. Cookies keep a client with the target it had.
 */
#include "base/text.h"
#include "base/time.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "visit.h"
#include <stdatomic.h>

/* What fell together shares its count: with so many a matter of chance, and harmless. */
#define SLOTS 8192
static atomic_uint turns[SLOTS];
static atomic_int busy[SLOTS];

#define CANDIDATES ELBV2_TARGETS_MAX

static size_t slot_of(const elbv2_target *t)
{
	return (size_t)((str_hash(t->Id) * 31 + (uint64_t)t->Port * 7 + str_hash(t->Group)) % SLOTS);
}

static str cookie_of(const visit *v, str name)
{
	const wire_message *m = &v->x->in;
	for (size_t i = 0; i < m->n_headers; i++)
		for (str rest = str_eq_nocase(m->headers[i].name, S("cookie")) ? m->headers[i].value : STR_NONE;
		     str_is(rest);) {
			str value = str_trim(str_cut(&rest, ';')), key = str_cut(&value, '=');
			if (str_eq(key, name) && str_is(value))
				return value;
		}
	return STR_NONE;
}

static elbv2_group *group_of(const visit *v, const txn *tx, str arn)
{
	return elb_group_at(tx, v->mem, v->b->Account, v->b->Region, arn);
}

static str opened(const visit *v, str name)
{
	str value = cookie_of(v, name), text;
	return str_is(value) && base64_decode(v->mem, value, &text) ? text : STR_NONE;
}

static elbv2_group *choose_group(visit *v, const txn *tx, const elbv2_ForwardActionConfig *f)
{
	int64_t sum = 0, at;
	const elbv2_TargetGroupStickinessConfig *sticks = f->TargetGroupStickinessConfig;
	str kept = sticks && sticks->Enabled.v ? opened(v, S("AWSALBTG")) : STR_NONE;
	for (size_t i = 0; i < f->TargetGroups.n; i++) {
		sum += f->TargetGroups.v[i].Weight.v;
		if (f->TargetGroups.v[i].Weight.v && str_eq(kept, f->TargetGroups.v[i].TargetGroupArn))
			return group_of(v, tx, kept);
	}
	v->group_sticks = sticks && sticks->Enabled.v;
	v->group_seconds = sticks ? sticks->DurationSeconds.v : 0;
	at = sum ? (int64_t)rand_below((uint64_t)sum) : 0;
	for (size_t i = 0; i < f->TargetGroups.n; i++) {
		at -= f->TargetGroups.v[i].Weight.v;
		if (at < 0)
			return group_of(v, tx, f->TargetGroups.v[i].TargetGroupArn);
	}
	return NULL; /* all weigh nothing */
}

typedef struct candidates {
	elbv2_target **v;
	size_t n;
} candidates;

/* Those that are healthy; when none is, all that are not leaving. */
static candidates candidates_of(visit *v, const txn *tx, const elbv2_group *g)
{
	candidates all = { arena_array(v->mem, elbv2_target *, CANDIDATES), 0 };
	size_t healthy = 0;
	record_scan s = elbv2_target_scan(tx, v->mem, 3, g->Account, g->Region, g->Name, STR_NONE, 0);
	for (elbv2_target *t; all.n < CANDIDATES && (t = elbv2_target_next(&s));) {
		if (t->Until)
			continue;
		bool good = str_eq(t->State, elbv2_TargetHealthStateEnum_healthy);
		if (good && !healthy++)
			all.n = 0;
		if (good || !healthy)
			all.v[all.n++] = t;
	}
	cursor_close(&s.at);
	return all;
}

static elbv2_target *kept_target(visit *v, const candidates *c, bool app)
{
	str kept = opened(v, app ? S("AWSALBAPP-0") : S("AWSALB"));
	for (size_t i = 0; str_is(kept) && i < c->n; i++)
		if (str_eq(kept, arena_fmt(v->mem, "%.*s %.*s %lld", STR_ARG(c->v[i]->Group), STR_ARG(c->v[i]->Id),
		                           (long long)c->v[i]->Port)))
			return c->v[i];
	return NULL;
}

/* A target that has just become healthy gets less, growing to its share. */
static bool still_slow(const visit *v, const elbv2_target *t, int64_t duration)
{
	int64_t since = v->now - t->Healthy;
	return duration > 0 && since >= 0 && since < duration * MS_SECOND &&
	       (int64_t)rand_below((uint64_t)(duration * MS_SECOND)) > since;
}

static elbv2_target *least_busy(const candidates *c)
{
	elbv2_target *best = c->v[0];
	for (size_t i = 1; i < c->n; i++)
		if (atomic_load(&busy[slot_of(c->v[i])]) < atomic_load(&busy[slot_of(best)]))
			best = c->v[i];
	return best;
}

static elbv2_target *choose(visit *v, const candidates *c)
{
	int64_t slow = 0;
	str way = elb_group_attribute(v->g, "load_balancing.algorithm.type");
	str_to_i64(elb_group_attribute(v->g, "slow_start.duration_seconds"), &slow);
	if (str_eq(way, S("least_outstanding_requests")))
		return least_busy(c);
	for (size_t tries = 0;; tries++) {
		size_t at = str_eq(way, S("weighted_random"))
			? (size_t)rand_below(c->n)
			: atomic_fetch_add(&turns[str_hash(v->g->It->TargetGroupArn) % SLOTS], 1) % c->n;
		if (tries >= c->n || !still_slow(v, c->v[at], slow))
			return c->v[at];
	}
}

bool elb_pick(visit *v, const elbv2_Action *a)
{
	const txn *tx = store_read(v->s);
	v->g = choose_group(v, tx, a->ForwardConfig);
	candidates c = { 0 };
	if (v->g)
		c = candidates_of(v, tx, v->g);
	store_read_end(v->s, tx);
	if (!c.n)
		return false;
	/* Connections to a network load balancer bear no cookies. */
	bool sticky = v->x && !elb_is_network(v->b->It) &&
	              str_eq(elb_group_attribute(v->g, "stickiness.enabled"), S("true"));
	bool app = str_eq(elb_group_attribute(v->g, "stickiness.type"), S("app_cookie"));
	v->t = sticky ? kept_target(v, &c, app) : NULL;
	v->sticks = sticky;
	if (!v->t)
		v->t = choose(v, &c);
	v->lambda = str_eq(v->g->It->TargetType, elbv2_TargetTypeEnum_lambda);
	v->slot = slot_of(v->t);
	atomic_fetch_add(&busy[v->slot], 1);
	return true;
}

bool elb_pick_raw(visit *v, const elbv2_Action *a)
{
	bool found = elb_pick(v, a);
	if (found)
		elb_pick_done(v->slot);
	return found;
}

void elb_pick_done(size_t slot) { atomic_fetch_sub(&busy[slot], 1); }

static void set_cookie(visit *v, const char *name, str value, int64_t seconds, const char *more)
{
	str text = base64_encode(v->mem, value);
	str until = time_http(v->mem, v->now + seconds * MS_SECOND);
	wire_header_add(&v->out, S("Set-Cookie"), arena_fmt(v->mem, "%s=%.*s; Expires=%.*s; Path=/%s", name,
	                                                    STR_ARG(text), STR_ARG(until), more));
}

static bool sets(const wire_message *answer, str name)
{
	for (size_t i = 0; name.n && i < answer->n_headers; i++) {
		str value = answer->headers[i].value;
		if (str_eq_nocase(answer->headers[i].name, S("set-cookie")) && str_eq(str_cut(&value, '='), name))
			return true;
	}
	return false;
}

void elb_stick(visit *v, const wire_message *answer)
{
	static const char other_sites[] = "; SameSite=None; Secure";
	int64_t seconds = 0;
	if (v->group_sticks) {
		set_cookie(v, "AWSALBTG", v->g->It->TargetGroupArn, v->group_seconds, "");
		set_cookie(v, "AWSALBTGCORS", v->g->It->TargetGroupArn, v->group_seconds, other_sites);
	}
	if (!v->sticks)
		return;
	str place = arena_fmt(v->mem, "%.*s %.*s %lld", STR_ARG(v->t->Group), STR_ARG(v->t->Id),
	                      (long long)v->t->Port);
	if (str_eq(elb_group_attribute(v->g, "stickiness.type"), S("app_cookie"))) {
		str_to_i64(elb_group_attribute(v->g, "stickiness.app_cookie.duration_seconds"), &seconds);
		if (sets(answer, elb_group_attribute(v->g, "stickiness.app_cookie.cookie_name")))
			set_cookie(v, "AWSALBAPP-0", place, seconds, "");
		return;
	}
	str_to_i64(elb_group_attribute(v->g, "stickiness.lb_cookie.duration_seconds"), &seconds);
	set_cookie(v, "AWSALB", place, seconds, "");
	set_cookie(v, "AWSALBCORS", place, seconds, other_sites);
}
