/*
 * GET /_farthing/bill?account=&month=2026-11&by=service,tag:KEY&form=json|csv
 *                    &profile=paid|legacy-12-month|credits|list&opened=2026-11-01&credits=100
 * POST /_farthing/bill/predicted?..as above.., with a table as price/predict.h has it: that in place of what
 *                    was metered of its skus
 * GET /_farthing/bill/accounts: those that have used anything, one a line.
 * POST /_farthing/bill?account=&profile=&opened=&credits=: what kind of account it is from now on.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/charges.h"
#include "cloud/charges_tags.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "cmd/admin.h"
#include "price/predict.h"
#include "sys/clock.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define PATH S("/_farthing/bill")
#define PATH_PREDICTED S("/_farthing/bill/predicted")
#define DEFAULT_ACCOUNT S("000000000000")
#define ACCOUNT_DIGITS 12

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

/* "" where it is not given. */
static str parameter(const http_exchange *x, str name)
{
	str value = query_value(x->mem, x->in.query, name);
	return str_is(value) ? value : S("");
}

/* "-" has used nothing: what a table of predicted usage stands alone for. */
static bool is_account(str account)
{
	for (size_t i = 0; i < account.n; i++)
		if (account.p[i] < '0' || account.p[i] > '9')
			return str_eq(account, S("-"));
	return account.n == ACCOUNT_DIGITS;
}

static const char *read_groups(bill_query *q, str by)
{
	while (str_is(by) && q->n_by < BY_KINDS) {
		str name = str_cut(&by, ',');
		str tag = str_starts(name, S("tag:")) ? str_sub(name, 4, name.n) : STR_NONE;
		if (!bill_by_named(str_is(tag) ? S("tag") : name, &q->by[q->n_by]))
			return "by is a list of service, resource, meter, tag:KEY, day, hour, region and account";
		if (q->by[q->n_by] == BY_TAG && q->tag_key.n && str_is(tag))
			return "a bill has one tag to be grouped by";
		for (size_t i = 0; i < q->n_by; i++)
			if (q->by[i] == q->by[q->n_by])
				return "by has something twice";
		if (str_is(tag))
			q->tag_key = tag;
		q->n_by++;
	}
	for (size_t i = 0; i < q->n_by; i++)
		if (q->by[i] == BY_TAG && q->tag_key.n == 0)
			return "which tag? say tag:KEY";
	return NULL;
}

static bool month_parse(arena *mem, str text, int64_t *ms)
{
	return text.n == 7 && time_parse(arena_fmt(mem, "%.*s-01T00:00:00Z", STR_ARG(text)), ms);
}

static const char *read_query(const http_exchange *x, const txn *tx, bill_query *q)
{
	str account = parameter(x, S("account")), month = parameter(x, S("month")), by = parameter(x, S("by"));
	int64_t now = clock_now(), asked = now;
	if (account.n && !is_account(account))
		return "an account is a number of 12 digits";
	if (month.n && !month_parse(x->mem, month, &asked))
		return "month is a month: 2026-11";
	*q = charges_query(x->mem, tx, account.n ? account : DEFAULT_ACCOUNT, asked, now);
	const char *wrong = charges_profile(x->mem, q, parameter(x, S("profile")), parameter(x, S("opened")),
	                                    parameter(x, S("credits")));
	return wrong ? wrong : read_groups(q, by.n ? by : S("service"));
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

static const char *make_bill(http_exchange *x, const txn *tx, const bill_query *q, bill **out)
{
	use_list predicted = { .mem = x->mem };
	if (str_eq(x->in.path, PATH)) {
		*out = charges_bill(x->mem, tx, q);
		return NULL;
	}
	err e = predict_read(x->mem, price_book(), x->in.body, S("the table"), q->month, &predicted);
	if (e)
		return arena_str(x->mem, e->message).p;
	*out = charges_predicted(x->mem, tx, q, &predicted);
	return NULL;
}

/* Tags are asked of the services now, if somebody wants to see them. */
static void look_at_tags(http_exchange *x, store *s)
{
	str account = parameter(x, S("account"));
	if (str_find(parameter(x, S("by")), S("tag")) == SIZE_MAX && !form_named(parameter(x, S("form")))->export)
		return;
	err e = charges_tags_look(s, account.n ? account : DEFAULT_ACCOUNT);
	(void)e; /* then they are shown as they were last seen */
}

static void serve_bill(http_exchange *x, store *s)
{
	if (form_named(parameter(x, S("form"))))
		look_at_tags(x, s);
	const txn *tx = store_read(s);
	bill_query q;
	bill *b = NULL;
	const form *f = form_named(parameter(x, S("form")));
	const char *wrong = f ? read_query(x, tx, &q) : "form is json, csv, focus or cur";
	buf out = buf_in(x->mem, 1 << 14, ANSWER_MAX);
	if (!wrong) {
		if (f->export) {
			q.n_by = sizeof export_by / sizeof *export_by;
			memcpy(q.by, export_by, sizeof export_by);
		}
		wrong = make_bill(x, tx, &q, &b);
	}
	if (!wrong)
		f->write(&out, x->mem, b);
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

static bool keep_profile(void *context, txn *tx)
{
	charges_keep_profile(tx, context);
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
	err e = store_write(s, keep_profile, &q);
	if (e)
		answer(x, 500, S("text/plain; charset=utf-8"), e->message);
	else
		answer(x, 200, S("text/plain; charset=utf-8"), S("kept\n"));
}

static bool match(const http_exchange *x)
{
	return str_eq(x->in.path, PATH) || str_eq(x->in.path, PATH_PREDICTED) ||
	       str_eq(x->in.path, S("/_farthing/bill/accounts"));
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
	else if (str_eq(x->in.method, S("POST")) && str_eq(x->in.path, PATH_PREDICTED))
		serve_bill(x, s);
	else if (!str_eq(x->in.method, S("GET")))
		answer(x, 405, S("text/plain; charset=utf-8"), S("GET or POST\n"));
	else if (str_eq(x->in.path, PATH))
		serve_bill(x, s);
	else
		serve_accounts(x, s);
}

PLANE(bill, match, serve);
