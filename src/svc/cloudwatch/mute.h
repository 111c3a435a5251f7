/*
 * Alarm mute rules: windows in which the actions of some alarms are not performed. Alarms go on taking
 * states, with history and events. When the muting ends, the actions of the state that an alarm took
 * meanwhile, and still has, are performed.
 */
#pragma once
#include "alarm.h"

/* The end of the windows that mute this alarm now; 0: none does. */
int64_t muted_until(const txn *tx, arena *mem, str account, str region, str alarm_name, int64_t now);
/* Whether the actions of a state that it takes now are to wait; then they do. */
bool muted(txn *tx, const alarm *a, str before, int64_t now);
/* Rules are other ones: whoever waits for them is looked at again. */
void muted_look(txn *tx, str account, str region, int64_t now);

/* A schedule as it is understood; one that is not: NULL, and why. */
typedef struct mute_schedule mute_schedule;
const mute_schedule *mute_read(arena *mem, const cloudwatch_Schedule *s, const char **why);
bool mute_once(const mute_schedule *s); /* at(..) */
/* The end of the window that is open now, or 0. */
int64_t mute_open(const mute_schedule *s, int64_t now);
/* Whether no window will be open any more. */
bool mute_over(const mute_schedule *s, int64_t now);
