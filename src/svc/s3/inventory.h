/*
 * Inventories of buckets: when the next one is due.
 */
#pragma once
#include "bucket.h"

void inventory_set(txn *tx, arena *mem, str bucket, const s3_InventoryConfiguration *c, int64_t now);
void inventory_clear(txn *tx, arena *mem, str bucket, str id);
