/*
 * Between the files of the expression parser; nobody else includes this.
 */
#pragma once
#include "svc/dynamodb/expr.h"

typedef enum token_kind {
	TOKEN_END, TOKEN_NAME, TOKEN_NAME_REF, TOKEN_VALUE_REF, TOKEN_NUMBER, TOKEN_SIGN, TOKEN_BAD,
} token_kind;

typedef struct token {
	token_kind kind;
	str text;
} token;

/* Fails once: the first sentence stays, and every later token is TOKEN_END. */
typedef struct parser {
	expr_env *env;
	str text;
	token before, at;
	str why;
	size_t operators;
	unsigned depth;
	bool redundant_parentheses;
	bool update; /* SET, REMOVE, ADD and DELETE are keywords instead of AND, OR, NOT .. */
} parser;

parser parser_of(expr_env *env, str text, bool for_update);
void parser_advance(parser *p);
bool at_sign(const parser *p, const char *sign);
bool at_keyword(const parser *p, const char *word);
bool take_sign(parser *p, const char *sign);
bool take_keyword(parser *p, const char *word);
void want_sign(parser *p, const char *sign);
/* Refuses the token at hand. */
void syntax_error(parser *p);

expr *expr_new(parser *p, expr_kind kind, str text);
void expr_add(parser *p, expr *e, expr *arg);
/* A path with names as written (#x unresolved). */
path parse_path(parser *p);
/* A path, :value, function call, or one of these in parentheses. */
expr *parse_operand(parser *p);
expr *parse_condition(parser *p);
update parse_update(parser *p, str *repeated_section);

/*
 * The checks, in AWS's order. `faults` keeps the first of each rank; the lowest rank speaks.
 */
typedef enum fault_rank {
	RANK_PARENTHESES, RANK_UNKNOWN_FUNCTION, RANK_MISUSED_FUNCTION, RANK_RESERVED, RANK_SECTION,
	RANK_REFERENCE, RANK_OVERLAP, RANK_CONFLICT, RANK_OPERANDS, RANK_DISTINCT, RANK_FUNCTION,
	RANKS,
} fault_rank;

typedef struct checker {
	expr_env *env;
	bool update;
	str faults[RANKS];
} checker;

void check_fault(checker *c, fault_rank rank, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Resolves #names, refuses reserved words. */
void check_path(checker *c, path *p);
void check_condition(checker *c, expr *e);
void check_update(checker *c, update *u);
void check_paths_apart(checker *c, const path *const *paths, size_t n);
str check_result(const checker *c, const char *what);
