#include "base/map.h"
#include "base/time.h"
#include "ce.h"
#include "cloud/charges_tags.h"
#include <stdlib.h>

/* What resources are tagged with, and which of that the account wants to see as dimensions of its costs. */

typedef struct seen_tag {
	str key;
	int64_t used;  /* the last hour in which a look found it */
} seen_tag;

typedef struct seen {
	arena *mem;
	map by_key;
	seen_tag **v;
	size_t n, capacity;
} seen;

static void see(void *context, int64_t hour, str key, str value)
{
	seen *s = context;
	(void)value;
	seen_tag *t = map_get(&s->by_key, key);
	if (!t) {
		t = arena_new(s->mem, seen_tag);
		*t = (seen_tag){ .key = arena_str(s->mem, key) };
		map_put(&s->by_key, t->key, t);
		if (s->n == s->capacity) {
			s->capacity = s->capacity ? 2 * s->capacity : 32;
			seen_tag **v = arena_array(s->mem, seen_tag *, s->capacity);
			if (s->n)
				memcpy(v, s->v, s->n * sizeof *v);
			s->v = v;
		}
		s->v[s->n++] = t;
	}
	t->used = hour > t->used ? hour : t->used;
}

static int by_key(const void *a, const void *b)
{
	return str_cmp((*(seen_tag *const *)a)->key, (*(seen_tag *const *)b)->key);
}

static seen seen_of(req *rq, const txn *tx)
{
	seen s = { .mem = rq->mem, .by_key = map_in(rq->mem, 32) };
	charges_tags_each(tx, rq->mem, rq->who.account, see, &s);
	if (s.n)
		qsort(s.v, s.n, sizeof *s.v, by_key);
	return s;
}

bool ce_tag_active(req *rq, const txn *tx, str key)
{
	ce_costtag *row = ce_costtag_get(tx, rq->mem, rq->who.account, key);
	return row && str_eq(row->Status, ce_CostAllocationTagStatus_Active);
}

static bool wanted(const ce_ListCostAllocationTags_in *in, const ce_CostAllocationTag *t)
{
	if (str_is(in->Status) && !str_eq(in->Status, t->Status))
		return false;
	if (str_is(in->Type) && !str_eq(in->Type, t->Type))
		return false;
	for (size_t i = 0; i < in->TagKeys.n; i++)
		if (str_eq(in->TagKeys.v[i], t->TagKey))
			return true;
	return in->TagKeys.n == 0;
}

static str second_text(req *rq, int64_t ms)
{
	return time_iso(rq->mem, ms / MS_SECOND * MS_SECOND);
}

static ce_CostAllocationTag tag_of(req *rq, const txn *tx, const seen_tag *s)
{
	ce_costtag *row = ce_costtag_get(tx, rq->mem, rq->who.account, s->key);
	ce_CostAllocationTag t = { .TagKey = s->key, .Type = ce_CostAllocationTagType_UserDefined,
		                       .Status = row ? row->Status : ce_CostAllocationTagStatus_Inactive,
		                       .LastUsedDate = second_text(rq, s->used) };
	if (row)
		t.LastUpdatedDate = second_text(rq, row->Updated);
	if (str_starts(s->key, S("aws:")))
		t.Type = ce_CostAllocationTagType_AWSGenerated;
	return t;
}

err ce_ListCostAllocationTags(req *rq, const ce_ListCostAllocationTags_in *in,
                              ce_ListCostAllocationTags_out *out)
{
	str after = S("");
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : CE_TAGS_PAGE;
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->NextToken.n && !page_position(rq, in->NextToken, &after))
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	TRY(charges_tags_look(rq->store, rq->who.account));
	const txn *tx = req_read(rq);
	seen all = seen_of(rq, tx);
	ce_CostAllocationTagList *list = &out->CostAllocationTags;
	list->v = arena_array(rq->mem, ce_CostAllocationTag, most + 1);
	for (size_t i = 0; i < all.n && !str_is(out->NextToken); i++) {
		ce_CostAllocationTag t = tag_of(rq, tx, all.v[i]);
		if ((after.n && str_cmp(t.TagKey, after) <= 0) || !wanted(in, &t))
			continue;
		if (list->n == most)
			out->NextToken = page_token(rq, list->v[list->n - 1].TagKey);
		else
			list->v[list->n++] = t;
	}
	req_read_end(rq, tx);
	return OK;
}

typedef struct update {
	const ce_UpdateCostAllocationTagsStatus_in *in;
	ce_UpdateCostAllocationTagsStatus_out *out;
	seen known;
} update;

static err write_update(req *rq, txn *tx, void *context)
{
	update *u = context;
	ce_UpdateCostAllocationTagsStatusErrors *errors = &u->out->Errors;
	const ce_CostAllocationTagStatusList *list = &u->in->CostAllocationTagsStatus;
	errors->v = arena_array(rq->mem, ce_UpdateCostAllocationTagsStatusError, list->n);
	errors->n = 0;
	for (size_t i = 0; i < list->n; i++) {
		str key = list->v[i].TagKey;
		if (!map_get(&u->known.by_key, key)) {
			errors->v[errors->n++] = (ce_UpdateCostAllocationTagsStatusError){
				.TagKey = key, .Code = S("TagKeysNotFoundException"),
				.Message = S("Tag keys not found: no resource in use has had this tag") };
			continue;
		}
		ce_costtag row = { .Account = rq->who.account, .Key = key, .Status = list->v[i].Status,
			               .Updated = rq->now };
		ce_costtag_put(tx, &row);
	}
	charges_tags_watch(tx, rq->who.account);
	return OK;
}

err ce_UpdateCostAllocationTagsStatus(req *rq, const ce_UpdateCostAllocationTagsStatus_in *in,
                                      ce_UpdateCostAllocationTagsStatus_out *out)
{
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(charges_tags_look(rq->store, rq->who.account));
	const txn *tx = req_read(rq);
	update u = { in, out, seen_of(rq, tx) };
	req_read_end(rq, tx);
	return req_write(rq, write_update, &u);
}

/* A value of an active tag is one of a dimension like any other; without a key, the keys are the values. */
typedef struct collected {
	req *rq;
	str key;
	ce_values values;
} collected;

static void collect(void *context, const ce_row *row, size_t period)
{
	collected *c = context;
	(void)period;
	ce_values_add(&c->values, ce_tag(row, c->key), row);
}

static void collect_key(req *rq, const txn *tx, ce_values *values, const seen *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (ce_tag_active(rq, tx, all->v[i]->key))
			ce_values_add(values, all->v[i]->key, NULL);
}

err ce_GetTags(req *rq, const ce_GetTags_in *in, ce_GetTags_out *out)
{
	ce_period p;
	collected c = { .rq = rq, .key = in->TagKey, .values = ce_values_of(rq, in->SearchString) };
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, S("MONTHLY"), false, &p));
	if (str_is(in->TagKey)) {
		TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, collect, &c));
	} else {
		TRY(ce_filter_check(rq, in->Filter, 0));
		TRY(charges_tags_look(rq->store, rq->who.account));
		const txn *tx = req_read(rq);
		seen all = seen_of(rq, tx);
		collect_key(rq, tx, &c.values, &all);
		req_read_end(rq, tx);
	}
	ce_page page;
	TRY(ce_values_page(&c.values, &in->SortBy, in->MaxResults, in->NextPageToken, &page));
	out->Tags = (ce_TagList){ .v = page.v, .n = page.n };
	out->NextPageToken = page.next;
	out->ReturnSize = I64((int64_t)page.n);
	out->TotalSize = I64((int64_t)c.values.n);
	return OK;
}
