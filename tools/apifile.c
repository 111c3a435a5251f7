/* Reads .api, .patch and .def. Words are cut and unescaped in place, in the text as loaded. */
#include "tools/apifile.h"
#include "tools/apifile_parse.h"
#include "base/map.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static err complain(parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static err complain(parser *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str text = arena_vfmt(p->mem, format, args);
	va_end(args);
	return fault_new(p->mem, &fault_syntax, "%s:%d: %.*s", p->file, p->line, STR_ARG(text));
}

/* Cuts one word off the line; *quoted_from is where its first quote stood, or NULL. */
static err cut_word(parser *p, char **at, char **word)
{
	char *in = *at, *out = in;
	*word = in;
	bool quoted = false;
	for (; *in && (quoted || (*in != ' ' && *in != '\t')); in++) {
		if (*in == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *in == '\\') {
			in++;
			if (*in != '"' && *in != '\\' && *in != 'n' && *in != 't')
				return complain(p, "bad escape in a quoted word");
			*out++ = *in == 'n' ? '\n' : *in == 't' ? '\t' : *in;
			continue;
		}
		*out++ = *in;
	}
	if (quoted)
		return complain(p, "a quoted word does not end on its line");
	*at = *in ? in + 1 : in;
	*out = 0;
	return OK;
}

static err cut_line(parser *p, char *line)
{
	p->n_words = 0;
	p->next_word = 0;
	for (;;) {
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			return OK;
		if (p->n_words == p->words_capacity) {
			size_t wider = p->words_capacity ? p->words_capacity * 2 : 64;
			char **words = arena_array(p->mem, char *, wider);
			if (p->n_words)
				memcpy(words, p->words, p->n_words * sizeof *words);
			p->words = words;
			p->words_capacity = wider;
		}
		TRY(cut_word(p, &line, &p->words[p->n_words]));
		p->n_words++;
	}
}

static char *take(parser *p)
{
	return p->next_word < p->n_words ? p->words[p->next_word++] : NULL;
}

