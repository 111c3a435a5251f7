#include "rds.h"
#include "store/due.h"

/* Endpoints of a cluster that a user makes: connections go to some of its instances in turn. */

static const char *const kinds[] = { "READER", "ANY", NULL };

static err one_of(req *rq, str kind)
{
	for (const char *const *k = kinds; *k; k++)
		if (str_eq(kind, str_c(*k)))
			return OK;
	return fail(rq, &rds_InvalidParameterValue, "Invalid endpoint type: %.*s", STR_ARG(kind));
}

static err find(req *rq, const txn *tx, str id, rds_cluster_endpoint **out)
{
	*out = rds_cluster_endpoint_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, id));
	return *out ? OK
				: fail(rq, &rds_DBClusterEndpointNotFoundFault, "DB cluster endpoint %.*s not found.",
	                   STR_ARG(id));
}

static err members(req *rq, const rds_cluster *c, const rds_StringList *given, const rds_StringList *other)
{
	if (given->n && other->n)
		return fail(rq, &rds_InvalidParameterCombination,
		            "StaticMembers and ExcludedMembers can't be specified together.");
	for (size_t k = 0; k < given->n; k++) {
		bool there = false;
		for (size_t m = 0; m < c->It->DBClusterMembers.n; m++)
			there = there || str_eq_nocase(c->It->DBClusterMembers.v[m].DBInstanceIdentifier, given->v[k]);
		if (!there)
			return fail(rq, &rds_DBInstanceNotFoundFault, "DBInstance %.*s not found.", STR_ARG(given->v[k]));
	}
	return OK;
}

static void settle_soon(txn *tx) { task_add(tx, "rds_settle", S(""), 0); }

/* The second time what the first time made room for is opened. */
TASK(rds_settle)
{
	db_endpoints_settle();
	db_endpoints_settle();
	return TASK_DONE;
}

err rds_CreateDBClusterEndpoint(req *rq, txn *tx, const rds_CreateDBClusterEndpoint_in *in,
                                rds_CreateDBClusterEndpoint_out *out)
{
	rds_cluster *c;
	TRY(db_check_identifier(rq, in->DBClusterEndpointIdentifier, "DBClusterEndpointIdentifier"));
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	TRY(db_cluster_ready(rq, c));
	TRY(one_of(rq, in->EndpointType));
	TRY(members(rq, c, &in->StaticMembers, &in->ExcludedMembers));
	TRY(members(rq, c, &in->ExcludedMembers, &in->StaticMembers));
	str id = db_lowered(rq, in->DBClusterEndpointIdentifier);
	if (rds_cluster_endpoint_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBClusterEndpointAlreadyExistsFault, "DB cluster endpoint already exists");
	rds_DBClusterEndpoint *it = arena_new(rq->mem, rds_DBClusterEndpoint);
	*it = (rds_DBClusterEndpoint){
		.DBClusterEndpointIdentifier = id,
		.DBClusterIdentifier = c->Id,
		.DBClusterEndpointResourceIdentifier = db_resource_id(rq->mem, "cluster-endpoint-"),
		.Endpoint = db_address_new(rq, tx, (int)c->It->Port.v),
		.Status = S("available"),
		.EndpointType = S("CUSTOM"),
		.CustomEndpointType = in->EndpointType,
		.StaticMembers = in->StaticMembers,
		.ExcludedMembers = in->ExcludedMembers,
		.DBClusterEndpointArn = req_arn(rq, "rds", "cluster-endpoint:%.*s", STR_ARG(id)),
	};
	rds_cluster_endpoint row = {
		.Account = rq->who.account, .Region = rq->region, .Id = id, .It = it, .Tags = in->Tags
	};
	rds_cluster_endpoint_put(tx, &row);
	settle_soon(tx);
	rds_DBClusterEndpoint *shown = arena_new(rq->mem, rds_DBClusterEndpoint);
	*shown = *it;
	shown->Status = S("creating");
	*out = *shown;
	return OK;
}

err rds_ModifyDBClusterEndpoint(req *rq, txn *tx, const rds_ModifyDBClusterEndpoint_in *in,
                                rds_ModifyDBClusterEndpoint_out *out)
{
	rds_cluster_endpoint *e;
	rds_cluster *c;
	TRY(find(rq, tx, in->DBClusterEndpointIdentifier, &e));
	TRY(db_cluster_find(rq, tx, e->It->DBClusterIdentifier, &c));
	if (str_is(in->EndpointType)) {
		TRY(one_of(rq, in->EndpointType));
		e->It->CustomEndpointType = in->EndpointType;
	}
	TRY(members(rq, c, &in->StaticMembers, &in->ExcludedMembers));
	TRY(members(rq, c, &in->ExcludedMembers, &in->StaticMembers));
	if (in->StaticMembers.n || in->ExcludedMembers.n) {
		e->It->StaticMembers = in->StaticMembers;
		e->It->ExcludedMembers = in->ExcludedMembers;
	}
	rds_cluster_endpoint_put(tx, e);
	*out = *e->It;
	return OK;
}

