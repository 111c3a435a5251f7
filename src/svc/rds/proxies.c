#include "proxy.h"
#include "store/due.h"
#include "sys/clock.h"

#define IDLE_DEFAULT 1800
#define IDLE_MAX 28800
#define BORROW_DEFAULT 120
#define CONNECTIONS_PERCENT 100
#define IDLE_PERCENT 50

err db_proxy_find(req *rq, const txn *tx, str name, rds_proxy **out)
{
	*out = rds_proxy_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, name));
	if (!*out)
		return fail(rq, &rds_DBProxyNotFoundFault, "DBProxy not found with name: %.*s", STR_ARG(name));
	return OK;
}

void db_proxies_changed(txn *tx) { task_add(tx, "rds_proxies", STR_NONE, 0); }

static err auth_of(req *rq, const rds_UserAuthConfigList *in, rds_DBProxy *it)
{
	rds_UserAuthConfigInfoList all = { arena_array(rq->mem, rds_UserAuthConfigInfo, in->n + 1), in->n };
	for (size_t i = 0; i < in->n; i++) {
		const rds_UserAuthConfig *u = &in->v[i];
		if (str_is(u->IAMAuth) && !str_eq(u->IAMAuth, rds_IAMAuthMode_DISABLED))
			return fail(rq, &aws_NotImplemented, "IAM authentication through a DB proxy is not implemented.");
		if (!str_is(u->SecretArn))
			return fail(rq, &rds_InvalidParameterValue,
			            "SecretArn is required in UserAuthConfig with the auth scheme SECRETS.");
		str client = u->ClientPasswordAuthType;
		if (str_is(client) && !str_starts(client, S("POSTGRES_")))
			return fail(rq, &rds_InvalidParameterCombination,
			            "ClientPasswordAuthType %.*s is not valid for the engine family POSTGRESQL.",
			            STR_ARG(client));
		all.v[i] = (rds_UserAuthConfigInfo){
			.Description = u->Description,
			.UserName = u->UserName,
			.AuthScheme = rds_AuthScheme_SECRETS,
			.SecretArn = u->SecretArn,
			.IAMAuth = rds_IAMAuthMode_DISABLED,
			.ClientPasswordAuthType =
				str_is(client) ? client : rds_ClientPasswordAuthType_POSTGRES_SCRAM_SHA_256,
		};
	}
	it->Auth = all;
	return OK;
}

static err idle_of(req *rq, opt_i64 seconds, rds_DBProxy *it)
{
	if (seconds.set && (seconds.v < 1 || seconds.v > IDLE_MAX))
		return fail(rq, &rds_InvalidParameterValue,
		            "IdleClientTimeout %lld is invalid. It must be between 1 and %d seconds.",
		            (long long)seconds.v, IDLE_MAX);
	if (seconds.set)
		it->IdleClientTimeout = seconds;
	return OK;
}

static err supported(req *rq, const txn *tx, const rds_CreateDBProxy_in *in)
{
	str program;
	if (!str_eq(in->EngineFamily, rds_EngineFamily_POSTGRESQL))
		return fail(rq, &aws_NotImplemented, "RDS Proxy is not available here for the engine family %.*s.",
		            STR_ARG(in->EngineFamily));
	if (str_is(in->DefaultAuthScheme) && !str_eq(in->DefaultAuthScheme, rds_DefaultAuthScheme_NONE))
		return fail(rq, &aws_NotImplemented, "IAM authentication through a DB proxy is not implemented.");
	err e = pgbouncer_find(rq->mem, &program);
	if (e)
		return fail(rq, &aws_NotImplemented, "RDS Proxy: %.*s", STR_ARG(e->message));
	if (!in->Auth.n)
		return fail(rq, &rds_InvalidParameterValue, "At least one UserAuthConfig is required.");
	if (in->VpcSubnetIds.n < 2)
		return fail(rq, &rds_InvalidSubnet,
		            "A DB proxy needs at least two subnets in different Availability Zones.");
	int n = 0;
	record_scan s = rds_proxy_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (rds_proxy_next(&s))
		n++;
	return n < RDS_PROXIES_MAX ? OK : fail(rq, &rds_DBProxyQuotaExceededFault, "DB Proxy quota exceeded");
}

