/* Certificates: finding, telling, deleting. */
#include "acm.h"
#include "base/time.h"
#include "cloud/certificate.h"

str cert_arn(arena *mem, const acm_cert *c)
{
	return arena_fmt(mem, "arn:aws:acm:%.*s:%.*s:certificate/%.*s", STR_ARG(c->Region), STR_ARG(c->Account),
	                 STR_ARG(c->Id));
}

str cert_place(arena *mem, const acm_cert *c)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(c->Account), STR_ARG(c->Region), STR_ARG(c->Id));
}

acm_cert *cert_placed(const txn *tx, arena *mem, str place)
{
	str rest = place, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	return acm_cert_get(tx, mem, account, region, rest);
}

err cert_find(req *rq, const txn *tx, str arn, acm_cert **c)
{
	size_t at = str_find(arn, S(":certificate/"));
	str id = at == SIZE_MAX ? S("") : str_sub(arn, at + 13, arn.n);
	*c = acm_cert_get(tx, rq->mem, rq->who.account, rq->region, id);
	if (!*c || !str_eq(cert_arn(rq->mem, *c), arn))
		return fail(rq, &acm_ResourceNotFoundException, "Could not find certificate %.*s.", STR_ARG(arn));
	return OK;
}

bool cert_issued(const acm_cert *c)
{
	return str_eq(c->It->Status, acm_CertificateStatus_ISSUED);
}

static void expire(acm_cert *c, int64_t now)
{
	if (cert_issued(c) && c->It->NotAfter.set && c->It->NotAfter.v <= now)
		c->It->Status = acm_CertificateStatus_EXPIRED;
}

void cert_now(const txn *tx, arena *mem, acm_cert *c, int64_t now)
{
	str *users;
	acm_CertificateDetail *it = c->It;
	size_t n = certificate_users(tx, mem, cert_arn(mem, c), &users);
	it->InUseBy = (acm_InUseList){ users ? users : arena_new(mem, str), n };
	bool ours = str_eq(it->Type, acm_CertificateType_AMAZON_ISSUED);
	it->RenewalEligibility = ours && cert_issued(c) && (n || c->Exported) ? acm_RenewalEligibility_ELIGIBLE :
		acm_RenewalEligibility_INELIGIBLE;
	expire(c, now);
}

err acm_DescribeCertificate(req *rq, const txn *tx, const acm_DescribeCertificate_in *in,
                            acm_DescribeCertificate_out *out)
{
	acm_cert *c;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	cert_now(tx, rq->mem, c, rq->now);
	out->Certificate = c->It;
	return OK;
}

err acm_GetCertificate(req *rq, const txn *tx, const acm_GetCertificate_in *in, acm_GetCertificate_out *out)
{
	acm_cert *c;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	if (!str_is(c->Body))
		return fail(rq, &acm_RequestInProgressException,
		            "The certificate %.*s has not been issued: its status is %.*s.",
		            STR_ARG(in->CertificateArn),
		            STR_ARG(c->It->Status));
	out->Certificate = c->Body;
	out->CertificateChain = c->Chain;
	return OK;
}

err acm_ExportCertificate(req *rq, txn *tx, const acm_ExportCertificate_in *in,
	acm_ExportCertificate_out *out)
{
	acm_cert *c;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	if (!c->It->Options || !str_eq(c->It->Options->Export, acm_CertificateExport_ENABLED))
		return fail(rq, &aws_ValidationException, "Certificate ARN: %.*s is not exportable.",
		            STR_ARG(in->CertificateArn));
	if (!str_is(c->Body))
		return fail(rq, &acm_RequestInProgressException, "The certificate %.*s has not been issued.",
		            STR_ARG(in->CertificateArn));
	if (!x509_sealed(rq->mem, c->Key, in->Passphrase, &out->PrivateKey))
		return fail(rq, &aws_ValidationException, "The private key cannot be encrypted with this "
			"passphrase.");
	out->Certificate = c->Body;
	out->CertificateChain = c->Chain;
	c->Exported = true;
	acm_cert_put(tx, c);
	return OK;
}

err acm_DeleteCertificate(req *rq, txn *tx, const acm_DeleteCertificate_in *in,
	acm_DeleteCertificate_out *out)
{
	acm_cert *c;
	str *users;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	if (certificate_users(tx, rq->mem, in->CertificateArn, &users))
		return fail(rq, &acm_ResourceInUseException, "Certificate %.*s in account %.*s is in use.",
		            STR_ARG(in->CertificateArn), STR_ARG(rq->who.account));
	issue_forget(tx, c);
	acm_cert_delete(tx, c->Account, c->Region, c->Id);
	return OK;
}

