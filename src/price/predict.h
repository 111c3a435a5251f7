/*
 * Usage that nobody has metered: a table of what something would use, priced like any other and marked on
 * every line. For what does not exist here, and for variants of what does.
 *
 *     sku,quantity,per,resource,why
 *     ec2.linux.t4g.nano,1,hour,bella,runs all month
 *     ebs.gp3,8,month,bella,8 GB-months
 *
 * `per` is month, or hour: the quantity then is that of every hour of the month.
 */
#pragma once
#include "base/err.h"
#include "price/bill.h"

/* A fault names the line. `name` is for faults. */
err predict_read(arena *mem, const book *prices, str text, str name, int64_t month, use_list *out);
/* Whether one of them is of this sku. */
bool predict_has(const use_list *predicted, str sku);
