/* Asking for certificates, and bringing one's own. */
#include "acm.h"
#include "base/digest.h"
#include "base/time.h"
#include "store/due.h"
#include "sys/rand.h"

#define TOKEN_MS MS_HOUR
#define SOON_MS MS_SECOND

static const tag_rules rules = {
	.most = ACM_TAGS_MAX,
	.too_many = { &acm_TooManyTagsException, "The request contains too many tags: the most are 50." },
	.twice = { &acm_InvalidTagException, "The same tag key is given more than once." },
	.reserved = { &acm_InvalidTagException, "Tag keys that begin with aws: are reserved." },
};

static str without_star(str name)
{
	return str_starts(name, S("*.")) ? str_sub(name, 2, name.n) : name;
}

/* The same for every request of an account for a name, and for its wildcard. */
static acm_ResourceRecord *record_of(req *rq, str name)
{
	str base = without_star(name);
	str owner = sha256_hex(rq->mem, arena_fmt(rq->mem, "acm %.*s %.*s", STR_ARG(rq->who.account),
	                                          STR_ARG(base)));
	str value = sha256_hex(rq->mem, arena_concat(rq->mem, owner, S(" value")));
	acm_ResourceRecord *r = arena_new(rq->mem, acm_ResourceRecord);
	char zone[10];
	for (size_t i = 0; i < sizeof zone; i++)
		zone[i] = (char)('a' + (unsigned char)value.p[40 + i] % 26);
	*r = (acm_ResourceRecord){
		.Name = arena_fmt(rq->mem, "_%.32s.%.*s.", owner.p, STR_ARG(base)), .Type = acm_RecordType_CNAME,
		.Value = arena_fmt(rq->mem, "_%.32s.%.10s.acm-validations.aws.", value.p, zone) };
	return r;
}

/* The name first, then the others in their order, none twice. */
static err gather_names(req *rq, const acm_RequestCertificate_in *in, acm_DomainList *all)
{
	all->v = arena_array(rq->mem, str, in->SubjectAlternativeNames.n + 1);
	all->v[all->n++] = arena_lower(rq->mem, in->DomainName);
	for (size_t i = 0; i < in->SubjectAlternativeNames.n; i++) {
		str name = arena_lower(rq->mem, in->SubjectAlternativeNames.v[i]);
		bool seen = false;
		for (size_t k = 0; k < all->n; k++)
			seen = seen || str_eq(all->v[k], name);
		if (!seen)
			all->v[all->n++] = name;
	}
	if (all->n > ACM_DOMAINS_MAX)
		return fail(rq, &acm_LimitExceededException,
		            "Error: you have requested %zu domain names, and the most of a certificate are %d.",
		            all->n,
		            (int)ACM_DOMAINS_MAX);
	return OK;
}

static err check_request(req *rq, const acm_RequestCertificate_in *in)
{
	if (str_is(in->CertificateAuthorityArn))
		return fail(rq, &aws_NotImplemented, "Farthing has no private certificate authorities.");
	if (str_eq(in->ValidationMethod, acm_ValidationMethod_HTTP))
		return fail(rq, &aws_NotImplemented, "Farthing does not validate certificates by HTTP redirects.");
	if (str_eq(in->KeyAlgorithm, acm_KeyAlgorithm_RSA_1024))
		return fail(rq, &aws_ValidationException, "The key algorithm RSA_1024 cannot be requested.");
	for (size_t i = 0; i < in->DomainValidationOptions.n; i++) {
		const acm_DomainValidationOption *o = &in->DomainValidationOptions.v[i];
		str above = arena_concat(rq->mem, S("."), o->ValidationDomain);
		if (!str_eq(o->DomainName, o->ValidationDomain) && !str_ends(o->DomainName, above))
			return fail(rq, &acm_InvalidDomainValidationOptionsException,
			            "The validation domain %.*s is not a superdomain of %.*s.",
			            STR_ARG(o->ValidationDomain), STR_ARG(o->DomainName));
	}
	return OK;
}

