#include "base/map.h"
#include "svc/dynamodb/expr_inside.h"

void check_fault(checker *c, fault_rank rank, const char *format, ...)
{
	va_list args;
	if (str_is(c->faults[rank]))
		return;
	va_start(args, format);
	c->faults[rank] = arena_vfmt(c->env->mem, format, args);
	va_end(args);
}

str check_result(const checker *c, const char *what)
{
	for (int i = 0; i < RANKS; i++)
		if (str_is(c->faults[i]))
			return arena_fmt(c->env->mem, "Invalid %s: %.*s", what, STR_ARG(c->faults[i]));
	return STR_NONE;
}

static expr_ref *find_ref(expr_env *env, str key)
{
	bool name = key.n && *key.p == '#';
	expr_ref *refs = name ? env->names : env->values;
	size_t n = name ? env->n_names : env->n_values;
	if (env->by_key)
		return map_get(env->by_key, key);
	for (size_t i = 0; i < n; i++)
		if (str_eq(refs[i].key, key))
			return &refs[i];
	return NULL;
}

void check_path(checker *c, path *p)
{
	for (size_t i = 0; i < p->n; i++) {
		path_part *part = &p->v[i];
		if (!str_is(part->name))
			continue;
		if (*part->name.p != '#') {
			if (reserved_word(part->name))
				check_fault(c, RANK_RESERVED,
				            "Attribute name is a reserved keyword; reserved keyword: %.*s",
				            STR_ARG(part->name));
			continue;
		}
		expr_ref *ref = find_ref(c->env, part->name);
		if (!ref) {
			check_fault(c, RANK_REFERENCE,
			            "An expression attribute name used in the document path is not "
			            "defined; attribute name: %.*s", STR_ARG(part->name));
			continue;
		}
		ref->used = true;
		part->name = ref->name;
	}
}

static void check_value(checker *c, expr *e)
{
	expr_ref *ref = find_ref(c->env, e->text);
	if (!ref) {
		check_fault(c, RANK_REFERENCE,
		            "An expression attribute value used in expression is not defined; attribute "
		            "value: %.*s", STR_ARG(e->text));
		return;
	}
	ref->used = true;
	e->value = ref->value;
}

str path_text(arena *mem, const path *p)
{
	buf b = buf_in(mem, 64, 1 << 20);
	buf_c(&b, '[');
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_put(&b, S(", "));
		if (str_is(p->v[i].name))
			buf_put(&b, p->v[i].name);
		else
			buf_fmt(&b, "[%u]", p->v[i].index);
	}
	buf_c(&b, ']');
	return buf_str(&b);
}

static bool parts_eq(path_part a, path_part b)
{
	return str_is(a.name) == str_is(b.name) &&
	       (str_is(a.name) ? str_eq(a.name, b.name) : a.index == b.index);
}

static bool paths_eq(const path *a, const path *b)
{
	size_t i = 0;
	while (i < a->n && i < b->n && parts_eq(a->v[i], b->v[i]))
		i++;
	return i == a->n && i == b->n;
}

static void check_pair(checker *c, const path *a, const path *b)
{
	size_t i = 0, shorter = a->n < b->n ? a->n : b->n;
	while (i < shorter && parts_eq(a->v[i], b->v[i]))
		i++;
	bool overlap = i == shorter;
	if (!overlap && str_is(a->v[i].name) == str_is(b->v[i].name))
		return;
	check_fault(c, overlap ? RANK_OVERLAP : RANK_CONFLICT,
	            "Two document paths %s with each other; must remove or rewrite one of these paths; "
	            "path one: %.*s, path two: %.*s", overlap ? "overlap" : "conflict",
	            STR_ARG(path_text(c->env->mem, a)), STR_ARG(path_text(c->env->mem, b)));
}

void check_paths_apart(checker *c, const path *const *paths, size_t n)
{
	for (size_t i = 1; i < n && !str_is(c->faults[RANK_OVERLAP]); i++)
		for (size_t k = 0; k < i && !str_is(c->faults[RANK_OVERLAP]); k++)
			check_pair(c, paths[k], paths[i]);
}

/* The type an operand has whatever the item: of a value, or what a function yields. */
static const char *type_of(const expr *e)
{
	if (e->kind == EXPR_VALUE)
		return value_is(e->value) ? value_type(value_tag_of(e->value)) : NULL;
	if (e->kind == EXPR_CALL)
		return str_eq(e->text, S("size")) ? "N" : str_eq(e->text, S("list_append")) ? "L" : NULL;
	return NULL;
}

static void operand_type(checker *c, str operator, const char *type)
{
	check_fault(c, RANK_FUNCTION,
	            "Incorrect operand type for operator or function; operator or function: %.*s, "
	            "operand type: %s", STR_ARG(operator), type);
}

