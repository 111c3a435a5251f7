#include "svc/dynamodb/partiql_plan.h"
#include "svc/dynamodb/usage.h"

#define CONJUNCTS_MAX 1100 /* a statement has 8,192 characters, a condition no less than 8 */
#define BAD_TOKEN "Given NextToken is not valid for the statement"

err ddb_statement_in(req *rq, str text, const dynamodb_PreparedStatementParameters *parameters, partiql *out)
{
	value *values = arena_array(rq->mem, value, parameters->n + 1);
	for (size_t i = 0; i < parameters->n; i++)
		TRY(ddb_invalid(rq, wire_value_in(rq->mem, &parameters->v[i], &values[i])));
	return ddb_invalid(rq, partiql_parse(rq->mem, text, values, parameters->n, out));
}

/* The conditions that must all hold. */
typedef struct conjuncts {
	const expr *v[CONJUNCTS_MAX];
	size_t n;
} conjuncts;

static void flatten(const expr *e, conjuncts *out)
{
	if (e && e->kind == EXPR_AND)
		for (size_t i = 0; i < e->n; i++)
			flatten(e->args[i], out);
	else if (e && out->n < CONJUNCTS_MAX)
		out->v[out->n++] = e;
}

static bool is_attribute(const expr *e, ddb_attr a)
{
	return e->kind == EXPR_PATH && e->path.n == 1 && str_is(a.name) && str_eq(e->path.v[0].name, a.name);
}

/* `a = value`, either way round. */
static bool equality(const expr *e, ddb_attr a, value *v)
{
	for (size_t i = 0; e->kind == EXPR_COMPARE && str_eq(e->text, S("=")) && i < 2; i++) {
		if (!is_attribute(e->args[i], a) || e->args[1 - i]->kind != EXPR_VALUE)
			continue;
		*v = e->args[1 - i]->value;
		return true;
	}
	return false;
}

static err check_type(req *rq, ddb_attr a, value v)
{
	if (value_tag_of(v) == a.type)
		return OK;
	return fail(
		rq, &aws_ValidationException,
		"One or more parameter values were invalid: Condition parameter type does not match schema type");
}

/* a IN [values] */
static err several(req *rq, const expr *e, ddb_attr a, value *out, size_t *n)
{
	bool fits = e->kind == EXPR_IN && is_attribute(e->args[0], a);
	for (size_t i = 1; fits && i < e->n; i++)
		fits = e->args[i]->kind == EXPR_VALUE;
	for (size_t i = 1; fits && i < e->n; i++) {
		bool twice = false;
		TRY(check_type(rq, a, e->args[i]->value));
		for (size_t k = 0; k < *n; k++)
			twice |= value_eq(out[k], e->args[i]->value);
		if (!twice)
			out[(*n)++] = e->args[i]->value;
	}
	return OK;
}

/* A condition that bounds the sort key, or NULL. */
static const expr *bound(arena *mem, const expr *e, ddb_attr a)
{
	bool compare = e->kind == EXPR_COMPARE && !str_eq(e->text, S("<>"));
	bool begins = e->kind == EXPR_CALL && str_eq(e->text, S("begins_with")) && a.type != VALUE_N;
	if (compare)
		e = ddb_attribute_first(mem, e);
	else if (!begins && e->kind != EXPR_BETWEEN)
		return NULL;
	if (!is_attribute(e->args[0], a))
		return NULL;
	for (size_t i = 1; i < e->n; i++)
		if (e->args[i]->kind != EXPR_VALUE || value_tag_of(e->args[i]->value) != a.type)
			return NULL;
	return e;
}

static err order_in(req *rq, ddb_select *q, const ddb_schema *key)
{
	const partiql *s = q->s;
	if (!str_is(s->order))
		return OK;
	if (!s->where)
		return fail(rq, &aws_ValidationException,
		            "Must have WHERE clause in the statement when using ORDER BY clause.");
	if (q->n != 1)
		return fail(rq, &aws_ValidationException,
		            "Must have at least one non-optional hash key condition in WHERE "
		            "clause when using ORDER BY clause.");
	if (!ddb_schema_has(key, s->order))
		return fail(rq, &aws_ValidationException,
		            "Variable reference %.*s in ORDER BY clause must be part of the primary key",
		            STR_ARG(s->order));
	q->page.reverse = s->descending && key->n > key->hashes && str_eq(s->order, key->v[key->hashes].name);
	return OK;
}

/* Where several attributes choose the partition, WHERE names one when each is said to equal a value. */
static err joined_keys(req *rq, ddb_select *q, const conjuncts *all, const ddb_schema *s)
{
	value v[DDB_KEY_PARTS_MAX] = { STR_NONE };
	size_t found = 0;
	for (size_t k = 0; k < s->hashes; k++)
		for (size_t i = 0; i < all->n && !value_is(v[k]); i++) {
			if (!equality(all->v[i], s->v[k], &v[k]))
				continue;
			TRY(check_type(rq, s->v[k], v[k]));
			found++;
		}
	if (found < s->hashes)
		return OK;
	q->partitions = arena_new(rq->mem, str);
	q->partitions[q->n++] = ddb_partition_text(rq->mem, v, s->hashes);
	return OK;
}

