/* Policies of data protection as they are read, and what is found by them. */
#include "protection.h"
#include "base/json.h"
#include "base/time.h"
#include "regex.h"

#define ARN_BEGINS S("arn:aws:dataprotection::aws:data-identifier/")
#define NEAR 30 /* characters between a word and what it speaks of */
#define CUSTOM_MAX 10
#define SCRATCH_MAX ((size_t)1 << 20)
#define CUSTOM_CHARACTERS_MAX 200
#define CUSTOM_CODE_MAX 500
#define REPORT_BYTES ((size_t)256 << 10)

typedef struct wanted {
	struct wanted *next;
	str name;
	const identifier *managed;   /* NULL: a custom one */
	const regex *expression;
} wanted;

typedef struct destination {
	struct destination *next;
	str group;
} destination;

struct protection {
	wanted *first, **last;
	destination *reports;
};

static err bad(req *rq, const char *why)
{
	return fail(rq, &logs_InvalidParameterException, "Invalid data protection policy: %s", why);
}

static const json_value *custom_named(const json_value *document, str name)
{
	const json_value *v = json_get(json_get(document, S("Configuration")), S("CustomDataIdentifier"));
	for (const json_value *c = v && v->kind == JSON_ARRAY ? v->first : NULL; c; c = c->next) {
		const json_value *n = json_get(c, S("Name"));
		if (n && str_eq(n->text, name))
			return json_get(c, S("Regex"));
	}
	return NULL;
}

static bool is_wanted(const protection *p, str name)
{
	for (const wanted *w = p->first; w; w = w->next)
		if (str_eq(w->name, name))
			return true;
	return false;
}

/* NULL: known neither to AWS's list as far as it is here, nor to the document. */
static wanted *read_identifier(arena *mem, const json_value *document, str said)
{
	bool managed = str_starts(said, ARN_BEGINS);
	wanted *w = arena_new(mem, wanted);
	w->name = managed ? str_sub(said, ARN_BEGINS.n, said.n) : said;
	w->managed = managed ? identifier_named(w->name) : NULL;
	const json_value *custom = managed ? NULL : custom_named(document, said);
	if (w->managed)
		w->expression = regex_read(mem, str_c(w->managed->expression));
	else if (custom && custom->kind == JSON_STRING && custom->text.n &&
	         custom->text.n <= CUSTOM_CHARACTERS_MAX)
		w->expression = regex_read(mem, custom->text);
	/* Every event is held against it while it is written. */
	bool small = w->expression && (w->managed || w->expression->n <= CUSTOM_CODE_MAX);
	return small ? w : NULL;
}

static void add_identifiers(arena *mem, protection *p, const json_value *document, const json_value *list)
{
	for (const json_value *c = list && list->kind == JSON_ARRAY ? list->first : NULL; c; c = c->next) {
		wanted *w = read_identifier(mem, document, c->text);
		if (!w || is_wanted(p, w->name))
			continue;
		*p->last = w;
		p->last = &w->next;
	}
}

static const json_value *operation_of(const json_value *statement, const char *name)
{
	return json_get(json_get(statement, S("Operation")), str_c(name));
}

static const json_value *statement_with(const json_value *document, const char *name)
{
	const json_value *all = json_get(document, S("Statement"));
	for (const json_value *c = all && all->kind == JSON_ARRAY ? all->first : NULL; c; c = c->next)
		if (operation_of(c, name))
			return c;
	return NULL;
}

static err check_identifiers(req *rq, const json_value *document, const json_value *list)
{
	if (!list || list->kind != JSON_ARRAY || !list->first)
		return bad(rq, "every statement has a DataIdentifier array.");
	for (const json_value *c = list->first; c; c = c->next) {
		if (c->kind != JSON_STRING)
			return bad(rq, "a DataIdentifier is a string.");
		if (read_identifier(rq->mem, document, c->text))
			continue;
		if (str_starts(c->text, ARN_BEGINS))
			return fail(rq, &aws_NotImplemented, "The managed data identifier %.*s is not implemented.",
			            STR_ARG(str_sub(c->text, ARN_BEGINS.n, c->text.n)));
		return custom_named(document, c->text) ?
			       bad(rq, "a custom data identifier's Regex cannot be read, or is too large.") :
			       bad(rq, "a DataIdentifier is neither a managed one's ARN nor a custom one's name.");
	}
	return OK;
}

