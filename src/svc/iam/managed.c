/*
 * AWS's own managed policies: the ones that people and templates name most. The documents are ours and say
 * in a few lines what AWS's say in many; a policy of AWS that is not here is answered as not existing.
 */
#include "base/digest.h"
#include "entity.h"
#include "managed.h"
#include <pthread.h>

/* A few are more than a list of actions. */
static const struct { const char *name, *document; } special[] = {
	{ "PowerUserAccess",
	  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\","
	  "\"organizations:*\",\"account:*\"],\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":["
	  "\"iam:CreateServiceLinkedRole\",\"iam:DeleteServiceLinkedRole\",\"iam:ListRoles\","
	  "\"organizations:DescribeOrganization\",\"account:ListRegions\",\"account:GetAccountInformation\"],"
	  "\"Resource\":\"*\"}]}" },
	{ "AWSDenyAll",
	  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"DenyAll\",\"Effect\":\"Deny\","
	  "\"Action\":[\"*\"],\"Resource\":\"*\"}]}" },
};

#define N_SPECIAL (sizeof special / sizeof *special)
/* Fri, 06 Feb 2015 18:39:46 GMT: when AWS made the first of them. */
#define MADE INT64_C(1423247986000)

static void put_list(buf *b, const char *words)
{
	str rest = str_c(words);
	bool first = true;
	buf_c(b, '[');
	while (str_is(rest)) {
		if (!first)
			buf_c(b, ',');
		first = false;
		json_put_string(b, str_cut(&rest, ' '));
	}
	buf_c(b, ']');
}

static str document_of(arena *mem, const aws_row *row)
{
	buf b = buf_in(mem, 512, (size_t)32 << 10);
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"));
	put_list(&b, row->actions);
	buf_put(&b, S(",\"Resource\":"));
	const char *resources = row->resources ? row->resources : "*";
	if (strchr(resources, ' '))
		put_list(&b, resources);
	else
		json_put_string(&b, str_c(resources));
	buf_put(&b, S("}]}"));
	return buf_str(&b);
}

/* Ids are made from the name, so that they are the same everywhere and always. */
static str id_of(arena *mem, str name)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char hash[32];
	char *p = arena_bytes(mem, 21);
	sha256(name, hash);
	memcpy(p, "ANPA", 4);
	for (int i = 0; i < 17; i++)
		p[4 + i] = digits[hash[i] & 31];
	return str_of(p, 21);
}

/* All of them, made once: every decision about somebody who holds one looks here. */
static struct {
	pthread_once_t once;
	size_t n;
	const iam_Policy **it;
	str *documents;
} made = { .once = PTHREAD_ONCE_INIT };

static const struct { const char *name, *version, *description; } known[] = {
	{ "AdministratorAccess", "v1", "Provides full access to AWS services and resources." },
	{ "AmazonS3FullAccess", "v2", "Provides full access to all buckets via the AWS Management Console." },
	{ "AmazonS3ReadOnlyAccess", "v3",
	  "Provides read only access to all buckets via the AWS Management Console." },
	{ "AWSLambdaBasicExecutionRole", "v1", "Provides write permissions to CloudWatch Logs." },
	{ "IAMUserChangePassword", "v5", "Provides the ability for an IAM user to change their own password." },
	{ "PowerUserAccess", "v5",
	  "Provides full access to AWS services and resources, but does not allow management of Users and "
	  "groups." },
	{ "ReadOnlyAccess", "v1", "Provides read-only access to AWS services and resources." },
};

static void make_one(arena *mem, str name, str path, str document)
{
	iam_Policy *p = arena_new(mem, iam_Policy);
	*p = (iam_Policy){
		.PolicyName = name,
		.PolicyId = id_of(mem, name),
		.Arn = arena_fmt(mem, "arn:aws:iam::aws:policy%.*s%.*s", STR_ARG(path), STR_ARG(name)),
		.Path = path,
		.DefaultVersionId = S("v1"),
		.IsAttachable = BOOL(!str_eq(path, S(LINKED_ROLE))),
		.CreateDate = TIME(MADE),
		.UpdateDate = TIME(MADE),
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(name, str_c(known[i].name))) {
			p->DefaultVersionId = str_c(known[i].version);
			p->Description = str_c(known[i].description);
		}
	made.documents[made.n] = document;
	made.it[made.n++] = p;
}

static void make_rows(arena *mem, const aws_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		make_one(mem, str_c(rows[i].name), rows[i].path ? str_c(rows[i].path) : S("/"),
		         document_of(mem, &rows[i]));
}

static void make_all(void)
{
	arena *mem = arena_open((size_t)128 << 10); /* lives as long as the process */
	size_t all = n_aws_rows + n_aws_more_rows + N_SPECIAL;
	made.it = arena_array(mem, const iam_Policy *, all);
	made.documents = arena_array(mem, str, all);
	make_rows(mem, aws_rows, n_aws_rows);
	make_rows(mem, aws_more_rows, n_aws_more_rows);
	for (size_t i = 0; i < N_SPECIAL; i++)
		make_one(mem, str_c(special[i].name), S("/"), str_c(special[i].document));
}

const iam_Policy *aws_policy_at(size_t i, str *document)
{
	pthread_once(&made.once, make_all);
	if (i >= made.n)
		return NULL;
	*document = made.documents[i];
	return made.it[i];
}

const iam_Policy *aws_policy(str arn, str *document)
{
	pthread_once(&made.once, make_all);
	if (!str_starts(arn, S("arn:aws:iam::aws:policy/")))
		return NULL;
	for (size_t i = 0; i < made.n; i++)
		if (str_eq(made.it[i]->Arn, arn)) {
			*document = made.documents[i];
			return made.it[i];
		}
	return NULL;
}
