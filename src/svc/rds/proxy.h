/*
 * What the files about RDS Proxy share. A proxy is a row, and a row for each of its endpoints; what runs for
 * them is brought into line with the rows whenever something has changed, and every two seconds.
 */
#pragma once
#include "rds.h"
#include "run/pgbouncer.h"

/* proxies.c, proxy_targets.c */
err db_proxy_find(req *rq, const txn *tx, str name, rds_proxy **out);
/* Brings what runs into line with the rows, by a task of the same transaction. */
void db_proxies_changed(txn *tx);
void db_proxy_bill(txn *tx, const rds_proxy *p, int64_t now);
/* Where the target listens that a new server connection should go to; NULL: nowhere at present. */
rds_instance *db_proxy_target(const txn *tx, arena *mem, const rds_proxy *p, bool reads);
#define PROXY_ENDPOINT_DEFAULT S("default")
/* proxy_endpoints.c */
str db_proxy_id(arena *a, const char *prefix);
size_t db_proxy_endpoints(const txn *tx, arena *mem, const rds_proxy *p,
                          rds_proxy_endpoint *out[RDS_PROXY_ENDPOINTS_MAX + 1]);
/* A new row in state creating. */
rds_proxy_endpoint *db_proxy_endpoint_new(req *rq, txn *tx, const rds_proxy *p, str name);

/* proxy_run.c: what runs. */
typedef struct proxy_health {
	bool runs, credentials, checked;
	char refused[256]; /* why the target did not let the proxy in; empty: it did */
} proxy_health;
proxy_health db_proxy_health(str account, str region, str name);
