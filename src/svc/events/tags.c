#include "bus.h"
#include "cloud/tags.h"
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

static const tag_rules rules = {
	.most = EVENTS_TAGS_MAX,
	.too_many = { &aws_ValidationException, "The number of tags exceeds the limit of 50." },
};

err events_TagResource(req *rq, txn *tx, const events_TagResource_in *in, events_TagResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceARN, &t));
	TRY(tags_add(rq, &rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
	keep(tx, &t);
	return OK;
}

err events_UntagResource(req *rq, txn *tx, const events_UntagResource_in *in, events_UntagResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceARN, &t));
	tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
	keep(tx, &t);
	return OK;
}

err events_ListTagsForResource(req *rq, const txn *tx, const events_ListTagsForResource_in *in,
                               events_ListTagsForResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceARN, &t));
	tags_shown(rq, TAGS(t.tags, Key));
	out->Tags = *t.tags;
	return OK;
}
