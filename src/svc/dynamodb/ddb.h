/*
 * What the files of this folder share: open tables, keys, stored items, and the one way to write.
 *
 * Rows, all with raw keys in the store (a record's key begins with a lower-case letter, these with
 * D):
 *   Dt account 0 region 0 name     the head of a table: what the data plane needs, compact
 *   Di table index hash key..      an item (index 0) or an index entry: size and attributes
 *   Dc table                       the tally: items and bytes of the table and its indexes
 *   De table generation second key..   when an item expires
 *   Dk table hash key                  the bytes of an item collection, where the table has local indexes
 * Table ids (8 bytes) are never used twice, so a deleted table's rows are garbage that a task
 * removes.
 *
 * Items stand in the order hash(partition key), partition key, sort key: Scan runs through hashes
 * as AWS's does, segments divide the hashes evenly, and an item collection is one run of rows.
 *
 * What ddb_open and item reads return points into the transaction.
 */
#pragma once
#include "cloud/req.h"
#include "svc/dynamodb/expr.h"
#include "svc/dynamodb/wire_value.h"

typedef struct ddb_attr {
	str name; /* absent: there is none */
	value_tag type;
} ddb_attr;

/* A key: the attributes that choose the partition, then those that sort. Only global indexes have more than
 * one of a kind. */
#define DDB_KEY_PARTS_MAX 4
typedef struct ddb_schema {
	ddb_attr v[2 * DDB_KEY_PARTS_MAX];
	uint8_t hashes, n;
} ddb_schema;

typedef enum ddb_projects { PROJECT_ALL, PROJECT_KEYS, PROJECT_INCLUDE } ddb_projects;

/* Units a second: provisioned; at most, and from the beginning, on demand; 0: none are set. */
typedef struct ddb_rates {
	int64_t reads, writes, max_reads, max_writes, warm_reads, warm_writes;
} ddb_rates;

typedef struct ddb_index {
	uint16_t id; /* 0 is the table itself */
	bool global, building;
	str name;
	ddb_schema key;
	ddb_projects projects;
	str *include;
	size_t n_include;
	ddb_rates rates;
} ddb_index;

typedef enum ddb_view { VIEW_NONE, VIEW_KEYS, VIEW_NEW, VIEW_OLD, VIEW_BOTH } ddb_view;

typedef struct ddb_table {
	uint64_t id;
	str account, region, name, arn;
	ddb_attr hash, range;
	ddb_index *indexes;
	size_t n_indexes;
	bool on_demand, infrequent;
	str ttl; /* the attribute with the second of expiry */
	uint32_t ttl_generation;
	ddb_view view;
	uint64_t stream;
	ddb_rates rates;
	str *replicas; /* the regions of the other tables of its group */
	size_t n_replicas;
} ddb_table;

#define DDB_INDEXES_MAX 25
/* In the id of a table whose rows stand in the order of AWS's hash; in older ones they stand in another. */
#define DDB_ORDER_OF_AWS (UINT64_C(1) << 62)

/* table_head.c */
/* The name in a TableName parameter, which may be an ARN. The model holds that of operations on items to the
 * rules for names already; operations on tables refuse a wrong one in words of their own. */
err ddb_name(req *rq, str given, str *name);
err ddb_item_name(req *rq, str given, str *name);
/* Requested resource not found, when there is no such table. */
err ddb_open(req *rq, const txn *tx, str given, ddb_table **out);
/* By parts, for timers and tasks; NULL when there is none. */
ddb_table *ddb_head_get(const txn *tx, arena *mem, str account, str region, str name);
void ddb_head_put(txn *tx, const ddb_table *t);
void ddb_head_delete(txn *tx, const ddb_table *t);
const ddb_index *ddb_index_named(const ddb_table *t, str name);
/* The key of an index, or of the table when there is none. */
ddb_schema ddb_schema_of(const ddb_table *t, const ddb_index *ix);
bool ddb_schema_has(const ddb_schema *s, str name);
/* Whether an index keeps this attribute. */
bool ddb_projects_name(const ddb_table *t, const ddb_index *ix, str name);

