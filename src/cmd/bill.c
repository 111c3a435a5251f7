#include "base/gzip.h"
#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "cmd/against.h"
#include "cmd/bill.h"
#include "cmd/cmd.h"
#include "cmd/parquet.h"
#include "cmd/table.h"
#include "sys/file.h"
#include <stdio.h>

#define DIGITS_USUAL 8
#define DIGITS_MOST 12
#define QUANTITY_USUAL 6
#define QUANTITY_MOST 12
#define LABEL_MAX 80
#define TABLE_MAX ((size_t)1 << 20)

enum {
	DATA,
	ACCOUNT,
	MONTH,
	BY,
	PROFILE,
	OPENED,
	CREDITS,
	KEEP,
	JSON,
	CSV,
	FOCUS,
	CUR,
	GZIP,
	PARQUET,
	COMPARE,
	AGAINST,
	N_OPTIONS,
};

str bill_member(const json_value *v, str key)
{
	const json_value *member = json_get(v, key);
	return member && member->text.p ? member->text : S("");
}

bool bill_flag(const json_value *v, str key)
{
	const json_value *member = json_get(v, key);
	return member && member->kind == JSON_TRUE;
}

static money money_of_text(str text)
{
	money m = 0;
	money_parse(text, &m);
	return m;
}

money bill_amount(const json_value *v, str key)
{
	return money_of_text(bill_member(v, key));
}

/* As many decimals as show every amount exactly, but no more than usual unless one would print as
 * zero. */
static int digits_for(int digits, money amount)
{
	int exact = decimal_digits(amount, MONEY_DIGITS);
	int wanted = exact < DIGITS_USUAL ? exact : DIGITS_USUAL;
	while (amount && wanted < DIGITS_MOST && money_round(amount, wanted) == 0)
		wanted++;
	return wanted > digits ? wanted : digits;
}

str bill_amount_text(arena *mem, money m, int digits)
{
	return decimal_print(mem, m, MONEY_DIGITS, digits, true);
}

/* Six decimals do, unless only more show that it is not nothing. */
static str grouped_number(arena *mem, str number)
{
	i128 v;
	int digits = QUANTITY_USUAL;
	if (!decimal_parse(number, QUANTITY_MOST, &v))
		return number;
	while (v && digits < QUANTITY_MOST && decimal_round(v, QUANTITY_MOST, digits) == 0)
		digits++;
	v = decimal_round(v, QUANTITY_MOST, digits);
	return decimal_print(mem, v, QUANTITY_MOST, decimal_digits(v, QUANTITY_MOST), true);
}

static str marks_of(arena *mem, const json_value *line)
{
	return arena_fmt(mem, "%s%s%s%s", bill_flag(line, S("predicted")) ? "p" : "",
	                 bill_flag(line, S("doubtful")) ? "?" : "",
	                 bill_member(line, S("priced_as")).n ? "~" : "",
	                 json_get(line, S("unit")) ? "" : "!");
}

/* What the line's group is called: all keys but service and meter, joined. */
static str heading_of(arena *mem, const json_value *bill, const json_value *line)
{
	str heading = S("");
	const json_value *by = json_get(bill, S("by"));
	for (const json_value *b = by ? by->first : NULL; b; b = b->next) {
		str part = str_eq(b->text, S("service")) ? bill_member(line, S("service_name"))
		           : str_eq(b->text, S("meter")) ? bill_member(line, S("sku"))
		                                         : bill_member(line, b->text);
		if (part.n == 0)
			part = str_eq(b->text, S("service")) ? S("No price known")
			                                     : arena_fmt(mem, "(no %.*s)", STR_ARG(b->text));
		heading = heading.n ? arena_fmt(mem, "%.*s, %.*s", STR_ARG(heading), STR_ARG(part)) : part;
	}
	return heading;
}

