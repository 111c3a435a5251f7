#include "sys/rand.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

/* Bytes fetched ahead from the kernel, per thread: a request needs a few dozen, a call costs a
 * microsecond. */
static _Thread_local struct {
	unsigned char bytes[512];
	size_t left;
} ahead;

static atomic_bool seeded;
static pthread_mutex_t seeded_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t state;

static void kernel_bytes(void *p, size_t n)
{
	unsigned char *to = p;
	while (n) {
		ssize_t got = getrandom(to, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		ensure(got > 0);
		to += got;
		n -= (size_t)got;
	}
}

/* SplitMix64: one 64-bit state, every value once in a period. Predictable, which is its purpose
 * here. */
static uint64_t seeded_next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void seeded_bytes(unsigned char *p, size_t n)
{
	pthread_mutex_lock(&seeded_lock);
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = seeded_next();
		memcpy(p + i, &v, n - i < 8 ? n - i : 8);
	}
	pthread_mutex_unlock(&seeded_lock);
}

void rand_bytes(void *p, size_t n)
{
	if (atomic_load_explicit(&seeded, memory_order_acquire)) {
		seeded_bytes(p, n);
		return;
	}
	if (n > sizeof ahead.bytes / 4) {
		kernel_bytes(p, n);
		return;
	}
	if (ahead.left < n) {
		kernel_bytes(ahead.bytes, sizeof ahead.bytes);
		ahead.left = sizeof ahead.bytes;
	}
	ahead.left -= n;
	memcpy(p, ahead.bytes + ahead.left, n);
	/* What has been handed out must not be found in memory afterwards. */
	explicit_bzero(ahead.bytes + ahead.left, n);
}

uint64_t rand_u64(void)
{
	uint64_t v;
	rand_bytes(&v, sizeof v);
	return v;
}

uint64_t rand_below(uint64_t limit)
{
	ensure(limit > 0);
	/* Values under the remainder of 2^64 would favour small results: draw again. */
	uint64_t refuse = (0 - limit) % limit;
	for (;;) {
		uint64_t v = rand_u64();
		if (v >= refuse)
			return v % limit;
	}
}

str rand_uuid(arena *a)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[16];
	rand_bytes(b, sizeof b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	char *p = arena_bytes(a, 37), *to = p;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = hex[b[i] >> 4];
		*to++ = hex[b[i] & 15];
	}
	*to = 0;
	return (str){ p, 36 };
}

str rand_text(arena *a, size_t n, str alphabet)
{
	char *p = arena_bytes(a, n + 1);
	for (size_t i = 0; i < n; i++)
		p[i] = alphabet.p[rand_below(alphabet.n)];
	p[n] = 0;
	return (str){ p, n };
}

void rand_seed(uint64_t seed)
{
	pthread_mutex_lock(&seeded_lock);
	state = seed;
	pthread_mutex_unlock(&seeded_lock);
	atomic_store_explicit(&seeded, true, memory_order_release);
}
