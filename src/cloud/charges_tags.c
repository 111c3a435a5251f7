#include "cloud/charges_tags.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/looker.h"
#include "cloud/meter_rows.h"
#include "cloud/server.h"
#include "cloud/tags.h"
#include "sys/clock.h"

/*
 *     $tags/ account 00 resource 00 hour(8, big-endian)  ->  {"key":"value",..}
 *     $tagwatch/ account
 */
#define ROWS S("$tags/")
#define WATCHED S("$tagwatch/")
#define BODY_MAX ((size_t)1 << 14)
#define LOOK_MS 2000
#define REST_FACTOR 50
#define KEY_MAX (METER_RESOURCE_MAX + METER_PART_MAX + 32)

/* How a service says what tags a resource has. */
static const struct asking {
	const char *of;       /* third part of the ARN, or what a sku begins with */
	const char *service, *operation, *member, *tags;
	enum { AS_TEXT, AS_LIST, AS_URL, AS_PARAMETER, AS_FILTER } as;
	int parts;            /* of the ARN that name the resource; 0: all */
} askings[] = {
	{ "dynamodb", "dynamodb", "ListTagsOfResource", "ResourceArn", "Tags", AS_TEXT, 0 },
	{ "lambda", "lambda", "ListTags", "Resource", "Tags", AS_TEXT, 7 },
	{ "logs", "logs", "ListTagsForResource", "resourceArn", "tags", AS_TEXT, 7 },
	{ "sqs", "sqs", "ListQueueTags", "QueueUrl", "Tags", AS_URL, 0 },
	{ "sns", "sns", "ListTagsForResource", "ResourceArn", "Tags", AS_TEXT, 6 },
	{ "kms", "kms", "ListResourceTags", "KeyId", "Tags", AS_TEXT, 0 },
	{ "secretsmanager", "secretsmanager", "DescribeSecret", "SecretId", "Tags", AS_TEXT, 0 },
	{ "ssm", "ssm", "ListTagsForResource", "ResourceId", "TagList", AS_PARAMETER, 0 },
	{ "rds", "rds", "ListTagsForResource", "ResourceName", "TagList", AS_TEXT, 0 },
	{ "ecr", "ecr", "ListTagsForResource", "resourceArn", "tags", AS_TEXT, 0 },
	{ "cloudwatch", "cloudwatch", "ListTagsForResource", "ResourceARN", "Tags", AS_TEXT, 0 },
	{ "events", "events", "ListTagsForResource", "ResourceARN", "Tags", AS_TEXT, 0 },
	{ "elasticache", "elasticache", "ListTagsForResource", "ResourceName", "TagList", AS_TEXT, 0 },
	{ "ecs", "ecs", "ListTagsForResource", "resourceArn", "tags", AS_TEXT, 0 },
	{ "elasticloadbalancing", "elbv2", "DescribeTags", "ResourceArns", "TagDescriptions", AS_LIST, 0 },
	{ "states", "stepfunctions", "ListTagsForResource", "resourceArn", "tags", AS_TEXT, 0 },
	{ "ec2", "ec2", "DescribeTags", "resource-id", "Tags", AS_FILTER, 0 },
	{ "s3.", "s3", "GetBucketTagging", "Bucket", "TagSet", AS_TEXT, 0 },
	{ "apigw.rest", "apigateway", "GetRestApi", "restApiId", "tags", AS_TEXT, 0 },
	{ "apigw.", "apigatewayv2", "GetApi", "ApiId", "Tags", AS_TEXT, 0 },
};

static str arn_part(str arn, int n)
{
	for (int i = 0; i < n; i++)
		str_cut(&arn, ':');
	return str_is(arn) ? str_cut(&arn, ':') : S("");
}

static str arn_parts(str arn, int n)
{
	size_t at = 0;
	for (int i = 0; i < n && at < arn.n; i++, at++)
		while (at < arn.n && arn.p[at] != ':')
			at++;
	return n && at <= arn.n ? str_sub(arn, 0, at ? at - 1 : 0) : arn;
}

static const struct asking *asking_for(str sku, str resource)
{
	bool arn = str_starts(resource, S("arn:"));
	str owner = arn ? arn_part(resource, 2) : S("");
	for (size_t i = 0; i < sizeof askings / sizeof *askings; i++) {
		str of = str_c(askings[i].of);
		bool by_sku = str_find_char(of, '.') != SIZE_MAX;
		if (by_sku != arn && (arn ? str_eq(owner, of) : str_starts(sku, of)))
			return &askings[i];
	}
	return NULL;
}