/* key.c */
/* All rows of an index begin with this; with a partition, all rows of its collection. */
str ddb_index_prefix(arena *mem, uint64_t table, uint16_t index);
str ddb_partition_prefix(arena *mem, const ddb_table *t, const ddb_index *ix, str partition);
/* What stands for the partition that these values choose. */
str ddb_partition_text(arena *mem, const value *v, size_t n);
/* The first row whose hash is at least this. */
str ddb_hash_from(arena *mem, uint64_t table, uint16_t index, uint64_t hash);
void ddb_put_sort(buf *b, value range);
/* The same without its end: what every key that begins with these bytes begins with. */
void ddb_put_sort_prefix(buf *b, value range);
str ddb_row_key(arena *mem, const ddb_table *t, value item);
/* STR_NONE: the item has not the index's keys. */
str ddb_index_key(arena *mem, const ddb_table *t, const ddb_index *ix, value item, str row_key);
str ddb_expiry_prefix(arena *mem, const ddb_table *t);
str ddb_expiry_key(arena *mem, const ddb_table *t, int64_t second, str row_key);
/* What an expiry row's key says: the second, and the row that expires. */
int64_t ddb_expiry_second(str key);
str ddb_expiry_row(arena *mem, const ddb_table *t, str key);
str ddb_tally_key(arena *mem, uint64_t table);
/* The bytes of an item collection; without a partition key, what all of a table's begin with. */
str ddb_collection_key(arena *mem, const ddb_table *t, value hash);

/* item_check.c: each OK, or AWS's ValidationException. */
err ddb_invalid(req *rq, str why);
/* What can be said of a request's values without knowing the table. */
err ddb_values_in(req *rq, const dynamodb_AttributeMap *given, value *out);
err ddb_item_sized(req *rq, value attributes, ddb_item *out);
/* A request's Key: exactly the key attributes, of the right types and sizes. */
err ddb_key_check(req *rq, const ddb_table *t, value key);
/* An item to be put: its keys, its index keys. */
err ddb_item_check(req *rq, const ddb_table *t, value attributes);
err ddb_path_check(req *rq, const ddb_table *t, const path *p);
/* No path goes into a key attribute: those are scalars. Either may be NULL. */
err ddb_paths_check(req *rq, const ddb_table *t, const expr *e, const projection *p);
/* An item after an update. */
err ddb_item_updated(req *rq, const ddb_table *t, value attributes, ddb_item *out);
bool ddb_is_key(const ddb_table *t, str name);
bool ddb_is_index_key(const ddb_table *t, str name);
/* The key attributes of an item as a map. */
value ddb_key_of(arena *mem, const ddb_table *t, const ddb_index *ix, value item);
/* Whether what is wrong is a key's empty value: transactions are refused for that as a whole. */
bool ddb_is_empty_key(err wrong);
/* One attribute of a key that a request gives: present, of the right type and size. */
err ddb_key_piece(req *rq, ddb_attr a, value key, bool range);

/* capacity.c */
typedef struct ddb_units {
	qty table, index[DDB_INDEXES_MAX]; /* in millionths; index[i] of t->indexes[i] */
} ddb_units;
/* One unit for each begun KB (4 KB), at least one; a weak read costs half. */
qty ddb_write_units(size_t bytes);
qty ddb_read_units(size_t bytes, bool consistent);
/* Meters what an on-demand table has used; provisioned capacity is paid by the hour. */
void ddb_meter_reads(req *rq, const ddb_table *t, const ddb_units *u);
void ddb_meter_writes(req *rq, const ddb_table *t, const ddb_units *u);
/* NULL unless asked for. `kind`: "R" or "W" to name the units as transactions do, else NULL. */
dynamodb_ConsumedCapacity *ddb_consumed(req *rq, const ddb_table *t, const ddb_units *u,
                                        str wanted, const char *kind);