static rds_DBProxyTargetGroup *group_new(req *rq, str proxy)
{
	rds_DBProxyTargetGroup *g = arena_new(rq->mem, rds_DBProxyTargetGroup);
	rds_ConnectionPoolConfigurationInfo *pool = arena_new(rq->mem, rds_ConnectionPoolConfigurationInfo);
	*pool = (rds_ConnectionPoolConfigurationInfo){ .MaxConnectionsPercent = I64(CONNECTIONS_PERCENT),
		                                           .MaxIdleConnectionsPercent = I64(IDLE_PERCENT),
		                                           .ConnectionBorrowTimeout = I64(BORROW_DEFAULT) };
	*g = (rds_DBProxyTargetGroup){
		.DBProxyName = proxy,
		.TargetGroupName = S("default"),
		.TargetGroupArn = req_arn(rq, "rds", "target-group:%.*s", STR_ARG(db_proxy_id(rq->mem, "prx-tg-"))),
		.IsDefault = BOOL(true),
		.Status = S("available"),
		.ConnectionPoolConfig = pool,
		.CreatedDate = TIME(rq->now),
		.UpdatedDate = TIME(rq->now),
	};
	return g;
}

err rds_CreateDBProxy(req *rq, txn *tx, const rds_CreateDBProxy_in *in, rds_CreateDBProxy_out *out)
{
	str name = db_lowered(rq, in->DBProxyName);
	TRY(supported(rq, tx, in));
	if (rds_proxy_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &rds_DBProxyAlreadyExistsFault, "DBProxy already exists with name: %.*s",
		            STR_ARG(name));
	rds_DBProxy *it = arena_new(rq->mem, rds_DBProxy);
	*it = (rds_DBProxy){
		.DBProxyName = name,
		.DBProxyArn = req_arn(rq, "rds", "db-proxy:%.*s", STR_ARG(db_proxy_id(rq->mem, "prx-"))),
		.Status = rds_DBProxyStatus_creating,
		.EngineFamily = in->EngineFamily,
		.VpcId = db_network_id(rq, "vpc", "default"),
		.VpcSecurityGroupIds = in->VpcSecurityGroupIds,
		.VpcSubnetIds = in->VpcSubnetIds,
		.DefaultAuthScheme = rds_DefaultAuthScheme_NONE,
		.RoleArn = in->RoleArn,
		.RequireTLS = BOOL(in->RequireTLS.set && in->RequireTLS.v),
		.IdleClientTimeout = I64(IDLE_DEFAULT),
		.DebugLogging = BOOL(in->DebugLogging.set && in->DebugLogging.v),
		.CreatedDate = TIME(rq->now),
		.UpdatedDate = TIME(rq->now),
		.EndpointNetworkType = str_is(in->EndpointNetworkType) ? in->EndpointNetworkType : S("IPV4"),
		.TargetConnectionNetworkType = S("IPV4"),
	};
	if (!it->VpcSecurityGroupIds.n) {
		str *one = arena_new(rq->mem, str);
		*one = db_network_id(rq, "sg", "default");
		it->VpcSecurityGroupIds = (rds_StringList){ one, 1 };
	}
	TRY(auth_of(rq, &in->Auth, it));
	TRY(idle_of(rq, in->IdleClientTimeout, it));
	rds_proxy p = { .Account = rq->who.account,
		            .Region = rq->region,
		            .Name = name,
		            .It = it,
		            .Tags = in->Tags,
		            .Group = group_new(rq, name) };
	it->Endpoint = db_proxy_endpoint_new(rq, tx, &p, PROXY_ENDPOINT_DEFAULT)->It->Endpoint;
	rds_proxy_put(tx, &p);
	db_proxies_changed(tx);
	out->DBProxy = it;
	return OK;
}

