#include "parameter.h"

#define DESCRIBE_PAGE 50

static bool known_option(str key, str option, bool *known_key)
{
	*known_key = true;
	if (str_eq(key, S("Name")))
		return str_eq(option, S("Equals")) || str_eq(option, S("BeginsWith")) ||
		       str_eq(option, S("Contains"));
	if (str_eq(key, S("Path")))
		return str_eq(option, S("Recursive")) || str_eq(option, S("OneLevel"));
	if (str_eq(key, S("Type")) || str_eq(key, S("KeyId")) || str_eq(key, S("Label")) ||
	    str_eq(key, S("Tier")) || str_eq(key, S("DataType")) || str_starts(key, S("tag:")))
		return str_eq(option, S("Equals")) || str_eq(option, S("BeginsWith"));
	*known_key = false;
	return false;
}

static str option_of(const ssm_ParameterStringFilter *f)
{
	if (str_is(f->Option))
		return f->Option;
	return str_eq(f->Key, S("Path")) ? S("OneLevel") : S("Equals");
}

/* The values that Type and Tier can have; others are not looked for. */
static err value_known(req *rq, const ssm_ParameterStringFilter *f)
{
	static const struct {
		const char *key, *values[3], *told;
	} fixed[] = {
		{ "Tier", { "Standard", "Advanced", "Intelligent-Tiering" },
		  "Standard, Advanced, Intelligent-Tiering" },
		{ "Type", { "String", "StringList", "SecureString" }, "String, StringList, SecureString" },
	};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		if (!str_eq(f->Key, str_c(fixed[i].key)) || !str_eq(option_of(f), S("Equals")))
			continue;
		for (size_t j = 0; j < f->Values.n; j++) {
			bool known = false;
			for (size_t k = 0; k < 3; k++)
				known |= str_eq(f->Values.v[j], str_c(fixed[i].values[k]));
			if (!known)
				return fail(rq, &ssm_InvalidFilterOption,
				            "The following filter value is not valid: %.*s. Valid values include: [%s].",
				            STR_ARG(f->Values.v[j]), fixed[i].told);
		}
	}
	return OK;
}

static bool begins_reserved(str path)
{
	return path.n >= 4 &&
	       (str_eq_nocase(str_sub(path, 0, 4), S("/aws")) || str_eq_nocase(str_sub(path, 0, 4), S("/ssm")));
}

static err paths_valid(req *rq, const ssm_ParameterStringFilter *f)
{
	for (size_t i = 0; i < f->Values.n; i++) {
		if (begins_reserved(f->Values.v[i]))
			return fail(rq, &aws_ValidationException,
			            "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" "
			            "(case-insensitive). When using global parameters, please specify within a global "
			            "namespace.");
		TRY(path_check(rq, f->Values.v[i]));
	}
	return OK;
}

static err filter_check(req *rq, const ssm_ParameterStringFilter *f, bool by_path)
{
	bool known, path = str_eq(f->Key, S("Path"));
	bool fits = known_option(f->Key, option_of(f), &known);
	bool allowed = by_path ? str_eq(f->Key, S("Type")) || str_eq(f->Key, S("KeyId")) ||
					 str_eq(f->Key, S("Label")) || str_starts(f->Key, S("tag:")) :
				 !str_eq(f->Key, S("Label"));
	if (!known || !allowed)
		return fail(rq, &ssm_InvalidFilterKey,
		            "The following filter key is not valid: %.*s. Valid filter keys include: %s.",
		            STR_ARG(f->Key), by_path ? "[Type, KeyId]" : "[Path, Name, Type, KeyId, Tier]");
	if (!f->Values.n && !str_starts(f->Key, S("tag:")))
		return fail(rq, &ssm_InvalidFilterValue,
		            "The following filter values are missing : null for filter key %.*s", STR_ARG(f->Key));
	if (!fits)
		return fail(rq, &ssm_InvalidFilterOption,
		            "The following filter option is not valid: %.*s. Valid options include: [%s].",
		            STR_ARG(option_of(f)), path ? "Recursive, OneLevel" : "BeginsWith, Equals");
	return path ? paths_valid(rq, f) : value_known(rq, f);
}

err filters_check(req *rq, const ssm_ParameterStringFilterList *filters, bool by_path)
{
	for (size_t i = 0; i < filters->n; i++) {
		const ssm_ParameterStringFilter *f = &filters->v[i];
		for (size_t j = 0; j < i; j++)
			if (str_eq(filters->v[j].Key, f->Key))
				return fail(rq, &ssm_InvalidFilterKey,
				            "The following filter is duplicated in the request: %.*s. A request can contain "
				            "only one occurrence of a specific filter.", STR_ARG(f->Key));
		TRY(filter_check(rq, f, by_path));
	}
	return OK;
}

static bool path_fits(str name, str path, bool recursive)
{
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	if (!path.n && !str_starts(name, S("/"))) /* a name without a slash stands at the root */
		return true;
	if (!str_starts(name, path) || name.n <= path.n + 1 || name.p[path.n] != '/')
		return false;
	return recursive || str_find_char(str_sub(name, path.n + 1, name.n), '/') == SIZE_MAX;
}

