/*
 * GET /_farthing/bill?account=&month=2026-11&by=service,resource&tag=KEY&form=json|csv
 *                    &profile=paid|legacy-12-month|credits|list&opened=2026-11-01&credits=100
 * GET /_farthing/bill/accounts: those that have used anything, one a line.
 * POST /_farthing/bill?account=&profile=&opened=&credits=: what kind of account it is from now on.
 *
 * Joins the meter (what was used) and the price book (what it costs); neither knows the other.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "cmd/admin.h"
#include "price/bill.h"
#include "sys/clock.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define PATH S("/_farthing/bill")
#define DEFAULT_ACCOUNT S("000000000000")
#define DEFAULT_CREDITS "100"

static void answer(http_exchange *x, int status, str type, str body)
{
	wire_message reply = { .mem = x->mem, .status = status, .body = body };
	wire_header_add(&reply, S("content-type"), type);
	http_reply(x, &reply, NULL);
}

static void refuse(http_exchange *x, const char *message)
{
	answer(x, 400, S("text/plain; charset=utf-8"), arena_fmt(x->mem, "%s\n", message));
}

static str parameter(const http_exchange *x, str name)
{
	str rest = x->in.query;
	while (str_is(rest)) {
		str value = str_cut(&rest, '&');
		if (str_eq(str_cut(&value, '='), name))
			return percent_decode(x->mem, str_is(value) ? value : S(""), true);
	}
	return S("");
}

typedef struct reader {
	const txn *tx;
	str account;
	void (*use)(void *collector, const price_use *u);
	void *collector;
	str last_meter, last_sku;
	int64_t last_per;
} reader;

static void line_to_use(void *context, const usage_line *l)
{
	reader *r = context;
	if (!str_is(r->last_meter) || !str_eq(l->meter, r->last_meter)) {
		const meter_kind *kind = meter_named(l->meter);
		r->last_meter = l->meter;
		r->last_sku = kind ? str_c(kind->sku) : l->meter;
		r->last_per = kind && kind->per ? kind->per : QTY_ONE;
	}
	price_use u = { .region = l->region, .sku = r->last_sku, .resource = l->resource, .when = l->hour,
		        .quantity = l->quantity, .per = r->last_per, .resident = l->resident };
	r->use(r->collector, &u);
}

static void usage_from_meter(void *context, int64_t from, int64_t to, int64_t now,
                             void (*use)(void *collector, const price_use *u), void *collector)
{
	reader *r = context;
	r->use = use;
	r->collector = collector;
	usage_each(r->tx, r->account, from, to, now, line_to_use, r);
}

/* What kind of account it is: "profile opened credits", kept under $bill/ACCOUNT. */
static str setting_key(arena *mem, str account)
{
	return arena_fmt(mem, "$bill/%.*s", STR_ARG(account));
}

static bool day_parse(arena *mem, str text, int64_t *ms)
{
	return text.n == 10 && time_parse(arena_fmt(mem, "%.*sT00:00:00Z", STR_ARG(text)), ms);
}

static const char *set_account(arena *mem, bill_query *q, str profile, str opened, str credits)
{
	if (profile.n && !profile_named(profile, &q->profile))
		return "profile is paid, legacy-12-month, credits or list";
	if (opened.n && !day_parse(mem, opened, &q->opened))
		return "opened is a day: 2026-11-01";
	if (credits.n && (!money_parse(credits, &q->credits) || q->credits < 0))
		return "credits is an amount in USD: 100";
	return NULL;
}

static void read_setting(arena *mem, const txn *tx, bill_query *q)
{
	str kept = arena_str(mem, txn_get(tx, setting_key(mem, q->account)));
	if (!str_is(kept))
		return;
	str profile = str_cut(&kept, ' '), opened = str_cut(&kept, ' ');
	ensure(!set_account(mem, q, profile, opened, kept));
}

static const char *read_groups(bill_query *q, str by)
{
	while (str_is(by) && q->n_by < BY_KINDS) {
		str name = str_cut(&by, ',');
		if (!bill_by_named(name, &q->by[q->n_by]))
			return "by is a list of service, resource, meter, tag, day, hour, region and account";
		if (q->by[q->n_by] == BY_TAG)
			return "grouping by tag is not implemented";
		q->n_by++;
	}
	return NULL;
}

