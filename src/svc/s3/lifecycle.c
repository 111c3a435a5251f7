#include "read.h"
#include "multipart.h"
str lifecycle_expiration(req *rq, const txn *tx, const s3_bucket *b, str key, const object *o)
{
	(void)rq, (void)tx, (void)b, (void)key, (void)o;
	return STR_NONE;
}
void multipart_forget(txn *tx, arena *mem, const s3_bucket *b, const s3_upload *u)
{
	record_scan s = s3_part_scan(tx, mem, 1, u->UploadId, 0);
	for (s3_part *p; (p = s3_part_next(&s));) {
		content_release(tx, p->It->Content);
		s3_part_delete(tx, u->UploadId, p->Number);
	}
	s3_upload_delete(tx, b->Name, u->Key, u->UploadId);
}