static str behind_slash(str arn)
{
	size_t at = arn.n;
	while (at > 0 && arn.p[at - 1] != '/')
		at--;
	return str_sub(arn, at, arn.n);
}

static str question(arena *mem, const struct asking *a, str resource)
{
	buf b = buf_in(mem, 256, BODY_MAX);
	str value = a->parts ? arn_parts(resource, a->parts) : resource;
	size_t stream = str_find(value, S("/stream/"));
	if (stream != SIZE_MAX)
		value = str_sub(value, 0, stream);
	if (a->as == AS_URL)
		value = arena_fmt(mem, "%.*s/%.*s/%.*s", STR_ARG(server_endpoint()), STR_ARG(arn_part(resource, 4)),
		                  STR_ARG(arn_part(resource, 5)));
	if (a->as == AS_PARAMETER) {
		/* arn:..:parameter/a/b is /a/b, parameter/a is a. */
		str name = arn_part(resource, 5);
		name = str_sub(name, S("parameter").n, name.n);
		bool path = str_find_char(str_sub(name, 1, name.n), '/') != SIZE_MAX;
		value = path ? name : str_sub(name, 1, name.n);
		buf_put(&b, S("{\"ResourceType\":\"Parameter\","));
	} else {
		buf_c(&b, '{');
	}
	if (a->as == AS_FILTER) {
		buf_fmt(&b, "\"Filters\":[{\"Name\":\"%s\",\"Values\":[", a->member);
		json_put_string(&b, behind_slash(resource));
		buf_put(&b, S("]}]}"));
		return buf_str(&b);
	}
	buf_fmt(&b, "\"%s\":%s", a->member, a->as == AS_LIST ? "[" : "");
	json_put_string(&b, value);
	buf_put(&b, a->as == AS_LIST ? S("]}") : S("}"));
	return buf_str(&b);
}

static void put_tag(buf *b, str key, str value)
{
	if (b->n > 1)
		buf_c(b, ',');
	json_put_string(b, key);
	buf_c(b, ':');
	json_put_string(b, value);
}

/* What a service said of tags as {"key":"value",..}. */
static str tags_text(arena *mem, const json_value *tags)
{
	buf b = buf_in(mem, 256, BODY_MAX);
	buf_c(&b, '{');
	if (tags && tags->kind == JSON_ARRAY && tags->first && json_get(tags->first, S("Tags")))
		tags = json_get(tags->first, S("Tags"));
	tag_list l = tags_of_json(mem, tags);
	for (size_t i = 0; i < l.n; i++)
		put_tag(&b, l.v[i].key, l.v[i].value);
	buf_c(&b, '}');
	return b.full ? S("{}") : buf_str(&b);
}

