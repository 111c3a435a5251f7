#include "replicate.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "data_key.h"
#include "notify.h"
#include "store/due.h"
#include "sys/clock.h"

#define KIND S("replication")
#define TRIES_MAX 20
#define TARGETS_MAX 50

static bool has_tags(const s3_TagSet *have, const s3_Tag *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t k = 0; k < have->n && !found; k++)
			found = str_eq(have->v[k].Key, want[i].Key) && str_eq(have->v[k].Value, want[i].Value);
		if (!found)
			return false;
	}
	return true;
}

static bool fits(const s3_ReplicationRule *r, str key, const object *o)
{
	const s3_ReplicationRuleFilter *f = r->Filter;
	if (!str_eq(r->Status, S("Enabled")) || (r->Prefix.n && !str_starts(key, r->Prefix)))
		return false;
	if (!f)
		return true;
	if (f->Prefix.n && !str_starts(key, f->Prefix))
		return false;
	if (o->Marker.v)
		return !f->Tag && !(f->And && f->And->Tags.n) &&
		       (!f->And || !f->And->Prefix.n || str_starts(key, f->And->Prefix));
	return (!f->Tag || has_tags(&o->Tags, f->Tag, 1)) &&
	       (!f->And || ((!f->And->Prefix.n || str_starts(key, f->And->Prefix)) &&
	                    has_tags(&o->Tags, f->And->Tags.v, f->And->Tags.n)));
}

/* Markers follow when a rule says so; rules of the older form (without a filter) always do. */
static bool wants(const s3_ReplicationRule *r, str key, const object *o)
{
	if (!fits(r, key, o))
		return false;
	if (o->Marker.v)
		return !r->Filter || (r->DeleteMarkerReplication &&
		                      str_eq(r->DeleteMarkerReplication->Status, S("Enabled")));
	bool kms = str_starts(o->Encryption, S("aws:kms"));
	const s3_SourceSelectionCriteria *c = r->SourceSelectionCriteria;
	return !kms || (c && c->SseKmsEncryptedObjects &&
	                str_eq(c->SseKmsEncryptedObjects->Status, S("Enabled")));
}

/* One rule a bucket: that of the highest priority. */
static size_t rules_for(const txn *tx, arena *mem, str bucket, str key, const object *o,
                        const s3_ReplicationRule **out)
{
	s3_ReplicationConfiguration *c = arena_new(mem, s3_ReplicationConfiguration);
	size_t n = 0;
	if (!config_get(tx, mem, bucket, KIND, S(""), &s3_ReplicationConfiguration_shape, c))
		return 0;
	for (size_t i = 0; i < c->Rules.n; i++) {
		const s3_ReplicationRule *r = &c->Rules.v[i];
		size_t at = 0;
		if (!r->Destination || !wants(r, key, o))
			continue;
		while (at < n && !str_eq(out[at]->Destination->Bucket, r->Destination->Bucket))
			at++;
		if (at == n && n < TARGETS_MAX)
			out[n++] = r;
		else if (at < n && r->Priority.v > out[at]->Priority.v)
			out[at] = r;
	}
	return n;
}

void replicate_mark(txn *tx, arena *mem, const s3_bucket *b, str key, object *o)
{
	const s3_ReplicationRule *rules[TARGETS_MAX];
	o->Replication = STR_NONE;
	if (bucket_versions(b) && rules_for(tx, mem, b->Name, key, o, rules))
		o->Replication = S("PENDING");
}

/* bucket NUL version NUL key */
void replicate_later(txn *tx, arena *mem, const s3_bucket *b, str key, const object *o)
{
	if (!o->Replication.n || str_eq(o->Replication, S("REPLICA")))
		return;
	buf p = buf_in(mem, 256, 4096);
	buf_put(&p, b->Name);
	buf_c(&p, 0);
	buf_put(&p, o->VersionId);
	buf_c(&p, 0);
	buf_put(&p, key);
	task_add(tx, "s3_replicate", buf_str(&p), 0);
}

