/*
 * Mobile push: platform applications, and the endpoints of devices in them. Apple, Google and the others are
 * not asked: credentials are taken as they are, and a push becomes a file in the outbox, addressed to the
 * endpoint.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "cloud/target.h"
#include "sys/rand.h"
#include "topic.h"

#define LIST_PAGE 100
#define NAME_MAX_BYTES 256
#define USER_DATA_MAX 2048
#define PAYLOAD_MAX 4096
#define CREDENTIAL "PlatformCredential"
#define PRINCIPAL "PlatformPrincipal"

static const char *const platforms[] = { "ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX",
                                        "BAIDU",
	                                 "GCM", "MACOS", "MACOS_SANDBOX", "MPNS", "WNS" };
static const char *const settings[] = { CREDENTIAL, PRINCIPAL, "Enabled", "EventEndpointCreated",
	                                "EventEndpointDeleted", "EventEndpointUpdated", "EventDeliveryFailure",
	                                "SuccessFeedbackRoleArn", "FailureFeedbackRoleArn",
	                                "SuccessFeedbackSampleRate", "ApplePlatformTeamID",
	                                "ApplePlatformBundleID" };
static const char *const own_settings[] = { "CustomUserData", "Enabled", "Token" };

static bool among(const char *const *names, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_c(names[i])))
			return true;
	return false;
}
#define AMONG(names, name) among(names, sizeof names / sizeof *names, name)

static str setting(const sns_MapStringToString *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].key, name))
			return a->v[i].value;
	return STR_NONE;
}

/* What there is, with what is given in its place. */
static sns_MapStringToString merged(arena *mem, const sns_MapStringToString *old,
                                    const sns_MapStringToString *new)
{
	sns_MapStringToString all = { arena_array(mem, sns_MapStringToString_entry, old->n + new->n + 2), 0 };
	for (size_t i = 0; i < old->n; i++)
		if (!str_is(setting(new, old->v[i].key)))
			all.v[all.n++] = old->v[i];
	for (size_t i = 0; i < new->n; i++)
		all.v[all.n++] = new->v[i];
	return all;
}

static bool same_settings(const sns_MapStringToString *a, const sns_MapStringToString *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = str_is(setting(b, a->v[i].key)) && str_eq(setting(b, a->v[i].key), a->v[i].value);
	return same;
}

static str app_arn(arena *mem, const sns_app *a)
{
	return arena_fmt(mem, "arn:aws:sns:%.*s:%.*s:app/%.*s/%.*s", STR_ARG(a->Region), STR_ARG(a->Account),
	                 STR_ARG(a->Platform), STR_ARG(a->Name));
}

static str device_arn(arena *mem, const sns_device *d)
{
	return arena_fmt(mem, "arn:aws:sns:%.*s:%.*s:endpoint/%.*s/%.*s/%.*s", STR_ARG(d->Region),
	                 STR_ARG(d->Account), STR_ARG(d->Platform), STR_ARG(d->App), STR_ARG(d->Id));
}

/* "app/GCM/name" and "endpoint/GCM/name/id" into their parts. */
static err arn_read(req *rq, const char *parameter, str arn, const char *kind, arn_parts *a, str part[3])
{
	TRY(sns_arn_check(rq, parameter, arn, a));
	str rest = a->resource;
	bool good = str_eq(str_cut(&rest, '/'), str_c(kind));
	part[0] = good && str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	part[1] = str_is(part[0]) && str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	part[2] = str_is(rest) ? rest : STR_NONE;
	bool whole = part[1].n && (str_eq(str_c(kind), S("app")) ? !str_is(part[2]) : part[2].n > 0);
	return whole && a->account.n ? OK :
	       fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s Reason: Wrong number of slashes "
	            "in relative portion of the ARN.", parameter);
}