static bool same_identifiers(const json_value *a, const json_value *b)
{
	a = a->first;
	b = b && b->kind == JSON_ARRAY ? b->first : NULL;
	for (; a && b && str_eq(a->text, b->text); a = a->next)
		b = b->next;
	return !a && !b;
}

static str report_group(const json_value *audit)
{
	const json_value *g = json_get(json_get(json_get(audit, S("FindingsDestination")), S("CloudWatchLogs")),
	                               S("LogGroup"));
	return g && g->kind == JSON_STRING ? g->text : STR_NONE;
}

static err check_destinations(req *rq, const txn *tx, const json_value *audit)
{
	const json_value *to = json_get(audit, S("FindingsDestination"));
	if (!to || to->kind != JSON_OBJECT)
		return bad(rq, "an Audit operation has a FindingsDestination object.");
	for (const json_value *c = to->first; c; c = c->next)
		if (!str_eq(c->key, S("CloudWatchLogs")))
			return fail(rq, &aws_NotImplemented, "Audit findings to %.*s are not implemented.",
			            STR_ARG(c->key));
	str group = report_group(audit);
	if (to->first && !str_is(group))
		return bad(rq, "CloudWatchLogs has a LogGroup.");
	if (str_is(group) && !logs_group_get(tx, rq->mem, rq->who.account, rq->region, group))
		return fail(rq, &logs_InvalidParameterException,
		            "The log group that audit findings are sent to does not exist: %.*s", STR_ARG(group));
	return OK;
}

static err check_custom(req *rq, const json_value *document)
{
	const json_value *v = json_get(json_get(document, S("Configuration")), S("CustomDataIdentifier"));
	size_t n = 0;
	for (const json_value *c = v && v->kind == JSON_ARRAY ? v->first : NULL; c; c = c->next)
		n++;
	return n <= CUSTOM_MAX ? OK : bad(rq, "at most 10 custom data identifiers may be defined.");
}

err protection_check(req *rq, const txn *tx, str text)
{
	const json_value *document = json_parse(rq->mem, text);
	const json_value *version = json_get(document, S("Version"));
	const json_value *audit = statement_with(document, "Audit");
	const json_value *mask = statement_with(document, "Deidentify");
	if (!document || document->kind != JSON_OBJECT)
		return bad(rq, "it is not JSON.");
	if (version && !str_eq(version->text, S("2021-06-01")))
		return bad(rq, "the version is 2021-06-01.");
	if (!audit || !mask || audit == mask)
		return bad(rq, "it has one statement with an Audit operation and one with a Deidentify operation.");
	const json_value *config = json_get(operation_of(mask, "Deidentify"), S("MaskConfig"));
	if (!config || config->kind != JSON_OBJECT || config->first)
		return bad(rq, "a Deidentify operation has an empty MaskConfig.");
	const json_value *identifiers = json_get(audit, S("DataIdentifier"));
	TRY(check_custom(rq, document));
	TRY(check_identifiers(rq, document, identifiers));
	if (!same_identifiers(identifiers, json_get(mask, S("DataIdentifier"))))
		return bad(rq, "the DataIdentifier arrays of both statements are the same.");
	return check_destinations(rq, tx, operation_of(audit, "Audit"));
}

static void add_policy(arena *mem, protection *p, str text)
{
	const json_value *document = json_parse(mem, text);
	const json_value *audit = statement_with(document, "Audit");
	add_identifiers(mem, p, document, json_get(statement_with(document, "Deidentify"), S("DataIdentifier")));
	str group = report_group(operation_of(audit, "Audit"));
	if (!str_is(group))
		return;
	destination *d = arena_new(mem, destination);
	*d = (destination){ p->reports, group };
	p->reports = d;
}

const protection *protection_of(const txn *tx, arena *mem, const logs_group *g)
{
	protection *p = NULL;
	logs_accountpolicy *a = account_policy_only(tx, mem, g->Account, g->Region,
	                                            logs_PolicyType_DATA_PROTECTION_POLICY);
	for (int own = 0; own < 2; own++) {
		str document = own ? g->Protection : a ? a->Document : STR_NONE;
		if (!document.n)
			continue;
		if (!p) {
			p = arena_new(mem, protection);
			p->last = &p->first;
		}
		add_policy(mem, p, document);
	}
	return p;
}

