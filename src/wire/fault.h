/*
 * What a protocol has to say of a fault: its code in that protocol's spelling, and the error shape's
 * members beyond the message. Names of request identifiers are here too, as every reply carries one.
 */
#pragma once
#include "wire/codec.h"

typedef struct fault_view {
	str code;
	str message;
	const char *message_name;            /* as the error shape spells it: message, Message, .. */
	int status;
	bool server;
	const shape *shape;                  /* members beyond the message, or NULL */
	const void *detail;                  /* NULL exactly when shape is */
	const shape_member *message_member;  /* of shape: not to be written twice */
} fault_view;

fault_view fault_seen(const service *s, uint8_t spoken, err e);

/* x-amzn-RequestId, or S3's pair. */
void add_request_id(wire_message *m, const service *s, str request_id);
/* S3's second identifier: opaque, the same for the same request. */
str s3_host_id(arena *a, str request_id);
bool is_s3(const service *s);
bool is_sqs(const service *s);
/* Adds a Content-Type unless the message has one. */
void add_content_type(wire_message *m, str type);
