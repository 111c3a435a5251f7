#include "lambda.h"
#include "base/json.h"
#include "sys/rand.h"

#define PAGE 50

/* A layer by name or ARN, perhaps with a version at its end. */
typedef struct layer_name {
	str account, region, name;
	int64_t number; /* 0: none */
} layer_name;

static err read_name(req *rq, str text, layer_name *out)
{
	*out = (layer_name){ rq->who.account, rq->region, text, 0 };
	if (!str_starts(text, S("arn:")))
		return OK;
	str rest = text, part[8] = { { 0 } };
	int n = 0;
	while (n < 8 && str_is(rest))
		part[n++] = str_cut(&rest, ':');
	if (n < 7 || !str_eq(part[5], S("layer")) || (n == 8 && !str_to_i64(part[7], &out->number)))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid Layer name: %.*s", STR_ARG(text));
	out->region = part[3];
	out->account = part[4];
	out->name = part[6];
	return OK;
}

static str layer_arn(arena *mem, const layer_name *l)
{
	return arena_fmt(mem, "arn:aws:lambda:%.*s:%.*s:layer:%.*s", STR_ARG(l->region), STR_ARG(l->account),
	                 STR_ARG(l->name));
}

static str owner_of(arena *mem, str name, int64_t number)
{
	return arena_fmt(mem, "layer:%.*s:%lld", STR_ARG(name), (long long)number);
}

static err find(req *rq, const txn *tx, const layer_name *l, int64_t number, lambda_layer **out)
{
	*out = lambda_layer_get(tx, rq->mem, l->account, l->region, l->name, number);
	return *out ? OK : fail(rq, &lambda_ResourceNotFoundException, "The resource you requested "
	                        "does not exist.");
}

/* What the operations on a version's policy say of a version that is not there. */
static err find_for_policy(req *rq, const txn *tx, const layer_name *l, int64_t number, lambda_layer **out)
{
	*out = lambda_layer_get(tx, rq->mem, l->account, l->region, l->name, number);
	str arn = layer_arn(rq->mem, l);
	return *out ? OK : fail(rq, &lambda_ResourceNotFoundException,
	                        "Layer version %.*s:%lld does not exist.", STR_ARG(arn), (long long)number);
}

static err number_check(req *rq, int64_t number)
{
	return number >= 1 ? OK : fail(rq, &lambda_InvalidParameterValueException,
	                               "Layer Version Cannot be less than 1");
}

static lambda_LayerVersionContentOutput *content(req *rq, const lambda_layer *l)
{
	lambda_LayerVersionContentOutput *c = arena_new(rq->mem, lambda_LayerVersionContentOutput);
	package p;
	c->Location = code_location(rq, l->Code);
	c->CodeSha256 = package_of(rq->mem, l->Code, &p)->hash_base64;
	c->CodeSize = I64(l->CodeSize);
	return c;
}

typedef struct publication {
	const lambda_PublishLayerVersion_in *in;
	lambda_PublishLayerVersion_out *out;
	layer_name name;
	package code;
} publication;

