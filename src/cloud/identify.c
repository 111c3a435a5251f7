#include "cloud/identify.h"
#include "base/text.h"
#include "cloud/handler.h"
#include "cloud/virtual_host.h"

const service *service_named(str name)
{
	for (size_t i = 0; i < cloud_n_services; i++)
		if (str_eq(str_c(cloud_services[i]->name), name))
			return cloud_services[i];
	return NULL;
}

static bool speaks(const service *s, protocol p)
{
	return s->protocol == p || (s->protocols >> p & 1);
}

static identity by_target(str target)
{
	identity id = { .codec = &codec_json };
	str prefix = str_cut(&target, '.');
	id.named = target;
	for (size_t i = 0; i < cloud_n_services && !id.service; i++)
		if (cloud_services[i]->target_prefix &&
		    str_eq(str_c(cloud_services[i]->target_prefix), prefix))
			id.service = cloud_services[i];
	if (id.service)
		id.operation = operation_find(id.service, target);
	return id;
}

/* POST /service/GraniteServiceVersion20100801/operation/PutMetricData */
static identity by_cbor_path(str path)
{
	identity id = { .codec = &codec_cbor };
	str rest = str_sub(path, sizeof("/service/") - 1, path.n);
	str target = str_cut(&rest, '/');
	if (!str_starts(rest, S("operation/")))
		return id;
	id.named = str_sub(rest, sizeof("operation/") - 1, rest.n);
	for (size_t i = 0; i < cloud_n_services && !id.service; i++)
		if (cloud_services[i]->target_prefix &&
		    str_eq(str_c(cloud_services[i]->target_prefix), target))
			id.service = cloud_services[i];
	if (id.service)
		id.operation = operation_find(id.service, id.named);
	return id;
}

/* The value of `key` in a form or query string; STR_NONE when absent. */
static str form_value(const wire_message *m, str form, str key)
{
	while (str_is(form) && form.n) {
		str pair = str_cut(&form, '&'), value = pair;
		if (str_eq(str_cut(&value, '='), key))
			return str_is(value) ? percent_decode(m->mem, value, true) : S("");
	}
	return STR_NONE;
}

/* Among services that speak a query protocol: the one signed for, else the one of this version. */
static identity by_action(str action, str version, str signing)
{
	identity id = { .codec = &codec_query, .named = action };
	for (size_t i = 0; i < cloud_n_services; i++) {
		const service *s = cloud_services[i];
		if (!speaks(s, PROTOCOL_QUERY) && !speaks(s, PROTOCOL_EC2))
			continue;
		bool signed_for = str_is(signing) && str_eq(str_c(s->signing_name), signing);
		/* Links in mails (ConfirmSubscription) name no version. */
		bool version_fits = !str_is(version) || str_eq(str_c(s->api_version), version);
		if (str_is(signing) ? !signed_for : !version_fits)
			continue;
		const operation *op = operation_find(s, action);
		if (!id.service || (op && !id.operation) || (op && version_fits && str_is(version))) {
			id.service = s;
			id.operation = op;
		}
	}
	if (id.service && speaks(id.service, PROTOCOL_EC2))
		id.codec = &codec_ec2;
	return id;
}

static bool is_rest(const service *s)
{
	return s->protocol == PROTOCOL_REST_JSON || s->protocol == PROTOCOL_REST_XML;
}

/* Services that share a signing name (API Gateway 1 and 2, S3 and S3 Control) differ by path. */
static identity by_scope(const wire_message *m, str signing)
{
	identity id = { .codec = &codec_rest_json };
	for (size_t i = 0; i < cloud_n_services && !id.operation; i++) {
		const service *s = cloud_services[i];
		if (!str_eq(str_c(s->signing_name), signing))
			continue;
		const operation *op = is_rest(s) ? rest_route_message(s, m) : NULL;
		if (id.service && !op)
			continue;
		id.service = s;
		id.operation = op;
		id.codec = codec_for(s->protocol);
	}
	return id;
}

