/*
 * What the operations are called in policies, and on which parameters they act.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "parameter.h"

/* The ARN of a parameter as given: plain, with a selector, or an ARN already. */
static str arn_of(req *rq, str given)
{
	return parameter_arn(rq, parameter_ref_of(given).name);
}

static size_t each(req *rq, const str *names, size_t n, str **arns)
{
	*arns = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		(*arns)[i] = arn_of(rq, names[i]);
	return n;
}

static size_t of_GetParameter(req *rq, const txn *tx, const void *in, str **arns)
{
	return each(rq, &((const ssm_GetParameter_in *)in)->Name, 1, arns);
}

static size_t of_GetParameters(req *rq, const txn *tx, const void *in, str **arns)
{
	const ssm_GetParameters_in *i = in;
	return each(rq, i->Names.v, i->Names.n, arns);
}

static size_t of_DeleteParameters(req *rq, const txn *tx, const void *in, str **arns)
{
	const ssm_DeleteParameters_in *i = in;
	return each(rq, i->Names.v, i->Names.n, arns);
}

#define ON_NAME(operation) { operation, NULL, "parameter{/Name}", NULL }
ACCESS(ssm, "ssm", NULL,
	{ "GetParameter", NULL, NULL, of_GetParameter },
	{ "GetParameters", NULL, NULL, of_GetParameters },
	{ "DeleteParameters", NULL, NULL, of_DeleteParameters },
	{ "GetParametersByPath", NULL, "parameter{/Path}", NULL },
	{ "AddTagsToResource", NULL, "parameter{/ResourceId}", NULL },
	{ "RemoveTagsFromResource", NULL, "parameter{/ResourceId}", NULL },
	{ "ListTagsForResource", NULL, "parameter{/ResourceId}", NULL },
	ON_NAME("PutParameter"), ON_NAME("DeleteParameter"), ON_NAME("GetParameterHistory"),
	ON_NAME("LabelParameterVersion"), ON_NAME("UnlabelParameterVersion"),
	{ "DescribeParameters", NULL, "*", NULL });

static const policy_key *find_key(asking *a, str name)
{
	if (str_eq_nocase(name, S("ssm:Overwrite")))
		return asking_value(a, name, asking_member(a, "Overwrite"));
	if (str_eq_nocase(name, S("ssm:Recursive")))
		return asking_value(a, name, asking_member(a, "Recursive"));
	if (str_eq_nocase(name, S("ssm:Policies")))
		return asking_value(a, name, asking_member(a, "Policies"));
	return NULL;
}
ACCESS_KEYS(ssm, "ssm", find_key);

/* arn:aws:ssm:REGION:ACCOUNT:parameter/NAME, where a name that has slashes begins with one. */
static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("parameter/")))
		return NULL;
	str name = str_sub(a.resource, 10, a.resource.n);
	if (str_find_char(name, '/') != SIZE_MAX)
		name = str_sub(a.resource, 9, a.resource.n);
	ssm_param *p = ssm_param_get(tx, mem, a.account, a.region, name);
	if (!p) /* at the root, where the ARN does not tell the slash */
		p = ssm_param_get(tx, mem, a.account, a.region, str_sub(a.resource, 9, a.resource.n));
	return p ? RESOURCE_TAG_KEYS(mem, p->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(ssm, tags_of);
