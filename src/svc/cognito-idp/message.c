/*
 * Codes and invitations. Mails become files in the outbox (cloud/outbox.h), text messages go the way of
 * SNS's, into the same place; both as tasks, so they leave with the transaction that made the code.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "pool.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define TRIES 5
#define TEXT_MAX ((size_t)64 << 10)

str idp_code_new(arena *mem) { return arena_fmt(mem, "%06d", (int)rand_below(1000000)); }

/* The first of what the pool verifies that the user has. */
str idp_message_route(const idp_pool *p, const idp_user *u)
{
	static const str order[] = { S("phone_number"), S("email") };
	for (size_t i = 0; i < 2; i++)
		if (idp_listed(p->It->AutoVerifiedAttributes.v, p->It->AutoVerifiedAttributes.n, order[i])
		    && idp_attribute(&u->Attributes, order[i]).n)
			return order[i];
	return STR_NONE;
}

static bool by_phone(const idp_message *m) { return str_eq(m->attribute, S("phone_number")); }

static const char *source_of(idp_message_kind kind)
{
	static const char *const names[] = {
		[IDP_SIGN_UP] = "CustomMessage_SignUp",
		[IDP_RESEND] = "CustomMessage_ResendCode",
		[IDP_FORGOT] = "CustomMessage_ForgotPassword",
		[IDP_INVITE] = "CustomMessage_AdminCreateUser",
		[IDP_UPDATE] = "CustomMessage_UpdateUserAttribute",
		[IDP_VERIFY] = "CustomMessage_VerifyUserAttribute",
		[IDP_LOGIN] = "CustomMessage_Authentication",
	};
	return names[kind];
}

static str or_else(str said, str otherwise) { return said.n ? said : otherwise; }

static void by_template(idp_message *m)
{
	const cognito_idp_UserPoolType *t = m->pool->It;
	const cognito_idp_VerificationMessageTemplateType *v = t->VerificationMessageTemplate;
	const cognito_idp_MessageTemplateType *i = t->AdminCreateUserConfig->InviteMessageTemplate;
	bool phone = by_phone(m);
	if (m->kind == IDP_INVITE) {
		m->subject = or_else(i ? i->EmailSubject : STR_NONE, S("Your temporary password"));
		m->body = or_else(!i          ? STR_NONE
		                      : phone ? i->SMSMessage
		                              : i->EmailMessage,
		                  S("Your username is {username} and temporary password is {####}."));
	} else if (m->kind == IDP_LOGIN) {
		const cognito_idp_EmailMfaConfigType *e = m->pool->EmailMfa;
		m->subject = or_else(e ? e->Subject : STR_NONE, S("Your authentication code"));
		m->body = or_else(phone   ? t->SmsAuthenticationMessage
		                      : e ? e->Message
		                          : STR_NONE,
		                  S("Your authentication code is {####}."));
	} else if (m->kind == IDP_FORGOT) {
		m->subject = or_else(v->EmailSubject, S("Your password reset code"));
		m->body = or_else(phone ? v->SmsMessage : v->EmailMessage, S("Your password reset code is {####}."));
	} else {
		m->subject = or_else(v->EmailSubject, S("Your verification code"));
		m->body = or_else(phone ? v->SmsMessage : v->EmailMessage, S("Your confirmation code is {####}."));
	}
}

static str replaced(arena *mem, str text, str mark, str by)
{
	buf b = buf_in(mem, text.n + by.n, TEXT_MAX);
	for (size_t at; (at = str_find(text, mark)) != SIZE_MAX; text = str_sub(text, at + mark.n, text.n)) {
		buf_put(&b, str_sub(text, 0, at));
		buf_put(&b, by);
	}
	buf_put(&b, text);
	return buf_str(&b);
}

err idp_message_write(req *rq, idp_message *m)
{
	const json_value *said;
	bool invite = m->kind == IDP_INVITE;
	by_template(m);
	idp_event e = {
		.pool = m->pool,
		.client = m->client,
		.user = m->user->Username,
		.trigger = "CustomMessage",
		.source = source_of(m->kind),
		.function = IDP_FUNCTION(m->pool, CustomMessage),
		.request = arena_fmt(rq->mem,
		                     "{\"userAttributes\":%.*s,\"codeParameter\":\"{####}\",\"linkParameter\":"
		                     "\"{##Click Here##}\",\"usernameParameter\":%s,\"clientMetadata\":%.*s}",
		                     STR_ARG(idp_json_attributes(rq->mem, m->user, true)),
		                     invite ? "\"{username}\"" : "null", STR_ARG(idp_json_map(rq->mem, m->metadata))),
		.response = S("{\"smsMessage\":null,\"emailMessage\":null,\"emailSubject\":null}"),
	};
	TRY(idp_trigger(rq, &e, &said));
	if (said && by_phone(m))
		m->body = or_else(idp_json_str(said, S("smsMessage")), m->body);
	else if (said) {
		m->body = or_else(idp_json_str(said, S("emailMessage")), m->body);
		m->subject = or_else(idp_json_str(said, S("emailSubject")), m->subject);
	}
	m->to = idp_attribute(&m->user->Attributes, m->attribute);
	m->body = replaced(rq->mem, m->body, S("{####}"), m->code);
	str name = m->pool->It->UsernameAttributes.n ? m->to : m->user->Username;
	m->body = replaced(rq->mem, m->body, S("{username}"), name);
	return OK;
}

