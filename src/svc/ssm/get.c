#include "parameter.h"

#define BY_PATH_PAGE 10

static err describe(req *rq, const txn *tx, const ssm_param *p, const ssm_Stored *v, bool decrypt,
                    ssm_Parameter *out)
{
	*out = (ssm_Parameter){
		.Name = p->Name,
		.Type = v->Type,
		.Version = v->Number,
		.LastModifiedDate = v->LastModifiedDate,
		.ARN = parameter_arn(rq, p->Name),
		.DataType = v->DataType,
	};
	parameter_metered(rq, p->Name, v);
	return parameter_value(rq, tx, p->Name, v, decrypt, &out->Value);
}

/* What was asked for by its name answers to that name. */
static err look_up(req *rq, const txn *tx, str given, bool decrypt, ssm_Parameter *out)
{
	const ssm_param *p;
	const ssm_Stored *v;
	parameter_ref ref = parameter_ref_of(given);
	if (str_starts(ref.name, REFERENCE_PREFIX))
		return reference_get(rq, tx, ref, decrypt, out);
	TRY(parameter_find(rq, tx, ref, &p, &v));
	TRY(describe(rq, tx, p, v, decrypt, out));
	if (!str_starts(given, S("arn:")))
		out->Name = ref.name;
	if (str_is(ref.selector))
		out->Selector = arena_concat(rq->mem, S(":"), ref.selector);
	return OK;
}

static bool before(const ssm_ParameterNameList *names, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names->v[i], name))
			return true;
	return false;
}

err ssm_GetParameter(req *rq, const txn *tx, const ssm_GetParameter_in *in, ssm_GetParameter_out *out)
{
	ssm_Parameter *found = arena_new(rq->mem, ssm_Parameter);
	TRY(look_up(rq, tx, in->Name, in->WithDecryption.v, found));
	out->Parameter = found;
	return OK;
}

err ssm_GetParameters(req *rq, const txn *tx, const ssm_GetParameters_in *in, ssm_GetParameters_out *out)
{
	out->Parameters.v = arena_array(rq->mem, ssm_Parameter, in->Names.n);
	out->InvalidParameters.v = arena_array(rq->mem, str, in->Names.n);
	for (size_t i = 0; i < in->Names.n; i++) {
		str name = in->Names.v[i];
		if (before(&in->Names, i, name))
			continue;
		ssm_Parameter *found = &out->Parameters.v[out->Parameters.n];
		err e = look_up(rq, tx, name, in->WithDecryption.v, found);
		if (e && (e->kind == &ssm_ParameterNotFound || e->kind == &ssm_ParameterVersionNotFound)) {
			out->InvalidParameters.v[out->InvalidParameters.n++] = name;
			continue;
		}
		TRY(e);
		out->Parameters.n++;
	}
	return OK;
}

/* Whether `name` stands below `path` (which ends in '/'), at any depth or directly. One without any slash
 * stands at the root. */
static bool below(str name, str path, bool any_depth)
{
	if (!str_starts(name, S("/")))
		return path.n == 1;
	str rest = str_sub(name, path.n, name.n);
	return any_depth || str_find_char(rest, '/') == SIZE_MAX;
}

err path_check(req *rq, str path)
{
	bool fits = str_starts(path, S("/"));
	for (size_t i = 0; i < path.n; i++)
		fits = fits && name_char(path.p[i]) && !(i && path.p[i] == '/' && path.p[i - 1] == '/');
	if (!fits)
		return fail(rq, &aws_ValidationException,
		            "The parameter doesn't meet the parameter name requirements. The parameter name must "
		            "begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" "
		            "(case-insensitive). It must use only letters, numbers, or the following symbols: . "
		            "(period), - (hyphen), _ (underscore). Special characters are not allowed. All "
		            "sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: "
		            "/get/parameters2-/by1./path0_.");
	return OK;
}

static err public_by_path(req *rq, const txn *tx, const ssm_GetParametersByPath_in *in, str path, str after,
                          size_t page, ssm_GetParametersByPath_out *out)
{
	for (ssm_param *p; (p = public_next(rq, tx, after)); after = p->Name) {
		if (!str_starts(p->Name, path) || !below(p->Name, path, in->Recursive.v) ||
		    !filters_fit(rq, p, &in->ParameterFilters))
			continue;
		if (out->Parameters.n == page) {
			out->NextToken = page_token(rq, out->Parameters.v[page - 1].Name);
			break;
		}
		TRY(describe(rq, tx, p, p->Current, false, &out->Parameters.v[out->Parameters.n++]));
	}
	return OK;
}

