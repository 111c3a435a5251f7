/*
 * Replicas: the secret under the same name and suffix in other Regions, with a key of that Region. They
 * follow the primary in the transaction of each change and refuse changes of their own, until they are let
 * go.
 */
#include "base/buf.h"
#include "secret.h"

static req in_region(const req *rq, str region)
{
	req there = *rq;
	there.region = region;
	return there;
}

static bool same_stages(const secretsmanager_version *a, const secretsmanager_version *b)
{
	bool same = a->Stages.n == b->Stages.n;
	for (size_t i = 0; same && i < a->Stages.n; i++)
		same = str_eq(a->Stages.v[i], b->Stages.v[i]);
	return same;
}

/* Copies what the replica has not. All of it or nothing: what cannot be sealed there leaves it as it was. */
static err copy_versions(req *rq, txn *tx, const secretsmanager_secret *s, const secretsmanager_secret *r)
{
	req there = in_region(rq, r->Region);
	err e = OK;
	size_t n = 0;
	str *made = arena_array(rq->mem, str, SECRETS_VERSIONS_MAX + 1), value;
	record_scan scan = secretsmanager_version_scan(tx, rq->mem, 3, s->Account, s->Region, s->Name, STR_NONE);
	for (secretsmanager_version *v;
	     !e && n < SECRETS_VERSIONS_MAX && (v = secretsmanager_version_next(&scan));) {
		if (!v->Sealed.n ||
		    secretsmanager_version_get(tx, rq->mem, r->Account, r->Region, r->Name, v->VersionId))
			continue;
		e = version_open(rq, tx, s, v, &value);
		if (!e) {
			there.usage = rq->usage;
			e = version_copy(&there, tx, r, v, value);
			rq->usage = there.usage;
		}
		if (!e)
			made[n++] = v->VersionId;
	}
	cursor_close(&scan.at);
	for (size_t i = 0; e && i < n; i++)
		secretsmanager_version_delete(tx, r->Account, r->Region, r->Name, made[i]);
	return e;
}

static err follow_versions(req *rq, txn *tx, const secretsmanager_secret *s, const secretsmanager_secret *r)
{
	TRY(copy_versions(rq, tx, s, r));
	record_scan scan = secretsmanager_version_scan(tx, rq->mem, 3, r->Account, r->Region, r->Name, STR_NONE);
	for (secretsmanager_version *copy; (copy = secretsmanager_version_next(&scan));) {
		secretsmanager_version *v =
			secretsmanager_version_get(tx, rq->mem, s->Account, s->Region, s->Name, copy->VersionId);
		if (!v) {
			secretsmanager_version_delete(tx, r->Account, r->Region, r->Name, copy->VersionId);
		} else if (!same_stages(copy, v)) {
			copy->Stages = v->Stages;
			secretsmanager_version_put(tx, copy);
		}
	}
	return OK;
}

static err follow(req *rq, txn *tx, const secretsmanager_secret *s,
                  const secretsmanager_ReplicationStatusType *to)
{
	secretsmanager_secret *r = secretsmanager_secret_get(tx, rq->mem, s->Account, to->Region, s->Name);
	bool fresh = !r;
	if (fresh) {
		r = arena_new(rq->mem, secretsmanager_secret);
		*r = (secretsmanager_secret){ .Account = s->Account, .Region = to->Region, .Name = s->Name,
			                      .Suffix = s->Suffix, .Created = rq->now, .Primary = s->Region };
	}
	r->Description = s->Description;
	r->Tags = s->Tags;
	r->Type = s->Type;
	r->Changed = s->Changed;
	r->Rotated = s->Rotated;
	bool own = str_is(to->KmsKeyId) && !str_eq(to->KmsKeyId, S("alias/aws/secretsmanager"));
	r->KmsKeyId = own ? to->KmsKeyId : STR_NONE;
	TRY(follow_versions(rq, tx, s, r));
	if (fresh)
		resident_set(tx, r->Account, r->Region, rq->now, &SECRETS_SECRET, secret_arn(rq, r), QTY(1));
	secretsmanager_secret_put(tx, r);
	return OK;
}

static bool in_sync(const secretsmanager_ReplicationStatusType *r)
{
	return str_eq(r->Status, secretsmanager_StatusType_InSync);
}

/* What is wrong with a replica (its key is disabled, or gone) is its own affair: the primary changes all
 * the same,
 * and the replica stays as it was, marked, until it is replicated to anew. */
static err follow_or_mark(req *rq, txn *tx, secretsmanager_secret *s,
secretsmanager_ReplicationStatusType *to)
{
	err e = follow(rq, tx, s, to);
	if (!e || e->kind->server)
		return e;
	to->Status = secretsmanager_StatusType_Failed;
	to->StatusMessage = arena_fmt(rq->mem, "Replication failed: %.*s", STR_ARG(e->message));
	return OK;
}

err replicas_follow(req *rq, txn *tx, secretsmanager_secret *s)
{
	bool changed = false;
	for (size_t i = 0; i < s->Replicas.n; i++) {
		if (!in_sync(&s->Replicas.v[i]))
			continue;
		TRY(follow_or_mark(rq, tx, s, &s->Replicas.v[i]));
		changed = changed || !in_sync(&s->Replicas.v[i]);
	}
	if (changed)
		secretsmanager_secret_put(tx, s);
	return OK;
}

static size_t replica_at(const secretsmanager_secret *s, str region)
{
	size_t i = 0;
	while (i < s->Replicas.n && !str_eq(s->Replicas.v[i].Region, region))
		i++;
	return i;
}

static bool is_replica_of(const secretsmanager_secret *there, const secretsmanager_secret *s)
{
	return is_replica(there) && str_eq(there->Primary, s->Region);
}