static bool text_in(const str *v, size_t n, str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

static str export_of(const acm_cert *c)
{
	bool may = c->It->Options && str_is(c->It->Options->Export);
	return may ? c->It->Options->Export : acm_CertificateExport_DISABLED;
}

static bool uses_fit(const acm_cert *c, const acm_Filters *f)
{
	const acm_CertificateDetail *it = c->It;
	bool key = !f->keyUsage.n, extended = !f->extendedKeyUsage.n;
	for (size_t i = 0; i < it->KeyUsages.n; i++)
		key = key || text_in(f->keyUsage.v, f->keyUsage.n, it->KeyUsages.v[i].Name);
	for (size_t i = 0; i < it->ExtendedKeyUsages.n; i++)
		extended = extended ||
			text_in(f->extendedKeyUsage.v, f->extendedKeyUsage.n, it->ExtendedKeyUsages.v[i].Name);
	return key && extended;
}

/* Only RSA keys of 1,024 and 2,048 bits unless the request names others. */
static bool listed(const acm_cert *c, const acm_ListCertificates_in *in)
{
	static const str usual[] = { S("RSA_1024"), S("RSA_2048") };
	const acm_Filters none = { 0 }, *f = in->Includes ? in->Includes : &none;
	const str *kinds = f->keyTypes.n ? f->keyTypes.v : usual;
	if (in->CertificateStatuses.n &&
	    !text_in(in->CertificateStatuses.v, in->CertificateStatuses.n, c->It->Status))
		return false;
	if (str_is(f->exportOption) && !str_eq(f->exportOption, export_of(c)))
		return false;
	if (str_is(f->managedBy) && !str_eq(f->managedBy, c->It->ManagedBy))
		return false;
	return text_in(kinds, f->keyTypes.n ? f->keyTypes.n : 2, c->It->KeyAlgorithm) && uses_fit(c, f);
}

static acm_CertificateSummary summary(req *rq, const acm_cert *c)
{
	const acm_CertificateDetail *it = c->It;
	acm_CertificateSummary s = { .CertificateArn = it->CertificateArn, .DomainName = it->DomainName,
		.SubjectAlternativeNameSummaries = it->SubjectAlternativeNames,
		.HasAdditionalSubjectAlternativeNames = BOOL(false), .Status = it->Status, .Type = it->Type,
		.KeyAlgorithm = it->KeyAlgorithm, .ExportOption = export_of(c), .InUse = BOOL(it->InUseBy.n > 0),
		.RenewalEligibility = it->RenewalEligibility, .NotBefore = it->NotBefore, .NotAfter = it->NotAfter,
		.CreatedAt = it->CreatedAt, .IssuedAt = it->IssuedAt, .ImportedAt = it->ImportedAt,
		.RevokedAt = it->RevokedAt, .ManagedBy = it->ManagedBy };
	if (str_eq(s.ExportOption, acm_CertificateExport_ENABLED))
		s.Exported = BOOL(c->Exported);
	s.KeyUsages.v = arena_array(rq->mem, str, it->KeyUsages.n + 1);
	for (size_t i = 0; i < it->KeyUsages.n; i++)
		s.KeyUsages.v[s.KeyUsages.n++] = it->KeyUsages.v[i].Name;
	s.ExtendedKeyUsages.v = arena_array(rq->mem, str, it->ExtendedKeyUsages.n + 1);
	for (size_t i = 0; i < it->ExtendedKeyUsages.n; i++)
		s.ExtendedKeyUsages.v[s.ExtendedKeyUsages.n++] = it->ExtendedKeyUsages.v[i].Name;
	return s;
}

static bool comes_before(const acm_cert *a, const acm_cert *b, bool down)
{
	if (a->Created != b->Created)
		return down ? a->Created > b->Created : a->Created < b->Created;
	return str_cmp(a->Id, b->Id) < 0;
}

/* What is asked for, the oldest or the newest first. */
static size_t collect(req *rq, const txn *tx, const acm_ListCertificates_in *in, acm_cert ***all)
{
	size_t n = 0;
	bool down = str_eq(in->SortOrder, acm_SortOrder_DESCENDING);
	*all = arena_array(rq->mem, acm_cert *, ACM_CERTIFICATES_MAX);
	record_scan s = acm_cert_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (acm_cert *c; n < ACM_CERTIFICATES_MAX && (c = acm_cert_next(&s));) {
		/* Who uses it is looked up only of those that are shown. */
		str status = c->It->Status;
		expire(c, rq->now);
		bool fits = listed(c, in);
		c->It->Status = status;
		if (!fits)
			continue;
		size_t at = n++;
		for (; at > 0 && comes_before(c, (*all)[at - 1], down); at--)
			(*all)[at] = (*all)[at - 1];
		(*all)[at] = c;
	}
	cursor_close(&s.at);
	return n;
}

err acm_ListCertificates(req *rq, const txn *tx, const acm_ListCertificates_in *in,
	acm_ListCertificates_out *out)
{
	str after = STR_NONE;
	acm_cert **all;
	size_t most = in->MaxItems.set ? (size_t)in->MaxItems.v : ACM_PAGE, i = 0;
	if (str_is(in->SortBy) != str_is(in->SortOrder))
		return fail(rq, &aws_ValidationException, "SortBy and SortOrder must be specified together.");
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &aws_ValidationException, "The value of NextToken is not valid.");
	size_t n = collect(rq, tx, in, &all);
	out->CertificateSummaryList.v = arena_array(rq->mem, acm_CertificateSummary, most + 1);
	if (str_is(after)) {
		while (i < n && !str_eq(all[i]->Id, after))
			i++;
		i += i < n;
	}
	for (; i < n; i++) {
		if (out->CertificateSummaryList.n == most) {
			out->NextToken = page_token(rq, all[i - 1]->Id);
			break;
		}
		cert_now(tx, rq->mem, all[i], rq->now);
		out->CertificateSummaryList.v[out->CertificateSummaryList.n++] = summary(rq, all[i]);
	}
	return OK;
}
