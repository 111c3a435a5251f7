#include "product.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

#define JSON_MAX ((size_t)1 << 20)
#define SKU_LENGTH 16
/* AWS's codes for "on demand" and "per unit". */
#define TERM "JRTCKXETXF"
#define RATE "6YS6EN2CT7"

static void add(product *p, const char *name, str value)
{
	if (value.n && p->n < PRODUCT_ATTRIBUTES)
		p->attributes[p->n++] = (product_attribute){ name, value };
}

static str upper(arena *mem, str s)
{
	char *out = arena_bytes(mem, s.n);
	for (size_t i = 0; i < s.n; i++)
		out[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 'a' + 'A' : s.p[i]);
	return str_of(out, s.n);
}

static str sku_of(arena *mem, const price_item *item, const price_name *name)
{
	str place = arena_fmt(mem, "%.*s/%.*s", STR_ARG(item->region), STR_ARG(item->sku));
	if (name != item->name)
		place = arena_fmt(mem, "%.*s/%.*s", STR_ARG(place), STR_ARG(name->operation));
	return upper(mem, str_sub(sha256_hex(mem, place), 0, SKU_LENGTH));
}

/* Where it is sold: a region, the edge, or nowhere in particular. */
static void add_place(product *p, const book *b)
{
	name_prefix kind = p->name ? p->name->prefix : PREFIX_HOME;
	if (kind == PREFIX_EDGE) {
		add(p, "location", S("United States"));
		add(p, "locationType", S("AWS Edge Location"));
	} else if (kind == PREFIX_NEVER) {
		add(p, "location", S("Any"));
		add(p, "locationType", S("Other"));
	} else {
		add(p, "location", book_location(b, p->item->region));
		add(p, "locationType", S("AWS Region"));
		add(p, "regionCode", p->item->region);
	}
}

static void add_attributes(arena *mem, product *p, const book *b)
{
	str rest = p->name ? p->name->attributes : S("");
	while (str_is(rest) && rest.n) {
		str value = str_cut(&rest, ';'), name = str_cut(&value, '=');
		if (str_eq(value, S("{location}")))
			value = book_location(b, p->item->region);
		else if (str_eq(value, S("{region}")))
			value = p->item->region;
		add(p, arena_fmt(mem, "%.*s", STR_ARG(name)).p, value);
	}
}

product product_of(arena *mem, const book *b, const price_item *item, const price_name *name)
{
	product p = { .item = item, .name = name, .sku = sku_of(mem, item, name) };
	p.family = name ? name->family : S("Usage");
	add(&p, "servicecode", name ? name->service : item->service);
	add(&p, "servicename", book_service_name(b, item->service));
	add_place(&p, b);
	add(&p, "usagetype", price_usage_type(mem, b, item, name, item->region));
	add(&p, "operation", name ? name->operation : S(""));
	add_attributes(mem, &p, b);
	if (!product_attribute_of(&p, S("group")).n)
		add(&p, "groupDescription", item->title);
	add(&p, "productFamily", p.family);
	add(&p, "termType", S("OnDemand"));
	return p;
}

products products_of(arena *mem, const book *b, str code)
{
	products all = { 0 };
	for (int pass = 0; pass < 2; pass++) {
		if (pass)
			all.at = arena_array(mem, product_key, all.n + 1);
		all.n = 0;
		for (size_t i = 0; i < book_items(b); i++) {
			const price_item *item = book_item(b, i);
			const price_name *n = item->name;
			if (item->unsold)
				continue;
			do {
				if (code.n && !str_eq(n ? n->service : item->service, code))
					continue;
				if (pass)
					all.at[all.n] = (product_key){ item, n };
				all.n++;
			} while (n && (n = n->next));
		}
	}
	return all;
}

str product_attribute_of(const product *p, str name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq_nocase(str_c(p->attributes[i].name), name))
			return p->attributes[i].value;
	return STR_NONE;
}

