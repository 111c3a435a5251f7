/* The readers of a cluster: those that scaling adds have names of their own, and it removes only those. */
#include "cloud/call.h"
#include "scaling.h"
#include "sys/rand.h"

#define OURS "application-autoscaling-"

static bool valid(str resource)
{
	str rest = resource, word = str_cut(&rest, ':');
	bool good = str_eq(word, S("cluster")) && rest.n > 0 && rest.n < 64;
	for (size_t i = 0; i < rest.n && good; i++) {
		char c = rest.p[i];
		good = c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
	}
	return good;
}

static err missing(req *rq, str resource)
{
	return fail(rq, &aws_ValidationException, "RDS cluster does not exist: %.*s", STR_ARG(resource));
}

static err cluster(req *rq, txn *tx, str resource, const json_value **found)
{
	str id = resource, answer;
	str_cut(&id, ':');
	err e = call_json(rq, tx, "rds", "DescribeDBClusters",
	                  arena_fmt(rq->mem, "{\"DBClusterIdentifier\":\"%.*s\"}", STR_ARG(id)), &answer);
	if (e && str_starts(str_c(e->kind->code), S("DBClusterNotFound")))
		return missing(rq, resource);
	TRY(e);
	const json_value *all = json_at(json_parse(rq->mem, answer), "DBClusters");
	*found = all ? all->first : NULL;
	return *found ? OK : missing(rq, resource);
}

static const json_value *members(const json_value *c)
{
	const json_value *all = json_at(c, "DBClusterMembers");
	return all ? all->first : NULL;
}

static bool writer(const json_value *m)
{
	const json_value *w = json_at(m, "IsClusterWriter");
	return w && w->kind == JSON_TRUE;
}

static err get(req *rq, txn *tx, str resource, int64_t *now)
{
	const json_value *c = NULL;
	TRY(cluster(rq, tx, resource, &c));
	*now = 0;
	for (const json_value *m = members(c); m; m = m->next)
		*now += !writer(m);
	return OK;
}

/* Like the writer. */
static err add(req *rq, txn *tx, const json_value *c)
{
	str answer, class = S("db.serverless");
	str id = json_at(c, "DBClusterIdentifier")->text, engine = json_at(c, "Engine")->text;
	for (const json_value *m = members(c); m; m = m->next) {
		if (!writer(m))
			continue;
		TRY(call_json(rq, tx, "rds", "DescribeDBInstances",
		              arena_fmt(rq->mem, "{\"DBInstanceIdentifier\":\"%.*s\"}",
		                        STR_ARG(json_at(m, "DBInstanceIdentifier")->text)), &answer));
		const json_value *all = json_at(json_parse(rq->mem, answer), "DBInstances");
		class = all && all->first ? json_at(all->first, "DBInstanceClass")->text : class;
	}
	str ask = arena_fmt(rq->mem, "{\"DBInstanceIdentifier\":\"" OURS "%.*s\",\"DBClusterIdentifier\":"
	                    "\"%.*s\",\"DBInstanceClass\":\"%.*s\",\"Engine\":\"%.*s\"}",
	                    STR_ARG(rand_uuid(rq->mem)), STR_ARG(id), STR_ARG(class), STR_ARG(engine));
	return call_json(rq, tx, "rds", "CreateDBInstance", ask, &answer);
}

static err set(req *rq, txn *tx, str resource, int64_t wanted)
{
	int64_t now;
	str answer;
	const json_value *c = NULL;
	TRY(cluster(rq, tx, resource, &c));
	TRY(get(rq, tx, resource, &now));
	for (; now < wanted; now++)
		TRY(add(rq, tx, c));
	for (const json_value *m = members(c); m && now > wanted; m = m->next) {
		if (writer(m) || !str_starts(json_at(m, "DBInstanceIdentifier")->text, S(OURS)))
			continue;
		TRY(call_json(rq, tx, "rds", "DeleteDBInstance",
		              arena_fmt(rq->mem, "{\"DBInstanceIdentifier\":\"%.*s\",\"SkipFinalSnapshot\":true}",
		                        STR_ARG(json_at(m, "DBInstanceIdentifier")->text)), &answer));
		now--;
	}
	return now <= wanted ? OK : fail(rq, &aws_ValidationException,
	                                 "Only replicas that Application Auto Scaling has added can be removed, "
	                                 "and there are no more of them");
}

const scaling_kind scaling_rds = {
	.namespace = "rds", .dimension = "rds:cluster:ReadReplicaCount",
	.principal = "rds.application-autoscaling.amazonaws.com",
	.role = "AWSServiceRoleForApplicationAutoScaling_RDSCluster", .what = "read replica count",
	.cooldown = 300,
	.steps = true, .valid = valid, .get = get, .set = set,
	.metric_types = { "RDSReaderAverageCPUUtilization", "RDSReaderAverageDatabaseConnections" },
};
