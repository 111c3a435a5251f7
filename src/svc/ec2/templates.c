/*
 * Launch templates: versions of what RunInstances may be told. A version keeps its data as it is shown; a
 * launch reads it as if it were the request's own, and what the request says itself goes before.
 */
#include "base/text.h"
#include "ec2.h"

#define VERSIONS_MAX 10000
#define CONVERTED_MAX (1 << 20)

static err no_such_id(req *rq, str id)
{
	return fail(rq, &ec2_InvalidTemplateId, "The specified launch template, with template ID %.*s, does not "
	            "exist.", STR_ARG(id));
}

static ec2_LaunchTemplate *by_name(req *rq, const txn *tx, str name)
{
	return kind_first(tx, rq->mem, &kind_template, rq->who.account, rq->region, "launchTemplateName", name);
}

static err find(req *rq, const txn *tx, str id, str name, ec2_LaunchTemplate **out)
{
	if (given(id) && given(name))
		return fail(rq, &ec2_InvalidParameterCombination, "Only one of LaunchTemplateId and "
		            "LaunchTemplateName "
		            "may be specified.");
	if (!given(id) && !given(name))
		return fail(rq, &aws_MissingParameter, "Either LaunchTemplateId or LaunchTemplateName must be "
		            "specified.");
	*out = given(id) ? kind_find(tx, rq->mem, &kind_template, rq->who.account, rq->region, id) :
	                   by_name(rq, tx, name);
	if (!*out && given(id))
		return no_such_id(rq, id);
	return *out ? OK : fail(rq, &ec2_InvalidTemplateName, "The specified launch template, with template name "
	                        "%.*s, does not exist.", STR_ARG(name));
}

static void keep(req *rq, txn *tx, const ec2_LaunchTemplate *t)
{
	kind_put(tx, &kind_template, rq->who.account, rq->region, t->LaunchTemplateId, t);
}

/* The same members in another structure: by way of JSON. */
static err convert(req *rq, const shape *from, const void *in, const shape *to, void *out)
{
	buf b = buf_in(rq->mem, 1024, CONVERTED_MAX);
	json_encode_value(&b, from, in);
	return json_decode_value(rq->mem, to, (str){ b.p, b.n }, out);
}

/* 3, $Latest or $Default. */
static err version_of(req *rq, const ec2_LaunchTemplate *t, str text, int64_t *out)
{
	bool latest = str_eq(text, S("$Latest"));
	*out = latest ? t->LatestVersionNumber.v : t->DefaultVersionNumber.v;
	if (!given(text) || latest || str_eq(text, S("$Default")))
		return OK;
	if (!str_to_i64(text, out) || *out < 1)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid launch template version: %.*s",
		            STR_ARG(text));
	return OK;
}

static err get_version(req *rq, const txn *tx, const ec2_LaunchTemplate *t, str text,
                       ec2_LaunchTemplateVersion **out)
{
	int64_t n;
	TRY(version_of(rq, t, text, &n));
	ec2_templateversion *v = ec2_templateversion_get(tx, rq->mem, rq->who.account, rq->region,
	                                                 t->LaunchTemplateId, n);
	if (!v)
		return fail(rq, &ec2_InvalidTemplateVersion, "Could not find the specified version %lld for the "
		            "launch template with ID %.*s.", (long long)n, STR_ARG(t->LaunchTemplateId));
	*out = v->It;
	(*out)->DefaultVersion = BOOL(n == t->DefaultVersionNumber.v);
	return OK;
}

