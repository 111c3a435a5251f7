#include "plan/estimate.h"
#include "test/test.h"

/* What terraform show -json prints of a plan, cut down: modules, count, a variable, two regions. */
static const char terraform[] =
	"{\"format_version\":\"1.2\",\"variables\":{\"where\":{\"value\":\"eu-west-1\"}},"
	"\"planned_values\":{\"root_module\":{"
	"\"resources\":["
	"{\"address\":\"aws_subnet.s[0]\",\"mode\":\"managed\",\"type\":\"aws_subnet\",\"values\":{}},"
	"{\"address\":\"aws_subnet.s[1]\",\"mode\":\"managed\",\"type\":\"aws_subnet\",\"values\":{}},"
	"{\"address\":\"aws_vpc_endpoint.all\",\"mode\":\"managed\",\"type\":\"aws_vpc_endpoint\","
	"\"values\":{\"vpc_endpoint_type\":\"Interface\"}},"
	"{\"address\":\"aws_vpc_endpoint.one[1]\",\"mode\":\"managed\",\"type\":\"aws_vpc_endpoint\","
	"\"values\":{\"vpc_endpoint_type\":\"Interface\"}},"
	"{\"address\":\"data.aws_ami.x\",\"mode\":\"data\",\"type\":\"aws_ami\",\"values\":{}}],"
	"\"child_modules\":[{\"address\":\"module.web[\\\"a.b\\\"]\",\"resources\":["
	"{\"address\":\"module.web[\\\"a.b\\\"].aws_launch_template.t\",\"mode\":\"managed\","
	"\"type\":\"aws_launch_template\",\"values\":{\"instance_type\":\"t3.micro\"}},"
	"{\"address\":\"module.web[\\\"a.b\\\"].aws_autoscaling_group.g\",\"mode\":\"managed\","
	"\"type\":\"aws_autoscaling_group\",\"values\":{\"desired_capacity\":2}}]}]}},"
	"\"configuration\":{\"provider_config\":{"
	"\"aws\":{\"name\":\"aws\",\"expressions\":{\"region\":{\"references\":[\"var.where\"]}}},"
	"\"aws.us\":{\"name\":\"aws\",\"expressions\":{\"region\":{\"constant_value\":\"us-east-1\"}}}},"
	"\"root_module\":{\"resources\":["
	"{\"address\":\"aws_vpc_endpoint.all\",\"provider_config_key\":\"aws.us\",\"expressions\":{"
	"\"subnet_ids\":{\"references\":[\"aws_subnet.s\"]}}},"
	"{\"address\":\"aws_vpc_endpoint.one\",\"provider_config_key\":\"aws\",\"expressions\":{"
	"\"subnet_ids\":{\"references\":[\"aws_subnet.s\",\"count.index\"]}}}],"
	"\"module_calls\":{\"web\":{\"expressions\":{\"net\":{\"references\":[\"aws_subnet.s[1].id\"]}},"
	"\"module\":{\"outputs\":{\"lt\":{\"expression\":{\"references\":[\"aws_launch_template.t.id\"]}}},"
	"\"resources\":["
	"{\"address\":\"aws_launch_template.t\",\"provider_config_key\":\"aws\",\"expressions\":{}},"
	"{\"address\":\"aws_autoscaling_group.g\",\"provider_config_key\":\"aws\",\"expressions\":{"
	"\"vpc_zone_identifier\":{\"references\":[\"var.net\"]},"
	"\"launch_template\":[{\"id\":{\"references\":[\"aws_launch_template.t.id\",\"aws_launch_template.t\"]}}"
	"]}}"
	"]}}}}}}";

static plan *read_plan(arena *mem, const char *text)
{
	plan *p = NULL;
	CHECK_OK(plan_read(mem, str_c(text), S("us-east-1"), &p));
	return p;
}

static size_t refers(const plan *p, str address, str path)
{
	const plan_resource *r = plan_find(p, address);
	CHECK(r != NULL);
	return pval_count(plan_refers(p, r, path, NOTHING));
}