static bool by_service(const json_value *bill)
{
	const json_value *by = json_get(bill, S("by"));
	for (const json_value *b = by ? by->first : NULL; b; b = b->next)
		if (str_eq(b->text, S("service")) || str_eq(b->text, S("meter")))
			return true;
	return false;
}

static str label_of(arena *mem, const json_value *bill, const json_value *line)
{
	str title = bill_member(line, S("title")), tier = bill_member(line, S("tier"));
	if (title.n == 0)
		title = bill_member(line, S("sku"));
	if (!by_service(bill))
		title =
			arena_fmt(mem, "%.*s: %.*s", STR_ARG(bill_member(line, S("service_name"))), STR_ARG(title));
	if (tier.n && !bill_flag(line, S("free")))
		title = arena_fmt(mem, "%.*s, %.*s", STR_ARG(title), STR_ARG(tier));
	return arena_fmt(mem, "  %.*s", STR_ARG(str_sub(title, 0, LABEL_MAX)));
}

static void add_line(table *t, const json_value *bill, const json_value *line, int digits)
{
	bool free = bill_flag(line, S("free"));
	table_row *r = table_add(t, free ? ROW_DIM : ROW_PLAIN);
	str price = bill_member(line, S("unit_price"));
	r->cells[0] = label_of(t->mem, bill, line);
	r->cells[1] = grouped_number(t->mem, bill_member(line, S("quantity")));
	r->cells[2] = bill_member(line, S("unit"));
	r->cells[3] = free ? S("free")
		: price.n      ? arena_fmt(t->mem, "x %.*s =", STR_ARG(price))
					   : S("no price");
	r->cells[4] = bill_amount_text(t->mem, bill_amount(line, S("amount")), digits);
	r->cells[5] = marks_of(t->mem, line);
}

const json_value *bill_first_line(const json_value *bill)
{
	const json_value *lines = json_get(bill, S("lines"));
	return lines ? lines->first : NULL;
}

int bill_digits(const json_value *bill, int digits)
{
	for (const json_value *l = bill_first_line(bill); l; l = l->next)
		digits = digits_for(digits, bill_amount(l, S("amount")));
	return digits;
}

static void add_lines(table *t, const json_value *bill, int digits, money *total)
{
	str heading = STR_NONE;
	table_row *head = NULL;
	money sum = 0;
	for (const json_value *l = bill_first_line(bill); l; l = l->next) {
		str now = heading_of(t->mem, bill, l);
		if (!head || !str_eq(now, heading)) {
			head = table_add(t, ROW_HEAD);
			head->cells[0] = heading = now;
			sum = 0;
		}
		add_line(t, bill, l, digits);
		money printed = money_round(bill_amount(l, S("amount")), digits);
		sum += printed;
		*total += printed;
		head->cells[6] = bill_amount_text(t->mem, sum, digits);
	}
}

static void print_marks(const json_value *bill)
{
	bool doubtful = false, elsewhere = false, unknown = false, predicted = false;
	for (const json_value *l = bill_first_line(bill); l; l = l->next) {
		doubtful |= bill_flag(l, S("doubtful"));
		predicted |= bill_flag(l, S("predicted"));
		elsewhere |= bill_member(l, S("priced_as")).n > 0;
		unknown |= !json_get(l, S("unit"));
	}
	if (predicted)
		printf("p  predicted, not metered\n");
	if (doubtful)
		printf("?  a price that is not verified, not dated, or older than a year\n");
	if (elsewhere)
		printf("~  the region's price is not in the price book: us-east-1's is used\n");
	if (unknown)
		printf("!  not in the price book, so not in the total; bring prices with: farthing up "
		       "--prices\n");
}