static err under_quota(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = acm_cert_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (acm_cert_next(&s))
		n++;
	return n < ACM_CERTIFICATES_MAX ? OK :
		fail(rq, &acm_LimitExceededException, "Error: the limit of %d certificates has been reached.",
	         (int)ACM_CERTIFICATES_MAX);
}

/* A token's request within the hour is the same one when it asks for the same. */
static acm_cert *asked_before(req *rq, const txn *tx, const acm_RequestCertificate_in *in, str asked)
{
	acm_token *t = !str_is(in->IdempotencyToken) ? NULL :
		acm_token_get(tx, rq->mem, rq->who.account, rq->region, in->IdempotencyToken);
	if (!t || t->Made + TOKEN_MS <= rq->now || !str_eq(t->Asked, asked))
		return NULL;
	return acm_cert_get(tx, rq->mem, rq->who.account, rq->region, t->Id);
}

TIMER(acm_token)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	acm_token_delete(tx, account, region, rest);
}

static void remember(req *rq, txn *tx, const acm_RequestCertificate_in *in, str asked, str id)
{
	if (!str_is(in->IdempotencyToken))
		return;
	acm_token t = { rq->who.account, rq->region, in->IdempotencyToken, id, rq->now, asked };
	str place = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(t.Account), STR_ARG(t.Region), STR_ARG(t.Token));
	acm_token_put(tx, &t);
	timer_set(tx, "acm_token", place, rq->now + TOKEN_MS, place);
}

/* Where mails about a name go: below the name that the request gives for it. */
static str mail_domain(const acm_RequestCertificate_in *in, str name)
{
	for (size_t i = 0; i < in->DomainValidationOptions.n; i++)
		if (str_eq_nocase(in->DomainValidationOptions.v[i].DomainName, name))
			return in->DomainValidationOptions.v[i].ValidationDomain;
	return without_star(name);
}

/* By mail unless the request says otherwise, as it has always been. */
static void validations(req *rq, const acm_RequestCertificate_in *in, const acm_DomainList *names,
                        acm_DomainValidationList *all)
{
	bool dns = str_eq(in->ValidationMethod, acm_ValidationMethod_DNS);
	all->v = arena_array(rq->mem, acm_DomainValidation, names->n);
	for (size_t i = 0; i < names->n; i++) {
		acm_DomainValidation d = { .DomainName = names->v[i], .ValidationDomain = names->v[i],
			.ValidationStatus = acm_DomainStatus_PENDING_VALIDATION };
		if (dns) {
			d.ValidationMethod = acm_ValidationMethod_DNS;
			d.ResourceRecord = record_of(rq, names->v[i]);
		} else {
			d.ValidationMethod = acm_ValidationMethod_EMAIL;
			d.ValidationDomain = mail_domain(in, names->v[i]);
			d.ValidationEmails = mail_addresses(rq->mem, d.ValidationDomain);
		}
		all->v[all->n++] = d;
	}
}

