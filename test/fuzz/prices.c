/* Price tables, pools and AWS's offer files: any bytes. What is accepted must price without surprises. */
#include "base/err.h"
#include "price/book_inside.h"
#include "price/charge.h"
#include "price/offers.h"

static void count(void *context, const charge *c)
{
	ensure(c->amount >= 0 && c->quantity > 0);
	*(i128 *)context += c->quantity;
}

static void price_items(arena *mem, const book *b)
{
	pricing_options o = { .book = b, .profile = PROFILE_PAID, .month = INT64_C(1793491200000) };
	pricing *p = pricing_open(mem, &o);
	size_t n = book_items(b);
	for (size_t i = n > 40 ? n - 40 : 0; i < n; i++) {
		const price_item *item = book_item(b, i);
		price_use u = { .region = item->region, .sku = item->sku, .quantity = INT64_MAX, .per = QTY_ONE };
		i128 got = 0;
		if (item->region.n + item->sku.n > 500)
			continue;
		pricing_add(p, &u, count, &got);
		ensure(got == INT64_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	arena *mem = arena_open(1 << 16);
	book *b = book_empty(mem);
	str text = str_of((const char *)data + 1, size - 1);
	offer_report r;
	err e = data[0] % 3 == 0   ? book_add_csv(b, text, S("fuzz"), S("us-east-1"), PRICE_OF_USER)
	        : data[0] % 3 == 1 ? book_add_offer(b, text, S("fuzz"), &r)
	                           : book_add_pools(b, text, S("fuzz"));
	if (e)
		ensure(e->message.n > 0);
	else
		price_items(mem, b);
	arena_close(mem);
	return 0;
}
