/* Reservations and Savings Plans cannot be bought here, so nothing is known of how they are used. */
#include "ce.h"

static err none(req *rq, const ce_DateInterval *interval, str granularity)
{
	ce_period p;
	meter_one(rq, &CE_REQUEST, S(""));
	if (str_is(granularity) && str_eq(granularity, S("HOURLY")))
		return fail(rq, &aws_ValidationException, "Only DAILY and MONTHLY granularity is supported");
	TRY(ce_period_of(rq, interval, str_is(granularity) ? granularity : S("MONTHLY"), false, &p));
	return fail(rq, &ce_DataUnavailableException, "The requested data is unavailable.");
}

err ce_GetReservationUtilization(req *rq, const ce_GetReservationUtilization_in *in,
                                 ce_GetReservationUtilization_out *out)
{
	(void)out;
	return none(rq, in->TimePeriod, in->Granularity);
}

err ce_GetSavingsPlansUtilization(req *rq, const ce_GetSavingsPlansUtilization_in *in,
                                  ce_GetSavingsPlansUtilization_out *out)
{
	(void)out;
	return none(rq, in->TimePeriod, in->Granularity);
}

err ce_GetSavingsPlansUtilizationDetails(req *rq, const ce_GetSavingsPlansUtilizationDetails_in *in,
                                         ce_GetSavingsPlansUtilizationDetails_out *out)
{
	(void)out;
	return none(rq, in->TimePeriod, STR_NONE);
}
