#include "faults.h"

#define X(id, text, status_) \
	const fault_kind ec2_##id = { .name = #id, .code = text, .query_code = text, .status = status_ };
EC2_FAULTS(X)
#undef X
