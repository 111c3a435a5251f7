/* Stages as web ACLs know them: arn:aws:apigateway:REGION::/restapis/API/stages/STAGE */
#include "cloud/firewall.h"
#include "cloud/target.h"
#include "rest.h"

str stage_arn(arena *mem, str region, str api, str stage)
{
	return arena_fmt(mem, "arn:aws:apigateway:%.*s::/restapis/%.*s/stages/%.*s", STR_ARG(region),
	                 STR_ARG(api), STR_ARG(stage));
}

static bool parts_of(str resource, str *api, str *stage)
{
	if (!str_starts(resource, S("/restapis/")))
		return false;
	str rest = str_sub(resource, 10, resource.n);
	*api = str_cut(&rest, '/');
	if (!str_starts(rest, S("stages/")))
		return false;
	*stage = str_sub(rest, 7, rest.n);
	return api->n && stage->n && str_find_char(*stage, '/') == SIZE_MAX;
}

static bool names(str resource)
{
	str api, stage;
	return parts_of(resource, &api, &stage);
}

static bool there(const txn *tx, arena *mem, str account, str arn)
{
	arn_parts p;
	str api, stage;
	return arn_split(arn, &p) && parts_of(p.resource, &api, &stage) &&
		apigateway_api_get(tx, mem, account, p.region, api) && apigateway_stage_get(tx, mem, api, stage);
}
FIREWALLED(apigateway, "API_GATEWAY", "apigateway", names, there);
