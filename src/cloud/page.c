#include "cloud/page.h"
#include "base/digest.h"
#include "base/text.h"
#include "cloud/req.h"
#include "sys/rand.h"

#define KEY_BYTES 32
#define TAG_BYTES 12

static char token_key[KEY_BYTES];

static bool keep_key(void *context, txn *tx)
{
	(void)context;
	str kept = txn_get(tx, S("farthing.page-key"));
	if (kept.n == KEY_BYTES) {
		memcpy(token_key, kept.p, KEY_BYTES);
		return true;
	}
	rand_bytes(token_key, KEY_BYTES);
	txn_put(tx, S("farthing.page-key"), str_of(token_key, KEY_BYTES));
	return true;
}

err page_start(store *s)
{
	return store_write(s, keep_key, NULL);
}

const unsigned char *page_key(void)
{
	return (const unsigned char *)token_key;
}

/* A token is good for the operation, account and region that gave it. */
static str tag(const req *rq, str position)
{
	unsigned char mac[32];
	str bound = arena_fmt(rq->mem, "%s.%s/%.*s/%.*s/", rq->op->service->name, rq->op->name,
	                      STR_ARG(rq->who.account), STR_ARG(rq->region));
	hmac_sha256(str_of(token_key, KEY_BYTES), arena_concat(rq->mem, bound, position), mac);
	return arena_str(rq->mem, str_of((const char *)mac, TAG_BYTES));
}

str page_token(req *rq, str position)
{
	return base64_encode(rq->mem, arena_concat(rq->mem, tag(rq, position), position));
}

bool page_position(req *rq, str token, str *position)
{
	str raw;
	if (!base64_decode(rq->mem, token, &raw) || raw.n < TAG_BYTES)
		return false;
	str claimed = str_sub(raw, TAG_BYTES, raw.n);
	if (!secret_eq(str_sub(raw, 0, TAG_BYTES), tag(rq, claimed)))
		return false;
	*position = claimed;
	return true;
}