static err add(req *rq, txn *tx, void *context)
{
	publication *p = context;
	const lambda_PublishLayerVersion_in *in = p->in;
	layer_name *n = &p->name;
	TRY(code_room(rq, tx, p->code.size));
	lambda_layerid *id = lambda_layerid_get(tx, rq->mem, n->account, n->region, n->name);
	int64_t number = (id ? id->LastVersion : 0) + 1;
	lambda_layerid_put(tx, &(lambda_layerid){ .Account = n->account, .Region = n->region, .Layer = n->name,
	                                          .LastVersion = number });
	str arn = layer_arn(rq->mem, n);
	lambda_LayerVersionsListItem it = { .Version = I64(number), .Description = in->Description,
		.LayerVersionArn = arena_fmt(rq->mem, "%.*s:%lld", STR_ARG(arn), (long long)number),
		.CreatedDate = time_text(rq->mem, rq->now), .CompatibleRuntimes = in->CompatibleRuntimes,
		.LicenseInfo = in->LicenseInfo, .CompatibleArchitectures = in->CompatibleArchitectures };
	lambda_layer row = { .Account = n->account, .Region = n->region, .Layer = n->name, .Number = number,
		.It = &it, .Code = p->code.hash, .CodeSize = p->code.size, .UnzippedSize = p->code.unzipped };
	lambda_layer_put(tx, &row);
	code_refer(tx, n->account, n->region, owner_of(rq->mem, n->name, number), &p->code);
	*p->out = (lambda_PublishLayerVersion_out){ .Content = content(rq, &row), .LayerArn = arn,
		.LayerVersionArn = it.LayerVersionArn, .Description = str_is(it.Description) ? it.Description : S(""),
		.CreatedDate = it.CreatedDate, .Version = it.Version, .CompatibleRuntimes = it.CompatibleRuntimes,
		.LicenseInfo = it.LicenseInfo, .CompatibleArchitectures = it.CompatibleArchitectures };
	return OK;
}

err lambda_PublishLayerVersion(req *rq, const lambda_PublishLayerVersion_in *in,
                               lambda_PublishLayerVersion_out *out)
{
	publication p = { .in = in, .out = out };
	TRY(read_name(rq, in->LayerName, &p.name));
	const lambda_LayerVersionContentInput *c = in->Content;
	TRY(code_given(rq, false, c->ZipFile, c->S3Bucket, c->S3Key, c->S3ObjectVersion, STR_NONE, &p.code));
	err failed = req_write(rq, add, &p);
	code_release(&p.code);
	return failed;
}

static void describe(req *rq, const layer_name *n, const lambda_layer *l, lambda_GetLayerVersion_out *out)
{
	*out = (lambda_GetLayerVersion_out){ .Content = content(rq, l), .LayerArn = layer_arn(rq->mem, n),
		.LayerVersionArn = l->It->LayerVersionArn, .CreatedDate = l->It->CreatedDate,
		.Description = str_is(l->It->Description) ? l->It->Description : S(""), .Version = l->It->Version,
		.CompatibleRuntimes = l->It->CompatibleRuntimes, .LicenseInfo = l->It->LicenseInfo,
		.CompatibleArchitectures = l->It->CompatibleArchitectures };
}

err lambda_GetLayerVersion(req *rq, const txn *tx, const lambda_GetLayerVersion_in *in,
                           lambda_GetLayerVersion_out *out)
{
	layer_name n;
	lambda_layer *l;
	TRY(read_name(rq, in->LayerName, &n));
	TRY(number_check(rq, in->VersionNumber.v));
	TRY(find(rq, tx, &n, in->VersionNumber.v, &l));
	describe(rq, &n, l, out);
	return OK;
}

err lambda_GetLayerVersionByArn(req *rq, const txn *tx, const lambda_GetLayerVersionByArn_in *in,
                                lambda_GetLayerVersionByArn_out *out)
{
	layer_name n;
	lambda_layer *l;
	TRY(read_name(rq, in->Arn, &n));
	TRY(find(rq, tx, &n, n.number, &l));
	describe(rq, &n, l, out);
	return OK;
}

err lambda_DeleteLayerVersion(req *rq, txn *tx, const lambda_DeleteLayerVersion_in *in,
                              lambda_DeleteLayerVersion_out *out)
{
	layer_name n;
	TRY(read_name(rq, in->LayerName, &n));
	TRY(number_check(rq, in->VersionNumber.v));
	lambda_layer *l = lambda_layer_get(tx, rq->mem, n.account, n.region, n.name, in->VersionNumber.v);
	if (!l)
		return OK;
	code_forget(tx, n.account, n.region, owner_of(rq->mem, n.name, l->Number), l->Code);
	lambda_layer_delete(tx, n.account, n.region, n.name, l->Number);
	record_scan s = lambda_layerpermission_scan(tx, rq->mem, 4, n.account, n.region, n.name,
	                                            l->Number, STR_NONE);
	for (lambda_layerpermission *p; (p = lambda_layerpermission_next(&s));)
		lambda_layerpermission_delete(tx, n.account, n.region, n.name, p->Number, p->Sid);
	return OK;
}

