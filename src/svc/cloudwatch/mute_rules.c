/* Alarm mute rules as they are put, told, listed and deleted. */
#include "mute.h"

#define LIST_PAGE 50

static str arn_of(const req *rq, str name)
{
	return req_arn(rq, "cloudwatch", "alarm-mute-rule:%.*s", STR_ARG(name));
}

static int64_t whole_minutes(opt_time t) { return t.set ? t.v - t.v % MS_MINUTE : 0; }

err cloudwatch_PutAlarmMuteRule(req *rq, txn *tx, const cloudwatch_PutAlarmMuteRule_in *in,
                                cloudwatch_PutAlarmMuteRule_out *out)
{
	const char *why;
	cloudwatch_Schedule *when = arena_new(rq->mem, cloudwatch_Schedule);
	*when = *in->Rule->Schedule;
	if (!str_is(when->Timezone))
		when->Timezone = S("UTC");
	if (!mute_read(rq->mem, when, &why))
		return fail(rq, &aws_ValidationException, "%s", why);
	TRY(tags_check(rq, &cloudwatch_tag_rules, TAGS(&in->Tags, Key)));
	cloudwatch_Rule scheduled = { when };
	cloudwatch_mute m = { .Account = rq->who.account,
		                  .Region = rq->region,
		                  .Name = in->Name,
		                  .Description = in->Description,
		                  .Rule = &scheduled,
		                  .Targets = in->MuteTargets,
		                  .Start = whole_minutes(in->StartDate),
		                  .Expire = whole_minutes(in->ExpireDate),
		                  .Updated = rq->now,
		                  .Tags = in->Tags };
	if (m.Expire && m.Expire <= m.Start)
		return fail(rq, &aws_ValidationException, "ExpireDate must be later than StartDate.");
	const cloudwatch_mute *old = cloudwatch_mute_get(tx, rq->mem, m.Account, m.Region, m.Name);
	if (old)
		m.Tags = old->Tags;
	cloudwatch_mute_put(tx, &m);
	muted_look(tx, m.Account, m.Region, rq->now);
	return OK;
}

static err find(req *rq, const txn *tx, str name, cloudwatch_mute **out)
{
	*out = cloudwatch_mute_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *out ? OK
				: fail(rq, &cloudwatch_ResourceNotFoundException, "Alarm mute rule %.*s does not exist.",
	                   STR_ARG(name));
}

static str status_of(req *rq, const cloudwatch_mute *m, const mute_schedule *s)
{
	if ((m->Expire && rq->now >= m->Expire) || mute_over(s, rq->now))
		return cloudwatch_AlarmMuteRuleStatus_EXPIRED;
	return rq->now >= m->Start && mute_open(s, rq->now) ? cloudwatch_AlarmMuteRuleStatus_ACTIVE
														: cloudwatch_AlarmMuteRuleStatus_SCHEDULED;
}

static cloudwatch_AlarmMuteRuleSummary summary(req *rq, const cloudwatch_mute *m)
{
	const char *why;
	const mute_schedule *s = mute_read(rq->mem, m->Rule->Schedule, &why);
	return (cloudwatch_AlarmMuteRuleSummary){
		.AlarmMuteRuleArn = arn_of(rq, m->Name),
		.ExpireDate = m->Expire ? TIME(m->Expire) : (opt_time){ 0 },
		.Status = status_of(rq, m, s),
		.MuteType = mute_once(s) ? S("ONE_TIME") : S("RECURRING"),
		.LastUpdatedTimestamp = TIME(m->Updated),
	};
}

err cloudwatch_GetAlarmMuteRule(req *rq, const txn *tx, const cloudwatch_GetAlarmMuteRule_in *in,
                                cloudwatch_GetAlarmMuteRule_out *out)
{
	cloudwatch_mute *m;
	TRY(find(rq, tx, in->AlarmMuteRuleName, &m));
	cloudwatch_AlarmMuteRuleSummary told = summary(rq, m);
	*out = (cloudwatch_GetAlarmMuteRule_out){
		.Name = m->Name,
		.AlarmMuteRuleArn = told.AlarmMuteRuleArn,
		.Description = m->Description,
		.Rule = m->Rule,
		.MuteTargets = m->Targets,
		.StartDate = m->Start ? TIME(m->Start) : (opt_time){ 0 },
		.ExpireDate = told.ExpireDate,
		.Status = told.Status,
		.LastUpdatedTimestamp = told.LastUpdatedTimestamp,
		.MuteType = told.MuteType,
	};
	return OK;
}

/* One that is not there is deleted already. */
err cloudwatch_DeleteAlarmMuteRule(req *rq, txn *tx, const cloudwatch_DeleteAlarmMuteRule_in *in,
                                   cloudwatch_DeleteAlarmMuteRule_out *out)
{
	cloudwatch_mute_delete(tx, rq->who.account, rq->region, in->AlarmMuteRuleName);
	muted_look(tx, rq->who.account, rq->region, rq->now);
	return OK;
}

static bool listed(const cloudwatch_ListAlarmMuteRules_in *in, const cloudwatch_mute *m, str status)
{
	bool named = !str_is(in->AlarmName), fits = !in->Statuses.n;
	for (size_t i = 0; m->Targets && i < m->Targets->AlarmNames.n; i++)
		named = named || str_eq(m->Targets->AlarmNames.v[i], in->AlarmName);
	for (size_t i = 0; i < in->Statuses.n; i++)
		fits = fits || str_eq(in->Statuses.v[i], status);
	return named && fits;
}

err cloudwatch_ListAlarmMuteRules(req *rq, const txn *tx, const cloudwatch_ListAlarmMuteRules_in *in,
                                  cloudwatch_ListAlarmMuteRules_out *out)
{
	size_t page = in->MaxRecords.set ? (size_t)in->MaxRecords.v : LIST_PAGE;
	str after, last = STR_NONE;
	record_scan s = cloudwatch_mute_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
		record_scan_after(&s, after);
	}
	out->AlarmMuteRuleSummaries.v = arena_array(rq->mem, cloudwatch_AlarmMuteRuleSummary, page);
	for (cloudwatch_mute *m; (m = cloudwatch_mute_next(&s)); last = m->Name) {
		cloudwatch_AlarmMuteRuleSummary one = summary(rq, m);
		if (!listed(in, m, one.Status))
			continue;
		if (out->AlarmMuteRuleSummaries.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->AlarmMuteRuleSummaries.v[out->AlarmMuteRuleSummaries.n++] = one;
	}
	cursor_close(&s.at);
	return OK;
}
