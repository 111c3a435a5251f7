#include "base/time.h"
#include "svc/dynamodb/replica.h"

#define FREE_DECREASES 4
#define INVALID "One or more parameter values were invalid: "

/* A table while it is changed: the record with its description, and the head. */
typedef struct editing {
	dynamodb_table *r;
	dynamodb_TableDescription *d;
	ddb_table *t;
} editing;

/* Friday, March 10, 2017 2:00:00 PM UTC */
static str in_words(arena *mem, int64_t ms)
{
	static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
		                                "Saturday" };
	static const char *const months[] = { "January",   "February", "March",    "April",
		                                  "May",       "June",     "July",     "August",
		                                  "September", "October",  "November", "December" };
	civil c = time_civil(ms);
	int hour = c.hour % 12 ? c.hour % 12 : 12;
	return arena_fmt(mem, "%s, %s %d, %d %d:%02d:%02d %s UTC", days[c.weekday], months[c.month - 1], c.day,
	                 (int)c.year, hour, c.minute, c.second, c.hour < 12 ? "AM" : "PM");
}

/* Four decreases a day, and then one in each hour that begins after the last. */
static err check_decrease(req *rq, const dynamodb_ProvisionedThroughputDescription *d)
{
	bool same_day = d->LastDecreaseDateTime.set && d->LastDecreaseDateTime.v / MS_DAY == rq->now / MS_DAY;
	if (!same_day || d->NumberOfDecreasesToday.v < FREE_DECREASES ||
	    rq->now - d->LastDecreaseDateTime.v >= MS_HOUR)
		return OK;
	return fail(
		rq, &dynamodb_LimitExceededException,
		"Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
	    "After "
		"the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once "
		"every 3600 seconds. Number of decreases today: %lld. Last decrease at %.*s. Next decrease can be "
	    "made "
		"at %.*s",
		FREE_DECREASES, (long long)d->NumberOfDecreasesToday.v,
		STR_ARG(in_words(rq->mem, d->LastDecreaseDateTime.v)),
		STR_ARG(in_words(rq->mem, d->LastDecreaseDateTime.v + MS_HOUR)));
}

static err set_throughput(req *rq, dynamodb_ProvisionedThroughputDescription *d,
                          const dynamodb_ProvisionedThroughput *p)
{
	int64_t reads = p->ReadCapacityUnits.v, writes = p->WriteCapacityUnits.v;
	if (reads == d->ReadCapacityUnits.v && writes == d->WriteCapacityUnits.v)
		return fail(
			rq, &aws_ValidationException,
			"The provisioned throughput for the table will not change. The requested value "
			"equals the current value. Current ReadCapacityUnits provisioned for the table: "
			"%lld. Requested ReadCapacityUnits: %lld. Current WriteCapacityUnits provisioned "
			"for the table: %lld. Requested WriteCapacityUnits: %lld. Refer to the Amazon "
			"DynamoDB Developer Guide for current limits and how to request higher limits.",
			(long long)d->ReadCapacityUnits.v, (long long)reads, (long long)d->WriteCapacityUnits.v,
			(long long)writes);
	if (reads < d->ReadCapacityUnits.v || writes < d->WriteCapacityUnits.v)
		TRY(check_decrease(rq, d));
	if (reads > d->ReadCapacityUnits.v || writes > d->WriteCapacityUnits.v)
		d->LastIncreaseDateTime = TIME(rq->now);
	if (reads < d->ReadCapacityUnits.v || writes < d->WriteCapacityUnits.v) {
		bool same_day = d->LastDecreaseDateTime.v / MS_DAY == rq->now / MS_DAY;
		d->NumberOfDecreasesToday = I64((same_day ? d->NumberOfDecreasesToday.v : 0) + 1);
		d->LastDecreaseDateTime = TIME(rq->now);
	}
	d->ReadCapacityUnits = I64(reads);
	d->WriteCapacityUnits = I64(writes);
	return OK;
}

