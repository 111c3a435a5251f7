/* Looking for secrets: filters, order, pages. */
#include "secret.h"
#include <stdlib.h>

/* Beginnings of words, whatever their case. */
static bool word_fits(str have, str want)
{
	for (size_t i = 0; i + want.n <= have.n; i++) {
		char before = i ? have.p[i - 1] : ' ';
		bool inside = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') ||
			      (before >= '0' && before <= '9');
		if (!inside && str_eq_nocase(str_sub(have, i, i + want.n), want))
			return true;
	}
	return false;
}

static bool field_fits(const secretsmanager_secret *s, str key, str want)
{
	bool all = str_eq(key, S("all"));
	if (str_eq(key, S("name")))
		return str_starts(s->Name, want);
	if (str_eq(key, S("primary-region")))
		return str_is(s->Primary) && str_starts(s->Primary, want);
	if (str_eq(key, S("owning-service")))
		return str_is(s->Type) && str_starts(s->Type, want);
	if ((all || str_eq(key, S("description"))) && str_is(s->Description) && word_fits(s->Description, want))
		return true;
	if (all && word_fits(s->Name, want))
		return true;
	for (size_t i = 0; i < s->Tags.n; i++) {
		str name = s->Tags.v[i].Key, value = s->Tags.v[i].Value;
		if ((str_eq(key, S("tag-key")) && str_starts(name, want)) ||
		    (str_eq(key, S("tag-value")) && str_starts(value, want)) ||
		    (all && (word_fits(name, want) || word_fits(value, want))))
			return true;
	}
	return false;
}

/* "!x" is anything but x. */
static bool value_fits(const secretsmanager_secret *s, str key, str want)
{
	bool negated = str_starts(want, S("!"));
	return field_fits(s, key, negated ? str_sub(want, 1, want.n) : want) != negated;
}

static bool filters_fit(const secretsmanager_secret *s, const secretsmanager_FiltersListType *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		bool any = false;
		for (size_t j = 0; j < filters->v[i].Values.n; j++)
			any = any || value_fits(s, filters->v[i].Key, filters->v[i].Values.v[j]);
		if (!any)
			return false;
	}
	return true;
}

static int64_t moment(const secretsmanager_secret *s, str by)
{
	return str_eq(by, secretsmanager_SortByType_created_date) ? s->Created :
	       str_eq(by, secretsmanager_SortByType_last_changed_date) ? s->Changed :
	       str_eq(by, secretsmanager_SortByType_last_accessed_date) ? s->Accessed : 0;
}

static int compare(int64_t at, str name, int64_t other, str other_name)
{
	return at != other ? (at < other ? -1 : 1) : str_cmp(name, other_name);
}

static int in_order(const void *a, const void *b, void *by)
{
	const secretsmanager_secret *const *x = a, *const *y = b;
	return compare(moment(*x, *(const str *)by), (*x)->Name, moment(*y, *(const str *)by), (*y)->Name);
}

/* A page ends at a place in the order, which stays when the secret that stood there goes. */
static str place_after(req *rq, const secretsmanager_secret *s, str by)
{
	return page_token(rq, arena_fmt(rq->mem, "%lld %.*s", (long long)moment(s, by), STR_ARG(s->Name)));
}

static bool place_read(req *rq, str token, int64_t *at, str *name)
{
	return page_position(rq, token, name) && str_to_i64(str_cut(name, ' '), at);
}

static void reverse(secretsmanager_secret **list, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		secretsmanager_secret *s = list[i];
		list[i] = list[n - 1 - i];
		list[n - 1 - i] = s;
	}
}

err secrets_search(req *rq, const txn *tx, const secret_search *how, secretsmanager_secret ***found,
                   size_t *n, str *next)
{
	size_t room = 64, all = 0, from = 0;
	bool down = str_eq(how->order, S("desc"));
	str after = STR_NONE;
	int64_t at = 0;
	if (str_is(how->token) && !place_read(rq, how->token, &at, &after))
		return fail(rq, &secretsmanager_InvalidNextTokenException, "Invalid NextToken");
	secretsmanager_secret **list = arena_array(rq->mem, secretsmanager_secret *, room);
	record_scan scan = secretsmanager_secret_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (secretsmanager_secret *s; (s = secretsmanager_secret_next(&scan));) {
		if ((s->DeleteAt && !how->planned_deletion) || !filters_fit(s, how->filters))
			continue;
		if (all == room) {
			secretsmanager_secret **more = arena_array(rq->mem, secretsmanager_secret *, room *= 2);
			memcpy(more, list, all * sizeof *list);
			list = more;
		}
		list[all++] = s;
	}
	str by = how->sort_by;
	if (str_is(by)) /* rows come by name */
		qsort_r(list, all, sizeof *list, in_order, &by);
	if (down)
		reverse(list, all);
	for (; str_is(after) && from < all; from++) {
		int order = compare(moment(list[from], by), list[from]->Name, at, after);
		if (down ? order < 0 : order > 0)
			break;
	}
	*found = list + from;
	*n = all - from < how->page ? all - from : how->page;
	if (from + *n < all)
		*next = place_after(rq, list[from + *n - 1], by);
	return OK;
}
