#include "svc/dynamodb/params.h"

err ddb_update_check(req *rq, const ddb_table *t, const update *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (ddb_is_key(t, u->v[i].path.v[0].name))
			return fail(rq, &aws_ValidationException,
			            "One or more parameter values were invalid: Cannot update attribute %.*s. "
			            "This attribute is part of the key", STR_ARG(u->v[i].path.v[0].name));
	for (size_t i = 0; i < u->n; i++)
		TRY(ddb_path_check(rq, t, &u->v[i].path));
	return OK;
}

/* Taking away from what is not there makes no item; an update without actions does. */
static bool only_takes_away(const update *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].kind != UPDATE_REMOVE && u->v[i].kind != UPDATE_DELETE)
			return false;
	return u->n > 0;
}

/* What the record of an update takes beyond what it writes, as AWS has been seen to count: for itself, for
 * each thing written and each taken away, and for an element of a list. */
enum { RECORD_BYTES = 3, WRITTEN_BYTES = 19, TAKEN_BYTES = 2, ELEMENT_BYTES = 1 };

static bool first_on(const update *u, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (path_starts_with(&u->v[k].path, u->v[i].path.v[0].name))
			return false;
	return true;
}

/* UpdateItem holds what it writes and how it says so to the limit, not only the item that comes of it. */
static err check_record(req *rq, const ddb_change *c)
{
	const update *u = &c->update;
	size_t bytes = RECORD_BYTES;
	for (size_t i = 0; i < u->n; i++) {
		const path *p = &u->v[i].path;
		bool writes = u->v[i].kind == UPDATE_SET || u->v[i].kind == UPDATE_ADD;
		bytes += writes ? WRITTEN_BYTES : TAKEN_BYTES;
		for (size_t k = 1; k < p->n && writes; k++)
			bytes += str_is(p->v[k].name) ? 0 : ELEMENT_BYTES;
	}
	if (bytes + c->new.size <= DDB_ITEM_BYTES_MAX)
		return OK;
	for (size_t i = 0; i < u->n; i++) {
		value v = value_member(c->new.map, u->v[i].path.v[0].name);
		if (value_is(v) && first_on(u, i))
			bytes += u->v[i].path.v[0].name.n + value_size(v);
	}
	return bytes <= DDB_ITEM_BYTES_MAX ? OK
	                                   : fail(rq, &aws_ValidationException,
	                                          "Item size to update has exceeded the maximum allowed size");
}

static err make_new(req *rq, const ddb_table *t, ddb_change *c)
{
	value updated;
	if (c->kind == CHANGE_PUT) {
		c->new = c->put;
	} else if (c->kind == CHANGE_UPDATE) {
		TRY(ddb_invalid(rq, update_apply(rq->mem, &c->update, c->old.map, c->key, &updated)));
		if (value_is(c->old.map) || !only_takes_away(&c->update))
			TRY(ddb_item_updated(rq, t, updated, &c->new));
		if (c->alone && value_is(c->new.map))
			TRY(check_record(rq, c));
	}
	return OK;
}

err ddb_change_apply(req *rq, ddb_writer *w, ddb_change *c)
{
	const ddb_table *t = w->t;
	str key = ddb_row_key(rq->mem, t, c->kind == CHANGE_PUT ? c->put.map : c->key);
	c->old = ddb_item_copy(rq->mem, ddb_item_at(w->tx, key));
	c->new = (ddb_item){ STR_NONE, 0 };
	c->failed = !ddb_holds(c->condition, c->old);
	if (c->failed || c->kind == CHANGE_CHECK) {
		/* A condition that fails costs what the write of the item would have. */
		size_t put = c->kind == CHANGE_PUT ? c->put.size : 0;
		w->units.table += ddb_write_units(put > c->old.size ? put : c->old.size);
		return OK;
	}
	TRY(make_new(rq, t, c));
	if (value_is(c->new.map))
		TRY(ddb_collection_check(rq, w, c->new.map, c->old, c->new));
	if (value_is(c->old.map) || value_is(c->new.map))
		ddb_write(w, key, c->old, c->new);
	else
		w->units.table += ddb_write_units(0);
	return OK;
}

dynamodb_AttributeMap ddb_map_out(req *rq, value v)
{
	if (rq->http && rq->codec && rq->codec->protocol == PROTOCOL_JSON)
		return wire_map_text(rq->mem, v);
	return wire_map_out(rq->mem, arena_str(rq->mem, v));
}

dynamodb_AttributeMap ddb_returned(req *rq, const ddb_change *c, str wanted)
{
	ddb_item i = str_ends(wanted, S("OLD")) ? c->old : c->new;
	dynamodb_AttributeMap none = { 0 };
	if (!str_is(wanted) || str_eq(wanted, S("NONE")) || !value_is(i.map))
		return none;
	if (str_starts(wanted, S("ALL_")))
		return ddb_map_out(rq, i.map);
	projection p = { arena_array(rq->mem, path, c->update.n + 1), c->update.n };
	for (size_t k = 0; k < p.n; k++)
		p.v[k] = c->update.v[k].path;
	value kept = projection_of(rq->mem, &p, i.map);
	return value_count(kept) ? ddb_map_out(rq, kept) : none;
}

err ddb_check_failed(req *rq, str return_values, ddb_item old)
{
	dynamodb_ConditionalCheckFailedException_error *detail =
		arena_new(rq->mem, dynamodb_ConditionalCheckFailedException_error);
	if (str_eq(return_values, S("ALL_OLD")) && value_is(old.map))
		detail->Item = ddb_map_out(rq, old.map);
	return fail_with(rq, &dynamodb_ConditionalCheckFailedException, detail,
	                 "The conditional request failed");
}
