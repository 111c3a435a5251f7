/* The credential report: a table of all users and what they prove themselves with. */
#include "base/time.h"
#include "cloud/credential.h"
#include "entity.h"

#define HEAD "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed," \
	"password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated," \
	"access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," \
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date," \
	"access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated," \
	"cert_2_active,cert_2_last_rotated"
#define REPORT_MAX ((size_t)8 << 20)

/* 2026-11-21T10:00:00+00:00 */
static str moment(arena *mem, int64_t ms)
{
	str iso = time_iso(mem, ms);
	return arena_concat(mem, str_sub(iso, 0, 19), S("+00:00"));
}

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void put_key(buf *b, const txn *tx, arena *mem, const iam_AccessKeyMetadata *k)
{
	if (!k) {
		buf_put(b, S(",false,N/A,N/A,N/A,N/A"));
		return;
	}
	const credential_use *use = credential_use_get(tx, mem, k->AccessKeyId);
	buf_fmt(b, ",%s,%.*s", yes(str_eq(k->Status, iam_statusType_Active)),
	        STR_ARG(moment(mem, k->CreateDate.v)));
	if (use)
		buf_fmt(b, ",%.*s,%.*s,%.*s", STR_ARG(moment(mem, use->When)), STR_ARG(use->Region),
		        STR_ARG(use->Service));
	else
		buf_put(b, S(",N/A,N/A,N/A"));
}

static void put_user(buf *b, const txn *tx, arena *mem, const iam_account *account, const iam_user *u)
{
	iam_login *login = iam_login_get(tx, mem, u->Account, u->Key);
	const iam_PasswordPolicy *p = account ? account->Password : NULL;
	int n = 0;
	buf_fmt(b, "\n%.*s,%.*s,%.*s,%s", STR_ARG(u->It->UserName), STR_ARG(u->It->Arn),
	        STR_ARG(moment(mem, u->It->CreateDate.v)), yes(login != NULL));
	if (login) {
		int64_t changed = login->It->CreateDate.v;
		bool turns = p && p->MaxPasswordAge.v > 0;
		buf_fmt(b, ",no_information,%.*s,%.*s", STR_ARG(moment(mem, changed)),
		        STR_ARG(turns ? moment(mem, changed + p->MaxPasswordAge.v * MS_DAY) : S("N/A")));
	} else {
		buf_put(b, S(",N/A,N/A,N/A"));
	}
	record_scan devices = iam_user_mfa_scan(tx, mem, 2, u->Account, u->Key, STR_NONE);
	buf_fmt(b, ",%s", yes(iam_user_mfa_next(&devices) != NULL));
	cursor_close(&devices.at);
	record_scan keys = iam_access_key_scan(tx, mem, 2, u->Account, u->Key, STR_NONE);
	for (iam_access_key *k; n < 2 && (k = iam_access_key_next(&keys)); n++)
		put_key(b, tx, mem, k->It);
	cursor_close(&keys.at);
	for (; n < 2; n++)
		put_key(b, tx, mem, NULL);
	record_scan certificates = iam_signing_scan(tx, mem, 2, u->Account, u->Key, STR_NONE);
	n = 0;
	for (iam_signing *c; n < 2 && (c = iam_signing_next(&certificates)); n++)
		buf_fmt(b, ",%s,%.*s", yes(str_eq(c->It->Status, iam_statusType_Active)),
		        STR_ARG(moment(mem, c->It->UploadDate.v)));
	cursor_close(&certificates.at);
	for (; n < 2; n++)
		buf_put(b, S(",false,N/A"));
}

static str made(req *rq, const txn *tx)
{
	str a = rq->who.account;
	const iam_account *account = iam_account_get(tx, rq->mem, a);
	buf b = buf_in(rq->mem, 4096, REPORT_MAX);
	buf_put(&b, S(HEAD));
	buf_fmt(&b, "\n<root_account>,arn:aws:iam::%.*s:root,%.*s,not_supported,no_information,not_supported,"
	        "not_supported,false,%s,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A", STR_ARG(a),
	        STR_ARG(moment(rq->mem, rq->now)), yes(str_eq(a, S("000000000000"))));
	record_scan s = iam_user_scan(tx, rq->mem, 1, a, STR_NONE);
	for (iam_user *u; (u = iam_user_next(&s));)
		put_user(&b, tx, rq->mem, account, u);
	return buf_str(&b);
}

static bool fresh(const req *rq, const iam_report *r)
{
	return r && rq->now - r->Made < IAM_REPORT_HOURS * MS_HOUR;
}

err iam_GenerateCredentialReport(req *rq, txn *tx, const iam_GenerateCredentialReport_in *in,
                                 iam_GenerateCredentialReport_out *out)
{
	const iam_report *r = iam_report_get(tx, rq->mem, rq->who.account);
	out->State = iam_ReportStateType_COMPLETE;
	if (fresh(rq, r))
		return OK;
	out->State = iam_ReportStateType_STARTED;
	out->Description = S("No report exists. Starting a new report generation task");
	iam_report_put(tx, &(iam_report){ rq->who.account, made(rq, tx), rq->now });
	return OK;
}

err iam_GetCredentialReport(req *rq, const txn *tx, const iam_GetCredentialReport_in *in,
                            iam_GetCredentialReport_out *out)
{
	const iam_report *r = iam_report_get(tx, rq->mem, rq->who.account);
	if (!r)
		return fail(rq, &iam_CredentialReportNotPresentException,
		            "No report exists. Run GenerateCredentialReport first.");
	if (!fresh(rq, r))
		return fail(rq, &iam_CredentialReportExpiredException,
		            "The report has expired. Run GenerateCredentialReport again.");
	out->Content = r->Content;
	out->ReportFormat = iam_ReportFormatType_text_csv;
	out->GeneratedTime = TIME(r->Made / 1000 * 1000);
	return OK;
}
