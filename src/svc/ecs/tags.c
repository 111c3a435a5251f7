#include "cloud/tags.h"
#include "ecs.h"

/* The row that an ARN names; one of these. */
typedef struct bearer {
	ecs_cluster *cluster;
	ecs_svc *service;
	ecs_task *task;
	ecs_definition *definition;
	ecs_Tags *tags;
} bearer;

static err bearer_of(req *rq, const txn *tx, str arn, bearer *b)
{
	str rest = arn, first = str_cut(&rest, ':');
	*b = (bearer){ 0 };
	for (int i = 0; i < 4; i++)
		str_cut(&rest, ':');
	if (!str_eq(first, S("arn")) || !str_is(rest))
		return fail(rq, &ecs_InvalidParameterException, "Invalid resourceArn.");
	str kind = str_cut(&rest, '/'), name = str_is(rest) ? rest : S(""), cluster = str_cut(&rest, '/');
	if (str_eq(kind, S("cluster")) && ecs_cluster_of(rq, tx, arn, &b->cluster) == OK)
		b->tags = &b->cluster->It->tags;
	if (str_eq(kind, S("task-definition")) && str_find_char(name, ':') != SIZE_MAX &&
	    (b->definition = ecs_definition_find(rq, tx, arn)))
		b->tags = &b->definition->Tags;
	if (str_eq(kind, S("service")) &&
	    (b->service = ecs_svc_get(tx, rq->mem, rq->who.account, rq->region, cluster, rest)))
		b->tags = &b->service->It->tags;
	if (str_eq(kind, S("task")) &&
	    (b->task = ecs_task_get(tx, rq->mem, rq->who.account, rq->region, cluster, rest)))
		b->tags = &b->task->It->tags;
	if (b->tags)
		return OK;
	if (str_eq(kind, S("cluster")))
		return fail(rq, &ecs_ClusterNotFoundException, "Cluster not found.");
	return fail(rq, &ecs_InvalidParameterException, str_eq(kind, S("task-definition"))
	            ? "The specified task definition was not found. Specify a valid task definition and try "
	            "again."
	            : str_eq(kind, S("service")) ? "The specified service was not found."
	            : str_eq(kind, S("task")) ? "The specified task is stopped. Specify a running task and try "
	            "again."
	            : "Invalid resourceArn.");
}

static void keep(txn *tx, const bearer *b)
{
	if (b->cluster)
		ecs_cluster_put(tx, b->cluster);
	else if (b->service)
		ecs_svc_put(tx, b->service);
	else if (b->task)
		ecs_task_put(tx, b->task);
	else
		ecs_definition_put(tx, b->definition);
}

err ecs_TagResource(req *rq, txn *tx, const ecs_TagResource_in *in, ecs_TagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	TRY(ecs_tags_check(rq, &in->tags));
	ecs_Tags all = *b.tags;
	for (size_t i = 0; i < in->tags.n; i++) {
		size_t k = 0;
		while (k < all.n && !str_eq(all.v[k].key, in->tags.v[i].key))
			k++;
		if (k < all.n)
			all.v[k] = in->tags.v[i];
		else
			ECS_ADD(rq->mem, &all, in->tags.v[i]);
	}
	TRY(all.n > ECS_TAGS_MAX ? ecs_tags_check(rq, &all) : OK);
	*b.tags = all;
	keep(tx, &b);
	return OK;
}

err ecs_UntagResource(req *rq, txn *tx, const ecs_UntagResource_in *in, ecs_UntagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	tags_drop(TAGS(b.tags, key), in->tagKeys.v, in->tagKeys.n);
	keep(tx, &b);
	return OK;
}

err ecs_ListTagsForResource(req *rq, const txn *tx, const ecs_ListTagsForResource_in *in,
                            ecs_ListTagsForResource_out *out)
{
	bearer b;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	out->tags = *b.tags;
	ECS_SHOWN(rq->mem, &out->tags);
	return OK;
}
