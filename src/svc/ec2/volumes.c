/*
 * EBS volumes. They are billed for the size that was asked for, whatever is on them.
 */
#include "base/time.h"
#include "cloud/charges_zone.h"
#include "ec2.h"
#include "store/due.h"

typedef struct volume_rules {
	const char *type;
	int64_t least, most;                /* GiB */
	int64_t iops_least, iops_most, iops_per_gib; /* 0: not provisioned */
} volume_rules;

static const volume_rules rules[] = {
	{ "gp2", 1, 16384, 0, 0, 0 },      { "gp3", 1, 65536, 3000, 80000, 500 },
	{ "io1", 4, 16384, 100, 64000, 50 }, { "io2", 4, 65536, 100, 256000, 1000 },
	{ "st1", 125, 16384, 0, 0, 0 },    { "sc1", 125, 16384, 0, 0, 0 }, { "standard", 1, 1024, 0, 0, 0 } };

str ec2_arn(arena *mem, place p, const char *type, str id)
{
	return arena_fmt(mem, "arn:aws:ec2:%.*s:%.*s:%s/%.*s", STR_ARG(p.region), STR_ARG(p.account), type,
	                 STR_ARG(id));
}

static const volume_rules *rules_for(str type)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (str_eq(type, str_c(rules[i].type)))
			return &rules[i];
	return NULL;
}

static void accrue(txn *tx, place p, int64_t now, const ec2_Volume *v, const char *suffix, int64_t rate)
{
	arena *mem = txn_arena(tx);
	const meter_kind *kind =
		meter_for("AmazonEC2", arena_fmt(mem, "ebs.%.*s%s", STR_ARG(v->VolumeType), suffix));
	str arn = ec2_arn(mem, p, "volume", v->VolumeId);
	charges_zone_put(tx, p.account, arn, v->AvailabilityZone);
	if (rate)
		resident_set(tx, p.account, p.region, now, kind, arn, QTY(rate));
	else
		resident_end(tx, p.account, p.region, now, kind, arn, EC2_MINIMUM_MS);
}

/* Above what a gp3 volume has anyway, and all that io1 and io2 are given. */
static void meter_volume(txn *tx, place p, int64_t now, const ec2_Volume *v, bool exists)
{
	bool gp3 = str_eq(v->VolumeType, S("gp3")), io = str_starts(v->VolumeType, S("io"));
	accrue(tx, p, now, v, "", exists ? v->Size.v : 0);
	if (gp3 && v->Iops.v > 3000)
		accrue(tx, p, now, v, ".iops", exists ? v->Iops.v - 3000 : 0);
	if (gp3 && v->Throughput.v > 125)
		accrue(tx, p, now, v, ".mbps", exists ? v->Throughput.v - 125 : 0);
	if (io)
		accrue(tx, p, now, v, ".iops", exists ? v->Iops.v : 0);
}

static err check(req *rq, const volume_wish *w, const volume_rules *r)
{
	if (!r)
		return fail(rq, &ec2_InvalidParameterValue, "Volume type '%.*s' is not supported", STR_ARG(w->type));
	if (w->size < r->least || w->size > r->most)
		return fail(rq, &ec2_InvalidParameterValue,
		            "Volume of %lldGiB is %s than the %s allowed for volume type '%s': %lldGiB",
		            (long long)w->size, w->size < r->least ? "smaller" : "larger",
		            w->size < r->least ? "minimum" : "maximum", r->type,
		            (long long)(w->size < r->least ? r->least : r->most));
	if (w->iops && !r->iops_most)
		return fail(rq, &ec2_InvalidParameterCombination,
		            "The parameter iops is not supported for %s volumes.", r->type);
	if (w->iops && (w->iops < r->iops_least || w->iops > r->iops_most))
		return fail(rq, &ec2_InvalidParameterValue, "Volume iops of %lld is too %s; %s is %lld.",
		            (long long)w->iops, w->iops < r->iops_least ? "low" : "high",
		            w->iops < r->iops_least ? "minimum" : "maximum",
		            (long long)(w->iops < r->iops_least ? r->iops_least : r->iops_most));
	if (w->iops > 3000 && w->iops > w->size * r->iops_per_gib)
		return fail(rq, &ec2_InvalidParameterValue,
		            "Iops to volume size ratio of %.1f is too high; maximum is %lld",
		            (double)w->iops / (double)w->size, (long long)r->iops_per_gib);
	if (w->throughput && !str_eq(w->type, S("gp3")))
		return fail(rq, &ec2_InvalidParameterCombination,
		            "The parameter throughput is not supported for %s volumes.", r->type);
	if (w->throughput && (w->throughput < 125 || w->throughput > 2000))
		return fail(rq, &ec2_InvalidParameterValue, "Throughput (MiBps) must be between 125 and 2000.");
	if (!w->iops && str_starts(w->type, S("io")))
		return fail(rq, &aws_MissingParameter, "The parameter iops must be specified for %s volumes.",
		            r->type);
	return OK;
}

