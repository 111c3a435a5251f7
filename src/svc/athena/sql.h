/*
 * SQL as tokens, for what is ours to understand of it: Hive's DDL, and of a SELECT the tables and the
 * conditions on partitions. The rest is the engine's.
 */
#pragma once
#include "base/buf.h"

typedef enum sql_kind { SQL_END, SQL_WORD, SQL_NAME, SQL_TEXT, SQL_NUMBER, SQL_SIGN } sql_kind;

typedef struct sql_token {
	sql_kind kind;
	str text;        /* a word in lower case, a quoted name (NAME) or text without its quotes */
	size_t at, end;  /* bytes of the statement */
	int depth;       /* parentheses around it */
} sql_token;

typedef struct sql_tokens {
	str sql;
	sql_token *v;    /* the last one is SQL_END */
	size_t n;
} sql_tokens;

/* A semicolon at the end is dropped. false: a quote or comment does not end; `at` says where. */
bool sql_read(arena *mem, str sql, sql_tokens *out, size_t *at);
bool sql_is(const sql_token *t, const char *word);
bool sql_sign(const sql_token *t, char c);
static inline bool sql_named(const sql_token *t) { return t->kind == SQL_WORD || t->kind == SQL_NAME; }
/* "line 1:15" */
str sql_place(arena *mem, str sql, size_t at);