static err app_find(req *rq, const txn *tx, str arn, sns_app **app)
{
	arn_parts a;
	str part[3];
	TRY(arn_read(rq, "PlatformApplicationArn", arn, "app", &a, part));
	*app = sns_app_get(tx, rq->mem, a.account, a.region, part[0], part[1]);
	return *app ? OK : fail(rq, &sns_NotFoundException, "PlatformApplication does not exist");
}

/* `*d` NULL: there is none. */
static err device_find(req *rq, const txn *tx, const char *parameter, str arn, sns_device **d)
{
	arn_parts a;
	str part[3];
	TRY(arn_read(rq, parameter, arn, "endpoint", &a, part));
	*d = sns_device_get(tx, rq->mem, a.account, a.region, part[0], part[1], part[2]);
	return OK;
}

static err bad_attribute(req *rq, const char *what, str name)
{
	return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Attributes Reason: %s%.*s", what,
	            STR_ARG(name));
}

static err app_attributes_check(req *rq, const sns_MapStringToString *given)
{
	for (size_t i = 0; i < given->n; i++) {
		str name = given->v[i].key, value = given->v[i].value;
		int64_t percent;
		if (!AMONG(settings, name))
			return bad_attribute(rq, "Invalid attribute name: ", name);
		if (str_eq(name, S("SuccessFeedbackSampleRate")) &&
		    (!str_to_i64(value, &percent) || percent < 0 || percent > 100))
			return bad_attribute(rq, "Invalid value for attribute: ", name);
	}
	return OK;
}

static err app_name_check(req *rq, str name)
{
	const char *wrong = name.n ? NULL : "cannot be empty";
	if (name.n > NAME_MAX_BYTES)
		wrong = "must be at most 256 characters long";
	for (size_t i = 0; i < name.n && !wrong; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '-' || c == '.'))
			wrong = "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'";
	}
	return wrong ? fail(rq, &sns_InvalidParameterException, "Invalid parameter: %.*s Reason: %s",
	                    STR_ARG(name), wrong) : OK;
}

/* GCM is let in by one key; the others by a name and a secret. */
static err credentials_check(req *rq, str platform, const sns_MapStringToString *given)
{
	bool one = str_eq(platform, S("GCM")), secret = setting(given, S(CREDENTIAL)).n > 0;
	bool name = setting(given, S(PRINCIPAL)).n > 0;
	if (name && !secret)
		return bad_attribute(rq, PRINCIPAL " attribute provided without " CREDENTIAL, S(""));
	if (secret && !name && !one)
		return bad_attribute(rq, CREDENTIAL " attribute provided without " PRINCIPAL, S(""));
	return secret ? OK : bad_attribute(rq, "Platform credentials are invalid", S(""));
}

err sns_CreatePlatformApplication(req *rq, txn *tx, const sns_CreatePlatformApplication_in *in,
                                  sns_CreatePlatformApplication_out *out)
{
	TRY(app_name_check(rq, in->Name));
	if (!AMONG(platforms, in->Platform))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Platform Reason: %.*s is not "
		            "supported", STR_ARG(in->Platform));
	TRY(app_attributes_check(rq, &in->Attributes));
	TRY(credentials_check(rq, in->Platform, &in->Attributes));
	sns_app fresh = { .Account = rq->who.account, .Region = rq->region, .Platform = in->Platform,
		          .Name = in->Name, .Attributes = in->Attributes };
	out->PlatformApplicationArn = app_arn(rq->mem, &fresh);
	topic_metered(rq, out->PlatformApplicationArn);
	const sns_app *old = sns_app_get(tx, rq->mem, fresh.Account, fresh.Region, fresh.Platform, fresh.Name);
	if (old && !same_settings(&old->Attributes, &fresh.Attributes))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Attributes Reason: Platform "
		            "application already exists with different attributes");
	if (!old)
		sns_app_put(tx, &fresh);
	return OK;
}

