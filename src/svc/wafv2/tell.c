/*
 * What became of requests: metrics, and samples of the requests themselves. Samples are in memory, a hundred
 * of a
 * rule, for three hours; rules that fall on the same ring share it.
 */
#include "waf.h"
#include "base/time.h"
#include "cloud/metrics.h"
#include "sys/clock.h"
#include <pthread.h>

#define RINGS 64
#define RING 100
#define URI_MAX 1024
#define HEADERS_MOST 24
#define HEADER_MAX 256
#define NAME_MAX_SHOWN 64
#define KEPT_MS (3 * MS_HOUR)

void tell_metric(look *l, const char *name, str rule, const char *dimension, str value)
{
	const wafv2_acl *a = l->w->acl;
	bool regional = str_eq(a->Scope, wafv2_Scope_REGIONAL);
	metric_point p = { .account = a->Account, .region = a->Region, .name_space = S("AWS/WAFV2"),
		.name = str_c(name),
		.unit = S("Count"), .when = l->now, .value = 1 };
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("WebACL"), a->It->VisibilityConfig->MetricName };
	if (regional)
		p.dimensions[p.n_dimensions++] = (metric_dimension){ S("Region"), a->Region };
	if (dimension)
		p.dimensions[p.n_dimensions++] = (metric_dimension){ str_c(dimension), value };
	p.dimensions[p.n_dimensions++] = (metric_dimension){
		dimension && dimension[0] == 'M' ? S("ManagedRuleGroupRule") : S("Rule"), rule };
	metric_later(&p);
}

