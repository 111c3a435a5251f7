#include "sys/clock.h"
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t offset_ms;

int64_t clock_real(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return clock_real() + atomic_load_explicit(&offset_ms, memory_order_relaxed);
}

int64_t clock_mono_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_set_offset(int64_t ms)
{
	atomic_store_explicit(&offset_ms, ms, memory_order_relaxed);
}

int64_t clock_offset(void)
{
	return atomic_load_explicit(&offset_ms, memory_order_relaxed);
}

void clock_sleep_ms(int64_t ms)
{
	if (ms <= 0)
		return;
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}