typedef struct replica {
	req *rq;
	str key;
	s3_bucket *from, *to;
	object *o;              /* of the source */
	const s3_ReplicationRule *rule;
	object *made;
	s3_StoredParts layout;  /* of what was uploaded in parts */
	const content **contents;
	str *smalls;
	size_t n;
	bool unwanted;          /* the version came there meanwhile: the bytes are not needed */
	bool there;             /* the version is in the target already: only what is said of it changes */
} replica;

static str bucket_of_arn(str arn)
{
	str prefix = S("arn:aws:s3:::");
	return str_starts(arn, prefix) ? str_sub(arn, prefix.n, arn.n) : STR_NONE;
}

static err copy_one(replica *r, const content *from, const seal_key *open, const seal_key *seal)
{
	content *c = arena_new(r->rq->mem, content);
	content_list l = { .v = &from, .n = 1, .key = open };
	TRY(content_copy(r->rq->store, r->rq->mem, &l, 0, from->Size.v, seal, c, &r->smalls[r->n]));
	/* What a customer sealed stays sealed as it is. */
	if (!open)
		c->Nonce = from->Nonce;
	r->contents[r->n++] = c;
	return OK;
}

static err copy_bytes(replica *r, const content_list *from, const s3_StoredParts *parts, const seal_key *seal)
{
	arena *mem = r->rq->mem;
	r->contents = arena_array(mem, const content *, from->n + 1);
	r->smalls = arena_array(mem, str, from->n + 1);
	r->layout = (s3_StoredParts){ arena_array(mem, s3_StoredPart, parts->n + 1), parts->n };
	for (size_t i = 0; i < from->n; i++)
		TRY(copy_one(r, from->v[i], from->key, seal));
	for (size_t i = 0; i < parts->n; i++) {
		r->layout.v[i] = parts->v[i];
		r->layout.v[i].Content = (content *)(uintptr_t)r->contents[i];
	}
	return OK;
}

static void describe_replica(replica *r)
{
	const s3_Destination *d = r->rule->Destination;
	object *m = r->made = arena_new(r->rq->mem, object);
	*m = *r->o;
	m->Replication = S("REPLICA");
	m->Noncurrent = (opt_time){ 0 };
	if (d->StorageClass.n)
		m->StorageClass = d->StorageClass;
	if (d->AccessControlTranslation)
		m->OwnerAccount = r->to->Account;
	m->Content = NULL;
	m->Layout = m->Layout.n ? content_name(r->rq->mem) : STR_NONE;
}

static err prepare(replica *r)
{
	req *rq = r->rq;
	object_at at;
	const seal_key *open = NULL, *seal = NULL;
	const txn *tx = req_read(rq);
	r->there = object_look(rq, tx, r->to, r->key, r->o->VersionId, &at);
	content_list l = object_contents(tx, rq->mem, r->o, NULL);
	s3_StoredParts parts = object_parts(tx, rq->mem, r->o);
	err e = r->o->WrappedKey.n && !r->there ? data_key_open(rq, tx, r->from, r->key, r->o, &open) : OK;
	req_read_end(rq, tx);
	TRY(e);
	describe_replica(r);
	if (r->there || r->o->Marker.v)
		return OK;
	l.key = open;
	if (open) {
		const s3_EncryptionConfiguration *c = r->rule->Destination->EncryptionConfiguration;
		seal = data_key_make(rq, r->to, false);
		r->made->BucketKey = (opt_bool){ 0 };
		TRY(data_key_wrap(rq, r->to, r->key, c ? c->ReplicaKmsKeyID : S(""), seal, r->made));
	}
	TRY(copy_bytes(r, &l, &parts, seal));
	if (!r->layout.n && r->n)
		r->made->Content = (content *)(uintptr_t)r->contents[0];
	return OK;
}