static const char *read_query(const http_exchange *x, const txn *tx, bill_query *q)
{
	str account = parameter(x, S("account")), month = parameter(x, S("month")), by = parameter(x, S("by"));
	*q = (bill_query){ .book = price_book(), .account = account.n ? account : DEFAULT_ACCOUNT,
		           .now = clock_now() };
	q->month = month_of(q->now);
	money_parse(S(DEFAULT_CREDITS), &q->credits);
	if (month.n && !day_parse(x->mem, arena_fmt(x->mem, "%.*s-01", STR_ARG(month)), &q->month))
		return "month is a month: 2026-11";
	read_setting(x->mem, tx, q);
	const char *wrong = set_account(x->mem, q, parameter(x, S("profile")), parameter(x, S("opened")),
	                                parameter(x, S("credits")));
	if (wrong)
		return wrong;
	if (!q->opened)
		q->opened = q->month;
	return read_groups(q, by.n ? by : S("service"));
}

typedef struct form {
	const char *name, *type;
	void (*write)(buf *out, arena *mem, const bill *b);
	bool export; /* always by day, region and resource */
} form;
static const form forms[] = {
	{ "json", "application/json", bill_json, false },
	{ "csv", "text/csv; charset=utf-8", bill_csv, false },
	{ "focus", "text/csv; charset=utf-8", bill_focus, true },
	{ "cur", "text/csv; charset=utf-8", bill_cur, true },
};

static const form *form_named(str name)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (str_eq(name, str_c(forms[i].name)))
			return &forms[i];
	return name.n ? NULL : forms;
}

static void serve_bill(http_exchange *x, store *s)
{
	const txn *tx = store_read(s);
	bill_query q;
	const form *f = form_named(parameter(x, S("form")));
	const char *wrong = f ? read_query(x, tx, &q) : "form is json, csv, focus or cur";
	buf out = buf_in(x->mem, 1 << 14, ANSWER_MAX);
	if (!wrong) {
		reader r = { .tx = tx, .account = q.account };
		bill_source source = { .usage = usage_from_meter, .context = &r };
		if (f->export) {
			q.n_by = sizeof export_by / sizeof *export_by;
			memcpy(q.by, export_by, sizeof export_by);
		}
		f->write(&out, x->mem, bill_make(x->mem, &q, &source));
	}
	store_read_end(s, tx);
	if (!wrong && out.full)
		wrong = "this bill is larger than 64 MiB: ask for a coarser grouping";
	if (wrong)
		refuse(x, wrong);
	else
		answer(x, 200, str_c(f->type), buf_str(&out));
}

static void put_account(void *context, str account)
{
	buf_put(context, account);
	buf_c(context, '\n');
}

static void serve_accounts(http_exchange *x, store *s)
{
	buf out = buf_in(x->mem, 1024, ANSWER_MAX);
	const txn *tx = store_read(s);
	usage_accounts(tx, put_account, &out);
	store_read_end(s, tx);
	answer(x, 200, S("text/plain; charset=utf-8"), buf_str(&out));
}

typedef struct setting {
	str key, value;
} setting;

static bool write_setting(void *context, txn *tx)
{
	const setting *w = context;
	txn_put(tx, w->key, w->value);
	return true;
}

static void serve_setting(http_exchange *x, store *s)
{
	const txn *tx = store_read(s);
	bill_query q;
	const char *wrong = read_query(x, tx, &q);
	store_read_end(s, tx);
	if (wrong) {
		refuse(x, wrong);
		return;
	}
	str day = str_sub(time_iso(x->mem, q.opened), 0, 10), name = profile_name(q.profile);
	str credits = decimal_print_exact(x->mem, q.credits, MONEY_DIGITS, 0);
	setting w = { setting_key(x->mem, q.account),
		      arena_fmt(x->mem, "%.*s %.*s %.*s", STR_ARG(name), STR_ARG(day), STR_ARG(credits)) };
	err e = store_write(s, write_setting, &w);
	if (e)
		answer(x, 500, S("text/plain; charset=utf-8"), e->message);
	else
		answer(x, 200, S("text/plain; charset=utf-8"), w.value);
}

static bool match(const http_exchange *x)
{
	return str_eq(x->in.path, PATH) || str_eq(x->in.path, S("/_farthing/bill/accounts"));
}

static void serve(http_exchange *x, store *s)
{
	if (!admin_allows(x))
		return;
	err e = meter_flush();
	if (e)
		answer(x, 503, S("text/plain; charset=utf-8"), e->message);
	else if (str_eq(x->in.method, S("POST")) && str_eq(x->in.path, PATH))
		serve_setting(x, s);
	else if (!str_eq(x->in.method, S("GET")))
		answer(x, 405, S("text/plain; charset=utf-8"), S("GET or POST\n"));
	else if (str_eq(x->in.path, PATH))
		serve_bill(x, s);
	else
		serve_accounts(x, s);
}

PLANE(bill, match, serve);
