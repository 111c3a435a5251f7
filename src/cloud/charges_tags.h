/*
 * Which tags a resource had when it was used. Services keep their own tags and need not know of this: an
 * account whose costs somebody wants by tag is watched, and what the services say of the resources in use is
 * kept by the hour, so that a resource that is gone, or tagged otherwise since, still shows what it was.
 *
 * Looks happen within two seconds of a write, before the clock is turned, and whenever costs by tag are read.
 * Usage before the first look counts as tagged as it was then.
 */
#pragma once
#include "price/charge.h"
#include "store/store.h"

/* From now on. */
void charges_tags_watch(txn *tx, str account);
/* Asks the services now; watches the account from now on. Not from a transaction. */
err charges_tags_look(store *s, str account);
/* The same for all accounts that are watched. */
void charges_tags_look_all(store *s);

typedef struct charges_tags charges_tags;
/* Reads as long as the transaction is open. */
charges_tags *charges_tags_open(arena *mem, const txn *tx, str account);
/* STR_NONE: the resource had no such tag. */
str charges_tag(charges_tags *t, const price_use *u, str key);
/* All of them, {"key":"value",..}. */
str charges_tags_text(charges_tags *t, const price_use *u);
/* Every tag that any resource has had, possibly more than once. */
void charges_tags_each(const txn *tx, arena *mem, str account,
                       void (*each)(void *context, int64_t hour, str key, str value), void *context);