err ssm_GetParametersByPath(req *rq, const txn *tx, const ssm_GetParametersByPath_in *in,
                            ssm_GetParametersByPath_out *out)
{
	str after;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : BY_PATH_PAGE;
	TRY(path_check(rq, in->Path));
	TRY(filters_check(rq, &in->ParameterFilters, true));
	str path = str_ends(in->Path, S("/")) ? in->Path : arena_concat(rq->mem, in->Path, S("/"));
	record_scan s = ssm_param_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &ssm_InvalidNextToken, "The specified token is not valid.");
	bool root = path.n == 1;
	if (!root || str_is(in->NextToken))
		record_scan_after(&s, str_is(in->NextToken) ? after : path);

	out->Parameters.v = arena_array(rq->mem, ssm_Parameter, page);
	if (str_starts(path, PUBLIC_PREFIX)) {
		cursor_close(&s.at);
		return public_by_path(rq, tx, in, path, str_is(in->NextToken) ? after : path, page, out);
	}
	for (ssm_param *p; (p = ssm_param_next(&s)) && (root || str_starts(p->Name, path));) {
		if (!below(p->Name, path, in->Recursive.v) || !filters_fit(rq, p, &in->ParameterFilters))
			continue;
		if (out->Parameters.n == page) {
			out->NextToken = page_token(rq, out->Parameters.v[page - 1].Name);
			break;
		}
		TRY(describe(rq, tx, p, p->Current, in->WithDecryption.v,
		             &out->Parameters.v[out->Parameters.n++]));
	}
	cursor_close(&s.at);
	return OK;
}

static ssm_ParameterHistory history_of(req *rq, const ssm_param *p, const ssm_Stored *v)
{
	return (ssm_ParameterHistory){
		.Name = p->Name,
		.Type = v->Type,
		.KeyId = v->KeyId,
		.LastModifiedDate = v->LastModifiedDate,
		.LastModifiedUser = v->LastModifiedUser,
		.Description = v->Description,
		.AllowedPattern = v->AllowedPattern,
		.Version = v->Number,
		.Labels = v->Labels.v ? v->Labels : (ssm_ParameterLabelList){ arena_new(rq->mem, str), 0 },
		.Tier = v->Tier,
		.Policies = policies_list(rq, v->Policies),
		.DataType = v->DataType,
	};
}

err ssm_GetParameterHistory(req *rq, const txn *tx, const ssm_GetParameterHistory_in *in,
                            ssm_GetParameterHistory_out *out)
{
	const ssm_param *p;
	const ssm_Stored *v;
	str after;
	int64_t last = 0;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : SSM_VERSIONS_MAX / 2;
	TRY(parameter_find(rq, tx, (parameter_ref){ parameter_ref_of(in->Name).name, STR_NONE }, &p, &v));
	if (str_starts(p->Name, PUBLIC_PREFIX)) /* AWS tells the history of nobody's parameters to nobody */
		return fail(rq, &ssm_ParameterNotFound, "Parameter %.*s not found.", STR_ARG(p->Name));
	if (str_is(in->NextToken) && (!page_position(rq, in->NextToken, &after) || !str_to_i64(after, &last)))
		return fail(rq, &ssm_InvalidNextToken, "The specified token is not valid.");

	out->Parameters.v = arena_array(rq->mem, ssm_ParameterHistory, page);
	record_scan s = ssm_version_scan(tx, rq->mem, 3, p->Account, p->Region, p->Name, 0);
	for (ssm_version *row; (row = ssm_version_next(&s));) {
		if (row->Number <= last)
			continue;
		if (out->Parameters.n == page) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)row->Number - 1));
			break;
		}
		ssm_ParameterHistory *h = &out->Parameters.v[out->Parameters.n++];
		*h = history_of(rq, p, row->It);
		TRY(parameter_value(rq, tx, p->Name, row->It, in->WithDecryption.v, &h->Value));
	}
	cursor_close(&s.at);
	return OK;
}