/* What is shown of an application: never its credentials. */
static sns_MapStringToString app_shown(arena *mem, const sns_app *a)
{
	sns_MapStringToString all = { arena_array(mem, sns_MapStringToString_entry, a->Attributes.n + 2), 0 };
	if (!str_is(setting(&a->Attributes, S("Enabled"))))
		all.v[all.n++] = (sns_MapStringToString_entry){ S("Enabled"), S("true") };
	if (!str_is(setting(&a->Attributes, S("SuccessFeedbackSampleRate"))))
		all.v[all.n++] = (sns_MapStringToString_entry){ S("SuccessFeedbackSampleRate"), S("100") };
	for (size_t i = 0; i < a->Attributes.n; i++)
		if (!str_starts(a->Attributes.v[i].key, S("Platform")) && a->Attributes.v[i].value.n)
			all.v[all.n++] = a->Attributes.v[i];
	return all;
}

err sns_GetPlatformApplicationAttributes(req *rq, const txn *tx,
                                         const sns_GetPlatformApplicationAttributes_in *in,
                                         sns_GetPlatformApplicationAttributes_out *out)
{
	sns_app *a;
	TRY(app_find(rq, tx, in->PlatformApplicationArn, &a));
	topic_metered(rq, in->PlatformApplicationArn);
	out->Attributes = app_shown(rq->mem, a);
	return OK;
}

err sns_SetPlatformApplicationAttributes(req *rq, txn *tx, const sns_SetPlatformApplicationAttributes_in *in,
                                         sns_SetPlatformApplicationAttributes_out *out)
{
	sns_app *a;
	TRY(app_find(rq, tx, in->PlatformApplicationArn, &a));
	TRY(app_attributes_check(rq, &in->Attributes));
	topic_metered(rq, in->PlatformApplicationArn);
	a->Attributes = merged(rq->mem, &a->Attributes, &in->Attributes);
	sns_app_put(tx, a);
	return OK;
}

static void device_drop(txn *tx, const sns_device *d)
{
	sns_devicetoken_delete(tx, d->Account, d->Region, d->Platform, d->App, sha256_hex(txn_arena(tx),
	                                                                                  d->Token));
	sns_device_delete(tx, d->Account, d->Region, d->Platform, d->App, d->Id);
}

err sns_DeletePlatformApplication(req *rq, txn *tx, const sns_DeletePlatformApplication_in *in,
                                  sns_DeletePlatformApplication_out *out)
{
	sns_app *a;
	err e = app_find(rq, tx, in->PlatformApplicationArn, &a);
	topic_metered(rq, in->PlatformApplicationArn);
	if (e)
		return e->kind == &sns_NotFoundException ? OK : e;
	record_scan s = sns_device_scan(tx, rq->mem, 4, a->Account, a->Region, a->Platform, a->Name, STR_NONE);
	for (const sns_device *d; (d = sns_device_next(&s));)
		device_drop(tx, d);
	sns_app_delete(tx, a->Account, a->Region, a->Platform, a->Name);
	return OK;
}

err sns_ListPlatformApplications(req *rq, const txn *tx, const sns_ListPlatformApplications_in *in,
                                 sns_ListPlatformApplications_out *out)
{
	str position = STR_NONE, last = STR_NONE;
	if (in->NextToken.n && !page_position(rq, in->NextToken, &position))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
	topic_metered(rq, STR_NONE);
	out->PlatformApplications.v = arena_array(rq->mem, sns_PlatformApplication, LIST_PAGE);
	record_scan s = sns_app_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	for (const sns_app *a; (a = sns_app_next(&s));) {
		str place = arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(a->Platform), STR_ARG(a->Name));
		if (str_is(position) && str_cmp(place, position) <= 0)
			continue;
		if (out->PlatformApplications.n == LIST_PAGE) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->PlatformApplications.v[out->PlatformApplications.n++] =
			(sns_PlatformApplication){ app_arn(rq->mem, a), app_shown(rq->mem, a) };
		last = place;
	}
	cursor_close(&s.at);
	return OK;
}

