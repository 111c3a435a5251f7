/*
 * Attributes of load balancers, target groups and listeners: a table of each says which there are, what they
 * are when nobody has set them, and which values they take.
 */
#include "elb.h"

enum { APP = 1, NET = 2, LAMBDA = 4, TLS = 8 };

typedef struct attribute {
	const char *key, *initial;
	unsigned of;
	const char *values; /* "a|b", "1-100", "" (any text) */
} attribute;
#define FLAG "true|false"

static const attribute of_balancers[] = {
	{ "access_logs.s3.enabled", "false", APP | NET, FLAG },
	{ "access_logs.s3.bucket", "", APP | NET, "" },
	{ "access_logs.s3.prefix", "", APP | NET, "" },
	{ "connection_logs.s3.enabled", "false", APP, FLAG },
	{ "connection_logs.s3.bucket", "", APP, "" },
	{ "connection_logs.s3.prefix", "", APP, "" },
	{ "idle_timeout.timeout_seconds", "60", APP, "1-4000" },
	{ "client_keep_alive.seconds", "3600", APP, "60-604800" },
	{ "deletion_protection.enabled", "false", APP | NET, FLAG },
	{ "ipv6.deny_all_igw_traffic", "false", APP | NET, FLAG },
	{ "routing.http2.enabled", "true", APP, FLAG },
	{ "routing.http.desync_mitigation_mode", "defensive", APP, "monitor|defensive|strictest" },
	{ "routing.http.drop_invalid_header_fields.enabled", "false", APP, FLAG },
	{ "routing.http.preserve_host_header.enabled", "false", APP, FLAG },
	{ "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", APP, FLAG },
	{ "routing.http.xff_client_port.enabled", "false", APP, FLAG },
	{ "routing.http.xff_header_processing.mode", "append", APP, "append|preserve|remove" },
	{ "waf.fail_open.enabled", "false", APP, FLAG },
	{ "load_balancing.cross_zone.enabled", "true", APP, FLAG },
	{ "load_balancing.cross_zone.enabled", "false", NET, FLAG },
	{ "dns_record.client_routing_policy", "any_availability_zone", NET,
	  "any_availability_zone|availability_zone_affinity|partial_availability_zone_affinity" },
	{ "zonal_shift.config.enabled", "false", APP | NET, FLAG },
};
static const attribute of_groups[] = {
	{ "deregistration_delay.timeout_seconds", "300", APP | NET, "0-3600" },
	{ "stickiness.enabled", "false", APP | NET | LAMBDA, FLAG },
	{ "stickiness.type", "lb_cookie", APP | LAMBDA, "lb_cookie|app_cookie" },
	{ "stickiness.type", "source_ip", NET, "source_ip|source_ip_dest_ip|source_ip_dest_ip_proto" },
	{ "stickiness.lb_cookie.duration_seconds", "86400", APP | LAMBDA, "1-604800" },
	{ "stickiness.app_cookie.cookie_name", "", APP | LAMBDA, "" },
	{ "stickiness.app_cookie.duration_seconds", "86400", APP | LAMBDA, "1-604800" },
	{ "load_balancing.algorithm.type", "round_robin", APP,
	  "round_robin|least_outstanding_requests|weighted_random" },
	{ "load_balancing.algorithm.anomaly_mitigation", "off", APP, "on|off" },
	{ "load_balancing.cross_zone.enabled", "use_load_balancer_configuration", APP | NET | LAMBDA,
	  "true|false|use_load_balancer_configuration" },
	{ "slow_start.duration_seconds", "0", APP, "0-900" },
	{ "lambda.multi_value_headers.enabled", "false", LAMBDA, FLAG },
	{ "deregistration_delay.connection_termination.enabled", "false", NET, FLAG },
	{ "preserve_client_ip.enabled", "true", NET, FLAG },
	{ "proxy_protocol_v2.enabled", "false", NET, FLAG },
	{ "target_health_state.unhealthy.connection_termination.enabled", "true", NET, FLAG },
	{ "target_health_state.unhealthy.draining_interval_seconds", "0", NET, "0-360000" },
	{ "target_group_health.dns_failover.minimum_healthy_targets.count", "1", APP | NET | LAMBDA, "" },
	{ "target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", APP | NET | LAMBDA, "" },
	{ "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", APP | NET | LAMBDA,
	  "" },
	{ "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off",
	  APP | NET | LAMBDA, "" },
};
#define ANSWER "routing.http.response."
#define MUTUAL "routing.http.request.x_amzn_mtls_clientcert"
static const attribute of_listeners[] = {
	{ "tcp.idle_timeout.seconds", "350", NET, "60-6000" },
	{ ANSWER "server.enabled", "true", APP | TLS, FLAG },
	{ ANSWER "strict_transport_security.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_allow_origin.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_allow_methods.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_allow_headers.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_allow_credentials.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_expose_headers.header_value", "", APP | TLS, "" },
	{ ANSWER "access_control_max_age.header_value", "", APP | TLS, "" },
	{ ANSWER "content_security_policy.header_value", "", APP | TLS, "" },
	{ ANSWER "x_content_type_options.header_value", "", APP | TLS, "" },
	{ ANSWER "x_frame_options.header_value", "", APP | TLS, "" },
	{ MUTUAL "_serial_number.header_name", "X-Amzn-Mtls-Clientcert-Serial-Number", TLS, "" },
	{ MUTUAL "_issuer.header_name", "X-Amzn-Mtls-Clientcert-Issuer", TLS, "" },
	{ MUTUAL "_subject.header_name", "X-Amzn-Mtls-Clientcert-Subject", TLS, "" },
	{ MUTUAL "_validity.header_name", "X-Amzn-Mtls-Clientcert-Validity", TLS, "" },
	{ MUTUAL "_leaf.header_name", "X-Amzn-Mtls-Clientcert-Leaf", TLS, "" },
	{ MUTUAL ".header_name", "X-Amzn-Mtls-Clientcert", TLS, "" },
	{ "routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", TLS, "" },
	{ "routing.http.request.x_amzn_tls_cipher_suite.header_name", "X-Amzn-Tls-Cipher-Suite", TLS, "" },
};
#define COUNT(table) (sizeof table / sizeof *table)