static void meter_copy(replica *r)
{
	if (r->o->Marker.v)
		return;
	meter_write(r->rq, r->to, class_of(r->made));
	if (!str_eq(r->from->Region, r->to->Region) && r->o->Size.v)
		meter(r->rq, &S3_TRANSFER_REGION, r->o->Size.v, r->from->Name);
}

static err commit(req *rq, txn *tx, void *context)
{
	replica *r = context;
	object_at at;
	s3_bucket *b = bucket_get(rq, tx, r->to->Name);
	if (!b || !bucket_versions(b))
		return fail(rq, &fault_InvalidRequest, "The destination bucket is gone or has no versioning.");
	if (object_look(rq, tx, b, r->key, r->o->VersionId, &at)) {
		at.o->Tags = r->o->Tags;
		at.o->LockMode = r->o->LockMode;
		at.o->RetainUntil = r->o->RetainUntil;
		at.o->LegalHold = r->o->LegalHold;
		object_update(tx, b, r->key, &at);
		r->unwanted = true;
		return OK;
	}
	r->unwanted = false;
	for (size_t i = 0; i < r->n; i++)
		content_attach(tx, r->contents[i], r->smalls[i]);
	if (r->layout.n)
		s3_layout_put(tx, &(s3_layout){ .Id = r->made->Layout, .Parts = r->layout });
	object_place_replica(tx, rq->mem, b, r->key, r->made, rq->now);
	notify(rq, tx, b, r->key, r->made, r->made->Marker.v ? "ObjectRemoved:DeleteMarkerCreated" :
	                                                       "ObjectCreated:Put");
	return OK;
}

typedef struct outcome {
	str bucket, key, version, status;
} outcome;

static err settle(req *rq, txn *tx, void *context)
{
	const outcome *v = context;
	object_at at;
	s3_bucket *b = bucket_get(rq, tx, v->bucket);
	if (!b || !object_look(rq, tx, b, v->key, v->version, &at))
		return OK;
	at.o->Replication = v->status;
	object_update(tx, b, v->key, &at);
	if (str_eq(v->status, S("FAILED")))
		notify(rq, tx, b, v->key, at.o, "Replication:OperationFailedReplication");
	return OK;
}

static err copy_to(req *rq, s3_bucket *from, str key, object *o, const s3_ReplicationRule *rule)
{
	replica r = { .rq = rq, .key = key, .from = from, .o = o, .rule = rule };
	str name = bucket_of_arn(rule->Destination->Bucket);
	const txn *tx = req_read(rq);
	r.to = str_is(name) ? bucket_get(rq, tx, name) : NULL;
	req_read_end(rq, tx);
	if (!r.to || !bucket_versions(r.to))
		return fail(rq, &fault_InvalidRequest, "The destination bucket is gone or has no versioning.");
	TRY(prepare(&r));
	err e = req_write(rq, commit, &r);
	for (size_t i = 0; (e || r.unwanted) && i < r.n; i++)
		content_discard(rq->mem, r.contents[i]);
	TRY(e);
	if (!r.there)
		meter_copy(&r);
	return OK;
}

TASK(s3_replicate)
{
	str key = payload, bucket = str_cut(&key, 0), version = str_cut(&key, 0);
	const s3_ReplicationRule *rules[TARGETS_MAX];
	req *rq = req_internal(mem, s, "s3.amazonaws.com", S(""), S(""));
	rq->who.user_id = S("s3.amazonaws.com");
	object_at at;
	const txn *tx = store_read(s);
	s3_bucket *b = bucket_get(rq, tx, bucket);
	bool found = b && object_look(rq, tx, b, key, version, &at);
	size_t n = found ? rules_for(tx, mem, bucket, key, at.o, rules) : 0;
	store_read_end(s, tx);
	if (!n)
		return TASK_DONE;
	rq->who.account = b->Account;
	rq->region = b->Region;
	bool failed = false, busy = false;
	for (size_t i = 0; i < n; i++) {
		err e = copy_to(rq, b, key, at.o, rules[i]);
		failed |= e != OK;
		busy |= e && (e->kind->server || e->kind == &fault_system);
	}
	if (busy && attempt < TRIES_MAX) {
		usage_settle_later(rq);
		return clock_now() + 1000 * (int64_t)attempt;
	}
	outcome v = { bucket, key, version, failed ? S("FAILED") : S("COMPLETED") };
	/* What was metered so far goes with it. */
	return req_write(rq, settle, &v) ? clock_now() + MS_MINUTE : TASK_DONE;
}