/* Tells the topic that the application names for such events, if it names one that is there. */
static void tell(req *rq, txn *tx, const sns_app *a, const sns_device *d, const char *what)
{
	arn_parts t;
	str arn = setting(&a->Attributes, arena_fmt(rq->mem, "Event%s", what));
	const sns_topic *topic = arn.n && arn_split(arn, &t) && str_eq(t.region, rq->region)
		? sns_topic_get(tx, rq->mem, t.account, t.region, t.resource) : NULL;
	if (!topic || topic_is_fifo(topic))
		return;
	notice n = { .id = rand_uuid(rq->mem), .when = rq->now, .views = arena_new(rq->mem, notice_views) };
	n.message = arena_fmt(rq->mem, "{\"EndpointArn\":\"%.*s\",\"EventType\":\"%s\",\"Resource\":\"%.*s\","
	                      "\"Service\":\"SNS\",\"Time\":\"%.*s\"}", STR_ARG(device_arn(rq->mem, d)), what,
	                      STR_ARG(app_arn(rq->mem, a)), STR_ARG(time_iso_ms(rq->mem, rq->now)));
	fan_out(rq, tx, topic, &n);
}

static err device_attributes_check(req *rq, const sns_MapStringToString *given)
{
	for (size_t i = 0; i < given->n; i++) {
		str name = given->v[i].key, value = given->v[i].value;
		if (!AMONG(own_settings, name))
			return bad_attribute(rq, "Invalid attribute name: ", name);
		if (str_eq(name, S("CustomUserData")) && value.n > USER_DATA_MAX)
			return bad_attribute(rq, "Invalid value for attribute: CustomUserData: must be at most 2048 "
			                     "bytes long in UTF-8 encoding", S(""));
		bool boolean = str_eq_nocase(value, S("true")) || str_eq_nocase(value, S("false"));
		if (str_eq(name, S("Enabled")) && !boolean)
			return bad_attribute(rq, "Invalid value for attribute: Enabled: must be either true or false",
			                     S(""));
		if (str_eq(name, S("Token")) && !value.n)
			return bad_attribute(rq, "Invalid value for attribute: Token: must not be empty", S(""));
	}
	return OK;
}

/* As it is kept: everything but the token, with what AWS takes for granted. */
static void device_set(arena *mem, sns_device *d, const sns_MapStringToString *given)
{
	sns_MapStringToString all = merged(mem, &d->Attributes, given);
	str token = setting(&all, S("Token"));
	d->Token = token.n ? token : d->Token;
	d->Attributes = (sns_MapStringToString){ arena_array(mem, sns_MapStringToString_entry, all.n + 1), 0 };
	if (!str_is(setting(&all, S("Enabled"))))
		d->Attributes.v[d->Attributes.n++] = (sns_MapStringToString_entry){ S("Enabled"), S("true") };
	for (size_t i = 0; i < all.n; i++)
		if (!str_eq(all.v[i].key, S("Token")) && all.v[i].value.n)
			d->Attributes.v[d->Attributes.n++] = all.v[i];
}

static void device_put(txn *tx, const sns_device *d)
{
	sns_device_put(tx, d);
	sns_devicetoken_put(tx, &(sns_devicetoken){ d->Account, d->Region, d->Platform, d->App,
	                                            sha256_hex(txn_arena(tx), d->Token), d->Id });
}

static const sns_device *device_of_token(const txn *tx, arena *mem, const sns_device *d)
{
	const sns_devicetoken *t = sns_devicetoken_get(tx, mem, d->Account, d->Region, d->Platform, d->App,
	                                               sha256_hex(mem, d->Token));
	return t ? sns_device_get(tx, mem, d->Account, d->Region, d->Platform, d->App, t->Id) : NULL;
}

