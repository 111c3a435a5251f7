#include "index.h"
#include "base/json.h"
#include "base/text.h"
#include "queries.h"

#define FIELDS_MAX 20
#define FIELD_CHARACTERS_MAX 100
#define SCANNED_MAX 100000
#define SCRATCH_MAX ((size_t)1 << 20)

typedef void each_field(void *context, str name, bool facet);

/* {"Fields": ["a"], "FieldsV2": {"b": {"type": "FACET"}}}. -1: it is not this. */
static int fields_of(arena *mem, str document, each_field *each, void *context)
{
	const json_value *v = json_parse(mem, document), *plain = json_get(v, S("Fields")),
			 *typed = json_get(v, S("FieldsV2"));
	int n = 0;
	if (!v || v->kind != JSON_OBJECT || (!plain && !typed) || (plain && plain->kind != JSON_ARRAY) ||
	    (typed && typed->kind != JSON_OBJECT))
		return -1;
	for (const json_value *c = plain ? plain->first : NULL; c; c = c->next, n++) {
		if (c->kind != JSON_STRING || !c->text.n || utf8_length(c->text) > FIELD_CHARACTERS_MAX)
			return -1;
		each(context, c->text, false);
	}
	for (const json_value *c = typed ? typed->first : NULL; c; c = c->next, n++) {
		const json_value *type = json_get(c, S("type"));
		bool facet = type && str_eq(type->text, logs_IndexType_FACET);
		if (!c->key.n || (!facet && (!type || !str_eq(type->text, logs_IndexType_FIELD_INDEX))))
			return -1;
		each(context, c->key, facet);
	}
	return n;
}

static void no_field(void *context, str name, bool facet)
{
	(void)context, (void)name, (void)facet;
}

err index_check(req *rq, str document)
{
	int n = fields_of(rq->mem, document, no_field, NULL);
	if (n < 0)
		return fail(rq, &logs_InvalidParameterException,
		            "The policy document of a field index has an array Fields of names of 1 to %d "
		            "characters.", FIELD_CHARACTERS_MAX);
	if (n < 1 || n > FIELDS_MAX)
		return fail(rq, &logs_InvalidParameterException, "A field index policy has 1 to %d fields.",
		            FIELDS_MAX);
	return OK;
}

/* What holds for a group: its own, else the account's. */
typedef struct held {
	str document, policy; /* policy: STR_NONE when it is the group's own */
	int64_t since;
} held;

static bool held_by(const txn *tx, arena *mem, const logs_group *g, held *h)
{
	const logs_indexpolicy *own = logs_indexpolicy_get(tx, mem, g->Id);
	if (own) {
		*h = (held){ own->Document, STR_NONE, own->Updated };
		return true;
	}
	record_scan s = logs_accountpolicy_scan(tx, mem, 3, g->Account, g->Region,
	                                        logs_PolicyType_FIELD_INDEX_POLICY, STR_NONE);
	bool found = false;
	for (logs_accountpolicy *p; !found && (p = logs_accountpolicy_next(&s));) {
		found = account_policy_holds(mem, p, g->Name);
		*h = (held){ p->Document, p->Name, p->Updated };
	}
	cursor_close(&s.at);
	return found && !str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS);
}

typedef struct wanted_field {
	str name;
	bool found;
} wanted_field;

static void look_for(void *context, str name, bool facet)
{
	wanted_field *w = context;
	(void)facet;
	w->found = w->found || str_eq(w->name, name);
}

int64_t index_since(const txn *tx, arena *mem, const logs_group *g, str field)
{
	static const char *const always[] = { "@logStream", "traceId", "severityText", "attributes.session.id" };
	wanted_field w = { .name = field };
	held h;
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (str_eq(field, str_c(always[i])) && !str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS))
			return 0;
	if (!held_by(tx, mem, g, &h))
		return INT64_MAX;
	fields_of(mem, h.document, look_for, &w);
	return w.found ? h.since : INT64_MAX;
}

void index_drop(txn *tx, const logs_group *g) { logs_indexpolicy_delete(tx, g->Id); }

static logs_IndexPolicy shown(const req *rq, const logs_group *g, const held *h)
{
	return (logs_IndexPolicy){ .logGroupIdentifier = group_arn(rq, g->Name), .lastUpdateTime = I64(h->since),
		.policyDocument = h->document, .policyName = h->policy,
		.source = str_is(h->policy) ? logs_IndexSource_ACCOUNT : logs_IndexSource_LOG_GROUP };
}

