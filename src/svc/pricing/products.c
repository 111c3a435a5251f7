#include "base/map.h"
#include "product.h"
#include <stdlib.h>

err pricing_service_check(req *rq, str code)
{
	bool plain = true;
	for (size_t i = 0; i < code.n; i++)
		plain &= (code.p[i] >= 'a' && code.p[i] <= 'z') || (code.p[i] >= 'A' && code.p[i] <= 'Z') ||
			 (code.p[i] >= '0' && code.p[i] <= '9');
	if (code.n == 0)
		return fail(rq, &pricing_InvalidParameterException,
		            "Input Parameters are invalid. serviceCode cannot be null or empty");
	if (!plain)
		return fail(rq, &pricing_InvalidParameterException, "ServiceCode can only contain a-z, A-Z, 0-9");
	if (products_of(rq->mem, price_book(), code).n)
		return OK;
	return fail(rq, &pricing_InvalidParameterException, "Input Parameters are invalid. The value for the "
	            "parameter ServiceCode is invalid: %.*s", STR_ARG(code));
}

static bool format_ok(str version)
{
	return !str_is(version) || str_eq(version, S("aws_v1"));
}

static err format_check(req *rq, str version)
{
	if (format_ok(version))
		return OK;
	return fail(rq, &pricing_InvalidParameterException, "The format version %.*s is not known.",
	            STR_ARG(version));
}

/* Where a page begins: an index into the sorted or numbered list, as text. */
static err start_of(req *rq, str token, size_t *start)
{
	str position;
	int64_t at = 0;
	*start = 0;
	if (token.n == 0)
		return OK;
	if (!page_position(rq, token, &position) || !str_to_i64(position, &at) || at < 0)
		return fail(rq, &pricing_InvalidNextTokenException, "The pagination token is invalid.");
	*start = (size_t)at;
	return OK;
}

static str token_at(req *rq, size_t at)
{
	return page_token(rq, arena_fmt(rq->mem, "%zu", at));
}

static bool in_list(str list, str value)
{
	while (str_is(list))
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), value))
			return true;
	return false;
}

static bool fits(req *rq, const product *p, const pricing_Filter *f)
{
	str have = product_attribute_of(p, f->Field);
	if (str_eq_nocase(f->Field, S("sku")))
		have = p->sku;
	if (str_eq(f->Type, S("NONE_OF")))
		return !str_is(have) || !in_list(f->Value, have);
	if (!str_is(have))
		return false;
	if (str_eq(f->Type, S("ANY_OF")))
		return in_list(f->Value, have);
	if (str_eq(f->Type, S("CONTAINS")))
		return str_find(arena_lower(rq->mem, have), arena_lower(rq->mem, f->Value)) != SIZE_MAX;
	return str_eq_nocase(have, f->Value);
}

static bool fits_all(req *rq, const product *p, const pricing_Filters *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!fits(rq, p, &filters->v[i]))
			return false;
	return true;
}

/* The book is constant memory: no transaction is needed, but a read is what this is. */
err pricing_GetProducts(req *rq, const txn *tx, const pricing_GetProducts_in *in,
                        pricing_GetProducts_out *out)
{
	size_t start, most = in->MaxResults.set ? (size_t)in->MaxResults.v : PRICING_PAGE;
	const book *b = price_book();
	(void)tx;
	TRY(format_check(rq, in->FormatVersion));
	TRY(pricing_service_check(rq, in->ServiceCode));
	TRY(start_of(rq, in->NextToken, &start));
	out->FormatVersion = S("aws_v1");
	out->PriceList.v = arena_array(rq->mem, str, most);
	products all = products_of(rq->mem, b, in->ServiceCode);
	for (size_t i = start; i < all.n; i++) {
		product p = product_of(rq->mem, b, all.at[i].item, all.at[i].name);
		if (!fits_all(rq, &p, &in->Filters))
			continue;
		if (out->PriceList.n == most) {
			out->NextToken = token_at(rq, i);
			break;
		}
		out->PriceList.v[out->PriceList.n++] = product_json(rq->mem, &p);
	}
	return OK;
}

