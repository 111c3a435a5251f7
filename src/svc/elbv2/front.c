/*
 * Whose request it is: by the name of the host (NAME-ID.REGION.elb.localhost, or AWS's own form) or the name
 * that DNS leads it to, or on a port of our own by the port alone where only one load balancer has it. Then
 * the rules of its listener, in order.
 */
#include "cloud/foreign_host.h"
#include "cloud/plane.h"
#include "sys/clock.h"
#include "visit.h"

#define BODY_MOST ((size_t)256 << 20)
#define HOPS_MOST 30

/* The first part of a load balancer's name and its Region; STR_NONE: of something else. Those of network load
 * balancers have the Region behind "elb". */
static str label_of(arena *mem, str host, str *region)
{
	str rest = str_cut(&host, ':'), label = str_cut(&rest, '.');
	if (str_eq_nocase(label, S("dualstack")) && str_is(rest))
		label = str_cut(&rest, '.');
	str second = str_is(rest) ? str_cut(&rest, '.') : S("");
	str third = str_is(rest) ? str_cut(&rest, '.') : S("");
	bool network = str_eq_nocase(second, S("elb"));
	bool ours = (network || str_eq_nocase(third, S("elb"))) &&
	            (str_eq_nocase(rest, S("localhost")) || str_eq_nocase(rest, S("amazonaws.com")));
	*region = network ? third : second;
	return !ours ? STR_NONE : mem ? arena_lower(mem, label) : label;
}

static bool named(str name)
{
	str region;
	return str_is(label_of(NULL, name, &region));
}

static bool match(const http_exchange *x)
{
	return named(x->host);
}

static void open_body(http_exchange *x, store *s)
{
	(void)s;
	x->body_max = BODY_MOST;
}

static elbv2_balancer *by_name(visit *v, const txn *tx, str name)
{
	str region, label = label_of(v->mem, name, &region);
	elbv2_label *l = str_is(label) ? elbv2_label_get(tx, v->mem, label) : NULL;
	return l && str_eq(l->Region, region) ? elbv2_balancer_get(tx, v->mem, l->Account, l->Region, l->Name)
										  : NULL;
}

/* Whatever the host: only one load balancer listens there. */
static elbv2_balancer *by_port(visit *v, const txn *tx)
{
	elbv2_balancer *found = NULL;
	bool several = false;
	record_scan s = elbv2_listener_scan(tx, v->mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s));)
		if (l->It->Port.v == v->port && str_starts(l->Balancer, S("app/"))) {
			several = found != NULL;
			found = elb_balancer_at(tx, v->mem, l->Account, l->Region, l->Balancer);
			if (several)
				break;
		}
	cursor_close(&s.at);
	return several ? NULL : found;
}

/* On Farthing's own port: the listener that the host's port names, or that speaks as the client does. */
static int fitness(const visit *v, const elbv2_listener *l)
{
	bool tls = str_eq(l->It->Protocol, S("HTTPS")) || (elb_is_network(v->b->It) && l->It->Port.v == 443);
	int64_t usual = tls ? 443 : 80;
	return (tls == v->x->tls ? 2 : 0) + (l->It->Port.v == usual ? 1 : 0);
}

static elbv2_listener *listener_for(visit *v, const txn *tx)
{
	elbv2_listener *best = NULL;
	record_scan s = elbv2_listener_scan(tx, v->mem, 3, v->b->Account, v->b->Region, v->path, STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s));) {
		if (v->port ? l->It->Port.v != v->port : best && fitness(v, l) <= fitness(v, best))
			continue;
		best = l;
	}
	cursor_close(&s.at);
	return best;
}

static void find_rule(visit *v, const txn *tx)
{
	str path = elb_listener_path(v->mem, v->l);
	record_scan s = elbv2_rule_scan(tx, v->mem, 3, v->b->Account, v->b->Region, path, 0);
	for (elbv2_rule *r; (r = elbv2_rule_next(&s)); v->rules++)
		if (r->It->IsDefault.v || elb_matches(v, &r->It->Conditions)) {
			v->actions = r->It->Actions;
			break;
		}
	cursor_close(&s.at);
}

