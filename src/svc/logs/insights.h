/*
 * The query language of Logs Insights: fields, display, filter, parse, stats, sort, limit, dedup, unnest,
 * with its operators and functions.
 *
 * A query is read once into stages. Events are pushed through them one by one, newest first; a stage that
 * needs all of them (stats, sort) keeps what it needs and goes on when the last one has come. Everything a
 * query keeps lives in its arena, which is bounded: a query that needs more fails.
 */
#pragma once
#include "base/json.h"
#include "base/map.h"
#include "regex.h"
#include "scan.h"

typedef enum iq_kind { IQ_NONE, IQ_TEXT, IQ_NUMBER, IQ_BOOL, IQ_TIME, IQ_JSON } iq_kind;

typedef struct iq_value {
	iq_kind kind;
	str text;   /* TEXT; JSON: a map or a list; of a NUMBER as it was written, or STR_NONE */
	double n;   /* NUMBER; BOOL: 0 or 1; TIME: milliseconds */
} iq_value;

typedef enum iq_node_kind {
	IQ_LITERAL, IQ_FIELD, IQ_CALL, IQ_AGGREGATE, IQ_OR, IQ_AND, IQ_NOT, IQ_EQ, IQ_NE, IQ_LT, IQ_LE, IQ_GT,
	IQ_GE, IQ_ADD, IQ_SUB, IQ_MUL, IQ_DIV, IQ_MOD, IQ_POWER, IQ_MINUS, IQ_LIKE, IQ_IN,
} iq_node_kind;

typedef struct iq_node {
	iq_node_kind kind;
	struct iq_node *args, *next;  /* children, in order */
	iq_value literal;             /* CALL: as it is written, which is its column's name behind stats */
	str name;                     /* FIELD; CALL and AGGREGATE: the function's, in lower case */
	const regex *expression;      /* LIKE: instead of a text */
	const struct iq_function *function;
	bool negated;                 /* LIKE, IN */
	size_t index;                 /* AGGREGATE: which of its stage's */
} iq_node;

/* An expression with the name under which its value is seen. */
typedef struct iq_column {
	struct iq_column *next;
	str name;
	iq_node *value;
	bool descending;              /* sort */
} iq_column;

typedef enum iq_stage_kind {
	IQ_FIELDS, IQ_DISPLAY, IQ_FILTER, IQ_PARSE, IQ_STATS, IQ_SORT, IQ_LIMIT, IQ_DEDUP, IQ_UNNEST,
} iq_stage_kind;

typedef struct iq_stage {
	struct iq_stage *next;
	iq_stage_kind kind;
	iq_column *columns, *by;      /* FIELDS, DISPLAY, SORT, DEDUP, UNNEST; STATS: what is computed, by what */
	iq_node *condition;           /* FILTER; PARSE: of what */
	const regex *expression;      /* PARSE */
	str *names;                   /* PARSE: of the groups, from 1 on */
	size_t n_names, limit, n_aggregates;
	iq_node **aggregates;         /* STATS */
	/* While the query runs: */
	map seen;                     /* DEDUP; STATS: groups */
	size_t count;                 /* LIMIT, DEDUP */
	struct iq_groups *groups;
	struct iq_sorted *sorted;
} iq_stage;

#define IQ_LIMIT_DEFAULT 10000
#define IQ_LIMIT_MAX 100000
#define IQ_PREFIXES_MAX 5

typedef struct iq_index {
	struct iq_index *next;
	str field;
} iq_index;

typedef struct iq_query {
	iq_stage *stages;
	size_t limit;                 /* rows given back, at least 1: its own limit's, or the default */
	bool ascending;               /* the first thing asked for is oldest first: events are read that way */
	/* SOURCE logGroups(..): the groups by what their names begin with (none: all) and by class. */
	bool has_source, unmasks;
	struct iq_index *indexes;     /* fields of filterIndex: without an index, an event is not looked at */
	str prefixes[IQ_PREFIXES_MAX], group_class;
	size_t n_prefixes;
} iq_query;

