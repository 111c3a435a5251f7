#include "cloud/call.h"
#include "elb.h"

#define USUAL_POLICY S("ELBSecurityPolicy-2016-08")

static bool is_secure(str spoken) { return str_eq(spoken, S("HTTPS")) || str_eq(spoken, S("TLS")); }

static str rule_path(arena *a, const elbv2_rule *r)
{
	return arena_fmt(a, "%.*s/%.*s", STR_ARG(r->Listener), STR_ARG(elb_last(r->It->RuleArn)));
}

static err check_protocol(req *rq, const elbv2_LoadBalancer *b, str spoken)
{
	bool http = str_eq(spoken, S("HTTP")) || str_eq(spoken, S("HTTPS"));
	if (!str_is(spoken))
		return fail(rq, &aws_ValidationException, "A listener protocol must be specified");
	if (!elb_is_network(b) && !http)
		return fail(rq, &aws_ValidationException, "Protocol '%.*s' must be one of 'HTTP, HTTPS'",
		            STR_ARG(spoken));
	if (elb_is_network(b) && http)
		return fail(rq, &aws_ValidationException, "Protocol '%.*s' must be one of 'TLS, TCP, UDP, TCP_UDP'",
		            STR_ARG(spoken));
	if (elb_is_network(b) && !str_eq(spoken, S("TCP")))
		return fail(rq, &aws_NotImplemented, "listeners of protocol %.*s are not implemented",
		            STR_ARG(spoken));
	return OK;
}

static err check_certificate(req *rq, txn *tx, str arn)
{
	str answer;
	bool quoted = str_find_char(arn, '"') != SIZE_MAX || str_find_char(arn, '\\') != SIZE_MAX;
	if (str_starts(arn, S("arn:aws:iam::"))) {
		str name = arn;
		while (str_find_char(name, '/') != SIZE_MAX)
			str_cut(&name, '/');
		str in = arena_fmt(rq->mem, "{\"ServerCertificateName\":\"%.*s\"}", STR_ARG(name));
		if (!quoted && call_possible("iam", "GetServerCertificate") &&
		    !call_json(rq, tx, "iam", "GetServerCertificate", in, &answer))
			return OK;
	} else if (str_starts(arn, S("arn:aws:acm:"))) {
		str in = arena_fmt(rq->mem, "{\"CertificateArn\":\"%.*s\"}", STR_ARG(arn));
		if (!quoted && call_possible("acm", "DescribeCertificate") &&
		    !call_json(rq, tx, "acm", "DescribeCertificate", in, &answer))
			return OK;
	} else {
		return fail(rq, &aws_ValidationException, "Certificate ARN '%.*s' is not valid", STR_ARG(arn));
	}
	return fail(rq, &elbv2_CertificateNotFoundException, "Certificate '%.*s' not found", STR_ARG(arn));
}

/* What only secure listeners have. */
static err secure(req *rq, txn *tx, elbv2_Listener *it, str policy, const elbv2_CertificateList *given)
{
	if (!is_secure(it->Protocol)) {
		if (given->n || str_is(policy))
			return fail(rq, &elbv2_InvalidConfigurationRequestException,
			            "%s cannot be specified for listeners of protocol '%.*s'",
			            given->n ? "Certificates" : "A security policy", STR_ARG(it->Protocol));
		it->Certificates = (elbv2_CertificateList){ 0 };
		it->SslPolicy = STR_NONE;
		return OK;
	}
	if (given->n > 1)
		return fail(rq, &elbv2_TooManyCertificatesException,
		            "Only one certificate can be specified for a listener");
	if (given->n) {
		elbv2_Certificate *c = arena_new(rq->mem, elbv2_Certificate);
		c->CertificateArn = given->v[0].CertificateArn;
		TRY(check_certificate(rq, tx, c->CertificateArn));
		it->Certificates = (elbv2_CertificateList){ c, 1 };
	}
	if (!it->Certificates.n)
		return fail(rq, &aws_ValidationException, "A certificate must be specified for %.*s listeners",
		            STR_ARG(it->Protocol));
	if (str_is(policy)) {
		elbv2_DescribeSSLPolicies_in in = { .Names = { &policy, 1 } };
		elbv2_DescribeSSLPolicies_out out = { 0 };
		TRY(call(rq, tx, "elbv2", "DescribeSSLPolicies", &in, &out));
		it->SslPolicy = policy;
	}
	if (!str_is(it->SslPolicy))
		it->SslPolicy = USUAL_POLICY;
	return OK;
}

