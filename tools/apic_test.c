#include "tools/apic.h"
#include "test/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = { "demo/demo.api", "demo/demo.patch", "demo/demo.def",
	                                 "demo/demo.c" };

/* A folder `demo` with these files in it; what is NULL is not there. */
static str folder(arena *mem, const char *const texts[4])
{
	char name[] = "/tmp/farthing-apic-XXXXXX";
	ensure(mkdtemp(name));
	str root = arena_str(mem, str_c(name));
	ensure(mkdir(arena_fmt(mem, "%s/demo", root.p).p, 0700) == 0);
	for (size_t i = 0; i < 4; i++) {
		if (!texts[i])
			continue;
		FILE *f = fopen(arena_fmt(mem, "%s/%s", root.p, files[i]).p, "wb");
		ensure(f && fputs(texts[i], f) >= 0 && fclose(f) == 0);
	}
	return root;
}

static void gone(arena *mem, str root)
{
	for (size_t i = 0; i < 4; i++)
		unlink(arena_fmt(mem, "%s/%s", root.p, files[i]).p);
	rmdir(arena_fmt(mem, "%s/demo", root.p).p);
	rmdir(root.p);
}

static err load(arena *mem, const char *const texts[4], apic_service *s)
{
	str root = folder(mem, texts);
	*s = (apic_service){ .folder = "demo", .prefix = "demo", .taken = map_in(mem, 16) };
	err e = apifile_open(mem, arena_fmt(mem, "%s/demo/demo.api", root.p), &s->api);
	if (!e) {
		s->handlers = arena_array(mem, apic_handler, s->api->service.n_operations + 1u);
		e = apic_scan(mem, s, arena_fmt(mem, "%s/demo", root.p));
	}
	if (!e)
		e = apic_mark(mem, s);
	gone(mem, root);
	return e;
}

/* The message without the folder it happened in. */
static str complaint(arena *mem, const char *api, const char *patch, const char *def,
                     const char *code)
{
	apic_service s;
	err e = load(mem, (const char *const[]){ api, patch, def, code }, &s);
	CHECK(e != OK);
	size_t at = str_find(e->message, S("demo."));
	CHECK(at != SIZE_MAX);
	return str_sub(e->message, at, e->message.n);
}

#define HEAD "service demo id=Demo protocol=json\n"

static const char facts[] = HEAD
	"op Put POST /x/{Id}?y in=PutIn out=PutOut status=201 errors=Gone\n"
	"op Get GET / out=PutOut\n"
	"struct PutIn payload=Body\n"
	"\tId Text ! at=path:Id\n"
	"\tNULL Flag wire=null\n"
	"\tOn Flag\n"
	"\tBody Blob\n"
	"\tTree Tree\n"
	"struct PutOut\n"
	"struct Tree union\n"
	"\tLeaves Trees flat\n"
	"\tNamed Named\n"
	"list Trees Tree min=1\n"
	"map Named Text Flag key=k value=v\n"
	"map Deep Text Tree\n"
	"string Text min=1 max=3 pattern=\"a \\\"b\\\\\"\n"
	"boolean Flag\n"
	"blob Blob streaming\n"
	"enum Colour red \"dark blue\" \"\"\n"
	"double Ratio min=0.001 max=99.5\n"
	"struct Other\n"
	"\tDeep Deep\n"
	"\tColour Colour\n"
	"\tRatio Ratio\n"
	"error Gone 404 code=Demo.Gone sender\n"
	"\tmessage Text\n";

struct put_in { str Id; opt_bool Null, On; str Body; void *Tree; };
struct named_entry { str key; opt_bool value; };

static const shape *shape_of(const apic_service *s, const char *name)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (strcmp(t->shape.name, name) == 0)
			return &t->shape;
	return NULL;
}

TEST(facts_become_tables)
{
	apic_service s;
	CHECK_OK(load(mem, (const char *const[]){ facts, NULL, NULL, NULL }, &s));
	const service *v = &s.api->service;
	CHECK_I64(v->n_operations, 2);
	CHECK(strcmp(v->operations[0].name, "Get") == 0);
	const operation *put = operation_find(v, S("Put"));
	CHECK(put && put->status == 201 && put->input_streams && !put->output_streams);
	CHECK_STR(str_c(put->uri), S("/x/{Id}?y"));
	CHECK(put->errors[0]->fault->status == 404 && !put->errors[1]);
	CHECK_STR(str_c(put->errors[0]->fault->query_code), S("Demo.Gone"));
	const shape *in = put->input;
	CHECK_I64(in->size, sizeof(struct put_in));
	CHECK_I64(in->members[2].offset, offsetof(struct put_in, On));
	CHECK_I64(in->members[3].offset, offsetof(struct put_in, Body));
	CHECK_I64(in->members[4].offset, offsetof(struct put_in, Tree));
	CHECK(in->members[0].required && in->members[0].place == IN_PATH);
	CHECK_STR(str_c(in->members[1].wire_name), S("null"));
	CHECK_I64(put->output->size, 1);
	CHECK_I64(shape_of(&s, "Named")->entry_size, sizeof(struct named_entry));
	CHECK_I64(shape_of(&s, "Named")->value_offset, offsetof(struct named_entry, value));
	CHECK_STR(str_c(shape_of(&s, "Text")->pattern), S("a \"b\\"));
	CHECK(shape_has_value(shape_of(&s, "Colour"), S("dark blue")));
	CHECK(shape_has_value(shape_of(&s, "Colour"), S(""))
	      && !shape_has_value(shape_of(&s, "Colour"), S("r")));
	CHECK(shape_of(&s, "Ratio")->min == 0 && shape_of(&s, "Ratio")->max == 100);
	CHECK(shape_of(&s, "Tree")->is_union && shape_of(&s, "Tree")->members[0].flattened);
}

