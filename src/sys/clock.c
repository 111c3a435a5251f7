#include "sys/clock.h"
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

/* Read without a lock: an odd turn is one that is being written, and a reader then looks again. */
static struct {
	_Atomic uint32_t turn;
	_Atomic int64_t real, farthing, speed;
} course = { .speed = 1 };

int64_t clock_real(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_set_course(clock_course c)
{
	uint32_t turn = atomic_load_explicit(&course.turn, memory_order_relaxed);
	atomic_store_explicit(&course.turn, turn + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&course.real, c.real, memory_order_relaxed);
	atomic_store_explicit(&course.farthing, c.farthing, memory_order_relaxed);
	atomic_store_explicit(&course.speed, c.speed, memory_order_relaxed);
	atomic_store_explicit(&course.turn, turn + 2, memory_order_release);
}

clock_course clock_course_now(void)
{
	for (;;) {
		uint32_t turn = atomic_load_explicit(&course.turn, memory_order_acquire);
		clock_course c = { atomic_load_explicit(&course.real, memory_order_relaxed),
			               atomic_load_explicit(&course.farthing, memory_order_relaxed),
			               atomic_load_explicit(&course.speed, memory_order_relaxed) };
		atomic_thread_fence(memory_order_acquire);
		if (turn % 2 == 0 && turn == atomic_load_explicit(&course.turn, memory_order_relaxed))
			return c;
	}
}

int64_t clock_now(void)
{
	clock_course c = clock_course_now();
	return c.farthing + (clock_real() - c.real) * c.speed;
}

int64_t clock_mono_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_set_offset(int64_t ms)
{
	clock_set_course((clock_course){ .farthing = ms, .speed = 1 });
}

int64_t clock_offset(void)
{
	int64_t real = clock_real();
	clock_course c = clock_course_now();
	return c.farthing - real + (real - c.real) * c.speed;
}

void clock_sleep_ms(int64_t ms)
{
	if (ms <= 0)
		return;
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}