static const char *words_of(int status)
{
	switch (status) {
	case 301: return "301 Moved Permanently";
	case 302: return "302 Found";
	case 403: return "403 Forbidden";
	case 404: return "404 Not Found";
	case 405: return "405 Not Allowed";
	case 413: return "413 Request Entity Too Large";
	case 463: return "463";
	case 501: return "501 Not Implemented";
	case 502: return "502 Bad Gateway";
	case 504: return "504 Gateway Time-out";
	default: return "503 Service Temporarily Unavailable";
	}
}

static void name_server(visit *v)
{
	bool silent = v->l && (elb_is_network(v->b->It) ||
	                       str_eq(elb_listener_attribute(v->l, "routing.http.response.server.enabled"),
	                              S("false")));
	if (!silent)
		wire_header_add(&v->out, S("Server"), S("awselb/2.0"));
}

static void page(visit *v, int status)
{
	const char *words = words_of(status);
	v->out.status = status;
	wire_header_add(&v->out, S("Content-Type"), S("text/html"));
	v->out.body = arena_fmt(v->mem,
	                        "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></"
	                        "center>\r\n</body>\r\n</html>\r\n",
	                        words, words);
}

/* The listener's own headers go to every answer and take the place of the target's. */
static void add_headers(visit *v)
{
	static const struct { const char *key, *name; } all[] = {
		{ "strict_transport_security", "Strict-Transport-Security" },
		{ "access_control_allow_origin", "Access-Control-Allow-Origin" },
		{ "access_control_allow_methods", "Access-Control-Allow-Methods" },
		{ "access_control_allow_headers", "Access-Control-Allow-Headers" },
		{ "access_control_allow_credentials", "Access-Control-Allow-Credentials" },
		{ "access_control_expose_headers", "Access-Control-Expose-Headers" },
		{ "access_control_max_age", "Access-Control-Max-Age" },
		{ "content_security_policy", "Content-Security-Policy" },
		{ "x_content_type_options", "X-Content-Type-Options" },
		{ "x_frame_options", "X-Frame-Options" },
	};
	for (size_t i = 0; v->l && i < sizeof all / sizeof *all; i++) {
		str key = arena_fmt(v->mem, "routing.http.response.%s.header_value", all[i].key);
		str value = elb_listener_attribute(v->l, key.p);
		size_t n = 0;
		if (!value.n)
			continue;
		for (size_t k = 0; k < v->out.n_headers; k++)
			if (!str_eq_nocase(v->out.headers[k].name, str_c(all[i].name)))
				v->out.headers[n++] = v->out.headers[k];
		v->out.n_headers = n;
		wire_header_add(&v->out, str_c(all[i].name), value);
	}
}

void elb_answer(visit *v)
{
	add_headers(v);
	v->bytes = v->out.body.n;
	if (v->b)
		elb_tell(v, v->out.status);
	http_reply(v->x, &v->out, NULL);
}

void elb_refuse(visit *v, int status)
{
	v->out = (wire_message){ .mem = v->mem };
	v->target_status = 0;
	name_server(v);
	page(v, status);
	elb_answer(v);
}

static void redirect(visit *v, const elbv2_RedirectActionConfig *r)
{
	name_server(v);
	page(v, str_eq(r->StatusCode, S("HTTP_301")) ? 301 : 302);
	wire_header_add(&v->out, S("Location"), elb_location(v, r));
	elb_answer(v);
}

static void say(visit *v, const elbv2_FixedResponseActionConfig *f)
{
	int64_t status = 200;
	str_to_i64(f->StatusCode, &status);
	v->out.status = (int)status;
	name_server(v);
	wire_header_add(&v->out, S("Content-Type"),
	                f->ContentType.n ? f->ContentType : S("text/plain; charset=utf-8"));
	v->out.body = str_is(f->MessageBody) ? f->MessageBody : S("");
	elb_answer(v);
}