static err to_on_demand(req *rq, editing *e, const dynamodb_UpdateTable_in *in)
{
	TRY(ddb_throughput_in(rq, true, in->ProvisionedThroughput));
	e->t->on_demand = true;
	e->d->BillingModeSummary = arena_new(rq->mem, dynamodb_BillingModeSummary);
	e->d->BillingModeSummary->BillingMode = S("PAY_PER_REQUEST");
	e->d->BillingModeSummary->LastUpdateToPayPerRequestDateTime = TIME(rq->now);
	const dynamodb_ProvisionedThroughputDescription *old = e->d->ProvisionedThroughput;
	e->d->ProvisionedThroughput = ddb_throughput(rq, NULL);
	e->d->ProvisionedThroughput->LastIncreaseDateTime = old->LastIncreaseDateTime;
	e->d->ProvisionedThroughput->LastDecreaseDateTime = old->LastDecreaseDateTime;
	for (size_t i = 0; i < e->d->GlobalSecondaryIndexes.n; i++)
		e->d->GlobalSecondaryIndexes.v[i].ProvisionedThroughput = ddb_throughput(rq, NULL);
	return OK;
}

static bool index_given_throughput(const dynamodb_UpdateTable_in *in, str name)
{
	for (size_t i = 0; i < in->GlobalSecondaryIndexUpdates.n; i++) {
		const dynamodb_UpdateGlobalSecondaryIndexAction *u =
			in->GlobalSecondaryIndexUpdates.v[i].Update;
		if (u && u->ProvisionedThroughput && str_eq(u->IndexName, name))
			return true;
	}
	return false;
}

static err to_provisioned(req *rq, editing *e, const dynamodb_UpdateTable_in *in)
{
	TRY(ddb_throughput_in(rq, false, in->ProvisionedThroughput));
	for (size_t i = 0; i < e->d->GlobalSecondaryIndexes.n; i++)
		if (!index_given_throughput(in, e->d->GlobalSecondaryIndexes.v[i].IndexName))
			return fail(rq, &aws_ValidationException,
			            INVALID "ProvisionedThroughput must be specified for index: %.*s",
			            STR_ARG(e->d->GlobalSecondaryIndexes.v[i].IndexName));
	e->t->on_demand = false;
	e->d->OnDemandThroughput = NULL;
	for (size_t i = 0; i < e->d->GlobalSecondaryIndexes.n; i++)
		e->d->GlobalSecondaryIndexes.v[i].OnDemandThroughput = NULL;
	if (e->d->BillingModeSummary)
		e->d->BillingModeSummary->BillingMode = S("PROVISIONED");
	return set_throughput(rq, e->d->ProvisionedThroughput, in->ProvisionedThroughput);
}

static err change_billing(req *rq, editing *e, const dynamodb_UpdateTable_in *in)
{
	bool wanted = str_is(in->BillingMode) ? str_eq(in->BillingMode, S("PAY_PER_REQUEST"))
	                                      : e->t->on_demand;
	if (wanted != e->t->on_demand)
		return wanted ? to_on_demand(rq, e, in) : to_provisioned(rq, e, in);
	if (!in->ProvisionedThroughput)
		return OK;
	TRY(ddb_throughput_in(rq, e->t->on_demand, in->ProvisionedThroughput));
	return set_throughput(rq, e->d->ProvisionedThroughput, in->ProvisionedThroughput);
}

static ddb_warm warm_now(const editing *e)
{
	const dynamodb_TableWarmThroughputDescription *x = e->d->WarmThroughput;
	return ddb_warm_of(e->t->on_demand, e->d->ProvisionedThroughput, x ? x->ReadUnitsPerSecond : I64(0),
	                   x ? x->WriteUnitsPerSecond : I64(0));
}

/* A table stays ready for the most that it was ever ready for. */
static err set_billing(req *rq, editing *e, const dynamodb_UpdateTable_in *in)
{
	ddb_warm before = warm_now(e);
	TRY(change_billing(rq, e, in));
	if (str_is(in->BillingMode) || in->ProvisionedThroughput)
		e->d->WarmThroughput = ddb_warm_table(rq, ddb_warm_of(e->t->on_demand, e->d->ProvisionedThroughput,
		                                                      I64(before.reads), I64(before.writes)));
	return OK;
}

/* A limit that is given takes the place of the one before; -1 ends it. */
static opt_i64 merged(opt_i64 old, opt_i64 given)
{
	return !given.set ? old : given.v == -1 ? (opt_i64){ 0 } : given;
}

