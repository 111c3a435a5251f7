/*
 * Between the files of the PartiQL parser; nobody else includes this.
 */
#pragma once
#include "svc/dynamodb/partiql.h"

typedef enum pql_token_kind {
	PQL_END,
	PQL_NAME,
	PQL_QUOTED,
	PQL_TEXT,
	PQL_NUMBER,
	PQL_SIGN,
	PQL_BAD
} pql_token_kind;

typedef struct pql_token {
	pql_token_kind kind;
	str text; /* of names and texts: what they stand for, quotes taken away */
	const char *end;
} pql_token;

/* Fails once: the first sentence stays, and every later token is the end. */
typedef struct pql {
	arena *mem;
	str text;
	pql_token at;
	str why;
	const value *parameters;
	size_t n_parameters, used;
	unsigned depth;
} pql;

pql_token pql_token_after(arena *mem, str text, const char *from);
void pql_advance(pql *p);
/* Refuses the statement as not well formed; in a sentence of its own. */
void pql_refuse(pql *p, const char *what);
void pql_say(pql *p, str why);
/* Refuses the token at hand. */
void pql_unexpected(pql *p);
bool pql_at_sign(const pql *p, const char *sign);
bool pql_at_word(const pql *p, const char *word);
bool pql_take_sign(pql *p, const char *sign);
bool pql_take_word(pql *p, const char *word);
void pql_want_sign(pql *p, const char *sign);
void pql_want_word(pql *p, const char *word);
/* A bare or quoted name; words of the language must be quoted. */
str pql_name(pql *p);
bool pql_deeper(pql *p);

/* partiql_value.c: literals and parameters; whether one stands here, and its value. */
bool pql_at_value(const pql *p);
value pql_value(pql *p);

/* partiql_expr.c */
path pql_path(pql *p);
expr *pql_operand(pql *p);
expr *pql_condition(pql *p);
expr *pql_node(pql *p, expr_kind kind, str text, size_t n);
