/* Where a pool's own pages stand: a prefix of AWS's domain, or a domain of the customer's. */
#include "pool.h"
#include "sys/rand.h"

static err invalid(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_InvalidParameterException, "%s", why);
}

static bool is_custom(str domain) { return str_find_char(domain, '.') != SIZE_MAX; }

static str distribution(arena *mem)
{
	return arena_fmt(mem, "d%.*s.cloudfront.net",
	                 STR_ARG(rand_text(mem, 13, S("abcdefghijklmnopqrstuvwxyz0123456789"))));
}

static err check_name(req *rq, str domain, const cognito_idp_CustomDomainConfigType *custom)
{
	static const char *const words[] = { "aws", "amazon", "cognito" };
	if (is_custom(domain) != (custom != NULL))
		return invalid(rq,
		               custom
		                   ? "Custom domain is not a valid subdomain: a domain prefix takes no certificate."
		                   : "Invalid domain prefix: a domain of your own needs CustomDomainConfig.");
	for (size_t i = 0; !custom && i < sizeof words / sizeof *words; i++)
		if (str_find(domain, str_c(words[i])) != SIZE_MAX)
			return fail(rq, &cognito_idp_InvalidParameterException, "Domain cannot contain reserved word: %s",
			            words[i]);
	if (custom && !str_starts(custom->CertificateArn, S("arn:aws:acm:us-east-1:")))
		return invalid(rq, "Invalid certificate: it must be one of AWS Certificate Manager in us-east-1.");
	return OK;
}

err cognito_idp_CreateUserPoolDomain(req *rq, txn *tx, const cognito_idp_CreateUserPoolDomain_in *in,
                                     cognito_idp_CreateUserPoolDomain_out *out)
{
	idp_pool *p;
	bool custom = is_custom(in->Domain);
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(check_name(rq, in->Domain, in->CustomDomainConfig));
	if (cognito_idp_domain_get(tx, rq->mem, in->Domain))
		return invalid(rq, "Domain already associated with another user pool.");
	if (custom ? p->It->CustomDomain.n : p->It->Domain.n)
		return invalid(rq, "User pool already has a domain configured.");
	cognito_idp_DomainDescriptionType *t = arena_new(rq->mem, cognito_idp_DomainDescriptionType);
	*t = (cognito_idp_DomainDescriptionType){
		.UserPoolId = p->Id,
		.AWSAccountId = p->Account,
		.Domain = in->Domain,
		.S3Bucket = arena_fmt(rq->mem, "aws-cognito-prod-%.*s-assets", STR_ARG(p->Region)),
		.CloudFrontDistribution = distribution(rq->mem),
		.Status = S("ACTIVE"),
		.Version = arena_fmt(rq->mem, "%lld", (long long)rq->now / MS_SECOND),
		.CustomDomainConfig = in->CustomDomainConfig,
		.ManagedLoginVersion = in->ManagedLoginVersion.set ? in->ManagedLoginVersion : I64(1),
	};
	if (!t->CustomDomainConfig)
		t->CustomDomainConfig = arena_new(rq->mem, cognito_idp_CustomDomainConfigType);
	cognito_idp_domain row = { .Domain = in->Domain, .Region = p->Region, .It = t };
	*(custom ? &p->It->CustomDomain : &p->It->Domain) = in->Domain;
	cognito_idp_domain_put(tx, &row);
	cognito_idp_pool_put(tx, p);
	out->CloudFrontDomain = custom ? t->CloudFrontDistribution : STR_NONE;
	out->ManagedLoginVersion = t->ManagedLoginVersion;
	return OK;
}

err cognito_idp_DescribeUserPoolDomain(req *rq, const txn *tx,
                                       const cognito_idp_DescribeUserPoolDomain_in *in,
                                       cognito_idp_DescribeUserPoolDomain_out *out)
{
	const cognito_idp_domain *d = cognito_idp_domain_get(tx, rq->mem, in->Domain);
	bool ours = d && str_eq(d->It->AWSAccountId, rq->who.account) && str_eq(d->Region, rq->region);
	out->DomainDescription = ours ? d->It : arena_new(rq->mem, cognito_idp_DomainDescriptionType);
	return OK;
}

static err find(req *rq, const txn *tx, str pool, str domain, idp_pool **p, cognito_idp_domain **d)
{
	TRY(idp_pool_find(rq, tx, pool, p));
	*d = cognito_idp_domain_get(tx, rq->mem, domain);
	return *d && str_eq((*d)->It->UserPoolId, (*p)->Id) ? OK
														: invalid(rq, "No such domain or user pool exist.");
}

err cognito_idp_UpdateUserPoolDomain(req *rq, txn *tx, const cognito_idp_UpdateUserPoolDomain_in *in,
                                     cognito_idp_UpdateUserPoolDomain_out *out)
{
	idp_pool *p;
	cognito_idp_domain *d;
	TRY(find(rq, tx, in->UserPoolId, in->Domain, &p, &d));
	if (in->CustomDomainConfig) {
		TRY(check_name(rq, in->Domain, in->CustomDomainConfig));
		d->It->CustomDomainConfig = in->CustomDomainConfig;
	}
	if (in->ManagedLoginVersion.set)
		d->It->ManagedLoginVersion = in->ManagedLoginVersion;
	cognito_idp_domain_put(tx, d);
	out->CloudFrontDomain = is_custom(in->Domain) ? d->It->CloudFrontDistribution : STR_NONE;
	out->ManagedLoginVersion = d->It->ManagedLoginVersion;
	return OK;
}

err cognito_idp_DeleteUserPoolDomain(req *rq, txn *tx, const cognito_idp_DeleteUserPoolDomain_in *in,
                                     cognito_idp_DeleteUserPoolDomain_out *out)
{
	idp_pool *p;
	cognito_idp_domain *d;
	(void)out;
	TRY(find(rq, tx, in->UserPoolId, in->Domain, &p, &d));
	*(is_custom(in->Domain) ? &p->It->CustomDomain : &p->It->Domain) = STR_NONE;
	cognito_idp_pool_put(tx, p);
	cognito_idp_domain_delete(tx, in->Domain);
	return OK;
}
