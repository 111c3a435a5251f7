/* Deployments and the stages that serve them. */
#include "cloud/firewall.h"
#include "rest.h"
#include "sys/rand.h"
#include "wire/value.h"

static err make_stage(req *rq, txn *tx, str api, const apigateway_Stage *from)
{
	apigateway_Stage s = *from;
	for (size_t i = 0; i < s.stageName.n; i++) {
		char c = s.stageName.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '-'))
			return fail(rq, &apigateway_BadRequestException, "Stage name only allows a-zA-Z0-9_-");
	}
	s.createdDate = s.lastUpdatedDate = TIME(rq->now);
	if (!s.cacheClusterEnabled.set)
		s.cacheClusterEnabled = BOOL(false);
	s.cacheClusterStatus = S("NOT_AVAILABLE");
	if (!s.tracingEnabled.set)
		s.tracingEnabled = BOOL(false);
	if (!s.methodSettings.v)
		s.methodSettings.v = arena_new(rq->mem, apigateway_MapOfMethodSettings_entry);
	if (s.cacheClusterEnabled.v || s.canarySettings)
		return fail(rq, &aws_NotImplemented, "Farthing's REST stages have neither caches nor canaries.");
	size_t n = 0;
	record_scan all = apigateway_stage_scan(tx, rq->mem, 1, api, STR_NONE);
	while (apigateway_stage_next(&all))
		n++;
	if (n >= REST_STAGES_MAX)
		return fail(rq, &apigateway_LimitExceededException,
		            "Maximum number of stages for this API has been "
		            "reached. Please contact AWS if you need additional stages.");
	apigateway_stage_put(tx, &(apigateway_stage){ api, s.stageName, &s });
	return OK;
}

err apigateway_CreateDeployment(req *rq, txn *tx, const apigateway_CreateDeployment_in *in,
                                apigateway_CreateDeployment_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	apigateway_ListOfResource was = resources_of(tx, rq->mem, in->restApiId);
	size_t methods = 0;
	for (size_t i = 0; i < was.n; i++)
		for (size_t k = 0; k < was.v[i].resourceMethods.n; k++, methods++)
			if (!was.v[i].resourceMethods.v[k].value.methodIntegration)
				return fail(rq, &apigateway_BadRequestException, "No integration defined for method");
	if (!methods)
		return fail(rq, &apigateway_BadRequestException, "The REST API doesn't contain any methods");
	apigateway_Deployment d = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS), .description = in->description,
		.createdDate = TIME(rq->now) };
	apigateway_Beside beside = beside_of(tx, rq->mem, in->restApiId);
	size_t bytes = 0;
	for (size_t i = 0; i < beside.models.n; i++)
		bytes += beside.models.v[i].schema.n;
	if (bytes > REST_SCHEMAS_MAX)
		return fail(rq, &apigateway_LimitExceededException,
		            "The models of the REST API are larger than %d bytes.", REST_SCHEMAS_MAX);
	apigateway_deployment_put(tx, &(apigateway_deployment){ in->restApiId, d.id, &d, was, &beside });
	if (str_is(in->stageName) && in->stageName.n) {
		apigateway_stage *old = apigateway_stage_get(tx, rq->mem, in->restApiId, in->stageName);
		if (old) {
			old->It->deploymentId = d.id;
			old->It->lastUpdatedDate = TIME(rq->now);
			if (in->variables.v)
				old->It->variables = in->variables;
			apigateway_stage_put(tx, old);
		} else {
			TRY(make_stage(rq, tx, in->restApiId, &(apigateway_Stage){ .stageName = in->stageName,
				.deploymentId = d.id, .description = in->stageDescription, .variables = in->variables,
				.tracingEnabled = in->tracingEnabled, .cacheClusterEnabled = in->cacheClusterEnabled }));
		}
	}
	rest_answer(rq, &apigateway_Deployment_shape, &d, out);
	return OK;
}

static err deployment_find(req *rq, const txn *tx, str api, str id, apigateway_deployment **d)
{
	apigateway_api *parent;
	TRY(rest_find(rq, tx, api, &parent));
	*d = apigateway_deployment_get(tx, rq->mem, api, id);
	return *d ? OK : fail(rq, &apigateway_NotFoundException, "Invalid Deployment identifier specified");
}

err apigateway_GetDeployment(req *rq, const txn *tx, const apigateway_GetDeployment_in *in,
                             apigateway_GetDeployment_out *out)
{
	apigateway_deployment *d;
	TRY(deployment_find(rq, tx, in->restApiId, in->deploymentId, &d));
	rest_answer(rq, &apigateway_Deployment_shape, d->It, out);
	return OK;
}

err apigateway_GetDeployments(req *rq, const txn *tx, const apigateway_GetDeployments_in *in,
                              apigateway_GetDeployments_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	size_t n = 0;
	record_scan s = apigateway_deployment_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	while (apigateway_deployment_next(&s))
		n++;
	out->items.v = arena_array(rq->mem, apigateway_Deployment, n + 1);
	s = apigateway_deployment_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	for (apigateway_deployment *d; (d = apigateway_deployment_next(&s));)
		out->items.v[out->items.n++] = *d->It;
	return OK;
}

