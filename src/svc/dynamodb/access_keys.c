/*
 * DynamoDB's keys of conditions: dynamodb:LeadingKeys (the partition keys that a request names) and
 * dynamodb:Attributes (the top-level attributes), with which policies open a table row by row.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "gen/dynamodb.h"

typedef struct found {
	arena *mem;
	str *v;
	size_t n, room;
} found;

static void add(found *f, str text)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i], text))
			return;
	if (f->n == f->room) {
		size_t room = f->room ? f->room * 2 : 8;
		str *wider = arena_array(f->mem, str, room);
		if (f->n)
			memcpy(wider, f->v, f->n * sizeof *wider);
		f->v = wider;
		f->room = room;
	}
	f->v[f->n++] = text;
}

/* The name of the partition key of the table or index that is asked about. */
static str partition_key(asking *a)
{
	arn_parts p;
	if (!a->tx || !arn_split(a->q.resource, &p))
		return STR_NONE;
	str rest = p.resource;
	str_cut(&rest, '/');
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	dynamodb_table *t = str_is(name) ?
		dynamodb_table_get(a->tx, a->rq->mem, p.account, p.region, name) : NULL;
	if (!t)
		return STR_NONE;
	dynamodb_KeySchema keys = t->Table->KeySchema;
	if (str_is(rest) && str_starts(rest, S("index/"))) {
		str index = str_sub(rest, 6, rest.n);
		for (size_t i = 0; i < t->Table->GlobalSecondaryIndexes.n; i++)
			if (str_eq(t->Table->GlobalSecondaryIndexes.v[i].IndexName, index))
				keys = t->Table->GlobalSecondaryIndexes.v[i].KeySchema;
	}
	for (size_t i = 0; i < keys.n; i++)
		if (str_eq(keys.v[i].KeyType, dynamodb_KeyType_HASH))
			return keys.v[i].AttributeName;
	return STR_NONE;
}

static str text_of(const dynamodb_AttributeValue *v)
{
	return str_is(v->S) ? v->S : str_is(v->N) ? v->N : v->B;
}

/* Items, keys and their like are all maps from names to values, with entries of one layout. */
static void from_map(found *f, str name, const dynamodb_Key_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].key, name))
			add(f, text_of(&v[i].value));
}
#define FROM_MAP(f, name, map) from_map((f), (name), (const dynamodb_Key_entry *)(map).v, (map).n)
#define SAME_LAYOUT(type) _Static_assert(sizeof(type##_entry) == sizeof(dynamodb_Key_entry) && \
	offsetof(type##_entry, value) == offsetof(dynamodb_Key_entry, value), "maps of attributes are alike")
SAME_LAYOUT(dynamodb_PutItemInputAttributeMap);
SAME_LAYOUT(dynamodb_ExpressionAttributeValueMap);

static bool in_word(char c)
{
	bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
	return plain || c == '_' || c == '#' || c == ':' || c == '-';
}

/* The next word of an expression, or a character that stands alone; STR_NONE at its end. */
static str token(str *rest)
{
	size_t i = 0, end;
	while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t' || rest->p[i] == '\n'))
		i++;
	if (i == rest->n)
		return STR_NONE;
	for (end = i; end < rest->n && in_word(rest->p[end]); end++)
		;
	end += end == i;
	str word = str_sub(*rest, i, end);
	*rest = str_sub(*rest, end, rest->n);
	return word;
}

static str unaliased(const dynamodb_ExpressionAttributeNameMap *names, str word)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i].key, word))
			return names->v[i].value;
	return word;
}

/* NAME = :value in a key condition. */
static void from_condition(found *f, str name, str text, const dynamodb_Query_in *q)
{
	str last = STR_NONE, word;
	bool equals = false;
	while (str_is(word = token(&text))) {
		if (equals && word.p[0] == ':' && str_eq(unaliased(&q->ExpressionAttributeNames, last), name))
			FROM_MAP(f, word, q->ExpressionAttributeValues);
		equals = str_eq(word, S("="));
		if (!equals && in_word(word.p[0]))
			last = word;
	}
}

static bool is_keyword(str word)
{
	static const char *const words[] = {
		"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE", "attribute_exists",
		"attribute_not_exists", "attribute_type", "begins_with", "contains", "size", "if_not_exists",
		"list_append",
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq_nocase(word, str_c(words[i])))
			return true;
	return false;
}

/* The top-level attributes that an expression names. */
static void attributes_named(found *f, str text, const dynamodb_ExpressionAttributeNameMap *names)
{
	bool inside = false;
	str word;
	while (str_is(text) && str_is(word = token(&text))) {
		bool step = str_eq(word, S(".")) || str_eq(word, S("["));
		if (!inside && in_word(word.p[0]) && word.p[0] != ':' && !is_keyword(word))
			add(f, unaliased(names, word));
		inside = step;
	}
}

static void batch_keys(asking *a, found *f, str name)
{
	arn_parts p;
	str table = arn_split(a->q.resource, &p) ? str_sub(p.resource, 6, p.resource.n) : STR_NONE;
	if (strcmp(a->rq->op->name, "BatchGetItem") == 0) {
		const dynamodb_BatchGetItem_in *in = a->in;
		for (size_t i = 0; i < in->RequestItems.n; i++)
			for (size_t k = 0; str_ends(in->RequestItems.v[i].key, table) &&
			                   k < in->RequestItems.v[i].value.Keys.n; k++)
				FROM_MAP(f, name, in->RequestItems.v[i].value.Keys.v[k]);
		return;
	}
	const dynamodb_BatchWriteItem_in *in = a->in;
	for (size_t i = 0; i < in->RequestItems.n; i++)
		for (size_t k = 0; k < in->RequestItems.v[i].value.n; k++) {
			const dynamodb_WriteRequest *w = &in->RequestItems.v[i].value.v[k];
			if (!str_ends(in->RequestItems.v[i].key, table))
				break;
			if (w->PutRequest)
				FROM_MAP(f, name, w->PutRequest->Item);
			if (w->DeleteRequest)
				FROM_MAP(f, name, w->DeleteRequest->Key);
		}
}

