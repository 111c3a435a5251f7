/*
 * Open mode issues no secrets, yet nearly all who use it have one by convention: "test", or the access key
 * itself. A key that has signed a request with such a secret is held to it where a signature is all that a
 * caller brings: in presigned URLs and forms, whose tampering would otherwise go unseen. Keys with other
 * secrets stay unchecked.
 *
 * In memory only; of two keys that share a slot the later one is known. Safe on any thread.
 */
#pragma once
#include "base/arena.h"
#include "wire/sigv4.h"

/* Whether a request signed in its headers should be looked at; a comparison for the key that came last. */
bool open_secret_wanted(str access_key);
/* `sent` as it was on the wire, `body_hash` as for sigv4_verify. */
void open_secret_learn(arena *a, const sigv4 *sig, const wire_message *sent, str host, str body_hash);

/* The copy is in `a`. STR_NONE: this key's secret is not known. */
str open_secret(arena *a, str access_key);
