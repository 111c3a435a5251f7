#include "price/offers.h"
#include "base/embed.h"
#include "base/json.h"
#include "base/map.h"
#include "price/book_inside.h"
#include "price/csv.h"
#include <stdlib.h>

EMBED(prices_offers, "data/prices/offers.csv");

#define ATTRIBUTES_MAX 128
#define CONDITIONS_MAX 8
#define NAME_MAX_BYTES 64
#define TABLE_MAX ((size_t)256 << 20)
#define CSV_PREAMBLE S("\"FormatVersion\"")

typedef struct attribute {
	str name, value; /* name: lower case, letters and digits only */
} attribute;

typedef struct product {
	str service, region;
	attribute attributes[ATTRIBUTES_MAX];
	size_t n;
} product;

typedef struct offer_rule {
	str sku, service;
	attribute conditions[CONDITIONS_MAX];
	size_t n;
	int64_t per;       /* of our units in one of AWS's */
	struct offer_rule *next;
} offer_rule;

typedef struct offer_tier {
	int64_t from;
	str begin, end, usd, unit;
	struct offer_tier *next;
} offer_tier;

/* One of AWS's skus that is one of ours. */
typedef struct offer_price {
	str sku, service, region;
	offer_tier *tiers;
	int64_t per;
	bool shadowed;     /* another product of the file is the same sku of ours */
	struct offer_price *next;
} offer_price;

typedef struct loader {
	arena *mem;
	book *book;
	str name;
	offer_rule *rules;
	map by_aws_sku, by_place;
	offer_price *first, **last;
	offer_report *report;
	product scratch;
} loader;

static err bad_offer(const loader *l, const char *why)
{
	return fault_new(l->mem, &fault_syntax, "%.*s: %s", STR_ARG(l->name), why);
}

/* "Pre Installed S/W" and preInstalledSw are both preinstalledsw. */
static str plain_name(arena *mem, str name)
{
	char out[NAME_MAX_BYTES];
	size_t n = 0;
	for (size_t i = 0; i < name.n && n < sizeof out; i++) {
		char c = name.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 'a' - 'A');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	return arena_str(mem, str_of(out, n));
}

static offer_rule *rules_of(arena *mem)
{
	offer_rule *first = NULL, **last = &first;
	str f[4];
	csv c = csv_of(mem, EMBED_STR(prices_offers));
	csv_row(&c, f, 4);
	while (csv_row(&c, f, 4) == 4) {
		offer_rule *r = arena_new(mem, offer_rule);
		r->per = 1;
		ensure(!f[3].n || (str_to_i64(f[3], &r->per) && r->per > 0));
		r->sku = f[0];
		r->service = f[1];
		for (str rest = f[2]; str_is(rest) && r->n < CONDITIONS_MAX; r->n++) {
			str value = str_cut(&rest, ';');
			r->conditions[r->n].name = str_cut(&value, '=');
			r->conditions[r->n].value = value;
		}
		*last = r;
		last = &r->next;
	}
	return first;
}

static str attribute_of(const product *p, str name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->attributes[i].name, name))
			return p->attributes[i].value;
	return STR_NONE;
}

static bool fits(const offer_rule *r, const product *p)
{
	if (!str_eq(r->service, p->service))
		return false;
	for (size_t i = 0; i < r->n; i++) {
		str value = attribute_of(p, r->conditions[i].name);
		if (!str_is(value) || !str_glob(r->conditions[i].value, value))
			return false;
	}
	return true;
}

/* rds.postgres.{instancetype-db.}.single: the attribute, less a prefix. */
static str sku_of(arena *mem, const offer_rule *r, const product *p)
{
	size_t open = str_find_char(r->sku, '{'), close = str_find_char(r->sku, '}');
	if (open == SIZE_MAX)
		return r->sku;
	str prefix = str_sub(r->sku, open + 1, close), name = str_cut(&prefix, '-');
	str value = attribute_of(p, name);
	if (value.n == 0)
		return STR_NONE;
	if (str_is(prefix) && str_starts(value, prefix))
		value = str_sub(value, prefix.n, value.n);
	return arena_fmt(mem, "%.*s%.*s%.*s", STR_ARG(str_sub(r->sku, 0, open)), STR_ARG(value),
	                 STR_ARG(str_sub(r->sku, close + 1, r->sku.n)));
}