/* tally.c */
typedef struct ddb_count {
	int64_t items, bytes;
} ddb_count;
typedef struct ddb_tally {
	ddb_count table, index[DDB_INDEXES_MAX];
	uint16_t index_id[DDB_INDEXES_MAX];
	size_t n;
	int64_t billed;   /* bytes for which the store of usage accrues by itself */
	int64_t since;    /* up to here `drift` is known */
	__int128 drift;   /* byte-milliseconds that accrued beyond `billed` and are not yet usage */
	int64_t settle_due, ttl_due, sweep_due; /* timers that are set; 0: none */
} ddb_tally;
void ddb_tally_get(const txn *tx, arena *mem, const ddb_table *t, ddb_tally *out);
ddb_count *ddb_tally_index(ddb_tally *tally, uint16_t index_id);
/* Before bytes change: brings the drift up to now. After: posts or plans to post it. */
void ddb_tally_advance(ddb_tally *tally, int64_t now);
void ddb_tally_put(txn *tx, arena *mem, const ddb_table *t, ddb_tally *tally, int64_t now);
/* The table is no more: posts what it has cost and ends what accrues. */
void ddb_tally_end(txn *tx, arena *mem, const ddb_table *t, int64_t now);
/* The storage class changes: what accrues ends and begins anew as the other. */
void ddb_tally_reclass(txn *tx, arena *mem, ddb_table *t, bool infrequent, int64_t now);

/* write.c */
typedef struct ddb_writer {
	txn *tx;
	arena *mem;
	const ddb_table *t;
	int64_t now;
	ddb_tally tally;
	ddb_units units;
	int64_t collection; /* by how many bytes the write at hand changes its item collection */
	bool by_service; /* TTL deletes: free, and marked in the stream */
	bool history;    /* what is replaced is kept (backup.h) */
	bool replica;    /* writes what has been written elsewhere */
	struct ddb_writer *replicas; /* one for each of the table's, when there was something to write */
} ddb_writer;
void ddb_write_begin(ddb_writer *w, txn *tx, arena *mem, const ddb_table *t, int64_t now);
/* From old to new, either absent (not both): the row, its index entries, expiry, stream record,
 * tally; adds to w->units. Values must not point into the store. */
void ddb_write(ddb_writer *w, str key, ddb_item old, ddb_item new);
void ddb_write_end(ddb_writer *w);
/* Makes a replica's item what it is elsewhere; `any` has its key. */
void ddb_write_replica(ddb_writer *w, value any, ddb_item new);
/* An item as stored; in a write transaction copy it before the next write. */
ddb_item ddb_item_at(const txn *tx, str key);
ddb_item ddb_item_of_row(str row);
ddb_item ddb_item_copy(arena *mem, ddb_item i);
/* The attributes of an item that an index keeps. */
value ddb_projected(arena *mem, const ddb_table *t, const ddb_index *ix, value attributes);
/* Adds an existing item to an index that is being built. */
void ddb_index_fill(ddb_writer *w, const ddb_index *ix, str key, ddb_item i);
void ddb_expiry_fill(ddb_writer *w, str key, ddb_item i);

/* stream.c */
void ddb_stream_record(ddb_writer *w, value key, ddb_item old, ddb_item new);

/* purge.c: removes every row with this prefix, in the background. */
void ddb_purge(txn *tx, str prefix);
/* tally.c: for timers and tasks: which table, and the table if it is still there. */
str ddb_payload(arena *mem, const ddb_table *t);
ddb_table *ddb_of_payload(const txn *tx, arena *mem, str payload);
/* fill.c: copies of a table's next rows behind one (absent: the first ones), a chunk. */
#define DDB_ROWS_AT_ONCE 200
typedef struct ddb_row {
	str key;
	ddb_item i;
} ddb_row;
size_t ddb_rows_after(const txn *tx, arena *mem, uint64_t table, str after, ddb_row *rows);
/* fill.c: in the background, adds all items to an index that is being built, or to the expiries. */
void ddb_fill(txn *tx, const ddb_table *t, const ddb_index *ix);
/* ttl.c */
void ddb_ttl_arm(txn *tx, const ddb_table *t, int64_t due);