typedef struct names {
	arena *mem;
	map seen;
	str *v;
	size_t n, capacity;
} names;

static void names_add(names *l, str name)
{
	if (map_get(&l->seen, name))
		return;
	map_put(&l->seen, name, l);
	if (l->n == l->capacity) {
		size_t wider = l->capacity ? l->capacity * 2 : 32;
		str *v = arena_array(l->mem, str, wider);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(str));
		l->v = v;
		l->capacity = wider;
	}
	l->v[l->n++] = name;
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static void names_sort(names *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(str), by_text);
}

static void attributes_of(req *rq, str code, pricing_AttributeNameList *out)
{
	names all = { .mem = rq->mem, .seen = map_in(rq->mem, 32) };
	const book *b = price_book();
	products found = products_of(rq->mem, b, code);
	for (size_t i = 0; i < found.n; i++) {
		product p = product_of(rq->mem, b, found.at[i].item, found.at[i].name);
		for (size_t j = 0; j < p.n; j++)
			names_add(&all, str_c(p.attributes[j].name));
	}
	names_sort(&all);
	out->v = all.v;
	out->n = all.n;
}

err pricing_DescribeServices(req *rq, const txn *tx, const pricing_DescribeServices_in *in,
                             pricing_DescribeServices_out *out)
{
	size_t start, most = in->MaxResults.set ? (size_t)in->MaxResults.v : PRICING_PAGE;
	names codes = { .mem = rq->mem, .seen = map_in(rq->mem, 64) };
	const book *b = price_book();
	(void)tx;
	TRY(format_check(rq, in->FormatVersion));
	TRY(start_of(rq, in->NextToken, &start));
	if (in->ServiceCode.n)
		TRY(pricing_service_check(rq, in->ServiceCode));
	products all = products_of(rq->mem, b, in->ServiceCode);
	for (size_t i = 0; i < all.n; i++)
		names_add(&codes, all.at[i].name ? all.at[i].name->service : all.at[i].item->service);
	names_sort(&codes);
	out->FormatVersion = S("aws_v1");
	out->Services.v = arena_array(rq->mem, pricing_Service, most);
	for (size_t i = start; i < codes.n; i++) {
		if (out->Services.n == most) {
			out->NextToken = token_at(rq, i);
			break;
		}
		pricing_Service *s = &out->Services.v[out->Services.n++];
		s->ServiceCode = codes.v[i];
		attributes_of(rq, codes.v[i], &s->AttributeNames);
	}
	return OK;
}

err pricing_GetAttributeValues(req *rq, const txn *tx, const pricing_GetAttributeValues_in *in,
                               pricing_GetAttributeValues_out *out)
{
	size_t start, most = in->MaxResults.set ? (size_t)in->MaxResults.v : PRICING_VALUES_PAGE;
	names values = { .mem = rq->mem, .seen = map_in(rq->mem, 64) };
	const book *b = price_book();
	(void)tx;
	TRY(pricing_service_check(rq, in->ServiceCode));
	TRY(start_of(rq, in->NextToken, &start));
	products found = products_of(rq->mem, b, in->ServiceCode);
	for (size_t i = 0; i < found.n; i++) {
		product p = product_of(rq->mem, b, found.at[i].item, found.at[i].name);
		str value = product_attribute_of(&p, in->AttributeName);
		if (str_is(value))
			names_add(&values, value);
	}
	if (values.n == 0)
		return fail(rq, &pricing_InvalidParameterException, "The attribute %.*s of %.*s is not known.",
		            STR_ARG(in->AttributeName), STR_ARG(in->ServiceCode));
	names_sort(&values);
	out->AttributeValues.v = arena_array(rq->mem, pricing_AttributeValue, most < values.n ? most : values.n);
	for (size_t i = start; i < values.n; i++) {
		if (out->AttributeValues.n == most) {
			out->NextToken = token_at(rq, i);
			break;
		}
		out->AttributeValues.v[out->AttributeValues.n++].Value = values.v[i];
	}
	return OK;
}
