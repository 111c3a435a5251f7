#include "bus.h"
#include "cloud/target.h"

/* A rule or a bus, by its ARN. */
typedef struct tagged {
	events_rule *rule;
	events_bus *bus;
	events_TagList *tags;
} tagged;

static err find(req *rq, const txn *tx, str arn, tagged *out)
{
	arn_parts a;
	*out = (tagged){ 0 };
	if (arn_split(arn, &a) && str_starts(a.resource, S("rule/"))) {
		str name = str_sub(a.resource, sizeof("rule/") - 1, a.resource.n), bus = S(DEFAULT_BUS);
		if (str_find_char(name, '/') != SIZE_MAX)
			bus = str_cut(&name, '/');
		out->rule = events_rule_get(tx, rq->mem, a.account, a.region, bus, name);
		out->tags = out->rule ? &out->rule->Tags : NULL;
	} else if (arn_split(arn, &a) && str_starts(a.resource, S("event-bus/"))) {
		bus_name b = bus_named(rq, arn);
		out->bus = bus_get(tx, rq->mem, &b);
		out->tags = out->bus ? &out->bus->Tags : NULL;
	}
	return out->tags ? OK : fail(rq, &events_ResourceNotFoundException, "Resource %.*s does not exist.",
	                             STR_ARG(arn));
}

static void keep(txn *tx, const tagged *t)
{
	if (t->rule)
		events_rule_put(tx, t->rule);
	else
		events_bus_put(tx, t->bus);
}

err events_TagResource(req *rq, txn *tx, const events_TagResource_in *in, events_TagResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceARN, &t));
	events_TagList all = { arena_array(rq->mem, events_Tag, t.tags->n + in->Tags.n + 1), 0 };
	for (size_t i = 0; i < t.tags->n; i++) {
		bool replaced = false;
		for (size_t k = 0; k < in->Tags.n; k++)
			replaced = replaced || str_eq(in->Tags.v[k].Key, t.tags->v[i].Key);
		if (!replaced)
			all.v[all.n++] = t.tags->v[i];
	}
	for (size_t k = 0; k < in->Tags.n; k++)
		all.v[all.n++] = in->Tags.v[k];
	if (all.n > EVENTS_TAGS_MAX)
		return fail(rq, &aws_ValidationException, "The number of tags exceeds the limit of %d.",
				EVENTS_TAGS_MAX);
	*t.tags = all;
	keep(tx, &t);
	return OK;
}

err events_UntagResource(req *rq, txn *tx, const events_UntagResource_in *in, events_UntagResource_out *out)
{
	tagged t;
	size_t n = 0;
	TRY(find(rq, tx, in->ResourceARN, &t));
	for (size_t i = 0; i < t.tags->n; i++) {
		bool gone = false;
		for (size_t k = 0; k < in->TagKeys.n; k++)
			gone = gone || str_eq(in->TagKeys.v[k], t.tags->v[i].Key);
		if (!gone)
			t.tags->v[n++] = t.tags->v[i];
	}
	t.tags->n = n;
	keep(tx, &t);
	return OK;
}

err events_ListTagsForResource(req *rq, const txn *tx, const events_ListTagsForResource_in *in,
                               events_ListTagsForResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceARN, &t));
	out->Tags = t.tags->v ? *t.tags : (events_TagList){ arena_new(rq->mem, events_Tag), 0 };
	return OK;
}
