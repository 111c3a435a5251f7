#include "cloud/notice.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "store/due.h"
#include "sys/clock.h"

#define TRIES_MAX 5
#define TRY_AGAIN_MS (60 * MS_SECOND)
#define PAYLOAD_MAX ((size_t)1 << 20)
#define SUBJECT_MAX 100 /* characters that SNS takes, and none that control */

static void put_member(buf *b, const char *key, str value)
{
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', key);
	json_put_string(b, value);
}

void notice_send(txn *tx, const notice *n)
{
	buf b = buf_in(txn_arena(tx), 1024, PAYLOAD_MAX);
	put_member(&b, "principal", str_c(n->principal));
	put_member(&b, "account", n->account);
	put_member(&b, "source", n->source_arn);
	put_member(&b, "kind", n->topic ? S("topic") : S("mail"));
	put_member(&b, "address", n->address);
	put_member(&b, "from", n->from);
	put_member(&b, "subject", n->subject);
	put_member(&b, "text", n->text);
	buf_c(&b, '}');
	task_add(tx, "notice", buf_str(&b), 0);
}

static str member(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m ? m->text : S("");
}

/* What it names may be as long as SNS lets a subject be, or longer. */
static str short_subject(arena *mem, str s)
{
	buf b = buf_in(mem, SUBJECT_MAX, 4 * SUBJECT_MAX);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		n += (c & 0xc0) != 0x80;
		if (n > SUBJECT_MAX)
			break;
		buf_c(&b, c < ' ' ? ' ' : (char)c);
	}
	return buf_str(&b);
}

static err publish(store *s, arena *mem, const json_value *v)
{
	str out, arn = member(v, S("address")), rest = arn;
	const char *principal = arena_concat(mem, member(v, S("principal")), S("\0")).p;
	for (int i = 0; i < 3; i++)
		str_cut(&rest, ':');
	req *rq = req_internal(mem, s, principal, member(v, S("account")), str_cut(&rest, ':'));
	req_become_service(rq, principal, member(v, S("source")));
	buf b = buf_in(mem, 1024, PAYLOAD_MAX);
	put_member(&b, "TopicArn", arn);
	put_member(&b, "Subject", short_subject(mem, member(v, S("subject"))));
	put_member(&b, "Message", member(v, S("text")));
	buf_c(&b, '}');
	err e = call_json(rq, NULL, "sns", "Publish", buf_str(&b), &out);
	usage_settle_later(rq);
	return e;
}

static err mail(arena *mem, const json_value *v, uint64_t id)
{
	str to = member(v, S("address")), who = member(v, S("principal"));
	outbox_mail m = {
		.id = arena_fmt(mem, "%.*s-%llu", STR_ARG(str_cut(&who, '.')), (unsigned long long)id),
		.from = member(v, S("from")), .subject = member(v, S("subject")), .body = member(v, S("text")),
		.to = &to, .n_to = 1, .when = clock_now(),
	};
	return outbox_put(mem, &m);
}

TASK(notice)
{
	const json_value *v = json_parse(mem, payload);
	if (!v) /* no row of ours, and none that another try makes better */
		return TASK_DONE;
	err e = str_eq(member(v, S("kind")), S("topic")) ? publish(s, mem, v) : mail(mem, v, id);
	return e && attempt < TRIES_MAX ? clock_now() + TRY_AGAIN_MS : TASK_DONE;
}
