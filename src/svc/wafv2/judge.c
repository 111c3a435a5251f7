/* A web ACL's verdict on one request. */
#include "waf.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/target.h"
#include "sys/clock.h"

#define KB 1024
#define BALANCER_BODY ((size_t)8 * KB)
#define USUAL_BODY ((size_t)16 * KB)

typedef enum what { GOES_ON, ALLOWED, BLOCKED } what;
typedef struct verdict {
	what what;
	const wafv2_CustomResponse *response;
	const wafv2_CustomResponseBodies *bodies;
	const wafv2_CustomRequestHandling *more;
} verdict;

void look_label(look *l, str label)
{
	for (size_t i = 0; i < l->n_labels; i++)
		if (str_eq(l->labels[i], label))
			return;
	if (l->n_labels < LABELS_MAX)
		l->labels[l->n_labels++] = label;
}

static void add_labels(look *l, const wafv2_Rule *r, str space)
{
	for (size_t i = 0; i < r->RuleLabels.n; i++)
		look_label(l, arena_concat(l->mem, space, r->RuleLabels.v[i].Name));
}

/* In the order of their priorities: the one behind `done`. */
static const wafv2_Rule *next_rule(const wafv2_Rules *rules, int64_t done)
{
	const wafv2_Rule *next = NULL;
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i].Priority.v > done && (!next || rules->v[i].Priority.v < next->Priority.v))
			next = &rules->v[i];
	return next;
}

static const wafv2_RuleAction *overridden(const wafv2_RuleActionOverrides *all,
	const wafv2_ExcludedRules *out,
                                          str name, const wafv2_RuleAction *usual)
{
	static const wafv2_CountAction count;
	static const wafv2_RuleAction counts = { .Count = (wafv2_CountAction *)(uintptr_t)&count };
	for (size_t i = 0; i < out->n; i++)
		if (str_eq(out->v[i].Name, name))
			return &counts;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].Name, name))
			return all->v[i].ActionToUse;
	return usual;
}

/* Headers that a backend sees beside the client's: in the place of those that a client has made up. */
static void insert(look *l, const wafv2_CustomRequestHandling *more)
{
	wire_message *in = &l->x->in;
	for (size_t i = 0; more && i < more->InsertHeaders.n; i++) {
		str name = arena_concat(l->mem, S("x-amzn-waf-"), more->InsertHeaders.v[i].Name);
		size_t n = 0;
		for (size_t k = 0; k < in->n_headers; k++)
			if (!str_eq_nocase(in->headers[k].name, name))
				in->headers[n++] = in->headers[k];
		in->n_headers = n;
		wire_header_add(in, name, more->InsertHeaders.v[i].Value);
	}
}

static bool act(look *l, const wafv2_RuleAction *a, const wafv2_CustomResponseBodies *bodies, verdict *v)
{
	if (a->Block) {
		*v = (verdict){ BLOCKED, a->Block->CustomResponse, bodies, NULL };
	} else if (a->Allow) {
		*v = (verdict){ ALLOWED, NULL, NULL, a->Allow->CustomRequestHandling };
	} else if (a->Count) {
		insert(l, a->Count->CustomRequestHandling);
	}
	return v->what != GOES_ON;
}

static const char *metric_of(const verdict *v)
{
	return v->what == BLOCKED ? "BlockedRequests" : v->what == ALLOWED ? "AllowedRequests" :
		"CountedRequests";
}

static int64_t code_of(const verdict *v)
{
	return v->what != BLOCKED ? 0 : v->response ? v->response->ResponseCode.v : 403;
}

static str action_of(const verdict *v)
{
	return v->what == BLOCKED ? S("BLOCK") : v->what == ALLOWED ? S("ALLOW") : S("COUNT");
}

static void tell_rule(look *l, const wafv2_VisibilityConfig *c, str inner, const verdict *v)
{
	if (c->CloudWatchMetricsEnabled.v)
		tell_metric(l, metric_of(v), c->MetricName, NULL, STR_NONE);
	if (c->SampledRequestsEnabled.v)
		tell_sample(l, &(sample){ .metric = c->MetricName, .group_rule = inner, .action = action_of(v),
			.code = code_of(v), .inserted = v->more ? &v->more->InsertHeaders : NULL });
}

