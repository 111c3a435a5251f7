/*
 * The file is CSV: section, line, claimed, uses, outdated, why. `uses` is what the line would use in a month
 * of 730 hours, SKU*QUANTITY;SKU*QUANTITY in units of the price book, "=" for the sum of the section so far.
 * Free tiers are counted anew in every section.
 *
 * A claim is right within 5 % or a cent, rounded within 15 %, wrong otherwise, unless the file says that it
 * states a rule that is no longer so.
 */
#include "cmd/against.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "price/bill.h"
#include "price/csv.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <stdio.h>

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define MONTH_HOURS 730
#define EXACT_DIGITS 8
#define SECTION_LINES_MAX 256
#define RIGHT_PERCENT 5
#define ROUNDED_PERCENT 15

enum { SECTION, LINE, CLAIMED, USES, OUTDATED, WHY, N_FIELDS };

typedef struct against {
	arena *mem;
	const json_value *bill;
	table t;
	pricing *p;
	str section;
	money claimed, real;   /* of the section */
	size_t verdicts[4];
	bool broken;
} against;

static str member(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->text.p ? m->text : S("");
}

static pricing *fresh_pricing(const against *a)
{
	pricing_options o = { .book = price_book(), .month = month_of(clock_now()), .month_hours = MONTH_HOURS };
	if (!profile_named(member(a->bill, S("profile")), &o.profile))
		o.profile = PROFILE_PAID;
	o.opened = o.month;
	return pricing_open(a->mem, &o);
}

static void add_amount(void *context, const charge *c)
{
	*(money *)context += c->amount;
}

static bool add_use(against *a, str use, money *cost)
{
	str sku = str_cut(&use, '*');
	const price_item *item = book_find(price_book(), PRICE_HOME_REGION, sku, NULL);
	price_use u = { .region = PRICE_HOME_REGION, .sku = sku, .resource = S(""), .per = QTY_ONE };
	if (!item || !str_is(use) || !decimal_parse_i64(use, QTY_DIGITS, &u.quantity))
		return false;
	if (item->monthly && __builtin_mul_overflow(u.quantity, (int64_t)MONTH_HOURS, &u.quantity))
		return false;
	pricing_add(a->p, &u, add_amount, cost);
	return true;
}

static bool cost_of(against *a, str uses, money *cost)
{
	*cost = 0;
	if (str_eq(uses, S("="))) {
		*cost = a->real;
		return true;
	}
	while (str_is(uses) && uses.n)
		if (!add_use(a, str_cut(&uses, ';'), cost))
			return false;
	a->real += *cost;
	return true;
}

static bool used_here(str uses, str sku)
{
	while (str_is(uses)) {
		str use = str_cut(&uses, ';');
		if (str_eq(str_cut(&use, '*'), sku))
			return true;
	}
	return false;
}

/* What the account's own bill has for these skus; an empty string when it has none of them. */
static str metered(const against *a, str uses)
{
	const json_value *lines = json_get(a->bill, S("lines"));
	money sum = 0, one;
	bool any = false;
	for (const json_value *l = lines ? lines->first : NULL; l; l = l->next)
		if (used_here(uses, member(l, S("sku"))) && money_parse(member(l, S("amount")), &one)) {
			sum += one;
			any = true;
		}
	sum = money_round(sum, EXACT_DIGITS);
	return any ? decimal_print_exact(a->mem, sum, MONEY_DIGITS, 2) : S("");
}

static size_t verdict(money claimed, money real, bool outdated)
{
	money off = claimed > real ? claimed - real : real - claimed;
	if (outdated)
		return 3;
	if (off <= USD(1) / 100 || off * 100 <= real * RIGHT_PERCENT)
		return 0;
	return off * 100 <= real * ROUNDED_PERCENT ? 1 : 2;
}

static bool add_row(against *a, const str *f)
{
	static const char *const names[] = { "right", "rounded", "wrong", "outdated" };
	money claimed = 0, real = 0;
	bool total = str_eq(f[USES], S("="));
	if (!str_eq(f[SECTION], a->section)) {
		a->section = f[SECTION];
		a->real = 0;
		a->p = fresh_pricing(a);
		table_add(&a->t, ROW_HEAD)->cells[0] = f[SECTION];
	}
	if (!money_parse(f[CLAIMED], &claimed) || !cost_of(a, f[USES], &real))
		return false;
	size_t v = verdict(claimed, real, f[OUTDATED].n > 0);
	a->verdicts[v] += !total;
	table_row *r = table_add(&a->t, total ? ROW_TOTAL : ROW_PLAIN);
	r->cells[0] = arena_fmt(a->mem, "  %.*s", STR_ARG(f[LINE]));
	r->cells[1] = decimal_print_exact(a->mem, claimed, MONEY_DIGITS, 2);
	r->cells[2] = decimal_print_exact(a->mem, money_round(real, EXACT_DIGITS), MONEY_DIGITS, 2);
	r->cells[3] = total ? S("") : metered(a, f[USES]);
	r->cells[4] = str_c(names[v]);
	r->cells[5] = f[WHY];
	return true;
}

int against_print(arena *mem, const json_value *kept, str file)
{
	str text, f[N_FIELDS];
	err e = file_read(mem, file, FILE_MAX_BYTES, &text);
	if (e)
		return complain("%.*s", STR_ARG(e->message));
	against a = { .mem = mem, .bill = kept, .section = S("") };
	a.t = (table){ .mem = mem, .columns = 6, .right = { [1] = true, [2] = true, [3] = true } };
	table_row *head = table_add(&a.t, ROW_TOTAL);
	static const char *const titles[] = {
		"USD a month of 730 hours", "claimed", "really", "metered", "verdict", "why"
	};
	for (size_t i = 0; i < 6; i++)
		head->cells[i] = str_c(titles[i]);
	csv c = csv_of(mem, text);
	csv_row(&c, f, N_FIELDS);
	while (csv_row(&c, f, N_FIELDS) == N_FIELDS)
		if (!add_row(&a, f))
			return complain("%.*s, line %zu: claimed is an amount, uses are SKU*QUANTITY of the price book",
			                STR_ARG(file), c.line);
	if (c.broken || !a.section.n)
		return complain("%.*s, line %zu: six columns: section, line, claimed, uses, outdated, why",
		                STR_ARG(file), c.line);
	table_print(&a.t);
	printf("\n%zu lines are right, %zu rounded, %zu wrong, %zu outdated. Really: at the price book's prices, "
	       "with what is\nalways free. Metered: what this account has used of it so far.\n",
	       a.verdicts[0], a.verdicts[1], a.verdicts[2], a.verdicts[3]);
	return 0;
}
