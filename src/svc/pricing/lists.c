/*
 * Price lists as files: all products of a service in a region, in AWS's own form (formatVersion v1.0), which
 * `farthing up --prices` reads back. There is one version of each: the book in use.
 */
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/plane.h"
#include "product.h"
#include <stdlib.h>

#define FILE_MAX ((size_t)64 << 20)
#define PAGE 100
#define PATH S("/_farthing/offers/v1.0/aws/")
#define FILE_NAME S("index.json")

/* One file: AmazonEC2, us-east-1 and the day on which the latest of its prices was read, or zeros. */
typedef struct price_list {
	str code, region, version;
} price_list;

static str code_of(const product_key *k)
{
	return k->name ? k->name->service : k->item->service;
}

static str version_of(arena *mem, str as_of)
{
	str day = S("00000000");
	if (as_of.n == 10)
		day = arena_fmt(mem, "%.*s%.*s%.*s", STR_ARG(str_sub(as_of, 0, 4)), STR_ARG(str_sub(as_of, 5, 7)),
		                STR_ARG(str_sub(as_of, 8, 10)));
	return arena_concat(mem, day, S("000000"));
}

static int by_region(const void *a, const void *b)
{
	return str_cmp(((const price_list *)a)->region, ((const price_list *)b)->region);
}

/* One for each region that the service is sold in, in order. */
static price_list *lists_of(arena *mem, str code, size_t *n)
{
	products all = products_of(mem, price_book(), code);
	price_list *v = arena_array(mem, price_list, all.n + 1);
	*n = 0;
	for (size_t i = 0; i < all.n; i++) {
		const price_item *item = all.at[i].item;
		size_t at = 0;
		while (at < *n && !str_eq(v[at].region, item->region))
			at++;
		if (at == *n)
			v[(*n)++] = (price_list){ code_of(&all.at[i]), item->region, S("") };
		for (size_t t = 0; t < item->n_tiers; t++) {
			str version = version_of(mem, item->tiers[t].as_of);
			v[at].version = str_cmp(version, v[at].version) > 0 ? version : v[at].version;
		}
	}
	qsort(v, *n, sizeof *v, by_region);
	return v;
}

static str arn_of(arena *mem, const price_list *l)
{
	return arena_fmt(mem, "arn:aws:pricing:::price-list/aws/%.*s/USD/%.*s/%.*s", STR_ARG(l->code),
	                 STR_ARG(l->version), STR_ARG(l->region));
}

err pricing_ListPriceLists(req *rq, const txn *tx, const pricing_ListPriceLists_in *in,
                           pricing_ListPriceLists_out *out)
{
	static str formats[] = { { "json", 4 } };
	size_t n, most = in->MaxResults.set ? (size_t)in->MaxResults.v : PAGE;
	str after = S("");
	(void)tx;
	TRY(pricing_service_check(rq, in->ServiceCode));
	price_list *all = lists_of(rq->mem, in->ServiceCode, &n);
	if (in->NextToken.n && !page_position(rq, in->NextToken, &after))
		return fail(rq, &pricing_InvalidNextTokenException, "The pagination token is invalid.");
	pricing_PriceLists *list = &out->PriceLists;
	list->v = arena_array(rq->mem, pricing_PriceList, n + 1);
	for (size_t i = 0; i < n && str_eq(in->CurrencyCode, S("USD")); i++) {
		if ((str_is(in->RegionCode) && !str_eq(in->RegionCode, all[i].region)) ||
		    (after.n && str_cmp(all[i].region, after) <= 0))
			continue;
		if (list->n == most) {
			out->NextToken = page_token(rq, list->v[most - 1].RegionCode);
			break;
		}
		list->v[list->n++] = (pricing_PriceList){
			.PriceListArn = arn_of(rq->mem, &all[i]), .RegionCode = all[i].region,
			.CurrencyCode = S("USD"), .FileFormats = { .v = formats, .n = 1 },
		};
	}
	return OK;
}

/* CODE/VERSION/REGION of a path, or of an ARN with the currency in it. NULL: there is no such list. */
static const price_list *find(arena *mem, str code, str version, str region)
{
	size_t n;
	const price_list *all = lists_of(mem, code, &n);
	for (size_t i = 0; code.n && i < n; i++)
		if (str_eq(all[i].region, region) && str_eq(all[i].version, version))
			return &all[i];
	return NULL;
}

