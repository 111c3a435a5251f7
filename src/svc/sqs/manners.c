/* SQS speaks of actions, where other services of the Query protocol look for operations of a version. */
#include "base/text.h"
#include "cloud/manners.h"

static str action_in(arena *mem, str form)
{
	while (str_is(form)) {
		str pair = str_cut(&form, '&'), value = pair;
		if (str_eq(str_cut(&value, '='), S("Action")) && str_is(value))
			return percent_decode(mem, value, true);
	}
	return STR_NONE;
}

static err unknown(req *rq)
{
	str action = rq->http->body.n ? action_in(rq->mem, wire_body(rq->http)) : STR_NONE;
	if (!str_is(action))
		action = action_in(rq->mem, rq->http->query);
	if (!str_is(action))
		return fail(rq, &aws_UnknownOperation, "The request names no operation of SQS.");
	return fail(rq, &aws_UnknownOperation, "The action %.*s is not valid for this endpoint.",
	            STR_ARG(action));
}
MANNERS(sqs, unknown, NULL, NULL, NULL);
