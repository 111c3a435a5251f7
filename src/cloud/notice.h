/*
 * Notices to people: what a service has to say goes to e-mail addresses (cloud/outbox.h) and to SNS topics,
 * in the service's own name, so that a topic's policy must let it in.
 *
 * A notice is a durable task of the transaction that makes it: said exactly when that commits, tried again
 * for a few minutes where a topic is gone or refuses, and then given up, as AWS does.
 */
#pragma once
#include "store/store.h"

typedef struct notice {
	const char *principal;   /* budgets.amazonaws.com */
	str account, source_arn; /* for whom: of one of the service's resources */
	bool topic;              /* address is a topic's ARN; else an e-mail address */
	str address, from;       /* from: the sender of mails */
	str subject, text;
} notice;

void notice_send(txn *tx, const notice *n);