TEST(a_patch_amends)
{
	static const char patch[] =
		"service demo protocols=json,query\nop Put POST /y status=200\n"
		"struct PutIn\n\tOn Text\n\t- NULL\n\tMore Text\nenum Colour green\n";
	apic_service s;
	CHECK_OK(load(mem, (const char *const[]){ facts, patch, NULL, NULL }, &s));
	const operation *put = operation_find(&s.api->service, S("Put"));
	CHECK_STR(str_c(put->uri), S("/y"));
	CHECK(put->input->n_members == 5 && put->errors && put->status == 200);
	CHECK_STR(str_c(put->result_wrapper), S("PutResult"));
	CHECK(shape_member_find(put->input, S("On"))->shape->kind == SHAPE_STRING);
	CHECK(!shape_member_find(put->input, S("NULL"))
	      && shape_member_find(put->input, S("Id"))->required);
	CHECK(shape_of(&s, "Colour")->n_values == 1);
	CHECK(s.api->service.protocols == (1 << PROTOCOL_JSON | 1 << PROTOCOL_QUERY));
}

TEST(sources_say_what_is_implemented)
{
	static const char code[] =
		"/*\nerr demo_Get(req *rq, const txn *tx, in) {\n*/\n"
		"err demo_helper(req *rq, int x)\n{\n}\n"
		"err demo_Put(req *rq, txn *tx, const demo_Put_in *in, demo_Put_out *out);\n"
		"err\ndemo_Put(req *rq, txn *tx,\n\tconst demo_Put_in *in, demo_Put_out *out)\n"
		"{\n}\n"
		"err demo_Get(req *rq, const  txn  *tx, const demo_Get_in *in,\n\tdemo_Get_out *out)\n"
		"{\n}\n";
	apic_service s;
	CHECK_OK(load(mem, (const char *const[]){ facts, NULL, NULL, code }, &s));
	CHECK_I64(s.n_implemented, 2);
	CHECK_I64(s.handlers[0].kind, KIND_READ);
	CHECK_I64(s.handlers[1].kind, KIND_WRITE);
	CHECK_I64(s.handlers[1].line, 8);
	CHECK(((const api_shape *)shape_of(&s, "Tree"))->wanted);
	CHECK(!((const api_shape *)shape_of(&s, "Other"))->wanted);
}

TEST(a_handler_that_refuses_is_not_counted)
{
	static const char code[] =
		"err demo_Get(req *rq, const txn *tx, const demo_Get_in *in, demo_Get_out *out)\n"
		"{\n\treturn fail(rq, &aws_NotImplemented, \"demo\");\n}\n";
	apic_service s;
	CHECK_OK(load(mem, (const char *const[]){ facts, NULL, NULL, code }, &s));
	CHECK(s.n_implemented == 0 && s.handlers[0].kind == KIND_READ && s.handlers[0].refuses);
}

TEST(definitions_of_ours)
{
	static const char def[] =
		"# ours\nrecord row key Account Number:i64\n\t1 Text str\n\t4 Deep Deep\n\t2 At time\n"
		"struct Own\n\tOn Flag\n"
		"usage DEMO_CALLS AmazonDemo demo.calls \"calls of it\" sku=demo.other per=1024\n"
		"limit DEMO_MAX 5\n";
	apic_service s;
	CHECK_OK(load(mem, (const char *const[]){ facts, NULL, def, "int x;\n" }, &s));
	const api_record *r = s.api->records;
	CHECK(r && r->n_keys == 2 && r->n_fields == 5 && !r->next);
	CHECK(r->fields[1].type == API_I64 && r->fields[3].number == 4 && r->fields[3].shape);
	CHECK_STR(str_c(s.api->meters->sku), S("demo.other"));
	CHECK_I64(s.api->limits->value, 5);
	CHECK(((const api_shape *)shape_of(&s, "Deep"))->wanted);
	CHECK(((const api_shape *)shape_of(&s, "Own"))->wanted);
}

TEST(mistakes_are_named_with_their_place)
{
	CHECK_STR(complaint(mem, HEAD "strukt X\n", NULL, NULL, NULL),
	          S("demo.api:2: unknown declaration \"strukt\""));
	CHECK_STR(complaint(mem, HEAD "struct X\n\tA Nix\n", NULL, NULL, NULL),
	          S("demo.api:3: Nix is not declared"));
	CHECK_STR(complaint(mem, HEAD "string X max=a\n", NULL, NULL, NULL),
	          S("demo.api:2: \"a\" is not a number"));
	CHECK_STR(complaint(mem, HEAD "string X \"a\n", NULL, NULL, NULL),
	          S("demo.api:2: a quoted word does not end on its line"));
	CHECK_STR(complaint(mem, HEAD "string X\nstruct Y\n\tA X\n\tA X\n", NULL, NULL, NULL),
	          S("demo.api:5: Y has two members A"));
	CHECK_STR(complaint(mem, facts, "struct PutIn\n\t- Nix\n", NULL, NULL),
	          S("demo.patch:2: PutIn has no member Nix"));
	CHECK_STR(complaint(mem, facts, NULL, "record r key A\n\t1 A str\n", NULL),
	          S("demo.def:2: record r: field 1 A stands there already"));
	CHECK_STR(complaint(mem, facts, NULL, "record Tree key A\n", NULL),
	          S("demo.def:1: Tree is a shape of the service"));
	static const char code[] =
		"err demo_Pit(req *rq, txn *tx, const demo_Put_in *in, demo_Put_out *out)\n{\n}\n";
	CHECK_STR(complaint(mem, facts, NULL, NULL, code), S("demo.c:1: demo has no operation Pit"));
}
