/*
 * What does this request mean? From HTTP to (service, operation, codec), in AWS's own order: X-Amz-Target,
 * RPC-v2-CBOR path, signing service in the credential scope, Action and Version, host name, path.
 */
#pragma once
#include "wire/codec.h"
#include "wire/sigv4.h"

typedef struct identity {
	const service *service;      /* NULL: nothing of AWS */
	const operation *operation;  /* NULL: the service has no such operation */
	const codec *codec;          /* in which to answer; never NULL */
	str named;                   /* the operation's name as the request gave it, for messages */
	str region;                  /* from the scope or the host; STR_NONE when it says none */
} identity;

/* `sig` is what sigv4_parse made of the request (form SIG_NONE when unsigned). */
identity identify(const wire_message *m, str host, const sigv4 *sig);
/* By folder name. */
const service *service_named(str name);