static err check_mutual(req *rq, elbv2_Listener *it, const elbv2_MutualAuthenticationAttributes *m)
{
	if (m && str_is(m->Mode) && !str_eq(m->Mode, S("off")))
		return fail(rq, &aws_NotImplemented, "mutual TLS is not implemented");
	it->MutualAuthentication = NULL;
	if (str_eq(it->Protocol, S("HTTPS"))) {
		it->MutualAuthentication = arena_new(rq->mem, elbv2_MutualAuthenticationAttributes);
		it->MutualAuthentication->Mode = S("off");
	}
	return OK;
}

static elbv2_listener *on_port(req *rq, const txn *tx, const elbv2_balancer *b, int64_t port, size_t *n)
{
	elbv2_listener *found = NULL;
	*n = 0;
	record_scan s =
		elbv2_listener_scan(tx, rq->mem, 3, b->Account, b->Region, elb_balancer_path(b), STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s)); (*n)++)
		if (l->It->Port.v == port)
			found = l;
	return found;
}

static bool same_actions(req *rq, const elbv2_Actions *a, const elbv2_Actions *b)
{
	buf x = buf_in(rq->mem, 256, 1 << 20), y = buf_in(rq->mem, 256, 1 << 20);
	json_encode_value(&x, &elbv2_Actions_shape, a);
	json_encode_value(&y, &elbv2_Actions_shape, b);
	return str_eq(buf_str(&x), buf_str(&y));
}

static bool same_certificates(const elbv2_Listener *a, const elbv2_Listener *b)
{
	return a->Certificates.n == b->Certificates.n
		&& (!a->Certificates.n
	        || str_eq(a->Certificates.v[0].CertificateArn, b->Certificates.v[0].CertificateArn));
}

static err taken(req *rq, const elbv2_balancer *b)
{
	return fail(rq, &elbv2_DuplicateListenerException,
	            "A listener already exists on this port for this load balancer '%.*s'",
	            STR_ARG(b->It->LoadBalancerArn));
}

/* With its default rule. */
static err begin(req *rq, txn *tx, const elbv2_balancer *b, elbv2_Listener *it, const elbv2_TagList *tags)
{
	str id = elb_id_new(rq->mem), rule = elb_id_new(rq->mem);
	elbv2_listener l = { .Account = b->Account,
		                 .Region = b->Region,
		                 .Balancer = elb_balancer_path(b),
		                 .Id = id,
		                 .It = it,
		                 .Tags = *tags,
		                 .Attributes = elb_listener_attributes(rq, it->Protocol) };
	str path = elb_listener_path(rq->mem, &l), place = arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(path),
	                                                             STR_ARG(rule));
	it->ListenerArn = elb_arn(rq, "listener", path);
	elbv2_listener_put(tx, &l);
	elbv2_Rule first = { .RuleArn = elb_arn(rq, "listener-rule", place), .Priority = S("default"),
		                 .Actions = it->DefaultActions, .IsDefault = BOOL(true) };
	elbv2_rule_put(tx, &(elbv2_rule){ .Account = b->Account, .Region = b->Region, .Listener = path,
	                                  .Priority = ELBV2_DEFAULT_PRIORITY, .It = &first });
	return elb_uses(rq, tx, place, &(elbv2_Actions){ 0 }, &it->DefaultActions);
}

