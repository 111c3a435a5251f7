#include "base/json.h"
#include "base/time.h"
#include "metric.h"

#define LIST_PAGE 100

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
			            "The value %.*s for field DashboardName contains invalid characters. It can only "
			            "contain alphanumerics, dash (-) and underscore (_).", STR_ARG(name));
	}
	return OK;
}

/* AWS refuses what is not a JSON object with a list of widgets, each of which has a type. */
static err body_check(req *rq, str body)
{
	const json_value *v = json_parse(rq->mem, body), *widgets = v ? json_get(v, S("widgets")) : NULL;
	const char *why = NULL;
	if (!v || v->kind != JSON_OBJECT)
		why = "The field DashboardBody must be a valid JSON object";
	else if (!widgets || widgets->kind != JSON_ARRAY)
		why = "The dashboard body is invalid, there is no array of widgets";
	for (const json_value *w = why ? NULL : widgets->first; w && !why; w = w->next) {
		const json_value *type = json_get(w, S("type"));
		if (!type || type->kind != JSON_STRING)
			why = "The dashboard body is invalid, a widget has no type";
	}
	return why ? fail(rq, &cloudwatch_DashboardInvalidInputError, "%s", why) : OK;
}

err cloudwatch_PutDashboard(req *rq, txn *tx, const cloudwatch_PutDashboard_in *in,
                            cloudwatch_PutDashboard_out *out)
{
	TRY(name_check(rq, in->DashboardName));
	TRY(body_check(rq, in->DashboardBody));
	cloudwatch_dashboard_put(tx, &(cloudwatch_dashboard){ .Account = rq->who.account,
	                                                      .Name = in->DashboardName,
	                                                      .Body = in->DashboardBody, .Modified = rq->now,
	                                                      .Tags = in->Tags });
	resident_set(tx, rq->who.account, rq->region, rq->now, &CW_DASHBOARD,
	             dashboard_arn(rq, in->DashboardName), QTY(1));
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
	return OK;
}

err cloudwatch_DeleteDashboards(req *rq, txn *tx, const cloudwatch_DeleteDashboards_in *in,
                                cloudwatch_DeleteDashboards_out *out)
{
	cloudwatch_dashboard *d;
	for (size_t i = 0; i < in->DashboardNames.n; i++)
		TRY(dashboard_find(rq, tx, in->DashboardNames.v[i], &d));
	for (size_t i = 0; i < in->DashboardNames.n; i++) {
		cloudwatch_dashboard_delete(tx, rq->who.account, in->DashboardNames.v[i]);
		resident_set(tx, rq->who.account, rq->region, rq->now, &CW_DASHBOARD,
		             dashboard_arn(rq, in->DashboardNames.v[i]), 0);
	}
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
	return OK;
}
