/* What an account is held to, and the security policies that secure listeners may have. */
#include "elb.h"

static const struct { const char *name, *most; } limits[] = {
	{ "target-groups", "3000" },
	{ "targets-per-application-load-balancer", "1000" },
	{ "listeners-per-application-load-balancer", "50" },
	{ "rules-per-application-load-balancer", "100" },
	{ "network-load-balancers", "50" },
	{ "targets-per-network-load-balancer", "3000" },
	{ "targets-per-availability-zone-per-network-load-balancer", "500" },
	{ "listeners-per-network-load-balancer", "50" },
	{ "condition-values-per-alb-rule", "5" },
	{ "condition-wildcards-per-alb-rule", "6" },
	{ "target-groups-per-application-load-balancer", "100" },
	{ "target-groups-per-action-on-application-load-balancer", "5" },
	{ "target-groups-per-action-on-network-load-balancer", "1" },
	{ "certificates-per-application-load-balancer", "25" },
	{ "certificates-per-network-load-balancer", "25" },
	{ "targets-per-target-group", "1000" },
	{ "target-id-registrations-per-application-load-balancer", "1000" },
	{ "application-load-balancers", "50" },
};

err elbv2_DescribeAccountLimits(req *rq, const txn *tx, const elbv2_DescribeAccountLimits_in *in,
                                elbv2_DescribeAccountLimits_out *out)
{
	(void)tx;
	elb_page p;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	size_t all = sizeof limits / sizeof *limits, n = 0, at = 0;
	elbv2_Limit *v = arena_array(rq->mem, elbv2_Limit, all);
	while (str_is(p.after) && at < all && !str_eq(str_c(limits[at].name), p.after))
		at++;
	for (at += str_is(p.after); at < all; at++) {
		if (elb_page_full(rq, &p, n, n ? v[n - 1].Name : STR_NONE, &out->NextMarker))
			break;
		v[n++] = (elbv2_Limit){ .Name = str_c(limits[at].name), .Max = str_c(limits[at].most) };
	}
	out->Limits = (elbv2_Limits){ v, n };
	return OK;
}

#define TLS13 "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256"
#define GCM "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256"
#define GCM256 "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384"
#define CBC "ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256"
#define CBC256 "ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384"
#define SHA1 "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA"
#define SHA1_256 "ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES256-SHA"
#define RSA "AES128-GCM-SHA256 AES128-SHA256"
#define RSA256 "AES256-GCM-SHA384 AES256-SHA256"
#define OLD GCM " " CBC " " SHA1 " " GCM256 " " CBC256 " " SHA1_256 " AES128-GCM-SHA256 AES128-SHA256 " \
	"AES128-SHA AES256-GCM-SHA384 AES256-SHA256 AES256-SHA"

/* In the order in which AWS prefers the ciphers. */
static const struct { const char *name, *protocols, *ciphers; } policies[] = {
	{ "ELBSecurityPolicy-2016-08", "TLSv1 TLSv1.1 TLSv1.2", OLD },
	{ "ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1.2 TLSv1.3",
	  TLS13 " " GCM " " CBC " " GCM256 " " CBC256 },
	{ "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "TLSv1.2 TLSv1.3", TLS13 " " GCM " " GCM256 },
	{ "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", "TLSv1.2 TLSv1.3",
	  TLS13 " " GCM " " CBC " " GCM256 " " CBC256 " " RSA " " RSA256 },
	{ "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "TLSv1.2 TLSv1.3", TLS13 " " OLD },
	{ "ELBSecurityPolicy-TLS13-1-1-2021-06", "TLSv1.1 TLSv1.2 TLSv1.3", TLS13 " " OLD },
	{ "ELBSecurityPolicy-TLS13-1-0-2021-06", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", TLS13 " " OLD },
	{ "ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1.3", TLS13 },
	{ "ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.2",
	  GCM " " CBC " " GCM256 " " CBC256 " " RSA " " RSA256 },
	{ "ELBSecurityPolicy-TLS-1-1-2017-01", "TLSv1.1 TLSv1.2", OLD },
	{ "ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "TLSv1.2", OLD },
	{ "ELBSecurityPolicy-FS-2018-06", "TLSv1 TLSv1.1 TLSv1.2",
	  GCM " " CBC " " SHA1 " " GCM256 " " CBC256 " " SHA1_256 },
	{ "ELBSecurityPolicy-FS-1-2-Res-2020-10", "TLSv1.2", GCM " " GCM256 },
	{ "ELBSecurityPolicy-2015-05", "TLSv1 TLSv1.1 TLSv1.2", OLD },
};

static str *words(req *rq, const char *text, size_t *n)
{
	str rest = str_c(text);
	str *v = arena_array(rq->mem, str, rest.n / 2 + 1);
	for (*n = 0; str_is(rest);)
		v[(*n)++] = str_cut(&rest, ' ');
	return v;
}

static elbv2_SslPolicy policy_of(req *rq, size_t which)
{
	elbv2_SslPolicy p = { .Name = str_c(policies[which].name) };
	p.SslProtocols.v = words(rq, policies[which].protocols, &p.SslProtocols.n);
	str *ciphers = words(rq, policies[which].ciphers, &p.Ciphers.n);
	p.Ciphers.v = arena_array(rq->mem, elbv2_Cipher, p.Ciphers.n);
	for (size_t i = 0; i < p.Ciphers.n; i++)
		p.Ciphers.v[i] = (elbv2_Cipher){ ciphers[i], I64((int64_t)i + 1) };
	p.SupportedLoadBalancerTypes.v = words(rq, "application network", &p.SupportedLoadBalancerTypes.n);
	return p;
}

err elbv2_DescribeSSLPolicies(req *rq, const txn *tx, const elbv2_DescribeSSLPolicies_in *in,
                              elbv2_DescribeSSLPolicies_out *out)
{
	(void)tx;
	elb_page p;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	size_t all = sizeof policies / sizeof *policies, n = 0, at = 0;
	elbv2_SslPolicy *v = arena_array(rq->mem, elbv2_SslPolicy, all + in->Names.n);
	for (size_t i = 0; i < in->Names.n; i++) {
		for (at = 0; at < all && !str_eq(str_c(policies[at].name), in->Names.v[i]);)
			at++;
		if (at == all)
			return fail(rq, &elbv2_SSLPolicyNotFoundException, "SSL policy '%.*s' not found",
			            STR_ARG(in->Names.v[i]));
		v[n++] = policy_of(rq, at);
	}
	at = in->Names.n ? all : 0;
	while (str_is(p.after) && at < all && !str_eq(str_c(policies[at].name), p.after))
		at++;
	for (at += str_is(p.after); at < all; at++) {
		if (elb_page_full(rq, &p, n, n ? v[n - 1].Name : STR_NONE, &out->NextMarker))
			break;
		v[n++] = policy_of(rq, at);
	}
	out->SslPolicies = (elbv2_SslPolicies){ v, n };
	return OK;
}