/* What is computed of a row, newest first; a later one hides an earlier one of the same name. */
typedef struct iq_extra {
	struct iq_extra *next;
	str name;
	iq_value value;
} iq_extra;

/* An event on its way, or what stats made of many. */
typedef struct iq_row {
	arena *mem;                   /* of this row; what outlives it is copied */
	bool event, counted;
	int64_t group, stream_id, when, seq, ingested;
	str message, stream, log;     /* the message as it is shown */
	str raw;                      /* the message without masks */
	str transformed;              /* in which fields are found, instead */
	iq_extra *extras;
	const json_value *json;
	bool json_read;               /* whether the message was looked at */
	bool lambda;                  /* the message is a line of a function */
} iq_row;

/* MalformedQueryException says what is wrong and where. */
err iq_parse(req *rq, str text, int64_t now, iq_query **out);

/* It has cost more than one event may: whatever is asked of it is nothing from then on. */
bool iq_row_full(const iq_row *row);
iq_value iq_eval(iq_row *row, const iq_node *n, const iq_value *aggregates);
iq_value iq_field(iq_row *row, str name);
void iq_row_set(iq_row *row, str name, iq_value v);
/* The elements of a list, until one says false; anything else has none. */
bool iq_elements(iq_row *row, iq_value list, bool (*each)(void *context, iq_value v), void *context);
/* Every field that was found in the event itself. */
void iq_row_each(iq_row *row, void (*each)(void *context, str name, iq_value v), void *context);

#define IQ_NOTHING ((iq_value){ IQ_NONE, STR_NONE, 0 })
static inline iq_value iq_text(str s) { return str_is(s) ? (iq_value){ IQ_TEXT, s, 0 } : IQ_NOTHING; }
static inline iq_value iq_number(double n) { return (iq_value){ IQ_NUMBER, STR_NONE, n }; }
static inline iq_value iq_bool(bool b) { return (iq_value){ IQ_BOOL, STR_NONE, b }; }
static inline iq_value iq_time(double ms) { return (iq_value){ IQ_TIME, STR_NONE, ms }; }
/* A number, or a text that reads as one. */
bool iq_is_number(iq_value v, double *out);
bool iq_true(iq_value v);
/* As results show it; STR_NONE for nothing. */
str iq_shown(arena *mem, iq_value v);
/* Nothing < texts < numbers; texts naturally: runs of digits by their value. */
int iq_compare(iq_value a, iq_value b);
iq_value iq_copy(arena *mem, iq_value v);

typedef struct iq_function {
	const char *name;
	int least, most;              /* arguments; most -1: any number */
	/* NULL: its argument, of the event without masks (unmask). */
	iq_value (*call)(iq_row *row, const iq_value *args, size_t n);
} iq_function;
const iq_function *iq_function_find(str name);

/* Aggregates: of one group, one of these for each place in which one stands. */
typedef struct iq_state iq_state;
bool iq_is_aggregate(str name, int *least, int *most);
iq_state *iq_state_new(arena *mem, const iq_node *n);
void iq_state_add(iq_state *s, iq_row *row);
iq_value iq_state_value(arena *mem, iq_state *s);

/* Running. `emit` gets what comes out at the end; a row lives until it returns. false: enough. */
typedef struct iq_run {
	iq_query *query;
	arena *mem;
	int64_t now;
	bool (*emit)(void *context, iq_row *row);
	void *context;
	/* Fills a kept row with its event again; false: it is gone. */
	bool (*refetch)(void *context, iq_row *row);
	double matched;
	bool full;                    /* it needs more memory than a query gets */
} iq_run;
void iq_start(iq_run *run);
/* false: no further event changes anything. */
bool iq_push(iq_run *run, iq_row *row);
void iq_finish(iq_run *run);
