/*
 * What of a resource costs money: the rules of data/plan, read once into statements that estimate.c carries
 * out. data/plan/README.md has the language. A rule belongs to one or more Terraform types; a block is shared
 * by rules. Rules never change after they have been read and may be used from any thread.
 */
#pragma once
#include "plan/expr.h"

typedef enum statement_kind {
	STATEMENT_LET, STATEMENT_LINE, STATEMENT_IF, STATEMENT_EACH, STATEMENT_SUB, STATEMENT_USE, STATEMENT_SKIP,
} statement_kind;

/* One component of the price: so much of a sku. Expressions that a line does not give are NULL. */
typedef struct rule_line {
	const expr *name, *unit, *quantity, *sku;
	const expr *per;       /* what is counted of one that is shown: 1000000 of "1M requests" */
	const expr *times, *of; /* units of the sku in what is counted: times / of */
	const expr *price;     /* USD for what is counted, where the price book has none */
	const expr *region;    /* where it is priced, if not where the resource is */
	bool tiers;            /* a line a tier, named after it */
	str labels[4];         /* the tiers' names where they are not what their limits say */
	size_t n_labels;
} rule_line;

typedef struct statement {
	statement_kind kind;
	str name;              /* of what let and each define, of the block that is used */
	const expr *value;     /* of let, if, each; what sub and skip say */
	const rule_line *line;
	const struct statement *body, *otherwise; /* of use: what it defines for the block */
	struct statement *next;
} statement;

typedef struct rule {
	str type;              /* a pattern */
	bool free;             /* costs nothing by itself */
	bool of_usage;         /* no resource of Terraform's: the usage file names it */
	const statement *first;
	struct rule *next;
} rule;

typedef struct rule_set rule_set;

/* The built-in ones. */
const rule_set *rules_built_in(arena *mem);
/* For tests and fuzzing: a file of rules with no others. */
err rules_read(arena *mem, str text, str name, str tables, const rule_set **out);

/* NULL: nobody has written one. */
const rule *rules_find(const rule_set *s, str type);
const statement *rules_block(const rule_set *s, str name);
const rule *rules_first(const rule_set *s);
const plan_tables *rules_tables(const rule_set *s);