static int64_t iops_of(const volume_wish *w)
{
	if (w->iops)
		return w->iops;
	if (str_eq(w->type, S("gp3")))
		return 3000;
	int64_t burst = w->size * 3 < 100 ? 100 : w->size * 3;
	return str_eq(w->type, S("gp2")) ? (burst < 16000 ? burst : 16000) : 0;
}

static void keep(txn *tx, place p, int64_t now, const ec2_Volume *v)
{
	kind_put(tx, &kind_volume, p.account, p.region, v->VolumeId, v);
	meter_volume(tx, p, now, v, true);
}

err ec2_volume_new(req *rq, txn *tx, const volume_wish *w, ec2_Volume **out)
{
	TRY(check(rq, w, rules_for(w->type)));
	ec2_Volume *v = arena_new(rq->mem, ec2_Volume);
	*v = (ec2_Volume){ .VolumeId = ec2_id(rq->mem, "vol-"), .Size = I64(w->size), .VolumeType = w->type,
		.AvailabilityZone = w->zone, .State = S("available"), .CreateTime = TIME(rq->now),
		.Encrypted = BOOL(w->encrypted), .MultiAttachEnabled = BOOL(false), .SnapshotId = S("") };
	if (iops_of(w))
		v->Iops = I64(iops_of(w));
	if (str_eq(w->type, S("gp3")))
		v->Throughput = I64(w->throughput ? w->throughput : 125);
	keep(tx, place_of(rq), rq->now, v);
	*out = v;
	return OK;
}

void ec2_volume_attach(req *rq, txn *tx, ec2_Volume *v, ec2_Instance *i, const volume_wish *w)
{
	ec2_VolumeAttachment *a = arena_new(rq->mem, ec2_VolumeAttachment);
	*a = (ec2_VolumeAttachment){ .VolumeId = v->VolumeId,
		                         .InstanceId = i->InstanceId,
		                         .Device = w->device,
		                         .State = S("attached"),
		                         .AttachTime = TIME(rq->now),
		                         .DeleteOnTermination = BOOL(w->goes_with_instance) };
	v->Attachments = (ec2_VolumeAttachmentList){ a, 1 };
	v->State = S("in-use");
	keep(tx, place_of(rq), rq->now, v);
	ec2_InstanceBlockDeviceMappingList *m = &i->BlockDeviceMappings;
	ec2_InstanceBlockDeviceMapping *wider = arena_array(rq->mem, ec2_InstanceBlockDeviceMapping, m->n + 1);
	if (m->n)
		memcpy(wider, m->v, m->n * sizeof *wider);
	wider[m->n].DeviceName = w->device;
	wider[m->n].Ebs = arena_new(rq->mem, ec2_EbsInstanceBlockDevice);
	*wider[m->n].Ebs = (ec2_EbsInstanceBlockDevice){ .AttachTime = TIME(rq->now), .VolumeId = v->VolumeId,
		.DeleteOnTermination = BOOL(w->goes_with_instance), .Status = S("attached") };
	m->v = wider;
	m->n++;
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
}

static void forget(txn *tx, arena *mem, place p, int64_t now, const ec2_Volume *v)
{
	meter_volume(tx, p, now, v, false);
	ec2_volumechange_delete(tx, p.account, p.region, v->VolumeId);
	kind_delete(tx, mem, &kind_volume, p.account, p.region, v->VolumeId);
}

void ec2_volumes_release(txn *tx, arena *mem, place p, int64_t now, const ec2_Instance *i)
{
	for (size_t n = 0; n < i->BlockDeviceMappings.n; n++) {
		const ec2_EbsInstanceBlockDevice *e = i->BlockDeviceMappings.v[n].Ebs;
		ec2_Volume *v = e ? kind_find(tx, mem, &kind_volume, p.account, p.region, e->VolumeId) : NULL;
		if (v && e->DeleteOnTermination.v) {
			forget(tx, mem, p, now, v);
		} else if (v) {
			v->Attachments.n = 0;
			v->State = S("available");
			keep(tx, p, now, v);
		}
	}
}

