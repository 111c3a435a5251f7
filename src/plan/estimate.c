#include "plan/estimate.h"
#include "plan/tier_name.h"

#define CALCULATOR_HOURS 730
#define CHARGES_MAX 64
#define LINES_MAX 100000
#define USE_DEEP 16
#define EVALUATIONS_MAX 20000000 /* for one resource: seconds */

typedef struct run {
	arena *mem;
	estimate *out;
	estimate_line **line_at;
	estimate_gap **gap_at;
	const estimate_options *o;
	pricing *shared;       /* of all resources, where they are not alone */
	arena *scratch;        /* of one line */
	evaluation e;
	str sub;
	int deep;
} run;

typedef struct charges {
	charge all[CHARGES_MAX];
	size_t n;
	bool more;             /* than there is room for */
} charges;

static void keep(void *context, const charge *c)
{
	charges *cs = context;
	cs->more |= cs->n == CHARGES_MAX;
	if (!cs->more)
		cs->all[cs->n++] = *c;
}

static void add_gap(run *r, gap_kind kind, str why)
{
	estimate_gap *g = arena_new(r->mem, estimate_gap);
	*g = (estimate_gap){ .kind = kind, .resource = r->e.self, .why = why };
	*r->gap_at = g;
	r->gap_at = &g->next;
}

static void add_line(run *r, const estimate_line *l)
{
	if (r->out->n_lines == LINES_MAX) {
		mistake(&r->e, "more than %d lines", LINES_MAX);
		return;
	}
	r->out->n_lines++;
	estimate_line *one = arena_new(r->mem, estimate_line);
	*one = *l;
	*r->line_at = one;
	r->line_at = &one->next;
	r->out->overflow |= !i128_add(r->out->total, l->amount, &r->out->total);
}

static pricing *pricing_of(run *r)
{
	if (!r->o->alone)
		return r->shared;
	pricing_options o = { .book = r->o->book, .profile = PROFILE_LIST, .month = r->o->month,
		              .month_hours = CALCULATOR_HOURS };
	return pricing_open(r->scratch, &o);
}

static int64_t month_hours(const run *r)
{
	return r->o->alone ? CALCULATOR_HOURS : pricing_month_hours(r->shared);
}

static num number_or(run *r, const expr *x, num otherwise)
{
	num n = otherwise;
	value v = x ? expr_value(&r->e, x) : NOTHING;
	if (v.kind != VALUE_NONE && (!pval_to_number(v, &n) || n <= 0)) {
		mistake(&r->e, "not a positive number");
		return otherwise;
	}
	return n;
}

/* How the sku's unit, what is counted and what is shown hang together. */
typedef struct scales {
	num per, times, of;
} scales;

/* What is counted, in units of the sku. */
static bool to_sku(scales s, num counted, num *out)
{
	return num_mul(counted, s.times, out) && num_div(*out, s.of, out);
}

/* Units of the sku, in units that are shown. */
static bool to_shown(scales s, num units, num *out)
{
	return num_mul(units, s.of, out) && num_div(*out, s.times, out) && num_div(*out, s.per, out);
}

/* The usage in as fine parts as 64 bits hold. */
static bool usage_of(run *r, const price_item *item, num units, price_use *u)
{
	i128 q = units;
	if (item->monthly && !i128_mul(q, month_hours(r), &q))
		return false;
	for (u->per = NUM_ONE; q > INT64_MAX && u->per > 1; u->per /= 10)
		q = q / 10 + (q % 10 >= 5);
	u->quantity = (int64_t)q;
	return q <= INT64_MAX;
}

static bool price_shown(const price_tier *t, scales s, money *out)
{
	num units;
	return to_sku(s, s.per, &units) && money_of(t->usd, units, NUM_ONE, out);
}

static str tier_label(run *r, const rule_line *l, const price_item *item, const price_tier *tier)
{
	size_t i = (size_t)(tier - item->tiers);
	return i < l->n_labels ? l->labels[i] : tier_name(r->mem, item, tier);
}

static str component_name(run *r, const rule_line *l, str name, const price_item *item, const charge *c,
                          size_t paid)
{
	bool labelled = item->n_tiers > 1 && !c->free && (l->tiers || paid > 1);
	if (labelled)
		name = arena_fmt(r->mem, "%.*s (%.*s)", STR_ARG(name), STR_ARG(tier_label(r, l, item, c->tier)));
	return c->free ? arena_concat(r->mem, name, S(", free")) : name;
}