err pricing_GetPriceListFileUrl(req *rq, const txn *tx, const pricing_GetPriceListFileUrl_in *in,
                                pricing_GetPriceListFileUrl_out *out)
{
	str rest = in->PriceListArn, prefix = S("arn:aws:pricing:::price-list/aws/");
	const price_list *l = NULL;
	(void)tx;
	if (str_starts(rest, prefix)) {
		rest = str_sub(rest, prefix.n, rest.n);
		str code = str_cut(&rest, '/'), currency = str_cut(&rest, '/'), version = str_cut(&rest, '/');
		l = str_eq(currency, S("USD")) && str_is(rest) ? find(rq->mem, code, version, rest) : NULL;
	}
	if (!l)
		return fail(rq, &pricing_ResourceNotFoundException, "The price list %.*s does not exist.",
		            STR_ARG(in->PriceListArn));
	if (!str_eq(in->FileFormat, S("json")))
		return fail(rq, &pricing_InvalidParameterException, "The price list has no file of format %.*s.",
		            STR_ARG(in->FileFormat));
	str host = rq->host.n ? rq->host : S("localhost");
	out->Url = arena_fmt(rq->mem, "http://%.*s%.*s%.*s/%.*s/%.*s/%.*s", STR_ARG(host), STR_ARG(PATH),
	                     STR_ARG(l->code), STR_ARG(l->version), STR_ARG(l->region), STR_ARG(FILE_NAME));
	return OK;
}

static void put_lists(buf *b, arena *mem, const price_list *l)
{
	const book *prices = price_book();
	products all = products_of(mem, prices, l->code);
	for (int terms = 0; terms < 2; terms++) {
		bool first = true;
		buf_put(b, terms ? S("},\"terms\":{\"OnDemand\":{") : S(""));
		for (size_t i = 0; i < all.n; i++) {
			if (!str_eq(all.at[i].item->region, l->region))
				continue;
			product p = product_of(mem, prices, all.at[i].item, all.at[i].name);
			buf_put(b, first ? S("\n") : S(",\n"));
			first = false;
			json_put_string(b, p.sku);
			buf_put(b, terms ? S(":{") : S(":"));
			if (terms)
				product_put_term(b, mem, &p);
			else
				product_put(b, &p);
			buf_put(b, terms ? S("}") : S(""));
		}
	}
	buf_put(b, S("}}}\n"));
}

static void answer(http_exchange *x, int status, str type, str body)
{
	wire_message reply = { .mem = x->mem, .status = status, .body = body };
	wire_header_add(&reply, S("content-type"), type);
	http_reply(x, &reply, NULL);
}

static bool match(const http_exchange *x)
{
	return str_starts(x->in.path, PATH);
}

static void serve(http_exchange *x, store *s)
{
	(void)s;
	str rest = str_sub(x->in.path, PATH.n, x->in.path.n);
	str code = str_cut(&rest, '/'), version = str_cut(&rest, '/'), region = str_cut(&rest, '/');
	bool file = str_is(rest) && str_eq(rest, FILE_NAME);
	const price_list *l = file ? find(x->mem, code, version, region) : NULL;
	if (!l || !str_eq(x->in.method, S("GET"))) {
		answer(x, 404, S("text/plain"), S("There is no such price list.\n"));
		return;
	}
	str day = arena_fmt(x->mem, "%.*s-%.*s-%.*sT00:00:00Z", STR_ARG(str_sub(l->version, 0, 4)),
	                    STR_ARG(str_sub(l->version, 4, 6)), STR_ARG(str_sub(l->version, 6, 8)));
	buf b = buf_in(x->mem, 1 << 16, FILE_MAX);
	buf_put(&b, S("{\"formatVersion\":\"v1.0\",\"disclaimer\":\"List prices as Farthing knows them.\","
	              "\"offerCode\":"));
	json_put_string(&b, l->code);
	buf_fmt(&b, ",\"version\":\"%.*s\",\"publicationDate\":\"%.*s\",\"products\":{", STR_ARG(l->version),
	        STR_ARG(day));
	put_lists(&b, x->mem, l);
	answer(x, 200, S("application/json"), buf_str(&b));
}

PLANE(price_lists, match, serve);
