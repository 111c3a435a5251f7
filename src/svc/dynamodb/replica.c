#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "store/due.h"
#include "svc/dynamodb/replica.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define INVALID "One or more parameter values were invalid: "

static const char *const regions[] = {
	"ap-south-2",     "ap-south-1",     "eu-south-1",     "eu-south-2",     "me-central-1",   "il-central-1",
	"ca-central-1",   "ap-east-2",      "mx-central-1",   "eu-central-1",   "eu-central-2",   "us-west-1",
	"us-west-2",      "af-south-1",     "eu-north-1",     "eu-west-3",      "eu-west-2",      "eu-west-1",
	"ap-northeast-3", "ap-northeast-2", "me-south-1",     "ap-northeast-1", "sa-east-1",      "ap-east-1",
	"ca-west-1",      "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "us-east-1",
	"ap-southeast-5", "us-east-2",      "ap-southeast-6", "ap-southeast-7",
};

req ddb_request_in(const req *rq, str region)
{
	req there = *rq;
	there.region = region;
	return there;
}

/* A table of the group, in its region. */
typedef struct member {
	req rq;
	dynamodb_table *r;
	ddb_table *t;
} member;

static bool member_open(req *rq, const txn *tx, str region, str name, member *m)
{
	*m = (member){ .rq = ddb_request_in(rq, region) };
	m->r = dynamodb_table_get(tx, rq->mem, rq->who.account, region, name);
	m->t = m->r ? ddb_head_get(tx, rq->mem, rq->who.account, region, name) : NULL;
	return m->t != NULL;
}

static void member_put(txn *tx, const member *m)
{
	dynamodb_table_put(tx, m->r);
	ddb_head_put(tx, m->t);
}

static void join(req *rq, member *m, const member *other, str status)
{
	dynamodb_ReplicaDescriptionList *list = &m->r->Table->Replicas, wider;
	wider.v = arena_array(rq->mem, dynamodb_ReplicaDescription, list->n + 1);
	wider.n = list->n + 1;
	if (list->n)
		memcpy(wider.v, list->v, list->n * sizeof *wider.v);
	wider.v[list->n] = (dynamodb_ReplicaDescription){
		.RegionName = other->t->region,
		.ReplicaStatus = status,
		.ReplicaArn = other->t->arn,
		.ReplicaTableClassSummary = other->r->Table->TableClassSummary,
	};
	*list = wider;
	m->r->Table->GlobalTableVersion = S("2019.11.21");
	str *others = arena_array(rq->mem, str, m->t->n_replicas + 1);
	for (size_t i = 0; i < m->t->n_replicas; i++)
		others[i] = m->t->replicas[i];
	others[m->t->n_replicas++] = other->t->region;
	m->t->replicas = others;
}

static void leave(member *m, str region)
{
	dynamodb_ReplicaDescriptionList *list = &m->r->Table->Replicas;
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!str_eq(list->v[i].RegionName, region))
			list->v[kept++] = list->v[i];
	list->n = kept;
	kept = 0;
	for (size_t i = 0; i < m->t->n_replicas; i++)
		if (!str_eq(m->t->replicas[i], region))
			m->t->replicas[kept++] = m->t->replicas[i];
	m->t->n_replicas = kept;
	if (kept)
		return;
	list->v = NULL;
	m->r->Table->GlobalTableVersion = STR_NONE;
}

void ddb_replicas_leave(req *rq, txn *tx, const ddb_table *t)
{
	member m;
	for (size_t i = 0; i < t->n_replicas; i++) {
		if (!member_open(rq, tx, t->replicas[i], t->name, &m))
			continue;
		leave(&m, t->region);
		member_put(tx, &m);
	}
}

/* What the new table looks like: as the first one, with names of its own. */
static dynamodb_TableDescription *described(req *rq, const member *here, const ddb_table *t)
{
	dynamodb_TableDescription *d = arena_new(rq->mem, dynamodb_TableDescription);
	shape_copy(rq->mem, &dynamodb_TableDescription_shape, here->r->Table, d);
	d->TableArn = t->arn;
	d->TableId = rand_uuid(rq->mem);
	d->CreationDateTime = TIME(rq->now);
	d->LatestStreamArn = d->LatestStreamLabel = STR_NONE;
	d->StreamSpecification = NULL;
	d->Replicas = (dynamodb_ReplicaDescriptionList){ 0 };
	d->RestoreSummary = NULL;
	d->SSEDescription = NULL;
	d->DeletionProtectionEnabled = BOOL(false);
	for (size_t i = 0; i < d->GlobalSecondaryIndexes.n; i++)
		d->GlobalSecondaryIndexes.v[i].IndexArn =
			ddb_index_arn(rq, t, d->GlobalSecondaryIndexes.v[i].IndexName);
	for (size_t i = 0; i < d->LocalSecondaryIndexes.n; i++)
		d->LocalSecondaryIndexes.v[i].IndexArn =
			ddb_index_arn(rq, t, d->LocalSecondaryIndexes.v[i].IndexName);
	return d;
}