/* ebs.{volumeapiname} may be ebs.gp3 but not ebs.gp3.iops; instance types have a dot. */
static bool could_be(const offer_rule *r, str sku)
{
	size_t open = str_find_char(r->sku, '{'), close = str_find_char(r->sku, '}');
	if (open == SIZE_MAX)
		return str_eq(r->sku, sku);
	str before = str_sub(r->sku, 0, open), after = str_sub(r->sku, close + 1, r->sku.n);
	if (sku.n <= before.n + after.n || !str_starts(sku, before) || !str_ends(sku, after))
		return false;
	return str_starts(str_sub(r->sku, open + 1, close), S("instancetype")) ||
	       str_find_char(str_sub(sku, before.n, sku.n - after.n), '.') == SIZE_MAX;
}

/* Whether a rule says which products are this sku: no other is, then. */
static bool ruled(const loader *l, str sku)
{
	for (const offer_rule *r = l->rules; r; r = r->next)
		if (could_be(r, sku))
			return true;
	return false;
}

/* What no rule describes, by AWS's name for it (data/prices/aws-names.csv), where that name was read
 * somewhere or the operation is the same too. */
static str sku_by_name(const loader *l, const product *p, str *region)
{
	const price_name *n = NULL;
	str type = attribute_of(p, S("usagetype")), operation = attribute_of(p, S("operation")), where;
	operation = str_is(operation) ? operation : S("");
	const price_item *item = !str_is(type) ? NULL
		: book_find_usage(l->book, p->service, type, operation, &where, &n);
	if (!item || !(n->certain || (operation.n && n->operation.n)) || ruled(l, item->sku) ||
	    (region->n && !str_eq(*region, where)))
		return STR_NONE;
	*region = where;
	return item->sku;
}

static void product_add(loader *l, str aws_sku, const product *p)
{
	l->report->products++;
	const offer_rule *r = l->rules;
	str region = p->region, from = attribute_of(p, S("fromregioncode"));
	region = region.n || !str_is(from) ? region : from;
	while (r && !fits(r, p))
		r = r->next;
	str sku = r ? sku_of(l->mem, r, p) : sku_by_name(l, p, &region);
	if (!str_is(sku) || region.n == 0 || map_get(&l->by_aws_sku, aws_sku))
		return;
	offer_price *price = arena_new(l->mem, offer_price);
	*price = (offer_price){ .sku = sku, .region = arena_str(l->mem, region),
		                    .service = r ? r->service : arena_str(l->mem, p->service),
		                    .per = r ? r->per : 1 };
	str place = arena_fmt(l->mem, "%.*s/%.*s", STR_ARG(price->region), STR_ARG(sku));
	price->shadowed = map_put(&l->by_place, place, price) != NULL;
	map_put(&l->by_aws_sku, arena_str(l->mem, aws_sku), price);
	*l->last = price;
	l->last = &price->next;
	l->report->matched++;
}

static void tier_add(loader *l, offer_price *price, str begin, str end, str usd, str unit)
{
	offer_tier *t = arena_new(l->mem, offer_tier), **at = &price->tiers;
	*t = (offer_tier){ .begin = arena_str(l->mem, begin.n ? begin : S("0")), .end = arena_str(l->mem, end),
		           .usd = arena_str(l->mem, usd), .unit = arena_str(l->mem, unit) };
	decimal_parse_i64(t->begin, QTY_DIGITS, &t->from);
	while (*at && (*at)->from < t->from)
		at = &(*at)->next;
	if (*at && (*at)->from == t->from)
		return;
	t->next = *at;
	*at = t;
}

/* The next member of an object; false at its end or where the text breaks. */
static bool member(json *j, json_kind *k)
{
	*k = json_next(j);
	return *k != JSON_OBJECT_END && *k != JSON_ERROR && *k != JSON_END;
}

/* From here on `j` stands behind an opening brace; each reads to its closing one. */
static void read_attributes(loader *l, json *j, product *p)
{
	for (json_kind k; member(j, &k);) {
		if (k != JSON_STRING) {
			json_skip(j);
			continue;
		}
		str name = plain_name(l->mem, j->key);
		if (str_eq(name, S("servicecode")))
			p->service = j->text;
		else if (str_eq(name, S("regioncode")))
			p->region = j->text;
		if (p->n < ATTRIBUTES_MAX)
			p->attributes[p->n++] = (attribute){ name, j->text };
	}
}

static void read_product(loader *l, json *j)
{
	product *p = &l->scratch;
	str aws_sku = arena_str(l->mem, j->key);
	p->n = 0;
	p->service = l->report->service;
	p->region = S("");
	for (json_kind k; member(j, &k);) {
		if (k == JSON_OBJECT && str_eq(j->key, S("attributes")))
			read_attributes(l, j, p);
		else if (k == JSON_STRING && str_eq(j->key, S("productFamily")) && p->n < ATTRIBUTES_MAX)
			p->attributes[p->n++] = (attribute){ S("productfamily"), j->text };
		else
			json_skip(j);
	}
	product_add(l, aws_sku, p);
}