static dynamodb_OnDemandThroughput *merge_most(req *rq, const dynamodb_OnDemandThroughput *old,
                                               const dynamodb_OnDemandThroughput *given)
{
	dynamodb_OnDemandThroughput *now = arena_new(rq->mem, dynamodb_OnDemandThroughput);
	*now = (dynamodb_OnDemandThroughput){
		.MaxReadRequestUnits = merged(old ? old->MaxReadRequestUnits : (opt_i64){ 0 },
		                              given->MaxReadRequestUnits),
		.MaxWriteRequestUnits = merged(old ? old->MaxWriteRequestUnits : (opt_i64){ 0 },
		                               given->MaxWriteRequestUnits) };
	return now->MaxReadRequestUnits.set || now->MaxWriteRequestUnits.set ? now : NULL;
}

static dynamodb_GlobalSecondaryIndexDescription *described(editing *e, str name)
{
	for (size_t i = 0; i < e->d->GlobalSecondaryIndexes.n; i++)
		if (str_eq(e->d->GlobalSecondaryIndexes.v[i].IndexName, name))
			return &e->d->GlobalSecondaryIndexes.v[i];
	return NULL;
}

static err no_index(req *rq)
{
	return fail(rq, &dynamodb_ResourceNotFoundException, "Requested resource not found");
}

static void describe_index(req *rq, editing *e, ddb_warm w,
                           const dynamodb_CreateGlobalSecondaryIndexAction *c)
{
	dynamodb_GlobalSecondaryIndexDescriptionList *list = &e->d->GlobalSecondaryIndexes, wider;
	wider.v = arena_array(rq->mem, dynamodb_GlobalSecondaryIndexDescription, list->n + 1);
	wider.n = list->n + 1;
	if (list->n)
		memcpy(wider.v, list->v, list->n * sizeof *wider.v);
	wider.v[list->n] = (dynamodb_GlobalSecondaryIndexDescription){
		.IndexName = c->IndexName,
		.KeySchema = c->KeySchema,
		.Projection = c->Projection,
		.IndexArn = ddb_index_arn(rq, e->t, c->IndexName),
		.ProvisionedThroughput = ddb_throughput(rq, c->ProvisionedThroughput),
		.OnDemandThroughput = c->OnDemandThroughput,
		.WarmThroughput = c->WarmThroughput ? ddb_warm_index(rq, w) : NULL,
	};
	*list = wider;
}

static err create_index(req *rq, txn *tx, editing *e, const dynamodb_AttributeDefinitions *defined,
                        const dynamodb_CreateGlobalSecondaryIndexAction *c)
{
	ddb_table *t = e->t;
	ddb_index *wider = arena_array(rq->mem, ddb_index, t->n_indexes + 1);
	ddb_warm w = ddb_warm_of(t->on_demand, NULL, I64(0), I64(0));
	TRY(ddb_warm_in(rq, c->WarmThroughput, c->IndexName, &w));
	if (ddb_index_named(t, c->IndexName))
		return fail(rq, &aws_ValidationException,
		            "Attempting to create an index which already exists");
	if (e->d->GlobalSecondaryIndexes.n >= DDB_GSI_MAX)
		return fail(rq, &dynamodb_LimitExceededException,
		            "GlobalSecondaryIndex count exceeds the per-table limit of %d", DDB_GSI_MAX);
	if (!t->on_demand != (c->ProvisionedThroughput != NULL))
		return fail(rq, &aws_ValidationException,
		            t->on_demand
		                ? INVALID "ProvisionedThroughput should not be specified for index: "
		                          "%.*s when BillingMode is PAY_PER_REQUEST"
		                : INVALID "ProvisionedThroughput must be specified for index: %.*s",
		            STR_ARG(c->IndexName));
	if (t->n_indexes)
		memcpy(wider, t->indexes, t->n_indexes * sizeof *wider);
	ddb_index *ix = &wider[t->n_indexes];
	*ix = (ddb_index){ .id = (uint16_t)e->r->NextIndex++, .global = true, .building = true,
		               .name = c->IndexName };
	TRY(ddb_schema_in(rq, defined, &c->KeySchema, true, &ix->key));
	TRY(ddb_projection_in(rq, c->Projection, ix));
	t->indexes = wider;
	t->n_indexes++;
	describe_index(rq, e, w, c);
	ddb_fill(tx, t, ix);
	return OK;
}

