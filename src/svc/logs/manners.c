/*
 * What CloudWatch Logs says of input that its model refuses: operations that know InvalidParameterException
 * answer with it, the later ones with ValidationException.
 */
#include "cloud/manners.h"
#include "logs.h"

static bool knows(const operation *op, const fault_kind *kind)
{
	for (const shape *const *e = op->errors; e && *e; e++)
		if ((*e)->fault == kind)
			return true;
	return false;
}

static bool too_long(req *rq, str message, const char *member)
{
	str said = arena_fmt(rq->mem, "'%s' failed to satisfy constraint: Member must have length less", member);
	return str_find(message, said) != SIZE_MAX;
}

static err malformed(req *rq, err why)
{
	if (why->kind != &aws_ValidationException || !knows(rq->op, &logs_InvalidParameterException))
		return why;
	if (too_long(rq, why->message, "logGroupName") || too_long(rq, why->message, "logStreamName"))
		return fail(rq, &logs_InvalidParameterException,
		            "Invalid LogGroup or LogStream, both must have length less than or equal to 512.");
	return fail(rq, &logs_InvalidParameterException, "%.*s", STR_ARG(why->message));
}
MANNERS(logs, NULL, NULL, malformed, NULL);