static err add_one(req *rq, txn *tx, secretsmanager_secret *s, const secretsmanager_ReplicaRegionType *to,
                   bool force)
{
	secretsmanager_ReplicationStatusType r = {
		.Region = to->Region, .Status = secretsmanager_StatusType_InSync,
		.KmsKeyId = str_is(to->KmsKeyId) ? to->KmsKeyId : S("alias/aws/secretsmanager"),
		.StatusMessage = S("Replication succeeded"),
	};
	size_t at = replica_at(s, to->Region);
	secretsmanager_secret *there = secretsmanager_secret_get(tx, rq->mem, s->Account, to->Region, s->Name);
	bool other = there && !is_replica_of(there, s);
	if (other && force && !there->Replicas.n) {
		secret_remove(tx, there, rq->now);
	} else if (other) {
		r.Status = secretsmanager_StatusType_Failed;
		r.StatusMessage = arena_fmt(rq->mem, "Replication failed: Secret name %.*s already exists in region "
		                            "%.*s.", STR_ARG(s->Name), STR_ARG(to->Region));
	}
	/* What a replica cannot replace is not removed for it: then all of the request is refused. */
	if (in_sync(&r))
		TRY(other ? follow(rq, tx, s, &r) : follow_or_mark(rq, tx, s, &r));
	s->Replicas.v[at] = r;
	s->Replicas.n += at == s->Replicas.n;
	return OK;
}

err replicas_add(req *rq, txn *tx, secretsmanager_secret *s,
                 const secretsmanager_AddReplicaRegionListType *regions, bool force)
{
	secretsmanager_ReplicationStatusListType all = {
		arena_array(rq->mem, secretsmanager_ReplicationStatusType, s->Replicas.n + regions->n), s->Replicas.n
	};
	for (size_t i = 0; i < s->Replicas.n; i++)
		all.v[i] = s->Replicas.v[i];
	s->Replicas = all;
	for (size_t i = 0; i < regions->n; i++)
		if (str_eq(regions->v[i].Region, s->Region))
			return fail(rq, &secretsmanager_InvalidParameterException, "Invalid replica region.");
	for (size_t i = 0; i < regions->n; i++)
		TRY(add_one(rq, tx, s, &regions->v[i], force));
	s->Primary = s->Region;
	secretsmanager_secret_put(tx, s);
	return OK;
}

err replicas_allow_deletion(req *rq, const secretsmanager_secret *s, str given)
{
	buf regions = buf_in(rq->mem, 128, 4096);
	if (is_replica(s))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            REPLICA_REFUSES);
	for (size_t i = 0; i < s->Replicas.n; i++) {
		if (regions.n)
			buf_c(&regions, ',');
		buf_put(&regions, s->Replicas.v[i].Region);
	}
	if (!s->Replicas.n)
		return OK;
	return fail(rq, &secretsmanager_InvalidParameterException,
	            "You can't delete secret %.*s that still has replica regions [%.*s]", STR_ARG(given),
	            STR_ARG(buf_str(&regions)));
}

err secretsmanager_ReplicateSecretToRegions(req *rq, txn *tx,
                                            const secretsmanager_ReplicateSecretToRegions_in *in,
                                            secretsmanager_ReplicateSecretToRegions_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	TRY(replicas_add(rq, tx, s, &in->AddReplicaRegions, in->ForceOverwriteReplicaSecret.v));
	out->ARN = secret_arn(rq, s);
	out->ReplicationStatus = s->Replicas;
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}

static void forget(secretsmanager_secret *s, size_t at)
{
	memmove(&s->Replicas.v[at], &s->Replicas.v[at + 1], (s->Replicas.n - at - 1) * sizeof *s->Replicas.v);
	if (--s->Replicas.n == 0)
		s->Primary = STR_NONE;
}

err secretsmanager_RemoveRegionsFromReplication(req *rq, txn *tx,
                                                const secretsmanager_RemoveRegionsFromReplication_in *in,
                                                secretsmanager_RemoveRegionsFromReplication_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	for (size_t i = 0; i < in->RemoveReplicaRegions.n; i++) {
		str region = in->RemoveReplicaRegions.v[i];
		size_t at = replica_at(s, region);
		if (at == s->Replicas.n)
			continue;
		secretsmanager_secret *r = secretsmanager_secret_get(tx, rq->mem, s->Account, region, s->Name);
		/* Marked as failed it may still be there; or another secret of that name is. */
		if (r && is_replica_of(r, s))
			secret_remove(tx, r, rq->now);
		forget(s, at);
	}
	secretsmanager_secret_put(tx, s);
	out->ARN = secret_arn(rq, s);
	out->ReplicationStatus = s->Replicas;
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}

err secretsmanager_StopReplicationToReplica(req *rq, txn *tx,
                                            const secretsmanager_StopReplicationToReplica_in *in,
                                            secretsmanager_StopReplicationToReplica_out *out)
{
	secretsmanager_secret *r;
	TRY(secret_live(rq, tx, in->SecretId, &r));
	if (!is_replica(r))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "Operation not permitted on a secret that is no replica. Call must be made in the "
		            "replica secret's region.");
	secretsmanager_secret *s = secretsmanager_secret_get(tx, rq->mem, r->Account, r->Primary, r->Name);
	size_t at = s ? replica_at(s, r->Region) : 0;
	if (s && at < s->Replicas.n) {
		forget(s, at);
		secretsmanager_secret_put(tx, s);
	}
	r->Primary = STR_NONE;
	secretsmanager_secret_put(tx, r);
	out->ARN = secret_arn(rq, r);
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}
