#include "cloud/policy.h"
#include "test/test.h"

/* Documents are written with ' for ". `rest` is what stands beside Effect Allow in the only statement. */
static const struct row {
	const char *rest, *wrong; /* NULL: good */
} rows[] = {
	{ "'Action':'s3:List','Resource':'arn:aws:s3:::b'", NULL },
	{ "'Action':'iam: a b ','Resource':['arn:aws:s3:::b','*']", NULL },
	{ "'Action':'*','Resource':'*'", NULL },
	{ "'Action':'s3.s-s:List','Resource':'arn:aws:fdsasf'", NULL },
	{ "'NotAction':'s3:List','NotResource':'*'", NULL },
	{ "'Action':'s3:*','Resource':'arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/*'", NULL },
	{ "'Action':'s3:L','Resource':'arn:aws:iam::*:user/${aws:username}'", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'x':{},'y':{}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateGreaterThan':{'a':[]}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'ForAnyValue:StringEqualsIfExists':{'a':'b'}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'01T'}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'2016-12-13t2:00:00.593194+23'}}",
	  NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'2019-07-01T13:20:15Z'}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'-292275054'}}", NULL },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'sdf'}}",
	  "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'234-13'}}",
	  "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'2016-12-13t2:00:00.593194+1'}}",
	  "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'*','Condition':"
	  "{'DateLessThan':{'a':'2016-12-13t2:00:00.1999999999+10:59'}}",
	  "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'*','Condition':{'DateLessThan':{'a':'9223372036854775808'}}",
	  "The policy failed legacy parsing" },
	{ "'Condition':{'DateLessThan':{'a':'sdf'}}", "The policy failed legacy parsing" },
	{ "'Condition':{'DateLessThan':{'a':{}}}", "Syntax errors in policy." },
	{ "'Action':'s3:L','Resource':'*','Condition':[]", "Syntax errors in policy." },
	{ "'Action':'s3:L','Resource':'*','Condition':{'x':{'a':'1'}}", "Syntax errors in policy." },
	{ "'Action':'s3:L','Resource':'*','Condition':{'ForAnyValue::StringEquals':{'a':'b'}}",
	  "Syntax errors in policy." },
	{ "'Action':'s3:L','Resource':'*','NotResource':[]", "Syntax errors in policy." },
	{ "'Action':[[]],'Resource':'*'", "Syntax errors in policy." },
	{ "'Sid':[],'Action':'s3:L','Resource':'*'", "Syntax errors in policy." },
	{ "'Resource':'*'", "Policy statement must contain actions." },
	{ "'Action':[],'Resource':'*'", "Policy statement must contain actions." },
	{ "'Action':'invalid'", "Policy statement must contain resources." },
	{ "'Action':'s3:L','Resource':[]", "Policy statement must contain resources." },
	{ "'NotAction':'','Resource':'*'",
	  "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc." },
	{ "'Action':'a a:L','Resource':'*'", "Vendor a a is not valid" },
	{ "'Action':'s3:L:B','Resource':'*'", "Actions/Condition can contain only one colon." },
	{ "'Action':'s:3:L','Resource':'sdf'", "Resource sdf must be in ARN format or \"*\"." },
	{ "'Action':'s3:L','Resource':''", "Resource  must be in ARN format or \"*\"." },
	{ "'Action':'s3:L','Resource':'a:bad'",
	  "Partition \"bad\" is not valid for resource \"arn:bad:*:*:*:*\"." },
	{ "'Action':'s3:L','Resource':'a:b:c'", "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"." },
	{ "'Action':'s3:L','Resource':'a:b:c:d:e:f:g:h'",
	  "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\"." },
	{ "'Action':'s3:L','Resource':'aws:s3:::bucket'",
	  "Partition \"s3\" is not valid for resource \"arn:s3:::bucket:*\"." },
	{ "'Action':'s3:L','Resource':['arn:no:s3:::b','arn:no:s3::b']",
	  "Partition \"no\" is not valid for resource \"arn:no:s3:::b\"." },
	{ "'Action':'s3:L','Resource':'arn:aws'",
	  "Resource vendor must be fully qualified and cannot contain regexes." },
	{ "'Action':'s3:L','Resource':'arn:aws:s3::b'", "The policy failed legacy parsing" },
	{ "'Resource':'arn:aws:s3::b'", "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'arn:aws::::b'", "The policy failed legacy parsing" },
	{ "'Action':'s3:L','Resource':'arn:aws:iam:us-east-1::b'",
	  "IAM resource arn:aws:iam:us-east-1::b cannot contain region information." },
	{ "'Action':'s3:L','Resource':'arn:aws:s3:us-east-1::b'",
	  "Resource arn:aws:s3:us-east-1::b can not contain region information." },
	{ "'Action':'s3:L','Resource':'arn:aws:iam:::b'",
	  "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, "
	  "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, "
	  "report/, access-report/." },
};

static str quoted(arena *mem, str text)
{
	char *p = arena_bytes(mem, text.n);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '\'' ? '"' : text.p[i];
	return str_of(p, text.n);
}

TEST(policy_identity_rows)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		str wrong, text = quoted(mem, arena_fmt(mem, "{'Version':'2012-10-17','Statement':{'Effect':"
		                                        "'Allow',%s}}", rows[i].rest));
		bool good = policy_parse(mem, text, POLICY_MANAGED, &wrong) != NULL;
		if (good != !rows[i].wrong || (!good && !str_eq(wrong, str_c(rows[i].wrong))))
			test_failed(__FILE__, __LINE__, "%s: %.*s", rows[i].rest, STR_ARG(wrong));
	}
}

TEST(policy_identity_whole_documents)
{
	static const struct { const char *text, *wrong; } whole[] = {
		{ "{'Statement':{'Effect':'denY'}}", "Policy document must be version 2012-10-17 or greater." },
		{ "{'Version':'2008-10-17','Statement':{'Effect':'Deny'}}",
		  "Policy document must be version 2012-10-17 or greater." },
		{ "{'Version':'2013-10-17','Statement':{'Effect':'Deny'}}", "Syntax errors in policy." },
		{ "{'Version':'2012-10-17','Statement':['a']}", "Syntax errors in policy." },
		{ "{'Version':'2012-10-17','Id':[],'Statement':{'Effect':'Deny'}}", "Syntax errors in policy." },
		{ "{'Version':'2012-10-17','More':1,'Statement':{'Effect':'Deny'}}", "Syntax errors in policy." },
		{ "{'Version':'2012-10-17','Statement':{'Effect':'no','Action':'s3:L','Resource':'*'}}",
		  "Syntax errors in policy." },
		{ "{'Version':'2012-10-17','Statement':[{'Sid':'a','Effect':'Allow','Action':'s3:L','Resource':'*'},"
		  "{'Sid':'a','Effect':'Allow'}]}",
		  "Statement IDs (SID) in a single policy must be unique." },
	};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		str wrong, text = quoted(mem, str_c(whole[i].text));
		CHECK(policy_parse(mem, text, POLICY_MANAGED, &wrong) == NULL);
		CHECK_STR(wrong, str_c(whole[i].wrong));
	}
	str wrong, old = quoted(mem, S("{'Statement':{'Effect':'Deny','Action':'s3:*','Resource':'*'}}"));
	CHECK(policy_parse(mem, old, POLICY_IDENTITY, &wrong) != NULL);
}