/* An address, or a name of one label. */
static bool names_no_service(str name)
{
	bool dotted = false, digits = true;
	for (size_t i = 0; i < name.n; i++) {
		dotted = dotted || name.p[i] == '.';
		digits = digits && (name.p[i] == '.' || (name.p[i] >= '0' && name.p[i] <= '9'));
	}
	return !dotted || digits;
}

/* sqs.us-east-1.amazonaws.com, s3.localhost, bucket.s3.us-east-1.localhost:4566 */
static const service *by_host(str host, str *region)
{
	str rest = host;
	str name = str_cut(&rest, ':');
	if (names_no_service(name))
		return NULL;
	for (size_t i = 0; i < cloud_n_services; i++) {
		const service *s = cloud_services[i];
		str label = str_c(s->endpoint), left = name;
		while (str_is(left)) {
			str part = str_cut(&left, '.');
			if (!str_is(left) || !str_eq(part, label))
				continue;
			str next = left;
			*region = str_cut(&next, '.');
			if (str_find_char(*region, '-') == SIZE_MAX || region->n > 64)
				*region = STR_NONE;
			return s;
		}
	}
	return NULL;
}

/* Unsigned and unnamed: REST paths with a date or another unmistakable prefix, else S3. */
static identity by_path(const wire_message *m)
{
	const service *s3 = service_named(S("s3"));
	/* An escape may stand for a digit. */
	bool dated = m->path.n > 1 && ((m->path.p[1] >= '0' && m->path.p[1] <= '9') || m->path.p[1] == '%');
	for (size_t i = 0; dated && i < cloud_n_services; i++) {
		const service *s = cloud_services[i];
		if (!is_rest(s) || s == s3)
			continue;
		const operation *op = rest_route_message(s, m);
		if (op && op->uri[0] == '/' && op->uri[1] >= '0' && op->uri[1] <= '9')
			return (identity){ s, op, codec_for(s->protocol), STR_NONE, STR_NONE };
	}
	if (!s3)
		return (identity){ .codec = &codec_rest_xml };
	return (identity){ s3, rest_route_message(s3, m), &codec_rest_xml, STR_NONE, STR_NONE };
}

static identity find(const wire_message *m, str host, const sigv4 *sig)
{
	str target = wire_header(m, S("x-amz-target"));
	if (str_is(target))
		return by_target(target);
	if (str_starts(m->path, S("/service/")) && str_is(wire_header(m, S("smithy-protocol"))))
		return by_cbor_path(m->path);

	str signing = sig->form == SIG_NONE ? STR_NONE :
		      sig->form == SIG_V2_QUERY ? S("s3") : sig->service;
	bool form = str_starts(wire_header(m, S("content-type")),
	                       S("application/x-www-form-urlencoded"));
	if (form || str_find(m->query, S("Action=")) != SIZE_MAX) {
		str from = form && m->body.n ? wire_body(m) : m->query;
		str action = form_value(m, from, S("Action"));
		if (str_is(action))
			return by_action(action, form_value(m, from, S("Version")), signing);
	}
	const service *control = virtual_host_is_control(m) ? service_named(S("s3control")) : NULL;
	if (control)
		return (identity){ control, rest_route_message(control, m), &codec_rest_xml, STR_NONE, STR_NONE };
	if (str_is(signing))
		return by_scope(m, signing);
	str region = STR_NONE;
	const service *s = by_host(host, &region);
	if (s && is_rest(s))
		return (identity){ s, rest_route_message(s, m), codec_for(s->protocol), STR_NONE, region };
	return by_path(m);
}

identity identify(const wire_message *m, str host, const sigv4 *sig)
{
	identity id = find(m, host, sig);
	if (sig->form == SIG_HEADER || sig->form == SIG_QUERY)
		id.region = sig->region;
	if (id.service && id.service->global_region)
		id.region = str_c(id.service->global_region);
	if (!str_is(id.named))
		id.named = id.operation ? str_c(id.operation->name) :
			   arena_fmt(m->mem, "%.*s %.*s", STR_ARG(m->method), STR_ARG(m->path));
	return id;
}
