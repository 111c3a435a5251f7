/* Custom key stores: there are none, so none is found and none can be made. */
#include "key.h"

err kms_DescribeCustomKeyStores(req *rq, const txn *tx, const kms_DescribeCustomKeyStores_in *in,
                                kms_DescribeCustomKeyStores_out *out)
{
	(void)tx;
	if (str_is(in->CustomKeyStoreId) || str_is(in->CustomKeyStoreName))
		return fail(rq, &kms_CustomKeyStoreNotFoundException, "%s", "");
	out->CustomKeyStores.v = arena_new(rq->mem, kms_CustomKeyStoresListEntry);
	out->Truncated = BOOL(false);
	return OK;
}
