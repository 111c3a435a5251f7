/* Validation by mail: the five addresses that a domain has by custom get a link, and whoever opens it has
 * approved the name. */
#include "acm.h"
#include "cloud/notice.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define PATH "/acm-approval/"
#define TOKEN_LETTERS 32

acm_ValidationEmailList mail_addresses(arena *mem, str domain)
{
	static const char *const boxes[] = { "administrator", "hostmaster", "postmaster", "webmaster", "admin" };
	size_t n = sizeof boxes / sizeof *boxes;
	acm_ValidationEmailList all = { arena_array(mem, str, n), 0 };
	for (size_t i = 0; i < n; i++)
		all.v[all.n++] = arena_fmt(mem, "%s@%.*s", boxes[i], STR_ARG(domain));
	return all;
}

void mail_send(req *rq, txn *tx, const acm_cert *c, const acm_DomainValidation *d)
{
	if (!str_eq(d->ValidationMethod, acm_ValidationMethod_EMAIL))
		return;
	str token = rand_text(rq->mem, TOKEN_LETTERS, S("abcdefghijklmnopqrstuvwxyz0123456789"));
	acm_approval_put(tx, &(acm_approval){ token, cert_place(rq->mem, c), d->DomainName });
	str text = arena_fmt(rq->mem, "A certificate for %.*s was requested in account %.*s.\n\nTo approve it: "
	                     "%.*s" PATH "%.*s\n\nWhoever did not expect this does nothing.\n",
	                     STR_ARG(d->DomainName), STR_ARG(c->Account), STR_ARG(server_endpoint()),
	                     STR_ARG(token));
	for (size_t i = 0; i < d->ValidationEmails.n; i++) {
		notice n = { .principal = "acm.amazonaws.com", .account = c->Account,
			.source_arn = c->It->CertificateArn, .address = d->ValidationEmails.v[i],
			.from = S("no-reply@certificates.amazon.com"), .text = text,
			.subject = arena_fmt(rq->mem, "Certificate approval for %.*s", STR_ARG(d->DomainName)) };
		notice_send(tx, &n);
	}
}

err acm_ResendValidationEmail(req *rq, txn *tx, const acm_ResendValidationEmail_in *in,
                              acm_ResendValidationEmail_out *out)
{
	acm_cert *c;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	if (!str_eq(c->It->Status, acm_CertificateStatus_PENDING_VALIDATION))
		return fail(rq, &acm_InvalidStateException, "The certificate %.*s does not wait for its validation.",
		            STR_ARG(in->CertificateArn));
	for (size_t i = 0; i < c->It->DomainValidationOptions.n; i++) {
		acm_DomainValidation *d = &c->It->DomainValidationOptions.v[i];
		str above = arena_concat(rq->mem, S("."), in->ValidationDomain);
		if (!str_eq_nocase(d->DomainName, in->Domain) ||
		    !str_eq(d->ValidationMethod, acm_ValidationMethod_EMAIL))
			continue;
		if (!str_eq_nocase(in->Domain, in->ValidationDomain) && !str_ends(in->Domain, above))
			break;
		d->ValidationDomain = in->ValidationDomain;
		d->ValidationEmails = mail_addresses(rq->mem, in->ValidationDomain);
		acm_cert_put(tx, c);
		mail_send(rq, tx, c, d);
		return OK;
	}
	return fail(rq, &acm_InvalidDomainValidationOptionsException,
	            "The certificate has no domain %.*s that is validated by mail to %.*s.", STR_ARG(in->Domain),
	            STR_ARG(in->ValidationDomain));
}

typedef struct approving {
	str token;
	int64_t now;
	bool done;
} approving;

static bool approve(void *context, txn *tx)
{
	approving *a = context;
	arena *mem = txn_arena(tx);
	acm_approval *p = acm_approval_get(tx, mem, a->token);
	acm_cert *c = p ? cert_placed(tx, mem, p->Place) : NULL;
	a->done = false;
	if (!c || !str_eq(c->It->Status, acm_CertificateStatus_PENDING_VALIDATION))
		return true;
	for (size_t i = 0; i < c->It->DomainValidationOptions.n; i++)
		if (str_eq(c->It->DomainValidationOptions.v[i].DomainName, p->Domain))
			c->It->DomainValidationOptions.v[i].ValidationStatus = acm_DomainStatus_SUCCESS;
	acm_cert_put(tx, c);
	acm_approval_delete(tx, a->token);
	issue_watch(tx, c, a->now);
	a->done = true;
	return true;
}

static bool match(const http_exchange *x)
{
	return str_starts(x->in.path, S(PATH)) && x->in.path.n == sizeof PATH - 1 + TOKEN_LETTERS;
}

static void serve(http_exchange *x, store *s)
{
	approving a = { .token = str_sub(x->in.path, sizeof PATH - 1, x->in.path.n), .now = clock_now() };
	bool kept = store_write(s, approve, &a) == OK && a.done;
	wire_message out = { .mem = x->mem, .status = kept ? 200 : 404,
		.body = kept ? S("The certificate's name is approved.\n") :
			S("There is nothing to approve here.\n") };
	wire_header_add(&out, S("Content-Type"), S("text/plain"));
	http_reply(x, &out, NULL);
}
PLANE(acm_approval, match, serve);
