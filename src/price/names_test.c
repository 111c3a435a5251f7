#include "price/book.h"
#include "test/test.h"

TEST(names_every_product_has_one)
{
	const book *b = book_built_in(mem);
	for (size_t i = 0; i < book_items(b); i++) {
		const price_item *item = book_item(b, i);
		CHECK(item->unsold == (item->name == NULL));
		for (const price_name *n = item->name; n; n = n->next) {
			CHECK(n->service.n && n->usage_type.n && n->family.n && n->unit.n);
			CHECK(str_find(n->usage_type, S("{")) == SIZE_MAX);
		}
	}
}

/* Names are told apart: AWS's words lead back to the item they came from, in every region. */
TEST(names_lead_back)
{
	const book *b = book_built_in(mem);
	const str regions[] = { S("us-east-1"), S("eu-central-1"), S("eu-west-1") };
	for (size_t i = 0; i < book_items(b); i++)
		for (const price_name *n = book_item(b, i)->name; n; n = n->next)
			for (size_t r = 0; r < 3; r++) {
				str type = price_usage_type(mem, b, book_item(b, i), n, regions[r]), region;
				const price_name *found;
				const price_item *item = book_find_usage(b, n->service, type, n->operation, &region, &found);
				bool placed = n->prefix < PREFIX_USE1;
				str where = placed ? regions[r] : PRICE_HOME_REGION;
				CHECK(item == book_find(b, where, book_item(b, i)->sku, NULL));
				if (!item) /* not sold there */
					continue;
				CHECK_STR(found->usage_type, n->usage_type);
				CHECK_STR(found->operation, n->operation);
				CHECK_STR(region, where);
			}
}

TEST(names_of_regions)
{
	const book *b = book_built_in(mem);
	const price_item *request = book_find(b, S("us-east-1"), S("lambda.x86.requests"), NULL);
	const price_item *api = book_find(b, S("us-east-1"), S("apigw.http.requests"), NULL);
	const price_item *key = book_find(b, S("us-east-1"), S("kms.key"), NULL);
	CHECK_STR(price_usage_type(mem, b, request, NULL, S("us-east-1")), S("Request"));
	CHECK_STR(price_usage_type(mem, b, request, NULL, S("eu-central-1")), S("EUC1-Request"));
	CHECK_STR(price_usage_type(mem, b, api, NULL, S("us-east-1")), S("USE1-ApiGatewayHttpRequest"));
	CHECK_STR(price_usage_type(mem, b, key, NULL, S("eu-west-1")), S("eu-west-1-KMS-Keys"));
	str region;
	CHECK(!book_find_usage(b, S("AWSLambda"), S("USE1-Request"), S(""), &region, NULL));
	CHECK(!book_find_usage(b, S("AWSLambda"), S("Request"), S("RunInstances"), &region, NULL));
	CHECK(!book_find_usage(b, S("AmazonApiGateway"), S("ApiGatewayHttpRequest"), S(""), &region, NULL));
	CHECK(!book_find_usage(b, S("AmazonSQS"), S("Request"), S(""), &region, NULL));
}