/* Whether one of the words stands within so many bytes of the place. */
static bool word_near(arena *mem, const char *const *words, str message, size_t from, size_t to)
{
	str around = arena_lower(mem, str_sub(message, from > 2 * NEAR ? from - 2 * NEAR : 0, to + 2 * NEAR));
	for (; words && *words; words++)
		if (str_find(around, str_c(*words)) != SIZE_MAX)
			return true;
	return false;
}

static bool worth_searching(arena *scratch, const identifier *i, str message)
{
	return !i || ((!i->part || str_find(message, str_c(i->part)) != SIZE_MAX) &&
	              (!i->words || word_near(scratch, i->words, message, 0, message.n)));
}

/* What an expression cannot tell. */
static bool really(arena *scratch, const identifier *i, str message, size_t from, size_t to)
{
	return !i || ((!i->valid || i->valid(scratch, str_sub(message, from, to))) &&
	              (!i->words || word_near(scratch, i->words, message, from, to)));
}

finding *protection_find(arena *mem, arena *scratch, const protection *p, str message)
{
	finding *first = NULL, **last = &first;
	size_t n = 0;
	for (const wanted *w = p->first; w; w = w->next) {
		str groups[REGEX_GROUPS_MAX + 1];
		size_t steps = regex_steps(w->expression, message);
		if (!worth_searching(scratch, w->managed, message))
			continue;
		for (size_t at = 0; at < message.n && n < PROTECTION_FINDINGS_MAX;) {
			str rest = str_sub(message, at, message.n);
			bool hit = regex_search_within(scratch, w->expression, rest, groups, &steps);
			if (!hit && steps)
				break;
			/* What takes too long to search is masked whole. */
			size_t from = hit ? (size_t)(groups[0].p - message.p) : 0;
			size_t to = hit ? from + groups[0].n : message.n;
			at = to > at ? to : at + 1;
			if (arena_used(scratch) > SCRATCH_MAX)
				arena_reset(scratch);
			if (from == to || (hit && !really(scratch, w->managed, message, from, to)))
				continue;
			*last = arena_new(mem, finding);
			**last = (finding){ NULL, w->name, from, to };
			last = &(*last)->next;
			n++;
		}
	}
	return first;
}

static void report_one(buf *b, const logs_group *g, const finding *all, int64_t now)
{
	str when = time_iso(b->mem, now - now % MS_SECOND);
	buf_fmt(b, "{\"auditTimestamp\":\"%.*s\",\"resourceArn\":", STR_ARG(when));
	json_put_string(b, arena_fmt(b->mem, "arn:aws:logs:%.*s:%.*s:log-group:%.*s:*", STR_ARG(g->Region),
	                             STR_ARG(g->Account), STR_ARG(g->Name)));
	buf_put(b, S(",\"dataIdentifiers\":["));
	for (const finding *f = all; f;) {
		size_t n = 0;
		for (const finding *same = f; same && str_eq(same->name, f->name); same = same->next)
			n++;
		buf_put(b, f == all ? S("{\"name\":") : S(",{\"name\":"));
		json_put_string(b, f->name);
		buf_fmt(b, ",\"count\":%zu,\"detections\":[", n);
		for (size_t i = 0; i < n; i++, f = f->next)
			buf_fmt(b, "%s{\"start\":%zu,\"end\":%zu}", i ? "," : "", f->from, f->to);
		buf_put(b, S("]}"));
	}
	buf_put(b, S("]}"));
}

bool protection_report(txn *tx, const protection *p, const logs_group *g, finding *const *of, size_t n,
                       int64_t now)
{
	arena *mem = txn_arena(tx);
	for (const destination *d = p->reports; d; d = d->next) {
		logs_group *to = logs_group_get(tx, mem, g->Account, g->Region, d->group);
		if (!to)
			continue;
		event_in *events = arena_array(mem, event_in, n + 1);
		size_t found = 0;
		for (size_t i = 0; i < n; i++) {
			if (!of[i])
				continue;
			buf b = buf_in(mem, 512, REPORT_BYTES);
			report_one(&b, g, of[i], now);
			if (!b.full)
				events[found++] = (event_in){ .when = now, .message = buf_str(&b) };
		}
		logs_stream *s = found ? logs_stream_get(tx, mem, to->Id, S("findings")) : NULL;
		if (found && !s)
			s = stream_make(tx, mem, to, S("findings"), now);
		if (found)
			events_put(tx, to, s, events, found, now);
	}
	return p->reports;
}
