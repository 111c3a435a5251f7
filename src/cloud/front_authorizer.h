/*
 * Who may come to an API of API Gateway, as far as REST, HTTP and WebSocket APIs have it in common: functions
 * that are asked, what they said before, the policies that they answer with, and signed requests.
 *
 * What a function said is remembered for as long as its authorizer says, in memory: one of a kind of many
 * would cost an invocation otherwise. Its policy is asked for each request anew.
 */
#pragma once
#include "base/json.h"
#include "cloud/gateway_front.h"

/* STR_NONE: nothing, or no longer. The key begins with "API/STAGE/". */
str front_remembered(arena *mem, str key);
/* For so many seconds of Farthing's clock; what is very long is not remembered. */
void front_remember(str key, str answer, int64_t seconds);
void front_forget(str prefix);

/* The last value of this name in a query, where query_value (base/text.h) gives the first; STR_NONE: none. */
str front_query(arena *mem, str query, str name);

#define FRONT_CLAIMS_MAX ((size_t)256 << 10)
/* A token's claims, each as its gateway writes it: into `said` as claims.NAME, into b as an object. */
void front_claims(arena *mem, const json_value *claims, str (*text_of)(arena *mem, const json_value *claim),
                  event_pairs *said, buf *b);

/* A request's event as an authorizer's: `head` (members of JSON) and all but the body. */
str front_question(arena *mem, str head, str event);
/* Waits. Calls the function as the role, where there is one, otherwise as the gateway; rq is what it was
 * afterwards. `uri` may name stage variables. */
front_outcome front_ask(req *rq, str api, str authorizer, str uri, str credentials,
                        const event_pairs *variables, str event, str *answer);

typedef enum front_verdict {
	FRONT_ALLOWED, FRONT_NOT_ALLOWED, FRONT_DENIED,
	FRONT_NONSENSE, /* that is no policy */
} front_verdict;
/* Whether a policy document lets this method be invoked: arn:aws:execute-api:.. */
front_verdict front_judged(arena *mem, const json_value *document, str arn);

/* The scalars of a function's context as texts. false: there is more than scalars. */
bool front_context(arena *mem, const json_value *context, event_pairs *said);

typedef enum front_signer {
	FRONT_SIGNED, FRONT_UNSIGNED, FRONT_BAD_SIGNATURE, FRONT_NOT_PERMITTED,
} front_signer;
http_signer front_signer_of(const caller *who);
/* A request to this method, signed for execute-api. `who` lives in x->mem. */
front_signer front_signed(http_exchange *x, const req *rq, str arn, caller *who);
