/* Stages and deployments. */
#include "gateway.h"

#define AUTOMATIC S("Automatic deployment triggered by changes to the Api configuration")

apigatewayv2_Snapshot *snapshot_of(const txn *tx, arena *mem, str api)
{
	apigatewayv2_Snapshot *s = arena_new(mem, apigatewayv2_Snapshot);
	s->Routes.v = arena_array(mem, apigatewayv2_Route, APIGW_ROUTES_MAX + 1);
	s->Integrations.v = arena_array(mem, apigatewayv2_Integration, APIGW_INTEGRATIONS_MAX + 1);
	s->Authorizers.v = arena_array(mem, apigatewayv2_Authorizer, APIGW_AUTHORIZERS_MAX);
	record_scan scan = apigatewayv2_route_scan(tx, mem, 1, api, STR_NONE);
	for (apigatewayv2_route *r; (r = apigatewayv2_route_next(&scan));)
		if (s->Routes.n <= APIGW_ROUTES_MAX)
			s->Routes.v[s->Routes.n++] = *r->It;
	scan = apigatewayv2_integration_scan(tx, mem, 1, api, STR_NONE);
	for (apigatewayv2_integration *i; (i = apigatewayv2_integration_next(&scan));)
		if (s->Integrations.n <= APIGW_INTEGRATIONS_MAX)
			s->Integrations.v[s->Integrations.n++] = *i->It;
	scan = apigatewayv2_authorizer_scan(tx, mem, 1, api, STR_NONE);
	for (apigatewayv2_authorizer *a; (a = apigatewayv2_authorizer_next(&scan));)
		if (s->Authorizers.n < APIGW_AUTHORIZERS_MAX)
			s->Authorizers.v[s->Authorizers.n++] = *a->It;
	return s;
}

str deploy(req *rq, txn *tx, str api, str description, bool automatic)
{
	apigatewayv2_Deployment d = { .AutoDeployed = BOOL(automatic), .CreatedDate = TIME(rq->now),
		.DeploymentId = short_id(rq), .DeploymentStatus = S("DEPLOYED"), .Description = description };
	apigatewayv2_deployment_put(tx, &(apigatewayv2_deployment){
		.ApiId = api, .DeploymentId = d.DeploymentId, .It = &d, .Was = snapshot_of(tx, rq->mem, api),
		.Order = (int64_t)txn_next(tx, S("apigatewayv2.deployment")) });
	return d.DeploymentId;
}

static err stage_find(req *rq, const txn *tx, str api, str name, apigatewayv2_stage **out)
{
	apigatewayv2_api *parent;
	TRY(api_find(rq, tx, api, &parent));
	*out = apigatewayv2_stage_get(tx, rq->mem, api, name);
	return *out ? OK : fail(rq, &apigatewayv2_NotFoundException, "Invalid stage identifier specified");
}

err stage_check(req *rq, const txn *tx, str api, str name)
{
	apigatewayv2_stage *s;
	return stage_find(rq, tx, api, name, &s);
}