/* All three kinds of attributes are pairs of a key and a value. */
typedef struct pairs {
	struct pair { str key, value; } *v;
	size_t n;
} pairs;
#define PAIRS(list) ({ \
	_Static_assert(sizeof *(list)->v == sizeof(struct pair) && sizeof *(list) == sizeof(pairs), "pairs"); \
	(pairs *)(uintptr_t)(list); \
})

static pairs initial(req *rq, const attribute *table, size_t n, unsigned of)
{
	pairs p = { arena_alloc(rq->mem, sizeof(struct pair) * n), 0 };
	for (size_t i = 0; i < n; i++)
		if (table[i].of & of)
			p.v[p.n++] = (struct pair){ str_c(table[i].key), str_c(table[i].initial) };
	return p;
}

static bool among(str value, str all)
{
	int64_t least, most, number;
	str upper = all, lower = str_cut(&upper, '-');
	if (!all.n)
		return true;
	if (str_to_i64(lower, &least) && str_to_i64(upper, &most))
		return str_to_i64(value, &number) && number >= least && number <= most;
	while (str_is(all))
		if (str_eq(str_cut(&all, '|'), value))
			return true;
	return false;
}

static struct pair *pair_of(const pairs *p, str key)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].key, key))
			return &p->v[i];
	return NULL;
}

typedef struct family {
	const char *what;
	const attribute *table;
	size_t n;
	unsigned of;
} family;

static err set(req *rq, const family *f, const pairs *given, pairs *all)
{
	for (size_t i = 0; i < given->n; i++) {
		str key = given->v[i].key, value = str_is(given->v[i].value) ? given->v[i].value : S("");
		const attribute *a = NULL;
		for (size_t k = 0; !a && k < f->n; k++)
			if ((f->table[k].of & f->of) && str_eq(str_c(f->table[k].key), key))
				a = &f->table[k];
		struct pair *p = a ? pair_of(all, key) : NULL;
		for (size_t k = 0; k < i; k++)
			if (str_eq(given->v[k].key, key))
				return fail(rq, &aws_ValidationException,
				            "%s attribute key '%.*s' was specified more than once", f->what, STR_ARG(key));
		if (!p)
			return fail(rq, &aws_ValidationException, "%s attribute key '%.*s' is not recognized", f->what,
			            STR_ARG(key));
		if (!among(value, str_c(a->values)))
			return fail(rq, &aws_ValidationException, "%s attribute value '%.*s' is invalid for key '%.*s'",
			            f->what, STR_ARG(value), STR_ARG(key));
		p->value = value;
	}
	return OK;
}

static str value_of(const pairs *p, const char *key)
{
	const struct pair *found = pair_of(p, str_c(key));
	return found ? found->value : STR_NONE;
}

elbv2_LoadBalancerAttributes elb_balancer_attributes(req *rq, bool network)
{
	pairs p = initial(rq, of_balancers, COUNT(of_balancers), network ? NET : APP);
	return (elbv2_LoadBalancerAttributes){ (void *)p.v, p.n };
}

static unsigned group_kind(const elbv2_TargetGroup *g)
{
	if (str_eq(g->TargetType, elbv2_TargetTypeEnum_lambda))
		return LAMBDA;
	return str_eq(g->Protocol, S("HTTP")) || str_eq(g->Protocol, S("HTTPS")) ? APP : NET;
}

