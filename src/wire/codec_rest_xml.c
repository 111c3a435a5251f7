/*
 * restXml: S3, S3 Control, Route 53, CloudFront. S3 differs from the rest in its error envelope, in the names
 * of its root elements (the model has lost them) and in GetBucketLocation.
 */
#include "wire/codec.h"
#include "wire/fault.h"
#include "wire/memo.h"
#include "wire/rest.h"
#include "wire/value_xml.h"

#define BODY_MAX ((size_t)1 << 30)
#define DECLARATION S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")

static err read_body(const wire_message *m, const shape *s, bool body_only, void *value)
{
	str why = STR_NONE;
	if (xml_read(m->mem, s, m->body, body_only, value, &why))
		return OK;
	return fault_new(m->mem, &fault_syntax, "%.*s", STR_ARG(why));
}

static err decode(const wire_message *m, const operation *op, void *in)
{
	const shape *s = op->input;
	if (!s)
		return OK;
	TRY(rest_read(m, op, in));
	const shape_member *payload = rest_payload(s);
	if (!payload)
		return m->body.n && rest_has_body(s) ? read_body(m, s, true, in) : OK;
	if (rest_read_raw(m, payload, in) || m->body.n == 0)
		return OK;
	room r = room_for(m->mem, m->body.n);
	return read_body(m, payload->shape, false, member_make(&r, payload, in));
}

/* What S3 calls the root of a reply whose shape is not itself the payload. */
static const char *s3_root(const char *op)
{
	static const char *const names[][2] = {
		{ "CompleteMultipartUpload", "CompleteMultipartUploadResult" },
		{ "CreateMultipartUpload", "InitiateMultipartUploadResult" },
		{ "CreateSession", "CreateSessionResult" },
		{ "DeleteObjects", "DeleteResult" },
		{ "GetBucketAccelerateConfiguration", "AccelerateConfiguration" },
		{ "GetBucketAcl", "AccessControlPolicy" },
		{ "GetBucketCors", "CORSConfiguration" },
		{ "GetBucketLifecycle", "LifecycleConfiguration" },
		{ "GetBucketLifecycleConfiguration", "LifecycleConfiguration" },
		{ "GetBucketLogging", "BucketLoggingStatus" },
		{ "GetBucketNotification", "NotificationConfiguration" },
		{ "GetBucketNotificationConfiguration", "NotificationConfiguration" },
		{ "GetBucketRequestPayment", "RequestPaymentConfiguration" },
		{ "GetBucketTagging", "Tagging" },
		{ "GetBucketVersioning", "VersioningConfiguration" },
		{ "GetBucketWebsite", "WebsiteConfiguration" },
		{ "GetObjectAcl", "AccessControlPolicy" },
		{ "GetObjectAttributes", "GetObjectAttributesResponse" },
		{ "GetObjectTagging", "Tagging" },
		{ "ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult" },
		{ "ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult" },
		{ "ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult" },
		{ "ListBuckets", "ListAllMyBucketsResult" },
		{ "ListDirectoryBuckets", "ListAllMyDirectoryBucketsResult" },
		{ "ListMultipartUploads", "ListMultipartUploadsResult" },
		{ "ListObjectVersions", "ListVersionsResult" },
		{ "ListObjects", "ListBucketResult" },
		{ "ListObjectsV2", "ListBucketResult" },
		{ "ListParts", "ListPartsResult" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], op) == 0)
			return names[i][1];
	return NULL;
}

static const char *input_uri(const operation *op)
{
	const shape_member *payload = op->input ? rest_payload(op->input) : NULL;
	if (payload && payload->xml_uri)
		return payload->xml_uri;
	return op->input && !op->input->xml_prefix ? op->input->xml_uri : NULL;
}

/* These models name their one name space at every request's root only. */
static void *find_uri(arena *a, const void *key)
{
	const service *s = key;
	const char *uri = s->xml_uri;
	(void)a;
	for (unsigned i = 0; !uri && i < s->n_operations; i++)
		uri = input_uri(&s->operations[i]);
	if (!uri && is_s3(s))
		uri = "http://s3.amazonaws.com/doc/2006-03-01/";
	return (void *)(uintptr_t)uri;
}

static const char *document_uri(const service *s)
{
	static memo uris = MEMO_INIT;
	return memo_get(&uris, s, find_uri);
}

