#include "base/json.h"
#include "base/time.h"
#include "price/book.h"
#include "alarm.h"

#define LIST_PAGE 100
#define MESSAGES_MAX 50
#define WIDGETS_MAX 500

static str dashboard_arn(const req *rq, str name)
{
	return arena_fmt(rq->mem, "arn:aws:cloudwatch::%.*s:dashboard/%.*s", STR_ARG(rq->who.account),
	                 STR_ARG(name));
}

static err name_check(req *rq, str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return fail(rq, &cloudwatch_InvalidParameterValueException,
			            "The value for field DashboardName contains invalid characters. It can only "
			            "contain alphanumerics, dash (-) and underscore (_).\n");
	}
	return OK;
}

typedef struct complaints {
	req *rq;
	cloudwatch_DashboardValidationMessages list;
} complaints;

static void complain(complaints *c, str path, const char *message)
{
	if (c->list.n < MESSAGES_MAX)
		c->list.v[c->list.n++] = (cloudwatch_DashboardValidationMessage){ path, str_c(message) };
}

static bool within(const json_value *w, str name, int64_t least, int64_t most)
{
	const json_value *v = json_get(w, name);
	int64_t n;
	return !v || (v->kind == JSON_NUMBER && str_to_i64(v->text, &n) && n >= least && n <= most);
}

static void widget_check(complaints *c, const json_value *w, size_t i)
{
	static const char *const types[] = { "metric", "text", "log", "alarm", "explorer", "custom" };
	static const struct { const char *name; int64_t least, most; } places[] = {
		{ "x", 0, 23 }, { "y", 0, INT64_MAX }, { "width", 1, 24 }, { "height", 1, 1000 },
	};
	arena *mem = c->rq->mem;
	str path = arena_fmt(mem, "/widgets/%zu", i);
	const json_value *type = json_get(w, S("type")), *properties = json_get(w, S("properties"));
	bool known = false;
	if (!type || type->kind != JSON_STRING) {
		complain(c, path, "Should have required property 'type'");
		return;
	}
	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		known = known || str_eq(type->text, str_c(types[k]));
	if (!known)
		complain(c, arena_concat(mem, path, S("/type")), "Should be equal to one of the allowed values");
	if (!properties || properties->kind != JSON_OBJECT)
		complain(c, path, "Should have required property 'properties'");
	else if (str_eq(type->text, S("text")) && !json_get(properties, S("markdown")))
		complain(c, arena_concat(mem, path, S("/properties")), "Should have required property 'markdown'");
	for (size_t k = 0; k < sizeof places / sizeof *places; k++)
		if (!within(w, str_c(places[k].name), places[k].least, places[k].most))
			complain(c, arena_fmt(mem, "%.*s/%s", STR_ARG(path), places[k].name), "Is out of its range");
}

/* The list as AWS prints it into the sentence. */
static str sentence_of(arena *mem, const cloudwatch_DashboardValidationMessages *list)
{
	buf b = buf_in(mem, 1024, 32000);
	buf_fmt(&b, "The dashboard body is invalid, there are %zu validation errors:\n[", list->n);
	for (size_t i = 0; i < list->n; i++) {
		buf_put(&b, i ? S(",\n  {\n    \"dataPath\": ") : S("\n  {\n    \"dataPath\": "));
		json_put_string(&b, list->v[i].DataPath);
		buf_put(&b, S(",\n    \"message\": "));
		json_put_string(&b, list->v[i].Message);
		buf_put(&b, S("\n  }"));
	}
	buf_put(&b, S("\n]"));
	return buf_str(&b);
}

/* Refused with all that is wrong, as AWS does. */
static err body_check(req *rq, str body)
{
	const json_value *v = json_parse(rq->mem, body), *widgets = json_get(v, S("widgets"));
	complaints c = { rq, { arena_array(rq->mem, cloudwatch_DashboardValidationMessage, MESSAGES_MAX), 0 } };
	const char *why = NULL;
	if (!v || v->kind != JSON_OBJECT)
		why = "The field DashboardBody must be a valid JSON object";
	else if (!widgets || widgets->kind != JSON_ARRAY)
		complain(&c, S("/"), "Should have required property 'widgets'");
	else if (widgets->n > WIDGETS_MAX)
		complain(&c, S("/widgets"), "Should NOT have more than 500 items");
	size_t i = 0;
	for (const json_value *w = !why && widgets ? widgets->first : NULL; w; w = w->next)
		widget_check(&c, w, i++);
	if (!why && !c.list.n)
		return OK;
	cloudwatch_DashboardInvalidInputError_error *detail = arena_new(
		rq->mem, cloudwatch_DashboardInvalidInputError_error);
	if (why)
		complain(&c, S(""), why);
	detail->dashboardValidationMessages = c.list;
	str all = why ? str_c(why) : sentence_of(rq->mem, &c.list);
	return fail_with(rq, &cloudwatch_DashboardInvalidInputError, detail, "%.*s", STR_ARG(all));
}