/* One request as it is told; the texts live in `mem`. */
typedef struct kept {
	arena *mem;
	uint64_t key;
	int64_t when;
	wafv2_SampledHTTPRequest it;
	wafv2_HTTPRequest request;
} kept;
typedef struct ring {
	kept v[RING];
	size_t next;
} ring;
static ring rings[RINGS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t key_of(arena *mem, str acl, str metric)
{
	return str_hash(arena_fmt(mem, "%.*s %.*s", STR_ARG(acl), STR_ARG(metric))) | 1;
}

static str part(arena *mem, str s, size_t most) { return arena_str(mem, str_sub(s, 0, most)); }

static void take(look *l, const sample *s, kept *k)
{
	arena *m = k->mem;
	const wire_message *in = &l->x->in;
	wafv2_HTTPHeaders all = { arena_array(m, wafv2_HTTPHeader, HEADERS_MOST), 0 };
	for (size_t i = 0; i < in->n_headers && all.n < HEADERS_MOST; i++)
		all.v[all.n++] = (wafv2_HTTPHeader){ part(m, in->headers[i].name, NAME_MAX_SHOWN),
			                                 part(m, in->headers[i].value, HEADER_MAX) };
	str uri = str_is(in->query) ? arena_fmt(l->mem, "%.*s?%.*s", STR_ARG(l->path), STR_ARG(in->query)) :
		l->path;
	k->request = (wafv2_HTTPRequest){ .ClientIP = arena_str(m, l->x->peer), .Country = S("US"),
		.URI = part(m, uri, URI_MAX), .Method = part(m, in->method, 32), .HTTPVersion = S("HTTP/1.1"),
		.Headers = all };
	k->it = (wafv2_SampledHTTPRequest){ .Request = &k->request, .Weight = I64(1), .Timestamp = TIME(l->now),
		.Action = arena_str(m, s->action), .RuleNameWithinRuleGroup = arena_str(m, s->group_rule) };
	if (s->code)
		k->it.ResponseCodeSent = I64(s->code);
	for (size_t i = 0; s->inserted && i < s->inserted->n; i++) {
		wafv2_HTTPHeaders *h = &k->it.RequestHeadersInserted;
		if (!h->v)
			h->v = arena_array(m, wafv2_HTTPHeader, s->inserted->n);
		h->v[h->n++] = (wafv2_HTTPHeader){ arena_str(m, s->inserted->v[i].Name),
			                               arena_str(m, s->inserted->v[i].Value) };
	}
	k->it.Labels.v = l->n_labels ? arena_array(m, wafv2_Label, l->n_labels) : NULL;
	for (size_t i = 0; i < l->n_labels; i++)
		k->it.Labels.v[k->it.Labels.n++].Name = part(m, l->labels[i], HEADER_MAX);
}

void tell_sample(look *l, const sample *s)
{
	uint64_t key = key_of(l->mem, l->w->acl->It->ARN, s->metric);
	ring *r = &rings[key / 2 % RINGS];
	pthread_mutex_lock(&lock);
	kept *k = &r->v[r->next++ % RING];
	if (k->mem)
		arena_reset(k->mem);
	else
		k->mem = arena_open(1024);
	k->key = key;
	k->when = l->now;
	take(l, s, k);
	pthread_mutex_unlock(&lock);
}

/* Newest first, copied. */
static void gather(req *rq, uint64_t key, int64_t from, int64_t to, size_t most,
                   wafv2_GetSampledRequests_out *out)
{
	const ring *r = &rings[key / 2 % RINGS];
	int64_t n = 0;
	out->SampledRequests.v = arena_array(rq->mem, wafv2_SampledHTTPRequest, RING);
	for (size_t i = 1; i <= RING && i <= r->next; i++) {
		const kept *k = &r->v[(r->next - i) % RING];
		if (k->key != key || k->when < from || k->when > to)
			continue;
		n++;
		if (out->SampledRequests.n < most)
			shape_copy(rq->mem, &wafv2_SampledHTTPRequest_shape, &k->it,
			           &out->SampledRequests.v[out->SampledRequests.n++]);
	}
	out->PopulationSize = I64(n);
}

err wafv2_GetSampledRequests(req *rq, const txn *tx, const wafv2_GetSampledRequests_in *in,
                             wafv2_GetSampledRequests_out *out)
{
	int64_t from = in->TimeWindow->StartTime.v, to = in->TimeWindow->EndTime.v;
	wafv2_acl *a = waf_acl_at(tx, rq->mem, in->WebAclArn);
	if (!a || !str_eq(a->Account, rq->who.account))
		return waf_gone(rq);
	if (from > to)
		return waf_bad(rq, S("RULE"), S(""), "The time window is not valid.");
	if (from < rq->now - KEPT_MS)
		from = rq->now - KEPT_MS;
	pthread_mutex_lock(&lock);
	gather(rq, key_of(rq->mem, in->WebAclArn, in->RuleMetricName), from, to, (size_t)in->MaxItems.v, out);
	pthread_mutex_unlock(&lock);
	out->TimeWindow = arena_new(rq->mem, wafv2_TimeWindow);
	*out->TimeWindow = (wafv2_TimeWindow){ TIME(from), TIME(to) };
	return OK;
}

static const wafv2_RateBasedStatement *rate_of(const wafv2_Rules *rules, str name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (str_eq(rules->v[i].Name, name))
			return rules->v[i].Statement->RateBasedStatement;
	return NULL;
}

#define KEYS_MAX 10000
err wafv2_GetRateBasedStatementManagedKeys(req *rq, const txn *tx,
                                           const wafv2_GetRateBasedStatementManagedKeys_in *in,
                                           wafv2_GetRateBasedStatementManagedKeys_out *out)
{
	TRY(waf_scope(rq, in->Scope));
	wafv2_acl *a = wafv2_acl_get(tx, rq->mem, rq->who.account, rq->region, in->Scope, in->WebACLId);
	if (!a || !str_eq(a->It->Name, in->WebACLName))
		return waf_gone(rq);
	const wafv2_RateBasedStatement *r = NULL;
	str rule = arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(a->It->ARN), STR_ARG(in->RuleName));
	if (str_is(in->RuleGroupRuleName)) {
		/* RuleName is the rule of the ACL that has the group. */
		for (size_t i = 0; i < a->It->Rules.n; i++) {
			const wafv2_RuleGroupReferenceStatement *s =
				a->It->Rules.v[i].Statement->RuleGroupReferenceStatement;
			wafv2_group *g = s && str_eq(a->It->Rules.v[i].Name, in->RuleGroupRuleName)
				? waf_group_at(tx, rq->mem, s->ARN) : NULL;
			if (g) {
				r = rate_of(&g->It->Rules, in->RuleName);
				rule = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(a->It->ARN), STR_ARG(g->It->Name),
				                 STR_ARG(in->RuleName));
			}
		}
	} else {
		r = rate_of(&a->It->Rules, in->RuleName);
	}
	if (!r)
		return waf_gone(rq);
	if (!str_eq(r->AggregateKeyType, S("IP")) && !str_eq(r->AggregateKeyType, S("FORWARDED_IP")))
		return fail(rq, &wafv2_WAFUnsupportedAggregateKeyTypeException,
		            "The rule that you've named doesn't aggregate solely on the IP address or solely on the "
		            "forwarded IP address.");
	rate_key *keys = arena_array(rq->mem, rate_key, KEYS_MAX);
	int64_t window = (r->EvaluationWindowSec.set ? r->EvaluationWindowSec.v : 300) * MS_SECOND;
	size_t n = rate_above(rule, r->Limit.v, window, rq->now, keys, KEYS_MAX);
	wafv2_RateBasedStatementManagedKeysIPSet *four = arena_new(rq->mem,
		wafv2_RateBasedStatementManagedKeysIPSet),
		*six = arena_new(rq->mem, wafv2_RateBasedStatementManagedKeysIPSet);
	four->IPAddressVersion = S("IPV4");
	six->IPAddressVersion = S("IPV6");
	four->Addresses.v = arena_array(rq->mem, str, n + 1);
	six->Addresses.v = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++) {
		str text = str_c(keys[i].shown);
		bool is_six = str_find_char(text, ':') != SIZE_MAX;
		wafv2_IPAddresses *to = is_six ? &six->Addresses : &four->Addresses;
		to->v[to->n++] = arena_fmt(rq->mem, "%s/%d", keys[i].shown, is_six ? 128 : 32);
	}
	out->ManagedKeysIPV4 = four;
	out->ManagedKeysIPV6 = six;
	return OK;
}
