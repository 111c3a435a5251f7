/*
 * What DecodeAuthorizationMessage tells of a refusal: AWS's JSON, sealed with a key of the data folder's, so
 * that only somebody whom policies allow the decoding learns what they say.
 */
#include "base/cipher.h"
#include "base/text.h"
#include "cloud/authorise.h"
#include "cloud/page.h"
#include "sys/rand.h"

#define TEXT_MAX ((size_t)16 << 10)

static void put_pair(buf *b, const char *key, str value)
{
	buf_fmt(b, "\"%s\":", key);
	json_put_string(b, str_is(value) ? value : S(""));
}

static str told(req *rq, const decision *d)
{
	buf b = buf_in(rq->mem, 512, TEXT_MAX);
	buf_fmt(&b, "{\"allowed\":false,\"explicitDeny\":%s,\"matchedStatements\":{\"items\":[",
	        d->denied ? "true" : "false");
	if (d->denied) {
		buf_c(&b, '{');
		put_pair(&b, "statementId", d->by);
		buf_put(&b, S(",\"effect\":\"DENY\"}"));
	}
	buf_put(&b, S("]},\"failures\":{\"items\":[]},\"context\":{\"principal\":{"));
	put_pair(&b, "id", rq->who.user_id);
	buf_c(&b, ',');
	put_pair(&b, "arn", rq->who.arn);
	buf_put(&b, S("},"));
	put_pair(&b, "action", d->action);
	buf_c(&b, ',');
	put_pair(&b, "resource", d->resource);
	buf_put(&b, S(",\"conditions\":{\"items\":[]}}}"));
	return buf_str(&b);
}

str denial_sealed(req *rq, const decision *d)
{
	unsigned char nonce[CIPHER_NONCE_BYTES];
	rand_bytes(nonce, sizeof nonce);
	str sealed = cipher_seal(rq->mem, page_key(), nonce, S("denial"), told(rq, d));
	return base64_encode(rq->mem, sealed);
}

str denial_opened(req *rq, str text)
{
	str sealed, plain;
	bool ours = base64_decode(rq->mem, text, &sealed) && sealed.n > CIPHER_NONCE_BYTES &&
		    cipher_open(rq->mem, page_key(), S("denial"), sealed, &plain);
	return ours ? plain : STR_NONE;
}
