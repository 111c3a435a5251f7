/*
 * What both REST protocols share: values in the path, the query and the headers.
 */
#pragma once
#include "wire/codec.h"
#include "wire/value.h"

/* Fills the members of op->input that travel outside the body. */
err rest_read(const wire_message *m, const operation *op, void *in);
/* Adds the members of an output or error that travel as headers; a status member sets m->status. */
void rest_write(wire_message *m, const shape *s, const void *value);
/* The member that is the whole body, or NULL. */
const shape_member *rest_payload(const shape *s);
/* Whether a member travels in the body without being all of it. */
bool rest_has_body(const shape *s);
/* Fills a payload that is bytes or text; false when it is a structure for the codec to read. */
bool rest_read_raw(const wire_message *m, const shape_member *payload, void *in);
/* The same for a reply; the content type is the model's or a plain one. */
bool rest_write_raw(wire_message *m, const shape_member *payload, const void *out);
