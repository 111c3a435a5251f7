#include "rds.h"
#include "sys/clock.h"

/* CopyDBSnapshot, CopyDBClusterSnapshot, and who else may restore a snapshot. */

copy_name db_copy_named(req *rq, str given, const char *kind)
{
	copy_name n = { rq->who.account, rq->region, given };
	str rest = given;
	if (str_starts(given, S("arn:"))) {
		/* arn:aws:rds:REGION:ACCOUNT:KIND:ID */
		for (int k = 0; k < 3; k++)
			str_cut(&rest, ':');
		n.region = str_cut(&rest, ':');
		n.account = str_cut(&rest, ':');
		n.id = str_eq(str_cut(&rest, ':'), str_c(kind)) ? rest : S("");
	}
	n.id = db_lowered(rq, n.id);
	return n;
}

bool db_copy_mine(req *rq, str account, const rds_AttributeValueList *shared)
{
	bool mine = str_eq(account, rq->who.account);
	for (size_t k = 0; k < shared->n; k++)
		mine = mine || str_eq(shared->v[k], rq->who.account) || str_eq(shared->v[k], S("all"));
	return mine;
}

str db_copy_place(arena *mem, str account, str region, str id)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(account), STR_ARG(region), STR_ARG(id));
}

static rds_TagList tags_of(const rds_TagList *given, bool copy, const rds_TagList *from)
{
	return given->n || !copy ? *given : *from;
}

/* An ARN of something else is no name. */
static err source_named(req *rq, str given, const char *kind, const char *parameter)
{
	bool other = str_starts(given, S("arn:")) && str_find(given, str_c(kind)) == SIZE_MAX;
	return other ? db_check_identifier(rq, S(":"), parameter) : OK;
}

err rds_CopyDBSnapshot(req *rq, txn *tx, const rds_CopyDBSnapshot_in *in, rds_CopyDBSnapshot_out *out)
{
	rds_snapshot *from;
	TRY(source_named(rq, in->SourceDBSnapshotIdentifier, ":snapshot:", "SourceDBSnapshotIdentifier"));
	TRY(db_snapshot_find(rq, tx, in->SourceDBSnapshotIdentifier, &from));
	TRY(db_check_identifier(rq, in->TargetDBSnapshotIdentifier, "TargetDBSnapshotIdentifier"));
	str id = db_lowered(rq, in->TargetDBSnapshotIdentifier);
	if (rds_snapshot_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBSnapshotAlreadyExistsFault,
		            "Cannot create the snapshot because a snapshot with the identifier %.*s already exists.",
		            STR_ARG(id));
	if (!str_eq(from->It->Status, S("available")))
		return fail(rq, &rds_InvalidDBSnapshotStateFault,
		            "The source snapshot %.*s is not in the available state.", STR_ARG(from->Id));
	rds_snapshot s = *from;
	rds_DBSnapshot *it = arena_new(rq->mem, rds_DBSnapshot);
	*it = *from->It;
	it->DBSnapshotIdentifier = id;
	it->DBSnapshotArn = db_snapshot_arn(rq, id);
	it->SourceDBSnapshotIdentifier = from->It->DBSnapshotArn;
	it->SourceRegion = str_eq(from->Region, rq->region) ? STR_NONE : from->Region;
	it->SnapshotType = S("manual");
	it->Status = S("creating");
	it->PercentProgress = I64(0);
	it->SnapshotCreateTime = TIME(rq->now);
	it->TagList = tags_of(&in->Tags, in->CopyTags.set && in->CopyTags.v, &from->It->TagList);
	if (str_is(in->KmsKeyId)) {
		it->KmsKeyId = in->KmsKeyId;
		it->Encrypted = BOOL(true);
	}
	s.Account = rq->who.account;
	s.Region = rq->region;
	s.Id = id;
	s.It = it;
	s.Shared.n = 0;
	s.Folder = db_resource_id(rq->mem, "snapshot-");
	s.Ended = 0;
	rds_snapshot_put(tx, &s);
	db_copy_begin(
		tx, &(copy_facts){ .account = s.Account, .region = s.Region, .id = id, .folder = from->Folder });
	out->DBSnapshot = it;
	return OK;
}

err rds_CopyDBClusterSnapshot(req *rq, txn *tx, const rds_CopyDBClusterSnapshot_in *in,
                              rds_CopyDBClusterSnapshot_out *out)
{
	rds_cluster_snapshot *from;
	TRY(source_named(rq, in->SourceDBClusterSnapshotIdentifier, ":cluster-snapshot:",
	                 "SourceDBClusterSnapshotIdentifier"));
	TRY(db_cluster_snapshot_find(rq, tx, in->SourceDBClusterSnapshotIdentifier, &from));
	TRY(db_check_identifier(rq, in->TargetDBClusterSnapshotIdentifier, "TargetDBClusterSnapshotIdentifier"));
	str id = db_lowered(rq, in->TargetDBClusterSnapshotIdentifier);
	if (rds_cluster_snapshot_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBClusterSnapshotAlreadyExistsFault,
		            "Cannot create the cluster snapshot because a cluster snapshot with the identifier %.*s "
		            "already exists.",
		            STR_ARG(id));
	if (!str_eq(from->It->Status, S("available")))
		return fail(rq, &rds_InvalidDBClusterSnapshotStateFault,
		            "The source snapshot %.*s is not in the available state.", STR_ARG(from->Id));
	rds_cluster_snapshot s = *from;
	rds_DBClusterSnapshot *it = arena_new(rq->mem, rds_DBClusterSnapshot);
	*it = *from->It;
	it->DBClusterSnapshotIdentifier = id;
	it->DBClusterSnapshotArn = req_arn(rq, "rds", "cluster-snapshot:%.*s", STR_ARG(id));
	it->SourceDBClusterSnapshotArn = from->It->DBClusterSnapshotArn;
	it->SnapshotType = S("manual");
	it->Status = S("creating");
	it->PercentProgress = I64(0);
	it->SnapshotCreateTime = TIME(rq->now);
	it->TagList = tags_of(&in->Tags, in->CopyTags.set && in->CopyTags.v, &from->It->TagList);
	s.Account = rq->who.account;
	s.Region = rq->region;
	s.Id = id;
	s.It = it;
	s.Shared.n = 0;
	s.Folder = db_resource_id(rq->mem, "snapshot-");
	s.Ended = 0;
	rds_cluster_snapshot_put(tx, &s);
	db_copy_begin(
		tx,
		&(copy_facts){
			.cluster = true, .account = s.Account, .region = s.Region, .id = id, .folder = from->Folder });
	out->DBClusterSnapshot = it;
	return OK;
}

