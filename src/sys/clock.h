/*
 * What time it is. Farthing's time is the real one until the user turns it or lets it run faster
 * (`farthing clock`); everything with a due date asks clock_now. Real time is only for signatures,
 * measured durations and deadlines of real work.
 */
#pragma once
#include <stdint.h>

int64_t clock_now(void);      /* virtual, milliseconds since 1970 */
int64_t clock_real(void);     /* real, milliseconds since 1970 */
int64_t clock_mono_us(void);  /* monotonic microseconds */
/*
 * Farthing's time is `farthing` at the real moment `real` and runs `speed` (at least 1) times as fast as the
 * real one from there. Set at start from the store, afterwards by the store's writer alone.
 */
typedef struct clock_course {
	int64_t real, farthing, speed;
} clock_course;
#define CLOCK_SPEED_MAX 1000000
void clock_set_course(clock_course c);
clock_course clock_course_now(void);
/* At the speed of real time, this much ahead of it. */
void clock_set_offset(int64_t offset_ms);
/* How far Farthing's time is ahead of the real one at this moment. */
int64_t clock_offset(void);
void clock_sleep_ms(int64_t ms); /* real */