err ec2_CreateVolume(req *rq, txn *tx, const ec2_CreateVolume_in *in, ec2_CreateVolume_out *out)
{
	ec2_Volume *v;
	str before;
	volume_wish w = { .zone = in->AvailabilityZone,
		              .type = given(in->VolumeType) ? in->VolumeType : S("gp2"),
		              .size = in->Size.v,
		              .iops = in->Iops.v,
		              .throughput = in->Throughput.v,
		              .encrypted = in->Encrypted.v };
	TRY(ec2_dry_run(rq, in->DryRun));
	if (given(in->SnapshotId))
		return fail(rq, &aws_NotImplemented, "Volumes from snapshots are not implemented.");
	if (!given(w.zone))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter zone");
	if (!ec2_zone_exists(rq->region, w.zone))
		return fail(rq, &ec2_InvalidZone, "The zone '%.*s' does not exist.", STR_ARG(w.zone));
	if (!in->Size.set)
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter size/snapshot");
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	if (!given(before)) {
		TRY(ec2_volume_new(rq, tx, &w, &v));
		before = v->VolumeId;
		ec2_repeats(rq, tx, in->ClientToken, before);
		TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "volume", before));
	}
	TRY(kind_get(rq, tx, &kind_volume, before, &v));
	*out = *v;
	return OK;
}

err ec2_DescribeVolumes(req *rq, const txn *tx, const ec2_DescribeVolumes_in *in,
                        ec2_DescribeVolumes_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_volume, DESCRIBE(in, &in->VolumeIds), &out->Volumes, &out->NextToken);
}

err ec2_DeleteVolume(req *rq, txn *tx, const ec2_DeleteVolume_in *in, ec2_DeleteVolume_out *out)
{
	ec2_Volume *v;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_volume, in->VolumeId, &v));
	if (v->Attachments.n)
		return fail(rq, &ec2_VolumeInUse, "Volume %.*s is currently attached to %.*s", STR_ARG(v->VolumeId),
		            STR_ARG(v->Attachments.v->InstanceId));
	forget(tx, rq->mem, place_of(rq), rq->now, v);
	return OK;
}

err ec2_AttachVolume(req *rq, txn *tx, const ec2_AttachVolume_in *in, ec2_AttachVolume_out *out)
{
	ec2_Volume *v;
	ec2_Instance *i;
	volume_wish w = { .device = in->Device };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_volume, in->VolumeId, &v));
	TRY(kind_get(rq, tx, &kind_instance, in->InstanceId, &i));
	if (v->Attachments.n)
		return fail(rq, &ec2_VolumeInUse, "%.*s is already attached to an instance", STR_ARG(v->VolumeId));
	if (!str_eq(v->AvailabilityZone, i->Placement->AvailabilityZone))
		return fail(rq, &ec2_InvalidParameterValue,
		            "The volume '%.*s' is not in the same availability zone as "
		            "instance '%.*s'",
		            STR_ARG(v->VolumeId), STR_ARG(i->InstanceId));
	if (i->State->Code.v != INSTANCE_RUNNING && i->State->Code.v != INSTANCE_STOPPED)
		return fail(rq, &ec2_IncorrectState, "Instance '%.*s' is not 'running' or 'stopped'.",
		            STR_ARG(i->InstanceId));
	for (size_t n = 0; n < i->BlockDeviceMappings.n; n++)
		if (str_eq(i->BlockDeviceMappings.v[n].DeviceName, in->Device))
			return fail(rq, &ec2_InvalidParameterValue,
			            "Invalid value '%.*s' for unixDevice. Attachment point "
			            "%.*s is already in use",
			            STR_ARG(in->Device), STR_ARG(in->Device));
	ec2_volume_attach(rq, tx, v, i, &w);
	*out = *v->Attachments.v;
	return OK;
}

err ec2_DetachVolume(req *rq, txn *tx, const ec2_DetachVolume_in *in, ec2_DetachVolume_out *out)
{
	ec2_Volume *v;
	ec2_Instance *i;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_volume, in->VolumeId, &v));
	if (!v->Attachments.n
	    || (given(in->InstanceId) && !str_eq(in->InstanceId, v->Attachments.v->InstanceId)))
		return fail(rq, &ec2_IncorrectState, "Volume '%.*s' is in the 'available' state.",
		            STR_ARG(v->VolumeId));
	*out = *v->Attachments.v;
	out->State = S("detaching");
	TRY(kind_get(rq, tx, &kind_instance, out->InstanceId, &i));
	ec2_InstanceBlockDeviceMappingList *m = &i->BlockDeviceMappings;
	for (size_t n = 0; n < m->n; n++)
		if (m->v[n].Ebs && str_eq(m->v[n].Ebs->VolumeId, v->VolumeId))
			m->v[n] = m->v[--m->n];
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
	v->Attachments.n = 0;
	v->State = S("available");
	keep(tx, place_of(rq), rq->now, v);
	return OK;
}

