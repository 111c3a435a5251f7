#include "price/offers.h"
#include "test/test.h"

#define JSON_OFFER \
	"{\"formatVersion\":\"v1.0\",\"offerCode\":\"AWSLambda\"," \
	"\"publicationDate\":\"2026-10-20T00:00:00Z\"," \
	"\"products\":{" \
	"\"AAA\":{\"sku\":\"AAA\",\"productFamily\":\"Serverless\"," \
	"\"attributes\":{\"servicecode\":\"AWSLambda\"," \
	"\"regionCode\":\"eu-west-1\"," \
	"\"group\":\"AWS-Lambda-Duration\",\"usagetype\":\"EU-Lambda-GB-Second\"}}," \
	"\"BBB\":{\"sku\":\"BBB\",\"attributes\":{\"servicecode\":\"AWSLambda\",\"regionCode\":\"eu-west-1\"," \
	"\"group\":\"AWS-Lambda-Edge-Duration\",\"odd\":[1,{\"x\":null}]}}}," \
	"\"terms\":{\"OnDemand\":{" \
	"\"BBB\":{\"BBB.T\":{\"priceDimensions\":{\"x\":{\"pricePerUnit\":{\"USD\":\"9\"}}}}}," \
	"\"AAA\":{\"AAA.T\":{\"effectiveDate\":\"x\",\"priceDimensions\":{" \
	"\"AAA.2\":{\"unit\":\"Lambda-GB-Second\",\"beginRange\":\"6000000000\",\"endRange\":\"Inf\"," \
	"\"pricePerUnit\":{\"USD\":\"0.0000150000\"}}," \
	"\"AAA.1\":{\"unit\":\"Lambda-GB-Second\",\"beginRange\":\"0\",\"endRange\":\"6000000000\"," \
	"\"pricePerUnit\":{\"CNY\":\"1\",\"USD\":\"0.0000166667\"}}}}}},\"Reserved\":{\"AAA\":{}}}}"

#define CSV_OFFER \
	"\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"none\"\n\"Publication Date\",\"2026-10-20T00:00:00Z\"\n" \
	"\"Version\",\"20261020\"\n\"OfferCode\",\"AmazonEC2\"\n" \
	"\"SKU\",\"OfferTermCode\",\"TermType\",\"StartingRange\",\"EndingRange\",\"Unit\",\"PricePerUnit\"," \
	"\"Currency\",\"Product Family\",\"serviceCode\",\"Instance Type\",\"Operating System\",\"Tenancy\"," \
	"\"Pre Installed S/W\",\"CapacityStatus\",\"Region Code\"\n" \
	"\"S1\",\"T\",\"OnDemand\",\"0\",\"Inf\",\"Hrs\",\"0.0456\",\"USD\",\"Compute Instance\",\"AmazonEC2\"," \
	"\"t3.medium\",\"Linux\",\"Shared\",\"NA\",\"Used\",\"eu-west-1\"\n" \
	"\"S1\",\"T\",\"Reserved\",\"0\",\"Inf\",\"Hrs\",\"0.01\",\"USD\",\"Compute Instance\",\"AmazonEC2\"," \
	"\"t3.medium\",\"Linux\",\"Shared\",\"NA\",\"Used\",\"eu-west-1\"\n" \
	"\"S2\",\"T\",\"OnDemand\",\"0\",\"Inf\",\"Hrs\",\"9\",\"USD\",\"Compute Instance\",\"AmazonEC2\"," \
	"\"t3.medium\",\"Linux\",\"Dedicated\",\"NA\",\"Used\",\"eu-west-1\"\n"

TEST(offers_json_of_aws)
{
	book *b = book_built_in(mem);
	offer_report r;
	CHECK(offer_looks_like(S(JSON_OFFER)));
	CHECK_OK(book_add_offer(b, S(JSON_OFFER), S("lambda.json"), &r));
	CHECK(r.products == 2 && r.matched == 1 && r.prices == 1);
	bool elsewhere = true;
	const price_item *item = book_find(b, S("eu-west-1"), S("lambda.x86.gb_second"), &elsewhere);
	CHECK(item && !elsewhere && item->n_tiers == 2 && item->tiers[1].usd == 15000000);
	CHECK_STR(item->unit, S("GB-second"));
	CHECK_STR(item->tiers[0].as_of, S("2026-10-20"));
	/* The allowance is still the account's, shared with us-east-1. */
	CHECK(item->pool && item->pool == book_find(b, S("us-east-1"), S("lambda.arm.gb_second"), NULL)->pool);
}

