/*
 * What an alarm may set off that is no operation of an API: a scaling policy, by its ARN. The service that
 * has it registers it; CloudWatch asks for whom an action is.
 *
 * An action is a target's when it begins with `prefix` and has `mark` in it. `perform` runs on the
 * pool, in an internal request of the alarm's account and region.
 */
#pragma once
#include "cloud/req.h"

typedef struct alarm_target {
	const char *prefix, *mark;
	err (*perform)(req *rq, str action, str alarm);
} alarm_target;
#define ALARM_TARGET(id, prefix_, mark_, perform_) \
	static const alarm_target alarm_target_##id = { prefix_, mark_, perform_ }; \
	__attribute__((section("farthing_alarm_targets"), \
	               used)) static const alarm_target *const alarm_target_entry_##id = &alarm_target_##id