static bool type_among(const char *type, const char *const *types)
{
	for (; *types; types++)
		if (strcmp(type, *types) == 0)
			return true;
	return false;
}

/* Refuses operands whose type is known and not among these. */
static void want_types(checker *c, const expr *e, const char *const *types)
{
	for (size_t i = 0; i < e->n; i++) {
		const char *type = type_of(e->args[i]);
		if (type && !type_among(type, types))
			operand_type(c, e->text, type);
	}
}

static void check_distinct(checker *c, const expr *e)
{
	if (e->n < 2 || e->args[0]->kind != EXPR_PATH)
		return;
	for (size_t i = 1; i < e->n; i++)
		if (e->args[i]->kind == EXPR_PATH && paths_eq(&e->args[0]->path, &e->args[i]->path))
			check_fault(c, RANK_DISTINCT,
			            "The first operand must be distinct from the remaining operands for this "
			            "operator or function; operator: %.*s, first operand: %.*s",
			            STR_ARG(e->text), STR_ARG(path_text(c->env->mem, &e->args[0]->path)));
}

typedef struct function {
	const char *name;
	size_t operands;
	bool update;  /* of update expressions, not of conditions */
	bool operand; /* may stand where a value does; others are conditions */
} function;

static const function functions[] = {
	{ "attribute_exists", 1, false, false }, { "attribute_not_exists", 1, false, false },
	{ "attribute_type", 2, false, false },   { "begins_with", 2, false, false },
	{ "contains", 2, false, false },         { "size", 1, false, true },
	{ "if_not_exists", 2, true, true },      { "list_append", 2, true, true },
};

static const function *function_named(str name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (str_eq(name, str_c(functions[i].name)))
			return &functions[i];
	return NULL;
}

static void check_attribute_type(checker *c, const expr *e)
{
	static const char all[] = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";
	const char *type = type_of(e->args[1]);
	str named = value_text(e->args[1]->value);
	if (e->args[1]->kind != EXPR_VALUE)
		operand_type(c, e->text, type ? type : all);
	else if (type && strcmp(type, "S") != 0)
		operand_type(c, e->text, type);
	else if (type && !value_tag_named(named))
		check_fault(c, RANK_FUNCTION,
		            "Invalid attribute type name found; type: %.*s, valid types: "
		            "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}", STR_ARG(named));
}

static void check_call_types(checker *c, const expr *e)
{
	static const char *const texts[] = { "S", "B", NULL }, *const lists[] = { "L", NULL };
	static const char *const sized[] = { "S", "B", "SS", "NS", "BS", "L", "M", NULL };
	char first = *e->text.p;
	if (str_ends(e->text, S("_exists")) && e->args[0]->kind != EXPR_PATH)
		check_fault(c, RANK_FUNCTION,
		            "Operator or function requires a document path; operator or function: %.*s",
		            STR_ARG(e->text));
	else if (first == 'b')
		want_types(c, e, texts);
	else if (first == 's')
		want_types(c, e, sized);
	else if (first == 'l')
		want_types(c, e, lists);
	else if (str_eq(e->text, S("attribute_type")))
		check_attribute_type(c, e);
}

/* Whether the function may stand where it does: as a condition or as an operand. */
static void check_call(checker *c, const expr *e, bool as_operand)
{
	const function *f = function_named(e->text);
	if (!f) {
		check_fault(c, RANK_UNKNOWN_FUNCTION, "Invalid function name; function: %.*s",
		            STR_ARG(e->text));
	} else if (f->update != c->update) {
		check_fault(c, RANK_UNKNOWN_FUNCTION,
		            "The function is not allowed in %s expression; function: %.*s",
		            c->update ? "an update" : "a condition", STR_ARG(e->text));
	} else if (f->operand != as_operand) {
		check_fault(c, RANK_MISUSED_FUNCTION,
		            "The function is not allowed to be used this way in an expression; "
		            "function: %.*s", STR_ARG(e->text));
	} else if (e->n != f->operands) {
		check_fault(c, RANK_OPERANDS,
		            "Incorrect number of operands for operator or function; operator or function: "
		            "%.*s, number of operands: %zu", STR_ARG(e->text), e->n);
	} else {
		if (!c->update)
			check_distinct(c, e);
		check_call_types(c, e);
	}
}

static str bound_text(arena *mem, value v)
{
	str text = value_tag_of(v) == VALUE_B ? S("java.nio.HeapByteBuffer") : value_text(v);
	return arena_fmt(mem, "AttributeValue: {%s:%.*s}", value_type(value_tag_of(v)), STR_ARG(text));
}