static void print_free(arena *mem, const json_value *bill)
{
	table t = { .mem = mem, .columns = 6, .right = { [1] = true, [3] = true, [5] = true } };
	const json_value *free = json_get(bill, S("free_tier"));
	if (!free || !free->first)
		return;
	for (const json_value *f = free->first; f; f = f->next) {
		table_row *r = table_add(&t, ROW_PLAIN);
		money worth = bill_amount(f, S("worth"));
		str region = bill_member(f, S("region"));
		r->cells[0] = arena_fmt(mem, "  %.*s%s%.*s", STR_ARG(bill_member(f, S("offer"))),
		                        region.n ? ", " : "", STR_ARG(region));
		r->cells[1] = grouped_number(mem, bill_member(f, S("used")));
		r->cells[2] = S("of");
		r->cells[3] = grouped_number(mem, bill_member(f, S("allowance")));
		r->cells[4] = bill_member(f, S("unit"));
		r->cells[5] = arena_fmt(mem, "worth %.*s", STR_ARG(bill_amount_text(mem, worth,
		                        digits_for(BILL_DIGITS_LEAST, money_round(worth, DIGITS_USUAL)))));
	}
	printf("\nFree tier used this month\n");
	table_print(&t);
}

static const char *profile_meaning(str profile)
{
	return str_eq(profile, S("paid"))              ? "always-free offers only"
	       : str_eq(profile, S("legacy-12-month")) ? "12-month offers too"
	       : str_eq(profile, S("credits"))         ? "always-free offers, then credits"
	                                               : "list prices, nothing free";
}

static void print_head(const json_value *bill)
{
	str until = bill_member(bill, S("until")), profile = bill_member(bill, S("profile"));
	printf("%sAccount %.*s, %.*s%s", style_on(ROW_HEAD), STR_ARG(bill_member(bill, S("account"))),
	       STR_ARG(bill_member(bill, S("month"))), style_off());
	if (!bill_flag(bill, S("complete")))
		printf(" until %.*s", STR_ARG(until));
	printf(", USD, profile %.*s (%s)\n\n", STR_ARG(profile), profile_meaning(profile));
}

/* To the hour in which they ran out, or to the day on which they will. */
static void print_credits(arena *mem, const json_value *bill, money used, money before)
{
	str end = bill_member(bill, S("credits_end")), last = bill_member(bill, S("credits_last"));
	printf("Credits used: %.*s of %.*s", STR_ARG(bill_amount_text(mem, used, 2)),
	       STR_ARG(bill_amount_text(mem, before, 2)));
	if (end.n)
		printf("; they ended on %.*s at %.*s UTC", STR_ARG(str_sub(end, 0, 10)),
		       STR_ARG(str_sub(end, 11, 16)));
	else if (last.n)
		printf("; if it goes on like this they last until %.*s", STR_ARG(str_sub(last, 0, 10)));
	printf("\n");
}

static void print_end(arena *mem, const json_value *bill)
{
	const json_value *forecast = json_get(bill, S("forecast"));
	money used = bill_amount(bill, S("credits_used")), before = bill_amount(bill, S("credits_before"));
	if (before || used)
		print_credits(mem, bill, used, before);
	else if (str_eq(bill_member(bill, S("profile")), S("credits")))
		printf("Credits: none are left from before this month\n");
	printf("To be paid, in whole cents: %.*s\n",
	       STR_ARG(bill_amount_text(mem, bill_amount(bill, S("due")), 2)));
	if (!bill_flag(bill, S("complete")))
		printf("Forecast for the whole month, if it goes on like this: %.*s\n",
		       STR_ARG(bill_amount_text(mem, bill_amount(forecast, S("total")), 2)));
	if (bill_flag(bill, S("overflow")))
		printf("These figures are too large to be added up exactly.\n");
}

static void print_bill(arena *mem, const json_value *bill)
{
	table t = { .mem = mem, .columns = 7,
		    .right = { [1] = true, [3] = true, [4] = true, [6] = true } };
	money total = 0;
	int digits = bill_digits(bill, BILL_DIGITS_LEAST);
	print_head(bill);
	if (!bill_first_line(bill)) {
		printf("Nothing has been used.\n");
		return;
	}
	add_lines(&t, bill, digits, &total);
	table_add(&t, ROW_RULE);
	table_row *r = table_add(&t, ROW_TOTAL);
	r->cells[0] = S("Total");
	r->cells[4] = r->cells[6] = bill_amount_text(mem, total, digits);
	table_print(&t);
	print_free(mem, bill);
	printf("\n");
	print_end(mem, bill);
	print_marks(bill);
}

