/*
 * What the operations are called in policies, and on which parameters they act.
 */
#include "cloud/authorise.h"
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
	ON_NAME("LabelParameterVersion"), ON_NAME("UnlabelParameterVersion"));
