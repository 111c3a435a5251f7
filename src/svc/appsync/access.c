/* On which APIs and parts of them the operations act. */
#include "cloud/authorise.h"

#define ON_API(operation) { operation, NULL, "apis/{apiId}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define ON_SOURCE(operation) { operation, NULL, "apis/{apiId}/datasources/{name}", NULL }
#define ON_FUNCTION(operation) { operation, NULL, "apis/{apiId}/functions/{functionId}", NULL }
#define ON_TYPE(operation) { operation, NULL, "apis/{apiId}/types/{typeName}", NULL }
#define ON_FIELD(operation) { operation, NULL, "apis/{apiId}/types/{typeName}/resolvers/{fieldName}", NULL }
#define ON_ARN(operation) { operation, NULL, "{resourceArn}", NULL }
ACCESS(appsync, "appsync", NULL,
	ON_ALL("CreateGraphqlApi"), ON_ALL("ListGraphqlApis"), ON_API("GetGraphqlApi"),
			ON_API("UpdateGraphqlApi"),
	ON_API("DeleteGraphqlApi"), ON_API("GetGraphqlApiEnvironmentVariables"),
	ON_API("PutGraphqlApiEnvironmentVariables"), ON_API("CreateApiKey"), ON_API("ListApiKeys"),
	ON_API("UpdateApiKey"), ON_API("DeleteApiKey"), ON_API("StartSchemaCreation"),
	ON_API("GetSchemaCreationStatus"), ON_API("GetIntrospectionSchema"), ON_API("ListTypes"),
	ON_TYPE("GetType"), ON_SOURCE("CreateDataSource"), ON_SOURCE("GetDataSource"),
	ON_SOURCE("UpdateDataSource"), ON_SOURCE("DeleteDataSource"), ON_API("ListDataSources"),
	ON_API("CreateFunction"), ON_FUNCTION("GetFunction"), ON_FUNCTION("UpdateFunction"),
	ON_FUNCTION("DeleteFunction"), ON_API("ListFunctions"), ON_FUNCTION("ListResolversByFunction"),
	ON_FIELD("CreateResolver"), ON_FIELD("GetResolver"), ON_FIELD("UpdateResolver"),
	ON_FIELD("DeleteResolver"), ON_TYPE("ListResolvers"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