/* The index's rows and bytes leave the tally now, the rows themselves in the background. */
static err delete_index(req *rq, txn *tx, editing *e, str name)
{
	const ddb_index *ix = ddb_index_named(e->t, name);
	dynamodb_GlobalSecondaryIndexDescription *x = described(e, name);
	ddb_tally tally;
	if (ix && !ix->global)
		return fail(rq, &aws_ValidationException,
		            "Cannot delete an index that is not a GlobalSecondaryIndex: %.*s", STR_ARG(name));
	if (!ix || !x)
		return no_index(rq);
	size_t at = (size_t)(ix - e->t->indexes), i = 0;
	ddb_tally_get(tx, rq->mem, e->t, &tally);
	ddb_tally_advance(&tally, rq->now);
	while (i < tally.n && tally.index_id[i] != ix->id)
		i++;
	if (i < tally.n) {
		tally.n--;
		tally.index[i] = tally.index[tally.n];
		tally.index_id[i] = tally.index_id[tally.n];
	}
	ddb_tally_put(tx, rq->mem, e->t, &tally, rq->now);
	ddb_purge(tx, ddb_index_prefix(rq->mem, e->t->id, ix->id));
	x->ProvisionedThroughput = ddb_throughput(rq, NULL);
	ddb_bill_capacity(rq, tx, e->d, e->t, false);
	size_t after = --e->t->n_indexes - at,
		   described_at = (size_t)(x - e->d->GlobalSecondaryIndexes.v);
	memmove(&e->t->indexes[at], &e->t->indexes[at + 1], after * sizeof *e->t->indexes);
	after = --e->d->GlobalSecondaryIndexes.n - described_at;
	memmove(x, x + 1, after * sizeof *x);
	return OK;
}

static err update_index(req *rq, editing *e, const dynamodb_UpdateGlobalSecondaryIndexAction *u)
{
	dynamodb_GlobalSecondaryIndexDescription *x = described(e, u->IndexName);
	if (!x)
		return no_index(rq);
	if (u->WarmThroughput) {
		ddb_warm w = ddb_warm_of(e->t->on_demand, x->ProvisionedThroughput,
		                         x->WarmThroughput ? x->WarmThroughput->ReadUnitsPerSecond : I64(0),
		                         x->WarmThroughput ? x->WarmThroughput->WriteUnitsPerSecond : I64(0));
		TRY(ddb_warm_in(rq, u->WarmThroughput, u->IndexName, &w));
		x->WarmThroughput = ddb_warm_index(rq, w);
	}
	TRY(ddb_most_in(rq, u->OnDemandThroughput, u->IndexName, e->t->on_demand, true));
	if (u->OnDemandThroughput)
		x->OnDemandThroughput = merge_most(rq, x->OnDemandThroughput, u->OnDemandThroughput);
	if (!u->ProvisionedThroughput)
		return OK;
	if (e->t->on_demand)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProvisionedThroughput should not be specified for index: %.*s when "
		            "BillingMode is PAY_PER_REQUEST", STR_ARG(u->IndexName));
	return set_throughput(rq, x->ProvisionedThroughput, u->ProvisionedThroughput);
}

static err check_index_updates(req *rq, const dynamodb_UpdateTable_in *in, const ddb_table *t)
{
	size_t structural = 0;
	for (size_t i = 0; i < in->GlobalSecondaryIndexUpdates.n; i++) {
		const dynamodb_GlobalSecondaryIndexUpdate *u = &in->GlobalSecondaryIndexUpdates.v[i];
		if (!u->Update && !u->Create && !u->Delete)
			return fail(rq, &aws_ValidationException,
			            INVALID "One of GlobalSecondaryIndexUpdate.Update, "
			            "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must "
			            "not be null");
		if (!!u->Update + !!u->Create + !!u->Delete > 1)
			return fail(rq, &aws_ValidationException,
			            INVALID "Only one global secondary index action is allowed per "
			            "GlobalSecondaryIndexUpdate object");
		structural += u->Create || u->Delete;
	}
	for (size_t i = 0; i < t->n_indexes; i++)
		structural += t->indexes[i].building && structural;
	if (structural > 1)
		return fail(rq, &dynamodb_LimitExceededException,
		            "Subscriber limit exceeded: Only 1 online index can be created or deleted "
		            "simultaneously per table");
	return OK;
}

static err change_indexes(req *rq, txn *tx, editing *e, const dynamodb_UpdateTable_in *in)
{
	TRY(check_index_updates(rq, in, e->t));
	for (size_t i = 0; i < in->GlobalSecondaryIndexUpdates.n; i++) {
		const dynamodb_GlobalSecondaryIndexUpdate *u = &in->GlobalSecondaryIndexUpdates.v[i];
		if (u->Create)
			TRY(create_index(rq, tx, e, &e->d->AttributeDefinitions, u->Create));
		if (u->Delete)
			TRY(delete_index(rq, tx, e, u->Delete->IndexName));
		if (u->Update)
			TRY(update_index(rq, e, u->Update));
	}
	return OK;
}