err logs_PutIndexPolicy(req *rq, txn *tx, const logs_PutIndexPolicy_in *in, logs_PutIndexPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	if (str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS))
		return fail(rq, &logs_InvalidParameterException,
		            "Field indexes are not supported for log groups of the Infrequent Access class.");
	TRY(index_check(rq, in->policyDocument));
	logs_indexpolicy_put(tx, &(logs_indexpolicy){ g->Id, in->policyDocument, rq->now });
	held h = { in->policyDocument, STR_NONE, rq->now };
	out->indexPolicy = arena_new(rq->mem, logs_IndexPolicy);
	*out->indexPolicy = shown(rq, g, &h);
	return OK;
}

err logs_DeleteIndexPolicy(req *rq, txn *tx, const logs_DeleteIndexPolicy_in *in,
                           logs_DeleteIndexPolicy_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	if (!logs_indexpolicy_delete(tx, g->Id))
		return fail(rq, &logs_ResourceNotFoundException,
		            "The specified log group does not have an index policy.");
	return OK;
}

err logs_DescribeIndexPolicies(req *rq, const txn *tx, const logs_DescribeIndexPolicies_in *in,
                               logs_DescribeIndexPolicies_out *out)
{
	out->indexPolicies.v = arena_array(rq->mem, logs_IndexPolicy, in->logGroupIdentifiers.n + 1);
	for (size_t i = 0; i < in->logGroupIdentifiers.n; i++) {
		logs_group *g;
		held h;
		TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifiers.v[i], &g));
		if (held_by(tx, rq->mem, g, &h))
			out->indexPolicies.v[out->indexPolicies.n++] = shown(rq, g, &h);
	}
	return OK;
}

typedef struct listing {
	req *rq;
	const txn *tx;
	const logs_group *g;
	int64_t since;
	logs_FieldIndexes *into;
} listing;

/* The first event that has the field, from one end; INT64_MIN: none. */
static int64_t first_with(const listing *l, str name, bool back)
{
	int64_t when = INT64_MIN;
	size_t n = 0;
	arena *mem = arena_open(0);
	place_scan s = events_between(l->tx, l->rq->mem, l->g->Id, (place){ 0, 0 }, PLACE_END, back);
	for (const logs_event *e; when == INT64_MIN && n < SCANNED_MAX && (e = events_next(&s)); n++) {
		if (arena_used(mem) > SCRATCH_MAX)
			arena_reset(mem);
		iq_row row = query_row(mem, l->tx, l->g, e);
		if (e->Ingested >= l->since && iq_field(&row, name).kind)
			when = e->When;
	}
	cursor_close(&s.at);
	arena_close(mem);
	return when;
}

static void list_field(void *context, str name, bool facet)
{
	const listing *l = context;
	int64_t first = first_with(l, name, false);
	if (first == INT64_MIN)
		return;
	l->into->v[l->into->n++] = (logs_FieldIndex){ .logGroupIdentifier = group_arn(l->rq, l->g->Name),
		.fieldIndexName = name, .lastScanTime = I64(l->rq->now), .firstEventTime = I64(first),
		.lastEventTime = I64(first_with(l, name, true)),
		.type = facet ? logs_IndexType_FACET : logs_IndexType_FIELD_INDEX };
}

/* Of fields that were found in events: at either end of the group, a bounded number is looked at. */
err logs_DescribeFieldIndexes(req *rq, const logs_DescribeFieldIndexes_in *in,
                              logs_DescribeFieldIndexes_out *out)
{
	err e = OK;
	const txn *tx = req_read(rq);
	out->fieldIndexes.v = arena_array(rq->mem, logs_FieldIndex, in->logGroupIdentifiers.n * FIELDS_MAX + 1);
	for (size_t i = 0; i < in->logGroupIdentifiers.n && !e; i++) {
		logs_group *g;
		held h;
		e = group_find(rq, tx, STR_NONE, in->logGroupIdentifiers.v[i], &g);
		if (!e && held_by(tx, rq->mem, g, &h)) {
			listing l = { rq, tx, g, h.since, &out->fieldIndexes };
			fields_of(rq->mem, h.document, list_field, &l);
		}
	}
	req_read_end(rq, tx);
	return e;
}
