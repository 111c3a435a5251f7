/*
 * E-mail that services send: each mail becomes a file in a maildir (mail/ in the data folder) that any mail
 * reader opens. The same id twice is one mail, so a task that runs again does no harm.
 *
 * Nothing leaves the machine unless an SMTP server is named (`farthing up --smtp HOST:PORT`): mails then wait
 * in mail/smtp until the server has taken them (then in mail/sent), also over a restart, and are tried again
 * for five days. What it refuses for good goes to mail/refused. A mail may arrive twice when we are killed
 * between its acceptance and our noting it; its Message-ID is the same.
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
/* HOST:PORT, before the server starts; empty: mails stay here. */
void outbox_send_to(str host_port);