static err add_version(req *rq, txn *tx, ec2_LaunchTemplate *t, const ec2_RequestLaunchTemplateData *data,
                       ec2_ResponseLaunchTemplateData *base, str description, ec2_LaunchTemplateVersion *v)
{
	ec2_ResponseLaunchTemplateData *shown = arena_new(rq->mem, ec2_ResponseLaunchTemplateData);
	TRY(convert(rq, &ec2_RequestLaunchTemplateData_shape, data, &ec2_ResponseLaunchTemplateData_shape,
	            shown));
	if (base)
		ec2_overlay(&ec2_ResponseLaunchTemplateData_shape, shown, base);
	int64_t n = t->LatestVersionNumber.v + 1;
	*v = (ec2_LaunchTemplateVersion){ .LaunchTemplateId = t->LaunchTemplateId,
		.LaunchTemplateName = t->LaunchTemplateName, .VersionNumber = I64(n), .CreateTime = TIME(rq->now),
		.VersionDescription = description, .CreatedBy = rq->who.arn, .LaunchTemplateData = shown,
		.DefaultVersion = BOOL(n == t->DefaultVersionNumber.v) };
	ec2_templateversion_put(tx, &(ec2_templateversion){ .Account = rq->who.account, .Region = rq->region,
		.Template = t->LaunchTemplateId, .Version = n, .It = v });
	t->LatestVersionNumber = I64(n);
	keep(rq, tx, t);
	return OK;
}

void ec2_overlay(const shape *s, void *over, const void *under)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		void *to = (char *)over + m->offset;
		const void *from = (const char *)under + m->offset;
		bool has, list = m->shape->kind == SHAPE_LIST || m->shape->kind == SHAPE_MAP;
		size_t bytes = list ? sizeof(list_of_str) : m->shape->kind == SHAPE_STRUCT ? sizeof(void *) :
		                                                                           m->shape->size;
		switch (m->shape->kind) {
		case SHAPE_INTEGER:
		case SHAPE_LONG:
			has = ((opt_i64 *)to)->set;
			break;
		case SHAPE_BOOLEAN:
			has = ((opt_bool *)to)->set;
			break;
		case SHAPE_FLOAT:
		case SHAPE_DOUBLE:
			has = ((opt_f64 *)to)->set;
			break;
		case SHAPE_TIMESTAMP:
			has = ((opt_time *)to)->set;
			break;
		default:
			has = list ? ((list_of_str *)to)->n > 0 : *(void **)to != NULL;
		}
		if (!has)
			memcpy(to, from, bytes);
	}
}

err ec2_template_apply(req *rq, const txn *tx, const ec2_RunInstances_in *in, ec2_RunInstances_in *out)
{
	ec2_LaunchTemplate *t;
	ec2_LaunchTemplateVersion *v;
	ec2_RunInstances_in base = { 0 };
	const ec2_LaunchTemplateSpecification *asked = in->LaunchTemplate;
	TRY(find(rq, tx, asked->LaunchTemplateId, asked->LaunchTemplateName, &t));
	TRY(get_version(rq, tx, t, asked->Version, &v));
	if (v->LaunchTemplateData->InstanceRequirements)
		return fail(rq, &aws_NotImplemented, "Instance types chosen by requirements are not implemented.");
	TRY(convert(rq, &ec2_ResponseLaunchTemplateData_shape, v->LaunchTemplateData,
	            &ec2_RunInstancesRequest_shape,
	            &base));
	*out = *in;
	ec2_overlay(&ec2_RunInstancesRequest_shape, out, &base);
	return OK;
}

static bool good_name(str name)
{
	bool good = name.n >= 3 && name.n <= 128;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		                str_find_char(S("-_()./"), c) != SIZE_MAX);
	}
	return good;
}

err ec2_CreateLaunchTemplate(req *rq, txn *tx, const ec2_CreateLaunchTemplate_in *in,
                             ec2_CreateLaunchTemplate_out *out)
{
	ec2_LaunchTemplateVersion v;
	str before;
	if (!good_name(in->LaunchTemplateName))
		return fail(rq, &ec2_InvalidTemplateNameMalformed, "A launch template name must be between 3 and 128 "
		            "characters, and may contain letters, numbers, and the following characters: - ( ) . / "
		            "_");
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	if (given(before))
		return kind_get(rq, tx, &kind_template, before, &out->LaunchTemplate);
	if (by_name(rq, tx, in->LaunchTemplateName))
		return fail(rq, &ec2_TemplateExists, "Launch template name already in use.");
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_LaunchTemplate t = { .LaunchTemplateId = ec2_id(rq->mem, "lt-"), .CreateTime = TIME(rq->now),
		.LaunchTemplateName = in->LaunchTemplateName, .CreatedBy = rq->who.arn,
		.DefaultVersionNumber = I64(1), .LatestVersionNumber = I64(0) };
	TRY(add_version(rq, tx, &t, in->LaunchTemplateData, NULL, in->VersionDescription, &v));
	ec2_repeats(rq, tx, in->ClientToken, t.LaunchTemplateId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "launch-template", t.LaunchTemplateId));
	return kind_get(rq, tx, &kind_template, t.LaunchTemplateId, &out->LaunchTemplate);
}

