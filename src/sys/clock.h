/*
 * What time it is. Farthing's time is the real one plus an offset that the user turns (`farthing
 * clock`); everything with a due date asks clock_now. Real time is only for signatures, measured
 * durations and deadlines of real work.
 */
#pragma once
#include <stdint.h>

int64_t clock_now(void);      /* virtual, milliseconds since 1970 */
int64_t clock_real(void);     /* real, milliseconds since 1970 */
int64_t clock_mono_us(void);  /* monotonic microseconds */
/* Virtual = real + offset. Set once at start from the store and by the clock service. */
void clock_set_offset(int64_t offset_ms);
int64_t clock_offset(void);
void clock_sleep_ms(int64_t ms); /* real */
