/* Text messages: none leaves the machine; each becomes a file in the outbox, addressed to the number. */
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "topic.h"

#define DIGITS_MIN 5
#define DIGITS_MAX 20

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What people write between the digits of a number. */
static bool between(str s, size_t i)
{
	bool mark = s.p[i] == '-' || s.p[i] == '/' || s.p[i] == '.';
	return mark && i > 0 && i + 1 < s.n && digit(s.p[i - 1]) && digit(s.p[i + 1]);
}

bool phone_number(str s)
{
	size_t digits = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (digit(c))
			digits++;
		else if (!(c == '+' && i == 0) && !between(s, i))
			return false;
	}
	return digits >= DIGITS_MIN && digits <= DIGITS_MAX;
}

err sms_put(req *rq, str id, str number, str text, int64_t when)
{
	const sns_sms *s = NULL;
	str sender = S("NOTICE");
	const txn *tx = req_read(rq);
	s = sns_sms_get(tx, rq->mem, rq->who.account, rq->region);
	req_read_end(rq, tx);
	for (size_t i = 0; s && i < s->Attributes.n; i++)
		if (str_eq(s->Attributes.v[i].key, S("DefaultSenderID")) && s->Attributes.v[i].value.n)
			sender = s->Attributes.v[i].value;
	outbox_mail m = { .id = id, .from = arena_fmt(rq->mem, "%.*s@sms.localhost", STR_ARG(sender)),
		          .to = &number, .n_to = 1, .subject = S("SMS"), .body = text, .when = when };
	TRY(outbox_put(rq->mem, &m));
	meter_one(rq, &SNS_SMS, number);
	return OK;
}

static const char *const attributes[] = { "DefaultSMSType", "DefaultSenderID", "DeliveryStatusIAMRole",
	                                  "DeliveryStatusSuccessSamplingRate", "MonthlySpendLimit",
	                                  "UsageReportS3Bucket" };

static bool known(str name)
{
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (str_eq(name, str_c(attributes[i])))
			return true;
	return false;
}

static bool given(const sns_MapStringToString *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].key, name))
			return true;
	return false;
}

err sns_SetSMSAttributes(req *rq, txn *tx, const sns_SetSMSAttributes_in *in, sns_SetSMSAttributes_out *out)
{
	const sns_MapStringToString *new = &in->attributes;
	for (size_t i = 0; i < new->n; i++) {
		if (!known(new->v[i].key))
			return fail(rq, &sns_InvalidParameterException, "%.*s is not a valid attribute",
			            STR_ARG(new->v[i].key));
		if (str_eq(new->v[i].key, S("DefaultSMSType")) && !str_eq(new->v[i].value, S("Promotional")) &&
		    !str_eq(new->v[i].value, S("Transactional")))
			return fail(rq, &sns_InvalidParameterException, "DefaultSMSType is invalid");
	}
	sns_sms *s = sns_sms_get(tx, rq->mem, rq->who.account, rq->region);
	sns_sms fresh = { .Account = rq->who.account, .Region = rq->region };
	size_t had = s ? s->Attributes.n : 0;
	fresh.Attributes.v = arena_array(rq->mem, sns_MapStringToString_entry, had + new->n + 1);
	for (size_t i = 0; i < had; i++)
		if (!given(new, s->Attributes.v[i].key))
			fresh.Attributes.v[fresh.Attributes.n++] = s->Attributes.v[i];
	for (size_t i = 0; i < new->n; i++)
		fresh.Attributes.v[fresh.Attributes.n++] = new->v[i];
	sns_sms_put(tx, &fresh);
	return OK;
}

static bool asked(const sns_GetSMSAttributes_in *in, str name)
{
	bool named = !in->attributes.n;
	for (size_t i = 0; i < in->attributes.n; i++)
		named = named || str_eq(in->attributes.v[i], name);
	return named;
}

err sns_GetSMSAttributes(req *rq, const txn *tx, const sns_GetSMSAttributes_in *in,
                         sns_GetSMSAttributes_out *out)
{
	const sns_sms *s = sns_sms_get(tx, rq->mem, rq->who.account, rq->region);
	static const sns_MapStringToString none;
	const sns_MapStringToString *set = s ? &s->Attributes : &none;
	out->attributes.v = arena_array(rq->mem, sns_MapStringToString_entry, set->n + 1);
	for (size_t i = 0; i < set->n; i++)
		if (asked(in, set->v[i].key))
			out->attributes.v[out->attributes.n++] = set->v[i];
	if (!given(set, S("MonthlySpendLimit")) && asked(in, S("MonthlySpendLimit")))
		out->attributes.v[out->attributes.n++] =
			(sns_MapStringToString_entry){ S("MonthlySpendLimit"), S("1") };
	return OK;
}

/* People opt out by answering, and nobody can answer here: no number ever has. */
err sns_CheckIfPhoneNumberIsOptedOut(req *rq, const txn *tx, const sns_CheckIfPhoneNumberIsOptedOut_in *in,
                                     sns_CheckIfPhoneNumberIsOptedOut_out *out)
{
	if (!phone_number(in->phoneNumber))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: PhoneNumber Reason: input incorrectly formatted");
	out->isOptedOut = BOOL(false);
	return OK;
}

err sns_ListPhoneNumbersOptedOut(req *rq, const txn *tx, const sns_ListPhoneNumbersOptedOut_in *in,
                                 sns_ListPhoneNumbersOptedOut_out *out)
{
	out->phoneNumbers.v = arena_new(rq->mem, str);
	return OK;
}

err sns_OptInPhoneNumber(req *rq, const txn *tx, const sns_OptInPhoneNumber_in *in,
                         sns_OptInPhoneNumber_out *out)
{
	return phone_number(in->phoneNumber) ? OK :
	       fail(rq, &sns_InvalidParameterException,
	            "Invalid parameter: PhoneNumber Reason: input incorrectly formatted");
}
