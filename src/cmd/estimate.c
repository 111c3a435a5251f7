/*
 * farthing estimate: what a Terraform plan will cost, before it is applied. src/plan computes it; this file
 * reads the documents and prints the table.
 */
#include "plan/estimate.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/prices.h"
#include "cmd/table.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <stdio.h>

#define FILE_MAX ((size_t)256 << 20)
#define JSON_MAX ((size_t)1 << 30)
#define DIGITS_LEAST 2
#define DIGITS_MOST 4
#define PRICE_DIGITS_LEAST 2
#define QUANTITY_DIGITS 4
/* Price calculators' published lines were made then; what extended support costs depends on the day. */
#define LIST_DAY 20250701

enum { USAGE, LIST, PROFILE, REGION, PRICES, ON, JSON, OPTIONS };

static int64_t day_number(int64_t when)
{
	civil c = time_civil(when);
	return c.year * 10000 + c.month * 100 + c.day;
}

/* Enough decimals for every amount, within reason: the total is the sum of what is shown. */
static int digits_of(const estimate *e)
{
	int digits = DIGITS_LEAST;
	for (const estimate_line *l = e->lines; l; l = l->next) {
		int own = decimal_digits(l->amount, MONEY_DIGITS);
		digits = own > digits ? own : digits;
	}
	return digits < DIGITS_MOST ? digits : DIGITS_MOST;
}

static str indented(arena *mem, str text, int depth)
{
	return arena_fmt(mem, "%*s%.*s", depth * 2, "", STR_ARG(text));
}

/* The parts of "a/b" that the line before did not have. */
static void put_sub(table *t, str before, str sub)
{
	int depth = 1;
	for (str rest = sub, old = before; rest.n; depth++) {
		str part = str_cut(&rest, '/'), had = str_is(old) ? str_cut(&old, '/') : STR_NONE;
		if (str_eq(part, had) && had.n)
			continue;
		table_add(t, ROW_PLAIN)->cells[0] = indented(t->mem, part, depth);
		old = STR_NONE;
		rest = str_is(rest) ? rest : S("");
	}
}

static int depth_of(str sub)
{
	int depth = sub.n ? 2 : 1;
	for (size_t i = 0; i < sub.n; i++)
		depth += sub.p[i] == '/';
	return depth;
}

static void put_line(table *t, const estimate_line *l, int digits)
{
	table_row *row = table_add(t, l->by_usage ? ROW_DIM : ROW_PLAIN);
	str mark = l->doubtful ? S(" ?") : S("");
	row->cells[0] = indented(t->mem, arena_concat(t->mem, l->component, mark), depth_of(l->sub));
	row->cells[1] = l->by_usage ? S("by usage")
		: decimal_print(t->mem, l->quantity, NUM_DIGITS,
		                decimal_digits(decimal_round(l->quantity, NUM_DIGITS, QUANTITY_DIGITS), NUM_DIGITS),
		                true);
	row->cells[2] = l->unit;
	row->cells[3] = decimal_print_exact(t->mem, l->price, MONEY_DIGITS, PRICE_DIGITS_LEAST);
	if (!l->by_usage)
		row->cells[4] = decimal_print(t->mem, l->amount, MONEY_DIGITS, digits, true);
}

static void put_lines(table *t, const estimate *e, int digits, money *total)
{
	const plan_resource *last = NULL;
	str sub = S("");
	for (const estimate_line *l = e->lines; l; l = l->next) {
		if (l->resource != last) {
			if (last)
				table_add(t, ROW_PLAIN);
			table_add(t, ROW_HEAD)->cells[0] = l->resource->address;
			sub = S("");
		}
		if (!str_eq(l->sub, sub))
			put_sub(t, sub, l->sub);
		put_line(t, l, digits);
		*total += money_round(l->amount, digits);
		sub = l->sub;
		last = l->resource;
	}
}

static void put_gaps(const estimate *e)
{
	if (e->gaps)
		printf("\nNot in this sum:\n");
	for (const estimate_gap *g = e->gaps; g; g = g->next)
		printf("  %.*s: %.*s%s%.*s\n", STR_ARG(g->resource->address), STR_ARG(gap_name(g->kind)),
		       g->why.n ? ": " : "", STR_ARG(g->why));
}

/* Usage of what is not there: a slip of the pen, mostly. */
static void put_idle_usage(const plan *p)
{
	const json_value *u = p->usage && p->usage->kind == JSON_OBJECT ? p->usage->first : NULL;
	for (; u; u = u->next)
		if (u->kind == JSON_OBJECT && !plan_usage_fits(p, u->key))
			printf("There is no %.*s, of which the usage speaks.\n", STR_ARG(u->key));
}

static void put_notes(const estimate *e, const estimate_options *o)
{
	bool elsewhere = false, doubtful = false, usage = false;
	for (const estimate_line *l = e->lines; l; l = l->next) {
		elsewhere |= l->elsewhere;
		doubtful |= l->doubtful;
		usage |= l->by_usage;
	}
	printf("\n%zu resources, %zu of them free of charge; %s.\n", e->resources, e->free_of_charge,
	       o->alone ? "list prices, each line alone, 730 hours a month"
	                : "free allowances and tiers as AWS applies them to one account");
	if (usage)
		printf("\"by usage\": say how much with --usage FILE.\n");
	if (e->guessed.n)
		printf("The plan does not say its region: %.*s was taken; say it with --region.\n",
		       STR_ARG(e->guessed));
	if (elsewhere)
		printf("Some prices of other regions are not known here and are those of us-east-1.\n");
	if (doubtful)
		printf("? marks prices without a verified source.\n");
}