static void put(buf *b, const char *key, str value)
{
	if (b->p[b->n - 1] != '{')
		buf_c(b, ',');
	buf_fmt(b, "\"%s\":", key);
	json_put_string(b, value);
}

static str units(arena *mem, const product *p, int64_t millionths)
{
	int64_t ours = price_name_units(p->name);
	return millionths == PRICE_NO_END ? S("Inf") : decimal_print_exact(mem, millionths / ours, QTY_DIGITS, 0);
}

static void put_dimension(buf *b, arena *mem, const product *p, const price_tier *t)
{
	str rate = arena_fmt(mem, "%.*s." TERM "." RATE "%.*s", STR_ARG(p->sku),
	                     STR_ARG(t == p->item->tiers ? S("") : units(mem, p, t->from)));
	str usd = decimal_print_exact(mem, t->usd * price_name_units(p->name), PRICE_DIGITS, 10);
	str tier = price_tier_name(mem, p->item, t), each = decimal_print_exact(mem, t->usd, PRICE_DIGITS, 10);
	if (b->p[b->n - 1] != '{')
		buf_c(b, ',');
	json_put_string(b, rate);
	buf_put(b, S(":{"));
	put(b, "unit", p->name ? p->name->unit : p->item->unit);
	put(b, "beginRange", units(mem, p, t->from));
	put(b, "endRange", units(mem, p, t->to));
	put(b, "rateCode", rate);
	put(b, "description", arena_fmt(mem, "$%.*s per %.*s, %.*s%s%.*s", STR_ARG(each), STR_ARG(p->item->unit),
	                                STR_ARG(p->item->title), tier.n ? ", " : "", STR_ARG(tier)));
	buf_put(b, S(",\"appliesTo\":[],\"pricePerUnit\":{"));
	put(b, "USD", usd);
	buf_put(b, S("}}"));
}

static bool is_date(str as_of)
{
	return as_of.n == 10 && as_of.p[0] >= '0' && as_of.p[0] <= '9';
}

void product_put(buf *b, const product *p)
{
	buf_c(b, '{');
	put(b, "productFamily", p->family);
	buf_put(b, S(",\"attributes\":{"));
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->attributes[i].name, "productFamily") && strcmp(p->attributes[i].name, "termType"))
			put(b, p->attributes[i].name, p->attributes[i].value);
	buf_c(b, '}');
	put(b, "sku", p->sku);
	buf_c(b, '}');
}

static str since_of(arena *mem, const product *p)
{
	str as_of = p->item->tiers[0].as_of;
	return is_date(as_of) ? arena_concat(mem, as_of, S("T00:00:00Z")) : S("");
}

void product_put_term(buf *b, arena *mem, const product *p)
{
	json_put_string(b, arena_fmt(mem, "%.*s." TERM, STR_ARG(p->sku)));
	buf_put(b, S(":{\"priceDimensions\":{"));
	for (size_t i = 0; i < p->item->n_tiers; i++)
		put_dimension(b, mem, p, &p->item->tiers[i]);
	buf_c(b, '}');
	put(b, "sku", p->sku);
	put(b, "effectiveDate", since_of(mem, p));
	put(b, "offerTermCode", S(TERM));
	buf_put(b, S(",\"termAttributes\":{}}"));
}

str product_json(arena *mem, const product *p)
{
	buf b = buf_in(mem, 1024, JSON_MAX);
	buf_put(&b, S("{\"product\":"));
	product_put(&b, p);
	put(&b, "serviceCode", product_attribute_of(p, S("servicecode")));
	buf_put(&b, S(",\"terms\":{\"OnDemand\":{"));
	product_put_term(&b, mem, p);
	buf_put(&b, S("}}"));
	put(&b, "version", p->item->tiers[0].as_of);
	put(&b, "publicationDate", since_of(mem, p));
	buf_c(&b, '}');
	return buf_str(&b);
}
