#include "plan/expr_inside.h"

static value fn_ceil(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]);
	num x, up;
	if (v.kind == VALUE_NONE)
		return v;
	if (!pval_to_number(v, &x) || !num_ceil(x, &up))
		return mistake(e, "\"%.*s\" is no number", STR_ARG(pval_print(e->mem, v)));
	return pval_number(up);
}

static value fn_floor(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]);
	num x;
	if (v.kind == VALUE_NONE)
		return v;
	if (!pval_to_number(v, &x))
		return mistake(e, "\"%.*s\" is no number", STR_ARG(pval_print(e->mem, v)));
	return pval_number(num_floor(x));
}

/* Of those that are known. */
static value extreme(evaluation *e, const expr *const *args, size_t n, bool most)
{
	value best = NOTHING;
	for (size_t i = 0; i < n; i++) {
		value v = expr_value(e, args[i]);
		num x;
		if (v.kind == VALUE_NONE)
			continue;
		if (!pval_to_number(v, &x))
			return mistake(e, "\"%.*s\" is no number", STR_ARG(pval_print(e->mem, v)));
		if (best.kind == VALUE_NONE || (most ? x > best.number : x < best.number))
			best = pval_number(x);
	}
	return best;
}

static value fn_max(evaluation *e, const expr *const *args, size_t n)
{
	return extreme(e, args, n, true);
}

static value fn_min(evaluation *e, const expr *const *args, size_t n)
{
	return extreme(e, args, n, false);
}

/* f(list, name, expression): the expression's value for the i-th, which it knows by that name. */
static value for_one(evaluation *e, const expr *const *args, value one)
{
	variable v = { .name = args[1]->name, .value = one, .outer = e->variables };
	e->variables = &v;
	value out = expr_value(e, args[2]);
	e->variables = v.outer;
	return out;
}

static bool walks(evaluation *e, const expr *const *args)
{
	if (args[1]->op == EXPR_VARIABLE)
		return true;
	mistake(e, "the second argument has to be a name");
	return false;
}

static value fn_count(evaluation *e, const expr *const *args, size_t n)
{
	value all = expr_value(e, args[0]);
	size_t count = pval_count(all), fit = 0;
	if (n == 1)
		return pval_number((num)count * NUM_ONE);
	if (n != 3 || !walks(e, args))
		return NOTHING;
	for (size_t i = 0; i < count; i++)
		fit += pval_true(for_one(e, args, pval_at(all, i)));
	return pval_number((num)fit * NUM_ONE);
}

static value fn_sum(evaluation *e, const expr *const *args, size_t n)
{
	value all = expr_value(e, args[0]);
	num sum = 0, x;
	for (size_t i = 0; walks(e, args) && i < pval_count(all); i++) {
		value v = for_one(e, args, pval_at(all, i));
		if (v.kind == VALUE_NONE)
			continue;
		if (!pval_to_number(v, &x) || !i128_add(sum, x, &sum))
			return mistake(e, "\"%.*s\" is no number", STR_ARG(pval_print(e->mem, v)));
	}
	return pval_number(sum);
}

static value fn_any(evaluation *e, const expr *const *args, size_t n)
{
	value all = expr_value(e, args[0]);
	for (size_t i = 0; walks(e, args) && i < pval_count(all); i++)
		if (pval_true(for_one(e, args, pval_at(all, i))))
			return pval_bool(true);
	return pval_bool(false);
}

static value fn_first(evaluation *e, const expr *const *args, size_t n)
{
	value all = expr_value(e, args[0]);
	if (n == 1)
		return pval_at(all, 0);
	for (size_t i = 0; n == 3 && walks(e, args) && i < pval_count(all); i++)
		if (pval_true(for_one(e, args, pval_at(all, i))))
			return pval_at(all, i);
	return NOTHING;
}

static value fn_where(evaluation *e, const expr *const *args, size_t n)
{
	value all = expr_value(e, args[0]);
	size_t count = pval_count(all), fit = 0;
	value *items = arena_array(e->mem, value, count + 1);
	for (size_t i = 0; walks(e, args) && i < count; i++)
		if (pval_true(for_one(e, args, pval_at(all, i))))
			items[fit++] = pval_at(all, i);
	return (value){ .kind = VALUE_LIST, .items = items, .n = fit };
}

