/*
 * E-mail that services send: nothing leaves the machine; each mail becomes a file in a maildir (mail/ in the
 * data folder) that any mail reader opens. The same id twice is one mail, so a task that runs again does no
 * harm.
 */
#pragma once
#include "base/err.h"

typedef struct outbox_mail {
	str id;             /* letters, digits, '-' and '.' only; unique for ever */
	str from, subject, body;
	const str *to;
	size_t n_to;
	int64_t when;       /* Farthing's clock */
} outbox_mail;

err outbox_put(arena *mem, const outbox_mail *m);