static str update_name(const dynamodb_GlobalSecondaryIndexUpdate *u)
{
	return u->Update ? u->Update->IndexName : u->Create ? u->Create->IndexName
	                                        : u->Delete ? u->Delete->IndexName : STR_NONE;
}

static err check_update_names(req *rq, const dynamodb_UpdateTable_in *in)
{
	const dynamodb_GlobalSecondaryIndexUpdateList *l = &in->GlobalSecondaryIndexUpdates;
	if (str_eq(in->BillingMode, S("PROVISIONED")) && !in->ProvisionedThroughput)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_is(update_name(&l->v[i])) && str_eq(update_name(&l->v[i]), update_name(&l->v[k])))
				return fail(rq, &aws_ValidationException,
				            INVALID "Only one global secondary index update per index is allowed "
				            "simultaneously. Index: %.*s", STR_ARG(update_name(&l->v[i])));
	return OK;
}

static err change_options(req *rq, txn *tx, editing *e, const dynamodb_UpdateTable_in *in)
{
	if (in->StreamSpecification)
		TRY(ddb_stream_set(rq, tx, e->r, e->t, in->StreamSpecification));
	if (in->DeletionProtectionEnabled.set)
		e->d->DeletionProtectionEnabled = in->DeletionProtectionEnabled;
	TRY(ddb_most_in(rq, in->OnDemandThroughput, STR_NONE, e->t->on_demand, true));
	if (in->OnDemandThroughput)
		e->d->OnDemandThroughput = merge_most(rq, e->d->OnDemandThroughput, in->OnDemandThroughput);
	if (in->SSESpecification)
		TRY(ddb_sse_in(rq, tx, in->SSESpecification, &e->d->SSEDescription));
	if (in->WarmThroughput) {
		ddb_warm w = warm_now(e);
		TRY(ddb_warm_in(rq, in->WarmThroughput, STR_NONE, &w));
		e->d->WarmThroughput = ddb_warm_table(rq, w);
	}
	return OK;
}

static void set_class(req *rq, txn *tx, editing *e, str class)
{
	bool infrequent = str_eq(class, S("STANDARD_INFREQUENT_ACCESS"));
	if (!str_is(class) || infrequent == e->t->infrequent)
		return;
	ddb_bill_capacity(rq, tx, e->d, e->t, true);
	ddb_tally_reclass(tx, rq->mem, e->t, infrequent, rq->now);
	e->d->TableClassSummary = arena_new(rq->mem, dynamodb_TableClassSummary);
	e->d->TableClassSummary->TableClass = class;
	e->d->TableClassSummary->LastUpdateDateTime = TIME(rq->now);
}

static err refuse_unknown(req *rq, const dynamodb_UpdateTable_in *in)
{
	if (in->GlobalTableWitnessUpdates.v || str_eq(in->MultiRegionConsistency, S("STRONG")))
		return fail(rq, &aws_NotImplemented,
		            "Global tables with strong consistency among regions are not implemented");
	return OK;
}

/* Some changes come alone. */
static err check_alone(req *rq, const dynamodb_UpdateTable_in *in)
{
	const struct {
		bool given;
		const char *alone;
	} parts[] = {
		{ in->SSESpecification != NULL, "Server-Side Encryption modification" },
		{ str_is(in->TableClass), "TableClass modification" },
		{ in->DeletionProtectionEnabled.set, "DeletionProtection modification" },
		{ in->WarmThroughput != NULL, "WarmThroughput" },
		{ in->OnDemandThroughput != NULL, NULL },
		{ str_is(in->BillingMode) || in->ProvisionedThroughput, NULL },
		{ in->GlobalSecondaryIndexUpdates.n > 0, NULL },
		{ in->StreamSpecification != NULL, NULL },
	};
	size_t given = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		given += parts[i].given;
	if (in->GlobalSecondaryIndexUpdates.v && !in->GlobalSecondaryIndexUpdates.n)
		return fail(rq, &aws_ValidationException, INVALID "List of GlobalSecondaryIndexUpdates is empty");
	if (!given)
		return fail(rq, &aws_ValidationException,
		            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
		            "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, "
		            "MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
		            "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is "
		            "required");
	for (size_t i = 0; given > 1 && i < 4; i++)
		if (parts[i].given)
			return fail(rq, &aws_ValidationException, INVALID "%s must be the only operation in the request",
			            parts[i].alone);
	return OK;
}