/* Of what is gone EC2 lists no tags, as of what never had any: whoever describes the kind can tell. */
static bool ec2_gone(req *rq, arena *mem, str arn)
{
	static const char *const kinds[][3] = {
		{ ":instance/", "DescribeInstances", "InstanceIds" }, { ":volume/", "DescribeVolumes", "VolumeIds" },
		{ ":elastic-ip/", "DescribeAddresses", "AllocationIds" },
		{ ":natgateway/", "DescribeNatGateways", "NatGatewayIds" },
		{ ":vpc-endpoint/", "DescribeVpcEndpoints", "VpcEndpointIds" },
		{ ":snapshot/", "DescribeSnapshots", "SnapshotIds" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		buf in = buf_in(mem, 128, BODY_MAX);
		str answer;
		if (str_find(arn, str_c(kinds[i][0])) == SIZE_MAX || !call_possible("ec2", kinds[i][1]))
			continue;
		buf_fmt(&in, "{\"%s\":[", kinds[i][2]);
		json_put_string(&in, behind_slash(arn));
		buf_put(&in, S("]}"));
		return call_json(rq, NULL, "ec2", kinds[i][1], buf_str(&in), &answer) != OK ||
		       str_find(answer, S("\"terminated\"")) != SIZE_MAX ||
		       str_find(answer, S("\"deleted\"")) != SIZE_MAX;
	}
	return false;
}

/* STR_NONE: nobody can say, or the resource is gone. */
static str ask(store *s, arena *mem, const price_use *u, str account)
{
	const struct asking *a = asking_for(u->sku, u->resource);
	str answer;
	if (!a || !call_possible(a->service, a->operation))
		return STR_NONE;
	req *rq = req_internal(mem, s, "ce.amazonaws.com", account, u->region);
	err e = call_json(rq, NULL, a->service, a->operation, question(mem, a, u->resource), &answer);
	if (e)
		return str_eq(str_c(e->kind->code), S("NoSuchTagSet")) ? S("{}") : STR_NONE;
	const json_value *v = json_parse(mem, answer);
	str text = v ? tags_text(mem, json_get(v, str_c(a->tags))) : STR_NONE;
	bool none = a->as == AS_FILTER && str_eq(text, S("{}"));
	return none && ec2_gone(rq, mem, u->resource) ? STR_NONE : text;
}

static str row_prefix(char *out, str account, str resource)
{
	size_t n = ROWS.n;
	memcpy(out, ROWS.p, n);
	account = str_sub(account, 0, METER_PART_MAX);
	resource = str_sub(resource, 0, METER_RESOURCE_MAX);
	memcpy(out + n, account.p, account.n);
	n += account.n;
	out[n++] = 0;
	memcpy(out + n, resource.p, resource.n);
	n += resource.n;
	out[n++] = 0;
	return str_of(out, n);
}

/* Every key that begins with it stands before this one. */
static str prefix_end(char *out, str prefix)
{
	memcpy(out, prefix.p, prefix.n);
	out[prefix.n - 1]++;
	return str_of(out, prefix.n);
}

static void hour_put(char *to, int64_t hour)
{
	for (int i = 0; i < 8; i++)
		to[i] = (char)((uint64_t)hour >> (56 - 8 * i));
}

static int64_t hour_get(const char *from)
{
	uint64_t hour = 0;
	for (int i = 0; i < 8; i++)
		hour = hour << 8 | (unsigned char)from[i];
	return (int64_t)hour;
}

/* What the last look found; STR_NONE: there was none. */
static str last_seen(const txn *tx, str account, str resource)
{
	char from[KEY_MAX], to[KEY_MAX];
	str prefix = row_prefix(from, account, resource), found = STR_NONE;
	cursor c = txn_scan(tx, prefix, prefix_end(to, prefix), true);
	if (cursor_next(&c))
		found = c.value;
	cursor_close(&c);
	return found;
}

typedef struct sight {
	str resource, tags;
	struct sight *next;
} sight;

typedef struct looking {
	arena *mem;
	store *store;
	str account;
	int64_t hour;
	map resources;        /* resource -> price_use */
	price_use **uses;
	size_t n, capacity;
	sight *news;
} looking;

static void note_resource(void *context, const usage_line *l)
{
	looking *k = context;
	const meter_kind *kind = meter_named(l->meter);
	if (l->resource.n == 0 || map_get(&k->resources, l->resource))
		return;
	price_use *u = arena_new(k->mem, price_use);
	*u = (price_use){ .region = arena_str(k->mem, l->region), .resource = arena_str(k->mem, l->resource),
		              .sku = arena_str(k->mem, kind ? str_c(kind->sku) : l->meter) };
	map_put(&k->resources, u->resource, u);
	if (k->n == k->capacity) {
		size_t wider = k->capacity ? 2 * k->capacity : 64;
		price_use **uses = arena_array(k->mem, price_use *, wider);
		if (k->n)
			memcpy(uses, k->uses, k->n * sizeof *uses);
		k->uses = uses;
		k->capacity = wider;
	}
	k->uses[k->n++] = u;
}

static bool write_news(void *context, txn *tx)
{
	const looking *k = context;
	char key[KEY_MAX];
	for (const sight *s = k->news; s; s = s->next) {
		str prefix = row_prefix(key, k->account, s->resource);
		hour_put(key + prefix.n, k->hour);
		txn_put(tx, str_of(key, prefix.n + 8), s->tags);
	}
	charges_tags_watch(tx, k->account);
	return true;
}

static bool is_watched(const txn *tx, arena *mem, str account)
{
	return str_is(txn_get(tx, arena_concat(mem, WATCHED, account)));
}

static void find_news(looking *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const price_use *u = k->uses[i];
		str tags = ask(k->store, k->mem, u, k->account);
		const txn *tx = store_read(k->store);
		bool same = !str_is(tags) || str_eq(last_seen(tx, k->account, u->resource), tags);
		store_read_end(k->store, tx);
		if (same)
			continue;
		sight *s = arena_new(k->mem, sight);
		*s = (sight){ u->resource, tags, k->news };
		k->news = s;
	}
}