static void read_dimension(loader *l, json *j, offer_price *price)
{
	str begin = S(""), end = S(""), unit = S(""), usd = STR_NONE;
	for (json_kind k; member(j, &k);) {
		if (k == JSON_STRING && str_eq(j->key, S("beginRange")))
			begin = j->text;
		else if (k == JSON_STRING && str_eq(j->key, S("endRange")))
			end = j->text;
		else if (k == JSON_STRING && str_eq(j->key, S("unit")))
			unit = j->text;
		else if (k == JSON_OBJECT && str_eq(j->key, S("pricePerUnit"))) {
			while (member(j, &k))
				if (k == JSON_STRING && str_eq(j->key, S("USD")))
					usd = j->text;
				else
					json_skip(j);
		} else {
			json_skip(j);
		}
	}
	if (str_is(usd))
		tier_add(l, price, begin, end, usd, unit);
}

/* terms.OnDemand[sku][term].priceDimensions[rate] */
static void read_term(loader *l, json *j, offer_price *price)
{
	for (json_kind k; member(j, &k);) {
		if (k != JSON_OBJECT || !str_eq(j->key, S("priceDimensions"))) {
			json_skip(j);
			continue;
		}
		while ((k = json_next(j)) == JSON_OBJECT)
			read_dimension(l, j, price);
	}
}

static void read_on_demand(loader *l, json *j)
{
	json_kind k;
	while (member(j, &k)) {
		offer_price *price = k == JSON_OBJECT ? map_get(&l->by_aws_sku, j->key) : NULL;
		if (!price) {
			json_skip(j);
			continue;
		}
		while ((k = json_next(j)) == JSON_OBJECT)
			read_term(l, j, price);
	}
}

static void read_members(loader *l, json *j, str name, void (*read)(loader *l, json *j))
{
	json_kind k;
	while (member(j, &k))
		if (k == JSON_OBJECT && (!name.n || str_eq(j->key, name)))
			read(l, j);
		else
			json_skip(j);
}

static err load_json(loader *l, str text)
{
	json j = json_of(l->mem, text);
	json_kind k = json_next(&j);
	if (k != JSON_OBJECT)
		return bad_offer(l, "a JSON object is expected");
	while (member(&j, &k)) {
		if (k == JSON_STRING && str_eq(j.key, S("offerCode")))
			l->report->service = arena_str(l->mem, j.text);
		else if (k == JSON_STRING && str_eq(j.key, S("publicationDate")))
			l->report->published = arena_str(l->mem, j.text);
		else if (k == JSON_OBJECT && str_eq(j.key, S("products")))
			read_members(l, &j, S(""), read_product);
		else if (k == JSON_OBJECT && str_eq(j.key, S("terms")))
			read_members(l, &j, S("OnDemand"), read_on_demand);
		else
			json_skip(&j);
	}
	return k == JSON_OBJECT_END ? OK : bad_offer(l, "this is not valid JSON");
}

enum { SKU, TERM, BEGIN, END, UNIT, USD_EACH, CURRENCY, SERVICE, REGION, N_PLACES };

static void places_of(const str *names, size_t n, size_t *at)
{
	static const char *const wanted[N_PLACES] = {
		"sku", "termtype", "startingrange", "endingrange", "unit", "priceperunit", "currency",
		"servicecode", "regioncode",
	};
	for (size_t i = 0; i < N_PLACES; i++)
		for (at[i] = 0; at[i] < n && !str_eq(names[at[i]], str_c(wanted[i]));)
			at[i]++;
}

/* One row is a product and one of its prices. */
static void csv_price(loader *l, const str *names, const str *f, size_t n, const size_t *at)
{
	product *p = &l->scratch;
	if (!str_eq(f[at[TERM]], S("OnDemand")) || !str_eq(f[at[CURRENCY]], S("USD")))
		return;
	offer_price *price = map_get(&l->by_aws_sku, f[at[SKU]]);
	if (!price) {
		p->n = 0;
		p->service = f[at[SERVICE]];
		p->region = at[REGION] < n ? f[at[REGION]] : S("");
		for (size_t i = 0; i < n && p->n < ATTRIBUTES_MAX; i++)
			if (f[i].n)
				p->attributes[p->n++] = (attribute){ names[i], f[i] };
		product_add(l, f[at[SKU]], p);
		price = map_get(&l->by_aws_sku, f[at[SKU]]);
	}
	if (price)
		tier_add(l, price, f[at[BEGIN]], f[at[END]], f[at[USD_EACH]], f[at[UNIT]]);
}