err apigateway_UpdateDeployment(req *rq, txn *tx, const apigateway_UpdateDeployment_in *in,
                                apigateway_UpdateDeployment_out *out)
{
	static const char *const paths[] = { "/description", NULL };
	apigateway_deployment *d;
	TRY(deployment_find(rq, tx, in->restApiId, in->deploymentId, &d));
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_Deployment_shape, d->It));
	apigateway_deployment_put(tx, d);
	rest_answer(rq, &apigateway_Deployment_shape, d->It, out);
	return OK;
}

err apigateway_DeleteDeployment(req *rq, txn *tx, const apigateway_DeleteDeployment_in *in,
                                apigateway_DeleteDeployment_out *out)
{
	apigateway_deployment *d;
	TRY(deployment_find(rq, tx, in->restApiId, in->deploymentId, &d));
	record_scan s = apigateway_stage_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	for (apigateway_stage *r; (r = apigateway_stage_next(&s));)
		if (str_eq(r->It->deploymentId, in->deploymentId)) {
			cursor_close(&s.at);
			return fail(rq, &apigateway_BadRequestException,
			            "Active stages pointing to this deployment must be moved or deleted");
		}
	apigateway_deployment_delete(tx, in->restApiId, in->deploymentId);
	return OK;
}

err apigateway_CreateStage(req *rq, txn *tx, const apigateway_CreateStage_in *in,
                           apigateway_CreateStage_out *out)
{
	apigateway_deployment *d;
	TRY(deployment_find(rq, tx, in->restApiId, in->deploymentId, &d));
	if (apigateway_stage_get(tx, rq->mem, in->restApiId, in->stageName))
		return fail(rq, &apigateway_ConflictException, "Stage already exists");
	apigateway_Stage s = { 0 };
	overlay(rq->mem, rq->op->input, in, &apigateway_Stage_shape, &s);
	TRY(make_stage(rq, tx, in->restApiId, &s));
	rest_answer(rq, &apigateway_Stage_shape,
	            apigateway_stage_get(tx, rq->mem, in->restApiId, in->stageName)->It, out);
	return OK;
}

static err stage_find(req *rq, const txn *tx, str api, str name, apigateway_stage **s)
{
	apigateway_api *parent;
	TRY(rest_find(rq, tx, api, &parent));
	*s = apigateway_stage_get(tx, rq->mem, api, name);
	return *s ? OK : fail(rq, &apigateway_NotFoundException, "Invalid stage identifier specified");
}

err apigateway_GetStage(req *rq, const txn *tx, const apigateway_GetStage_in *in,
                        apigateway_GetStage_out *out)
{
	apigateway_stage *s;
	TRY(stage_find(rq, tx, in->restApiId, in->stageName, &s));
	s->It->webAclArn = firewall_acl(tx, rq->mem,
	                                stage_arn(rq->mem, rq->region, in->restApiId, in->stageName));
	rest_answer(rq, &apigateway_Stage_shape, s->It, out);
	return OK;
}

err apigateway_GetStages(req *rq, const txn *tx, const apigateway_GetStages_in *in,
                         apigateway_GetStages_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	size_t n = 0;
	record_scan s = apigateway_stage_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	while (apigateway_stage_next(&s))
		n++;
	out->item.v = arena_array(rq->mem, apigateway_Stage, n + 1);
	s = apigateway_stage_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	for (apigateway_stage *r; (r = apigateway_stage_next(&s));)
		if (!str_is(in->deploymentId) || str_eq(r->It->deploymentId, in->deploymentId))
			out->item.v[out->item.n++] = *r->It;
	return OK;
}

err apigateway_DeleteStage(req *rq, txn *tx, const apigateway_DeleteStage_in *in,
                           apigateway_DeleteStage_out *out)
{
	apigateway_stage *s;
	TRY(stage_find(rq, tx, in->restApiId, in->stageName, &s));
	apigateway_stage_delete(tx, in->restApiId, in->stageName);
	firewall_gone(tx, stage_arn(rq->mem, rq->region, in->restApiId, in->stageName));
	return OK;
}

/* The last two parts of a path are the setting's group and name; what stands before is the method's key. */
static err setting_apply(req *rq, apigateway_Stage *s, const apigateway_PatchOperation *p, bool *taken)
{
	static const char *const names[][2] = { { "/throttling/rateLimit", "throttlingRateLimit" },
		{ "/throttling/burstLimit", "throttlingBurstLimit" }, { "/metrics/enabled", "metricsEnabled" },
		{ "/logging/loglevel", "loggingLevel" }, { "/logging/dataTrace", "dataTraceEnabled" },
		{ "/caching/enabled", "cachingEnabled" }, { "/caching/ttlInSeconds", "cacheTtlInSeconds" },
		{ "/caching/dataEncrypted", "cacheDataEncrypted" },
		{ "/caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl" },
		{ "/caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy" } };
	*taken = false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		str end = str_c(names[i][0]);
		if (!str_ends(p->path, end) || !str_eq(p->op, S("replace")))
			continue;
		str key = str_sub(p->path, 1, p->path.n - end.n);
		apigateway_MapOfMethodSettings *m = &s->methodSettings, all = { 0 };
		all.v = arena_array(rq->mem, apigateway_MapOfMethodSettings_entry, m->n + 1);
		size_t at = m->n;
		for (size_t k = 0; k < m->n; k++) {
			all.v[all.n++] = m->v[k];
			if (str_eq(m->v[k].key, key))
				at = k;
		}
		if (at == all.n)
			all.v[all.n++].key = key;
		const shape_member *member = shape_member_find(&apigateway_MethodSetting_shape, str_c(names[i][1]));
		*taken = true;
		*m = all;
		if (!text_read(rq->mem, member->shape, p->value, (char *)&all.v[at].value + member->offset))
			return fail(rq, &apigateway_BadRequestException, "Invalid value for %.*s", STR_ARG(p->path));
		return OK;
	}
	return OK;
}