static void override_class(req *rq, member *m, str class)
{
	if (!str_is(class))
		return;
	m->t->infrequent = str_eq(class, S("STANDARD_INFREQUENT_ACCESS"));
	m->r->Table->TableClassSummary = arena_new(rq->mem, dynamodb_TableClassSummary);
	m->r->Table->TableClassSummary->TableClass = class;
}

/* The empty table in its region. Its indexes are filled as its items come. */
static err make(req *rq, txn *tx, const member *here, str region, str class, member *m)
{
	const dynamodb_StreamSpecification both = { .StreamEnabled = BOOL(true),
		                                        .StreamViewType = S("NEW_AND_OLD_IMAGES") };
	m->rq = ddb_request_in(rq, region);
	m->t = arena_new(rq->mem, ddb_table);
	m->r = arena_new(rq->mem, dynamodb_table);
	*m->t = *here->t;
	m->t->id = txn_next(tx, S("dynamodb.table")) | DDB_ORDER_OF_AWS;
	m->t->region = region;
	m->t->arn = req_arn(&m->rq, "dynamodb", "table/%.*s", STR_ARG(m->t->name));
	m->t->view = VIEW_NONE;
	m->t->n_replicas = 0;
	m->t->indexes = arena_array(rq->mem, ddb_index, m->t->n_indexes + 1);
	for (size_t i = 0; i < m->t->n_indexes; i++) {
		m->t->indexes[i] = here->t->indexes[i];
		m->t->indexes[i].building = false;
	}
	*m->r = (dynamodb_table){ .Account = m->t->account, .Region = region, .TableName = m->t->name,
		                      .Id = (int64_t)m->t->id, .Table = described(rq, here, m->t),
		                      .TtlAttribute = here->r->TtlAttribute, .NextIndex = here->r->NextIndex };
	override_class(rq, m, class);
	TRY(ddb_stream_make(&m->rq, tx, m->r, m->t, &both));
	ddb_rates_of(m->t, m->r->Table);
	ddb_bill_capacity(&m->rq, tx, m->r->Table, m->t, false);
	return OK;
}

/* Provisioned writes must be able to follow those of other regions. */
static bool scales_by_itself(req *rq, txn *tx, const ddb_table *t)
{
	str answer = STR_NONE;
	str ask = arena_fmt(rq->mem, "{\"ServiceNamespace\":\"dynamodb\",\"ResourceIds\":[\"table/%.*s\"],"
	                    "\"ScalableDimension\":\"dynamodb:table:WriteCapacityUnits\"}", STR_ARG(t->name));
	if (t->on_demand)
		return true;
	if (call_json(rq, tx, "application-autoscaling", "DescribeScalableTargets", ask, &answer))
		return false;
	const json_value *targets = json_get(json_parse(rq->mem, answer), S("ScalableTargets"));
	return targets && targets->n > 0;
}

static err check_new(req *rq, txn *tx, const member *here,
                     const dynamodb_CreateReplicationGroupMemberAction *a)
{
	if (ddb_head_get(tx, rq->mem, here->t->account, a->RegionName, here->t->name))
		return fail(rq, &aws_ValidationException,
		            "Failed to create a the new replica of table with name: ‘%.*s’ because one or more "
		            "replicas already existed as tables.", STR_ARG(here->t->name));
	if (!scales_by_itself(rq, tx, here->t))
		return fail(rq, &aws_ValidationException,
		            "Table write capacity should either be Pay-Per-Request or AutoScaled.");
	if (here->t->view && here->t->view != VIEW_BOTH)
		return fail(rq, &aws_ValidationException,
		            INVALID "The stream of a table with replicas must have NEW_AND_OLD_IMAGES");
	if (str_is(a->KMSMasterKeyId) || a->ProvisionedThroughputOverride || a->OnDemandThroughputOverride ||
	    a->GlobalSecondaryIndexes.n)
		return fail(rq, &aws_NotImplemented,
		            "A replica's own key, capacity and indexes are not implemented: it has the table's.");
	return OK;
}

