#include "rds.h"
#include "sys/rand.h"

#define TRIES 200
#define FIRST_NET 16  /* 127.16.0.0 upwards, away from what others use below */
#define LAST_NET 239

static bool taken(const txn *tx, arena *mem, str address)
{
	record_scan s = rds_instance_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		if (str_eq(i->Address, address)) {
			cursor_close(&s.at);
			return true;
		}
	record_scan t = rds_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster *c; (c = rds_cluster_next(&t));)
		if (str_eq(c->Address, address) || str_eq(c->ReaderAddress, address)) {
			cursor_close(&t.at);
			return true;
		}
	record_scan v = rds_cluster_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&v));)
		if (str_eq(e->It->Endpoint, address)) {
			cursor_close(&v.at);
			return true;
		}
	record_scan u = rds_proxy_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (rds_proxy_endpoint *e; (e = rds_proxy_endpoint_next(&u));)
		if (str_eq(e->It->Endpoint, address)) {
			cursor_close(&u.at);
			return true;
		}
	return false;
}

/* At random, so that several servers on one machine keep out of each other's way. */
str db_address_new(req *rq, const txn *tx, int port)
{
	str address = STR_NONE;
	for (int i = 0; i < TRIES; i++) {
		address = arena_fmt(rq->mem, "127.%d.%d.%d", FIRST_NET + (int)rand_below(LAST_NET - FIRST_NET + 1),
		                    (int)rand_below(256), 1 + (int)rand_below(254));
		if (!taken(tx, rq->mem, address) && postgres_address_free(address, port))
			break;
	}
	return address;
}