/* Attributes that were defined before stay defined as long as some key uses them. */
static void define(req *rq, editing *e, const dynamodb_AttributeDefinitions *given)
{
	dynamodb_AttributeDefinitions all = { 0 };
	size_t old = e->d->AttributeDefinitions.n;
	all.v = arena_array(rq->mem, dynamodb_AttributeDefinition, old + given->n + 1);
	memcpy(all.v, e->d->AttributeDefinitions.v, old * sizeof *all.v);
	all.n = old;
	for (size_t i = 0; i < given->n; i++) {
		size_t k = 0;
		while (k < all.n && !str_eq(all.v[k].AttributeName, given->v[i].AttributeName))
			k++;
		all.v[k] = given->v[i];
		all.n += k == all.n;
	}
	e->d->AttributeDefinitions = all;
}

static void forget_unused(editing *e)
{
	dynamodb_AttributeDefinitions *d = &e->d->AttributeDefinitions;
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++) {
		str name = d->v[i].AttributeName;
		if (ddb_is_key(e->t, name) || ddb_is_index_key(e->t, name))
			d->v[kept++] = d->v[i];
	}
	d->n = kept;
}

/* Changes a table: billing mode, capacity, indexes, stream, class, protection. */
err ddb_table_update(req *rq, txn *tx, const dynamodb_UpdateTable_in *in, dynamodb_UpdateTable_out *out)
{
	editing e;
	TRY(check_alone(rq, in));
	TRY(check_update_names(rq, in));
	TRY(ddb_record(rq, tx, in->TableName, &e.r));
	e.d = e.r->Table;
	e.t = ddb_head_get(tx, rq->mem, e.r->Account, e.r->Region, e.r->TableName);
	ensure(e.t != NULL);
	if (in->AttributeDefinitions.v)
		define(rq, &e, &in->AttributeDefinitions);
	TRY(set_billing(rq, &e, in));
	TRY(change_indexes(rq, tx, &e, in));
	TRY(change_options(rq, tx, &e, in));
	forget_unused(&e);
	set_class(rq, tx, &e, in->TableClass);
	ddb_bill_capacity(rq, tx, e.d, e.t, false);
	dynamodb_table_put(tx, e.r);
	ddb_rates_of(e.t, e.d);
	ddb_head_put(tx, e.t);
	out->TableDescription = ddb_describe(rq, tx, e.r, e.t);
	out->TableDescription->TableStatus = S("UPDATING");
	return OK;
}

/* How they are billed and which indexes they have is the same for all tables of a group. */
static err change_replicas(req *rq, txn *tx, const dynamodb_UpdateTable_in *in)
{
	dynamodb_UpdateTable_in same = { .AttributeDefinitions = in->AttributeDefinitions,
		                                   .BillingMode = in->BillingMode,
		                                   .ProvisionedThroughput = in->ProvisionedThroughput,
		                                   .GlobalSecondaryIndexUpdates = in->GlobalSecondaryIndexUpdates };
	dynamodb_UpdateTable_out out;
	ddb_table *t;
	TRY(ddb_open(rq, tx, in->TableName, &t));
	same.TableName = t->name;
	if (!str_is(same.BillingMode) && !same.ProvisionedThroughput && !same.GlobalSecondaryIndexUpdates.n)
		return OK;
	for (size_t i = 0; i < t->n_replicas; i++) {
		req there = ddb_request_in(rq, t->replicas[i]);
		TRY(ddb_table_update(&there, tx, &same, &out));
	}
	return OK;
}

err dynamodb_UpdateTable(req *rq, txn *tx, const dynamodb_UpdateTable_in *in,
                         dynamodb_UpdateTable_out *out)
{
	str name;
	TRY(ddb_name(rq, in->TableName, &name));
	TRY(refuse_unknown(rq, in));
	if (in->ReplicaUpdates.v)
		return ddb_replicas_update(rq, tx, in, out);
	TRY(ddb_table_update(rq, tx, in, out));
	return change_replicas(rq, tx, in);
}