/* The value when the word is NAME=value. */
static const char *value_of(const char *word, const char *name)
{
	size_t n = strlen(name);
	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static err unknown_word(parser *p, const char *word)
{
	return complain(p, "unknown word \"%s\"", word);
}

static err to_number(parser *p, const char *text, int64_t *out)
{
	if (!str_to_i64(str_c(text), out))
		return complain(p, "\"%s\" is not a whole number", text);
	return OK;
}

/* Bounds are whole in the tables; a fraction (min=0.001) is widened to the next whole number. */
static err to_bound(parser *p, const char *text, bool is_max, int64_t *out)
{
	double d;
	if (str_to_i64(str_c(text), out))
		return OK;
	if (!str_to_f64(str_c(text), &d) || fabs(d) > 9e15)
		return complain(p, "\"%s\" is not a number", text);
	*out = (int64_t)(is_max ? ceil(d) : floor(d));
	return OK;
}

static api_shape *shape_named(parser *p, const char *name)
{
	api_shape *s = map_get(&p->names, str_c(name));
	if (s)
		return s;
	s = arena_new(p->mem, api_shape);
	s->shape.name = name;
	s->file = p->file;
	s->line = p->line;
	map_put(&p->names, str_c(name), s);
	*p->last_shape = s;
	p->last_shape = &s->next;
	return s;
}

/* Splits a comma list in place. */
static size_t split(parser *p, const char *list, const char ***parts)
{
	size_t n = 1;
	for (const char *c = list; *c; c++)
		n += *c == ',';
	const char **out = arena_array(p->mem, const char *, n + 1);
	str rest = str_c(list);
	n = 0;
	while (str_is(rest))
		out[n++] = arena_str(p->mem, str_cut(&rest, ',')).p;
	*parts = out;
	return n;
}

static const struct { const char *name; uint8_t value; } protocol_names[] = {
	{ "json", PROTOCOL_JSON }, { "rest-json", PROTOCOL_REST_JSON },
	{ "rest-xml", PROTOCOL_REST_XML }, { "query", PROTOCOL_QUERY },
	{ "ec2", PROTOCOL_EC2 }, { "cbor", PROTOCOL_CBOR },
};

static err protocol_named(parser *p, const char *name, uint8_t *out)
{
	for (size_t i = 0; i < sizeof protocol_names / sizeof *protocol_names; i++)
		if (strcmp(protocol_names[i].name, name) == 0) {
			*out = protocol_names[i].value;
			return OK;
		}
	return complain(p, "unknown protocol \"%s\"", name);
}

static err service_line(parser *p)
{
	service *s = &p->api->service;
	const char *name = take(p), *word, *v;
	if (!name)
		return complain(p, "service: a name is missing");
	if (s->name && strcmp(s->name, name) != 0)
		return complain(p, "this is \"%s\", not \"%s\"", s->name, name);
	s->name = name;
	while ((word = take(p))) {
		if ((v = value_of(word, "id")))
			s->service_id = v;
		else if ((v = value_of(word, "title")))
			s->title = v;
		else if ((v = value_of(word, "protocol")))
			TRY(protocol_named(p, v, &s->protocol));
		else if ((v = value_of(word, "protocols"))) {
			const char **parts;
			size_t n = split(p, v, &parts);
			s->protocols = 0;
			for (size_t i = 0; i < n; i++) {
				uint8_t one = 0;
				TRY(protocol_named(p, parts[i], &one));
				s->protocols |= (uint8_t)(1u << one);
			}
		} else if ((v = value_of(word, "version")))
			s->api_version = v;
		else if ((v = value_of(word, "endpoint")))
			s->endpoint = v;
		else if ((v = value_of(word, "signing")))
			s->signing_name = v;
		else if ((v = value_of(word, "target")))
			s->target_prefix = v;
		else if ((v = value_of(word, "json")))
			s->json_version = v;
		else if ((v = value_of(word, "xmlns")))
			s->xml_uri = v;
		else if ((v = value_of(word, "global")))
			s->global_region = v;
		else if ((v = value_of(word, "invalid")))
			s->invalid_fault = v;
		else if (strcmp(word, "query-compatible") == 0)
			s->query_compatible = true;
		else
			return unknown_word(p, word);
	}
	return OK;
}

static err operation_errors(parser *p, const char *list, operation *op)
{
	const char **parts;
	size_t n = split(p, list, &parts);
	const shape **errors = arena_array(p->mem, const shape *, n + 1);
	for (size_t i = 0; i < n; i++)
		errors[i] = &shape_named(p, parts[i])->shape;
	op->errors = errors;
	return OK;
}

static err operation_line(parser *p)
{
	const char *name = take(p), *method = take(p), *uri = take(p), *word, *v;
	if (!uri)
		return complain(p, "op: a name, a method and a path are needed");
	api_op *op = map_get(&p->ops, str_c(name));
	if (!op) {
		op = arena_new(p->mem, api_op);
		map_put(&p->ops, str_c(name), op);
		*p->last_op = op;
		p->last_op = &op->next;
		p->n_ops++;
	}
	operation *o = &op->operation;
	o->name = name;
	o->method = method;
	o->uri = uri;
	o->service = &p->api->service;
	while ((word = take(p))) {
		int64_t number;
		if ((v = value_of(word, "in")))
			o->input = &shape_named(p, v)->shape;
		else if ((v = value_of(word, "out")))
			o->output = &shape_named(p, v)->shape;
		else if ((v = value_of(word, "errors")))
			TRY(operation_errors(p, v, o));
		else if ((v = value_of(word, "status"))) {
			TRY(to_number(p, v, &number));
			o->status = (int)number;
		} else if ((v = value_of(word, "wrapper")))
			o->result_wrapper = v;
		else if ((v = value_of(word, "host")))
			o->host_prefix = v;
		else if (strcmp(word, "no-auth") == 0)
			o->no_auth = true;
		else if (strcmp(word, "unsigned-payload") == 0)
			o->unsigned_payload = true;
		else if (strcmp(word, "checksum") == 0)
			o->checksum_required = true;
		else
			return unknown_word(p, word);
	}
	return OK;
}

static bool time_word(const char *word, uint8_t *format)
{
	const char *v = value_of(word, "ts");
	if (!v)
		return false;
	*format = strcmp(v, "epoch") == 0 ? TIME_EPOCH : strcmp(v, "iso") == 0 ? TIME_ISO
	        : strcmp(v, "http") == 0 ? TIME_HTTP : UINT8_MAX;
	return *format != UINT8_MAX;
}

static err place_word(parser *p, const char *value, shape_member *m)
{
	static const struct { const char *name; uint8_t place; } places[] = {
		{ "header:", IN_HEADER }, { "headers:", IN_HEADERS },
		{ "query:", IN_QUERY }, { "path:", IN_PATH },
	};
	if (strcmp(value, "status") == 0) {
		m->place = IN_STATUS;
		return OK;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t n = strlen(places[i].name);
		if (strncmp(value, places[i].name, n) == 0) {
			m->place = places[i].place;
			m->wire_name = value + n;
			return OK;
		}
	}
	return complain(p, "unknown place \"%s\"", value);
}

static err member_words(parser *p, shape_member *m)
{
	static const struct { const char *name; size_t offset; } flags[] = {
		{ "!", offsetof(shape_member, required) },
		{ "flat", offsetof(shape_member, flattened) },
		{ "attr", offsetof(shape_member, xml_attribute) },
		{ "host-label", offsetof(shape_member, host_label) },
		{ "token", offsetof(shape_member, idempotency_token) },
		{ "eventheader", offsetof(shape_member, event_header) },
		{ "eventpayload", offsetof(shape_member, event_payload) },
	};
	const char *word, *v;
	while ((word = take(p))) {
		size_t i = 0;
		while (i < sizeof flags / sizeof *flags && strcmp(flags[i].name, word) != 0)
			i++;
		if (i < sizeof flags / sizeof *flags)
			*(bool *)((char *)m + flags[i].offset) = true;
		else if ((v = value_of(word, "at")))
			TRY(place_word(p, v, m));
		else if ((v = value_of(word, "wire")))
			m->wire_name = v;
		else if ((v = value_of(word, "query")))
			m->query_name = v;
		else if ((v = value_of(word, "ns")))
			m->xml_uri = v;
		else if ((v = value_of(word, "nsprefix")))
			m->xml_prefix = v;
		else if (!time_word(word, &m->time_format))
			return unknown_word(p, word);
	}
	return OK;
}

static bool identifier(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
	return n > 0 && s[n] == 0 && (s[0] < '0' || s[0] > '9');
}

static shape_member *member_slot(parser *p, const char *name)
{
	for (size_t i = 0; i < p->n_members; i++)
		if (strcmp(p->members[i].name, name) == 0)
			return &p->members[i];
	if (p->n_members == p->members_capacity) {
		size_t wider = p->members_capacity ? p->members_capacity * 2 : 128;
		shape_member *members = arena_array(p->mem, shape_member, wider);
		if (p->n_members)
			memcpy(members, p->members, p->n_members * sizeof *members);
		p->members = members;
		p->members_capacity = wider;
	}
	shape_member *fresh = &p->members[p->n_members++];
	*fresh = (shape_member){ 0 };
	return fresh;
}

static err member_line(parser *p)
{
	const char *name = take(p), *type = take(p);
	if (!type)
		return complain(p, "a member needs a name and a shape");
	if (strcmp(name, "-") == 0) {
		for (size_t i = 0; i < p->n_members; i++)
			if (strcmp(p->members[i].name, type) == 0) {
				p->n_members--;
				memmove(&p->members[i], &p->members[i + 1],
				        (p->n_members - i) * sizeof *p->members);
				return OK;
			}
		return complain(p, "%s has no member %s", p->structure->shape.name, type);
	}
	if (!identifier(name))
		return complain(p, "\"%s\" cannot be a member's name", name);
	shape_member *m = member_slot(p, name);
	if (m->name && p->layer == LAYER_API)
		return complain(p, "%s has two members %s", p->structure->shape.name, name);
	*m = (shape_member){ .name = name, .wire_name = name };
	m->shape = &shape_named(p, type)->shape;
	return member_words(p, m);
}

static err record_line(parser *p)
{
	api_record *r = arena_new(p->mem, api_record);
	r->name = take(p);
	r->line = p->line;
	const char *word = take(p);
	if (!r->name || !identifier(r->name) || !word || strcmp(word, "key") != 0)
		return complain(p, "record: record NAME key PART ..");
	p->fields = arena_array(p->mem, api_field, FIELDS_MAX);
	p->n_fields = 0;
	while ((word = take(p))) {
		api_field *f = &p->fields[p->n_fields++];
		str rest = str_c(word);
		f->name = arena_str(p->mem, str_cut(&rest, ':')).p;
		f->line = p->line;
		f->type = str_is(rest) ? API_I64 : API_STR;
		if (!identifier(f->name) || (str_is(rest) && !str_eq(rest, S("i64"))) || p->n_fields > 16)
			return complain(p, "record %s: key part \"%s\"", r->name, word);
	}
	if (p->n_fields == 0)
		return complain(p, "record %s: no key", r->name);
	r->n_keys = p->n_fields;
	p->record = r;
	*p->last_record = r;
	p->last_record = &r->next;
	return OK;
}

static err field_line(parser *p)
{
	const char *digits = take(p), *name = take(p), *type = take(p);
	int64_t number;
	if (!type || take(p))
		return complain(p, "a record's field is: NUMBER NAME TYPE");
	TRY(to_number(p, digits, &number));
	if (number < 1 || number > UINT16_MAX || !identifier(name))
		return complain(p, "field %s %s", digits, name);
	if (p->n_fields == FIELDS_MAX)
		return complain(p, "record %s: more than %d fields", p->record->name, FIELDS_MAX);
	for (int i = 0; i < p->n_fields; i++)
		if (p->fields[i].number == number || strcmp(p->fields[i].name, name) == 0)
			return complain(p, "record %s: field %s %s stands there already", p->record->name,
			                digits, name);
	api_field *f = &p->fields[p->n_fields++];
	*f = (api_field){ .name = name, .number = (int)number, .line = p->line };
	if (strcmp(type, "str") == 0 || strcmp(type, "blob") == 0)
		f->type = API_STR;
	else if (strcmp(type, "i64") == 0 || strcmp(type, "time") == 0)
		f->type = API_I64;
	else if (strcmp(type, "bool") == 0)
		f->type = API_BOOL;
	else {
		f->type = API_SHAPE;
		f->shape = shape_named(p, type);
	}
	return OK;
}

static err usage_line(parser *p)
{
	api_meter *m = arena_new(p->mem, api_meter);
	m->constant = take(p);
	m->service = take(p);
	m->name = take(p);
	m->title = take(p);
	m->sku = m->name;
	m->line = p->line;
	bool good = m->title && identifier(m->constant);
	for (const char *word; (word = take(p));) {
		const char *sku = value_of(word, "sku"), *per = value_of(word, "per");
		m->sku = sku ? sku : m->sku;
		good &= (sku || per) && (!per || (str_to_i64(str_c(per), &m->per) && m->per > 0));
	}
	if (!good)
		return complain(p, "usage: usage CONSTANT PRODUCT NAME \"TITLE\" [sku=NAME] [per=PARTS]");
	*p->last_meter = m;
	p->last_meter = &m->next;
	return OK;
}

static err limit_line(parser *p)
{
	api_limit *l = arena_new(p->mem, api_limit);
	l->constant = take(p);
	const char *value = take(p);
	l->line = p->line;
	if (!value || !identifier(l->constant) || take(p))
		return complain(p, "limit: limit CONSTANT NUMBER");
	TRY(to_number(p, value, &l->value));
	*p->last_limit = l;
	p->last_limit = &l->next;
	return OK;
}

/* Words that any simple shape, list or map may have. */
static err shape_words(parser *p, shape *s)
{
	const char *word, *v;
	while ((word = take(p))) {
		if ((v = value_of(word, "min"))) {
			TRY(to_bound(p, v, false, &s->min));
			s->has_min = true;
		} else if ((v = value_of(word, "max"))) {
			TRY(to_bound(p, v, true, &s->max));
			s->has_max = true;
		} else if ((v = value_of(word, "pattern")))
			s->pattern = v;
		else if ((v = value_of(word, "says")))
			s->says = v;
		else if ((v = value_of(word, "wire")) && s->kind == SHAPE_LIST)
			s->element_name = v;
		else if ((v = value_of(word, "value")) && s->kind == SHAPE_MAP)
			s->element_name = v;
		else if ((v = value_of(word, "key")) && s->kind == SHAPE_MAP)
			s->key_name = v;
		else if (strcmp(word, "flat") == 0)
			s->flattened = true;
		else if (strcmp(word, "or-arn") == 0)
			s->or_arn = true;
		else if (strcmp(word, "streaming") == 0)
			s->streaming = true;
		else if (strcmp(word, "needs-length") == 0)
			s->required_length = true;
		else if (strcmp(word, "sensitive") == 0)
			s->sensitive = true;
		else if (!time_word(word, &s->time_format))
			return unknown_word(p, word);
	}
	return OK;
}

static err structure_words(parser *p, shape *s, bool error)
{
	fault_kind *kind = (fault_kind *)(uintptr_t)s->fault;
	const char *word, *v;
	while ((word = take(p))) {
		if ((v = value_of(word, "payload")))
			s->payload = v;
		else if ((v = value_of(word, "xml")))
			s->xml_name = v;
		else if ((v = value_of(word, "ns")))
			s->xml_uri = v;
		else if ((v = value_of(word, "nsprefix")))
			s->xml_prefix = v;
		else if (strcmp(word, "union") == 0)
			s->is_union = true;
		else if (strcmp(word, "eventstream") == 0)
			s->event_stream = true;
		else if (strcmp(word, "sensitive") == 0)
			s->sensitive = true;
		else if (error && (v = value_of(word, "code")))
			kind->query_code = v;
		else if (error && strcmp(word, "sender") == 0)
			kind->server = false;
		else if (error && strcmp(word, "server") == 0)
			kind->server = true;
		else
			return unknown_word(p, word);
	}
	return OK;
}

static err error_head(parser *p, shape *s)
{
	const char *status = take(p);
	int64_t number;
	if (!status)
		return complain(p, "error %s: a status is missing", s->name);
	TRY(to_number(p, status, &number));
	fault_kind *f = (fault_kind *)(uintptr_t)s->fault;
	if (!f) {
		f = arena_new(p->mem, fault_kind);
		f->name = f->code = f->query_code = s->name;
		f->shape = s;
		s->fault = f;
	}
	f->status = (int)number;
	return OK;
}

static err structure_line(parser *p, api_shape *s, bool error)
{
	if (error)
		TRY(error_head(p, &s->shape));
	TRY(structure_words(p, &s->shape, error));
	p->structure = s;
	p->n_members = 0;
	for (size_t i = 0; i < s->shape.n_members; i++)
		*member_slot(p, s->shape.members[i].name) = s->shape.members[i];
	return OK;
}

/* The members read so far become the structure's. */
static void structure_end(parser *p)
{
	if (p->record) {
		p->record->fields = p->fields;
		p->record->n_fields = p->n_fields;
		p->record = NULL;
	}
	if (!p->structure)
		return;
	shape_member *members = arena_array(p->mem, shape_member, p->n_members + 1);
	if (p->n_members)
		memcpy(members, p->members, p->n_members * sizeof *members);
	p->structure->shape.members = members;
	p->structure->shape.n_members = (uint16_t)p->n_members;
	p->structure = NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static err enum_line(parser *p, shape *s)
{
	size_t n = p->n_words - p->next_word;
	const char **values = arena_array(p->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		values[i] = take(p);
	if (p->layer == LAYER_PATCH) {
		const char **shown = arena_array(p->mem, const char *, n + 1);
		memcpy(shown, values, n * sizeof *shown);
		s->shown = shown;
	}
	qsort(values, n, sizeof *values, by_bytes);
	for (size_t i = 1; i < n; i++)
		if (strcmp(values[i], values[i - 1]) == 0)
			return complain(p, "enum %s has \"%s\" twice", s->name, values[i]);
	s->values = values;
	s->n_values = (uint16_t)n;
	return OK;
}

static const struct { const char *word; shape_kind kind; } kind_words[] = {
	{ "struct", SHAPE_STRUCT }, { "error", SHAPE_STRUCT }, { "string", SHAPE_STRING },
	{ "enum", SHAPE_ENUM }, { "blob", SHAPE_BLOB }, { "integer", SHAPE_INTEGER },
	{ "long", SHAPE_LONG }, { "float", SHAPE_FLOAT }, { "double", SHAPE_DOUBLE },
	{ "boolean", SHAPE_BOOLEAN }, { "timestamp", SHAPE_TIMESTAMP }, { "list", SHAPE_LIST },
	{ "map", SHAPE_MAP }, { "document", SHAPE_DOCUMENT },
};

static err shape_line(parser *p, const char *word)
{
	size_t i = 0;
	while (i < sizeof kind_words / sizeof *kind_words && strcmp(kind_words[i].word, word) != 0)
		i++;
	if (i == sizeof kind_words / sizeof *kind_words)
		return complain(p, "unknown declaration \"%s\"", word);
	const char *name = take(p);
	if (!name || !identifier(name))
		return complain(p, "%s: a name is missing", word);
	api_shape *s = shape_named(p, name);
	if (s->declared && p->layer != LAYER_PATCH)
		return complain(p, "%s is declared already in %s:%d", name, s->file, s->line);
	bool amends =
		s->declared && s->shape.kind == SHAPE_STRUCT && kind_words[i].kind == SHAPE_STRUCT;
	if (!amends)
		s->shape = (shape){ .name = name, .kind = (uint8_t)kind_words[i].kind };
	s->declared = true;
	s->own = p->layer == LAYER_DEF;
	s->file = p->file;
	s->line = p->line;
	if (kind_words[i].kind == SHAPE_STRUCT)
		return structure_line(p, s, word[0] == 'e');
	if (kind_words[i].kind == SHAPE_ENUM)
		return enum_line(p, &s->shape);
	if (kind_words[i].kind == SHAPE_LIST || kind_words[i].kind == SHAPE_MAP) {
		const char *first = take(p), *second = s->shape.kind == SHAPE_MAP ? take(p) : first;
		if (!second)
			return complain(p, "%s %s: what of?", word, name);
		s->shape.element = &shape_named(p, second)->shape;
		if (s->shape.kind == SHAPE_MAP)
			s->shape.key = &shape_named(p, first)->shape;
	}
	return shape_words(p, &s->shape);
}

static err top_line(parser *p)
{
	const char *word = take(p);
	structure_end(p);
	if (p->layer == LAYER_DEF) {
		if (strcmp(word, "record") == 0)
			return record_line(p);
		if (strcmp(word, "usage") == 0)
			return usage_line(p);
		if (strcmp(word, "limit") == 0)
			return limit_line(p);
	} else {
		if (strcmp(word, "service") == 0)
			return service_line(p);
		if (strcmp(word, "op") == 0)
			return operation_line(p);
	}
	return shape_line(p, word);
}

err apifile_parse(parser *p, const char *file, char *text, api_layer layer)
{
	p->file = file;
	p->layer = layer;
	p->line = 0;
	while (text) {
		char *line = text, *end = strchr(text, '\n');
		text = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		p->line++;
		bool indented = *line == '\t';
		TRY(cut_line(p, line));
		if (p->n_words == 0)
			continue;
		if (!indented)
			TRY(top_line(p));
		else if (p->record)
			TRY(field_line(p));
		else if (p->structure)
			TRY(member_line(p));
		else
			return complain(p, "nothing above takes a member");
	}
	structure_end(p);
	return OK;
}
