/* What the operations are called in policies, and on what they act. */
#include "cloud/authorise.h"
#include "ecs.h"

static str cluster_arn_of(req *rq, str cluster)
{
	return str_starts(cluster, S("arn:")) ? cluster : ecs_cluster_arn(rq, ecs_cluster_name(cluster));
}

static str below_cluster(req *rq, const char *kind, str cluster, str name)
{
	if (str_starts(name, S("arn:")))
		return name;
	cluster = ecs_cluster_name(cluster);
	return req_arn(rq, "ecs", "%s/%.*s/%.*s", kind, STR_ARG(cluster), STR_ARG(ecs_last(name)));
}

static size_t one(req *rq, str arn, str **arns)
{
	*arns = arena_new(rq->mem, str);
	**arns = arn;
	return 1;
}

static size_t the_cluster(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str name = access_member(rq, in, S("cluster"));
	if (!given(name))
		name = access_member(rq, in, S("clusterName"));
	return one(rq, cluster_arn_of(rq, name), arns);
}

static size_t the_clusters(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const ecs_DescribeClusters_in *in = in_;
	*arns = arena_array(rq->mem, str, in->clusters.n + 1);
	for (size_t i = 0; i < in->clusters.n; i++)
		(*arns)[i] = cluster_arn_of(rq, in->clusters.v[i]);
	(*arns)[in->clusters.n] = cluster_arn_of(rq, STR_NONE);
	return in->clusters.n ? in->clusters.n : 1;
}

static size_t the_service(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str name = access_member(rq, in, S("service"));
	if (!given(name))
		name = access_member(rq, in, S("serviceName"));
	return one(rq, below_cluster(rq, "service", access_member(rq, in, S("cluster")), name), arns);
}

static size_t the_services(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const ecs_DescribeServices_in *in = in_;
	*arns = arena_array(rq->mem, str, in->services.n + 1);
	for (size_t i = 0; i < in->services.n; i++)
		(*arns)[i] = below_cluster(rq, "service", in->cluster, in->services.v[i]);
	return in->services.n;
}

static size_t the_task(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str cluster = access_member(rq, in, S("cluster"));
	return one(rq, below_cluster(rq, "task", cluster, access_member(rq, in, S("task"))), arns);
}

static size_t the_tasks(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const ecs_DescribeTasks_in *in = in_;
	*arns = arena_array(rq->mem, str, in->tasks.n + 1);
	for (size_t i = 0; i < in->tasks.n; i++)
		(*arns)[i] = below_cluster(rq, "task", in->cluster, in->tasks.v[i]);
	return in->tasks.n;
}

/* The revision that is meant, where none is named. */
static size_t the_definition(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = access_member(rq, in, S("taskDefinition"));
	ecs_definition *d = ecs_definition_find(rq, tx, name);
	return one(rq, d ? d->It->taskDefinitionArn : str_starts(name, S("arn:")) ? name
	           : req_arn(rq, "ecs", "task-definition/%.*s", STR_ARG(name)), arns);
}

#define ON(operation, what) { operation, NULL, NULL, what }
#define ON_ARN(operation) { operation, NULL, "{resourceArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(ecs, "ecs", NULL,
	ON_ALL("CreateCluster"), ON("DeleteCluster", the_cluster), ON("UpdateCluster", the_cluster),
	ON("UpdateClusterSettings", the_cluster), ON("PutClusterCapacityProviders", the_cluster),
	ON("DescribeClusters", the_clusters), ON_ALL("ListClusters"), ON_ALL("DescribeCapacityProviders"),
	ON_ALL("RegisterTaskDefinition"), ON_ALL("DescribeTaskDefinition"), ON_ALL("DeregisterTaskDefinition"),
	ON_ALL("DeleteTaskDefinitions"), ON_ALL("ListTaskDefinitions"), ON_ALL("ListTaskDefinitionFamilies"),
	ON("RunTask", the_definition), ON("StartTask", the_definition), ON("StopTask", the_task),
	ON("DescribeTasks", the_tasks), ON_ALL("ListTasks"),
	ON("CreateService", the_service), ON("UpdateService", the_service), ON("DeleteService", the_service),
	ON("DescribeServices", the_services), ON_ALL("ListServices"),
	ON_ALL("PutAccountSetting"), ON_ALL("PutAccountSettingDefault"), ON_ALL("DeleteAccountSetting"),
	ON_ALL("ListAccountSettings"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