err ec2_CreateLaunchTemplateVersion(req *rq, txn *tx, const ec2_CreateLaunchTemplateVersion_in *in,
                                    ec2_CreateLaunchTemplateVersion_out *out)
{
	ec2_LaunchTemplate *t;
	ec2_LaunchTemplateVersion *source = NULL;
	TRY(find(rq, tx, in->LaunchTemplateId, in->LaunchTemplateName, &t));
	if (given(in->SourceVersion))
		TRY(get_version(rq, tx, t, in->SourceVersion, &source));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (t->LatestVersionNumber.v >= VERSIONS_MAX)
		return fail(rq, &ec2_TemplateVersionLimit, "The maximum number of launch template versions has been "
		            "reached.");
	out->LaunchTemplateVersion = arena_new(rq->mem, ec2_LaunchTemplateVersion);
	return add_version(rq, tx, t, in->LaunchTemplateData, source ? source->LaunchTemplateData : NULL,
	                   in->VersionDescription, out->LaunchTemplateVersion);
}

err ec2_DescribeLaunchTemplates(req *rq, const txn *tx, const ec2_DescribeLaunchTemplates_in *in,
                                ec2_DescribeLaunchTemplates_out *out)
{
	list_of_str ids = { 0 };
	ec2_LaunchTemplate *t;
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->LaunchTemplateIds.n; i++) {
		TRY(find(rq, tx, in->LaunchTemplateIds.v[i], STR_NONE, &t));
		LIST_GROW(rq->mem, &ids, t->LaunchTemplateId);
	}
	for (size_t i = 0; i < in->LaunchTemplateNames.n; i++) {
		if (!by_name(rq, tx, in->LaunchTemplateNames.v[i]))
			return fail(rq, &ec2_InvalidTemplateName, "At least one of the launch templates specified in the "
			            "request does not exist.");
		TRY(find(rq, tx, STR_NONE, in->LaunchTemplateNames.v[i], &t));
		LIST_GROW(rq->mem, &ids, t->LaunchTemplateId);
	}
	return kind_describe(rq, tx, &kind_template, DESCRIBE(in, &ids), &out->LaunchTemplates, &out->NextToken);
}

static bool between(req *rq, const ec2_LaunchTemplate *t, str least, str most, int64_t n)
{
	int64_t from = 1, to = INT64_MAX;
	if (given(least) && version_of(rq, t, least, &from))
		return false;
	if (given(most) && version_of(rq, t, most, &to))
		return false;
	return n >= from && n <= to;
}

static const resource_kind kind_version = { .shape = &ec2_LaunchTemplateVersion_shape,
	.filters = (const filter_path[]){ { "is-default-version", "defaultVersion" },
	                                  { "image-id", "launchTemplateData.imageId" },
	                                  { "instance-type", "launchTemplateData.instanceType" }, { 0 } } };

err ec2_DescribeLaunchTemplateVersions(req *rq, const txn *tx,
            const ec2_DescribeLaunchTemplateVersions_in *in,
                                       ec2_DescribeLaunchTemplateVersions_out *out)
{
	ec2_LaunchTemplate *t;
	ec2_LaunchTemplateVersion *v;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(find(rq, tx, in->LaunchTemplateId, in->LaunchTemplateName, &t));
	out->LaunchTemplateVersions.v = arena_new(rq->mem, ec2_LaunchTemplateVersion);
	for (size_t i = 0; i < in->Versions.n; i++) {
		TRY(get_version(rq, tx, t, in->Versions.v[i], &v));
		LIST_GROW(rq->mem, &out->LaunchTemplateVersions, *v);
	}
	if (in->Versions.n)
		return OK;
	record_scan s = ec2_templateversion_scan(tx, rq->mem, 3, rq->who.account, rq->region,
	            t->LaunchTemplateId, 0);
	record_scan_reverse(&s);
	err e = OK;
	for (ec2_templateversion *row; !e && (row = ec2_templateversion_next(&s));) {
		bool passes = false;
		row->It->DefaultVersion = BOOL(row->Version == t->DefaultVersionNumber.v);
		e = filters_pass(rq, &kind_version, &in->Filters, row->It, &passes);
		if (!e && passes && between(rq, t, in->MinVersion, in->MaxVersion, row->Version))
			LIST_GROW(rq->mem, &out->LaunchTemplateVersions, *row->It);
	}
	cursor_close(&s.at);
	return e;
}