TEST(plan_of_terraform)
{
	plan *p = read_plan(mem, terraform);
	CHECK_I64(p->n, 6);
	CHECK_STR(plan_find(p, S("aws_vpc_endpoint.all"))->region, S("us-east-1"));
	CHECK_STR(plan_find(p, S("aws_vpc_endpoint.one[1]"))->region, S("eu-west-1"));
	CHECK_STR(plan_find(p, S("module.web[\"a.b\"].aws_autoscaling_group.g"))->region, S("eu-west-1"));
	/* All of them; the one of the same index; through a module's variable. */
	CHECK_I64(refers(p, S("aws_vpc_endpoint.all"), S("subnet_ids")), 2);
	CHECK_I64(refers(p, S("aws_vpc_endpoint.one[1]"), S("subnet_ids")), 1);
	str group = S("module.web[\"a.b\"].aws_autoscaling_group.g");
	CHECK_I64(refers(p, group, S("vpc_zone_identifier")), 1);
	value t = plan_refers(p, plan_find(p, group), S("launch_template.id"), NOTHING);
	CHECK_STR(pval_at(t, 0).resource->address, S("module.web[\"a.b\"].aws_launch_template.t"));
	const plan_resource *subnet = plan_find(p, S("aws_subnet.s[1]"));
	CHECK_I64(pval_count(plan_referrers(p, subnet, S("aws_vpc_endpoint"), S("*"))), 2);
	CHECK_I64(pval_count(plan_referrers(p, plan_find(p, S("aws_subnet.s[0]")), S("*"), S("*"))), 1);
	CHECK_I64(pval_count(plan_siblings(p, plan_find(p, group), S("aws_*"))), 2);
	CHECK_I64(pval_count(plan_siblings(p, subnet, S("aws_subnet"))), 2);
}

/* Through fifteen modules, each of which names each of four things by each of four: once through each. */
TEST(plan_of_modules_in_modules)
{
	const char *four = "{\"references\":[\"var.a\",\"var.b\",\"var.c\",\"var.d\",\"aws_subnet.s.id\"]}";
	buf b = buf_in(mem, 1 << 12, 1 << 16), address = buf_in(mem, 64, 1024);
	for (int i = 0; i < 15; i++)
		buf_put(&address, S("module.m."));
	buf_put(&address, S("aws_x.y"));
	buf_fmt(&b, "{\"planned_values\":{\"root_module\":{\"resources\":["
	        "{\"address\":\"aws_subnet.s\",\"type\":\"aws_subnet\"},"
	        "{\"address\":\"%.*s\",\"type\":\"aws_x\"}]}},\"configuration\":{\"root_module\":",
	        STR_ARG(buf_str(&address)));
	for (int i = 0; i < 15; i++)
		buf_fmt(&b, "{\"module_calls\":{\"m\":{\"expressions\":{\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s},"
		        "\"module\":", four, four, four, four);
	buf_fmt(&b, "{\"resources\":[{\"address\":\"aws_x.y\",\"expressions\":{\"net\":%s,\"too\":%s}}]}",
	        four, four);
	for (int i = 0; i < 15; i++)
		buf_put(&b, S("}}}"));
	buf_put(&b, S("}}"));
	plan *p = read_plan(mem, buf_str(&b).p);
	CHECK_I64(refers(p, buf_str(&address), S("net")), 1);
	CHECK_I64(refers(p, buf_str(&address), S("too")), 1);
}

TEST(plan_of_a_state)
{
	/* A state knows ids and no configuration. */
	plan *p = read_plan(mem, "{\"values\":{\"root_module\":{\"resources\":["
		"{\"address\":\"aws_ebs_volume.v\",\"type\":\"aws_ebs_volume\","
		"\"values\":{\"id\":\"vol-1\",\"size\":70}},"
		"{\"address\":\"aws_ebs_snapshot.s\",\"type\":\"aws_ebs_snapshot\","
		"\"values\":{\"volume_id\":\"vol-1\"}}]}}}");
	const plan_resource *s = plan_find(p, S("aws_ebs_snapshot.s"));
	value v = plan_refers(p, s, S("volume_id"), plan_value(s, S("volume_id")));
	CHECK_STR(pval_at(v, 0).resource->address, S("aws_ebs_volume.v"));
}

