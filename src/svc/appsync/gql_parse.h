/* The parser's inside, which documents (gql_parse.c) and schemas (gql_schema.c) share. */
#pragma once
#include "graphql.h"

typedef enum token_kind {
	TOKEN_END, TOKEN_NAME, TOKEN_INT, TOKEN_FLOAT, TOKEN_STRING, TOKEN_SPREAD, TOKEN_SIGN,
} token_kind;

typedef struct parser {
	arena *mem;
	const char *p, *end, *line_start;
	const char *start, *before; /* of the token; where the one before it ended */
	int line;
	token_kind token;
	str text;            /* strings are decoded */
	gql_at at;
	unsigned depth;
	size_t tokens, tokens_max;
	bool failed;
	gql_problem *problem;
} parser;

void gql_parser_open(parser *p, arena *mem, str text, size_t tokens_max, gql_problem *problem);
void gql_next(parser *p);
/* Takes the sign or the word when it comes next. */
bool gql_sign(parser *p, char c);
bool gql_word(parser *p, const char *word);
bool gql_peek(const parser *p, char c);
void gql_need(parser *p, char c);
str gql_name_of(parser *p);
/* The first problem counts; nothing is read after it. */
void gql_wrong(parser *p, const char *what);

gql_value *gql_value_of(parser *p, bool constant);
gql_value *gql_arguments_of(parser *p, bool constant);
gql_directive *gql_directives_of(parser *p, bool constant);
gql_type *gql_type_of(parser *p);
