#include "base/json.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "data.h"
#include "gen/rds.h"

static err cluster_of(req *rq, str arn, rds_DBCluster *out)
{
	rds_DescribeDBClusters_in in = { .DBClusterIdentifier = arn };
	rds_DescribeDBClusters_out answer;
	str rest = arn;
	for (int k = 0; k < 3; k++)
		str_cut(&rest, ':');
	str region = str_cut(&rest, ':'), account = str_cut(&rest, ':');
	if (!str_starts(arn, S("arn:aws:rds:")) || !str_eq(account, rq->who.account)
	    || !str_eq(region, rq->region))
		return fail(rq, &rds_data_BadRequestException, "Invalid cluster arn");
	if (!str_starts(rest, S("cluster:")))
		return fail(rq, &rds_data_HttpEndpointNotEnabledException,
		            "HttpEndpoint is not enabled for resource %.*s", STR_ARG(arn));
	req *own = req_internal(rq->mem, rq->store, "rds-data.amazonaws.com", rq->who.account, rq->region);
	if (call(own, NULL, "rds", "DescribeDBClusters", &in, &answer) || !answer.DBClusters.n)
		return fail(rq, &rds_data_DatabaseNotFoundException, "DB cluster %.*s not found.", STR_ARG(arn));
	*out = answer.DBClusters.v[0];
	if (!out->HttpEndpointEnabled.v)
		return fail(rq, &rds_data_HttpEndpointNotEnabledException,
		            "HttpEndpoint is not enabled for resource %.*s", STR_ARG(arn));
	if (!out->DBClusterMembers.n)
		return fail(rq, &rds_data_InvalidResourceStateException, "The DB cluster %.*s has no DB instance.",
		            STR_ARG(out->DBClusterIdentifier));
	if (str_starts(out->Status, S("stop")))
		return fail(rq, &rds_data_InvalidResourceStateException, "The DB cluster %.*s is stopped.",
		            STR_ARG(out->DBClusterIdentifier));
	return OK;
}

/* As the caller, who has to be allowed to. */
static err secret_of(req *rq, str arn, str *user, str *password)
{
	str answer;
	buf in = buf_in(rq->mem, 256, 4096);
	buf_put(&in, S("{\"SecretId\":"));
	json_put_string(&in, arn);
	buf_put(&in, S("}"));
	err e = call_json(rq, NULL, "secretsmanager", "GetSecretValue", buf_str(&in), &answer);
	if (e)
		return fail(rq, &rds_data_SecretsErrorException, "Error fetching secret %.*s : %.*s", STR_ARG(arn),
		            STR_ARG(e->message));
	const json_value *text = json_get(json_parse(rq->mem, answer), S("SecretString"));
	const json_value *both = text ? json_parse(rq->mem, text->text) : NULL;
	const json_value *u = json_get(both, S("username")), *p = json_get(both, S("password"));
	if (!u || !p || u->kind != JSON_STRING || p->kind != JSON_STRING)
		return fail(rq, &rds_data_InvalidSecretException,
		            "The secret %.*s is not a JSON object with username and password.", STR_ARG(arn));
	*user = u->text;
	*password = p->text;
	return OK;
}

err data_connect(req *rq, const data_place *place, bool unlimited, postgres_client **connection)
{
	rds_DBCluster cluster = { 0 };
	postgres_result r;
	postgres_door door = { 0 };
	TRY(cluster_of(rq, place->resource, &cluster));
	if (str_eq(cluster.Engine, S("aurora-mysql")))
		return fail(rq, &aws_NotImplemented, "The Data API for Aurora MySQL is not implemented.");
	TRY(secret_of(rq, place->secret, &door.user, &door.password));
	door.folder = cluster.Endpoint;
	door.port = (int)cluster.Port.v;
	door.database = !str_empty(place->database) ? place->database
		: !str_empty(cluster.DatabaseName)      ? cluster.DatabaseName
												: S("postgres");
	err e = postgres_dial(rq->mem, &door, connection);
	if (e && str_find(e->message, S("(28")) != SIZE_MAX)
		return fail(rq, &rds_data_InvalidSecretException,
		            "FATAL: password authentication failed for user \"%.*s\"; SQLState: 28P01",
		            STR_ARG(door.user));
	if (e && str_find(e->message, S("(3D000)")) != SIZE_MAX)
		return fail(rq, &rds_data_DatabaseErrorException,
		            "FATAL: database \"%.*s\" does not exist; SQLState: 3D000", STR_ARG(door.database));
	if (e)
		return fail(rq, &rds_data_InvalidResourceStateException, "The DB cluster does not answer: %.*s",
		            STR_ARG(e->message));
	postgres_patience(*connection, DATA_SECONDS + 2);
	e = postgres_execute(rq->mem, *connection,
	                     unlimited ? S("set statement_timeout = 0")
	                               : arena_fmt(rq->mem, "set statement_timeout = '%ds'", DATA_SECONDS),
	                     NULL, 0, DATA_ANSWER_MAX, &r);
	if (e)
		postgres_close(*connection);
	return e;
}
