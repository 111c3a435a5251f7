#include "notify.h"

void notify(req *rq, txn *tx, const s3_bucket *b, str key, const object *o, const char *name)
{
	(void)rq, (void)tx, (void)b, (void)key, (void)o, (void)name;
}
