/* A trace as its documents tell it. */
#include "xray.h"

#define DEEP 32

typedef struct reading {
	arena *mem;
	part **end;
} reading;

static str text_of(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

static bool flag(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_TRUE;
}

static double number(const json_value *v, str key, double absent)
{
	const json_value *m = json_get(v, key);
	double d;
	return m && m->kind == JSON_NUMBER && str_to_f64(m->text, &d) ? d : absent;
}

static void read_http(part *p, const json_value *http)
{
	const json_value *asked = json_get(http, S("request"));
	p->url = text_of(asked, S("url"));
	p->method = text_of(asked, S("method"));
	p->agent = text_of(asked, S("user_agent"));
	p->ip = text_of(asked, S("client_ip"));
	p->status = (int64_t)number(json_get(http, S("response")), S("status"), 0);
}

static part *read_part(reading *r, const json_value *v, const part *owner, const part *parent)
{
	part *p = arena_new(r->mem, part);
	str space = text_of(v, S("namespace"));
	*p = (part){ .owner = owner, .id = text_of(v, S("id")), .parent = text_of(v, S("parent_id")),
		     .name = text_of(v, S("name")), .type = text_of(v, S("origin")),
		     .user = text_of(v, S("user")), .arn = text_of(v, S("resource_arn")),
		     .fault = flag(v, S("fault")), .error = flag(v, S("error")),
		     .throttle = flag(v, S("throttle")), .progress = flag(v, S("in_progress")),
		     .annotations = json_get(v, S("annotations")), .document = v };
	p->start = number(v, S("start_time"), 0);
	p->end = number(v, S("end_time"), p->start);
	if (parent && !p->parent.n)
		p->parent = parent->id;
	const json_value *ec2 = json_get(json_get(v, S("aws")), S("ec2"));
	p->zone = text_of(ec2, S("availability_zone"));
	p->instance = text_of(ec2, S("instance_id"));
	p->inferred = str_eq(space, S("aws")) || str_eq(space, S("remote"));
	if (p->inferred && !p->type.n)
		p->type = str_eq(space, S("remote")) ? S("remote") : arena_concat(r->mem, S("AWS::"), p->name);
	read_http(p, json_get(v, S("http")));
	*r->end = p;
	r->end = &p->next;
	return p;
}

static void read_inside(reading *r, const json_value *v, const part *owner, const part *parent, int depth)
{
	const json_value *list = json_get(v, S("subsegments"));
	if (!list || list->kind != JSON_ARRAY || depth == DEEP)
		return;
	for (const json_value *s = list->first; s; s = s->next)
		read_inside(r, s, owner, read_part(r, s, owner, parent), depth + 1);
}

static bool contains(const view *v, str id)
{
	for (const part *p = v->parts; p; p = p->next)
		if (str_eq(p->id, id))
			return true;
	return false;
}

/* The earliest segment that no part of the trace called. */
static void find_root(view *v)
{
	for (const part *p = v->parts; p; p = p->next) {
		if (p->owner)
			continue;
		if (p == v->parts || p->start < v->start)
			v->start = p->start;
		if (p == v->parts || p->end > v->end)
			v->end = p->end;
		v->partial = v->partial || p->progress;
		bool top = !p->parent.n || !contains(v, p->parent);
		if (top && (!v->root || p->start < v->root->start))
			v->root = p;
	}
	if (!v->root)
		v->root = v->parts;
}

view *view_load(const txn *tx, arena *mem, str account, str region, str id)
{
	view *v = arena_new(mem, view);
	reading r = { mem, &v->parts };
	v->id = id;
	record_scan s = xray_segment_scan(tx, mem, 3, account, region, id, STR_NONE);
	for (xray_segment *g; v->n_segments < XRAY_TRACE_SEGMENTS && (g = xray_segment_next(&s));) {
		const json_value *doc = json_parse(mem, g->Document);
		if (!doc)
			continue;
		v->n_segments++;
		part *p = read_part(&r, doc, NULL, NULL);
		read_inside(&r, doc, p, p, 0);
	}
	cursor_close(&s.at);
	if (!v->parts)
		return NULL;
	find_root(v);
	return v;
}

static const part *part_with(const view *v, str id)
{
	for (const part *p = v->parts; id.n && p; p = p->next)
		if (str_eq(p->id, id))
			return p;
	return NULL;
}

/* A subsegment whose other side has sent a segment of its own is told by that. */
static bool answered(const view *v, const part *subsegment)
{
	for (const part *p = v->parts; p; p = p->next)
		if (!p->owner && str_eq(p->parent, subsegment->id))
			return true;
	return false;
}

size_t view_calls(const view *v, arena *mem, view_call **out)
{
	size_t n = 0;
	for (const part *p = v->parts; p; p = p->next)
		n++;
	*out = arena_array(mem, view_call, n + 1);
	n = 0;
	for (const part *p = v->parts; p; p = p->next) {
		if (p->owner && p->inferred && !answered(v, p))
			(*out)[n++] = (view_call){ p->owner, p, p };
		if (p->owner)
			continue;
		const part *above = part_with(v, p->parent);
		(*out)[n++] = (view_call){ above && above->owner ? above->owner : above, p,
			                   above && above->owner && above->inferred ? above : p };
	}
	return n;
}