err sns_CreatePlatformEndpoint(req *rq, txn *tx, const sns_CreatePlatformEndpoint_in *in,
                               sns_CreatePlatformEndpoint_out *out)
{
	sns_app *a;
	TRY(app_find(rq, tx, in->PlatformApplicationArn, &a));
	if (!in->Token.n)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Token Reason: no value for required parameter");
	TRY(device_attributes_check(rq, &in->Attributes));
	sns_MapStringToString_entry data = { S("CustomUserData"), in->CustomUserData };
	sns_MapStringToString beside = { &data, str_is(in->CustomUserData) };
	TRY(device_attributes_check(rq, &beside));
	sns_device fresh = { .Account = a->Account, .Region = a->Region, .Platform = a->Platform, .App = a->Name,
		             .Token = in->Token, .Attributes = beside };
	device_set(rq->mem, &fresh, &in->Attributes);
	fresh.Token = in->Token;
	topic_metered(rq, in->PlatformApplicationArn);
	const sns_device *old = device_of_token(tx, rq->mem, &fresh);
	if (old && !same_settings(&old->Attributes, &fresh.Attributes))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Token Reason: Endpoint %.*s "
		            "already exists with the same Token, but different attributes.",
		            STR_ARG(device_arn(rq->mem, old)));
	if (!old) {
		fresh.Id = rand_uuid(rq->mem);
		device_put(tx, &fresh);
		tell(rq, tx, a, &fresh, "EndpointCreated");
	}
	out->EndpointArn = device_arn(rq->mem, old ? old : &fresh);
	return OK;
}

err sns_DeleteEndpoint(req *rq, txn *tx, const sns_DeleteEndpoint_in *in, sns_DeleteEndpoint_out *out)
{
	sns_device *d;
	TRY(device_find(rq, tx, "EndpointArn", in->EndpointArn, &d));
	topic_metered(rq, in->EndpointArn);
	if (!d)
		return OK;
	const sns_app *a = sns_app_get(tx, rq->mem, d->Account, d->Region, d->Platform, d->App);
	device_drop(tx, d);
	if (a)
		tell(rq, tx, a, d, "EndpointDeleted");
	return OK;
}

static sns_MapStringToString device_shown(arena *mem, const sns_device *d)
{
	sns_MapStringToString_entry token = { S("Token"), d->Token };
	return merged(mem, &d->Attributes, &(sns_MapStringToString){ &token, 1 });
}

err sns_GetEndpointAttributes(req *rq, const txn *tx, const sns_GetEndpointAttributes_in *in,
                              sns_GetEndpointAttributes_out *out)
{
	sns_device *d;
	TRY(device_find(rq, tx, "EndpointArn", in->EndpointArn, &d));
	if (!d)
		return fail(rq, &sns_NotFoundException, "Endpoint does not exist");
	topic_metered(rq, in->EndpointArn);
	out->Attributes = device_shown(rq->mem, d);
	return OK;
}

err sns_SetEndpointAttributes(req *rq, txn *tx, const sns_SetEndpointAttributes_in *in,
                              sns_SetEndpointAttributes_out *out)
{
	sns_device *d;
	TRY(device_find(rq, tx, "EndpointArn", in->EndpointArn, &d));
	if (!d)
		return fail(rq, &sns_NotFoundException, "Endpoint does not exist");
	TRY(device_attributes_check(rq, &in->Attributes));
	topic_metered(rq, in->EndpointArn);
	sns_device old = *d;
	device_set(rq->mem, d, &in->Attributes);
	const sns_device *other = device_of_token(tx, rq->mem, d);
	if (other && !str_eq(other->Id, d->Id))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: This endpoint is already registered with a different token.");
	device_drop(tx, &old);
	device_put(tx, d);
	const sns_app *a = sns_app_get(tx, rq->mem, d->Account, d->Region, d->Platform, d->App);
	if (a)
		tell(rq, tx, a, d, "EndpointUpdated");
	return OK;
}