static void check_between(checker *c, const expr *e)
{
	int order;
	value low = e->args[1]->value, high = e->args[2]->value;
	if (!value_is(low) || !value_is(high))
		return;
	bool same = value_tag_of(low) == value_tag_of(high);
	if (same && (!value_cmp(low, high, &order) || order <= 0))
		return;
	check_fault(c, RANK_FUNCTION,
	            "The BETWEEN operator requires %s; lower bound operand: %.*s, upper bound operand: "
	            "%.*s", same ? "upper bound to be greater than or equal to lower bound"
	                         : "same data type for lower and upper bounds",
	            STR_ARG(bound_text(c->env->mem, low)), STR_ARG(bound_text(c->env->mem, high)));
}

static void check_operator(checker *c, const expr *e)
{
	static const char *const ordered[] = { "S", "N", "B", NULL };
	static const char *const numbers[] = { "N", NULL };
	if (e->kind == EXPR_COMPARE)
		check_distinct(c, e);
	if (e->kind == EXPR_COMPARE && !str_eq(e->text, S("=")) && !str_eq(e->text, S("<>")))
		want_types(c, e, ordered);
	if (e->kind == EXPR_PLUS || e->kind == EXPR_MINUS)
		want_types(c, e, numbers);
	if (e->kind == EXPR_BETWEEN) {
		want_types(c, e, ordered);
		check_between(c, e);
	}
	if (e->kind == EXPR_IN && e->n - 1 > EXPR_OPERANDS_MAX)
		check_fault(c, RANK_FUNCTION,
		            "The IN operator is provided with too many operands; number of operands: %zu",
		            e->n - 1);
}

static void check_expr(checker *c, expr *e, bool as_operand)
{
	if (e->kind == EXPR_PATH) {
		check_path(c, &e->path);
		return;
	}
	if (e->kind == EXPR_VALUE) {
		check_value(c, e);
		return;
	}
	bool logic = e->kind == EXPR_AND || e->kind == EXPR_OR || e->kind == EXPR_NOT;
	for (size_t i = 0; i < e->n; i++) {
		check_expr(c, e->args[i], !logic);
		if (c->update && e->kind == EXPR_CALL && e->args[i]->kind == EXPR_CALL &&
		    str_eq(e->args[i]->text, S("list_append")))
			check_fault(c, RANK_MISUSED_FUNCTION,
			            "The function is not allowed to be used this way in an expression; "
			            "function: list_append");
	}
	if (e->kind == EXPR_CALL)
		check_call(c, e, as_operand);
	else if (!logic)
		check_operator(c, e);
}

void check_condition(checker *c, expr *e)
{
	check_expr(c, e, false);
}

/* ADD takes numbers and sets, DELETE sets. */
static void check_add_delete(checker *c, const update_action *a)
{
	static const char *const names[] = { "", "STRING", "NUMBER", "BINARY", "", "", "", "MAP",
		                                 "LIST", "NULL", "BOOLEAN", "BOOLEAN" };
	value_tag tag = value_tag_of(a->operand->value);
	if (*names[tag] && !(a->kind == UPDATE_ADD && tag == VALUE_N))
		check_fault(c, RANK_FUNCTION,
		            "Incorrect operand type for operator or function; operator: %s, operand type: "
		            "%s", a->kind == UPDATE_ADD ? "ADD" : "DELETE", names[tag]);
}

void check_update(checker *c, update *u)
{
	const path **paths = arena_array(c->env->mem, const path *, u->n + 1);
	for (size_t i = 0; i < u->n; i++) {
		update_action *a = &u->v[i];
		check_path(c, &a->path);
		paths[i] = &a->path;
		if (a->operand)
			check_expr(c, a->operand, true);
		if (a->kind == UPDATE_ADD || a->kind == UPDATE_DELETE)
			check_add_delete(c, a);
	}
	check_paths_apart(c, paths, u->n);
}

static void list_unused(buf *b, const expr_ref *refs, size_t n)
{
	const char *between = "";
	for (size_t i = 0; i < n; i++) {
		if (refs[i].used)
			continue;
		buf_put(b, str_c(between));
		buf_put(b, refs[i].key);
		between = ", ";
	}
	buf_c(b, '}');
}

static bool all_used(const expr_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!refs[i].used)
			return false;
	return true;
}

str expr_unused(const expr_env *env)
{
	bool names = all_used(env->names, env->n_names);
	if (names && all_used(env->values, env->n_values))
		return STR_NONE;
	buf b = buf_in(env->mem, 256, 1 << 20);
	buf_fmt(&b, "Value provided in ExpressionAttribute%s unused in expressions: keys: {",
	        names ? "Values" : "Names");
	if (names)
		list_unused(&b, env->values, env->n_values);
	else
		list_unused(&b, env->names, env->n_names);
	return buf_str(&b);
}