static value fn_lower(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]);
	return v.kind == VALUE_TEXT ? pval_text(arena_lower(e->mem, v.text)) : v;
}

/* split("db.t3.large", ".", 1): the part so many separators on. */
static value fn_split(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]), by = expr_value(e, args[1]), which = expr_value(e, args[2]);
	num i;
	if (v.kind != VALUE_TEXT || by.kind != VALUE_TEXT || !pval_to_number(which, &i))
		return NOTHING;
	str rest = v.text, part = STR_NONE;
	for (i /= NUM_ONE; i >= 0; i--)
		part = str_is(rest) ? str_cut(&rest, by.text.p[0]) : STR_NONE;
	return pval_text(part);
}

/* after("db.t3.large", "db."): without the beginning, as it is when it begins otherwise. */
static value fn_after(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]), head = expr_value(e, args[1]);
	if (v.kind != VALUE_TEXT || head.kind != VALUE_TEXT || !str_starts(v.text, head.text))
		return v;
	return pval_text(str_sub(v.text, head.text.n, v.text.n));
}

/* replace("eu_west_1", "_", "-"): every such character is another one. */
static value fn_replace(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]), from = expr_value(e, args[1]), to = expr_value(e, args[2]);
	if (v.kind != VALUE_TEXT || from.kind != VALUE_TEXT || to.kind != VALUE_TEXT)
		return v;
	buf b = buf_in(e->mem, v.text.n, v.text.n);
	for (size_t i = 0; i < v.text.n; i++)
		buf_c(&b, v.text.p[i] == from.text.p[0] ? to.text.p[0] : v.text.p[i]);
	return pval_text(buf_str(&b));
}

/* The names of an object's members. */
static value fn_keys(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]);
	if (v.kind != VALUE_JSON || v.json->kind != JSON_OBJECT)
		return NOTHING;
	value *items = arena_array(e->mem, value, v.json->n + 1);
	size_t count = 0;
	for (const json_value *m = v.json->first; m; m = m->next)
		items[count++] = pval_text(m->key);
	return (value){ .kind = VALUE_LIST, .items = items, .n = count };
}

/* The number that a text begins with: 2 of "2 GB". */
static value fn_number(evaluation *e, const expr *const *args, size_t n)
{
	value v = expr_value(e, args[0]);
	size_t end = 0;
	num x;
	if (v.kind != VALUE_TEXT)
		return v;
	str text = str_trim(v.text);
	while (end < text.n && ((text.p[end] >= '0' && text.p[end] <= '9') || text.p[end] == '.'))
		end++;
	if (!num_parse(str_sub(text, 0, end), &x))
		return mistake(e, "\"%.*s\" is no number", STR_ARG(v.text));
	return pval_number(x);
}

static value fn_lookup(evaluation *e, const expr *const *args, size_t n)
{
	value table = expr_value(e, args[0]), key = expr_value(e, args[1]);
	for (size_t i = 0; key.kind == VALUE_TEXT && i < e->tables->n; i++)
		if (str_eq(e->tables->rows[i].table, table.text) && str_glob(e->tables->rows[i].pattern, key.text))
			return pval_text(e->tables->rows[i].value);
	return NOTHING;
}

static value fn_priced(evaluation *e, const expr *const *args, size_t n)
{
	value sku = expr_value(e, args[0]);
	return pval_bool(sku.kind == VALUE_TEXT && book_find(e->book, e->self->region, sku.text, NULL));
}

/* refs("path") of the resource itself, refs(resource, "path") of another. */
static value fn_refs(evaluation *e, const expr *const *args, size_t n)
{
	value of = n == 2 ? pval_at(expr_value(e, args[0]), 0) : NOTHING, path = expr_value(e, args[n - 1]);
	const plan_resource *r = n == 2 ? of.resource : e->self;
	if (!r || path.kind != VALUE_TEXT)
		return NOTHING;
	return plan_refers(e->plan, r, path.text, plan_value(r, path.text));
}