/* A dashboard is the account's: one charge, from whichever region it is put or deleted. */
static void charge_for(const req *rq, txn *tx, str name, qty rate)
{
	resident_set(tx, rq->who.account, PRICE_HOME_REGION, rq->now, &CW_DASHBOARD,
	             dashboard_arn(rq, name), rate);
}

err cloudwatch_PutDashboard(req *rq, txn *tx, const cloudwatch_PutDashboard_in *in,
                            cloudwatch_PutDashboard_out *out)
{
	TRY(name_check(rq, in->DashboardName));
	TRY(body_check(rq, in->DashboardBody));
	TRY(tags_check(rq, &cloudwatch_tag_rules, TAGS(&in->Tags, Key)));
	/* Tags are given when it is made; later they are TagResource's. */
	const cloudwatch_dashboard *old = cloudwatch_dashboard_get(tx, rq->mem, rq->who.account,
	                                                           in->DashboardName);
	cloudwatch_dashboard_put(tx, &(cloudwatch_dashboard){ .Account = rq->who.account,
	                                                      .Name = in->DashboardName,
	                                                      .Body = in->DashboardBody, .Modified = rq->now,
	                                                      .Tags = old ? old->Tags : in->Tags });
	charge_for(rq, tx, in->DashboardName, QTY(1));
	meter_one(rq, &CW_API, S("PutDashboard"));
	out->DashboardValidationMessages.v = arena_new(rq->mem, cloudwatch_DashboardValidationMessage);
	return OK;
}

static err dashboard_find(req *rq, const txn *tx, str name, cloudwatch_dashboard **out)
{
	*out = cloudwatch_dashboard_get(tx, rq->mem, rq->who.account, name);
	return *out ? OK : fail(rq, &cloudwatch_DashboardNotFoundError, "Dashboard %.*s does not exist",
	                        STR_ARG(name));
}

err cloudwatch_GetDashboard(req *rq, const txn *tx, const cloudwatch_GetDashboard_in *in,
                            cloudwatch_GetDashboard_out *out)
{
	cloudwatch_dashboard *d;
	TRY(dashboard_find(rq, tx, in->DashboardName, &d));
	out->DashboardArn = dashboard_arn(rq, d->Name);
	out->DashboardBody = d->Body;
	out->DashboardName = d->Name;
	meter_one(rq, &CW_API, S("GetDashboard"));
	return OK;
}

err cloudwatch_DeleteDashboards(req *rq, txn *tx, const cloudwatch_DeleteDashboards_in *in,
                                cloudwatch_DeleteDashboards_out *out)
{
	buf lost = buf_in(rq->mem, 64, 8000);
	for (size_t i = 0; i < in->DashboardNames.n; i++)
		if (!cloudwatch_dashboard_get(tx, rq->mem, rq->who.account, in->DashboardNames.v[i]))
			buf_fmt(&lost, "%s%.*s", lost.n ? ", " : "", STR_ARG(in->DashboardNames.v[i]));
	if (lost.n)
		return fail(rq, &cloudwatch_DashboardNotFoundError, "The specified dashboard does not exist. [%.*s]",
		            (int)lost.n, lost.p);
	for (size_t i = 0; i < in->DashboardNames.n; i++) {
		cloudwatch_dashboard_delete(tx, rq->who.account, in->DashboardNames.v[i]);
		charge_for(rq, tx, in->DashboardNames.v[i], 0);
	}
	meter_one(rq, &CW_API, S("DeleteDashboards"));
	return OK;
}

err cloudwatch_ListDashboards(req *rq, const txn *tx, const cloudwatch_ListDashboards_in *in,
                              cloudwatch_ListDashboards_out *out)
{
	str after;
	record_scan s = cloudwatch_dashboard_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cloudwatch_InvalidParameterValueException, "NextToken is invalid.");
		record_scan_after(&s, after);
	}
	out->DashboardEntries.v = arena_array(rq->mem, cloudwatch_DashboardEntry, LIST_PAGE);
	for (cloudwatch_dashboard *d; (d = cloudwatch_dashboard_next(&s));) {
		if (!str_starts(d->Name, in->DashboardNamePrefix))
			continue;
		if (out->DashboardEntries.n == LIST_PAGE) {
			out->NextToken = page_token(rq, out->DashboardEntries.v[LIST_PAGE - 1].DashboardName);
			break;
		}
		out->DashboardEntries.v[out->DashboardEntries.n++] = (cloudwatch_DashboardEntry){
			d->Name, dashboard_arn(rq, d->Name), TIME(d->Modified), I64((int64_t)d->Body.n)
		};
	}
	cursor_close(&s.at);
	meter_one(rq, &CW_API, S("ListDashboards"));
	return OK;
}