static void put_parameter(arena *mem, buf *path, const char *name, str value)
{
	if (value.n == 0)
		return;
	buf_c(path, str_find_char(buf_str(path), '?') == SIZE_MAX ? '?' : '&');
	buf_fmt(path, "%s=", name);
	buf_put(path, percent_encode(mem, value, false));
}

/* `other` is an account or a month to compare with; empty: as asked. */
static str path_of(arena *mem, const option *o, str form, str other, bool predicted)
{
	buf path = buf_in(mem, 256, 1 << 14);
	bool month = other.n == 7 && other.p[4] == '-';
	buf_put(&path, predicted ? S("/_farthing/bill/predicted") : S("/_farthing/bill"));
	put_parameter(mem, &path, "account", other.n && !month ? other : o[ACCOUNT].value);
	put_parameter(mem, &path, "month", month ? other : o[MONTH].value);
	put_parameter(mem, &path, "by", o[BY].value);
	put_parameter(mem, &path, "profile", o[PROFILE].value);
	put_parameter(mem, &path, "opened", o[OPENED].value);
	put_parameter(mem, &path, "credits", o[CREDITS].value);
	put_parameter(mem, &path, "form", form);
	return buf_str(&path);
}

static int answered(const running *r, int status, str body)
{
	if (status == 200)
		return 0;
	if (status == 0)
		return complain("process %lld runs but does not answer", (long long)r->pid);
	return complain("%.*s", STR_ARG(str_trim(body)));
}

/* 0, or the exit status after a sentence. */
static int ask(arena *mem, const running *r, str method, str path, str *body)
{
	int status = running_ask(mem, r, method, path, body);
	return answered(r, status, *body);
}

typedef struct asker {
	const running *running;
	const option *options;
} asker;

static int fetch(arena *mem, void *context, str other, str file, const json_value **bill)
{
	const asker *a = context;
	str body, rows;
	int failed;
	if (file.n) {
		err e = file_read(mem, file, TABLE_MAX, &rows);
		if (e)
			return complain_fault(e);
		str path = path_of(mem, a->options, S("json"), other, true);
		failed = answered(a->running, running_send(mem, a->running, path, rows, &body), body);
	} else {
		failed = ask(mem, a->running, S("GET"), path_of(mem, a->options, S("json"), other, false), &body);
	}
	if (failed)
		return failed;
	*bill = json_parse(mem, body);
	return *bill ? 0 : complain("the server's answer is not JSON");
}

static int compare(arena *mem, const running *r, const option *o)
{
	asker a = { r, o };
	return bill_compare(mem, o[COMPARE].value, fetch, &a);
}

static int show_one(arena *mem, const running *r, const option *o)
{
	str body, form = o[JSON].given    ? S("json")
	                 : o[CSV].given   ? S("csv")
	                 : o[FOCUS].given ? S("focus")
	                 : o[CUR].given   ? S("cur")
	                                  : S("");
	int failed = ask(mem, r, S("GET"), path_of(mem, o, form, S(""), false), &body);
	if (failed)
		return failed;
	if (o[PARQUET].given) {
		err e = parquet_write(mem, o[PARQUET].value, body);
		return e ? complain_fault(e) : 0;
	}
	if (form.n) {
		str bytes = o[GZIP].given ? gzip_pack(mem, body) : body;
		fwrite(bytes.p, 1, bytes.n, stdout);
		return 0;
	}
	const json_value *bill = json_parse(mem, body);
	if (!bill)
		return complain("the server's answer is not JSON");
	print_bill(mem, bill);
	return 0;
}