static err share(req *rq, str attribute, str type, const rds_AttributeValueList *add,
                 const rds_AttributeValueList *remove, rds_AttributeValueList *now)
{
	if (!str_eq(attribute, S("restore")))
		return fail(rq, &rds_InvalidParameterValue, "Unsupported snapshot attribute name: %.*s",
		            STR_ARG(attribute));
	if (!str_eq(type, S("manual")))
		return fail(rq, &rds_InvalidParameterValue, "Only manual snapshots can be shared.");
	if (now->n + add->n > SHARED_ACCOUNTS_MAX)
		return fail(rq, &rds_SharedSnapshotQuotaExceededFault,
		            "A snapshot can be shared with at most %d accounts.", SHARED_ACCOUNTS_MAX);
	str *all = arena_array(rq->mem, str, now->n + add->n + 1);
	size_t n = 0;
	for (size_t k = 0; k < now->n + add->n; k++) {
		str v = k < now->n ? now->v[k] : add->v[k - now->n];
		bool out = false;
		for (size_t j = 0; j < n; j++)
			out = out || str_eq(all[j], v);
		for (size_t j = 0; j < remove->n; j++)
			out = out || str_eq(remove->v[j], v);
		if (!out)
			all[n++] = v;
	}
	*now = (rds_AttributeValueList){ all, n };
	return OK;
}

static rds_DBSnapshotAttributesResult *shared_with(req *rq, const rds_snapshot *s)
{
	rds_DBSnapshotAttributesResult *r = arena_new(rq->mem, rds_DBSnapshotAttributesResult);
	rds_DBSnapshotAttribute *a = arena_new(rq->mem, rds_DBSnapshotAttribute);
	*a = (rds_DBSnapshotAttribute){ S("restore"), s->Shared };
	*r = (rds_DBSnapshotAttributesResult){ s->Id, { a, 1 } };
	return r;
}

err rds_ModifyDBSnapshotAttribute(req *rq, txn *tx, const rds_ModifyDBSnapshotAttribute_in *in,
                                  rds_ModifyDBSnapshotAttribute_out *out)
{
	rds_snapshot *s;
	TRY(db_snapshot_find(rq, tx, in->DBSnapshotIdentifier, &s));
	TRY(share(rq, in->AttributeName, s->It->SnapshotType, &in->ValuesToAdd, &in->ValuesToRemove, &s->Shared));
	rds_snapshot_put(tx, s);
	out->DBSnapshotAttributesResult = shared_with(rq, s);
	return OK;
}

err rds_DescribeDBSnapshotAttributes(req *rq, const txn *tx, const rds_DescribeDBSnapshotAttributes_in *in,
                                     rds_DescribeDBSnapshotAttributes_out *out)
{
	rds_snapshot *s;
	TRY(db_snapshot_find(rq, tx, in->DBSnapshotIdentifier, &s));
	out->DBSnapshotAttributesResult = shared_with(rq, s);
	return OK;
}

static rds_DBClusterSnapshotAttributesResult *cluster_shared_with(req *rq, const rds_cluster_snapshot *s)
{
	rds_DBClusterSnapshotAttributesResult *r = arena_new(rq->mem, rds_DBClusterSnapshotAttributesResult);
	rds_DBClusterSnapshotAttribute *a = arena_new(rq->mem, rds_DBClusterSnapshotAttribute);
	*a = (rds_DBClusterSnapshotAttribute){ S("restore"), s->Shared };
	*r = (rds_DBClusterSnapshotAttributesResult){ s->Id, { a, 1 } };
	return r;
}

err rds_ModifyDBClusterSnapshotAttribute(req *rq, txn *tx, const rds_ModifyDBClusterSnapshotAttribute_in *in,
                                         rds_ModifyDBClusterSnapshotAttribute_out *out)
{
	rds_cluster_snapshot *s;
	TRY(db_cluster_snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &s));
	TRY(share(rq, in->AttributeName, s->It->SnapshotType, &in->ValuesToAdd, &in->ValuesToRemove, &s->Shared));
	rds_cluster_snapshot_put(tx, s);
	out->DBClusterSnapshotAttributesResult = cluster_shared_with(rq, s);
	return OK;
}

err rds_DescribeDBClusterSnapshotAttributes(req *rq, const txn *tx,
                                            const rds_DescribeDBClusterSnapshotAttributes_in *in,
                                            rds_DescribeDBClusterSnapshotAttributes_out *out)
{
	rds_cluster_snapshot *s;
	TRY(db_cluster_snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &s));
	out->DBClusterSnapshotAttributesResult = cluster_shared_with(rq, s);
	return OK;
}
