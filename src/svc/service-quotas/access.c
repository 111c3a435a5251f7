/* What the operations are called in policies. */
#include "cloud/authorise.h"

#define ANYWHERE(operation) { operation, NULL, "*", NULL }
ACCESS(service_quotas, "service-quotas", "servicequotas",
	ANYWHERE("ListServices"), ANYWHERE("ListServiceQuotas"), ANYWHERE("ListAWSDefaultServiceQuotas"),
	ANYWHERE("GetServiceQuota"), ANYWHERE("GetAWSDefaultServiceQuota"),
	{ "RequestServiceQuotaIncrease", NULL, "{ServiceCode}/{QuotaCode}", NULL },
	ANYWHERE("GetRequestedServiceQuotaChange"), ANYWHERE("ListRequestedServiceQuotaChangeHistory"),
	ANYWHERE("ListRequestedServiceQuotaChangeHistoryByQuota"));
