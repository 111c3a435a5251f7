#include "rds.h"

#define NAME_MOST 255

static bool is_default(str name) { return str_starts(name, S("default:")); }

/* default:mysql-8-0 */
str db_option_group_default(arena *a, str engine, str series)
{
	str name = arena_fmt(a, "default:%.*s-%.*s", STR_ARG(engine), STR_ARG(series));
	for (size_t k = 0; k < name.n; k++)
		if (name.p[k] == '.')
			((char *)name.p)[k] = '-';
	return name;
}

/* default:postgres-15 exists without a row. */
static rds_OptionGroup *built_in(req *rq, str name)
{
	size_t n;
	const db_engine *all = db_engines_all(&n);
	str engine = STR_NONE, major = STR_NONE;
	for (size_t k = 0; k < db_versions_n * n; k++) {
		const db_engine *e = &all[k % n];
		const db_version *v = &db_versions[k / n];
		str series = db_version_series(str_c(e->name), str_c(v->number));
		if (!(v->engines & e->bit) || !str_eq(name, db_option_group_default(rq->mem, str_c(e->name), series)))
			continue;
		engine = str_c(e->name);
		major = series;
	}
	if (!str_is(engine))
		return NULL;
	rds_OptionGroup *g = arena_new(rq->mem, rds_OptionGroup);
	*g = (rds_OptionGroup){ .OptionGroupName = name,
		                    .OptionGroupDescription = arena_fmt(rq->mem, "Default option group for %.*s %.*s",
		                                                        STR_ARG(engine), STR_ARG(major)),
		                    .EngineName = engine,
		                    .MajorEngineVersion = major,
		                    .AllowsVpcAndNonVpcInstanceMemberships = BOOL(true),
		                    .OptionGroupArn = req_arn(rq, "rds", "og:%.*s", STR_ARG(name)) };
	return g;
}

err db_option_group_find(req *rq, const txn *tx, str given, rds_OptionGroup **out)
{
	str name = db_lowered(rq, given);
	rds_option_group *r = rds_option_group_get(tx, rq->mem, rq->who.account, rq->region, name);
	*out = r ? r->It : is_default(name) ? built_in(rq, name) : NULL;
	return *out ? OK
				: fail(rq, &rds_OptionGroupNotFoundFault, "Specified OptionGroupName: %.*s not found.",
	                   STR_ARG(given));
}

err db_option_group_set(req *rq, const txn *tx, str given, rds_DBInstance *it)
{
	rds_OptionGroup *g;
	if (!str_is(given))
		return OK;
	TRY(db_option_group_find(rq, tx, given, &g));
	str major = db_version_series(it->Engine, it->EngineVersion);
	if (!str_eq(g->EngineName, it->Engine) || !str_eq(g->MajorEngineVersion, major))
		return fail(rq, &rds_InvalidParameterCombination,
		            "The option group %.*s is for %.*s %.*s, not for %.*s %.*s.", STR_ARG(g->OptionGroupName),
		            STR_ARG(g->EngineName), STR_ARG(g->MajorEngineVersion), STR_ARG(it->Engine),
		            STR_ARG(major));
	it->OptionGroupMemberships.v[0].OptionGroupName = g->OptionGroupName;
	return OK;
}

static err check_new(req *rq, const txn *tx, str name, const char *parameter)
{
	TRY(db_check_identifier(rq, name, parameter));
	if (name.n > NAME_MOST)
		return fail(rq, &rds_InvalidParameterValue, "%s is too long.", parameter);
	if (rds_option_group_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, name)))
		return fail(rq, &rds_OptionGroupAlreadyExistsFault, "An option group named %.*s already exists.",
		            STR_ARG(name));
	int n = 0;
	record_scan s = rds_option_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (rds_option_group_next(&s))
		n++;
	return n < RDS_OPTION_GROUPS_MAX
		? OK
		: fail(rq, &rds_OptionGroupQuotaExceededFault, "Option group quota exceeded.");
}

static void keep(req *rq, txn *tx, rds_OptionGroup *g, const rds_TagList *tags)
{
	rds_option_group r = {
		.Account = rq->who.account, .Region = rq->region, .Name = g->OptionGroupName, .It = g, .Tags = *tags
	};
	rds_option_group_put(tx, &r);
}

err rds_CreateOptionGroup(req *rq, txn *tx, const rds_CreateOptionGroup_in *in,
                          rds_CreateOptionGroup_out *out)
{
	TRY(check_new(rq, tx, in->OptionGroupName, "OptionGroupName"));
	TRY(db_check_engine(rq, db_lowered(rq, in->EngineName)));
	if (str_empty(in->OptionGroupDescription))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter OptionGroupDescription must be provided and must not be blank.");
	const db_version *v;
	TRY(db_version_find(rq, db_lowered(rq, in->EngineName), in->MajorEngineVersion, &v));
	rds_OptionGroup *g = arena_new(rq->mem, rds_OptionGroup);
	str name = db_lowered(rq, in->OptionGroupName);
	*g = (rds_OptionGroup){ .OptionGroupName = name,
		                    .OptionGroupDescription = in->OptionGroupDescription,
		                    .EngineName = db_lowered(rq, in->EngineName),
		                    .MajorEngineVersion = in->MajorEngineVersion,
		                    .AllowsVpcAndNonVpcInstanceMemberships = BOOL(true),
		                    .OptionGroupArn = req_arn(rq, "rds", "og:%.*s", STR_ARG(name)) };
	keep(rq, tx, g, &in->Tags);
	out->OptionGroup = g;
	return OK;
}