static void add_charge(run *r, const rule_line *rl, estimate_line l, scales s, const price_item *item,
                       const charge *c, size_t paid)
{
	num units;
	l.component = component_name(r, rl, l.component, item, c, paid);
	l.free = c->free;
	l.amount = c->amount;
	l.doubtful = !c->free && c->tier->status < PRICE_VERIFIED;
	/* parts of one unit: 10^12 at most times a month's hours. */
	if (!i128_mul_div(c->quantity, NUM_ONE, c->parts, &units) || !to_shown(s, units, &l.quantity) ||
	    (!c->free && !price_shown(c->tier, s, &l.price))) {
		mistake(&r->e, "a number is too large");
		return;
	}
	add_line(r, &l);
}

static void price_line(run *r, const rule_line *rl, estimate_line l, scales s, const price_item *item,
                       num counted)
{
	price_use u = { .region = l.region, .sku = l.sku, .when = r->o->month };
	num units;
	size_t paid = 0;
	arena_reset(r->scratch);
	charges *cs = arena_new(r->scratch, charges);
	if (!to_sku(s, counted, &units) || !usage_of(r, item, units, &u)) {
		mistake(&r->e, "a number is too large");
		return;
	}
	if (u.quantity <= 0)
		return;
	pricing_add(pricing_of(r), &u, keep, cs);
	if (cs->more) {
		mistake(&r->e, "%.*s has more than %d tiers", STR_ARG(l.sku), CHARGES_MAX);
		return;
	}
	for (size_t i = 0; i < cs->n; i++)
		paid += !cs->all[i].free;
	for (size_t i = 0; i < cs->n; i++)
		add_charge(r, rl, l, s, item, &cs->all[i], paid);
}

/* A price alone: that of the first tier. */
static void price_only(run *r, const rule_line *rl, estimate_line l, scales s, const price_item *item)
{
	charge first = { .tier = item->tiers };
	l.component = component_name(r, rl, l.component, item, &first, 1);
	l.by_usage = true;
	l.doubtful = item->tiers->status < PRICE_VERIFIED;
	if (price_shown(item->tiers, s, &l.price))
		add_line(r, &l);
	else
		mistake(&r->e, "a number is too large");
}

/* What the rule itself prices: so many dollars for one that is counted. */
static void price_own(run *r, const rule_line *rl, estimate_line l, scales s, value counted, num n)
{
	num usd = 0, whole;
	value price = expr_value(&r->e, rl->price);
	if (!pval_to_number(price, &usd) || usd < 0 || usd > INT64_MAX) {
		mistake(&r->e, "%.*s: \"%.*s\" is no price", STR_ARG(l.component),
		        STR_ARG(pval_print(r->mem, price)));
		return;
	}
	l.by_usage = counted.kind == VALUE_NONE;
	whole = l.by_usage ? 0 : n;
	if (num_div(whole, s.per, &l.quantity) && money_of((int64_t)usd, s.per, NUM_ONE, &l.price) &&
	    money_of((int64_t)usd, whole, NUM_ONE, &l.amount))
		add_line(r, &l);
	else
		mistake(&r->e, "a number is too large");
}

static str text_of(run *r, const expr *x)
{
	return pval_print(r->mem, expr_value(&r->e, x));
}

static void do_line(run *r, const rule_line *rl)
{
	value region = rl->region ? expr_value(&r->e, rl->region) : NOTHING;
	value counted = expr_value(&r->e, rl->quantity);
	scales s = { .per = number_or(r, rl->per, NUM_ONE), .times = number_or(r, rl->times, NUM_ONE),
		     .of = number_or(r, rl->of, NUM_ONE) };
	estimate_line l = { .resource = r->e.self, .sub = r->sub, .component = text_of(r, rl->name),
		            .unit = text_of(r, rl->unit), .sku = text_of(r, rl->sku) };
	num n = 0;
	if (r->e.fault)
		return;
	if (counted.kind != VALUE_NONE && !pval_to_number(counted, &n)) {
		mistake(&r->e, "%.*s: \"%.*s\" is no number", STR_ARG(l.component),
		        STR_ARG(pval_print(r->mem, counted)));
		return;
	}
	if (n < 0)
		add_gap(r, GAP_MISTAKE, arena_fmt(r->mem, "%.*s: %.*s is less than nothing", STR_ARG(l.component),
		                                  STR_ARG(pval_print(r->mem, counted))));
	if (counted.kind != VALUE_NONE && n <= 0)
		return;
	l.region = region.kind == VALUE_TEXT ? region.text : l.resource->region;
	if (rl->price) {
		price_own(r, rl, l, s, counted, n);
		return;
	}
	const price_item *item = book_find(r->o->book, l.region, l.sku, &l.elsewhere);
	if (!item)
		add_gap(r, GAP_NO_PRICE, arena_fmt(r->mem, "%.*s%s%.*s: the price book has no %.*s", STR_ARG(l.sub),
		                                   l.sub.n ? ": " : "", STR_ARG(l.component), STR_ARG(l.sku)));
	else if (counted.kind == VALUE_NONE)
		price_only(r, rl, l, s, item);
	else
		price_line(r, rl, l, s, item, n);
}