err sns_ListEndpointsByPlatformApplication(req *rq, const txn *tx,
                                           const sns_ListEndpointsByPlatformApplication_in *in,
                                           sns_ListEndpointsByPlatformApplication_out *out)
{
	sns_app *a;
	str after;
	TRY(app_find(rq, tx, in->PlatformApplicationArn, &a));
	topic_metered(rq, in->PlatformApplicationArn);
	record_scan s = sns_device_scan(tx, rq->mem, 4, a->Account, a->Region, a->Platform, a->Name, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
		record_scan_after(&s, after);
	}
	out->Endpoints.v = arena_array(rq->mem, sns_Endpoint, LIST_PAGE);
	str last = STR_NONE;
	for (const sns_device *d; (d = sns_device_next(&s));) {
		if (out->Endpoints.n == LIST_PAGE) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->Endpoints.v[out->Endpoints.n++] =
			(sns_Endpoint){ device_arn(rq->mem, d), device_shown(rq->mem, d) };
		last = d->Id;
	}
	cursor_close(&s.at);
	return OK;
}

bool is_endpoint(str arn)
{
	return str_find(arn, S(":endpoint/")) != SIZE_MAX;
}

str endpoint_platform(str arn)
{
	size_t at = str_find(arn, S(":endpoint/"));
	str rest = at == SIZE_MAX ? STR_NONE : str_sub(arn, at + 10, arn.n);
	return str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
}

err endpoint_check(req *rq, const txn *tx, const char *parameter, str arn)
{
	sns_device *d;
	TRY(device_find(rq, tx, parameter, arn, &d));
	const sns_app *a = d ? sns_app_get(tx, rq->mem, d->Account, d->Region, d->Platform, d->App) : NULL;
	if (!a)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s Reason: No endpoint found "
		            "for the target arn specified", parameter);
	if (str_eq_nocase(setting(&a->Attributes, S("Enabled")), S("false")))
		return fail(rq, &sns_PlatformApplicationDisabledException, "Platform application is disabled");
	return str_eq_nocase(setting(&d->Attributes, S("Enabled")), S("false"))
	               ? fail(rq, &sns_EndpointDisabledException, "Endpoint is disabled") : OK;
}

err push_put(req *rq, str id, str arn, str subject, str text, int64_t when)
{
	str platform = endpoint_platform(arn);
	outbox_mail m = { .id = id, .from = arena_fmt(rq->mem, "%.*s.push.localhost", STR_ARG(platform)),
		          .to = &arn, .n_to = 1, .subject = subject.n ? subject : S("Push"), .body = text,
		          .when = when };
	TRY(outbox_put(rq->mem, &m));
	meter_one(rq, str_starts(platform, S("MACOS")) ? &SNS_MACOS : &SNS_MOBILE, arn);
	return OK;
}

/* What the message says to the platform. */
static err push_text(req *rq, const sns_Publish_in *in, str platform, str *text)
{
	*text = in->Message;
	if (!in->Message.n)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Empty message");
	if (str_is(in->MessageStructure)) {
		const json_value *v = json_parse(rq->mem, in->Message), *own = json_get(v, platform);
		if (!str_eq(in->MessageStructure, S("json")))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: MessageStructure");
		if (!v || v->kind != JSON_OBJECT)
			return fail(rq, &sns_InvalidParameterException,
			            "Invalid parameter: Message Structure - JSON message body failed to parse");
		own = own && own->kind == JSON_STRING ? own : json_get(v, S("default"));
		if (!own || own->kind != JSON_STRING)
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: JSON must contain an entry "
			            "for 'default' or '%.*s'.", STR_ARG(platform));
		*text = own->text;
	}
	return text->n <= PAYLOAD_MAX ? OK
		: fail(rq, &sns_InvalidParameterException, "Invalid parameter: Message too long");
}

err publish_push(req *rq, const sns_Publish_in *in, str arn, const char *parameter, str *id)
{
	str text;
	const txn *tx = req_read(rq);
	err e = endpoint_check(rq, tx, parameter, arn);
	req_read_end(rq, tx);
	TRY(e);
	TRY(push_text(rq, in, endpoint_platform(arn), &text));
	*id = rand_uuid(rq->mem);
	topic_metered(rq, arn);
	return push_put(rq, arena_fmt(rq->mem, "push-%.*s", STR_ARG(*id)), arn, in->Subject, text, rq->now);
}
