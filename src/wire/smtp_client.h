/*
 * Hands one mail to an SMTP server (RFC 5321), without authentication or TLS: for a relay on this machine or
 * one that is meant for tests.
 */
#pragma once
#include "base/err.h"

typedef struct smtp_mail {
	str from;        /* an address, or a name with one in angle brackets */
	const str *to;
	size_t n_to;
	str text;        /* headers and body, lines ending in LF */
} smtp_mail;

/* `server` is HOST:PORT. A fault is a sentence; *refused: the server will never take this mail. */
err smtp_send(arena *mem, str server, const smtp_mail *m, bool *refused);
/* The part in angle brackets, or the whole. */
str smtp_address(str name);