static void do_statements(run *r, const statement *s);

static void define(run *r, str name, value v)
{
	variable *one = arena_new(r->mem, variable);
	*one = (variable){ .name = name, .value = v, .outer = r->e.variables };
	r->e.variables = one;
}

static void do_each(run *r, const statement *s)
{
	value all = expr_value(&r->e, s->value);
	const variable *outer = r->e.variables;
	size_t n = pval_count(all);
	for (size_t i = 0; i < n && !r->e.fault && r->out->n_lines < LINES_MAX; i++) {
		define(r, S("index"), pval_number((num)i * NUM_ONE));
		define(r, s->name, pval_at(all, i));
		do_statements(r, s->body);
		r->e.variables = outer;
	}
}

static void do_use(run *r, const statement *s)
{
	const statement *body = rules_block(r->o->rules, s->name);
	const variable *outer = r->e.variables;
	if (!body || r->deep >= USE_DEEP) {
		mistake(&r->e, "there is no block %.*s", STR_ARG(s->name));
		return;
	}
	r->deep++;
	for (const statement *l = s->body; l; l = l->next)
		define(r, l->name, expr_value(&r->e, l->value));
	do_statements(r, body);
	r->deep--;
	r->e.variables = outer;
}

static void do_sub(run *r, const statement *s)
{
	str outer = r->sub, name = text_of(r, s->value);
	r->sub = outer.n ? arena_fmt(r->mem, "%.*s/%.*s", STR_ARG(outer), STR_ARG(name)) : name;
	do_statements(r, s->body);
	r->sub = outer;
}

static void do_statements(run *r, const statement *s)
{
	const variable *outer = r->e.variables;
	for (; s && !r->e.fault; s = s->next) {
		switch (s->kind) {
		case STATEMENT_LET:
			define(r, s->name, expr_value(&r->e, s->value));
			break;
		case STATEMENT_LINE:
			do_line(r, s->line);
			break;
		case STATEMENT_IF:
			do_statements(r, pval_true(expr_value(&r->e, s->value)) ? s->body : s->otherwise);
			break;
		case STATEMENT_EACH:
			do_each(r, s);
			break;
		case STATEMENT_SUB:
			do_sub(r, s);
			break;
		case STATEMENT_USE:
			do_use(r, s);
			break;
		case STATEMENT_SKIP:
			add_gap(r, GAP_SKIPPED, text_of(r, s->value));
			break;
		}
	}
	r->e.variables = outer;
}

static void do_resource(run *r, const plan_resource *one)
{
	const rule *own = rules_find(r->o->rules, one->type);
	r->e.self = one;
	r->e.fault = NULL;
	r->e.variables = NULL;
	r->e.deep = 0;
	r->e.budget = EVALUATIONS_MAX;
	r->sub = S("");
	r->out->resources++;
	if (!own) {
		add_gap(r, GAP_NO_RULE, STR_NONE);
		return;
	}
	r->out->free_of_charge += own->free;
	define(r, S("list"), pval_bool(r->o->alone));
	define(r, S("hours"), pval_number((num)month_hours(r) * NUM_ONE));
	define(r, S("today"), pval_number((num)r->o->today * NUM_ONE));
	define(r, S("region"), pval_text(one->region));
	define(r, S("address"), pval_text(one->address));
	do_statements(r, own->first);
	if (r->e.fault)
		add_gap(r, GAP_MISTAKE, r->e.fault->message);
}

/* What only the usage file names: data that leaves a region belongs to no resource. */
static void add_of_usage(plan *p, const rule_set *rules)
{
	const json_value *u = p->usage && p->usage->kind == JSON_OBJECT ? p->usage->first : NULL;
	for (; u; u = u->next) {
		str rest = u->key, type = str_cut(&rest, '.');
		const rule *own = str_is(rest) ? rules_find(rules, type) : NULL;
		if (own && own->of_usage && !plan_find(p, u->key))
			plan_add(p, u->key);
	}
}

estimate *estimate_make(arena *mem, plan *p, const estimate_options *o)
{
	pricing_options po = { .book = o->book, .profile = o->profile, .month = o->month };
	estimate *out = arena_new(mem, estimate);
	run r = { .mem = mem, .out = out, .line_at = &out->lines, .gap_at = &out->gaps, .o = o };
	r.shared = pricing_open(mem, &po);
	r.scratch = arena_open(1 << 16);
	r.e = (evaluation){ .mem = mem, .plan = p, .book = o->book, .tables = rules_tables(o->rules) };
	add_of_usage(p, o->rules);
	for (const plan_resource *one = p->first; one; one = one->next)
		do_resource(&r, one);
	arena_close(r.scratch);
	out->overflow |= pricing_overflow(r.shared);
	out->guessed = p->guessed ? p->region : S("");
	return out;
}