#define CHANGE_MS 1000
#define BETWEEN_CHANGES_MS (6 * MS_HOUR)

/* modifying: completed. The new size and kind are there at once. */
TIMER(ec2_volume_change)
{
	str rest = payload;
	place p = { .account = str_cut(&rest, ' ') };
	p.region = str_cut(&rest, ' ');
	ec2_VolumeModification *m = kind_find(tx, txn_arena(tx), &kind_volume_change, p.account, p.region, rest);
	if (!m)
		return;
	m->ModificationState = S("completed");
	m->Progress = I64(100);
	m->EndTime = TIME(due);
	kind_put(tx, &kind_volume_change, p.account, p.region, rest, m);
}

static err changed(req *rq, const ec2_ModifyVolume_in *in, const ec2_Volume *v, ec2_Volume *to)
{
	*to = *v;
	volume_wish w = { .type = given(in->VolumeType) ? in->VolumeType : v->VolumeType,
		.size = in->Size.set ? in->Size.v : v->Size.v, .iops = in->Iops.v, .throughput = in->Throughput.v };
	bool same = str_eq(w.type, v->VolumeType);
	if (same && !in->Iops.set && (str_starts(w.type, S("io")) || str_eq(w.type, S("gp3"))))
		w.iops = v->Iops.v;
	if (same && !in->Throughput.set)
		w.throughput = v->Throughput.v;
	if (w.size < v->Size.v)
		return fail(rq, &ec2_InvalidParameterValue, "New size cannot be smaller than existing size");
	TRY(check(rq, &w, rules_for(w.type)));
	to->Size = I64(w.size);
	to->VolumeType = w.type;
	to->Iops = iops_of(&w) ? I64(iops_of(&w)) : (opt_i64){ 0 };
	to->Throughput = str_eq(w.type, S("gp3")) ? I64(w.throughput ? w.throughput : 125) : (opt_i64){ 0 };
	return OK;
}

err ec2_ModifyVolume(req *rq, txn *tx, const ec2_ModifyVolume_in *in, ec2_ModifyVolume_out *out)
{
	ec2_Volume *v, to;
	place p = place_of(rq);
	TRY(kind_get(rq, tx, &kind_volume, in->VolumeId, &v));
	if (in->MultiAttachEnabled.v)
		return fail(rq, &aws_NotImplemented, "Volumes attached to several instances are not implemented.");
	if (!in->Size.set && !given(in->VolumeType) && !in->Iops.set && !in->Throughput.set)
		return fail(rq, &ec2_InvalidParameterValue, "No modification requested for volume '%.*s'.",
		            STR_ARG(in->VolumeId));
	ec2_VolumeModification *last = kind_find(tx, rq->mem, &kind_volume_change, p.account, p.region,
	                                         in->VolumeId);
	if (last && rq->now - last->StartTime.v < BETWEEN_CHANGES_MS)
		return fail(rq, &ec2_VolumeModificationRateExceeded, "You've reached the maximum modification rate "
		            "per "
		            "volume limit. Wait at least 6 hours between modifications per EBS volume.");
	TRY(changed(rq, in, v, &to));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->VolumeModification = arena_new(rq->mem, ec2_VolumeModification);
	*out->VolumeModification = (ec2_VolumeModification){ .VolumeId = v->VolumeId,
		.ModificationState = S("modifying"), .Progress = I64(0), .StartTime = TIME(rq->now),
		.OriginalSize = v->Size, .OriginalIops = v->Iops, .OriginalVolumeType = v->VolumeType,
		.OriginalThroughput = v->Throughput, .OriginalMultiAttachEnabled = BOOL(false),
		.TargetSize = to.Size, .TargetIops = to.Iops, .TargetVolumeType = to.VolumeType,
		.TargetThroughput = to.Throughput, .TargetMultiAttachEnabled = BOOL(false) };
	kind_put(tx, &kind_volume_change, p.account, p.region, v->VolumeId, out->VolumeModification);
	str what = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(p.account), STR_ARG(p.region),
	                     STR_ARG(v->VolumeId));
	timer_set(tx, "ec2_volume_change", what, rq->now + CHANGE_MS, what);
	meter_volume(tx, p, rq->now, v, false);
	keep(tx, p, rq->now, &to);
	return OK;
}

err ec2_DescribeVolumesModifications(req *rq, const txn *tx, const ec2_DescribeVolumesModifications_in *in,
                                     ec2_DescribeVolumesModifications_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_volume_change, DESCRIBE(in, &in->VolumeIds),
	            &out->VolumesModifications,
	                     &out->NextToken);
}
