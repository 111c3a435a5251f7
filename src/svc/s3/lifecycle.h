/*
 * Lifecycle rules: what a document may say (lifecycle_rules.c); what they do is lifecycle.c's.
 */
#pragma once
#include "bucket.h"

err lifecycle_rule_check(req *rq, const s3_LifecycleRule *r);
