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

static str sku_of(arena *mem, const price_item *item)
{
	str place = arena_fmt(mem, "%.*s/%.*s", STR_ARG(item->region), STR_ARG(item->sku));
	return upper(mem, str_sub(sha256_hex(mem, place), 0, SKU_LENGTH));
}

/* The title of an instance begins with its type. */
static void add_instance(product *p, const price_item *item)
{
	str rest = item->title, type = str_cut(&rest, ' ');
	if (str_starts(item->sku, S("ec2.linux.")) || str_starts(item->sku, S("ec2.windows."))) {
		p->family = S("Compute Instance");
		add(p, "instanceType", type);
		add(p, "operatingSystem", str_starts(item->sku, S("ec2.linux.")) ? S("Linux") : S("Windows"));
		add(p, "tenancy", S("Shared"));
		add(p, "preInstalledSw", S("NA"));
		add(p, "capacitystatus", S("Used"));
	} else if (str_starts(type, S("db."))) {
		p->family = S("Database Instance");
		add(p, "instanceType", type);
		add(p, "databaseEngine", str_find(item->sku, S("mysql")) != SIZE_MAX ? S("MySQL")
		                         : str_starts(item->sku, S("aurora."))      ? S("Aurora PostgreSQL")
		                                                                    : S("PostgreSQL"));
		add(p, "deploymentOption", str_ends(item->sku, S(".multi")) ? S("Multi-AZ") : S("Single-AZ"));
	} else if (str_starts(type, S("cache."))) {
		p->family = S("Cache Instance");
		add(p, "instanceType", type);
		add(p, "cacheEngine", str_find(item->sku, S("valkey")) != SIZE_MAX ? S("Valkey") : S("Redis"));
	}
}

product product_of(arena *mem, const book *b, const price_item *item)
{
	product p = { .item = item, .sku = sku_of(mem, item), .family = S("Usage") };
	add(&p, "servicecode", item->service);
	add(&p, "servicename", book_service_name(b, item->service));
	add(&p, "location", book_location(b, item->region));
	add(&p, "locationType", S("AWS Region"));
	add(&p, "regionCode", item->region);
	add(&p, "usagetype", item->sku);
	add(&p, "group", item->title);
	add_instance(&p, item);
	add(&p, "productFamily", p.family);
	add(&p, "termType", S("OnDemand"));
	return p;
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

static str units(arena *mem, int64_t millionths)
{
	return millionths == PRICE_NO_END ? S("Inf") : decimal_print_exact(mem, millionths, QTY_DIGITS, 0);
}

static void put_dimension(buf *b, arena *mem, const product *p, const price_tier *t)
{
	str rate = arena_fmt(mem, "%.*s." TERM "." RATE "%.*s", STR_ARG(p->sku),
	                     STR_ARG(t == p->item->tiers ? S("") : units(mem, t->from)));
	str usd = decimal_print_exact(mem, t->usd, PRICE_DIGITS, 10), tier = price_tier_name(mem, p->item, t);
	if (b->p[b->n - 1] != '{')
		buf_c(b, ',');
	json_put_string(b, rate);
	buf_put(b, S(":{"));
	put(b, "unit", p->item->unit);
	put(b, "beginRange", units(mem, t->from));
	put(b, "endRange", units(mem, t->to));
	put(b, "rateCode", rate);
	put(b, "description", arena_fmt(mem, "$%.*s per %.*s, %.*s%s%.*s", STR_ARG(usd), STR_ARG(p->item->unit),
	                                STR_ARG(p->item->title), tier.n ? ", " : "", STR_ARG(tier)));
	buf_put(b, S(",\"appliesTo\":[],\"pricePerUnit\":{"));
	put(b, "USD", usd);
	buf_put(b, S("}}"));
}

static bool is_date(str as_of)
{
	return as_of.n == 10 && as_of.p[0] >= '0' && as_of.p[0] <= '9';
}

str product_json(arena *mem, const product *p)
{
	const price_item *item = p->item;
	str as_of = item->tiers[0].as_of;
	str since = is_date(as_of) ? arena_concat(mem, as_of, S("T00:00:00Z")) : S("");
	buf b = buf_in(mem, 1024, JSON_MAX);
	buf_put(&b, S("{\"product\":{"));
	put(&b, "productFamily", p->family);
	buf_put(&b, S(",\"attributes\":{"));
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->attributes[i].name, "productFamily") && strcmp(p->attributes[i].name, "termType"))
			put(&b, p->attributes[i].name, p->attributes[i].value);
	buf_c(&b, '}');
	put(&b, "sku", p->sku);
	buf_c(&b, '}');
	put(&b, "serviceCode", item->service);
	buf_put(&b, S(",\"terms\":{\"OnDemand\":{"));
	json_put_string(&b, arena_fmt(mem, "%.*s." TERM, STR_ARG(p->sku)));
	buf_put(&b, S(":{\"priceDimensions\":{"));
	for (size_t i = 0; i < item->n_tiers; i++)
		put_dimension(&b, mem, p, &item->tiers[i]);
	buf_c(&b, '}');
	put(&b, "sku", p->sku);
	put(&b, "effectiveDate", since);
	put(&b, "offerTermCode", S(TERM));
	buf_put(&b, S(",\"termAttributes\":{}}}}"));
	put(&b, "version", as_of);
	put(&b, "publicationDate", since);
	buf_c(&b, '}');
	return buf_str(&b);
}
