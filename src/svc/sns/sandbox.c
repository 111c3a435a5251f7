/*
 * The sandbox's telephone numbers: a code goes to the number (into the outbox), and who knows it has the
 * number. Accounts are out of the sandbox here: text messages go to every number.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "sys/rand.h"
#include "topic.h"

#define LIST_PAGE 100
#define NUMBERS_MAX 10
#define CODE_DIGITS 6
#define SENDS_A_DAY 5

err sns_GetSMSSandboxAccountStatus(req *rq, const txn *tx, const sns_GetSMSSandboxAccountStatus_in *in,
                                   sns_GetSMSSandboxAccountStatus_out *out)
{
	out->IsInSandbox = BOOL(false);
	return OK;
}

/* Nobody can buy a number here. */
err sns_ListOriginationNumbers(req *rq, const txn *tx, const sns_ListOriginationNumbers_in *in,
                               sns_ListOriginationNumbers_out *out)
{
	out->PhoneNumbers.v = arena_new(rq->mem, sns_PhoneNumberInformation);
	return OK;
}

TASK(sns_otp)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str number = str_cut(&rest, ' ');
	req *rq = req_internal(mem, s, "sns.amazonaws.com", account, region);
	err e = sms_put(rq, arena_fmt(mem, "otp-%llu", (unsigned long long)id), number,
	                arena_fmt(mem, "Your AWS SMS sandbox verification code is %.*s.", STR_ARG(rest)),
	                rq->now);
	usage_settle_later(rq);
	return e ? rq->now + MS_SECOND : TASK_DONE;
}

static err too_many_numbers(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = sns_sandbox_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (sns_sandbox_next(&s))
		n++;
	return n < NUMBERS_MAX ? OK
		: fail(rq, &sns_UserErrorException, "You can have at most %d phone numbers in the SMS sandbox.",
		       NUMBERS_MAX);
}

err sns_CreateSMSSandboxPhoneNumber(req *rq, txn *tx, const sns_CreateSMSSandboxPhoneNumber_in *in,
                                    sns_CreateSMSSandboxPhoneNumber_out *out)
{
	if (!str_starts(in->PhoneNumber, S("+")) || !phone_number(in->PhoneNumber))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: PhoneNumber Reason: %.*s is "
		            "not a phone number in E.164 format", STR_ARG(in->PhoneNumber));
	sns_sandbox fresh = { .Account = rq->who.account, .Region = rq->region, .Number = in->PhoneNumber };
	sns_sandbox *n = sns_sandbox_get(tx, rq->mem, fresh.Account, fresh.Region, in->PhoneNumber);
	if (!n)
		TRY(too_many_numbers(rq, tx));
	n = n ? n : &fresh;
	if (n->Verified)
		return fail(rq, &sns_UserErrorException, "The phone number is already verified.");
	if (rq->now - n->Since >= MS_DAY) {
		n->Since = rq->now;
		n->Sends = 0;
	}
	if (n->Sends == SENDS_A_DAY)
		return fail(rq, &sns_ThrottledException, "A verification code can be sent to a phone number at "
		            "most %d times in 24 hours.", SENDS_A_DAY);
	n->Sends++;
	n->Sent = rq->now;
	n->Code = rand_text(rq->mem, CODE_DIGITS, S("0123456789"));
	sns_sandbox_put(tx, n);
	task_add(tx, "sns_otp", arena_fmt(rq->mem, "%.*s %.*s %.*s %.*s", STR_ARG(n->Account), STR_ARG(n->Region),
	                                  STR_ARG(n->Number), STR_ARG(n->Code)), 0);
	return OK;
}

static err number_find(req *rq, const txn *tx, str number, sns_sandbox **n)
{
	*n = sns_sandbox_get(tx, rq->mem, rq->who.account, rq->region, number);
	return *n ? OK : fail(rq, &sns_ResourceNotFoundException, "The phone number does not exist in the SMS "
	                      "sandbox.");
}

err sns_VerifySMSSandboxPhoneNumber(req *rq, txn *tx, const sns_VerifySMSSandboxPhoneNumber_in *in,
                                    sns_VerifySMSSandboxPhoneNumber_out *out)
{
	sns_sandbox *n;
	TRY(number_find(rq, tx, in->PhoneNumber, &n));
	if (!str_eq(n->Code, in->OneTimePassword))
		return fail(rq, &sns_VerificationException, "The one-time password is invalid.");
	n->Verified = n->Verified ? n->Verified : rq->now;
	sns_sandbox_put(tx, n);
	return OK;
}

err sns_DeleteSMSSandboxPhoneNumber(req *rq, txn *tx, const sns_DeleteSMSSandboxPhoneNumber_in *in,
                                    sns_DeleteSMSSandboxPhoneNumber_out *out)
{
	sns_sandbox *n;
	TRY(number_find(rq, tx, in->PhoneNumber, &n));
	if (n->Verified && rq->now - n->Verified < MS_DAY)
		return fail(rq, &sns_UserErrorException, "A verified phone number can be deleted 24 hours after it "
		            "was verified.");
	sns_sandbox_delete(tx, n->Account, n->Region, n->Number);
	return OK;
}

err sns_ListSMSSandboxPhoneNumbers(req *rq, const txn *tx, const sns_ListSMSSandboxPhoneNumbers_in *in,
                                   sns_ListSMSSandboxPhoneNumbers_out *out)
{
	str after, last = STR_NONE;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	record_scan s = sns_sandbox_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
		record_scan_after(&s, after);
	}
	out->PhoneNumbers.v = arena_array(rq->mem, sns_SMSSandboxPhoneNumber, page);
	for (const sns_sandbox *n; (n = sns_sandbox_next(&s));) {
		if (out->PhoneNumbers.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->PhoneNumbers.v[out->PhoneNumbers.n++] =
			(sns_SMSSandboxPhoneNumber){ n->Number, n->Verified ? S("Verified") : S("Pending") };
		last = n->Number;
	}
	cursor_close(&s.at);
	return OK;
}
