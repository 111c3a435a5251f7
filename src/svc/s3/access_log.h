/*
 * A line of a bucket's access log for each request that is over, where the bucket logs.
 */
#pragma once
#include "bucket.h"
#include "wire/http.h"

typedef struct access_entry {
	req *rq;
	int status;
	uint64_t sent;
	err fault;
} access_entry;

/* On the connection's thread. */
void access_log(const txn *tx, const access_entry *e);
