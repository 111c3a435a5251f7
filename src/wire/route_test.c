#include "test/test.h"
#include "wire/codec.h"
#include <stddef.h>

static const shape text = { .name = "Text", .kind = SHAPE_STRING, .size = sizeof(str) };
#define NEEDS(id, place_, wire) \
	static const shape_member id##_members[] = { { .name = #id, .wire_name = wire, .shape = &text, \
		                                       .place = place_, .required = true } }; \
	static const shape id = { .name = #id, .kind = SHAPE_STRUCT, .size = sizeof(str), .n_members = 1, \
	                          .members = id##_members }
NEEDS(needs_upload, IN_QUERY, "uploadId");
NEEDS(needs_source, IN_HEADER, "x-amz-copy-source");

#define OP(name_, method_, uri_, ...) { .name = name_, .method = method_, .uri = uri_, __VA_ARGS__ }
static const operation ops[] = {
	OP("CopyObject", "PUT", "/{Bucket}/{Key+}", .input = &needs_source),
	OP("GetFunction", "GET", "/2015-03-31/functions/{Name}"),
	OP("GetObject", "GET", "/{Bucket}/{Key+}"),
	OP("GetObjectAcl", "GET", "/{Bucket}/{Key+}?acl"),
	OP("GetPolicy", "GET", "/2015-03-31/functions/{Name}/policy"),
	OP("GetRoutes", "GET", "/mrap/{name+}/routes"),
	OP("GetSettings", "GET", "/2015-03-31/functions/settings"),
	OP("ListBuckets", "GET", "/"),
	OP("ListFunctions", "GET", "/2015-03-31/functions/"),
	OP("ListParts", "GET", "/{Bucket}/{Key+}", .input = &needs_upload),
	OP("ListThings", "GET", "/{Bucket}?list-type=1"),
	OP("ListThingsV2", "GET", "/{Bucket}?list-type=2"),
	OP("PutObject", "PUT", "/{Bucket}/{Key+}"),
	OP("WriteReply", "POST", "/WriteReply?x-id=WriteReply"),
};
static const service s = { .name = "test", .operations = ops, .n_operations = sizeof ops / sizeof *ops };

static str found(const char *method, const char *path, const char *query)
{
	const operation *op = rest_route(&s, str_c(method), str_c(path), str_c(query));
	return op ? str_c(op->name) : S("-");
}

TEST(routes_prefer_literal_text)
{
	CHECK_STR(found("GET", "/2015-03-31/functions/f", NULL), S("GetFunction"));
	CHECK_STR(found("GET", "/2015-03-31/functions/settings", NULL), S("GetSettings"));
	CHECK_STR(found("GET", "/2015-03-31/functions", NULL), S("ListFunctions"));
	CHECK_STR(found("GET", "/2015-03-31/functions/", NULL), S("ListFunctions"));
	CHECK_STR(found("GET", "/2015-03-31/functions/arn%3Aaws%2Ff/policy", NULL), S("GetPolicy"));
	CHECK_STR(found("GET", "/mrap/a/b/routes", NULL), S("GetRoutes"));
	CHECK_STR(found("DELETE", "/2015-03-31/functions/f", NULL), S("-"));
	CHECK_STR(found("GET", "no-slash", NULL), S("-"));
	CHECK_STR(found("GET", "", NULL), S("-"));
}

TEST(routes_are_told_apart_by_queries_and_headers)
{
	CHECK_STR(found("GET", "/", NULL), S("ListBuckets"));
	CHECK_STR(found("GET", "/b/k", NULL), S("GetObject"));
	CHECK_STR(found("GET", "/b/k", "x-id=GetObject"), S("GetObject"));
	CHECK_STR(found("GET", "/b/k//l/", "versionId=1&acl="), S("GetObjectAcl"));
	CHECK_STR(found("GET", "/b/k", "uploadId=1"), S("ListParts"));
	CHECK_STR(found("GET", "/b", "list-type=2"), S("ListThingsV2"));
	CHECK_STR(found("GET", "/b/", "list-type=1"), S("ListThings"));
	CHECK_STR(found("GET", "/b", NULL), S("-"));
	CHECK_STR(found("POST", "/WriteReply", NULL), S("WriteReply"));
	wire_message m = { .mem = mem, .method = S("PUT"), .path = S("/b/k") };
	CHECK(strcmp(rest_route_message(&s, &m)->name, "PutObject") == 0);
	wire_header_add(&m, S("X-Amz-Copy-Source"), S("a/b"));
	CHECK(strcmp(rest_route_message(&s, &m)->name, "CopyObject") == 0);
}