/* As AWS lists them. */
static const char stage_paths[] =
	"[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, "
	"/clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, "
	"/accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, "
	"/{resourcePath}/{httpMethod}/logging/dataTrace, "
	"/{resourcePath}/{httpMethod}/logging/loglevel, "
	"/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttlin"
	"g/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, "
	"/{resourcePath}/{httpMethod}/caching/enabled, "
	"/{resourcePath}/{httpMethod}/caching/dataEncrypted, "
	"/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
	"/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, "
	"/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, "
	"/*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, "
	"/*/*/caching/enabled, /*/*/caching/dataEncrypted, "
	"/*/*/caching/requireAuthorizationForCacheControl, "
	"/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, "
	"/tracingEnabled]";

static err path_check(req *rq, const apigateway_PatchOperation *p)
{
	static const char *const members[] = {
		"deploymentId",     "description",         "cacheClusterEnabled",
		"cacheClusterSize", "clientCertificateId", "accessLogSettings",
		"variables",        "tracingEnabled",      "documentationVersion"
	};
	str rest = str_sub(p->path, p->path.n > 0, p->path.n), name = str_cut(&rest, '/');
	if (str_eq(name, S("canarySettings")))
		return fail(rq, &aws_NotImplemented, "Farthing's REST stages have no canaries.");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (str_eq(name, str_c(members[i])))
			return OK;
	return fail(rq, &apigateway_BadRequestException, "Invalid method setting path: %.*s. Must be one of: %s",
	            STR_ARG(p->path), stage_paths);
}

/* Takes all settings of a method away: its key has one slash more than that in front. */
static err settings_remove(req *rq, apigateway_Stage *s, const apigateway_PatchOperation *p, bool *taken)
{
	str key = str_sub(p->path, p->path.n > 0, p->path.n), verb = key;
	while (str_find_char(verb, '/') != SIZE_MAX)
		str_cut(&verb, '/');
	static const char *const verbs[] = { "*",     "GET",     "PUT",  "POST", "DELETE",
		                                 "PATCH", "OPTIONS", "HEAD", "ANY" };
	*taken = false;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		*taken = *taken || (str_eq(p->op, S("remove")) && verb.n < key.n && str_eq(verb, str_c(verbs[i])));
	for (size_t i = 0; i < s->methodSettings.n && *taken; i++)
		if (str_eq(s->methodSettings.v[i].key, key)) {
			apigateway_MapOfMethodSettings *m = &s->methodSettings;
			memmove(m->v + i, m->v + i + 1, (m->n - i - 1) * sizeof *m->v);
			m->n--;
			return OK;
		}
	return !*taken ? OK
				   : fail(rq, &apigateway_NotFoundException,
	                      "Cannot remove method setting %.*s because there is "
	                      "no method setting for this method",
	                      STR_ARG(key));
}

static err stage_patch(req *rq, apigateway_Stage *s, const apigateway_PatchOperation *p)
{
	bool taken;
	TRY(setting_apply(rq, s, p, &taken));
	if (taken)
		return OK;
	TRY(settings_remove(rq, s, p, &taken));
	if (taken)
		return OK;
	TRY(path_check(rq, p));
	apigateway_ListOfPatchOperation one = { arena_new(rq->mem, apigateway_PatchOperation), 1 };
	*one.v = *p;
	TRY(patch_apply(rq, &one, &apigateway_Stage_shape, s));
	if (s->cacheClusterEnabled.v)
		return fail(rq, &aws_NotImplemented, "Farthing's REST stages have no caches.");
	return OK;
}

err apigateway_UpdateStage(req *rq, txn *tx, const apigateway_UpdateStage_in *in,
                           apigateway_UpdateStage_out *out)
{
	apigateway_stage *s;
	TRY(stage_find(rq, tx, in->restApiId, in->stageName, &s));
	TRY(patch_few(rq, &in->patchOperations));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		TRY(stage_patch(rq, s->It, &in->patchOperations.v[i]));
	apigateway_deployment *d;
	TRY(deployment_find(rq, tx, in->restApiId, s->It->deploymentId, &d));
	s->It->lastUpdatedDate = TIME(rq->now);
	apigateway_stage_put(tx, s);
	rest_answer(rq, &apigateway_Stage_shape, s->It, out);
	return OK;
}
