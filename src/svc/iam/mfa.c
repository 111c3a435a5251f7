/*
 * Virtual MFA devices: seeds that an authenticator takes as text. What it then shows counts at STS.
 */
#include "base/text.h"
#include "cloud/credential_mfa.h"
#include "entity.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define SEED_BYTES 64

static err find_device(req *rq, const txn *tx, str serial, iam_mfa **out)
{
	*out = iam_mfa_get(tx, rq->mem, rq->who.account, serial);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "MFA Device with serial number %.*s does not exist.",
	            STR_ARG(serial));
}

err iam_CreateVirtualMFADevice(req *rq, txn *tx, const iam_CreateVirtualMFADevice_in *in,
                               iam_CreateVirtualMFADevice_out *out)
{
	iam_mfa row = { .Account = rq->who.account };
	char seed[SEED_BYTES];
	row.Serial = iam_arn(rq, "mfa", in->Path, in->VirtualMFADeviceName);
	if (iam_mfa_get(tx, rq->mem, row.Account, row.Serial))
		return fail(rq, &iam_EntityAlreadyExistsException,
		            "MFA device already exists.");
	TRY(iam_tags_merge(rq, &row.Tags, &in->Tags));
	rand_bytes(seed, sizeof seed);
	mfa_put(tx, &(mfa_device){ .Serial = row.Serial, .Seed = str_of(seed, sizeof seed) });
	iam_mfa_put(tx, &row);
	out->VirtualMFADevice = arena_new(rq->mem, iam_VirtualMFADevice);
	*out->VirtualMFADevice = (iam_VirtualMFADevice){
		.SerialNumber = row.Serial, .Tags = row.Tags,
		.Base32StringSeed = mfa_base32(rq->mem, arena_str(rq->mem, str_of(seed, sizeof seed))),
	};
	return OK;
}

err iam_DeleteVirtualMFADevice(req *rq, txn *tx, const iam_DeleteVirtualMFADevice_in *in,
                               iam_DeleteVirtualMFADevice_out *out)
{
	iam_mfa *row;
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	if (str_is(row->User))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must remove MFA device from user first.");
	mfa_delete(tx, row->Serial);
	iam_mfa_delete(tx, row->Account, row->Serial);
	return OK;
}

static err wrong_code(req *rq)
{
	return fail(rq, &iam_InvalidAuthenticationCodeException, "Authentication code for device is not valid.");
}

err iam_EnableMFADevice(req *rq, txn *tx, const iam_EnableMFADevice_in *in, iam_EnableMFADevice_out *out)
{
	iam_user *user;
	iam_mfa *row;
	int n = 0;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	if (str_is(row->User))
		return fail(rq, &iam_EntityAlreadyExistsException, "MFA Device is already in use.");
	record_scan s = iam_user_mfa_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	while (iam_user_mfa_next(&s))
		n++;
	if (n >= IAM_MFA_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for MFADevicesPerUser: %d",
		            IAM_MFA_MAX);
	const mfa_device *d = mfa_get(tx, rq->mem, row->Serial);
	if (!d || !mfa_accepts_both(tx, d, in->AuthenticationCode1, in->AuthenticationCode2, clock_real()))
		return wrong_code(rq);
	mfa_device owned = *mfa_get(tx, rq->mem, row->Serial);
	owned.Owner = user->It->Arn;
	mfa_put(tx, &owned);
	row->User = user->Key;
	row->Enabled = rq->now;
	iam_mfa_put(tx, row);
	iam_user_mfa_put(tx, &(iam_user_mfa){ row->Account, user->Key, row->Serial });
	return OK;
}

