#include "parameter.h"
#include "wire/pattern.h"

static err tier_for(req *rq, const ssm_PutParameter_in *in, const ssm_Stored *old, str *tier)
{
	bool needs_advanced = in->Value.n > SSM_STANDARD_BYTES || in->Policies.n > 2; /* "[]" is none */
	*tier = str_is(in->Tier) ? in->Tier : old ? old->Tier : ssm_ParameterTier_Standard;
	if (str_eq(*tier, ssm_ParameterTier_Intelligent_Tiering))
		*tier = needs_advanced || (old && str_eq(old->Tier, ssm_ParameterTier_Advanced)) ?
				ssm_ParameterTier_Advanced : ssm_ParameterTier_Standard;
	bool advanced = str_eq(*tier, ssm_ParameterTier_Advanced);
	if (old && !advanced && str_eq(old->Tier, ssm_ParameterTier_Advanced))
		return fail(rq, &aws_ValidationException,
		            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from "
		            "the advanced-parameter tier to the standard-parameter tier. If necessary, you can "
		            "delete the advanced parameter and recreate it as a standard parameter.");
	if (in->Value.n > (advanced ? SSM_ADVANCED_BYTES : SSM_STANDARD_BYTES))
		return fail(
			rq, &aws_ValidationException,
			advanced
				? "Advanced tier parameters support a maximum parameter value of %d characters."
				: "Standard tier parameters support a maximum parameter value of %d characters. To create "
				  "a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For "
				  "more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
				  "parameter-store-advanced-parameters.html",
			advanced ? SSM_ADVANCED_BYTES : SSM_STANDARD_BYTES);
	return OK;
}

static err value_check(req *rq, const ssm_PutParameter_in *in, str allowed)
{
	if (in->Value.n == 0)
		return fail(rq, &aws_ValidationException,
		            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member "
		            "must have length greater than or equal to 1");
	if (!str_is(allowed) || allowed.n == 0)
		return OK;
	const pattern *p = pattern_compile(rq->mem, allowed);
	if (!p)
		return fail(rq, &ssm_InvalidAllowedPatternException,
		            "The request does not meet the regular expression requirement.");
	if (!pattern_matches(p, rq->mem, in->Value))
		return fail(rq, &ssm_ParameterPatternMismatchException,
		            "Parameter value, cannot be validated against allowedPattern: %.*s", STR_ARG(allowed));
	return OK;
}

/* The 101st version pushes the oldest out, unless a label holds it. */
static err make_room(req *rq, txn *tx, const ssm_param *p)
{
	record_scan s = ssm_version_scan(tx, rq->mem, 3, p->Account, p->Region, p->Name, 0);
	ssm_version *oldest = ssm_version_next(&s);
	cursor_close(&s.at);
	if (!oldest || p->Current->Number.v - oldest->Number + 1 < SSM_VERSIONS_MAX)
		return OK;
	if (oldest->It->Labels.n)
		return fail(rq, &ssm_ParameterMaxVersionLimitExceeded,
		            "You attempted to create a new version of %.*s by calling the PutParameter API with the "
		            "overwrite flag. Version %lld, the oldest version, can't be deleted because it has a "
		            "label associated with it. Move the label to another version of the parameter, and try "
		            "again.",
		            STR_ARG(p->Name), (long long)oldest->Number);
	ssm_version_delete(tx, p->Account, p->Region, p->Name, oldest->Number);
	return OK;
}

static err request_check(req *rq, const ssm_PutParameter_in *in, const ssm_param *old)
{
	if (old && !in->Overwrite.v)
		return fail(rq, &ssm_ParameterAlreadyExists,
		            "The parameter already exists. To overwrite this value, set the overwrite option in the "
		            "request to true.");
	if (in->Overwrite.v && in->Tags.n)
		return fail(rq, &aws_ValidationException,
		            "Invalid request: tags and overwrite can't be used together. To create a parameter with "
		            "tags, please remove overwrite flag. To update tags for an existing parameter, please "
		            "use AddTagsToResource or RemoveTagsFromResource.");
	if (!old && !str_is(in->Type))
		return fail(rq, &aws_ValidationException,
		            "A parameter type is required when you create a parameter.");
	static const char *const kinds[] = { "text", "aws:ec2:image", "aws:ssm:integration" };
	bool known = !str_is(in->DataType);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		known |= str_eq(in->DataType, str_c(kinds[i]));
	if (!known)
		return fail(rq, &aws_ValidationException, "The following data type is not supported: %.*s (Data type "
		                                          "names are all lowercase.)", STR_ARG(in->DataType));
	if (str_is(in->KeyId) && str_is(in->Type) && !str_eq(in->Type, ssm_ParameterType_SecureString))
		return fail(rq, &aws_ValidationException, "KeyId is required for SecureString type parameter only.");
	return OK;
}

