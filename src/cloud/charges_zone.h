/*
 * In which availability zone a resource is used. Few resources have one (instances, volumes, nodes, tasks),
 * and few ever change it, so it is no part of a usage line: the service that meters such a resource says its
 * zone beside, and it stays known when the resource is gone.
 *
 *     $zone/ account 00 resource  ->  zone
 */
#pragma once
#include "store/store.h"

/* What has been used already counts as used there too. Empty zone: says nothing. */
void charges_zone_put(txn *tx, str account, str resource, str zone);
/* STR_NONE: in none that we know. Lives as long as the transaction. */
str charges_zone(const txn *tx, str account, str resource);