/* X-Forwarded-For names more hosts than a load balancer takes. */
static bool came_too_far(const visit *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->x->in.n_headers; i++)
		if (str_eq_nocase(v->x->in.headers[i].name, S("x-forwarded-for")))
			for (str rest = v->x->in.headers[i].value; str_is(rest); n++)
				str_cut(&rest, ',');
	return n > HOPS_MOST;
}

static void act(visit *v)
{
	const elbv2_Action *a = v->actions.n ? &v->actions.v[0] : NULL;
	if (a && a->RedirectConfig) {
		redirect(v, a->RedirectConfig);
	} else if (a && a->FixedResponseConfig) {
		say(v, a->FixedResponseConfig);
	} else if (!a || !a->ForwardConfig || !elb_pick(v, a)) {
		elb_refuse(v, 503);
	} else {
		size_t slot = v->slot;
		if (v->lambda)
			elb_invoke(v);
		else
			elb_forward(v);
		elb_pick_done(slot);
	}
}

/* What a network load balancer hands on it has not looked into. */
static void take_listener(visit *v, const txn *tx)
{
	v->path = elb_balancer_path(v->b);
	v->l = listener_for(v, tx);
	v->wall = firewall_of(tx, v->mem, v->b->It->LoadBalancerArn);
	if (v->l && elb_is_network(v->b->It))
		v->actions = v->l->It->DefaultActions;
	else if (v->l)
		find_rule(v, tx);
}

/* A web ACL blocks it. */
static bool filtered(visit *v)
{
	wall_answer a;
	if (!v->wall || firewall_passes(v->wall, v->x, v->x->in.path, v->b->It->LoadBalancerArn, &a))
		return false;
	if (a.custom) {
		v->out = a.out;
		name_server(v);
		elb_answer(v);
	} else {
		elb_refuse(v, 403);
	}
	return true;
}

/* What came on Farthing's own port has been led already. */
void elb_visit(http_exchange *x, store *s, int port)
{
	visit *v = arena_new(x->mem, visit);
	*v = (visit){
		.x = x, .s = s, .mem = x->mem, .port = port, .began_us = clock_mono_us(), .now = clock_now()
	};
	str host = x->host;
	v->host = arena_lower(v->mem, str_cut(&host, ':'));
	v->out.mem = v->mem;
	str name = STR_NONE;
	if (!port)
		name = plane_name(x);
	else
		foreign_host_recorded(v->mem, s, x->host, &name);
	const txn *tx = store_read(s);
	v->b = by_name(v, tx, str_is(name) ? name : x->host);
	if (!v->b && port)
		v->b = by_port(v, tx);
	if (v->b && ((port && elb_is_network(v->b->It)) || !str_eq(v->b->It->State->Code, S("active"))))
		v->b = NULL;
	if (v->b)
		take_listener(v, tx);
	store_read_end(s, tx);
	if (!v->b || !v->l)
		elb_refuse(v, v->b ? 503 : 404);
	else if (elb_is_network(v->b->It))
		act(v);
	else if (str_eq(x->in.method, S("TRACE")))
		elb_refuse(v, 405);
	else if (came_too_far(v))
		elb_refuse(v, 463);
	else if (!filtered(v))
		act(v);
}

static void serve(http_exchange *x, store *s) { elb_visit(x, s, 0); }
PLANE_NAMED(elbv2, match, serve, open_body, named);

/* The only load balancer that the internet reaches takes what is nobody's. */
static str only_one(const txn *tx, arena *mem)
{
	str found = STR_NONE;
	size_t n = 0;
	record_scan s = elbv2_balancer_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elbv2_balancer *b; n < 2 && (b = elbv2_balancer_next(&s));)
		if (str_eq(b->It->State->Code, S("active")) &&
		    str_eq(b->It->Scheme, elbv2_LoadBalancerSchemeEnum_internet_facing)) {
			found = b->It->DNSName;
			n++;
		}
	cursor_close(&s.at);
	return n == 1 ? found : STR_NONE;
}
FOREIGN_TAKER(only_one);