static void transaction_keys(asking *a, found *f, str name)
{
	if (strcmp(a->rq->op->name, "TransactGetItems") == 0) {
		const dynamodb_TransactGetItems_in *in = a->in;
		for (size_t i = 0; i < in->TransactItems.n; i++)
			FROM_MAP(f, name, in->TransactItems.v[i].Get->Key);
		return;
	}
	const dynamodb_TransactWriteItems_in *in = a->in;
	for (size_t i = 0; i < in->TransactItems.n; i++) {
		const dynamodb_TransactWriteItem *w = &in->TransactItems.v[i];
		if (w->Put)
			FROM_MAP(f, name, w->Put->Item);
		if (w->Update)
			FROM_MAP(f, name, w->Update->Key);
		if (w->Delete)
			FROM_MAP(f, name, w->Delete->Key);
		if (w->ConditionCheck)
			FROM_MAP(f, name, w->ConditionCheck->Key);
	}
}

static void leading_keys(asking *a, found *f)
{
	const char *op = a->rq->op->name;
	str name = partition_key(a);
	if (!str_is(name) || !a->in)
		return;
	if (strcmp(op, "GetItem") == 0)
		FROM_MAP(f, name, ((const dynamodb_GetItem_in *)a->in)->Key);
	else if (strcmp(op, "PutItem") == 0)
		FROM_MAP(f, name, ((const dynamodb_PutItem_in *)a->in)->Item);
	else if (strcmp(op, "UpdateItem") == 0)
		FROM_MAP(f, name, ((const dynamodb_UpdateItem_in *)a->in)->Key);
	else if (strcmp(op, "DeleteItem") == 0)
		FROM_MAP(f, name, ((const dynamodb_DeleteItem_in *)a->in)->Key);
	else if (strncmp(op, "Batch", 5) == 0 && strstr(op, "Item"))
		batch_keys(a, f, name);
	else if (strncmp(op, "Transact", 8) == 0)
		transaction_keys(a, f, name);
	else if (strcmp(op, "Query") == 0) {
		const dynamodb_Query_in *q = a->in;
		if (str_is(q->KeyConditionExpression))
			from_condition(f, name, q->KeyConditionExpression, q);
		for (size_t i = 0; i < q->KeyConditions.n; i++)
			if (str_eq(q->KeyConditions.v[i].key, name) && q->KeyConditions.v[i].value.AttributeValueList.n)
				add(f, text_of(&q->KeyConditions.v[i].value.AttributeValueList.v[0]));
	}
}

static void map_names(found *f, const dynamodb_Key_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(f, v[i].key);
}

static void attributes(asking *a, found *f)
{
	static const char *const texts[] = { "ProjectionExpression", "UpdateExpression", "ConditionExpression",
		                                 "FilterExpression", "KeyConditionExpression" };
	const shape *input = a->in ? a->rq->op->input : NULL;
	const shape_member *m = input ? shape_member_find(input, S("ExpressionAttributeNames")) : NULL;
	const dynamodb_ExpressionAttributeNameMap none = { 0 };
	const dynamodb_ExpressionAttributeNameMap *names =
		m ? (const void *)((const char *)a->in + m->offset) : &none;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		attributes_named(f, asking_member(a, texts[i]), names);
	m = input ? shape_member_find(input, S("AttributesToGet")) : NULL;
	const dynamodb_AttributeNameList *list = m ? (const void *)((const char *)a->in + m->offset) : NULL;
	for (size_t i = 0; list && i < list->n; i++)
		add(f, list->v[i]);
	for (int i = 0; i < 2; i++) {
		m = input ? shape_member_find(input, i ? S("Item") : S("Key")) : NULL;
		const dynamodb_Key *map = m ? (const void *)((const char *)a->in + m->offset) : NULL;
		if (map)
			map_names(f, map->v, map->n);
	}
}

static const policy_key *find_key(asking *a, str name)
{
	found f = { .mem = a->rq->mem };
	const char *op = a->rq->op->name;
	if (str_eq_nocase(name, S("dynamodb:LeadingKeys")))
		leading_keys(a, &f);
	else if (str_eq_nocase(name, S("dynamodb:Attributes")))
		attributes(a, &f);
	else if (str_eq_nocase(name, S("dynamodb:Select")))
		return asking_value(a, name, asking_member(a, "Select"));
	else if (str_eq_nocase(name, S("dynamodb:ReturnValues")))
		return asking_value(a, name, asking_member(a, "ReturnValues"));
	else if (str_eq_nocase(name, S("dynamodb:ReturnConsumedCapacity")))
		return asking_value(a, name, asking_member(a, "ReturnConsumedCapacity"));
	else if (str_eq_nocase(name, S("dynamodb:EnclosingOperation")) && strncmp(op, "Transact", 8) == 0)
		return asking_value(a, name, str_c(op));
	else if (str_eq_nocase(name, S("dynamodb:FullTableScan")) && strcmp(op, "Scan") == 0)
		return asking_value(a, name, S("true"));
	return asking_values(a, name, f.v, f.n);
}
ACCESS_KEYS(dynamodb, "dynamodb", find_key);