static bool value_fits(str have, str option, str want)
{
	if (str_eq(option, S("BeginsWith")))
		return str_starts(have, want);
	if (str_eq(option, S("Contains")))
		return str_find(have, want) != SIZE_MAX;
	return str_eq(have, want);
}

static bool tag_value(const ssm_param *p, str key, str *value)
{
	for (size_t i = 0; i < p->Tags.n; i++)
		if (str_eq(p->Tags.v[i].Key, key)) {
			*value = p->Tags.v[i].Value;
			return true;
		}
	return false;
}

static bool field_of(const ssm_param *p, str key, str *have)
{
	const ssm_Stored *v = p->Current;
	if (str_starts(key, S("tag:")))
		return tag_value(p, str_sub(key, 4, key.n), have);
	*have = str_eq(key, S("Name"))     ? p->Name :
		str_eq(key, S("Type"))     ? v->Type :
		str_eq(key, S("KeyId"))    ? v->KeyId :
		str_eq(key, S("Tier"))     ? v->Tier :
		str_eq(key, S("DataType")) ? v->DataType :
					     STR_NONE;
	return str_is(*have);
}

static bool filter_fits(req *rq, const ssm_param *p, const ssm_ParameterStringFilter *f)
{
	str have, option = option_of(f);
	if (str_eq(f->Key, S("Label"))) {
		for (size_t i = 0; i < p->Current->Labels.n; i++)
			for (size_t j = 0; j < f->Values.n; j++)
				if (value_fits(p->Current->Labels.v[i], option, f->Values.v[j]))
					return true;
		return false;
	}
	if (str_eq(f->Key, S("Path"))) {
		for (size_t i = 0; i < f->Values.n; i++)
			if (path_fits(p->Name, f->Values.v[i], str_eq(option, S("Recursive"))))
				return true;
		return false;
	}
	if (!field_of(p, f->Key, &have))
		return false;
	/* A leading slash may be left out, and given where the name has none. */
	bool name = str_eq(f->Key, S("Name"));
	bool slash = name && str_starts(have, S("/"));
	str rooted = name && !slash ? arena_concat(rq->mem, S("/"), have) : have;
	str bare = slash ? str_sub(have, 1, have.n) : have;
	for (size_t i = 0; i < f->Values.n; i++) {
		str want = f->Values.v[i];
		if (value_fits(rooted, option, want) || (!str_starts(want, S("/")) && value_fits(bare, option, want)))
			return true;
	}
	return f->Values.n == 0;
}

bool filters_fit(req *rq, const ssm_param *p, const ssm_ParameterStringFilterList *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!filter_fits(rq, p, &filters->v[i]))
			return false;
	return true;
}

/* The older Filters: any value that begins with one given. */
static bool old_filters_fit(const ssm_param *p, const ssm_ParametersFilterList *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		str have;
		bool one = false;
		if (!field_of(p, filters->v[i].Key, &have))
			return false;
		for (size_t j = 0; j < filters->v[i].Values.n; j++)
			one = one || str_starts(have, filters->v[i].Values.v[j]);
		if (!one)
			return false;
	}
	return true;
}

static ssm_ParameterMetadata metadata_of(req *rq, const ssm_param *p)
{
	const ssm_Stored *v = p->Current;
	return (ssm_ParameterMetadata){
		.Name = p->Name,
		.ARN = parameter_arn(rq, p->Name),
		.Type = v->Type,
		.KeyId = v->KeyId,
		.LastModifiedDate = v->LastModifiedDate,
		.LastModifiedUser = v->LastModifiedUser,
		.Description = v->Description,
		.AllowedPattern = v->AllowedPattern,
		.Version = v->Number,
		.Tier = v->Tier,
		.Policies = policies_list(rq, v->Policies),
		.DataType = v->DataType,
	};
}

err ssm_DescribeParameters(req *rq, const txn *tx, const ssm_DescribeParameters_in *in,
                           ssm_DescribeParameters_out *out)
{
	str after;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : DESCRIBE_PAGE;
	if (in->Filters.n && in->ParameterFilters.n)
		return fail(rq, &aws_ValidationException,
		            "You can use either Filters or ParameterFilters in a single request.");
	TRY(filters_check(rq, &in->ParameterFilters, false));
	record_scan s = ssm_param_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &ssm_InvalidNextToken, "The specified token is not valid.");
		record_scan_after(&s, after);
	}
	out->Parameters.v = arena_array(rq->mem, ssm_ParameterMetadata, page);
	for (ssm_param *p; (p = ssm_param_next(&s));) {
		if (!filters_fit(rq, p, &in->ParameterFilters) || !old_filters_fit(p, &in->Filters))
			continue;
		if (out->Parameters.n == page) {
			out->NextToken = page_token(rq, out->Parameters.v[page - 1].Name);
			break;
		}
		out->Parameters.v[out->Parameters.n++] = metadata_of(rq, p);
	}
	cursor_close(&s.at);
	return OK;
}