static void keep(txn *tx, const ssm_param *p)
{
	ssm_param_put(tx, p);
	ssm_version_put(tx, &(ssm_version){ .Account = p->Account, .Region = p->Region, .Name = p->Name,
	                                    .Number = p->Current->Number.v, .It = p->Current });
}

/* Creates version 1 of a parameter, or with Overwrite the next version. */
err ssm_PutParameter(req *rq, txn *tx, const ssm_PutParameter_in *in, ssm_PutParameter_out *out)
{
	TRY(parameter_name_check(rq, in->Name));
	const ssm_param *old = parameter_at(rq, tx, in->Name);
	str name = old ? old->Name : in->Name;
	const ssm_Stored *before = old ? old->Current : NULL;
	TRY(request_check(rq, in, old));

	ssm_Stored v = {
		.Number = I64(before ? before->Number.v + 1 : 1),
		.Type = str_is(in->Type) ? in->Type : before->Type,
		.Value = in->Value,
		.KeyId = in->KeyId,
		.Description = str_is(in->Description) ? in->Description : before ? before->Description : STR_NONE,
		.AllowedPattern = str_is(in->AllowedPattern) ? in->AllowedPattern :
				  before ? before->AllowedPattern : STR_NONE,
		.Policies = in->Policies,
		.DataType = str_is(in->DataType) ? in->DataType : S("text"),
		.LastModifiedDate = TIME(rq->now),
		.LastModifiedUser = rq->who.arn,
	};
	TRY(value_check(rq, in, v.AllowedPattern));
	TRY(tier_for(rq, in, before, &v.Tier));
	TRY(policies_check(rq, in->Policies, v.Tier));
	if (str_eq(v.Type, ssm_ParameterType_SecureString)) {
		if (!str_is(v.KeyId))
			v.KeyId = before && str_is(before->KeyId) ? before->KeyId : S("alias/aws/ssm");
		TRY(parameter_seal(rq, tx, name, v.KeyId, in->Value, &v.Value));
	}
	if (old)
		TRY(make_room(rq, tx, old));

	ssm_param p = { .Account = rq->who.account, .Region = rq->region, .Name = name, .Current = &v,
		        .Tags = old ? old->Tags : in->Tags };
	keep(tx, &p);
	policies_start(tx, &p);
	if (str_eq(v.Tier, ssm_ParameterTier_Advanced))
		resident_set(tx, p.Account, p.Region, rq->now, &SSM_PARAMETER_ADVANCED,
		             parameter_arn(rq, p.Name), QTY(1));
	parameter_metered(rq, p.Name, &v);
	out->Version = v.Number;
	out->Tier = v.Tier;
	return OK;
}

void parameter_remove(txn *tx, const ssm_param *p, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan s = ssm_version_scan(tx, mem, 3, p->Account, p->Region, p->Name, 0);
	for (ssm_version *row; (row = ssm_version_next(&s));)
		ssm_version_delete(tx, p->Account, p->Region, p->Name, row->Number);
	ssm_param_delete(tx, p->Account, p->Region, p->Name);
	if (str_eq(p->Current->Tier, ssm_ParameterTier_Advanced)) {
		req at = { .mem = mem, .who.account = p->Account, .region = p->Region };
		resident_set(tx, p->Account, p->Region, now, &SSM_PARAMETER_ADVANCED,
		             parameter_arn(&at, p->Name), 0);
	}
}

err ssm_DeleteParameter(req *rq, txn *tx, const ssm_DeleteParameter_in *in,
                        ssm_DeleteParameter_out *out)
{
	const ssm_param *p;
	const ssm_Stored *v;
	TRY(parameter_find(rq, tx, parameter_ref_of(in->Name), &p, &v));
	if (str_starts(p->Name, PUBLIC_PREFIX)) /* nobody's to delete */
		return fail(rq, &ssm_ParameterNotFound, "Parameter %.*s not found.", STR_ARG(p->Name));
	parameter_metered(rq, p->Name, v);
	parameter_remove(tx, p, rq->now);
	return OK;
}

err ssm_DeleteParameters(req *rq, txn *tx, const ssm_DeleteParameters_in *in,
                         ssm_DeleteParameters_out *out)
{
	out->DeletedParameters.v = arena_array(rq->mem, str, in->Names.n);
	out->InvalidParameters.v = arena_array(rq->mem, str, in->Names.n);
	for (size_t i = 0; i < in->Names.n; i++) {
		ssm_param *p = parameter_at(rq, tx, parameter_ref_of(in->Names.v[i]).name);
		if (p)
			parameter_remove(tx, p, rq->now);
		ssm_ParameterNameList *list = p ? &out->DeletedParameters : &out->InvalidParameters;
		list->v[list->n++] = in->Names.v[i];
	}
	return OK;
}