err rds_DescribeDBProxies(req *rq, const txn *tx, const rds_DescribeDBProxies_in *in,
                          rds_DescribeDBProxies_out *out)
{
	page p;
	rds_proxy *r;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->DBProxies.v = arena_array(rq->mem, rds_DBProxy, p.most);
	if (str_is(in->DBProxyName)) {
		TRY(db_proxy_find(rq, tx, in->DBProxyName, &r));
		out->DBProxies.v[out->DBProxies.n++] = *r->It;
		return OK;
	}
	record_scan s = rds_proxy_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((r = rds_proxy_next(&s))) {
		if (out->DBProxies.n == p.most) {
			out->Marker = page_token(rq, out->DBProxies.v[p.most - 1].DBProxyName);
			break;
		}
		out->DBProxies.v[out->DBProxies.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

static err rename_to(req *rq, txn *tx, rds_proxy *p, str given)
{
	str name = db_lowered(rq, given);
	if (!str_is(name) || str_eq(name, p->Name))
		return OK;
	if (rds_proxy_get(tx, rq->mem, p->Account, p->Region, name))
		return fail(rq, &rds_DBProxyAlreadyExistsFault, "DBProxy already exists with name: %.*s",
		            STR_ARG(name));
	rds_proxy_endpoint *all[RDS_PROXY_ENDPOINTS_MAX + 1];
	size_t n = db_proxy_endpoints(tx, rq->mem, p, all);
	for (size_t i = 0; i < n; i++) {
		rds_proxy_endpoint_delete(tx, p->Account, p->Region, p->Name, all[i]->Name);
		all[i]->Proxy = all[i]->It->DBProxyName = name;
		rds_proxy_endpoint_put(tx, all[i]);
	}
	rds_proxy_delete(tx, p->Account, p->Region, p->Name);
	p->Name = p->It->DBProxyName = p->Group->DBProxyName = name;
	return OK;
}

err rds_ModifyDBProxy(req *rq, txn *tx, const rds_ModifyDBProxy_in *in, rds_ModifyDBProxy_out *out)
{
	rds_proxy *p;
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	if (str_is(in->DefaultAuthScheme) && !str_eq(in->DefaultAuthScheme, rds_DefaultAuthScheme_NONE))
		return fail(rq, &aws_NotImplemented, "IAM authentication through a DB proxy is not implemented.");
	if (in->Auth.n)
		TRY(auth_of(rq, &in->Auth, p->It));
	TRY(idle_of(rq, in->IdleClientTimeout, p->It));
	if (in->RequireTLS.set)
		p->It->RequireTLS = in->RequireTLS;
	if (in->DebugLogging.set)
		p->It->DebugLogging = in->DebugLogging;
	if (str_is(in->RoleArn))
		p->It->RoleArn = in->RoleArn;
	if (in->SecurityGroups.n)
		p->It->VpcSecurityGroupIds = in->SecurityGroups;
	TRY(rename_to(rq, tx, p, in->NewDBProxyName));
	p->It->UpdatedDate = TIME(rq->now);
	p->It->Status = rds_DBProxyStatus_modifying;
	rds_proxy_put(tx, p);
	db_proxies_changed(tx);
	out->DBProxy = p->It;
	return OK;
}

err rds_DeleteDBProxy(req *rq, txn *tx, const rds_DeleteDBProxy_in *in, rds_DeleteDBProxy_out *out)
{
	rds_proxy *p;
	rds_proxy_endpoint *all[RDS_PROXY_ENDPOINTS_MAX + 1];
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	size_t n = db_proxy_endpoints(tx, rq->mem, p, all);
	for (size_t i = 0; i < n; i++)
		rds_proxy_endpoint_delete(tx, p->Account, p->Region, p->Name, all[i]->Name);
	rds_proxy_delete(tx, p->Account, p->Region, p->Name);
	p->Instances.n = 0;
	p->Cluster = STR_NONE;
	db_proxy_bill(tx, p, rq->now);
	db_proxies_changed(tx);
	p->It->Status = rds_DBProxyStatus_deleting;
	out->DBProxy = p->It;
	return OK;
}
