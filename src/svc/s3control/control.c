#include "control.h"
#include "cloud/manners.h"

#define KIND(id, status_) const fault_kind control_##id = { .name = #id, .code = #id, .query_code = #id, \
	                                                        .status = status_ }
KIND(AccessDenied, 403);
KIND(InvalidRequest, 400);
KIND(InvalidTag, 400);
KIND(MalformedXML, 400);
KIND(NoSuchResource, 404);

err control_account(req *rq, str account)
{
	bool own = !rq->who.anonymous && str_eq(rq->who.account, account);
	return own ? OK : fail(rq, &control_AccessDenied, "Access Denied");
}

req control_ask_s3(req *rq)
{
	req own = *rq;
	req_become_service(&own, "s3.amazonaws.com", STR_NONE);
	own.usage = NULL;
	return own;
}

static err malformed(req *rq, err why)
{
	if (rq->http->body.n || (rq->op->input && rq->op->input->payload))
		return fail(rq, &control_MalformedXML, "The XML you provided was not well-formed or did not validate "
		                                       "against our published schema");
	return fail(rq, &control_InvalidRequest, "%.*s", STR_ARG(why->message));
}

MANNERS(s3control, NULL, NULL, malformed, NULL);
