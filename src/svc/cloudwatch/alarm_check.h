/* What may be asked of an alarm. */
#pragma once
#include "alarm.h"

err alarm_check(req *rq, const txn *tx, const cloudwatch_PutMetricAlarm_in *in);
/* Composite alarms have no EC2 and Auto Scaling actions. */
err actions_check(req *rq, const cloudwatch_ResourceList *actions, bool composite);
