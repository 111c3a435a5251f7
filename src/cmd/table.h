/*
 * A table for a terminal: rows of cells, columns as wide as their widest cell, amounts to the right.
 * Colour (bold, dim) only where the output is a terminal and NO_COLOR is not set.
 */
#pragma once
#include "base/arena.h"

#define TABLE_COLUMNS 10

typedef enum row_style { ROW_PLAIN, ROW_HEAD, ROW_DIM, ROW_TOTAL, ROW_RULE } row_style;

typedef struct table_row {
	str cells[TABLE_COLUMNS];
	row_style style;
	struct table_row *next;
} table_row;

typedef struct table {
	arena *mem;
	size_t columns;
	bool right[TABLE_COLUMNS]; /* aligned to the right */
	table_row *first, *last;
} table;

table_row *table_add(table *t, row_style style);
void table_print(const table *t);
/* Escape sequences, or empty strings. */
const char *style_on(row_style style);
const char *style_off(void);
