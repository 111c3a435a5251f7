#include "cloud/policy.h"
#include "test/test.h"

static policy *parsed(arena *mem, const char *text, policy_use use)
{
	str wrong;
	policy *p = policy_parse(mem, str_c(text), use, &wrong);
	if (!p)
		test_failed(__FILE__, __LINE__, "%.*s: %s", STR_ARG(wrong), text);
	return p;
}

static str complaint(arena *mem, const char *text, policy_use use)
{
	str wrong;
	CHECK(policy_parse(mem, str_c(text), use, &wrong) == NULL);
	return wrong;
}

TEST(policy_malformed)
{
	static const struct { const char *text; policy_use use; str wrong; } bad[] = {
		{ "", POLICY_TRUST, S("This policy contains invalid Json") },
		{ "[]", POLICY_RESOURCE, S("This policy contains invalid Json") },
		{ "", POLICY_IDENTITY, S("Syntax errors in policy.") },
		{ "{}", POLICY_IDENTITY, S("Syntax errors in policy.") },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":[]}", POLICY_IDENTITY, S("Syntax errors in policy.") },
		{ "{\"Version\":\"2013-10-17\",\"Statement\":[]}", POLICY_TRUST,
		  S("Policy document must be version 2012-10-17 or greater.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\"}}", POLICY_IDENTITY,
		  S("Policy statement must contain actions.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}}", POLICY_IDENTITY,
		  S("Policy statement must contain resources.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3\",\"Resource\":\"*\"}}", POLICY_IDENTITY,
		  S("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"bucket\"}}",
		  POLICY_IDENTITY, S("Resource bucket must be in ARN format or \"*\".") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Principal\":\"*\"}}",
		  POLICY_IDENTITY, S("Policy document should not specify a principal.") },
		{ "{\"Statement\":{\"Effect\":\"allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}", POLICY_IDENTITY,
		  S("The policy failed legacy parsing") },
		{ "{\"Statement\":{\"Action\":\"s3:*\",\"Resource\":\"*\"}}", POLICY_IDENTITY,
		  S("Syntax errors in policy.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Effekt\":1}}",
		  POLICY_IDENTITY, S("Syntax errors in policy.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Effect\":\"Deny\",\"Action\":\"s3:*\","
		  "\"Resource\":\"*\"}}",
		  POLICY_IDENTITY, S("Syntax errors in policy.") },
		{ "{\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},"
		  "{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}", POLICY_IDENTITY,
		  S("Statement IDs (SID) in a single policy must be unique.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Condition\":"
		  "{\"StringLikes\":{\"s3:prefix\":\"a\"}}}}", POLICY_IDENTITY,
		  S("Syntax errors in policy.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\"}}", POLICY_TRUST,
		  S("Missing required field Principal") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\","
		  "\"Resource\":\"*\"}}", POLICY_TRUST, S("Has prohibited field Resource") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\"}}",
		  POLICY_TRUST, S("AssumeRole policy may only specify STS AssumeRole actions.") },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"Aws\":\"*\"},"
		  "\"Action\":\"sts:AssumeRole\"}}",
		  POLICY_TRUST, S("Invalid principal in policy: \"Aws\"") },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_STR(complaint(mem, bad[i].text, bad[i].use), bad[i].wrong);
}

static policy_answer ask_about(arena *mem, const policy *p, const char *action, const char *resource,
                               const policy_key *keys)
{
	policy_question q = { .action = str_c(action), .resource = str_c(resource), .keys = keys };
	return policy_ask(mem, p, &q);
}

TEST(policy_actions_and_resources)
{
	policy *p = parsed(mem,
		"{\"Version\":\"2012-10-17\",\"Statement\":["
		"{\"Sid\":\"read\",\"Effect\":\"Allow\",\"Action\":[\"s3:Get*\",\"s3:List?ucket\"],"
		"\"Resource\":[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]},"
		"{\"Effect\":\"Deny\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/secret/*\"},"
		"{\"Effect\":\"Allow\",\"NotAction\":\"iam:*\",\"NotResource\":\"arn:aws:s3:::*\"}]}",
		POLICY_IDENTITY);
	CHECK(ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b/k", NULL).allowed);
	CHECK(ask_about(mem, p, "S3:getobject", "arn:aws:s3:::b/a/b/c", NULL).allowed);
	CHECK(ask_about(mem, p, "s3:ListBucket", "arn:aws:s3:::b", NULL).allowed);
	CHECK(!ask_about(mem, p, "s3:PutObject", "arn:aws:s3:::b/k", NULL).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::bb/k", NULL).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::B/k", NULL).allowed);
	policy_answer secret = ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b/secret/k", NULL);
	CHECK(secret.denied && secret.allowed && secret.denied->index == 1);
	CHECK(ask_about(mem, p, "ec2:RunInstances", "*", NULL).allowed);
	CHECK(!ask_about(mem, p, "iam:GetUser", "arn:aws:iam::1:user/a", NULL).allowed);
	CHECK_STR(str_sub(p->text, p->statements->start, p->statements->start + 13), S("{\"Sid\":\"read\""));
	CHECK(p->text.p[p->statements->next->end - 1] == '}');
}

TEST(policy_arns_by_segment)
{
	policy_question q = { .resource = S("arn:aws:sqs:us-east-1:000000000001:queue/a:b") };
	static const struct { str pattern; bool fits; } cases[] = {
		{ S("*"), true }, { S("arn:aws:sqs"), true }, { S("arn:aws:sqs:*"), true },
		{ S("arn:aws:sqs:us-*:000000000001:queue/*"), true }, { S("arn:aws:sqs:*:*:*"), true },
		{ S("arn:aws:sqs:*:queue/a:b"), false }, { S("arn:aws:sqs:*:*:queue/a"), false },
		{ S("arn:aws:s?s:*"), true }, { S("arn:aws:sns:*"), false },
		{ S("arn:aws:sqs:us-east-1:000000000001:queue/a:b"), true },
		{ S("arn:aws:sqs:us-east-1:000000000001:queue/a:b:c"), false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (policy_resource_fits(mem, cases[i].pattern, &q, true) != cases[i].fits)
			test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(cases[i].pattern));
}

TEST(policy_variables)
{
	policy *p = parsed(mem,
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":"
		"[\"arn:aws:s3:::b/${aws:username}/*\",\"arn:aws:s3:::c/${aws:PrincipalTag/team, 'none'}/*\","
		"\"arn:aws:s3:::d/${*}\"]}]}",
		POLICY_IDENTITY);
	policy_key *ann = policy_key_add(mem, NULL, S("aws:username"), S("ann"));
	policy_key *star = policy_key_add(mem, NULL, S("aws:username"), S("*"));
	CHECK(ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b/ann/k", ann).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b/bob/k", ann).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b/bob/k", star).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::b//k", NULL).allowed);
	CHECK(ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::c/none/k", NULL).allowed);
	CHECK(ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::d/*", NULL).allowed);
	CHECK(!ask_about(mem, p, "s3:GetObject", "arn:aws:s3:::d/x", NULL).allowed);
	str *names;
	CHECK_I64(policy_context_keys(mem, p, &names), 2);
	CHECK_STR(names[0], S("aws:username"));
	/* Before 2012-10-17 a variable was text like any other. */
	policy *old = parsed(mem, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":"
	                          "\"arn:aws:s3:::b/${aws:username}\"}}", POLICY_IDENTITY);
	CHECK(ask_about(mem, old, "s3:GetObject", "arn:aws:s3:::b/${aws:username}", ann).allowed);
}

static bool holds(arena *mem, const char *condition, const policy_key *keys)
{
	policy_question q = { .keys = keys };
	return policy_condition_holds(mem, json_parse(mem, str_c(condition)), &q, true);
}

TEST(policy_conditions)
{
	static const struct { const char *condition; bool present, absent; } cases[] = {
		/* the key k:s is "Green", k:n "15", k:d 2026-11-21T06:14:12Z, k:b true, k:ip 10.1.2.3 */
		{ "{\"StringEquals\":{\"k:s\":\"Green\"}}", true, false },
		{ "{\"StringEquals\":{\"K:S\":[\"a\",\"Green\"]}}", true, false },
		{ "{\"StringEquals\":{\"k:s\":\"green\"}}", false, false },
		{ "{\"StringEqualsIgnoreCase\":{\"k:s\":\"green\"}}", true, false },
		{ "{\"StringNotEquals\":{\"k:s\":\"Green\"}}", false, true },
		{ "{\"StringNotEquals\":{\"k:s\":[\"a\",\"b\"]}}", true, true },
		{ "{\"StringLike\":{\"k:s\":\"G*e?\"}}", true, false },
		{ "{\"StringEquals\":{\"k:s\":\"G*\"}}", false, false },
		{ "{\"StringNotLike\":{\"k:s\":\"G*\"}}", false, true },
		{ "{\"StringEqualsIfExists\":{\"k:s\":\"Red\"}}", false, true },
		{ "{\"NumericLessThan\":{\"k:n\":\"16\"}}", true, false },
		{ "{\"NumericLessThan\":{\"k:n\":15}}", false, false },
		{ "{\"NumericGreaterThanEquals\":{\"k:n\":\"15.0\"}}", true, false },
		{ "{\"NumericNotEquals\":{\"k:n\":\"15\"}}", false, true },
		{ "{\"DateLessThan\":{\"k:d\":\"2026-11-22T00:00:00Z\"}}", true, false },
		{ "{\"DateGreaterThan\":{\"k:d\":\"1795241651\"}}", true, false },
		{ "{\"DateEquals\":{\"k:d\":\"2026-11-21\"}}", false, false },
		{ "{\"Bool\":{\"k:b\":\"true\"}}", true, false },
		{ "{\"Bool\":{\"k:b\":false}}", false, false },
		{ "{\"BoolIfExists\":{\"k:b\":\"false\"}}", false, true },
		{ "{\"IpAddress\":{\"k:ip\":\"10.0.0.0/8\"}}", true, false },
		{ "{\"IpAddress\":{\"k:ip\":[\"192.168.0.0/16\",\"10.1.2.3\"]}}", true, false },
		{ "{\"IpAddress\":{\"k:ip\":\"10.1.2.0/25\"}}", true, false },
		{ "{\"IpAddress\":{\"k:ip\":\"10.1.2.4/32\"}}", false, false },
		{ "{\"IpAddress\":{\"k:ip\":\"0.0.0.0/0\"}}", true, false },
		{ "{\"IpAddress\":{\"k:ip\":\"10.1.2.3/33\"}}", false, false },
		{ "{\"NotIpAddress\":{\"k:ip\":\"10.0.0.0/8\"}}", false, true },
		{ "{\"IpAddress\":{\"k:ip6\":\"2001:db8::/32\"}}", true, false },
		{ "{\"IpAddress\":{\"k:ip6\":\"2001:db9::/32\"}}", false, false },
		{ "{\"ArnLike\":{\"k:arn\":\"arn:aws:sns:*:*:t*\"}}", true, false },
		{ "{\"ArnEquals\":{\"k:arn\":\"arn:aws:sqs:*\"}}", false, false },
		{ "{\"ArnNotLike\":{\"k:arn\":\"arn:aws:sns:*:*:t*\"}}", false, true },
		{ "{\"Null\":{\"k:s\":\"true\"}}", false, true },
		{ "{\"Null\":{\"k:s\":\"false\"}}", true, false },
		{ "{\"ForAllValues:StringEquals\":{\"k:set\":[\"a\",\"b\",\"c\"]}}", true, true },
		{ "{\"ForAllValues:StringEquals\":{\"k:set\":[\"a\"]}}", false, true },
		{ "{\"ForAnyValue:StringEquals\":{\"k:set\":[\"a\",\"x\"]}}", true, false },
		{ "{\"ForAnyValue:StringEquals\":{\"k:set\":[\"x\"]}}", false, false },
		{ "{\"ForAnyValue:StringNotEquals\":{\"k:set\":[\"a\"]}}", true, false },
		{ "{\"StringEquals\":{\"k:s\":\"Green\"},\"NumericEquals\":{\"k:n\":\"16\"}}", false, false },
		{ "{\"StringEquals\":{\"k:s\":\"Green\",\"k:n\":\"15\"}}", true, false },
		{ "{\"StringLike\":{\"k:s\":\"${k:s}\"}}", true, false },
		{ "{}", true, true },
	};
	static const str set[] = { S("a"), S("b") };
	policy_key *k = policy_key_add(mem, NULL, S("k:s"), S("Green"));
	k = policy_key_add(mem, k, S("k:n"), S("15"));
	k = policy_key_add(mem, k, S("k:d"), S("2026-11-21T06:14:12Z"));
	k = policy_key_add(mem, k, S("k:b"), S("true"));
	k = policy_key_add(mem, k, S("k:ip"), S("10.1.2.3"));
	k = policy_key_add(mem, k, S("k:ip6"), S("2001:DB8::1"));
	k = policy_key_add(mem, k, S("k:arn"), S("arn:aws:sns:us-east-1:1:topic"));
	k = policy_key_add(mem, k, S("k:set"), STR_NONE);
	*k = (policy_key){ .next = k->next, .name = k->name, .v = set, .n = 2, .multivalued = true };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (holds(mem, cases[i].condition, k) != cases[i].present)
			test_failed(__FILE__, __LINE__, "with the key: %s", cases[i].condition);
		if (holds(mem, cases[i].condition, NULL) != cases[i].absent)
			test_failed(__FILE__, __LINE__, "without the key: %s", cases[i].condition);
	}
}

/* Each operator with a value that fits what the policy wants and one that does not. A negated one's are
 * swapped:
 * `fits` is always what passes. */
static const struct operator_row {
	const char *name, *wanted, *fits, *not;
	bool negated;
} operator_rows[] = {
	{ "StringEquals", "Green", "Green", "green", false },
	{ "StringNotEquals", "Green", "green", "Green", true },
	{ "StringEqualsIgnoreCase", "Green", "gREEN", "Greens", false },
	{ "StringNotEqualsIgnoreCase", "Green", "Greens", "gREEN", true },
	{ "StringLike", "G*e?", "Green", "green", false },
	{ "StringNotLike", "G*e?", "green", "Green", true },
	{ "NumericEquals", "15", "15.0", "16", false },
	{ "NumericNotEquals", "15", "16", "15.0", true },
	{ "NumericLessThan", "15", "14.9", "15", false },
	{ "NumericLessThanEquals", "15", "15", "15.1", false },
	{ "NumericGreaterThan", "15", "15.1", "15", false },
	{ "NumericGreaterThanEquals", "-15", "-15", "-15.1", false },
	{ "DateEquals", "2026-11-21T06:14:12Z", "1795241652", "1795241653", false },
	{ "DateNotEquals", "2026-11-21T06:14:12Z", "1795241653", "1795241652", true },
	{ "DateLessThan", "2026-11-21T06:14:12Z", "2026-11-21T06:14:11Z", "2026-11-21T06:14:12Z", false },
	{ "DateLessThanEquals", "1795241652", "2026-11-21T06:14:12Z", "2026-11-21T06:14:13Z", false },
	{ "DateGreaterThan", "2026-11-21T06:14:12Z", "2026-11-21T06:14:13Z", "2026-11-21T06:14:12Z", false },
	{ "DateGreaterThanEquals", "2026-11-21T06:14:12Z", "2026-11-21T06:14:12Z", "2026-11-21T06:14:11Z",
	false },
	{ "Bool", "true", "TRUE", "false", false },
	{ "BinaryEquals", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6", false },
	{ "IpAddress", "203.0.113.0/24", "203.0.113.255", "203.0.114.0", false },
	{ "NotIpAddress", "203.0.113.0/24", "203.0.114.0", "203.0.113.255", true },
	{ "IpAddress", "2001:db8::/33", "2001:DB8:7fff::1", "2001:db8:8000::1", false },
	{ "ArnEquals", "arn:aws:sns:*:1:t?", "arn:aws:sns:us-east-1:1:tx", "arn:aws:sns:us-east-1:1:t", false },
	{ "ArnNotEquals", "arn:aws:sns:*:1:t?", "arn:aws:sns:us-east-1:1:t", "arn:aws:sns:us-east-1:1:tx", true },
	{ "ArnLike", "arn:aws:sns:*:1:t?", "arn:aws:sns:us-east-1:1:tx", "arn:aws:sns:us-east-1:1:t", false },
	{ "ArnNotLike", "arn:aws:sns:*:1:t?", "arn:aws:sns:us-east-1:1:t", "arn:aws:sns:us-east-1:1:tx", true },
};

/* Whether a form of an operator passes when the key is absent, has what fits, what does not, both.
 * Several values
 * without a quantifier: any of them for most operators, all for negated ones. */
static const struct operator_form {
	const char *before, *after, *want, *want_negated;
} operator_forms[] = {
	{ "", "", "nyny", "yynn" },
	{ "", "IfExists", "yyny", "yynn" },
	{ "ForAllValues:", "", "yynn", "yynn" },
	{ "ForAllValues:", "IfExists", "yynn", "yynn" },
	{ "ForAnyValue:", "", "nyny", "nyny" },
	{ "ForAnyValue:", "IfExists", "yyny", "yyny" },
};

TEST(policy_operators_in_every_form)
{
	for (size_t i = 0; i < sizeof operator_rows / sizeof *operator_rows; i++) {
		const struct operator_row *r = &operator_rows[i];
		str values[] = { str_c(r->fits), str_c(r->not) };
		policy_key one = { .name = S("k:x"), .multivalued = true };
		const struct { const str *v; size_t n; } states[] = { { NULL, 0 }, { values, 1 }, { values + 1, 1 },
			                                              { values, 2 } };
		for (size_t k = 0; k < sizeof operator_forms / sizeof *operator_forms; k++) {
			const struct operator_form *f = &operator_forms[k];
			str condition = arena_fmt(mem, "{\"%s%s%s\":{\"k:x\":[\"nothing:like:it\",\"%s\"]}}", f->before,
			                          r->name, f->after, r->wanted);
			for (int n = 0; n < 4; n++) {
				one.v = states[n].v;
				one.n = states[n].n;
				const char *want = r->negated ? f->want_negated : f->want;
				if (holds(mem, condition.p, one.n ? &one : NULL) != (want[n] == 'y'))
					test_failed(__FILE__, __LINE__, "%s, state %d", condition.p, n);
			}
		}
	}
}

TEST(policy_null_and_nothing)
{
	static const struct { const char *condition; bool present, absent; } cases[] = {
		{ "{\"Null\":{\"k:x\":[\"false\",\"true\"]}}", true, true },
		{ "{\"Null\":{\"k:x\":true},\"StringEquals\":{\"k:x\":\"a\"}}", false, false },
		{ "{\"Null\":{\"k:x\":\"false\"},\"ForAllValues:StringEquals\":{\"k:x\":\"a\"}}", true, false },
		{ "{\"StringEquals\":{\"k:x\":[]}}", false, false },
		{ "{\"StringNotEquals\":{\"k:x\":[]}}", true, true },
		{ "{\"StringEquals\":{}}", true, true },
		{ "{\"StringEquals\":{\"k:x\":\"${k:other, 'a'}\"}}", true, false },
		{ "{\"StringEquals\":{\"k:x\":\"${k:other}\"}}", false, false },
		{ "{\"StringNotEquals\":{\"k:x\":\"${k:other}\"}}", true, true },
		{ "{\"StringLike\":{\"k:x\":\"${*}\"}}", false, false },
		{ "{\"NumericEquals\":{\"k:x\":\"0\"}}", false, false },
		{ "{\"Bool\":{\"k:x\":\"a\"}}", false, false },
	};
	policy_key *k = policy_key_add(mem, NULL, S("k:x"), S("a"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (holds(mem, cases[i].condition, k) != cases[i].present)
			test_failed(__FILE__, __LINE__, "with the key: %s", cases[i].condition);
		if (holds(mem, cases[i].condition, NULL) != cases[i].absent)
			test_failed(__FILE__, __LINE__, "without the key: %s", cases[i].condition);
	}
}

TEST(policy_principals)
{
	static const char user[] = "arn:aws:iam::000000000001:user/ann";
	policy_principal ann = { .account = S("000000000001"), .arn = str_c(user) };
	policy_principal session = { .account = S("000000000001"),
		.arn = S("arn:aws:sts::000000000001:assumed-role/R/s"),
		.role = S("arn:aws:iam::000000000001:role/p/R") };
	policy_principal lambda = { .account = S("000000000001"), .service = S("lambda.amazonaws.com") };
	policy_principal nobody = { .anonymous = true };
	static const struct { const char *principal; policy_naming ann, session, lambda, nobody; } cases[] = {
		{ "\"*\"", NAMED_ANYONE, NAMED_ANYONE, NAMED_ANYONE, NAMED_ANYONE },
		{ "{\"AWS\":\"*\"}", NAMED_ANYONE, NAMED_ANYONE, NAMED_ANYONE, NAMED_ANYONE },
		{ "{\"AWS\":\"000000000001\"}", NAMED_ACCOUNT, NAMED_ACCOUNT, NAMED_NOT, NAMED_NOT },
		{ "{\"AWS\":\"arn:aws:iam::000000000001:root\"}", NAMED_ACCOUNT, NAMED_ACCOUNT, NAMED_NOT,
		  NAMED_NOT },
		{ "{\"AWS\":\"arn:aws:iam::000000000002:root\"}", NAMED_NOT, NAMED_NOT, NAMED_NOT, NAMED_NOT },
		{ "{\"AWS\":[\"000000000002\",\"arn:aws:iam::000000000001:user/ann\"]}", NAMED_ITSELF, NAMED_NOT,
		  NAMED_NOT, NAMED_NOT },
		{ "{\"AWS\":\"arn:aws:iam::000000000001:role/p/R\"}", NAMED_NOT, NAMED_ROLE, NAMED_NOT, NAMED_NOT },
		{ "{\"AWS\":\"arn:aws:sts::000000000001:assumed-role/R/s\"}", NAMED_NOT, NAMED_ITSELF, NAMED_NOT,
		  NAMED_NOT },
		{ "{\"Service\":\"lambda.amazonaws.com\"}", NAMED_NOT, NAMED_NOT, NAMED_ITSELF, NAMED_NOT },
		{ "{\"Service\":\"*\"}", NAMED_NOT, NAMED_NOT, NAMED_NOT, NAMED_NOT },
		{ "{\"Federated\":\"cognito-identity.amazonaws.com\"}", NAMED_NOT, NAMED_NOT, NAMED_NOT, NAMED_NOT },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		policy *p = parsed(mem, arena_fmt(mem, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
		                                       "\"Allow\",\"Principal\":%s,\"Action\":\"sts:AssumeRole\"}]}",
		                                  cases[i].principal).p, POLICY_TRUST);
		const policy_principal *who[] = { &ann, &session, &lambda, &nobody };
		policy_naming want[] = { cases[i].ann, cases[i].session, cases[i].lambda, cases[i].nobody };
		for (int w = 0; w < 4; w++) {
			policy_question q = { .action = S("sts:AssumeRole"), .resource = S("*"), .who = who[w] };
			if (policy_ask(mem, p, &q).naming != want[w])
				test_failed(__FILE__, __LINE__, "%s, asker %d", cases[i].principal, w);
		}
	}
}