err rds_CopyOptionGroup(req *rq, txn *tx, const rds_CopyOptionGroup_in *in, rds_CopyOptionGroup_out *out)
{
	rds_OptionGroup *from;
	TRY(db_option_group_find(rq, tx, in->SourceOptionGroupIdentifier, &from));
	TRY(check_new(rq, tx, in->TargetOptionGroupIdentifier, "TargetOptionGroupIdentifier"));
	rds_OptionGroup *g = arena_new(rq->mem, rds_OptionGroup);
	*g = *from;
	g->OptionGroupName = db_lowered(rq, in->TargetOptionGroupIdentifier);
	g->OptionGroupDescription = in->TargetOptionGroupDescription;
	g->OptionGroupArn = req_arn(rq, "rds", "og:%.*s", STR_ARG(g->OptionGroupName));
	g->SourceOptionGroup = from->OptionGroupArn;
	g->SourceAccountId = rq->who.account;
	g->CopyTimestamp = TIME(rq->now);
	keep(rq, tx, g, &in->Tags);
	out->OptionGroup = g;
	return OK;
}

/* PostgreSQL has no options: what it can do is in parameters and extensions. */
err rds_ModifyOptionGroup(req *rq, txn *tx, const rds_ModifyOptionGroup_in *in,
                          rds_ModifyOptionGroup_out *out)
{
	rds_OptionGroup *g;
	TRY(db_option_group_find(rq, tx, in->OptionGroupName, &g));
	if (is_default(g->OptionGroupName))
		return fail(rq, &rds_InvalidOptionGroupStateFault, "Default option groups can't be modified.");
	if (in->OptionsToInclude.n)
		return fail(rq, &rds_InvalidParameterValue, "Invalid Option: %.*s for %.*s",
		            STR_ARG(in->OptionsToInclude.v[0].OptionName), STR_ARG(g->EngineName));
	if (in->OptionsToRemove.n)
		return fail(rq, &rds_InvalidParameterValue, "The option %.*s is not in the option group %.*s.",
		            STR_ARG(in->OptionsToRemove.v[0]), STR_ARG(g->OptionGroupName));
	out->OptionGroup = g;
	return OK;
}

err rds_DeleteOptionGroup(req *rq, txn *tx, const rds_DeleteOptionGroup_in *in,
                          rds_DeleteOptionGroup_out *out)
{
	rds_OptionGroup *g;
	(void)out;
	TRY(db_option_group_find(rq, tx, in->OptionGroupName, &g));
	bool used = false;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		used = used
			|| (i->It->OptionGroupMemberships.n
		        && str_eq(i->It->OptionGroupMemberships.v[0].OptionGroupName, g->OptionGroupName));
	if (used || is_default(g->OptionGroupName))
		return fail(rq, &rds_InvalidOptionGroupStateFault,
		            "The option group '%.*s' cannot be deleted because it is in use.",
		            STR_ARG(g->OptionGroupName));
	rds_option_group_delete(tx, rq->who.account, rq->region, g->OptionGroupName);
	return OK;
}

err rds_DescribeOptionGroups(req *rq, const txn *tx, const rds_DescribeOptionGroups_in *in,
                             rds_DescribeOptionGroups_out *out)
{
	page p;
	rds_OptionGroup *one;
	rds_option_group *r;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->OptionGroupsList.v = arena_array(rq->mem, rds_OptionGroup, p.most);
	if (str_is(in->OptionGroupName)) {
		TRY(db_option_group_find(rq, tx, in->OptionGroupName, &one));
		out->OptionGroupsList.v[out->OptionGroupsList.n++] = *one;
		return OK;
	}
	record_scan s = rds_option_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((r = rds_option_group_next(&s))) {
		if ((str_is(in->EngineName) && !str_eq(in->EngineName, r->It->EngineName))
		    || (str_is(in->MajorEngineVersion) && !str_eq(in->MajorEngineVersion, r->It->MajorEngineVersion)))
			continue;
		if (out->OptionGroupsList.n == p.most) {
			out->Marker = page_token(rq, out->OptionGroupsList.v[p.most - 1].OptionGroupName);
			break;
		}
		out->OptionGroupsList.v[out->OptionGroupsList.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

err rds_DescribeOptionGroupOptions(req *rq, const txn *tx, const rds_DescribeOptionGroupOptions_in *in,
                                   rds_DescribeOptionGroupOptions_out *out)
{
	(void)tx;
	TRY(db_check_engine(rq, db_lowered(rq, in->EngineName)));
	out->OptionGroupOptions.v = arena_new(rq->mem, rds_OptionGroupOption);
	return OK;
}