static err create(req *rq, txn *tx, member *here, const dynamodb_CreateReplicationGroupMemberAction *a)
{
	const dynamodb_StreamSpecification both = { .StreamEnabled = BOOL(true),
		                                        .StreamViewType = S("NEW_AND_OLD_IMAGES") };
	member there, other;
	size_t before = here->t->n_replicas;
	TRY(check_new(rq, tx, here, a));
	if (!here->t->view)
		TRY(ddb_stream_make(rq, tx, here->r, here->t, &both));
	TRY(make(rq, tx, here, a->RegionName, a->TableClassOverride, &there));
	for (size_t i = 0; i < before; i++) {
		if (!member_open(rq, tx, here->t->replicas[i], here->t->name, &other))
			continue;
		join(rq, &other, &there, S("CREATING"));
		join(rq, &there, &other, S("ACTIVE"));
		member_put(tx, &other);
	}
	join(rq, here, &there, S("CREATING"));
	join(rq, &there, here, S("ACTIVE"));
	member_put(tx, &there);
	member_put(tx, here);
	task_add(tx, "ddb_replicate", arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(a->RegionName),
	                                        STR_ARG(ddb_payload(rq->mem, here->t))), 0);
	return OK;
}

static bool has_region(const member *m, str region)
{
	for (size_t i = 0; i < m->t->n_replicas; i++)
		if (str_eq(m->t->replicas[i], region))
			return true;
	return false;
}

static err no_member(req *rq, str region)
{
	return fail(rq, &aws_ValidationException,
	            "Update global table operation failed because one or more replicas were not part of the "
	            "global table. Please retry the request without these replicas: [%.*s].", STR_ARG(region));
}

static err drop(req *rq, txn *tx, const member *here, str region)
{
	dynamodb_DeleteTable_out gone;
	member there;
	if (!has_region(here, region) || !member_open(rq, tx, region, here->t->name, &there))
		return no_member(rq, region);
	if (there.r->Table->DeletionProtectionEnabled.v)
		return fail(rq, &aws_ValidationException,
		            "Cannot delete table %.*s in region %.*s because it has deletion protection enabled. "
		            "Disable deletion protection first.", STR_ARG(here->t->name), STR_ARG(region));
	return ddb_table_delete(&there.rq, tx, here->t->name, &gone);
}

static err change(req *rq, txn *tx, const member *here,
                  const dynamodb_UpdateReplicationGroupMemberAction *a)
{
	dynamodb_UpdateTable_out out;
	bool others = str_is(a->KMSMasterKeyId) || a->ProvisionedThroughputOverride ||
	              a->OnDemandThroughputOverride || a->GlobalSecondaryIndexes.n;
	if (!others && !str_is(a->TableClassOverride))
		return fail(rq, &aws_ValidationException,
		            "There are no actions specified in the Replica Update Action of the request.");
	if (!has_region(here, a->RegionName))
		return no_member(rq, a->RegionName);
	if (others)
		return fail(rq, &aws_NotImplemented,
		            "A replica's own key, capacity and indexes are not implemented: it has the table's.");
	req there = ddb_request_in(rq, a->RegionName);
	const dynamodb_UpdateTable_in in = { .TableName = here->t->name, .TableClass = a->TableClassOverride };
	return ddb_table_update(&there, tx, &in, &out);
}

static err check_region(req *rq, str region)
{
	if (str_eq(region, rq->region))
		return fail(rq, &aws_ValidationException,
		            "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, "
		            "DeleteTable, or UpdateTable as required.");
	buf all = buf_in(rq->mem, 512, 4096);
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
		if (str_eq(region, str_c(regions[i])))
			return OK;
		buf_fmt(&all, "%s%s", i ? ", " : "", regions[i]);
	}
	return fail(rq, &aws_ValidationException,
	            "Region %.*s is not supported. The latest version of global tables are only supported in the "
	            "following regions: [%.*s]", STR_ARG(region), STR_ARG(buf_str(&all)));
}