TEST(plan_of_what_says_its_region_itself)
{
	plan *p = read_plan(mem, "{\"values\":{\"root_module\":{\"resources\":["
		"{\"address\":\"aws_db_instance.d\",\"type\":\"aws_db_instance\","
		"\"values\":{\"arn\":\"arn:aws:rds:eu-west-1:123456789012:db:d\"}},"
		"{\"address\":\"aws_ebs_volume.v\",\"type\":\"aws_ebs_volume\","
		"\"values\":{\"availability_zone\":\"eu-central-1b\"}},"
		"{\"address\":\"aws_ebs_volume.local\",\"type\":\"aws_ebs_volume\","
		"\"values\":{\"availability_zone\":\"us-west-2-lax-1a\"}}]}}}");
	CHECK_STR(plan_find(p, S("aws_db_instance.d"))->region, S("eu-west-1"));
	CHECK_STR(plan_find(p, S("aws_ebs_volume.v"))->region, S("eu-central-1"));
	CHECK_STR(plan_find(p, S("aws_ebs_volume.local"))->region, S("us-west-2"));
	CHECK(!p->guessed);
	p = read_plan(mem, "{\"values\":{\"root_module\":{\"resources\":["
		"{\"address\":\"aws_s3_bucket.b\",\"type\":\"aws_s3_bucket\",\"values\":{\"arn\":\"arn:aws:s3:::b\"}}"
		"]}}}");
	CHECK_STR(p->first->region, S("us-east-1"));
	CHECK(p->guessed);
	/* The provider's region goes before a zone, and it is known. */
	p = read_plan(mem, "{\"region\":\"us-east-1\",\"resources\":[{\"address\":\"aws_ebs_volume.v\","
		"\"type\":\"aws_ebs_volume\",\"values\":{\"availability_zone\":\"us-west-2a\"}}]}");
	CHECK_STR(p->first->region, S("us-east-1"));
	CHECK(!p->guessed);
}

TEST(plan_usage_of_address_star_and_type)
{
	plan *p = read_plan(mem, "{\"resources\":["
		"{\"address\":\"aws_sqs_queue.q[0]\",\"type\":\"aws_sqs_queue\",\"values\":{}},"
		"{\"address\":\"aws_sqs_queue.q[1]\",\"type\":\"aws_sqs_queue\",\"values\":{}}]}");
	CHECK_OK(plan_read_usage(p, S("{\"version\":\"0.1\",\"resource_usage\":{"
		"\"aws_sqs_queue.q[1]\":{\"monthly_requests\":7},\"aws_sqs_queue.q[*]\":{\"monthly_requests\":5}},"
		"\"resource_type_default_usage\":{\"aws_sqs_queue\":{\"request_size_kb\":128}}}")));
	const plan_resource *a = plan_find(p, S("aws_sqs_queue.q[0]"));
	const plan_resource *b = plan_find(p, S("aws_sqs_queue.q[1]"));
	CHECK_STR(plan_usage(p, a, S("monthly_requests"))->text, S("5"));
	CHECK_STR(plan_usage(p, b, S("monthly_requests"))->text, S("7"));
	CHECK_STR(plan_usage(p, a, S("request_size_kb"))->text, S("128"));
	CHECK(plan_usage(p, a, S("other")) == NULL);
}

TEST(plan_usage_of_modules_with_stars)
{
	plan *p = read_plan(mem, "{\"resources\":["
		"{\"address\":\"module.m[\\\"a\\\"].aws_sqs_queue.q\",\"type\":\"aws_sqs_queue\",\"values\":{}},"
		"{\"address\":\"module.m[0].module.n.aws_sqs_queue.q[1]\",\"type\":\"aws_sqs_queue\"}]}");
	CHECK_OK(plan_read_usage(p, S("resource_usage:\n"
		"  module.m[*].aws_sqs_queue.q:\n    monthly_requests: 5\n"
		"  module.m[*].module.n.aws_sqs_queue.q[*]:\n    monthly_requests: 6\n")));
	CHECK_STR(plan_usage(p, p->first, S("monthly_requests"))->text, S("5"));
	CHECK_STR(plan_usage(p, p->last, S("monthly_requests"))->text, S("6"));
	CHECK(plan_usage_fits(p, S("module.m[*].aws_sqs_queue.q")));
	CHECK(!plan_usage_fits(p, S("module.k[*].aws_sqs_queue.q")));
}