err acm_RequestCertificate(req *rq, txn *tx, const acm_RequestCertificate_in *in,
	acm_RequestCertificate_out *out)
{
	acm_DomainList names = { 0 };
	TRY(check_request(rq, in));
	TRY(gather_names(rq, in, &names));
	buf asked = buf_in(rq->mem, 256, 1 << 16);
	for (size_t i = 0; i < names.n; i++)
		buf_fmt(&asked, "%.*s ", STR_ARG(names.v[i]));
	acm_cert *before = asked_before(rq, tx, in, buf_str(&asked));
	if (before) {
		out->CertificateArn = before->It->CertificateArn;
		return OK;
	}
	TRY(under_quota(rq, tx));
	acm_CertificateOptions options = {
		.CertificateTransparencyLoggingPreference = acm_CertificateTransparencyLoggingPreference_ENABLED,
		.Export = acm_CertificateExport_DISABLED };
	if (in->Options && str_is(in->Options->CertificateTransparencyLoggingPreference))
		options.CertificateTransparencyLoggingPreference =
			in->Options->CertificateTransparencyLoggingPreference;
	if (in->Options && str_is(in->Options->Export))
		options.Export = in->Options->Export;
	acm_CertificateDetail it = { .DomainName = names.v[0], .SubjectAlternativeNames = names,
		.CreatedAt = TIME(rq->now), .Status = acm_CertificateStatus_PENDING_VALIDATION,
		.KeyAlgorithm = str_is(in->KeyAlgorithm) ? in->KeyAlgorithm : acm_KeyAlgorithm_RSA_2048,
		.Type = acm_CertificateType_AMAZON_ISSUED, .Options = &options, .Issuer = S("Amazon"),
		.Subject = arena_fmt(rq->mem, "CN=%.*s", STR_ARG(names.v[0])), .ManagedBy = in->ManagedBy };
	acm_cert c = { .Account = rq->who.account, .Region = rq->region, .Id = rand_uuid(rq->mem), .It = &it,
		           .Created = rq->now };
	it.CertificateArn = cert_arn(rq->mem, &c);
	validations(rq, in, &names, &it.DomainValidationOptions);
	TRY(tags_add(rq, &rules, TAGS(&c.Tags, Key), TAGS(&in->Tags, Key)));
	acm_cert_put(tx, &c);
	for (size_t i = 0; i < it.DomainValidationOptions.n; i++)
		mail_send(rq, tx, &c, &it.DomainValidationOptions.v[i]);
	issue_watch(tx, &c, rq->now + SOON_MS);
	remember(rq, tx, in, buf_str(&asked), c.Id);
	out->CertificateArn = it.CertificateArn;
	return OK;
}

err acm_ImportCertificate(req *rq, txn *tx, const acm_ImportCertificate_in *in,
	acm_ImportCertificate_out *out)
{
	acm_cert fresh = { .Account = rq->who.account, .Region = rq->region, .Created = rq->now }, *c = &fresh;
	acm_CertificateDetail *it = arena_new(rq->mem, acm_CertificateDetail);
	str key;
	if (str_is(in->CertificateArn)) {
		TRY(cert_find(rq, tx, in->CertificateArn, &c));
		if (!str_eq(c->It->Type, acm_CertificateType_IMPORTED))
			return fail(rq, &aws_ValidationException, "Only imported certificates can be imported again.");
		if (in->Tags.n)
			return fail(rq, &aws_ValidationException,
			            "You cannot apply tags when a certificate is imported again.");
	} else {
		TRY(under_quota(rq, tx));
		c->Id = rand_uuid(rq->mem);
	}
	const char *wrong = x509_check(rq->mem, in->Certificate, in->PrivateKey, in->CertificateChain, &key);
	if (wrong || !x509_read(rq->mem, in->Certificate, it))
		return fail(rq, &aws_ValidationException, "%s",
		            wrong ? wrong : "The certificate is not PEM-formatted or is not valid.");
	it->CertificateArn = cert_arn(rq->mem, c);
	it->CreatedAt = TIME(c->Created);
	it->ImportedAt = TIME(rq->now);
	it->Status = acm_CertificateStatus_ISSUED;
	it->Type = acm_CertificateType_IMPORTED;
	it->Options = arena_new(rq->mem, acm_CertificateOptions);
	it->Options->CertificateTransparencyLoggingPreference =
		acm_CertificateTransparencyLoggingPreference_DISABLED;
	c->It = it;
	c->Body = in->Certificate;
	c->Chain = in->CertificateChain;
	c->Key = key;
	TRY(tags_add(rq, &rules, TAGS(&c->Tags, Key), TAGS(&in->Tags, Key)));
	acm_cert_put(tx, c);
	issue_expiry(tx, c);
	out->CertificateArn = it->CertificateArn;
	return OK;
}

