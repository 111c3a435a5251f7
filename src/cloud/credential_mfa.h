/*
 * Devices that make one-time passwords (RFC 6238: HMAC-SHA1, six digits, thirty seconds), and whether what
 * one shows is right. Their time is the real one: an authenticator knows nothing of Farthing's clock.
 * A password is good once, and half a minute early or late.
 */
#pragma once
#include "store/store.h"

typedef struct mfa_device {
	str Serial;          /* arn:aws:iam::ACCOUNT:mfa/NAME: the key of the row */
	str Seed;            /* 64 random bytes */
	str Owner;           /* ARN of the user or root that it belongs to; absent: nobody yet */
	int64_t Used;        /* the last thirty seconds whose password was taken */
} mfa_device;

const mfa_device *mfa_get(const txn *tx, arena *mem, str serial);
void mfa_put(txn *tx, const mfa_device *d);
bool mfa_delete(txn *tx, str serial);
/* Whether the device of that owner shows this now (clock_real()); *after is the device that has used the
 * password up, to be put. */
bool mfa_right(const txn *tx, arena *mem, str serial, str owner, str code, int64_t now, mfa_device *after);
/* Two passwords one after the other, as a new device must show. */
bool mfa_accepts_both(txn *tx, const mfa_device *d, str first, str second, int64_t now);
/* The seed as authenticators take it. */
str mfa_base32(arena *mem, str seed);
