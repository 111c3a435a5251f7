/*
 * In policies the operations are called after their HTTP methods (apigateway:POST), and act on what their
 * paths name (arn:aws:apigateway:us-east-1::/apis/a1b2c3/routes).
 */
#include "cloud/authorise.h"

#define BY_PATH(operation) { operation, NULL, NULL, access_by_path }
ACCESS(apigatewayv2, "apigatewayv2", "apigateway",
	BY_PATH("CreateApi"), BY_PATH("CreateApiMapping"), BY_PATH("CreateAuthorizer"),
	BY_PATH("CreateDeployment"), BY_PATH("CreateDomainName"), BY_PATH("CreateIntegration"),
	BY_PATH("CreateIntegrationResponse"), BY_PATH("CreateModel"), BY_PATH("CreatePortal"),
	BY_PATH("CreatePortalProduct"), BY_PATH("CreateProductPage"), BY_PATH("CreateProductRestEndpointPage"),
	BY_PATH("CreateRoute"), BY_PATH("CreateRouteResponse"), BY_PATH("CreateRoutingRule"),
	BY_PATH("CreateStage"), BY_PATH("CreateVpcLink"), BY_PATH("DeleteAccessLogSettings"),
	BY_PATH("DeleteApi"), BY_PATH("DeleteApiMapping"), BY_PATH("DeleteAuthorizer"),
	BY_PATH("DeleteCorsConfiguration"), BY_PATH("DeleteDeployment"), BY_PATH("DeleteDomainName"),
	BY_PATH("DeleteIntegration"), BY_PATH("DeleteIntegrationResponse"), BY_PATH("DeleteModel"),
	BY_PATH("DeletePortal"), BY_PATH("DeletePortalProduct"), BY_PATH("DeletePortalProductSharingPolicy"),
	BY_PATH("DeleteProductPage"), BY_PATH("DeleteProductRestEndpointPage"), BY_PATH("DeleteRoute"),
	BY_PATH("DeleteRouteRequestParameter"), BY_PATH("DeleteRouteResponse"), BY_PATH("DeleteRouteSettings"),
	BY_PATH("DeleteRoutingRule"), BY_PATH("DeleteStage"), BY_PATH("DeleteVpcLink"),
	BY_PATH("DisablePortal"), BY_PATH("ExportApi"), BY_PATH("GetApi"), BY_PATH("GetApiMapping"),
	BY_PATH("GetApiMappings"), BY_PATH("GetApis"), BY_PATH("GetAuthorizer"), BY_PATH("GetAuthorizers"),
	BY_PATH("GetDeployment"), BY_PATH("GetDeployments"), BY_PATH("GetDomainName"),
	BY_PATH("GetDomainNames"), BY_PATH("GetIntegration"), BY_PATH("GetIntegrationResponse"),
	BY_PATH("GetIntegrationResponses"), BY_PATH("GetIntegrations"), BY_PATH("GetModel"),
	BY_PATH("GetModelTemplate"), BY_PATH("GetModels"), BY_PATH("GetPortal"), BY_PATH("GetPortalProduct"),
	BY_PATH("GetPortalProductSharingPolicy"), BY_PATH("GetProductPage"),
	BY_PATH("GetProductRestEndpointPage"), BY_PATH("GetRoute"), BY_PATH("GetRouteResponse"),
	BY_PATH("GetRouteResponses"), BY_PATH("GetRoutes"), BY_PATH("GetRoutingRule"), BY_PATH("GetStage"),
	BY_PATH("GetStages"), BY_PATH("GetTags"), BY_PATH("GetVpcLink"), BY_PATH("GetVpcLinks"),
	BY_PATH("ImportApi"), BY_PATH("ListPortalProducts"), BY_PATH("ListPortals"),
	BY_PATH("ListProductPages"), BY_PATH("ListProductRestEndpointPages"), BY_PATH("ListRoutingRules"),
	BY_PATH("PreviewPortal"), BY_PATH("PublishPortal"), BY_PATH("PutPortalProductSharingPolicy"),
	BY_PATH("PutRoutingRule"), BY_PATH("ReimportApi"), BY_PATH("ResetAuthorizersCache"),
	BY_PATH("TagResource"), BY_PATH("UntagResource"), BY_PATH("UpdateApi"), BY_PATH("UpdateApiMapping"),
	BY_PATH("UpdateAuthorizer"), BY_PATH("UpdateDeployment"), BY_PATH("UpdateDomainName"),
	BY_PATH("UpdateIntegration"), BY_PATH("UpdateIntegrationResponse"), BY_PATH("UpdateModel"),
	BY_PATH("UpdatePortal"), BY_PATH("UpdatePortalProduct"), BY_PATH("UpdateProductPage"),
	BY_PATH("UpdateProductRestEndpointPage"), BY_PATH("UpdateRoute"), BY_PATH("UpdateRouteResponse"),
	BY_PATH("UpdateStage"), BY_PATH("UpdateVpcLink"));
