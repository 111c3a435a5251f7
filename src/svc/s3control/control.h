/*
 * What S3 Control's operations share: whose account is spoken of, S3's own refusals, and S3 itself, asked in
 * the account's name for what is kept there.
 */
#pragma once
#include "cloud/call.h"
#include "gen/s3control.h"

extern const fault_kind control_AccessDenied, control_InvalidRequest, control_InvalidTag,
	control_MalformedXML, control_NoSuchResource;

/* AccessDenied unless the caller belongs to this account. */
err control_account(req *rq, str account);
/* A request of the account's own to S3; what it meters is not the caller's. */
req control_ask_s3(req *rq);
