#include "proxy.h"
#include "sys/rand.h"

#define PROXY_PORT 5432

str db_proxy_id(arena *a, const char *prefix)
{
	return arena_concat(a, str_c(prefix), rand_text(a, 17, S("0123456789abcdef")));
}

size_t db_proxy_endpoints(const txn *tx, arena *mem, const rds_proxy *p,
                          rds_proxy_endpoint *out[RDS_PROXY_ENDPOINTS_MAX + 1])
{
	size_t n = 0;
	record_scan s = rds_proxy_endpoint_scan(tx, mem, 3, p->Account, p->Region, p->Name, STR_NONE);
	for (rds_proxy_endpoint *e; n <= RDS_PROXY_ENDPOINTS_MAX && (e = rds_proxy_endpoint_next(&s));)
		out[n++] = e;
	cursor_close(&s.at);
	return n;
}

rds_proxy_endpoint *db_proxy_endpoint_new(req *rq, txn *tx, const rds_proxy *p, str name)
{
	str id = db_proxy_id(rq->mem, "prx-endpoint-");
	rds_proxy_endpoint *e = arena_new(rq->mem, rds_proxy_endpoint);
	rds_DBProxyEndpoint *it = arena_new(rq->mem, rds_DBProxyEndpoint);
	*it = (rds_DBProxyEndpoint){
		.DBProxyEndpointName = name,
		.DBProxyEndpointArn = req_arn(rq, "rds", "db-proxy-endpoint:%.*s", STR_ARG(id)),
		.DBProxyName = p->Name,
		.Status = rds_DBProxyEndpointStatus_creating,
		.VpcId = p->It->VpcId,
		.VpcSecurityGroupIds = p->It->VpcSecurityGroupIds,
		.VpcSubnetIds = p->It->VpcSubnetIds,
		.Endpoint = db_address_new(rq, tx, PROXY_PORT),
		.CreatedDate = TIME(rq->now),
		.TargetRole = rds_DBProxyEndpointTargetRole_READ_WRITE,
		.IsDefault = BOOL(str_eq(name, PROXY_ENDPOINT_DEFAULT)),
		.EndpointNetworkType = S("IPV4"),
	};
	*e = (rds_proxy_endpoint){
		.Account = p->Account, .Region = p->Region, .Proxy = p->Name, .Name = name, .It = it, .Folder = id
	};
	rds_proxy_endpoint_put(tx, e);
	return e;
}

/* Names of endpoints are unique among all proxies of a region. */
static rds_proxy_endpoint *named(req *rq, const txn *tx, str name)
{
	rds_proxy_endpoint *e;
	record_scan s = rds_proxy_endpoint_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	while ((e = rds_proxy_endpoint_next(&s)))
		if (str_eq(e->Name, name) && !e->It->IsDefault.v)
			break;
	cursor_close(&s.at);
	return e;
}

static err find(req *rq, const txn *tx, str name, rds_proxy_endpoint **out)
{
	*out = named(rq, tx, db_lowered(rq, name));
	return *out ? OK
				: fail(rq, &rds_DBProxyEndpointNotFoundFault, "DBProxyEndpoint not found with name: %.*s",
	                   STR_ARG(name));
}

err rds_CreateDBProxyEndpoint(req *rq, txn *tx, const rds_CreateDBProxyEndpoint_in *in,
                              rds_CreateDBProxyEndpoint_out *out)
{
	rds_proxy *p;
	rds_proxy_endpoint *all[RDS_PROXY_ENDPOINTS_MAX + 1];
	str name = db_lowered(rq, in->DBProxyEndpointName);
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	if (str_eq(name, PROXY_ENDPOINT_DEFAULT) || named(rq, tx, name))
		return fail(rq, &rds_DBProxyEndpointAlreadyExistsFault,
		            "DBProxyEndpoint already exists with name: %.*s", STR_ARG(name));
	if (db_proxy_endpoints(tx, rq->mem, p, all) > RDS_PROXY_ENDPOINTS_MAX)
		return fail(rq, &rds_DBProxyEndpointQuotaExceededFault, "DB Proxy endpoint quota exceeded");
	if (in->VpcSubnetIds.n < 2)
		return fail(rq, &rds_InvalidSubnet,
		            "A DB proxy endpoint needs at least two subnets in different Availability Zones.");
	rds_proxy_endpoint *e = db_proxy_endpoint_new(rq, tx, p, name);
	e->It->VpcSubnetIds = in->VpcSubnetIds;
	if (in->VpcSecurityGroupIds.n)
		e->It->VpcSecurityGroupIds = in->VpcSecurityGroupIds;
	if (str_is(in->TargetRole))
		e->It->TargetRole = in->TargetRole;
	e->Tags = in->Tags;
	rds_proxy_endpoint_put(tx, e);
	db_proxies_changed(tx);
	out->DBProxyEndpoint = e->It;
	return OK;
}