static void print_table(arena *mem, const plan *p, const estimate *e, const estimate_options *o)
{
	table t = { .mem = mem, .columns = 5, .right = { [1] = true, [3] = true, [4] = true } };
	int digits = digits_of(e);
	money total = 0;
	table_row *head = table_add(&t, ROW_TOTAL);
	head->cells[1] = S("a month");
	head->cells[2] = S("unit");
	head->cells[3] = S("USD each");
	head->cells[4] = S("USD");
	put_lines(&t, e, digits, &total);
	table_add(&t, ROW_RULE);
	table_row *sum = table_add(&t, ROW_TOTAL);
	sum->cells[0] = S("Total a month");
	sum->cells[4] = decimal_print(mem, total, MONEY_DIGITS, digits, true);
	table_print(&t);
	put_gaps(e);
	put_notes(e, o);
	put_idle_usage(p);
}

static int print_estimate(arena *mem, plan *p, const estimate_options *o, bool as_json)
{
	const estimate *e = estimate_make(mem, p, o);
	if (e->overflow)
		return complain("a sum is larger than money can be: look for a quantity that is out of all measure");
	if (!as_json) {
		print_table(mem, p, e, o);
		return 0;
	}
	buf out = buf_in(mem, 1 << 16, JSON_MAX);
	estimate_json(&out, mem, e, o);
	if (out.full)
		return complain("the answer is too large");
	fwrite(out.p, 1, out.n, stdout);
	return 0;
}

/* The options that say how it is priced. 0, or the exit status. */
static int read_pricing(arena *mem, const option *o, estimate_options *out)
{
	int64_t when = clock_real();
	if (o[ON].given && !time_parse(arena_concat(mem, o[ON].value, S("T00:00:00Z")), &when))
		return usage_error("estimate", "--on takes a day, such as 2026-11-21");
	out->alone = o[LIST].given;
	out->profile = PROFILE_PAID;
	if (o[PROFILE].given && !profile_named(o[PROFILE].value, &out->profile))
		return usage_error("estimate", "there is no profile \"%.*s\"", STR_ARG(o[PROFILE].value));
	if (out->alone && o[PROFILE].given)
		return usage_error("estimate", "--list has no account: --profile does not go with it");
	out->month = month_of(when);
	out->today = o[LIST].given && !o[ON].given ? LIST_DAY : day_number(when);
	if (o[PRICES].given) {
		err e = prices_use(mem, o[PRICES].value);
		if (e)
			return complain_fault(e);
	}
	out->book = price_book();
	out->rules = rules_built_in(mem);
	return 0;
}

/* What is wrong within a file, with the file's name. */
static err within(arena *mem, str path, err e)
{
	return e ? fault_new(mem, e->kind, "%.*s: %.*s", STR_ARG(path), STR_ARG(e->message)) : OK;
}

static int run_estimate(arena *mem, int argc, char **argv)
{
	option o[OPTIONS] = {
		[USAGE] = { .name = "usage", .takes_value = true }, [LIST] = { .name = "list" },
		[PROFILE] = { .name = "profile", .takes_value = true },
		[REGION] = { .name = "region", .takes_value = true },
		[PRICES] = { .name = "prices", .takes_value = true }, [ON] = { .name = "on", .takes_value = true },
		[JSON] = { .name = "json" },
	};
	str rest[64], text;
	size_t n;
	plan *p;
	estimate_options how;
	if (argc > 64 || !options_read(o, OPTIONS, argc, argv, rest, &n))
		return 2;
	if (n != 1)
		return usage_error("estimate", "one plan belongs to it, made by: "
		                   "terraform plan -out=plan; terraform show -json plan >plan.json");
	int failed = read_pricing(mem, o, &how);
	if (failed)
		return failed;
	err e = file_read(mem, rest[0], FILE_MAX, &text);
	if (!e)
		e = within(mem, rest[0],
		           plan_read(mem, text, o[REGION].given ? o[REGION].value : PRICE_HOME_REGION, &p));
	if (!e && o[USAGE].given) {
		e = file_read(mem, o[USAGE].value, FILE_MAX, &text);
		e = e ? e : within(mem, o[USAGE].value, plan_read_usage(p, text));
	}
	if (e)
		return complain_fault(e);
	p->guessed &= !o[REGION].given;
	return print_estimate(mem, p, &how, o[JSON].given);
}

VERB(estimate,
     "estimate PLAN.json [--usage FILE] [--list | --profile PROFILE] [--region REGION]\n"
     "                         [--prices FILE|FOLDER] [--on DAY] [--json]\n\n"
     "What a Terraform plan costs a month, line by line, before it is applied:\n\n"
     "  terraform plan -out=plan && terraform show -json plan >plan.json\n"
     "  farthing estimate plan.json\n\n"
     "  --usage    what is known of the usage, {\"aws_sqs_queue.jobs\": {\"monthly_requests\": 2000000}};\n"
     "             the keys are those of Infracost's usage files, which can be used as they are (YAML)\n"
     "  --list     as price calculators do: list prices, each line alone, months of 730 hours\n"
     "  --profile  whose allowances: paid (always-free ones only), legacy, credits\n"
     "  --region   where the plan says none (us-east-1)\n"
     "  --on       the day it is asked for (today; with --list a day of 2025)\n\n"
     "What has no rule or no price is named below the table, never left out silently",
     "what a Terraform plan will cost", run_estimate);