/* a***@e*** and +*******1234, as AWS hides them. */
static str hidden(arena *mem, str to, bool phone)
{
	if (!phone) {
		size_t at = str_find_char(to, '@');
		str host = at == SIZE_MAX ? S("") : str_sub(to, at + 1, at + 2);
		return arena_fmt(mem, "%.*s***@%.*s***", STR_ARG(str_sub(to, 0, 1)), STR_ARG(host));
	}
	char *t = arena_bytes(mem, to.n);
	for (size_t i = 0; i < to.n; i++)
		t[i] = i == 0 || i + 4 >= to.n ? to.p[i] : '*';
	return str_of(t, to.n);
}

idp_delivery *idp_message_details(arena *mem, const idp_message *m)
{
	idp_delivery *d = arena_new(mem, idp_delivery);
	*d = (idp_delivery){ .Destination = hidden(mem, m->to, by_phone(m)),
		                 .DeliveryMedium = by_phone(m) ? S("SMS") : S("EMAIL"),
		                 .AttributeName = m->attribute };
	return d;
}

void idp_message_send(req *rq, txn *tx, const idp_message *m)
{
	const cognito_idp_EmailConfigurationType *e = m->pool->It->EmailConfiguration;
	bool own = e && str_eq(e->EmailSendingAccount, S("DEVELOPER")) && e->From.n;
	buf b = buf_in(rq->mem, 1024, 2 * TEXT_MAX);
	buf_c(&b, '{');
	idp_json_put(&b, S("account"), m->pool->Account);
	buf_c(&b, ',');
	idp_json_put(&b, S("region"), m->pool->Region);
	buf_c(&b, ',');
	idp_json_put(&b, S("medium"), by_phone(m) ? S("SMS") : S("EMAIL"));
	buf_c(&b, ',');
	idp_json_put(&b, S("from"), own ? e->From : S("no-reply@verificationemail.com"));
	buf_c(&b, ',');
	idp_json_put(&b, S("to"), m->to);
	buf_c(&b, ',');
	idp_json_put(&b, S("subject"), m->subject);
	buf_c(&b, ',');
	idp_json_put(&b, S("body"), m->body);
	buf_c(&b, '}');
	task_add(tx, "cognito_idp_message", buf_str(&b), 0);
}

static err text_message(arena *mem, store *s, const json_value *v)
{
	str answer;
	req *rq = req_internal(mem, s, "cognito-idp.amazonaws.com", idp_json_str(v, S("account")),
	                       idp_json_str(v, S("region")));
	buf b = buf_in(mem, 512, TEXT_MAX);
	buf_c(&b, '{');
	idp_json_put(&b, S("PhoneNumber"), idp_json_str(v, S("to")));
	buf_c(&b, ',');
	idp_json_put(&b, S("Message"), idp_json_str(v, S("body")));
	buf_c(&b, '}');
	err e = call_json(rq, NULL, "sns", "Publish", buf_str(&b), &answer);
	usage_settle_later(rq);
	return e;
}

TASK(cognito_idp_message)
{
	const json_value *v = json_parse(mem, payload);
	err e = OK;
	if (str_eq(idp_json_str(v, S("medium")), S("SMS"))) {
		e = text_message(mem, s, v);
	} else {
		str to = idp_json_str(v, S("to"));
		outbox_mail m = { .id = arena_fmt(mem, "cognito-%llu", (unsigned long long)id),
			              .from = idp_json_str(v, S("from")),
			              .subject = idp_json_str(v, S("subject")),
			              .body = idp_json_str(v, S("body")),
			              .to = &to,
			              .n_to = 1,
			              .when = clock_now() };
		e = outbox_put(mem, &m);
	}
	return !e || attempt >= TRIES ? TASK_DONE : clock_now() + attempt * MS_MINUTE;
}

void idp_code_keep(req *rq, txn *tx, const idp_message *m, str kind, int64_t ms, str value)
{
	cognito_idp_code c = { .Pool = m->pool->Id,
		                   .Name = m->user->Name,
		                   .Kind = kind,
		                   .Code = m->code,
		                   .End = rq->now + ms,
		                   .Value = value,
		                   .Sent = rq->now };
	const cognito_idp_code *old = cognito_idp_code_get(tx, rq->mem, c.Pool, c.Name, kind);
	if (old) { /* a new code is not a new chance to guess */
		c.Wrong = old->Wrong;
		c.WrongSince = old->WrongSince;
	}
	cognito_idp_code_put(tx, &c);
}

err idp_code_take(req *rq, txn *tx, const idp_pool *p, const idp_user *u, str kind, str given, str *value,
                  err *wrong)
{
	cognito_idp_code *c = cognito_idp_code_get(tx, rq->mem, p->Id, u->Name, kind);
	*wrong = OK;
	if (!c || c->End <= rq->now)
		return fail(rq, &cognito_idp_ExpiredCodeException,
		            "Invalid code provided, please request a code again.");
	bool recent = rq->now < c->WrongSince + MS_HOUR;
	if (c->Tries >= COGNITO_TRIES_MAX || (recent && c->Wrong >= COGNITO_TRIES_PER_HOUR))
		return fail(rq, &cognito_idp_LimitExceededException,
		            "Attempt limit exceeded, please try after some time.");
	if (!secret_eq(c->Code, given)) {
		c->Tries++;
		c->Wrong = recent ? c->Wrong + 1 : 1;
		c->WrongSince = recent ? c->WrongSince : rq->now;
		cognito_idp_code_put(tx, c);
		*wrong = fail(rq, &cognito_idp_CodeMismatchException,
		              "Invalid verification code provided, please try again.");
		return OK;
	}
	if (value)
		*value = c->Value;
	cognito_idp_code_delete(tx, p->Id, u->Name, kind);
	return OK;
}