static bool suits(const str *v, size_t n, str wanted)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], wanted))
			return true;
	return !str_is(wanted);
}

static bool fits(const lambda_LayerVersionsListItem *it, str runtime, str architecture)
{
	return suits(it->CompatibleRuntimes.v, it->CompatibleRuntimes.n, runtime) &&
	       suits(it->CompatibleArchitectures.v, it->CompatibleArchitectures.n, architecture);
}

err lambda_ListLayerVersions(req *rq, const txn *tx, const lambda_ListLayerVersions_in *in,
                             lambda_ListLayerVersions_out *out)
{
	layer_name name;
	int64_t before = INT64_MAX;
	str position;
	TRY(read_name(rq, in->LayerName, &name));
	if (in->Marker.n && (!page_position(rq, in->Marker, &position) || !str_to_i64(position, &before)))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	lambda_LayerVersionsListItem *v = arena_array(rq->mem, lambda_LayerVersionsListItem, most + 1);
	record_scan s = lambda_layer_scan(tx, rq->mem, 3, name.account, name.region, name.name, 0);
	record_scan_reverse(&s);
	for (lambda_layer *l; (l = lambda_layer_next(&s));) {
		if (l->Number >= before || !fits(l->It, in->CompatibleRuntime, in->CompatibleArchitecture))
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)v[n - 1].Version.v));
			cursor_close(&s.at);
			break;
		}
		v[n++] = *l->It;
	}
	out->LayerVersions = (lambda_LayerVersionsList){ v, n };
	return OK;
}

/* The newest version of a layer that fits, or NULL. */
static lambda_layer *newest(req *rq, const txn *tx, const lambda_layerid *id, str runtime, str architecture)
{
	record_scan s = lambda_layer_scan(tx, rq->mem, 3, id->Account, id->Region, id->Layer, 0);
	record_scan_reverse(&s);
	for (lambda_layer *l; (l = lambda_layer_next(&s));)
		if (fits(l->It, runtime, architecture)) {
			cursor_close(&s.at);
			return l;
		}
	return NULL;
}

err lambda_ListLayers(req *rq, const txn *tx, const lambda_ListLayers_in *in, lambda_ListLayers_out *out)
{
	str after = STR_NONE;
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	lambda_LayersListItem *v = arena_array(rq->mem, lambda_LayersListItem, most + 1);
	record_scan s = lambda_layerid_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_layerid *id; (id = lambda_layerid_next(&s));) {
		lambda_layer *l = newest(rq, tx, id, in->CompatibleRuntime, in->CompatibleArchitecture);
		if (!l)
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, v[n - 1].LayerName);
			cursor_close(&s.at);
			break;
		}
		layer_name name = { id->Account, id->Region, id->Layer, 0 };
		v[n++] = (lambda_LayersListItem){ .LayerName = id->Layer, .LayerArn = layer_arn(rq->mem, &name),
			.LatestMatchingVersion = l->It };
	}
	out->Layers = (lambda_LayersList){ v, n };
	return OK;
}

static err policy_revision(req *rq, const lambda_layer *l, str given)
{
	if (!str_is(given) || str_eq(l->PolicyRevision, given))
		return OK;
	return fail(rq, &lambda_PreconditionFailedException,
	            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API "
	            "to retrieve the latest Revision Id");
}

static void policy_revise(req *rq, txn *tx, lambda_layer *l)
{
	l->PolicyRevision = rand_uuid(rq->mem);
	lambda_layer_put(tx, l);
}

