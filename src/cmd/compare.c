#include "base/map.h"
#include "cmd/bill.h"
#include "cmd/cmd.h"
#include "cmd/table.h"

#define BILLS_MAX 8
#define DIGITS_MOST 4

typedef struct column {
	str name;
	const json_value *bill;
	int predicted, metered; /* lines of either kind */
} column;

typedef struct comparison {
	arena *mem;
	table t;
	column columns[BILLS_MAX];
	size_t n;
	int digits;
} comparison;

static money service_sum(const comparison *c, size_t i, str service)
{
	money sum = 0;
	for (const json_value *l = bill_first_line(c->columns[i].bill); l; l = l->next)
		if (str_eq(bill_member(l, S("service")), service))
			sum += bill_amount(l, S("amount"));
	return money_round(sum, c->digits);
}

static void put_row(comparison *c, row_style style, str label, const money *sums, int digits)
{
	table_row *r = table_add(&c->t, style);
	r->cells[0] = label;
	for (size_t i = 0; i < c->n; i++)
		r->cells[i + 1] = bill_amount_text(c->mem, sums[i], digits);
	if (c->n == 2)
		r->cells[3] = arena_fmt(c->mem, "%s%.*s", sums[1] > sums[0] ? "+" : "",
		                        STR_ARG(bill_amount_text(c->mem, sums[1] - sums[0], digits)));
}

/* One row for every service that any of the bills has. */
static void put_services(comparison *c, money *totals)
{
	map shown = map_in(c->mem, 32);
	for (size_t i = 0; i < c->n; i++)
		for (const json_value *l = bill_first_line(c->columns[i].bill); l; l = l->next) {
			str service = bill_member(l, S("service")), name = bill_member(l, S("service_name"));
			money sums[BILLS_MAX];
			if (map_put(&shown, service, c))
				continue;
			for (size_t j = 0; j < c->n; j++)
				totals[j] += sums[j] = service_sum(c, j, service);
			put_row(c, ROW_PLAIN, name.n ? name : S("No price known"), sums, c->digits);
		}
}

static void put_heads(comparison *c)
{
	table_row *names = table_add(&c->t, ROW_TOTAL), *months = NULL, *basis = NULL;
	/* Where they are not all named by it. */
	for (size_t i = 0; i < c->n && !months; i++)
		if (!str_eq(c->columns[i].name, bill_member(c->columns[i].bill, S("month"))))
			months = table_add(&c->t, ROW_PLAIN);
	for (size_t i = 0; i < c->n; i++) {
		const column *col = &c->columns[i];
		names->cells[i + 1] = col->name;
		if (months)
			months->cells[i + 1] = bill_member(col->bill, S("month"));
		if (col->predicted && !basis)
			basis = table_add(&c->t, ROW_DIM);
	}
	if (c->n == 2)
		names->cells[3] = S("difference");
	for (size_t i = 0; basis && i < c->n; i++) {
		const column *col = &c->columns[i];
		basis->cells[i + 1] = !col->predicted ? S("metered")
			: col->metered ? S("partly predicted") : S("predicted");
	}
}

static void put_table(comparison *c)
{
	money totals[BILLS_MAX] = { 0 }, due[BILLS_MAX], forecast[BILLS_MAX];
	bool open = false;
	c->t = (table){ .mem = c->mem, .columns = c->n == 2 ? 4 : c->n + 1 };
	for (size_t i = 1; i < TABLE_COLUMNS; i++)
		c->t.right[i] = true;
	put_heads(c);
	put_services(c, totals);
	table_add(&c->t, ROW_RULE);
	put_row(c, ROW_TOTAL, S("Total"), totals, c->digits);
	for (size_t i = 0; i < c->n; i++) {
		due[i] = bill_amount(c->columns[i].bill, S("due"));
		forecast[i] = bill_amount(json_get(c->columns[i].bill, S("forecast")), S("total"));
		open = open || !bill_flag(c->columns[i].bill, S("complete"));
	}
	put_row(c, ROW_PLAIN, S("To be paid"), due, 2);
	if (open)
		put_row(c, ROW_PLAIN, S("Forecast for the month"), forecast, 2);
	table_print(&c->t);
}

/* [NAME=][ACCOUNT or MONTH][:FILE] */
static int add_column(comparison *c, str item,
                      int (*fetch)(arena *, void *, str, str, const json_value **), void *context)
{
	column *col = &c->columns[c->n];
	str rest = item;
	str name = str_find_char(rest, '=') == SIZE_MAX ? S("") : str_cut(&rest, '=');
	str other = str_cut(&rest, ':'), file = str_is(rest) ? rest : S("");
	/* A table alone stands for an account that has used nothing. */
	int failed = fetch(c->mem, context, other.n || !file.n ? other : S("-"), file, &col->bill);
	if (failed)
		return failed;
	col->name = name.n ? name : other.n || file.n ? item : bill_member(col->bill, S("account"));
	for (const json_value *l = bill_first_line(col->bill); l; l = l->next) {
		bool predicted = bill_flag(l, S("predicted"));
		col->predicted += predicted;
		col->metered += !predicted;
	}
	int digits = bill_digits(col->bill, BILL_DIGITS_LEAST);
	digits = digits < DIGITS_MOST ? digits : DIGITS_MOST;
	c->digits = digits > c->digits ? digits : c->digits;
	c->n++;
	return 0;
}

int bill_compare(arena *mem, str list, int (*fetch)(arena *, void *, str, str, const json_value **),
                 void *context)
{
	comparison c = { .mem = mem, .digits = BILL_DIGITS_LEAST };
	while (str_is(list)) {
		str item = str_cut(&list, ',');
		if (c.n == BILLS_MAX)
			return usage_error("bill", "--compare takes at most %d", BILLS_MAX);
		int failed = add_column(&c, item, fetch, context);
		if (failed)
			return failed;
	}
	if (c.n < 2)
		return usage_error("bill", "--compare takes two or more accounts or months, joined by commas");
	put_table(&c);
	return 0;
}