err ec2_ModifyLaunchTemplate(req *rq, txn *tx, const ec2_ModifyLaunchTemplate_in *in,
                             ec2_ModifyLaunchTemplate_out *out)
{
	ec2_LaunchTemplate *t;
	ec2_LaunchTemplateVersion *v;
	TRY(find(rq, tx, in->LaunchTemplateId, in->LaunchTemplateName, &t));
	TRY(get_version(rq, tx, t, in->DefaultVersion, &v));
	TRY(ec2_dry_run(rq, in->DryRun));
	t->DefaultVersionNumber = v->VersionNumber;
	keep(rq, tx, t);
	out->LaunchTemplate = t;
	return OK;
}

err ec2_DeleteLaunchTemplate(req *rq, txn *tx, const ec2_DeleteLaunchTemplate_in *in,
                             ec2_DeleteLaunchTemplate_out *out)
{
	ec2_LaunchTemplate *t;
	TRY(find(rq, tx, in->LaunchTemplateId, in->LaunchTemplateName, &t));
	TRY(ec2_dry_run(rq, in->DryRun));
	for (int64_t n = 1; n <= t->LatestVersionNumber.v; n++)
		ec2_templateversion_delete(tx, rq->who.account, rq->region, t->LaunchTemplateId, n);
	kind_delete(tx, rq->mem, &kind_template, rq->who.account, rq->region, t->LaunchTemplateId);
	out->LaunchTemplate = t;
	return OK;
}

/* What cannot be deleted is told of; the others are. */
err ec2_DeleteLaunchTemplateVersions(req *rq, txn *tx, const ec2_DeleteLaunchTemplateVersions_in *in,
                                     ec2_DeleteLaunchTemplateVersions_out *out)
{
	ec2_LaunchTemplate *t;
	TRY(find(rq, tx, in->LaunchTemplateId, in->LaunchTemplateName, &t));
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->Versions.n; i++) {
		int64_t n;
		TRY(version_of(rq, t, in->Versions.v[i], &n));
		if (n == t->DefaultVersionNumber.v)
			return fail(rq, &ec2_InvalidParameterValue, "Cannot delete default version. You must choose a "
			            "new "
			            "default version before you can delete version %lld.", (long long)n);
		if (ec2_templateversion_delete(tx, rq->who.account, rq->region, t->LaunchTemplateId, n)) {
			LIST_GROW(rq->mem, &out->SuccessfullyDeletedLaunchTemplateVersions,
			         (ec2_DeleteLaunchTemplateVersionsResponseSuccessItem){ .VersionNumber = I64(n),
			         .LaunchTemplateId = t->LaunchTemplateId, .LaunchTemplateName = t->LaunchTemplateName });
			continue;
		}
		ec2_ResponseError *why = arena_new(rq->mem, ec2_ResponseError);
		*why = (ec2_ResponseError){ .Code = S("launchTemplateVersionDoesNotExist"),
			.Message = S("Launch template version does not exist") };
		LIST_GROW(rq->mem, &out->UnsuccessfullyDeletedLaunchTemplateVersions,
		         (ec2_DeleteLaunchTemplateVersionsResponseErrorItem){ .VersionNumber = I64(n),
		         .LaunchTemplateId = t->LaunchTemplateId, .LaunchTemplateName = t->LaunchTemplateName,
		         .ResponseError = why });
	}
	return OK;
}