static str refused(arena *mem, const char *text)
{
	plan *p;
	err e = plan_read(mem, str_c(text), S("us-east-1"), &p);
	return e ? e->message : S("");
}

TEST(plan_refuses_what_is_none)
{
	plan *p;
	CHECK(plan_read(mem, S(""), S("us-east-1"), &p));
	CHECK(plan_read(mem, S("[1]"), S("us-east-1"), &p));
	CHECK(plan_read(mem, S("{\"a\":1}"), S("us-east-1"), &p));
	plan *good = read_plan(mem, "{\"resources\":[]}");
	CHECK(plan_read_usage(good, S("[]")));
	CHECK(plan_read_usage(good, S("{")));
}

/* What cannot be read is said: a resource that is dropped would be a cost that nobody sees. */
TEST(plan_refuses_resources_that_are_none)
{
	plan *p;
	CHECK_STR(refused(mem, "{\"resources\":{}}"), S("resources is no list"));
	CHECK_STR(refused(mem, "{\"planned_values\":{\"root_module\":{\"child_modules\":[{\"resources\":3}]}}}"),
	          S("resources is no list"));
	CHECK_STR(refused(mem, "{\"resources\":[{\"address\":\"aws_eip.a\",\"type\":\"aws_eip\"},"
	                       "{\"type\":\"aws_eip\"}]}"),
	          S("resource 2 of 2 has no address or no type"));
	CHECK_STR(refused(mem, "{\"resources\":[null]}"), S("resource 1 of 1 has no address or no type"));
	CHECK_STR(refused(mem, "{\"planned_values\":3}"), S("planned_values is no object"));
	CHECK_OK(plan_read(mem, S("{\"planned_values\":{}}"), S("us-east-1"), &p));
	CHECK_OK(plan_read(mem, S("{\"resources\":[{\"address\":\"data.a.b\",\"mode\":\"data\"}]}"),
	                   S("us-east-1"), &p));
	CHECK_I64((int64_t)p->n, 0);
}

TEST(plan_usage_in_yaml)
{
	plan *p = read_plan(mem, "{\"resources\":[{\"address\":\"aws_s3_bucket.b[\\\"a: b\\\"]\","
		"\"type\":\"aws_s3_bucket\",\"values\":{}}]}");
	CHECK_OK(plan_read_usage(p, S("version: 0.1\n"
		"resource_usage: # what follows\n"
		"  aws_other.none:\n"
		"  'aws_s3_bucket.b[\"a: b\"]':\n"
		"      standard:\n"
		"        storage_gb: 1_000.5   # GB\n"
		"        text: \"a # b\"\r\n"
		"\n"
		"        empty: {}\n"
		"      small: -2e3\n"
		"      \"with \\\"quotes\\\": #\": 'it''s'\n"
		"resource_type_default_usage:\n"
		"  aws_s3_bucket:\n"
		"    flag: true\n")));
	const plan_resource *b = p->first;
	const json_value *standard = plan_usage(p, b, S("standard"));
	CHECK_STR(json_get(standard, S("storage_gb"))->text, S("1000.5"));
	CHECK_STR(json_get(standard, S("text"))->text, S("a # b"));
	CHECK(json_get(standard, S("empty"))->kind == JSON_OBJECT);
	CHECK_STR(plan_usage(p, b, S("small"))->text, S("-2e3"));
	CHECK_STR(plan_usage(p, b, S("with \"quotes\": #"))->text, S("it's"));
	CHECK(plan_usage(p, b, S("flag"))->kind == JSON_TRUE);
	static const char *const wrong[] = {
		"a\n", "a: [1]\n", "- a\n", "a:\n  b: 1\n   c: 2\n", "a:\n\tb: 1\n", "a: 1\n  b: 2\n",
		": 1\n", "a: &x\n", "a:\n  - b: 1\n    c: 2\n", "a:\n-\n  b: 1\n",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(plan_read_usage(p, str_c(wrong[i])));
}