static err device_of(req *rq, const txn *tx, str user_name, str serial, iam_mfa **out)
{
	str name;
	iam_user *user;
	TRY(iam_user_or_caller(rq, user_name, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	TRY(find_device(rq, tx, serial, out));
	if (str_is((*out)->User) && str_eq((*out)->User, user->Key))
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "MFA device invalid for user.");
}

err iam_DeactivateMFADevice(req *rq, txn *tx, const iam_DeactivateMFADevice_in *in,
                            iam_DeactivateMFADevice_out *out)
{
	iam_mfa *row;
	TRY(device_of(rq, tx, in->UserName, in->SerialNumber, &row));
	mfa_device free_again = *mfa_get(tx, rq->mem, row->Serial);
	free_again.Owner = STR_NONE;
	mfa_put(tx, &free_again);
	iam_user_mfa_delete(tx, row->Account, row->User, row->Serial);
	row->User = STR_NONE;
	row->Enabled = 0;
	iam_mfa_put(tx, row);
	return OK;
}

err iam_ResyncMFADevice(req *rq, txn *tx, const iam_ResyncMFADevice_in *in, iam_ResyncMFADevice_out *out)
{
	iam_mfa *row;
	TRY(device_of(rq, tx, in->UserName, in->SerialNumber, &row));
	const mfa_device *d = mfa_get(tx, rq->mem, row->Serial);
	bool right = d && mfa_accepts_both(tx, d, in->AuthenticationCode1, in->AuthenticationCode2, clock_real());
	return right ? OK : wrong_code(rq);
}

err iam_GetMFADevice(req *rq, const txn *tx, const iam_GetMFADevice_in *in, iam_GetMFADevice_out *out)
{
	iam_mfa *row;
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	iam_user *user = str_is(row->User) ? iam_user_get(tx, rq->mem, row->Account, row->User) : NULL;
	out->SerialNumber = row->Serial;
	if (user) {
		out->UserName = user->It->UserName;
		out->EnableDate = TIME(row->Enabled / 1000 * 1000);
	}
	return OK;
}

err iam_ListMFADevices(req *rq, const txn *tx, const iam_ListMFADevices_in *in, iam_ListMFADevices_out *out)
{
	iam_user *user;
	str name;
	out->MFADevices.v = arena_array(rq->mem, iam_MFADevice, IAM_MFA_MAX);
	out->IsTruncated = BOOL(false);
	if (!str_is(in->UserName) && rq->who.root)
		return OK;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	record_scan s = iam_user_mfa_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_user_mfa *m; (m = iam_user_mfa_next(&s)) && out->MFADevices.n < IAM_MFA_MAX;) {
		const iam_mfa *row = iam_mfa_get(tx, rq->mem, rq->who.account, m->Serial);
		out->MFADevices.v[out->MFADevices.n++] = (iam_MFADevice){
			.UserName = user->It->UserName, .SerialNumber = m->Serial,
			.EnableDate = TIME(row ? row->Enabled / 1000 * 1000 : 0) };
	}
	cursor_close(&s.at);
	return OK;
}

err iam_ListVirtualMFADevices(req *rq, const txn *tx, const iam_ListVirtualMFADevices_in *in,
                              iam_ListVirtualMFADevices_out *out)
{
	page_of page;
	bool assigned = str_eq(in->AssignmentStatus, iam_assignmentStatusType_Assigned);
	bool unassigned = str_eq(in->AssignmentStatus, iam_assignmentStatusType_Unassigned);
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_mfa_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->VirtualMFADevices.v = arena_array(rq->mem, iam_VirtualMFADevice, page.most + 1);
	for (iam_mfa *m; (m = iam_mfa_next(&s));) {
		if ((assigned && !str_is(m->User)) || (unassigned && str_is(m->User)))
			continue;
		if (!page_take(&page, m->Serial))
			break;
		iam_VirtualMFADevice *d = &out->VirtualMFADevices.v[out->VirtualMFADevices.n++];
		iam_user *user = str_is(m->User) ? iam_user_get(tx, rq->mem, m->Account, m->User) : NULL;
		*d = (iam_VirtualMFADevice){ .SerialNumber = m->Serial };
		if (user) {
			d->EnableDate = TIME(m->Enabled / 1000 * 1000);
			d->User = user->It;
		}
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_TagMFADevice(req *rq, txn *tx, const iam_TagMFADevice_in *in, iam_TagMFADevice_out *out)
{
	iam_mfa *row;
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	TRY(iam_tags_merge(rq, &row->Tags, &in->Tags));
	iam_mfa_put(tx, row);
	return OK;
}

err iam_UntagMFADevice(req *rq, txn *tx, const iam_UntagMFADevice_in *in, iam_UntagMFADevice_out *out)
{
	iam_mfa *row;
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	iam_tags_remove(&row->Tags, &in->TagKeys);
	iam_mfa_put(tx, row);
	return OK;
}

err iam_ListMFADeviceTags(req *rq, const txn *tx, const iam_ListMFADeviceTags_in *in,
                          iam_ListMFADeviceTags_out *out)
{
	iam_mfa *row;
	TRY(find_device(rq, tx, in->SerialNumber, &row));
	return iam_tags_page(rq, &row->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}