static err check_updates(req *rq, const dynamodb_UpdateTable_in *in)
{
	bool others = in->AttributeDefinitions.v || in->ProvisionedThroughput || str_is(in->BillingMode) ||
	              in->GlobalSecondaryIndexUpdates.v || in->StreamSpecification || in->SSESpecification ||
	              str_is(in->TableClass) || in->DeletionProtectionEnabled.set || in->OnDemandThroughput ||
	              in->WarmThroughput;
	const dynamodb_ReplicationGroupUpdate *u = &in->ReplicaUpdates.v[0];
	int actions = in->ReplicaUpdates.n ? !!u->Create + !!u->Update + !!u->Delete : 0;
	if (others)
		return fail(rq, &aws_ValidationException,
		            INVALID "Replica modification must be the only operation in the request");
	if (in->ReplicaUpdates.n > 1)
		return fail(rq, &aws_ValidationException, "Update table operation with more than one create or "
		            "delete replica actions not allowed");
	if (actions > 1)
		return fail(rq, &aws_ValidationException,
		            "Update table operation with more than one type of replica actions not allowed.");
	return actions ? OK
	               : fail(rq, &aws_ValidationException,
	                      "There are no actions specified in the Replica Update Action of the request.");
}

err ddb_replicas_update(req *rq, txn *tx, const dynamodb_UpdateTable_in *in, dynamodb_UpdateTable_out *out)
{
	const dynamodb_ReplicationGroupUpdate *u = &in->ReplicaUpdates.v[0];
	dynamodb_table *r;
	member here;
	TRY(check_updates(rq, in));
	if (u->Create)
		TRY(check_region(rq, u->Create->RegionName));
	else
		TRY(check_region(rq, u->Delete ? u->Delete->RegionName : u->Update->RegionName));
	TRY(ddb_record(rq, tx, in->TableName, &r));
	ensure(member_open(rq, tx, rq->region, r->TableName, &here));
	if (u->Create)
		TRY(create(rq, tx, &here, u->Create));
	else if (u->Delete)
		TRY(drop(rq, tx, &here, u->Delete->RegionName));
	else
		TRY(change(rq, tx, &here, u->Update));
	ensure(member_open(rq, tx, rq->region, r->TableName, &here));
	out->TableDescription = ddb_describe(rq, tx, here.r, here.t);
	out->TableDescription->TableStatus = S("UPDATING");
	return OK;
}

/* Brings a new replica what was there before, a chunk at a time. What is written meanwhile comes alone. */
typedef struct replicating {
	str region, payload, after, reached;
	arena *mem;
	bool more;
} replicating;

static void tell_active(txn *tx, const ddb_table *from, str region)
{
	arena *mem = txn_arena(tx);
	str told = from->region;
	for (size_t i = 0; str_is(told); told = i < from->n_replicas ? from->replicas[i] : STR_NONE, i++) {
		dynamodb_table *r = dynamodb_table_get(tx, mem, from->account, told, from->name);
		for (size_t k = 0; r && k < r->Table->Replicas.n; k++)
			if (str_eq(r->Table->Replicas.v[k].RegionName, region))
				r->Table->Replicas.v[k].ReplicaStatus = S("ACTIVE");
		if (r)
			dynamodb_table_put(tx, r);
	}
}

static bool replicate_chunk(void *context, txn *tx)
{
	replicating *x = context;
	arena *mem = txn_arena(tx);
	ddb_row rows[DDB_ROWS_AT_ONCE];
	ddb_writer w;
	const ddb_table *from = ddb_of_payload(tx, mem, x->payload);
	const ddb_table *to = from ? ddb_head_get(tx, mem, from->account, x->region, from->name) : NULL;
	x->more = false;
	if (!to)
		return true;
	size_t n = ddb_rows_after(tx, mem, from->id, x->after, rows);
	ddb_write_begin(&w, tx, mem, to, clock_now());
	w.replica = true;
	for (size_t i = 0; i < n; i++)
		ddb_write_replica(&w, rows[i].i.map, rows[i].i);
	ddb_write_end(&w);
	x->more = n > 0;
	if (n)
		x->reached = arena_str(x->mem, rows[n - 1].key);
	else
		tell_active(tx, from, x->region);
	return true;
}

/* Payload: the new region, a space, the table. Begun anew after a crash: writing twice is harmless. */
TASK(ddb_replicate)
{
	str rest = payload, region = str_cut(&rest, ' ');
	replicating x = { .region = region, .payload = rest, .mem = mem };
	do {
		if (task_should_stop(s))
			return clock_now();
		if (store_write(s, replicate_chunk, &x))
			return clock_now() + MS_MINUTE;
		x.after = x.reached;
	} while (x.more);
	return TASK_DONE;
}