TEST(offers_csv_of_aws)
{
	book *b = book_built_in(mem);
	offer_report r;
	CHECK(offer_looks_like(S(CSV_OFFER)));
	CHECK_OK(book_add_offer(b, S(CSV_OFFER), S("ec2.csv"), &r));
	CHECK(r.matched == 1 && r.prices == 1);
	const price_item *item = book_find(b, S("eu-west-1"), S("ec2.linux.t3.medium"), NULL);
	CHECK(item && item->tiers[0].usd == INT64_C(45600000000) && item->n_tiers == 1);
}

/* Found by AWS's names, told apart, in our units; tiers that are not whole spoil nothing. */
#define PRODUCT(sku, attributes) "\"" sku "\":{\"attributes\":{" attributes "}},"
#define PRICE(sku, range, usd) \
	"\"" sku "\":{\"T\":{\"priceDimensions\":{\"D\":{" range ",\"pricePerUnit\":{\"USD\":\"" usd "\"}}}}},"
#define ALL "\"beginRange\":\"0\",\"endRange\":\"Inf\""
#define EC2(type) "\"servicecode\":\"AmazonEC2\",\"regionCode\":\"eu-west-1\",\"usagetype\":\"" type "\""
#define NAMED_OFFER \
	"{\"offerCode\":\"AmazonEC2\",\"products\":{" \
	PRODUCT("I", EC2("EU-EBS:VolumeP-IOPS.gp3")) PRODUCT("T", EC2("EU-EBS:VolumeP-Throughput.gp3")) \
	PRODUCT("U", EC2("EUC1-EBS:VolumeP-IOPS.io2")) PRODUCT("O", EC2("EU-EBS:VolumeP-IOPS.piops")) \
	PRODUCT("D", "\"servicecode\":\"AWSDataTransfer\",\"usagetype\":\"EU-DataTransfer-Out-Bytes\"," \
	        "\"fromLocationType\":\"AWS Region\",\"toLocation\":\"External\"," \
	        "\"fromRegionCode\":\"eu-west-1\"") \
	"\"Z\":{}},\"terms\":{\"OnDemand\":{" \
	PRICE("I", ALL, "0.0055") PRICE("T", ALL, "45.056") PRICE("U", ALL, "0.07") \
	PRICE("O", "\"beginRange\":\"5\",\"endRange\":\"Inf\"", "0.07") PRICE("D", ALL, "0.08") "\"Z\":{}}}}"

TEST(offers_are_found_by_their_names)
{
	book *b = book_built_in(mem);
	offer_report r;
	CHECK_OK(book_add_offer(b, S(NAMED_OFFER), S("ec2.json"), &r));
	CHECK_I64((int64_t)r.prices, 3);
	const struct { str sku; int64_t usd; } want[] = {
		{ S("ebs.gp3.iops"), INT64_C(5500000000) },
		{ S("ebs.gp3.mbps"), INT64_C(44000000000) }, /* 45.056 for a GiB a second */
		{ S("dt.out.internet"), INT64_C(80000000000) },
	};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		bool elsewhere = true;
		const price_item *item = book_find(b, S("eu-west-1"), want[i].sku, &elsewhere);
		CHECK(item && !elsewhere);
		CHECK_I64(item->tiers[0].usd, want[i].usd);
	}
	bool elsewhere = false;
	const price_item *kept = book_find(b, S("eu-west-1"), S("ebs.io1.iops"), &elsewhere);
	CHECK(kept && !elsewhere && str_eq(kept->tiers[0].source, S("IC[elastic_beanstalk_environment]")));
	CHECK(book_find(b, S("eu-central-1"), S("ebs.io2.iops"), &elsewhere) && elsewhere);
}

TEST(offers_broken_files_are_faults)
{
	const char *bad[] = { "{", "{\"products\":{\"A\":{}", "[]",
		"\"FormatVersion\",\"v1.0\"\n\"SKU\",\"a\",\"b\"\n",
		"\"FormatVersion\",\"v1.0\"\n\"open" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		offer_report r;
		CHECK(book_add_offer(book_built_in(mem), str_c(bad[i]), S("bad"), &r) != OK);
	}
}
