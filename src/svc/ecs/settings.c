/* Settings of an account, of its users and roles. What they switch is kept and shown; of containerInsights
 * new
 * clusters take their own from here. */
#include "ecs.h"

#define ROOT S("root")

static const struct { const char *name, *value; } defaults[] = {
	{ "awsvpcTrunking", "disabled" }, { "containerInsights", "disabled" },
	{ "containerInstanceLongArnFormat", "enabled" }, { "defaultLogDriverMode", "non-blocking" },
	{ "fargateEventWindows", "disabled" }, { "fargateFIPSMode", "disabled" },
	{ "fargateTaskRetirementWaitPeriod", "7" }, { "guardDutyActivate", "off" },
	{ "serviceLongArnFormat", "enabled" }, { "tagResourceAuthorization", "off" },
	{ "taskLongArnFormat", "enabled" },
};
#define SETTINGS (sizeof defaults / sizeof *defaults)

static str value_of(req *rq, const txn *tx, str principal, str name)
{
	ecs_setting *s = ecs_setting_get(tx, rq->mem, rq->who.account, rq->region, principal, name);
	s = s ? s : ecs_setting_get(tx, rq->mem, rq->who.account, rq->region, ROOT, name);
	for (size_t i = 0; !s && i < SETTINGS; i++)
		if (str_eq(str_c(defaults[i].name), name))
			return str_c(defaults[i].value);
	return s ? s->Value : STR_NONE;
}

str ecs_setting_of(req *rq, const txn *tx, str name)
{
	return value_of(rq, tx, rq->who.arn, name);
}

static err value_check(req *rq, str name, str value)
{
	bool days = str_eq(name, S("fargateTaskRetirementWaitPeriod"));
	static const char *const words[] = { "enabled", "disabled", "enhanced", "on", "off", "blocking",
		"non-blocking" };
	bool known = days && (str_eq(value, S("0")) || str_eq(value, S("7")) || str_eq(value, S("14")));
	for (size_t i = 0; !days && i < sizeof words / sizeof *words; i++)
		known = known || str_eq(value, str_c(words[i]));
	return known ? OK : fail(rq, &ecs_InvalidParameterException, "Invalid value '%.*s' for setting %.*s.",
	                         STR_ARG(value), STR_ARG(name));
}

static ecs_Setting *shown(req *rq, str principal, str name, str value)
{
	ecs_Setting *s = arena_new(rq->mem, ecs_Setting);
	*s = (ecs_Setting){ .name = name, .value = value, .principalArn = str_eq(principal, ROOT)
		? arena_fmt(rq->mem, "arn:aws:iam::%.*s:root", STR_ARG(rq->who.account)) : principal,
			.type = S("user") };
	return s;
}

static str principal_of(req *rq, str named)
{
	str who = given(named) ? named : rq->who.arn;
	return str_ends(who, S(":root")) ? ROOT : who;
}

static err keep(req *rq, txn *tx, str principal, str name, str value, ecs_Setting **out)
{
	TRY(value_check(rq, name, value));
	ecs_setting_put(tx, &(ecs_setting){ .Account = rq->who.account, .Region = rq->region,
		.Principal = principal,
	                .Name = name, .Value = value });
	*out = shown(rq, principal, name, value);
	return OK;
}

err ecs_PutAccountSetting(req *rq, txn *tx, const ecs_PutAccountSetting_in *in,
	ecs_PutAccountSetting_out *out)
{
	return keep(rq, tx, principal_of(rq, in->principalArn), in->name, in->value, &out->setting);
}

err ecs_PutAccountSettingDefault(req *rq, txn *tx, const ecs_PutAccountSettingDefault_in *in,
                                 ecs_PutAccountSettingDefault_out *out)
{
	return keep(rq, tx, ROOT, in->name, in->value, &out->setting);
}

err ecs_DeleteAccountSetting(req *rq, txn *tx, const ecs_DeleteAccountSetting_in *in,
                             ecs_DeleteAccountSetting_out *out)
{
	str who = principal_of(rq, in->principalArn);
	ecs_setting_delete(tx, rq->who.account, rq->region, who, in->name);
	out->setting = shown(rq, who, in->name, value_of(rq, tx, who, in->name));
	return OK;
}

err ecs_ListAccountSettings(req *rq, const txn *tx, const ecs_ListAccountSettings_in *in,
                            ecs_ListAccountSettings_out *out)
{
	str who = principal_of(rq, in->principalArn);
	for (size_t i = 0; i < SETTINGS; i++) {
		str name = str_c(defaults[i].name), value = STR_NONE;
		if (in->effectiveSettings.v) {
			value = value_of(rq, tx, who, name);
		} else {
			ecs_setting *s = ecs_setting_get(tx, rq->mem, rq->who.account, rq->region, who, name);
			value = s ? s->Value : STR_NONE;
		}
		if (str_is(value) && (!given(in->name) || str_eq(in->name, name)) &&
		    (!given(in->value) || str_eq(in->value, value)))
			ECS_ADD(rq->mem, &out->settings, *shown(rq, who, name, value));
	}
	ECS_SHOWN(rq->mem, &out->settings);
	return OK;
}
