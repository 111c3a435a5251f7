#include "svc/dynamodb/page.h"

static err no_such_index(req *rq, const ddb_view_params *v)
{
	return v->statement ? fail(rq, &aws_ValidationException, "The table does not have the specified index")
	                    : fail(rq, &aws_ValidationException,
	                           "The table does not have the specified index: %.*s", STR_ARG(v->index_name));
}

static err check_kept(req *rq, ddb_page *p)
{
	for (size_t i = 0; p->project && i < p->project->n; i++) {
		str name = p->project->v[i].v[0].name;
		if (ddb_projects_name(p->t, p->ix, name))
			continue;
		if (p->ix->global)
			return fail(rq, &aws_ValidationException,
			            "One or more parameter values were invalid: Global secondary index %.*s "
			            "does not project [%.*s]", STR_ARG(p->ix->name), STR_ARG(name));
		p->fetch = true;
	}
	return OK;
}

static err check_select(req *rq, const ddb_view_params *v)
{
	const char *parameter = v->expression ? "ProjectionExpression" : "AttributesToGet";
	if (str_eq(v->select, S("SPECIFIC_ATTRIBUTES")) && !v->projection_given)
		return fail(rq, &aws_ValidationException,
		            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
		            "SPECIFIC_ATTRIBUTES");
	if (v->projection_given && str_is(v->select) && !str_eq(v->select, S("SPECIFIC_ATTRIBUTES")))
		return fail(rq, &aws_ValidationException,
		            "Cannot specify the %s when choosing to get %s", parameter,
		            str_eq(v->select, S("COUNT")) ? "only the Count"
		                                          : arena_str(rq->mem, v->select).p);
	if (str_eq(v->select, S("ALL_PROJECTED_ATTRIBUTES")) && !str_is(v->index_name))
		return fail(rq, &aws_ValidationException,
		            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
	return OK;
}

err ddb_page_view(req *rq, const ddb_view_params *v, ddb_page *p)
{
	TRY(check_select(rq, v));
	p->count_only = str_eq(v->select, S("COUNT"));
	p->consistent = v->consistent;
	if (!str_is(v->index_name))
		return OK;
	p->ix = ddb_index_named(p->t, v->index_name);
	if (!p->ix)
		return no_such_index(rq, v);
	if (p->ix->building)
		return fail(rq, &aws_ValidationException, "Cannot read from backfilling global secondary "
		            "index: %.*s", STR_ARG(p->ix->name));
	if (p->ix->global && v->consistent)
		return fail(rq, &aws_ValidationException, "%s",
		            v->statement ? "Strongly consistent read is not supported on Global Secondary Indexes"
		                         : "Consistent reads are not supported on global secondary indexes");
	if (str_eq(v->select, S("ALL_ATTRIBUTES")) && p->ix->projects != PROJECT_ALL) {
		if (p->ix->global)
			return fail(rq, &aws_ValidationException,
			            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is "
			            "not supported for global secondary index %.*s because its projection type "
			            "is not ALL", STR_ARG(p->ix->name));
		p->fetch = true;
	}
	return check_kept(rq, p);
}

/* What is wrong with a number or a set is said without saying where. */
static bool speaks_for_itself(str why)
{
	static const char *const parts[] = { "contains duplicates", "number set", "numeric value",
		                                 "significant digits", "number with magnitude" };
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		if (str_find(why, str_c(parts[i])) != SIZE_MAX)
			return true;
	return false;
}

err ddb_start_values(req *rq, const dynamodb_Key *given, value *key)
{
	str why = wire_map_in(rq->mem, (const dynamodb_AttributeMap *)given, key);
	if (!str_is(why))
		return OK;
	return fail(rq, &aws_ValidationException, "%s%.*s",
	            speaks_for_itself(why) ? "" : "The provided starting key is invalid: ", STR_ARG(why));
}

err ddb_start_index(req *rq, const ddb_page *p, value key)
{
	const ddb_schema s = ddb_schema_of(p->t, p->ix);
	bool good = value_count(key) == value_count(ddb_key_of(rq->mem, p->t, p->ix, key));
	size_t bytes[2] = { 0 }; /* of all hash keys, and of all range keys */
	for (size_t i = 0; i < s.n; i++) {
		if (!good || !value_is(value_member(key, s.v[i].name)))
			return fail(rq, &aws_ValidationException, "The provided starting key is invalid");
		TRY(ddb_key_piece(rq, s.v[i], key, i >= s.hashes));
		bytes[i >= s.hashes] += value_text(value_member(key, s.v[i].name)).n;
	}
	if (bytes[0] > DDB_HASH_BYTES_MAX || bytes[1] > DDB_RANGE_BYTES_MAX)
		return fail(rq, &aws_ValidationException, "The provided starting key is invalid");
	return OK;
}

static str row_of(arena *mem, const ddb_page *p, value key)
{
	str row = ddb_row_key(mem, p->t, key);
	return p->ix ? ddb_index_key(mem, p->t, p->ix, key, row) : row;
}

err ddb_start_row(req *rq, const ddb_page *p, value key, str *row)
{
	const ddb_attr attrs[] = { p->t->hash, p->t->range };
	for (size_t i = 0; i < 2; i++) {
		err bad = str_is(attrs[i].name) ? ddb_key_piece(rq, attrs[i], key, i > 0) : OK;
		if (bad)
			return fail(rq, &aws_ValidationException, "The provided starting key is invalid: %.*s",
			            STR_ARG(bad->message));
	}
	if (!p->ix && value_count(key) != 1u + str_is(p->t->range.name))
		return fail(rq, &aws_ValidationException, "The provided starting key is invalid: The provided key "
		            "element does not match the schema");
	*row = row_of(rq->mem, p, key);
	return OK;
}

static void add_item(req *rq, ddb_page *p, value map_value)
{
	size_t n = p->items.n;
	if (n < 4 ? n == 0 : (n & (n - 1)) == 0) {
		dynamodb_AttributeMap *wider = arena_array(rq->mem, dynamodb_AttributeMap, n ? n * 2 : 4);
		if (n)
			memcpy(wider, p->items.v, n * sizeof *wider);
		p->items.v = wider;
	}
	p->items.v[p->items.n++] = ddb_map_out(rq, map_value);
}

typedef struct page_state {
	value last; /* the row that was read last */
	qty fetched;
} page_state;

/* An item's row counts: filters, then the page. */
static void take(req *rq, const txn *tx, ddb_page *p, page_state *s, ddb_item i)
{
	p->bytes += i.size;
	s->last = i.map;
	p->scanned++;
	if (p->fetch) {
		ddb_item whole = ddb_item_at(tx, ddb_row_key(rq->mem, p->t, i.map));
		s->fetched += ddb_read_units(whole.size, p->consistent);
		i = value_is(whole.map) ? whole : i;
	}
	if (!ddb_holds(p->filter, i))
		return;
	p->count++;
	if (p->count_only)
		return;
	if (p->project)
		i.map = p->flat ? projection_flat(rq->mem, p->project, i.map)
		                : projection_of(rq->mem, p->project, i.map);
	add_item(rq, p, i.map);
}

static void account(req *rq, ddb_page *p, size_t bytes, qty fetched)
{
	ddb_units now = { .table = fetched };
	qty units = ddb_read_units(bytes, p->consistent);
	if (p->ix)
		now.index[p->ix - p->t->indexes] = units;
	else
		now.table += units;
	if (!p->metered)
		ddb_meter_reads(rq, p->t, &now);
	p->units.table += now.table;
	for (size_t i = 0; i < p->t->n_indexes; i++)
		p->units.index[i] += now.index[i];
}

void ddb_page_read(req *rq, const txn *tx, ddb_page *p)
{
	page_state s = { 0 };
	bool more = false;
	size_t before = p->bytes;
	cursor c = txn_scan(tx, p->from, p->to, p->reverse);
	while (!more && cursor_next(&c)) {
		ddb_item i = ddb_item_of_row(c.value);
		if (p->scanned && p->bytes + i.size > DDB_PAGE_BYTES_MAX) {
			more = true;
			break;
		}
		take(rq, tx, p, &s, i);
		more = p->limit && p->scanned == p->limit;
		if (more)
			p->last_row = arena_str(rq->mem, c.key);
	}
	if (more && value_is(s.last)) {
		value key = ddb_key_of(rq->mem, p->t, p->ix, s.last);
		p->last = wire_map_out(rq->mem, key);
		if (!str_is(p->last_row))
			p->last_row = row_of(rq->mem, p, key);
	}
	cursor_close(&c);
	if (!p->count_only && !p->items.v)
		p->items.v = arena_array(rq->mem, dynamodb_AttributeMap, 1);
	account(rq, p, p->bytes - before, s.fetched);
}