/* Who may have it: everybody, an account, or whom the condition lets through. */
static str layer_statement(req *rq, const lambda_AddLayerVersionPermission_in *in, const lambda_layer *l)
{
	str who = S("\"*\""), when = S("");
	if (str_starts(in->Principal, S("arn:")))
		who = arena_fmt(rq->mem, "{\"AWS\":\"%.*s\"}", STR_ARG(in->Principal));
	else if (!str_eq(in->Principal, S("*")))
		who = arena_fmt(rq->mem, "{\"AWS\":\"arn:aws:iam::%.*s:root\"}", STR_ARG(in->Principal));
	if (str_is(in->OrganizationId))
		when = arena_fmt(rq->mem, ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"%.*s\"}}",
		                 STR_ARG(in->OrganizationId));
	return arena_fmt(rq->mem,
	                 "{\"Sid\":\"%.*s\",\"Effect\":\"Allow\",\"Principal\":%.*s,\"Action\":\"%.*s\","
	                 "\"Resource\":\"%.*s\"%.*s}", STR_ARG(in->StatementId), STR_ARG(who),
	                 STR_ARG(in->Action), STR_ARG(l->It->LayerVersionArn), STR_ARG(when));
}

err lambda_AddLayerVersionPermission(req *rq, txn *tx, const lambda_AddLayerVersionPermission_in *in,
                                     lambda_AddLayerVersionPermission_out *out)
{
	layer_name n;
	lambda_layer *l;
	TRY(read_name(rq, in->LayerName, &n));
	TRY(find_for_policy(rq, tx, &n, in->VersionNumber.v, &l));
	TRY(policy_revision(rq, l, in->RevisionId));
	if (lambda_layerpermission_get(tx, rq->mem, n.account, n.region, n.name, l->Number, in->StatementId))
		return fail(rq, &lambda_ResourceConflictException,
		            "The statement id (%.*s) provided already exists. Please provide a new statement id, or "
		            "remove the existing statement.", STR_ARG(in->StatementId));
	policy_revise(rq, tx, l);
	out->Statement = layer_statement(rq, in, l);
	out->RevisionId = l->PolicyRevision;
	lambda_layerpermission_put(tx, &(lambda_layerpermission){
		.Account = n.account, .Region = n.region, .Layer = n.name, .Number = l->Number,
		.Sid = in->StatementId, .Statement = out->Statement,
		.Order = (int64_t)txn_next(tx, S("lambda.permission")) });
	return OK;
}

err lambda_GetLayerVersionPolicy(req *rq, const txn *tx, const lambda_GetLayerVersionPolicy_in *in,
                                 lambda_GetLayerVersionPolicy_out *out)
{
	layer_name n;
	lambda_layer *l;
	policy_text all = { 0 };
	TRY(read_name(rq, in->LayerName, &n));
	TRY(find_for_policy(rq, tx, &n, in->VersionNumber.v, &l));
	record_scan s = lambda_layerpermission_scan(tx, rq->mem, 4, n.account, n.region, n.name,
	                                            in->VersionNumber.v, STR_NONE);
	for (lambda_layerpermission *p; (p = lambda_layerpermission_next(&s));)
		policy_text_add(&all, p->Order, p->Statement);
	out->Policy = policy_text_end(rq->mem, &all);
	out->RevisionId = l->PolicyRevision;
	return str_is(out->Policy) ? OK : fail(rq, &lambda_ResourceNotFoundException,
	                                       "No policy is associated with the given resource.");
}

err lambda_RemoveLayerVersionPermission(req *rq, txn *tx, const lambda_RemoveLayerVersionPermission_in *in,
                                        lambda_RemoveLayerVersionPermission_out *out)
{
	layer_name n;
	lambda_layer *l;
	TRY(read_name(rq, in->LayerName, &n));
	TRY(find_for_policy(rq, tx, &n, in->VersionNumber.v, &l));
	TRY(policy_revision(rq, l, in->RevisionId));
	if (!lambda_layerpermission_delete(tx, n.account, n.region, n.name, in->VersionNumber.v, in->StatementId))
		return fail(rq, &lambda_ResourceNotFoundException, "Statement %.*s is not found in resource policy.",
		            STR_ARG(in->StatementId));
	policy_revise(rq, tx, l);
	return OK;
}