static err new_form(req *rq, const char *what)
{
	return fail(rq, &fault_InvalidRequest,
	            "%s must be specified for this version of Cross Region Replication configuration schema. "
	            "Please refer to S3 Developer Guide for more information.", what);
}

static err check_rule(req *rq, const txn *tx, s3_ReplicationConfiguration *c, size_t i)
{
	s3_ReplicationRule *r = &c->Rules.v[i];
	str name = bucket_of_arn(r->Destination->Bucket);
	s3_bucket *to = str_is(name) ? bucket_get(rq, tx, name) : NULL;
	if (r->ID.n > 255)
		return fail(rq, &fault_InvalidArgument, "ID length should not exceed allowed limit of 255");
	if (!r->ID.n)
		r->ID = content_name(rq->mem);
	if (!str_is(name))
		return fail(rq, &fault_InvalidArgument, "Invalid bucket ARN.");
	if (r->Filter && !r->Priority.set)
		return new_form(rq, "Priority");
	if (r->Filter && !r->DeleteMarkerReplication)
		return new_form(rq, "DeleteMarkerReplication");
	if (r->Filter && str_is(r->Prefix))
		return malformed_xml(rq);
	for (size_t k = 0; k < i; k++) {
		if (str_eq(c->Rules.v[k].ID, r->ID))
			return fail(rq, &fault_InvalidArgument,
			            "Rule ID must be unique. Found same ID for one or more rules");
		if (r->Filter && c->Rules.v[k].Priority.v == r->Priority.v)
			return fail(rq, &fault_InvalidRequest, "Found duplicate priority. Priority must be unique "
			                                       "across all rules.");
	}
	if (!to || !bucket_versions(to))
		return fail(rq, &fault_InvalidRequest, "Destination bucket must have versioning enabled.");
	return OK;
}

err s3_PutBucketReplication(req *rq, txn *tx, const s3_PutBucketReplication_in *in,
                            s3_PutBucketReplication_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutReplicationConfiguration", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	if (!bucket_versions(b))
		return fail(rq, &fault_InvalidRequest, "Versioning must be 'Enabled' on the bucket to apply a "
		                                       "replication configuration");
	s3_ReplicationConfiguration *c = in->ReplicationConfiguration;
	if (!c->Rules.n || c->Rules.n > 1000)
		return malformed_xml(rq);
	for (size_t i = 0; i < c->Rules.n; i++)
		TRY(check_rule(rq, tx, c, i));
	config_put(tx, rq->mem, b->Name, KIND, S(""), &s3_ReplicationConfiguration_shape, c);
	return OK;
}

err s3_GetBucketReplication(req *rq, const txn *tx, const s3_GetBucketReplication_in *in,
                            s3_GetBucketReplication_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetReplicationConfiguration", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	out->ReplicationConfiguration = arena_new(rq->mem, s3_ReplicationConfiguration);
	if (!config_get(tx, rq->mem, b->Name, KIND, S(""), &s3_ReplicationConfiguration_shape,
	                out->ReplicationConfiguration))
		return fail_with(rq, &fault_ReplicationConfigurationNotFoundError,
		                 DETAIL(rq, .BucketName = b->Name), "The replication configuration was not found");
	return OK;
}

err s3_DeleteBucketReplication(req *rq, txn *tx, const s3_DeleteBucketReplication_in *in,
                               s3_DeleteBucketReplication_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutReplicationConfiguration", STR_NONE, &b));
	config_delete(tx, b->Name, KIND, S(""));
	return OK;
}