err charges_tags_look(store *s, str account)
{
	arena *mem = arena_open(1 << 14);
	int64_t now = clock_now();
	looking k = { .mem = mem, .store = s, .account = account, .hour = meter_hour(now) };
	k.resources = map_in(mem, 64);
	const txn *tx = store_read(s);
	bool watched = is_watched(tx, mem, account);
	/* A first look takes in the month, later ones what has been used since about the last. */
	int64_t since = watched ? k.hour - MS_HOUR : month_of(now);
	usage_each(tx, account, since, k.hour + MS_HOUR, now, note_resource, &k);
	store_read_end(s, tx);
	find_news(&k);
	err e = k.news || !watched ? store_write(s, write_news, &k) : OK;
	arena_close(mem);
	return e;
}

void charges_tags_watch(txn *tx, str account)
{
	str key = arena_concat(txn_arena(tx), WATCHED, account);
	if (!str_is(txn_get(tx, key)))
		txn_put(tx, key, S("1"));
}

void charges_tags_look_all(store *s)
{
	arena *mem = arena_open(1 << 12);
	str accounts[METER_PART_MAX];
	size_t n = 0;
	const txn *tx = store_read(s);
	cursor c = txn_scan(tx, WATCHED, S("$tagwatch0"), false);
	while (cursor_next(&c) && n < METER_PART_MAX)
		accounts[n++] = arena_str(mem, str_sub(c.key, WATCHED.n, c.key.n));
	store_read_end(s, tx);
	for (size_t i = 0; i < n; i++) {
		err e = charges_tags_look(s, accounts[i]);
		(void)e; /* the next look finds it again */
	}
	arena_close(mem);
}

typedef struct moment {
	int64_t hour;
	str text;
	const json_value *tags;
	struct moment *next;
} moment;

typedef struct history {
	moment *last; /* later ones first */
} history;

struct charges_tags {
	arena *mem;
	const txn *tx;
	str account;
	map histories;
};

charges_tags *charges_tags_open(arena *mem, const txn *tx, str account)
{
	charges_tags *t = arena_new(mem, charges_tags);
	*t = (charges_tags){ .mem = mem, .tx = tx, .account = account, .histories = map_in(mem, 64) };
	return t;
}

static history *history_of(charges_tags *t, str resource)
{
	char from[KEY_MAX], to[KEY_MAX];
	history *h = map_get(&t->histories, resource);
	if (h)
		return h;
	h = arena_new(t->mem, history);
	h->last = NULL;
	map_put(&t->histories, arena_str(t->mem, resource), h);
	str prefix = row_prefix(from, t->account, resource);
	cursor c = txn_scan(t->tx, prefix, prefix_end(to, prefix), false);
	while (cursor_next(&c)) {
		moment *m = arena_new(t->mem, moment);
		*m = (moment){ .hour = hour_get(c.key.p + prefix.n), .text = arena_str(t->mem, c.value),
			           .next = h->last };
		m->tags = json_parse(t->mem, m->text);
		h->last = m;
	}
	cursor_close(&c);
	return h;
}

static const moment *moment_of(charges_tags *t, const price_use *u)
{
	const moment *m = u->resource.n ? history_of(t, u->resource)->last : NULL;
	while (m && m->next && m->hour > u->when)
		m = m->next;
	return m;
}

str charges_tags_text(charges_tags *t, const price_use *u)
{
	const moment *m = moment_of(t, u);
	return m ? m->text : S("{}");
}

str charges_tag(charges_tags *t, const price_use *u, str key)
{
	const moment *m = moment_of(t, u);
	const json_value *v = m ? json_get(m->tags, key) : NULL;
	return v ? v->text : STR_NONE;
}

void charges_tags_each(const txn *tx, arena *mem, str account,
                       void (*each)(void *context, int64_t hour, str key, str value), void *context)
{
	str prefix = arena_fmt(mem, "%.*s%.*s%c", STR_ARG(ROWS), STR_ARG(account), 0);
	char to[KEY_MAX];
	cursor c = txn_scan(tx, prefix, prefix_end(to, prefix), false);
	while (cursor_next(&c)) {
		const json_value *v = json_parse(mem, arena_str(mem, c.value));
		for (const json_value *m = v ? v->first : NULL; m; m = m->next)
			each(context, hour_get(c.key.p + c.key.n - 8), m->key, m->text);
	}
	cursor_close(&c);
}

static looker *watching;

static err start(store *s, str data_folder)
{
	(void)data_folder;
	watching = looker_start(s, LOOK_MS, REST_FACTOR, charges_tags_look_all);
	return OK;
}

static void stop(void)
{
	looker_stop(watching);
}
SERVER_PART(charges_tags, start, stop);