elbv2_TargetGroupAttributes elb_group_attributes(req *rq, const elbv2_TargetGroup *g)
{
	pairs p = initial(rq, of_groups, COUNT(of_groups), group_kind(g));
	struct pair *keeps = pair_of(&p, S("preserve_client_ip.enabled"));
	if (keeps && !str_eq(g->TargetType, elbv2_TargetTypeEnum_instance))
		keeps->value = S("false");
	return (elbv2_TargetGroupAttributes){ (void *)p.v, p.n };
}

static unsigned listener_kind(str spoken)
{
	if (str_eq(spoken, S("HTTPS")))
		return TLS;
	return str_eq(spoken, S("HTTP")) ? APP : NET;
}

elbv2_ListenerAttributes elb_listener_attributes(req *rq, str spoken)
{
	pairs p = initial(rq, of_listeners, COUNT(of_listeners), listener_kind(spoken));
	return (elbv2_ListenerAttributes){ (void *)p.v, p.n };
}

str elb_balancer_attribute(const elbv2_balancer *b, const char *key)
{
	return value_of(PAIRS(&b->Attributes), key);
}

str elb_group_attribute(const elbv2_group *g, const char *key)
{
	return value_of(PAIRS(&g->Attributes), key);
}

str elb_listener_attribute(const elbv2_listener *l, const char *key)
{
	return value_of(PAIRS(&l->Attributes), key);
}

err elbv2_DescribeLoadBalancerAttributes(req *rq, const txn *tx,
                                         const elbv2_DescribeLoadBalancerAttributes_in *in,
                                         elbv2_DescribeLoadBalancerAttributes_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	out->Attributes = b->Attributes;
	return OK;
}

err elbv2_ModifyLoadBalancerAttributes(req *rq, txn *tx, const elbv2_ModifyLoadBalancerAttributes_in *in,
                                       elbv2_ModifyLoadBalancerAttributes_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	family f = { "Load balancer", of_balancers, COUNT(of_balancers), elb_is_network(b->It) ? NET : APP };
	TRY(set(rq, &f, PAIRS(&in->Attributes), PAIRS(&b->Attributes)));
	if (str_eq(elb_balancer_attribute(b, "access_logs.s3.enabled"), S("true")) ||
	    str_eq(elb_balancer_attribute(b, "connection_logs.s3.enabled"), S("true")))
		return fail(rq, &aws_NotImplemented, "access and connection logs are not implemented");
	if (str_eq(elb_balancer_attribute(b, "routing.http.xff_client_port.enabled"), S("true"))
	    || str_eq(elb_balancer_attribute(b, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
	              S("true")))
		return fail(rq, &aws_NotImplemented, "headers with the client's port or cipher are not implemented");
	elbv2_balancer_put(tx, b);
	out->Attributes = b->Attributes;
	return OK;
}

err elbv2_DescribeTargetGroupAttributes(req *rq, const txn *tx,
                                        const elbv2_DescribeTargetGroupAttributes_in *in,
                                        elbv2_DescribeTargetGroupAttributes_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	out->Attributes = g->Attributes;
	return OK;
}

err elbv2_ModifyTargetGroupAttributes(req *rq, txn *tx, const elbv2_ModifyTargetGroupAttributes_in *in,
                                      elbv2_ModifyTargetGroupAttributes_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	family f = { "Target group", of_groups, COUNT(of_groups), group_kind(g->It) };
	TRY(set(rq, &f, PAIRS(&in->Attributes), PAIRS(&g->Attributes)));
	if (str_eq(elb_group_attribute(g, "stickiness.type"), S("app_cookie")) &&
	    str_eq(elb_group_attribute(g, "stickiness.enabled"), S("true")) &&
	    !elb_group_attribute(g, "stickiness.app_cookie.cookie_name").n)
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "You must specify an application cookie name when stickiness type is app_cookie");
	if (str_eq(elb_group_attribute(g, "proxy_protocol_v2.enabled"), S("true")) ||
	    str_eq(elb_group_attribute(g, "load_balancing.algorithm.anomaly_mitigation"), S("on")))
		return fail(rq, &aws_NotImplemented, "proxy protocol and anomaly mitigation are not implemented");
	elbv2_group_put(tx, g);
	out->Attributes = g->Attributes;
	return OK;
}

err elbv2_DescribeListenerAttributes(req *rq, const txn *tx, const elbv2_DescribeListenerAttributes_in *in,
                                     elbv2_DescribeListenerAttributes_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	out->Attributes = l->Attributes;
	return OK;
}

err elbv2_ModifyListenerAttributes(req *rq, txn *tx, const elbv2_ModifyListenerAttributes_in *in,
                                   elbv2_ModifyListenerAttributes_out *out)
{
	elbv2_listener *l;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	family f = { "Listener", of_listeners, COUNT(of_listeners), listener_kind(l->It->Protocol) };
	TRY(set(rq, &f, PAIRS(&in->Attributes), PAIRS(&l->Attributes)));
	elbv2_listener_put(tx, l);
	out->Attributes = l->Attributes;
	return OK;
}