static int show_against(arena *mem, const running *r, const option *o)
{
	str body;
	int failed = ask(mem, r, S("GET"), path_of(mem, o, S("json"), S(""), false), &body);
	if (failed)
		return failed;
	const json_value *bill = json_parse(mem, body);
	return bill ? against_print(mem, bill, o[AGAINST].value) : complain("the server's answer is not JSON");
}

static int bill_run(arena *mem, int argc, char **argv)
{
	option o[N_OPTIONS] = {
		[DATA] = { .name = "data", .takes_value = true },
		[ACCOUNT] = { .name = "account", .takes_value = true },
		[MONTH] = { .name = "month", .takes_value = true },
		[BY] = { .name = "by", .takes_value = true },
		[PROFILE] = { .name = "profile", .takes_value = true },
		[OPENED] = { .name = "opened", .takes_value = true },
		[CREDITS] = { .name = "credits", .takes_value = true },
		[KEEP] = { .name = "keep" },
		[JSON] = { .name = "json" },
		[CSV] = { .name = "csv" },
		[FOCUS] = { .name = "focus" },
		[CUR] = { .name = "cur" },
		[GZIP] = { .name = "gzip" },
		[PARQUET] = { .name = "parquet", .takes_value = true },
		[COMPARE] = { .name = "compare", .takes_value = true },
		[AGAINST] = { .name = "against", .takes_value = true },
	};
	str body, *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	running r;
	if (!options_read(o, N_OPTIONS, argc, argv, rest, &n_rest))
		return 2;
	if (n_rest)
		return usage_error("bill", "\"%.*s\" is not expected", STR_ARG(rest[0]));
	int forms = o[JSON].given + o[CSV].given + o[FOCUS].given + o[CUR].given + o[COMPARE].given +
		    o[AGAINST].given;
	if (forms > 1)
		return usage_error("bill", "only one of --json, --csv, --focus, --cur, --compare and --against");
	if (o[GZIP].given && !o[JSON].given && !o[CSV].given && !o[FOCUS].given && !o[CUR].given)
		return usage_error("bill", "--gzip goes with --json, --csv, --focus or --cur");
	if (o[PARQUET].given && (o[GZIP].given || (!o[FOCUS].given && !o[CUR].given)))
		return usage_error("bill", "--parquet FILE goes with --focus or --cur");
	str data = o[DATA].given ? o[DATA].value : default_data(mem);
	if (!running_find(mem, data, &r))
		return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(data));
	if (o[KEEP].given) {
		int failed = ask(mem, &r, S("POST"), path_of(mem, o, S(""), S(""), false), &body);
		if (failed)
			return failed;
	}
	if (o[AGAINST].given)
		return show_against(mem, &r, o);
	return o[COMPARE].given ? compare(mem, &r, o) : show_one(mem, &r, o);
}

VERB(bill,
     "bill [--account ID] [--month 2026-11] [--by "
     "service,resource,meter,tag:KEY,day,hour,region,account]\n"
     "                     [--json | --csv | --focus | --cur] [--gzip] [--parquet FILE]\n"
     "                     [--compare X,Y] [--data DIR]\n"
     "                     [--against FILE]\n"
     "                     [--profile paid|legacy-12-month|credits|list] [--opened 2026-11-01]\n"
     "                     [--credits 100] [--keep]\n\n"
     "  --by       what lines are added up by; tag:KEY takes the tags that resources had when used\n"
     "  --compare  accounts or months side by side: NAME=ACCOUNT:FILE,.. where NAME= may be left out,\n"
     "             and :FILE is a table of predicted usage (sku,quantity,per,resource,why) in place of\n"
     "             what was metered\n"
     "  --parquet  FOCUS or CUR 2.0 into this file, with types (needs: tools/install-packages duckdb)\n"
     "  --against  a table of expected costs (examples/bella/expected.csv) with a verdict on each line\n"
     "  --profile  what is free: always-free offers only (paid), 12-month offers too, or credits\n"
     "  --keep     the account is of this profile from now on",
     "Say what has been used and what it costs", bill_run);