err rds_DeleteDBClusterEndpoint(req *rq, txn *tx, const rds_DeleteDBClusterEndpoint_in *in,
                                rds_DeleteDBClusterEndpoint_out *out)
{
	rds_cluster_endpoint *e;
	TRY(find(rq, tx, in->DBClusterEndpointIdentifier, &e));
	e->It->Status = S("deleting");
	*out = *e->It;
	rds_cluster_endpoint_delete(tx, e->Account, e->Region, e->Id);
	settle_soon(tx);
	return OK;
}

void db_cluster_endpoints_end(txn *tx, arena *mem, const rds_cluster *c)
{
	record_scan s = rds_cluster_endpoint_scan(tx, mem, 2, c->Account, c->Region, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&s));)
		if (str_eq(e->It->DBClusterIdentifier, c->Id))
			rds_cluster_endpoint_delete(tx, e->Account, e->Region, e->Id);
	settle_soon(tx);
}

void db_cluster_endpoints_renamed(txn *tx, arena *mem, const rds_cluster *c, str from)
{
	record_scan s = rds_cluster_endpoint_scan(tx, mem, 2, c->Account, c->Region, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&s));)
		if (str_eq(e->It->DBClusterIdentifier, from)) {
			e->It->DBClusterIdentifier = c->Id;
			rds_cluster_endpoint_put(tx, e);
		}
	settle_soon(tx);
}

typedef struct listing {
	req *rq;
	const rds_DescribeDBClusterEndpoints_in *in;
	rds_DBClusterEndpointList *to;
	size_t most;
} listing;

static void list(listing *l, const rds_DBClusterEndpoint *e)
{
	const rds_FilterList *f = &l->in->Filters;
	str wanted = l->in->DBClusterEndpointIdentifier;
	if (l->to->n < l->most && (!str_is(wanted) || str_eq_nocase(e->DBClusterEndpointIdentifier, wanted)) &&
	    db_filter_has(f, "db-cluster-endpoint-type", e->EndpointType) &&
	    db_filter_has(f, "db-cluster-endpoint-custom-type", e->CustomEndpointType) &&
	    db_filter_has(f, "db-cluster-endpoint-id", e->DBClusterEndpointIdentifier) &&
	    db_filter_has(f, "db-cluster-endpoint-status", e->Status))
		l->to->v[l->to->n++] = *e;
}

/* The two that each cluster has, then its own ones. */
static void list_cluster(listing *l, const txn *tx, const rds_cluster *c)
{
	list(l, &(rds_DBClusterEndpoint){ .DBClusterIdentifier = c->Id,
	                                  .Endpoint = c->Address,
	                                  .Status = S("available"),
	                                  .EndpointType = S("WRITER") });
	list(l, &(rds_DBClusterEndpoint){ .DBClusterIdentifier = c->Id,
	                                  .Endpoint = c->ReaderAddress,
	                                  .Status = S("available"),
	                                  .EndpointType = S("READER") });
	record_scan s = rds_cluster_endpoint_scan(tx, l->rq->mem, 2, c->Account, c->Region, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&s));)
		if (str_eq(e->It->DBClusterIdentifier, c->Id))
			list(l, e->It);
	cursor_close(&s.at);
}

err rds_DescribeDBClusterEndpoints(req *rq, const txn *tx, const rds_DescribeDBClusterEndpoints_in *in,
                                   rds_DescribeDBClusterEndpoints_out *out)
{
	static const char *const filters[] = { "db-cluster-endpoint-type", "db-cluster-endpoint-custom-type",
		                                   "db-cluster-endpoint-id", "db-cluster-endpoint-status", NULL };
	page p;
	rds_cluster *c;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	TRY(db_filters_known(rq, &in->Filters, filters));
	out->DBClusterEndpoints.v = arena_array(rq->mem, rds_DBClusterEndpoint, CLUSTER_ENDPOINTS_SHOWN_MAX);
	listing l = { rq, in, &out->DBClusterEndpoints, CLUSTER_ENDPOINTS_SHOWN_MAX };
	if (str_is(in->DBClusterIdentifier)) {
		TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
		list_cluster(&l, tx, c);
		return OK;
	}
	record_scan s = rds_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while ((c = rds_cluster_next(&s)))
		list_cluster(&l, tx, c);
	cursor_close(&s.at);
	return OK;
}
