/* The public access block of a whole account; S3 asks for it wherever a bucket's own block counts. */
#include "control.h"

/* The model's error says nothing but its message; the account is said besides. */
typedef struct not_found {
	str Message, AccountId;
} not_found;
static const shape text_shape = { .name = "String", .kind = SHAPE_STRING, .size = sizeof(str) };
static const shape_member members[] = {
	{ .name = "Message", .wire_name = "Message", .shape = &text_shape,
	  .offset = offsetof(not_found, Message) },
	{ .name = "AccountId", .wire_name = "AccountId", .shape = &text_shape,
	  .offset = offsetof(not_found, AccountId) },
};
static const shape not_found_shape = { .name = "NoSuchPublicAccessBlockConfiguration", .kind = SHAPE_STRUCT,
	                               .size = sizeof(not_found), .members = members, .n_members = 2 };
static const fault_kind none_kept = {
	.name = "NoSuchPublicAccessBlockConfiguration", .code = "NoSuchPublicAccessBlockConfiguration",
	.query_code = "NoSuchPublicAccessBlockConfiguration", .status = 404, .shape = &not_found_shape };

err s3control_PutPublicAccessBlock(req *rq, txn *tx, const s3control_PutPublicAccessBlock_in *in,
                                   s3control_PutPublicAccessBlock_out *out)
{
	(void)out;
	TRY(control_account(rq, in->AccountId));
	s3control_PublicAccessBlockConfiguration c = *in->PublicAccessBlockConfiguration;
	opt_bool *all[] = { &c.BlockPublicAcls, &c.IgnorePublicAcls, &c.BlockPublicPolicy,
		            &c.RestrictPublicBuckets };
	bool any = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		any |= all[i]->set;
		*all[i] = BOOL(all[i]->v);
	}
	if (!any)
		return fail(rq, &control_InvalidRequest, "Must specify at least one configuration.");
	s3control_block_put(tx, &(s3control_block){ .Account = in->AccountId, .It = &c });
	return OK;
}

err s3control_GetPublicAccessBlock(req *rq, const txn *tx, const s3control_GetPublicAccessBlock_in *in,
                                   s3control_GetPublicAccessBlock_out *out)
{
	TRY(control_account(rq, in->AccountId));
	s3control_block *b = s3control_block_get(tx, rq->mem, in->AccountId);
	if (!b) {
		not_found *detail = arena_new(rq->mem, not_found);
		detail->AccountId = in->AccountId;
		return fail_with(rq, &none_kept, detail, "The public access block configuration was not found");
	}
	out->PublicAccessBlockConfiguration = b->It;
	return OK;
}

err s3control_DeletePublicAccessBlock(req *rq, txn *tx, const s3control_DeletePublicAccessBlock_in *in,
                                      s3control_DeletePublicAccessBlock_out *out)
{
	(void)out;
	TRY(control_account(rq, in->AccountId));
	s3control_block_delete(tx, in->AccountId);
	rq->reply_status = 204;
	return OK;
}
