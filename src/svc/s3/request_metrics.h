/*
 * AWS/S3's request metrics, for each request that is over and each metrics configuration of its bucket that
 * the request fits.
 */
#pragma once
#include "access_log.h"

/* On the connection's thread. */
void request_metrics(const txn *tx, const access_entry *e);
