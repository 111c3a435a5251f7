/* From a request to a certificate: validation, issuing, renewal, the end. */
#include "acm.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/name_lookup.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"

#define LOOK_MS (2 * MS_SECOND)
#define LOOK_MOST_MS MS_MINUTE
#define DAYS 395
#define RENEW_MS (60 * MS_DAY)

static bool by_dns(const acm_DomainValidation *d)
{
	return str_eq(d->ValidationMethod, acm_ValidationMethod_DNS) && d->ResourceRecord;
}

static bool has_record(const txn *tx, arena *mem, const acm_DomainValidation *d)
{
	str *values, want = d->ResourceRecord->Value;
	size_t n = name_lookup(tx, mem, d->ResourceRecord->Name, S("CNAME"), &values);
	for (size_t i = 0; i < n; i++) {
		str v = values[i];
		if (str_eq_nocase(v, want) || (v.n + 1 == want.n && str_eq_nocase(v, str_sub(want, 0, v.n))))
			return true;
	}
	return false;
}

/* Marks those that are there; whether all are. */
static bool look_for_all(const txn *tx, arena *mem, acm_DomainValidationList *all)
{
	bool whole = true;
	for (size_t i = 0; i < all->n; i++) {
		acm_DomainValidation *d = &all->v[i];
		if (!str_eq(d->ValidationStatus, acm_DomainStatus_SUCCESS) && by_dns(d) && has_record(tx, mem, d))
			d->ValidationStatus = acm_DomainStatus_SUCCESS;
		whole = whole && str_eq(d->ValidationStatus, acm_DomainStatus_SUCCESS);
	}
	return whole;
}

void issue_watch(txn *tx, const acm_cert *c, int64_t when)
{
	str place = cert_place(txn_arena(tx), c);
	timer_set(tx, "acm_validate", place, when, place);
}

void issue_forget(txn *tx, const acm_cert *c)
{
	str place = cert_place(txn_arena(tx), c);
	timer_cancel(tx, "acm_validate", place);
	timer_cancel(tx, "acm_expiry", place);
}

/* Serial: what is replaced; empty the first time. A crash may run the task again when all is done. */
void issue_begin(txn *tx, const acm_cert *c)
{
	arena *mem = txn_arena(tx);
	task_add(tx, "acm_issue", arena_fmt(mem, "%.*s %.*s", STR_ARG(cert_place(mem, c)),
	                                    STR_ARG(c->It->Serial)), 0);
}

/* The older the request, the more seldom: at last once a minute. */
TIMER(acm_validate)
{
	acm_cert *c = cert_placed(tx, txn_arena(tx), payload);
	if (!c || !str_eq(c->It->Status, acm_CertificateStatus_PENDING_VALIDATION))
		return;
	int64_t age = due - c->Created, wait = age / 50;
	if (look_for_all(tx, txn_arena(tx), &c->It->DomainValidationOptions)) {
		issue_begin(tx, c);
	} else if (age >= ACM_WAIT_MS) {
		c->It->Status = acm_CertificateStatus_VALIDATION_TIMED_OUT;
		for (size_t i = 0; i < c->It->DomainValidationOptions.n; i++)
			if (!str_eq(c->It->DomainValidationOptions.v[i].ValidationStatus, acm_DomainStatus_SUCCESS))
				c->It->DomainValidationOptions.v[i].ValidationStatus = acm_DomainStatus_FAILED;
	} else {
		issue_watch(tx, c, due + (wait < LOOK_MS ? LOOK_MS : wait > LOOK_MOST_MS ? LOOK_MOST_MS : wait));
	}
	acm_cert_put(tx, c);
}

typedef struct issued {
	str place, replaces, body, chain, key;
	int64_t now;
} issued;

static void charge(txn *tx, const acm_cert *c, int64_t now)
{
	if (c->It->Options && str_eq(c->It->Options->Export, acm_CertificateExport_ENABLED))
		usage_add(tx, c->Account, c->Region, now, &ACM_EXPORTABLE, c->It->CertificateArn,
		          QTY((int64_t)c->It->SubjectAlternativeNames.n));
}