static err load_csv(loader *l, str text)
{
	str names[ATTRIBUTES_MAX], f[ATTRIBUTES_MAX];
	size_t at[N_PLACES], n;
	csv c = csv_of(l->mem, text);
	while ((n = csv_row(&c, names, ATTRIBUTES_MAX)) == 2)
		if (str_eq(names[0], S("Publication Date")))
			l->report->published = arena_str(l->mem, names[1]);
		else if (str_eq(names[0], S("OfferCode")))
			l->report->service = arena_str(l->mem, names[1]);
	for (size_t i = 0; i < n; i++)
		names[i] = plain_name(l->mem, names[i]);
	places_of(names, n, at);
	/* Data transfer is from one region to another, so it is in none. */
	for (size_t i = 0; i < N_PLACES; i++)
		if (at[i] >= n && i != REGION)
			return bad_offer(l, "the columns of an offer file are missing");
	for (size_t got; (got = csv_row(&c, f, ATTRIBUTES_MAX));) {
		while (got < n)
			f[got++] = S("");
		csv_price(l, names, f, n, at);
	}
	return c.broken ? bad_offer(l, "a quote is not closed or there are too many columns") : OK;
}

/* Tiers that follow one another from 0 on, in prices that the book can hold. What is not so is passed over:
 * one odd product is no reason to refuse the rest of a file. */
static bool whole(const offer_price *p)
{
	int64_t at = 0, usd;
	for (const offer_tier *t = p->tiers; t; t = t->next) {
		bool last = t->end.n == 0 || str_eq(t->end, S("Inf"));
		if (t->from != at || last != !t->next || !decimal_parse_i64(t->usd, PRICE_DIGITS, &usd) || usd < 0 ||
		    (!last && !decimal_parse_i64(t->end, QTY_DIGITS, &at)))
			return false;
	}
	return p->tiers != NULL;
}

/* Of one of our units. */
static str unit_price(arena *mem, const offer_price *p, const offer_tier *t)
{
	int64_t usd = 0;
	decimal_parse_i64(t->usd, PRICE_DIGITS, &usd);
	return p->per == 1 ? t->usd : decimal_print_exact(mem, usd / p->per, PRICE_DIGITS, 0);
}

/* As a table of ours, which the book then reads: one way in. */
static str table_of(loader *l)
{
	buf out = buf_in(l->mem, 1 << 14, TABLE_MAX);
	str day = str_sub(l->report->published, 0, 10);
	buf_put(&out, S("region,service,sku_key,dimension,unit,tier_from,tier_to,usd_per_unit,"
	                "source,status,as_of\n"));
	for (const offer_price *p = l->first; p; p = p->next) {
		const price_item *known = book_find(l->book, p->region, p->sku, NULL);
		if (p->shadowed || !whole(p))
			continue;
		l->report->prices++;
		for (const offer_tier *t = p->tiers; t; t = t->next) {
			const str fields[] = {
				p->region, known ? known->service : p->service, p->sku,
				known ? known->title : p->sku, known ? known->unit : t->unit, t->begin,
				t->end.n ? t->end : S("Inf"), unit_price(l->mem, p, t), S("AWS price list"),
				S("verified"), day,
			};
			for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
				buf_put(&out, i ? S(",") : S(""));
				csv_put(&out, fields[i]);
			}
			buf_c(&out, '\n');
		}
	}
	return out.full ? STR_NONE : buf_str(&out);
}

bool offer_looks_like(str text)
{
	text = str_starts(text, S("\xef\xbb\xbf")) ? str_sub(text, 3, text.n) : text;
	return str_starts(str_trim(str_sub(text, 0, 256)), S("{")) || str_starts(text, CSV_PREAMBLE);
}

err book_add_offer(book *b, str text, str name, offer_report *report)
{
	loader *l = arena_new(book_arena(b), loader);
	*report = (offer_report){ .service = S(""), .published = S("") };
	l->mem = book_arena(b);
	l->book = b;
	l->name = name;
	l->report = report;
	l->rules = rules_of(l->mem);
	l->by_aws_sku = map_in(l->mem, 1024);
	l->by_place = map_in(l->mem, 1024);
	l->last = &l->first;
	bool braces = str_starts(str_trim(str_sub(text, 0, 256)), S("{"));
	TRY(braces ? load_json(l, text) : load_csv(l, text));
	str table = table_of(l);
	if (!str_is(table))
		return bad_offer(l, "there are too many prices");
	return book_add_csv(b, table, name, S(""), PRICE_VERIFIED);
}