static err single_keys(req *rq, ddb_select *q, const conjuncts *all, ddb_attr hash)
{
	value v, *hashes = NULL;
	for (size_t i = 0; i < all->n && !q->n; i++) {
		if (all->v[i]->kind == EXPR_IN)
			hashes = arena_array(rq->mem, value, all->v[i]->n);
		if (all->v[i]->kind == EXPR_IN)
			TRY(several(rq, all->v[i], hash, hashes, &q->n));
		if (!equality(all->v[i], hash, &v))
			continue;
		TRY(check_type(rq, hash, v));
		hashes = arena_new(rq->mem, value);
		hashes[q->n++] = v;
	}
	q->partitions = arena_array(rq->mem, str, q->n + 1);
	for (size_t i = 0; i < q->n; i++)
		q->partitions[i] = value_text(hashes[i]);
	return OK;
}

static err keys_of(req *rq, ddb_select *q, const ddb_schema *s)
{
	conjuncts all = { .n = 0 };
	const ddb_attr range = s->n > s->hashes ? s->v[s->hashes] : (ddb_attr){ STR_NONE, VALUE_NONE };
	flatten(q->s->where, &all);
	TRY(s->hashes > 1 ? joined_keys(rq, q, &all, s) : single_keys(rq, q, &all, s->v[0]));
	for (size_t i = 0; i < all.n && str_is(range.name) && !q->range; i++)
		q->range = bound(rq->mem, all.v[i], range);
	bool one = q->range && q->range->kind == EXPR_COMPARE && str_eq(q->range->text, S("="));
	q->whole_key = q->n == 1 && !q->page.ix && (one || !str_is(range.name));
	return OK;
}

static bool nested(const projection *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].n > 1)
			return true;
	return false;
}

static void unprojected(const ddb_page *p, const expr *e, buf *names)
{
	if (e->kind == EXPR_PATH && !ddb_projects_name(p->t, p->ix, e->path.v[0].name)) {
		buf_put(names, names->n ? S(", ") : S(""));
		buf_put(names, e->path.v[0].name);
	}
	for (size_t i = 0; i < e->n; i++)
		unprojected(p, e->args[i], names);
}

/* A read by an index's key is refused conditions on what the index has not; a scan finds that they fail. */
static err check_filter(req *rq, const ddb_select *q)
{
	const ddb_page *p = &q->page;
	buf names = buf_in(rq->mem, 64, 1 << 16);
	if (p->ix && q->n)
		unprojected(p, q->s->where, &names);
	return names.n ? fail(rq, &aws_ValidationException,
	                      "One or more parameter values were invalid: Secondary index %.*s does not project "
	                      "one or more filter attributes: [%.*s]", STR_ARG(p->ix->name),
	                      STR_ARG(buf_str(&names)))
	               : OK;
}

err ddb_select_plan(req *rq, const txn *tx, const partiql *s, bool consistent, ddb_select *out)
{
	ddb_table *t;
	*out = (ddb_select){ .s = s };
	ddb_page *p = &out->page;
	const ddb_view_params view = { .index_name = s->index, .consistent = consistent,
		                           .projection_given = s->project.n > 0, .expression = true,
		                           .statement = true };
	TRY(ddb_open(rq, tx, s->table, &t));
	p->t = t;
	p->project = s->project.n ? &s->project : NULL;
	p->filter = s->where;
	p->flat = nested(&s->project);
	TRY(ddb_page_view(rq, &view, p));
	const ddb_schema key = ddb_schema_of(t, p->ix);
	TRY(keys_of(rq, out, &key));
	TRY(check_filter(rq, out));
	return order_in(rq, out, &key);
}

/* Where the rows of part i of the statement lie. */
static void aim(req *rq, ddb_select *q, size_t i)
{
	ddb_page *p = &q->page;
	if (q->n) {
		ddb_page_range(rq, p, q->partitions[i], &q->range, q->range != NULL);
		return;
	}
	p->from = ddb_index_prefix(rq->mem, p->t->id, p->ix ? p->ix->id : 0);
	p->to = key_after_prefix(rq->mem, p->from);
}

/* A position is the part's number, a blank, and the last row that was read. */
static err resume(req *rq, ddb_select *q, str position, size_t *part)
{
	int64_t i;
	str row = position, number_text = str_cut(&row, ' ');
	ddb_page *p = &q->page;
	if (!str_to_i64(number_text, &i) || i < 0 || (size_t)i >= (q->n ? q->n : 1))
		return fail(rq, &aws_ValidationException, BAD_TOKEN);
	*part = (size_t)i;
	aim(rq, q, *part);
	if (str_cmp(row, p->from) < 0 || str_cmp(row, p->to) >= 0)
		return fail(rq, &aws_ValidationException, BAD_TOKEN);
	if (p->reverse)
		p->to = row;
	else
		p->from = arena_concat(rq->mem, row, str_of("\0", 1));
	return OK;
}