err rds_DescribeDBProxyEndpoints(req *rq, const txn *tx, const rds_DescribeDBProxyEndpoints_in *in,
                                 rds_DescribeDBProxyEndpoints_out *out)
{
	page p;
	rds_proxy *proxy;
	rds_proxy_endpoint *e;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (str_is(in->DBProxyName))
		TRY(db_proxy_find(rq, tx, in->DBProxyName, &proxy));
	if (str_is(in->DBProxyEndpointName) && !str_eq(in->DBProxyEndpointName, PROXY_ENDPOINT_DEFAULT))
		TRY(find(rq, tx, in->DBProxyEndpointName, &e));
	out->DBProxyEndpoints.v = arena_array(rq->mem, rds_DBProxyEndpoint, p.most);
	record_scan s = rds_proxy_endpoint_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	int64_t n = 0, skip = 0;
	str_to_i64(p.after, &skip);
	while ((e = rds_proxy_endpoint_next(&s))) {
		if ((str_is(in->DBProxyName) && !str_eq_nocase(in->DBProxyName, e->Proxy))
		    || (str_is(in->DBProxyEndpointName) && !str_eq_nocase(in->DBProxyEndpointName, e->Name))
		    || n++ < skip)
			continue;
		if (out->DBProxyEndpoints.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(n - 1)));
			break;
		}
		out->DBProxyEndpoints.v[out->DBProxyEndpoints.n++] = *e->It;
	}
	cursor_close(&s.at);
	return OK;
}

err rds_ModifyDBProxyEndpoint(req *rq, txn *tx, const rds_ModifyDBProxyEndpoint_in *in,
                              rds_ModifyDBProxyEndpoint_out *out)
{
	rds_proxy_endpoint *e;
	TRY(find(rq, tx, in->DBProxyEndpointName, &e));
	str name = db_lowered(rq, in->NewDBProxyEndpointName);
	if (in->VpcSecurityGroupIds.n)
		e->It->VpcSecurityGroupIds = in->VpcSecurityGroupIds;
	if (str_is(name) && !str_eq(name, e->Name)) {
		if (str_eq(name, PROXY_ENDPOINT_DEFAULT) || named(rq, tx, name))
			return fail(rq, &rds_DBProxyEndpointAlreadyExistsFault,
			            "DBProxyEndpoint already exists with name: %.*s", STR_ARG(name));
		rds_proxy_endpoint_delete(tx, e->Account, e->Region, e->Proxy, e->Name);
		e->Name = e->It->DBProxyEndpointName = name;
	}
	rds_proxy_endpoint_put(tx, e);
	out->DBProxyEndpoint = e->It;
	return OK;
}

err rds_DeleteDBProxyEndpoint(req *rq, txn *tx, const rds_DeleteDBProxyEndpoint_in *in,
                              rds_DeleteDBProxyEndpoint_out *out)
{
	rds_proxy_endpoint *e;
	TRY(find(rq, tx, in->DBProxyEndpointName, &e));
	rds_proxy_endpoint_delete(tx, e->Account, e->Region, e->Proxy, e->Name);
	db_proxies_changed(tx);
	e->It->Status = rds_DBProxyEndpointStatus_deleting;
	out->DBProxyEndpoint = e->It;
	return OK;
}