/* A customer's group; `inner` becomes the name of the rule that decided. */
static bool try_group(look *l, const wafv2_RuleGroupReferenceStatement *r, verdict *v, str *inner)
{
	const txn *tx = store_read(l->s);
	wafv2_group *g = waf_group_at(tx, l->mem, r->ARN);
	store_read_end(l->s, tx);
	int64_t done = -1;
	bool hit = false;
	for (const wafv2_Rule *n; g && (n = next_rule(&g->It->Rules, done)); done = n->Priority.v) {
		l->rule = arena_fmt(l->mem, "%.*s %.*s %.*s", STR_ARG(l->w->acl->It->ARN), STR_ARG(g->It->Name),
		                    STR_ARG(n->Name));
		if (!statement_matches(l, n->Statement))
			continue;
		hit = true;
		add_labels(l, n, g->It->LabelNamespace);
		*inner = n->Name;
		bool ends = act(l, overridden(&r->RuleActionOverrides, &r->ExcludedRules, n->Name, n->Action),
		                &g->It->CustomResponseBodies, v);
		if (n->VisibilityConfig->CloudWatchMetricsEnabled.v)
			tell_metric(l, metric_of(v), n->VisibilityConfig->MetricName, "RuleGroup", g->It->Name);
		if (ends)
			break;
	}
	return hit;
}

static bool try_managed(look *l, const wafv2_ManagedRuleGroupStatement *m, verdict *v, str *inner)
{
	static const wafv2_BlockAction block;
	static const wafv2_CountAction count;
	const managed_group *g = managed_group_of(m->VendorName, m->Name);
	bool hit = false;
	if (!g || (m->ScopeDownStatement && !statement_matches(l, m->ScopeDownStatement)))
		return false;
	if (str_eq(m->Name, S("AWSManagedRulesBotControlRuleSet")))
		usage_later(l->w->acl->Account, l->w->acl->Region, l->now, &WAF_BOT_REQUEST, l->w->acl->It->ARN,
			QTY(1));
	for (size_t i = 0; i < g->n; i++) {
		const managed_rule *r = &g->rules[i];
		wafv2_RuleAction usual = { .Block = (wafv2_BlockAction *)(uintptr_t)&block };
		if (r->counts)
			usual = (wafv2_RuleAction){ .Count = (wafv2_CountAction *)(uintptr_t)&count };
		if (!managed_matches(l, r))
			continue;
		hit = true;
		look_label(l, managed_label(l->mem, g, r));
		*inner = str_c(r->name);
		bool ends = act(l, overridden(&m->RuleActionOverrides, &m->ExcludedRules, str_c(r->name), &usual),
		                &l->w->acl->It->CustomResponseBodies, v);
		tell_metric(l, metric_of(v), str_c(r->name), "ManagedRuleGroup", m->Name);
		if (ends)
			break;
	}
	return hit;
}

/* true: it decided. */
static bool try_rule(look *l, const wafv2_Rule *r, verdict *v)
{
	const wafv2_WebACL *acl = l->w->acl->It;
	const wafv2_RuleGroupReferenceStatement *group = r->Statement->RuleGroupReferenceStatement;
	const wafv2_ManagedRuleGroupStatement *managed = r->Statement->ManagedRuleGroupStatement;
	str inner = STR_NONE;
	*v = (verdict){ 0 };
	l->rule = arena_fmt(l->mem, "%.*s %.*s", STR_ARG(acl->ARN), STR_ARG(r->Name));
	bool hit = group ? try_group(l, group, v, &inner) : managed ? try_managed(l, managed, v, &inner)
	           : statement_matches(l, r->Statement);
	if (!hit)
		return false;
	add_labels(l, r, acl->LabelNamespace);
	if (group || managed) {
		if (r->OverrideAction && r->OverrideAction->Count)
			*v = (verdict){ 0 };
	} else {
		act(l, r->Action, &acl->CustomResponseBodies, v);
	}
	tell_rule(l, r->VisibilityConfig, inner, v);
	return v->what != GOES_ON;
}