static value fn_ref(evaluation *e, const expr *const *args, size_t n)
{
	return pval_at(fn_refs(e, args, n), 0);
}

/* referrers("aws_lb", "subnet_mapping.*"): resources of a type that refer to this one. */
static value fn_referrers(evaluation *e, const expr *const *args, size_t n)
{
	value type = expr_value(e, args[0]), path = n == 2 ? expr_value(e, args[1]) : pval_text(S("*"));
	return type.kind == VALUE_TEXT && path.kind == VALUE_TEXT
		? plan_referrers(e->plan, e->self, type.text, path.text) : NOTHING;
}

/* Whether that resource refers to this one. */
static value fn_referred(evaluation *e, const expr *const *args, size_t n)
{
	value by = pval_at(expr_value(e, args[0]), 0), all;
	if (by.kind != VALUE_RESOURCE)
		return pval_bool(false);
	all = plan_referrers(e->plan, e->self, by.resource->type, S("*"));
	for (size_t i = 0; i < all.n; i++)
		if (all.items[i].resource == by.resource)
			return pval_bool(true);
	return pval_bool(false);
}

static value fn_address_of(evaluation *e, const expr *const *args, size_t n)
{
	value of = pval_at(expr_value(e, args[0]), 0);
	return of.kind == VALUE_RESOURCE ? pval_text(of.resource->address) : NOTHING;
}

static value fn_type_of(evaluation *e, const expr *const *args, size_t n)
{
	value of = pval_at(expr_value(e, args[0]), 0);
	return of.kind == VALUE_RESOURCE ? pval_text(of.resource->type) : NOTHING;
}

/* usage(resource, "key"): what is told of another resource's usage. */
static value fn_usage(evaluation *e, const expr *const *args, size_t n)
{
	value of = pval_at(expr_value(e, args[0]), 0), key = expr_value(e, args[1]);
	if (of.kind != VALUE_RESOURCE || key.kind != VALUE_TEXT)
		return NOTHING;
	return pval_of_json(plan_usage(e->plan, of.resource, key.text));
}

static value fn_siblings(evaluation *e, const expr *const *args, size_t n)
{
	value type = expr_value(e, args[0]);
	return type.kind == VALUE_TEXT ? plan_siblings(e->plan, e->self, type.text) : NOTHING;
}

static value fn_all(evaluation *e, const expr *const *args, size_t n)
{
	value type = expr_value(e, args[0]);
	return type.kind == VALUE_TEXT ? plan_all(e->plan, type.text) : NOTHING;
}

static const function functions[] = {
	{ "ceil", 1, 1, fn_ceil }, { "floor", 1, 1, fn_floor }, { "max", 1, EXPR_ARGUMENTS, fn_max },
	{ "min", 1, EXPR_ARGUMENTS, fn_min }, { "count", 1, 3, fn_count }, { "sum", 3, 3, fn_sum },
	{ "any", 3, 3, fn_any }, { "first", 1, 3, fn_first }, { "where", 3, 3, fn_where },
	{ "lower", 1, 1, fn_lower }, { "split", 3, 3, fn_split }, { "after", 2, 2, fn_after },
	{ "replace", 3, 3, fn_replace }, { "keys", 1, 1, fn_keys },
	{ "number", 1, 1, fn_number }, { "lookup", 2, 2, fn_lookup }, { "priced", 1, 1, fn_priced },
	{ "ref", 1, 2, fn_ref }, { "refs", 1, 2, fn_refs }, { "referrers", 1, 2, fn_referrers },
	{ "all", 1, 1, fn_all }, { "siblings", 1, 1, fn_siblings },
	{ "referred", 1, 1, fn_referred }, { "usage", 2, 2, fn_usage },
	{ "address_of", 1, 1, fn_address_of }, { "type_of", 1, 1, fn_type_of },
};

const function *expr_function(str name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (str_eq(str_c(functions[i].name), name))
			return &functions[i];
	return NULL;
}