static err settings_check(req *rq, const txn *tx, str api, const apigatewayv2_Stage *s)
{
	if (str_is(s->DeploymentId) && s->DeploymentId.n &&
	    !apigatewayv2_deployment_get(tx, rq->mem, api, s->DeploymentId))
		return fail(rq, &apigatewayv2_BadRequestException, "Invalid deployment identifier specified");
	for (size_t i = 0; i < s->StageName.n; i++) {
		char c = s->StageName.p[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			c == '_' || (c == '$' && str_eq(s->StageName, S("$default")));
		if (!fine)
			return fail(rq, &apigatewayv2_BadRequestException,
			            "Stage name only allows a-zA-Z0-9_-, or $default for HTTP APIs");
	}
	return OK;
}

err apigatewayv2_CreateStage(req *rq, txn *tx, const apigatewayv2_CreateStage_in *in,
                             apigatewayv2_CreateStage_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	if (apigatewayv2_stage_get(tx, rq->mem, in->ApiId, in->StageName))
		return fail(rq, &apigatewayv2_ConflictException, "Stage already exists");
	apigatewayv2_Stage s = { .CreatedDate = TIME(rq->now), .LastUpdatedDate = TIME(rq->now),
		.AutoDeploy = BOOL(false) };
	s.DefaultRouteSettings = arena_new(rq->mem, apigatewayv2_RouteSettings);
	s.DefaultRouteSettings->DetailedMetricsEnabled = BOOL(false);
	s.RouteSettings.v = arena_new(rq->mem, apigatewayv2_RouteSettingsMap_entry);
	s.StageVariables.v = arena_new(rq->mem, apigatewayv2_StageVariablesMap_entry);
	s.Tags.v = arena_new(rq->mem, apigatewayv2_Tags_entry);
	keep_input(rq, in, &apigatewayv2_Stage_shape, &s);
	TRY(settings_check(rq, tx, in->ApiId, &s));
	if (is_websocket(api) && str_eq(s.StageName, S("$default")))
		return fail(rq, &apigatewayv2_BadRequestException, "$default stage is only supported for HTTP APIs");
	if (s.AutoDeploy.v && str_is(in->DeploymentId))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Deployment ID cannot be set on a stage with AutoDeploy enabled");
	if (s.AutoDeploy.v)
		s.DeploymentId = deploy(rq, tx, in->ApiId, AUTOMATIC, true);
	apigatewayv2_stage_put(tx, &(apigatewayv2_stage){ in->ApiId, s.StageName, &s });
	answer_from(rq, &apigatewayv2_Stage_shape, &s, out);
	return OK;
}

err apigatewayv2_GetStage(req *rq, const txn *tx, const apigatewayv2_GetStage_in *in,
                          apigatewayv2_GetStage_out *out)
{
	apigatewayv2_stage *s;
	TRY(stage_find(rq, tx, in->ApiId, in->StageName, &s));
	answer_from(rq, &apigatewayv2_Stage_shape, s->It, out);
	return OK;
}

err apigatewayv2_GetStages(req *rq, const txn *tx, const apigatewayv2_GetStages_in *in,
                           apigatewayv2_GetStages_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	size_t n = 0;
	record_scan s = apigatewayv2_stage_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	while (apigatewayv2_stage_next(&s))
		n++;
	out->Items.v = arena_array(rq->mem, apigatewayv2_Stage, n + 1);
	s = apigatewayv2_stage_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	for (apigatewayv2_stage *r; (r = apigatewayv2_stage_next(&s));)
		out->Items.v[out->Items.n++] = *r->It;
	return OK;
}

err apigatewayv2_UpdateStage(req *rq, txn *tx, const apigatewayv2_UpdateStage_in *in,
                             apigatewayv2_UpdateStage_out *out)
{
	apigatewayv2_stage *s;
	TRY(stage_find(rq, tx, in->ApiId, in->StageName, &s));
	apigatewayv2_RouteSettings *before = s->It->DefaultRouteSettings;
	bool was_automatic = s->It->AutoDeploy.v;
	keep_input(rq, in, &apigatewayv2_Stage_shape, s->It);
	if (in->DefaultRouteSettings && before) { /* only what is said changes */
		overlay(rq->mem, &apigatewayv2_RouteSettings_shape, in->DefaultRouteSettings,
		        &apigatewayv2_RouteSettings_shape, before);
		s->It->DefaultRouteSettings = before;
	}
	TRY(settings_check(rq, tx, in->ApiId, s->It));
	if (s->It->AutoDeploy.v && str_is(in->DeploymentId))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Deployment ID cannot be set on a stage with AutoDeploy enabled");
	if (s->It->AutoDeploy.v != was_automatic) /* what it serves until somebody deploys */
		s->It->DeploymentId = str_is(in->DeploymentId) ? in->DeploymentId
		                                               : deploy(rq, tx, in->ApiId, AUTOMATIC, true);
	s->It->LastUpdatedDate = TIME(rq->now);
	apigatewayv2_stage_put(tx, s);
	answer_from(rq, &apigatewayv2_Stage_shape, s->It, out);
	return OK;
}

err apigatewayv2_DeleteStage(req *rq, txn *tx, const apigatewayv2_DeleteStage_in *in,
                             apigatewayv2_DeleteStage_out *out)
{
	TRY(stage_check(rq, tx, in->ApiId, in->StageName));
	apigatewayv2_stage_delete(tx, in->ApiId, in->StageName);
	return OK;
}

err apigatewayv2_DeleteRouteSettings(req *rq, txn *tx, const apigatewayv2_DeleteRouteSettings_in *in,
                                     apigatewayv2_DeleteRouteSettings_out *out)
{
	apigatewayv2_stage *s;
	size_t n = 0;
	TRY(stage_find(rq, tx, in->ApiId, in->StageName, &s));
	apigatewayv2_RouteSettingsMap *all = &s->It->RouteSettings;
	for (size_t i = 0; i < all->n; i++)
		if (!str_eq(all->v[i].key, in->RouteKey))
			all->v[n++] = all->v[i];
	if (n == all->n)
		return fail(rq, &apigatewayv2_NotFoundException, "Unable to find Route by key %.*s within the "
		            "provided RouteSettings", STR_ARG(in->RouteKey));
	all->n = n;
	s->It->LastUpdatedDate = TIME(rq->now);
	apigatewayv2_stage_put(tx, s);
	return OK;
}

err apigatewayv2_DeleteAccessLogSettings(req *rq, txn *tx, const apigatewayv2_DeleteAccessLogSettings_in *in,
                                         apigatewayv2_DeleteAccessLogSettings_out *out)
{
	apigatewayv2_stage *s;
	TRY(stage_find(rq, tx, in->ApiId, in->StageName, &s));
	s->It->AccessLogSettings = NULL;
	apigatewayv2_stage_put(tx, s);
	return OK;
}

err apigatewayv2_CreateDeployment(req *rq, txn *tx, const apigatewayv2_CreateDeployment_in *in,
                                  apigatewayv2_CreateDeployment_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_stage *s = NULL;
	TRY(api_find(rq, tx, in->ApiId, &api));
	if (str_is(in->StageName))
		TRY(stage_find(rq, tx, in->ApiId, in->StageName, &s));
	if (s && s->It->AutoDeploy.v)
		return fail(rq, &apigatewayv2_BadRequestException, "Stages with auto-deploy cannot be deployed to");
	str id = deploy(rq, tx, in->ApiId, in->Description, false);
	if (s) {
		s->It->DeploymentId = id;
		s->It->LastUpdatedDate = TIME(rq->now);
		apigatewayv2_stage_put(tx, s);
	}
	apigatewayv2_deployment *d = apigatewayv2_deployment_get(tx, rq->mem, in->ApiId, id);
	answer_from(rq, &apigatewayv2_Deployment_shape, d->It, out);
	return OK;
}

static err deployment_find(req *rq, const txn *tx, str api, str id, apigatewayv2_deployment **out)
{
	apigatewayv2_api *parent;
	TRY(api_find(rq, tx, api, &parent));
	*out = apigatewayv2_deployment_get(tx, rq->mem, api, id);
	return *out ? OK : fail(rq, &apigatewayv2_NotFoundException,
	                        "Invalid deployment identifier specified");
}

err apigatewayv2_GetDeployment(req *rq, const txn *tx, const apigatewayv2_GetDeployment_in *in,
                               apigatewayv2_GetDeployment_out *out)
{
	apigatewayv2_deployment *d;
	TRY(deployment_find(rq, tx, in->ApiId, in->DeploymentId, &d));
	answer_from(rq, &apigatewayv2_Deployment_shape, d->It, out);
	return OK;
}

err apigatewayv2_GetDeployments(req *rq, const txn *tx, const apigatewayv2_GetDeployments_in *in,
                                apigatewayv2_GetDeployments_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	size_t n = 0;
	record_scan s = apigatewayv2_deployment_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	while (apigatewayv2_deployment_next(&s))
		n++;
	out->Items.v = arena_array(rq->mem, apigatewayv2_Deployment, n + 1);
	s = apigatewayv2_deployment_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	for (apigatewayv2_deployment *r; (r = apigatewayv2_deployment_next(&s));)
		out->Items.v[out->Items.n++] = *r->It;
	return OK;
}

err apigatewayv2_UpdateDeployment(req *rq, txn *tx, const apigatewayv2_UpdateDeployment_in *in,
                                  apigatewayv2_UpdateDeployment_out *out)
{
	apigatewayv2_deployment *d;
	TRY(deployment_find(rq, tx, in->ApiId, in->DeploymentId, &d));
	keep_input(rq, in, &apigatewayv2_Deployment_shape, d->It);
	apigatewayv2_deployment_put(tx, d);
	answer_from(rq, &apigatewayv2_Deployment_shape, d->It, out);
	return OK;
}

err apigatewayv2_DeleteDeployment(req *rq, txn *tx, const apigatewayv2_DeleteDeployment_in *in,
                                  apigatewayv2_DeleteDeployment_out *out)
{
	apigatewayv2_deployment *d;
	TRY(deployment_find(rq, tx, in->ApiId, in->DeploymentId, &d));
	record_scan s = apigatewayv2_stage_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	for (apigatewayv2_stage *r; (r = apigatewayv2_stage_next(&s));)
		if (str_eq(r->It->DeploymentId, in->DeploymentId)) {
			cursor_close(&s.at);
			return fail(rq, &apigatewayv2_BadRequestException,
			            "Active stages pointing to this deployment must be moved or deleted");
		}
	apigatewayv2_deployment_delete(tx, in->ApiId, in->DeploymentId);
	return OK;
}