err elbv2_CreateListener(req *rq, txn *tx, const elbv2_CreateListener_in *in, elbv2_CreateListener_out *out)
{
	elbv2_balancer *b;
	size_t n;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	TRY(check_protocol(rq, b->It, in->Protocol));
	if (!in->Port.set)
		return fail(rq, &aws_ValidationException, "A listener port must be specified");
	TRY(elb_tags_check(rq, &in->Tags));
	if (in->AlpnPolicy.n)
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "ALPN policies can be specified only for listeners of protocol 'TLS'");
	elbv2_Listener *it = arena_new(rq->mem, elbv2_Listener);
	*it = (elbv2_Listener){ .LoadBalancerArn = in->LoadBalancerArn,
		                    .Port = in->Port,
		                    .Protocol = in->Protocol };
	TRY(secure(rq, tx, it, in->SslPolicy, &in->Certificates));
	TRY(check_mutual(rq, it, in->MutualAuthentication));
	TRY(elb_actions(rq, tx, b->It, it->Protocol, &in->DefaultActions, "Default actions",
	                &it->DefaultActions));
	elbv2_listener *there = on_port(rq, tx, b, in->Port.v, &n);
	if (there && (!str_eq(there->It->Protocol, it->Protocol) || !same_certificates(there->It, it) ||
	              !same_actions(rq, &there->It->DefaultActions, &it->DefaultActions)))
		return taken(rq, b);
	if (!there) {
		if (n >= ELBV2_LISTENERS_MAX)
			return fail(rq, &elbv2_TooManyListenersException,
			            "The maximum number of listeners has been reached on the load balancer '%.*s'",
			            STR_ARG(in->LoadBalancerArn));
		TRY(begin(rq, tx, b, it, &in->Tags));
	}
	out->Listeners = (elbv2_Listeners){ there ? there->It : it, 1 };
	return OK;
}

static elbv2_rule *default_rule(const txn *tx, arena *mem, const elbv2_listener *l)
{
	return elbv2_rule_get(tx, mem, l->Account, l->Region, elb_listener_path(mem, l), ELBV2_DEFAULT_PRIORITY);
}

err elbv2_ModifyListener(req *rq, txn *tx, const elbv2_ModifyListener_in *in, elbv2_ModifyListener_out *out)
{
	elbv2_listener *l;
	size_t n;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	elbv2_balancer *b = elb_balancer_at(tx, rq->mem, l->Account, l->Region, l->Balancer);
	ensure(b != NULL);
	elbv2_Listener *it = l->It;
	str before = it->Protocol;
	if (str_is(in->Protocol)) {
		TRY(check_protocol(rq, b->It, in->Protocol));
		it->Protocol = in->Protocol;
	}
	if (in->Port.set && in->Port.v != it->Port.v && on_port(rq, tx, b, in->Port.v, &n))
		return taken(rq, b);
	it->Port = in->Port.set ? in->Port : it->Port;
	TRY(secure(rq, tx, it, in->SslPolicy, &in->Certificates));
	TRY(check_mutual(rq, it, in->MutualAuthentication));
	if (in->DefaultActions.n) {
		elbv2_rule *r = default_rule(tx, rq->mem, l);
		ensure(r != NULL);
		TRY(elb_actions(rq, tx, b->It, it->Protocol, &in->DefaultActions, "Default actions",
		                &it->DefaultActions));
		TRY(elb_uses(rq, tx, rule_path(rq->mem, r), &r->It->Actions, &it->DefaultActions));
		r->It->Actions = it->DefaultActions;
		elbv2_rule_put(tx, r);
	}
	if (!str_eq(before, it->Protocol))
		l->Attributes = elb_listener_attributes(rq, it->Protocol);
	if (!is_secure(it->Protocol))
		l->More = (elbv2_CertificateList){ 0 };
	elbv2_listener_put(tx, l);
	elb_health_wake(tx);
	out->Listeners = (elbv2_Listeners){ it, 1 };
	return OK;
}

err elb_listener_drop(req *rq, txn *tx, elbv2_listener *l)
{
	elb_rules_drop(rq, tx, elb_listener_path(rq->mem, l));
	elbv2_listener_delete(tx, l->Account, l->Region, l->Balancer, l->Id);
	elb_health_wake(tx);
	return OK;
}

err elbv2_DeleteListener(req *rq, txn *tx, const elbv2_DeleteListener_in *in, elbv2_DeleteListener_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	return elb_listener_drop(rq, tx, l);
}

