#include "rds.h"

/* Lists of what cannot be made here, and so is never there. */

err rds_DescribeExportTasks(req *rq, const txn *tx, const rds_DescribeExportTasks_in *in,
                            rds_DescribeExportTasks_out *out)
{
	if (str_is(in->ExportTaskIdentifier))
		return fail(rq, &rds_ExportTaskNotFoundFault, "Cannot find the export task %.*s.",
		            STR_ARG(in->ExportTaskIdentifier));
	out->ExportTasks.v = arena_new(rq->mem, rds_ExportTask);
	return OK;
}

err rds_DescribeBlueGreenDeployments(req *rq, const txn *tx, const rds_DescribeBlueGreenDeployments_in *in,
                                     rds_DescribeBlueGreenDeployments_out *out)
{
	if (str_is(in->BlueGreenDeploymentIdentifier))
		return fail(rq, &rds_BlueGreenDeploymentNotFoundFault, "BlueGreenDeployment %.*s not found.",
		            STR_ARG(in->BlueGreenDeploymentIdentifier));
	out->BlueGreenDeployments.v = arena_new(rq->mem, rds_BlueGreenDeployment);
	return OK;
}

err rds_DescribeIntegrations(req *rq, const txn *tx, const rds_DescribeIntegrations_in *in,
                             rds_DescribeIntegrations_out *out)
{
	if (str_is(in->IntegrationIdentifier))
		return fail(rq, &rds_IntegrationNotFoundFault, "Integration %.*s not found.",
		            STR_ARG(in->IntegrationIdentifier));
	out->Integrations.v = arena_new(rq->mem, rds_Integration);
	return OK;
}

err rds_DescribeDBRecommendations(req *rq, const txn *tx, const rds_DescribeDBRecommendations_in *in,
                                  rds_DescribeDBRecommendations_out *out)
{
	out->DBRecommendations.v = arena_new(rq->mem, rds_DBRecommendation);
	return OK;
}