static xml_style style_of(const service *s)
{
	return (xml_style){ .milliseconds = is_s3(s) };
}

static void write_body(wire_message *m, const operation *op, const void *out)
{
	const shape *s = op->output;
	const shape_member *payload = rest_payload(s);
	xml_style style = style_of(op->service);
	if (payload && rest_write_raw(m, payload, out))
		return;
	const void *v = payload ? member_value(payload, out) : out;
	if (!v || (!payload && !rest_has_body(s)))
		return;
	buf b = buf_in(m->mem, 1024, BODY_MAX);
	const char *root = is_s3(op->service) && !payload ? s3_root(op->name) : NULL;
	if (!root && payload)
		root = payload->wire_name;
	if (!root)
		root = s->xml_name ? s->xml_name : s->name;
	buf_put(&b, DECLARATION);
	xml_write_struct(&b, payload ? payload->shape : s, &style, root, document_uri(op->service), !payload, v);
	add_content_type(m, is_s3(op->service) ? S("application/xml") : S("text/xml"));
	m->body = buf_str(&b);
}

/* The constraint is the root element itself, empty where there is none. */
static void write_location(wire_message *m, const operation *op, const void *out)
{
	const shape_member *member = shape_member_find(op->output, S("LocationConstraint"));
	const str *value = member ? member_value(member, out) : NULL;
	const char *uri = document_uri(op->service);
	buf b = buf_in(m->mem, 256, BODY_MAX);
	buf_put(&b, DECLARATION);
	buf_fmt(&b, "<LocationConstraint xmlns=\"%s\">", uri ? uri : "");
	xml_put_text(&b, value ? *value : S(""));
	xml_put_close(&b, "LocationConstraint");
	add_content_type(m, S("application/xml"));
	m->body = buf_str(&b);
}

static void encode(wire_message *m, const operation *op, const void *out, str request_id)
{
	m->status = op->status ? op->status : 200;
	m->body = S("");
	add_request_id(m, op->service, request_id);
	if (!op->output || !out)
		return;
	rest_write(m, op->output, out);
	if (m->status == 204 || m->status == 304)
		return;
	if (is_s3(op->service) && strcmp(op->name, "GetBucketLocation") == 0)
		write_location(m, op, out);
	else
		write_body(m, op, out);
}

static void encode_fault(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_REST_XML, e);
	xml_style style = style_of(s);
	const char *uri = s ? document_uri(s) : NULL;
	/* S3 Control writes errors as others do, with what S3's have in them. */
	bool s3 = is_s3(s), control = s && strcmp(s->name, "s3control") == 0;
	m->status = f.status;
	add_request_id(m, s, request_id);
	if (f.shape)
		rest_write(m, f.shape, f.detail);
	m->status = f.status;
	add_content_type(m, s3 ? S("application/xml") : S("text/xml"));
	buf b = buf_in(m->mem, 512, BODY_MAX);
	buf_put(&b, DECLARATION);
	if (!s3) {
		if (uri)
			buf_fmt(&b, "<ErrorResponse xmlns=\"%s\">", uri);
		else
			xml_put_open(&b, "ErrorResponse");
	}
	xml_put_open(&b, "Error");
	if (!s3 && !control)
		xml_put_element(&b, "Type", f.server ? S("Receiver") : S("Sender"));
	xml_put_element(&b, "Code", f.code);
	if (str_is(f.message))
		xml_put_element(&b, "Message", f.message);
	if (f.shape)
		xml_write_members(&b, f.shape, &style, true, f.detail, f.message_member);
	if (s3) {
		xml_put_element(&b, "RequestId", request_id);
		xml_put_element(&b, "HostId", s3_host_id(m->mem, request_id));
	}
	xml_put_close(&b, "Error");
	if (!s3) {
		xml_put_element(&b, "RequestId", request_id);
		if (control)
			xml_put_element(&b, "HostId", s3_host_id(m->mem, request_id));
		xml_put_close(&b, "ErrorResponse");
	}
	m->body = buf_str(&b);
}

const codec codec_rest_xml = {
	.name = "rest-xml",
	.protocol = PROTOCOL_REST_XML,
	.decode = decode,
	.encode = encode,
	.encode_fault = encode_fault,
};