err ddb_select_read(req *rq, const txn *tx, ddb_select *q, str position, str *next)
{
	size_t part = 0, parts = q->n ? q->n : 1;
	TRY(ddb_admit_read(rq, q->page.t, q->page.ix));
	if (str_is(position))
		TRY(resume(rq, q, position, &part));
	else
		aim(rq, q, part);
	ddb_page_read(rq, tx, &q->page);
	while (!q->page.last.v && ++part < parts) {
		aim(rq, q, part);
		ddb_page_read(rq, tx, &q->page);
	}
	*next = STR_NONE;
	if (q->page.last.v)
		*next = arena_concat(rq->mem, arena_fmt(rq->mem, "%zu ", part), q->page.last_row);
	return OK;
}

static expr *node(arena *mem, expr_kind kind, const char *text, size_t n)
{
	expr *e = arena_new(mem, expr);
	*e = (expr){ .kind = kind, .text = str_c(text), .args = arena_array(mem, expr *, n + 1), .n = n };
	return e;
}

/* attribute_exists(partition key), or that it does not. */
static expr *presence(arena *mem, const ddb_table *t, bool there)
{
	expr *e = node(mem, EXPR_CALL, there ? "attribute_exists" : "attribute_not_exists", 1);
	e->args[0] = node(mem, EXPR_PATH, "", 0);
	e->args[0]->path.v = arena_new(mem, path_part);
	e->args[0]->path.v[0].name = t->hash.name;
	e->args[0]->path.n = 1;
	return e;
}

static void put_key(buf *b, ddb_attr a, value v)
{
	value_put_name(b, a.name);
	buf_put(b, v);
}

/* The key that WHERE gives, and what else it demands. */
static err key_of(req *rq, const ddb_table *t, const partiql *s, ddb_change *c, expr *rest)
{
	conjuncts all = { .n = 0 };
	value hash = STR_NONE, range = STR_NONE, v;
	bool ranged = str_is(t->range.name);
	flatten(s->where, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (!value_is(hash) && equality(all.v[i], t->hash, &v))
			hash = v;
		else if (ranged && !value_is(range) && equality(all.v[i], t->range, &v))
			range = v;
		else
			rest->args[rest->n++] = (expr *)(uintptr_t)all.v[i];
	}
	if (!value_is(hash) || (ranged && !value_is(range)))
		return fail(rq, &aws_ValidationException,
		            "Where clause does not contain a mandatory equality on all key attributes");
	buf b = buf_in(rq->mem, 128, 1 << 16);
	size_t begun = value_begin(&b, VALUE_M, 1u + ranged);
	put_key(&b, t->hash, hash);
	if (ranged)
		put_key(&b, t->range, range);
	value_end(&b, begun);
	if (b.full)
		return fail(rq, &aws_ValidationException, "The provided key element does not match the schema");
	c->key = buf_str(&b);
	return ddb_key_check(rq, t, c->key);
}

static err insert_of(req *rq, const ddb_table *t, const partiql *s, ddb_change *c)
{
	c->kind = CHANGE_PUT;
	c->key = s->item;
	c->condition = presence(rq->mem, t, false);
	if (value_depth(s->item) > VALUE_DEPTH_MAX + 1)
		return fail(rq, &aws_ValidationException, VALUE_TOO_DEEP);
	TRY(ddb_item_sized(rq, s->item, &c->put));
	return ddb_item_check(rq, t, s->item);
}

err ddb_statement_change(req *rq, const ddb_table *t, const partiql *s, ddb_change *c)
{
	*c = (ddb_change){ .kind = CHANGE_DELETE, .update = s->update };
	if (str_is(s->index))
		return fail(rq, &aws_ValidationException, "Statements that write cannot name an index");
	if (s->kind == PARTIQL_INSERT)
		return insert_of(rq, t, s, c);
	expr *all = node(rq->mem, EXPR_AND, "AND", CONJUNCTS_MAX + 1);
	all->n = 0;
	if (s->kind != PARTIQL_DELETE)
		all->args[all->n++] = presence(rq->mem, t, true);
	TRY(key_of(rq, t, s, c, all));
	c->condition = all->n ? all : NULL;
	if (s->kind == PARTIQL_UPDATE)
		c->kind = CHANGE_UPDATE;
	else if (s->kind == PARTIQL_EXISTS)
		c->kind = CHANGE_CHECK;
	return s->kind == PARTIQL_UPDATE ? ddb_update_check(rq, t, &c->update) : OK;
}

err ddb_statement_failed(req *rq, const partiql *s, str return_values, ddb_item old)
{
	if (s->kind == PARTIQL_INSERT)
		return fail(rq, &dynamodb_DuplicateItemException, "Duplicate primary key exists in table");
	return ddb_check_failed(rq, return_values, old);
}

str ddb_statement_returning(const partiql *s)
{
	static const str words[] = { [RETURNING_ALL_OLD] = S("ALL_OLD"), [RETURNING_ALL_NEW] = S("ALL_NEW"),
		                         [RETURNING_MODIFIED_OLD] = S("UPDATED_OLD"),
		                         [RETURNING_MODIFIED_NEW] = S("UPDATED_NEW") };
	return s->returning ? words[s->returning] : STR_NONE;
}