static bool keep(void *context, txn *tx)
{
	issued *made = context;
	arena *mem = txn_arena(tx);
	acm_cert *c = cert_placed(tx, mem, made->place);
	acm_CertificateDetail read = { 0 };
	if (!c || !str_eq(c->It->Serial, made->replaces) || !x509_read(mem, made->body, &read))
		return true;
	acm_CertificateDetail *it = c->It;
	bool again = cert_issued(c);
	it->Status = acm_CertificateStatus_ISSUED;
	it->IssuedAt = TIME(made->now);
	it->Serial = read.Serial;
	it->Subject = read.Subject;
	it->Issuer = read.Issuer;
	it->NotBefore = read.NotBefore;
	it->NotAfter = read.NotAfter;
	it->SignatureAlgorithm = read.SignatureAlgorithm;
	it->KeyUsages = read.KeyUsages;
	it->ExtendedKeyUsages = read.ExtendedKeyUsages;
	if (again) {
		it->RenewalSummary = arena_new(mem, acm_RenewalSummary);
		*it->RenewalSummary = (acm_RenewalSummary){ .RenewalStatus = acm_RenewalStatus_SUCCESS,
			.DomainValidationOptions = it->DomainValidationOptions, .UpdatedAt = TIME(made->now) };
	}
	c->Body = made->body;
	c->Chain = made->chain;
	c->Key = made->key;
	acm_cert_put(tx, c);
	charge(tx, c, made->now);
	issue_expiry(tx, c);
	return true;
}

TASK(acm_issue)
{
	str serial = payload, account = str_cut(&serial, ' '), region = str_cut(&serial, ' ');
	str name = str_cut(&serial, ' '); /* ids have no blanks */
	const txn *tx = store_read(s);
	acm_cert *c = acm_cert_get(tx, mem, account, region, name);
	store_read_end(s, tx);
	if (!c || !str_eq(c->It->Serial, serial))
		return TASK_DONE;
	int64_t now = clock_now(), real = clock_real(), from = real < now ? real : now;
	issued made = { .place = cert_place(mem, c), .replaces = serial, .now = now };
	/* Clients look at their own clocks: the certificate begins at the earlier time. */
	x509_wanted w = { c->It->SubjectAlternativeNames.v, c->It->SubjectAlternativeNames.n, c->It->KeyAlgorithm,
		              from - from % MS_DAY, now - now % MS_DAY + DAYS * MS_DAY - MS_SECOND };
	if (x509_issue(mem, &w, &made.body, &made.chain, &made.key) || store_write(s, keep, &made))
		return now + MS_MINUTE;
	return TASK_DONE;
}

void issue_expiry(txn *tx, const acm_cert *c)
{
	str place = cert_place(txn_arena(tx), c);
	timer_set(tx, "acm_expiry", place, c->It->NotAfter.v - RENEW_MS, place);
}

/* Sixty days before the end, and then every day: what is used and still has its records is made anew. */
TIMER(acm_expiry)
{
	arena *mem = txn_arena(tx);
	acm_cert *c = cert_placed(tx, mem, payload);
	if (!c || !cert_issued(c))
		return;
	cert_now(tx, mem, c, due);
	if (!cert_issued(c)) {
		acm_cert_put(tx, c);
		return;
	}
	bool wanted = str_eq(c->It->RenewalEligibility, acm_RenewalEligibility_ELIGIBLE);
	acm_DomainValidationList looked = { arena_array(mem, acm_DomainValidation,
	                                                c->It->DomainValidationOptions.n + 1), 0 };
	for (size_t i = 0; i < c->It->DomainValidationOptions.n; i++) {
		looked.v[looked.n] = c->It->DomainValidationOptions.v[i];
		if (by_dns(&looked.v[looked.n]))
			looked.v[looked.n].ValidationStatus = acm_DomainStatus_PENDING_VALIDATION;
		looked.n++;
	}
	int64_t next = due + MS_DAY;
	if (wanted && look_for_all(tx, mem, &looked)) {
		issue_begin(tx, c);
	} else if (wanted) {
		c->It->RenewalSummary = arena_new(mem, acm_RenewalSummary);
		*c->It->RenewalSummary = (acm_RenewalSummary){
			.RenewalStatus = acm_RenewalStatus_PENDING_VALIDATION, .DomainValidationOptions = looked,
			.UpdatedAt = TIME(due) };
		acm_cert_put(tx, c);
	}
	timer_set(tx, "acm_expiry", payload, next < c->It->NotAfter.v ? next : c->It->NotAfter.v, payload);
}

static err start(store *s, str data)
{
	(void)s;
	arena *mem = arena_open(1 << 14);
	err e = x509_start(mem, data);
	/* The fault outlives the arena only as a sentence. */
	static char why[256];
	static fault broken;
	if (e) {
		size_t n = e->message.n < sizeof why ? e->message.n : sizeof why;
		memcpy(why, e->message.p, n);
		broken = (fault){ .kind = e->kind, .message = { why, n } };
	}
	arena_close(mem);
	return e ? &broken : OK;
}

static void stop(void)
{
}
SERVER_PART(acm, start, stop);