err acm_RenewCertificate(req *rq, txn *tx, const acm_RenewCertificate_in *in, acm_RenewCertificate_out *out)
{
	acm_cert *c;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	bool exported = c->Exported && str_eq(c->It->Type, acm_CertificateType_AMAZON_ISSUED);
	if (!cert_issued(c) || !exported)
		return fail(rq, &aws_ValidationException, "Certificate %.*s is not eligible for renewal.",
		            STR_ARG(in->CertificateArn));
	issue_begin(tx, c);
	return OK;
}

err acm_UpdateCertificateOptions(req *rq, txn *tx, const acm_UpdateCertificateOptions_in *in,
                                 acm_UpdateCertificateOptions_out *out)
{
	acm_cert *c;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	if (!cert_issued(c) || !str_eq(c->It->Type, acm_CertificateType_AMAZON_ISSUED))
		return fail(rq, &acm_InvalidStateException, "Certificate %.*s is not in a valid state for this "
			"operation.",
		            STR_ARG(in->CertificateArn));
	if (str_is(in->Options->Export) && !str_eq(in->Options->Export, c->It->Options->Export))
		return fail(rq, &aws_ValidationException, "The export option of a certificate cannot be changed.");
	if (str_is(in->Options->CertificateTransparencyLoggingPreference))
		c->It->Options->CertificateTransparencyLoggingPreference =
			in->Options->CertificateTransparencyLoggingPreference;
	acm_cert_put(tx, c);
	return OK;
}

err acm_AddTagsToCertificate(req *rq, txn *tx, const acm_AddTagsToCertificate_in *in,
                             acm_AddTagsToCertificate_out *out)
{
	acm_cert *c;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	TRY(tags_add(rq, &rules, TAGS(&c->Tags, Key), TAGS(&in->Tags, Key)));
	acm_cert_put(tx, c);
	return OK;
}

/* One with a value goes only when it has that value. */
err acm_RemoveTagsFromCertificate(req *rq, txn *tx, const acm_RemoveTagsFromCertificate_in *in,
                                  acm_RemoveTagsFromCertificate_out *out)
{
	acm_cert *c;
	(void)out;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	size_t kept = 0;
	for (size_t i = 0; i < c->Tags.n; i++) {
		bool goes = false;
		for (size_t k = 0; k < in->Tags.n; k++)
			goes = goes || (str_eq(in->Tags.v[k].Key, c->Tags.v[i].Key) &&
			                (!str_is(in->Tags.v[k].Value) || str_eq(in->Tags.v[k].Value,
			                c->Tags.v[i].Value)));
		if (!goes)
			c->Tags.v[kept++] = c->Tags.v[i];
	}
	c->Tags.n = kept;
	acm_cert_put(tx, c);
	return OK;
}

err acm_ListTagsForCertificate(req *rq, const txn *tx, const acm_ListTagsForCertificate_in *in,
                               acm_ListTagsForCertificate_out *out)
{
	acm_cert *c;
	TRY(cert_find(rq, tx, in->CertificateArn, &c));
	out->Tags = c->Tags;
	tags_shown(rq, TAGS(&out->Tags, Key));
	return OK;
}

err acm_GetAccountConfiguration(req *rq, const txn *tx, const acm_GetAccountConfiguration_in *in,
                                acm_GetAccountConfiguration_out *out)
{
	(void)in;
	acm_account *a = acm_account_get(tx, rq->mem, rq->who.account, rq->region);
	out->ExpiryEvents = arena_new(rq->mem, acm_ExpiryEventsConfiguration);
	out->ExpiryEvents->DaysBeforeExpiry = I64(a ? a->Days : ACM_DAYS);
	return OK;
}

err acm_PutAccountConfiguration(req *rq, txn *tx, const acm_PutAccountConfiguration_in *in,
                                acm_PutAccountConfiguration_out *out)
{
	(void)out;
	if (in->ExpiryEvents && in->ExpiryEvents->DaysBeforeExpiry.set)
		acm_account_put(tx, &(acm_account){ rq->who.account, rq->region,
			in->ExpiryEvents->DaysBeforeExpiry.v });
	return OK;
}