/* change.c: one item changed under a condition, for single, batch and transactional writes */
typedef enum ddb_change_kind {
	CHANGE_PUT,
	CHANGE_DELETE,
	CHANGE_UPDATE,
	CHANGE_CHECK
} ddb_change_kind;
typedef struct ddb_change {
	ddb_change_kind kind;
	const expr *condition;
	update update;
	bool alone;    /* UpdateItem's, which has a limit of its own */
	ddb_item put;  /* PUT */
	value key;     /* the others */
	/* What ddb_change_apply found and made. */
	ddb_item old, new;
	bool failed;   /* the condition did not hold; nothing was written */
} ddb_change;
/* Validates an update's paths against the table. */
err ddb_update_check(req *rq, const ddb_table *t, const update *u);
err ddb_change_apply(req *rq, ddb_writer *w, ddb_change *c);
/* What a change gives back: ALL_OLD, ALL_NEW, UPDATED_OLD, UPDATED_NEW; otherwise nothing. */
dynamodb_AttributeMap ddb_returned(req *rq, const ddb_change *c, str wanted);
/* ConditionalCheckFailedException, with the item when asked for. */
err ddb_check_failed(req *rq, str return_values, ddb_item old);
/* collection.c: the items of one partition key, in tables with local indexes */
bool ddb_has_collections(const ddb_table *t);
int64_t ddb_collection_bytes(const txn *tx, arena *mem, const ddb_table *t, value hash);
void ddb_collection_grow(ddb_writer *w, value hash, int64_t bytes);
/* ItemCollectionSizeLimitExceededException when the write would grow it beyond 10 GB. */
err ddb_collection_check(req *rq, const ddb_writer *w, value key, ddb_item old, ddb_item new);
/* The collection that a write touched; NULL unless asked for. */
dynamodb_ItemCollectionMetrics *ddb_collection(req *rq, const ddb_writer *w, str wanted, value key);
/* The same for several writes: gathered (at most `most`), told when all is written. */
typedef struct ddb_touched {
	const ddb_table *t;
	const ddb_writer *w;
	value key, hash;
} ddb_touched;
typedef struct ddb_collections {
	ddb_touched *v;
	size_t n;
} ddb_collections;
void ddb_collections_add(req *rq, ddb_collections *touched, const ddb_writer *w, str wanted, value key,
                         size_t most);
void ddb_collections_out(req *rq, const ddb_collections *touched,
                         dynamodb_ItemCollectionMetricsPerTable *out);

/* table_check.c: a table's schema out of a request, or AWS's ValidationException */
err ddb_schema_in(req *rq, const dynamodb_AttributeDefinitions *defined,
                  const dynamodb_KeySchema *keys, bool global, ddb_schema *out);
err ddb_projection_in(req *rq, const dynamodb_Projection *p, ddb_index *out);
err ddb_table_in(req *rq, const dynamodb_CreateTable_in *in, ddb_table *out);
/* Every defined attribute is some key. */
err ddb_defined_used(req *rq, const dynamodb_AttributeDefinitions *defined, const ddb_table *t);
err ddb_throughput_in(req *rq, bool on_demand, const dynamodb_ProvisionedThroughput *p);

/* table_describe.c */
/* Takes the capacity that throttles from the description. */
void ddb_rates_of(ddb_table *t, const dynamodb_TableDescription *d);
err ddb_record(req *rq, const txn *tx, str given, dynamodb_table **out);
/* The description as it stands now: counts and statuses filled in. */
dynamodb_TableDescription *ddb_describe(req *rq, const txn *tx, const dynamodb_table *r, const ddb_table *t);
/* Capacity paid by the hour follows the description: all of it, or none when the table ends. */
void ddb_bill_capacity(req *rq, txn *tx, const dynamodb_TableDescription *d, const ddb_table *t, bool ends);
dynamodb_ProvisionedThroughputDescription *ddb_throughput(req *rq, const dynamodb_ProvisionedThroughput *p);