err elbv2_DescribeListeners(req *rq, const txn *tx, const elbv2_DescribeListeners_in *in,
                            elbv2_DescribeListeners_out *out)
{
	elb_page p;
	elbv2_balancer *b;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	bool of = str_is(in->LoadBalancerArn);
	if (of == (in->ListenerArns.n != 0))
		return fail(rq, &aws_ValidationException, of
		            ? "Load balancer ARN and listener ARNs cannot be specified at the same time"
		            : "You must specify either listener ARNs or a load balancer ARN");
	size_t n = 0;
	elbv2_Listener *v = arena_array(rq->mem, elbv2_Listener, of ? p.most : in->ListenerArns.n);
	for (size_t i = 0; i < in->ListenerArns.n; i++) {
		elbv2_listener *l;
		TRY(elb_listener_find(rq, tx, in->ListenerArns.v[i], &l));
		v[n++] = *l->It;
	}
	if (of) {
		TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
		record_scan s = elbv2_listener_scan(tx, rq->mem, 3, b->Account, b->Region, elb_balancer_path(b),
		                                    STR_NONE);
		if (str_is(p.after))
			record_scan_after(&s, p.after);
		for (elbv2_listener *l; (l = elbv2_listener_next(&s));) {
			if (elb_page_full(rq, &p, n, n ? elb_last(v[n - 1].ListenerArn) : STR_NONE, &out->NextMarker))
				break;
			v[n++] = *l->It;
		}
		cursor_close(&s.at);
	}
	out->Listeners = (elbv2_Listeners){ v, n };
	return OK;
}

static size_t certificate_at(const elbv2_CertificateList *all, str arn)
{
	size_t i = 0;
	while (i < all->n && !str_eq(all->v[i].CertificateArn, arn))
		i++;
	return i;
}

static bool is_default_certificate(const elbv2_listener *l, str arn)
{
	return l->It->Certificates.n && str_eq(l->It->Certificates.v[0].CertificateArn, arn);
}

err elbv2_AddListenerCertificates(req *rq, txn *tx, const elbv2_AddListenerCertificates_in *in,
                                  elbv2_AddListenerCertificates_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	if (!is_secure(l->It->Protocol))
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "Certificates cannot be specified for listeners of protocol '%.*s'",
		            STR_ARG(l->It->Protocol));
	elbv2_Certificate *v = arena_array(rq->mem, elbv2_Certificate, l->More.n + in->Certificates.n);
	size_t n = l->More.n;
	for (size_t i = 0; i < n; i++)
		v[i] = l->More.v[i];
	for (size_t i = 0; i < in->Certificates.n; i++) {
		str arn = in->Certificates.v[i].CertificateArn;
		if (in->Certificates.v[i].IsDefault.set)
			return fail(rq, &aws_ValidationException, "IsDefault cannot be specified");
		TRY(check_certificate(rq, tx, arn));
		elbv2_CertificateList all = { v, n };
		if (!is_default_certificate(l, arn) && certificate_at(&all, arn) == n)
			v[n++] = (elbv2_Certificate){ .CertificateArn = arn, .IsDefault = BOOL(false) };
	}
	if (n > ELBV2_CERTIFICATES_MAX)
		return fail(rq, &elbv2_TooManyCertificatesException,
		            "The maximum number of certificates has been reached on the load balancer");
	l->More = (elbv2_CertificateList){ v, n };
	elbv2_listener_put(tx, l);
	out->Certificates = l->More;
	return OK;
}

err elbv2_RemoveListenerCertificates(req *rq, txn *tx, const elbv2_RemoveListenerCertificates_in *in,
                                     elbv2_RemoveListenerCertificates_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	for (size_t i = 0; i < in->Certificates.n; i++) {
		str arn = in->Certificates.v[i].CertificateArn;
		if (is_default_certificate(l, arn))
			return fail(rq, &elbv2_OperationNotPermittedException,
			            "Default certificate '%.*s' cannot be removed", STR_ARG(arn));
		size_t at = certificate_at(&l->More, arn);
		if (at < l->More.n)
			l->More.v[at] = l->More.v[--l->More.n];
	}
	elbv2_listener_put(tx, l);
	return OK;
}

err elbv2_DescribeListenerCertificates(req *rq, const txn *tx,
                                       const elbv2_DescribeListenerCertificates_in *in,
                                       elbv2_DescribeListenerCertificates_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	elbv2_Certificate *v = arena_array(rq->mem, elbv2_Certificate, l->More.n + 1);
	size_t n = 0;
	if (l->It->Certificates.n)
		v[n++] = (elbv2_Certificate){ l->It->Certificates.v[0].CertificateArn, BOOL(true) };
	for (size_t i = 0; i < l->More.n; i++)
		v[n++] = l->More.v[i];
	out->Certificates = (elbv2_CertificateList){ v, n };
	return OK;
}