static void answer(look *l, const verdict *v, wall_answer *a)
{
	static const char *const types[][2] = { { "TEXT_PLAIN", "text/plain" }, { "TEXT_HTML", "text/html" },
		                                    { "APPLICATION_JSON", "application/json" } };
	if (!v->response)
		return;
	a->custom = true;
	a->out = (wire_message){ .mem = l->mem, .status = (int)v->response->ResponseCode.v, .body = S("") };
	for (size_t i = 0; i < v->bodies->n; i++) {
		if (!str_eq(v->bodies->v[i].key, v->response->CustomResponseBodyKey))
			continue;
		a->out.body = v->bodies->v[i].value.Content;
		for (size_t k = 0; k < 3; k++)
			if (str_eq(v->bodies->v[i].value.ContentType, str_c(types[k][0])))
				wire_header_add(&a->out, S("Content-Type"), str_c(types[k][1]));
	}
	for (size_t i = 0; i < v->response->ResponseHeaders.n; i++)
		wire_header_add(&a->out, v->response->ResponseHeaders.v[i].Name,
			v->response->ResponseHeaders.v[i].Value);
}

/* How much of a body is looked at: a load balancer's 8 KB, elsewhere 16 unless the ACL says more. */
static size_t body_limit(const wafv2_WebACL *acl, str resource)
{
	const firewalled *f = firewalled_of(resource);
	str type = f ? str_c(f->type) : S("CLOUDFRONT");
	if (str_eq(type, S("APPLICATION_LOAD_BALANCER")))
		return BALANCER_BODY;
	const wafv2_RequestBody *all = acl->AssociationConfig ? &acl->AssociationConfig->RequestBody : NULL;
	for (size_t i = 0; all && i < all->n; i++) {
		int64_t kb;
		str limit = all->v[i].value.DefaultSizeInspectionLimit;
		if (str_eq(all->v[i].key, type) && str_to_i64(str_sub(limit, 3, limit.n), &kb))
			return (size_t)kb * KB;
	}
	return USUAL_BODY;
}

bool wall_passes(wall *w, http_exchange *x, str path, str resource, wall_answer *a)
{
	const wafv2_WebACL *acl = w->acl->It;
	look l = { .mem = x->mem, .s = w->s, .w = w, .x = x, .path = path, .resource = resource,
		       .now = clock_now(),
		       .body_max = body_limit(acl, resource) };
	verdict v = { 0 };
	const wafv2_Rule *r;
	*a = (wall_answer){ 0 };
	usage_later(w->acl->Account, w->acl->Region, l.now, &WAF_REQUEST, acl->ARN, QTY(1));
	for (int64_t done = -1; (r = next_rule(&acl->Rules, done)); done = r->Priority.v)
		if (try_rule(&l, r, &v))
			break;
	if (!r) {
		const wafv2_DefaultAction *d = acl->DefaultAction;
		v = d->Block ? (verdict){ BLOCKED, d->Block->CustomResponse, &acl->CustomResponseBodies, NULL }
		             : (verdict){ ALLOWED, NULL, NULL, d->Allow->CustomRequestHandling };
		if (acl->VisibilityConfig->CloudWatchMetricsEnabled.v)
			tell_metric(&l, metric_of(&v), S("Default_Action"), NULL, STR_NONE);
		if (acl->VisibilityConfig->SampledRequestsEnabled.v)
			tell_sample(&l, &(sample){ .metric = S("Default_Action"), .action = action_of(&v),
				.code = code_of(&v), .inserted = v.more ? &v.more->InsertHeaders : NULL });
	}
	if (acl->VisibilityConfig->CloudWatchMetricsEnabled.v)
		tell_metric(&l, metric_of(&v), S("ALL"), NULL, STR_NONE);
	insert(&l, v.more);
	answer(&l, &v, a);
	return v.what != BLOCKED;
}
