#include "cloud/trail.h"
#include "sys/clock.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 18)
#define FLUSH_MS 100

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	char buffers[2][BUFFER_BYTES];
	size_t used;
	int filling, fd;
	uint64_t dropped;
	bool on, stop;
} trail = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(trail.fd, p, n);
		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

static void flush(void)
{
	pthread_mutex_lock(&trail.lock);
	const char *full = trail.buffers[trail.filling];
	size_t n = trail.used;
	uint64_t dropped = trail.dropped;
	trail.filling = !trail.filling;
	trail.used = 0;
	trail.dropped = 0;
	pthread_mutex_unlock(&trail.lock);
	write_all(full, n);
	if (dropped) {
		char note[80];
		int m = snprintf(note, sizeof note, "(%llu lines not logged)\n", (unsigned long long)dropped);
		write_all(note, (size_t)m);
	}
}

static void *writer(void *unused)
{
	while (!__atomic_load_n(&trail.stop, __ATOMIC_ACQUIRE)) {
		clock_sleep_ms(FLUSH_MS);
		flush();
	}
	flush();
	return unused;
}

void trail_start(str path, bool quiet)
{
	trail.fd = path.n ? open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : 2;
	if (trail.fd < 0 || quiet)
		return;
	trail.stop = false;
	trail.on = pthread_create(&trail.thread, NULL, writer, NULL) == 0;
}

void trail_stop(void)
{
	if (!trail.on)
		return;
	__atomic_store_n(&trail.stop, true, __ATOMIC_RELEASE);
	pthread_join(trail.thread, NULL);
	trail.on = false;
}

void trail_line(str line)
{
	if (!trail.on)
		return;
	pthread_mutex_lock(&trail.lock);
	if (line.n + 1 > BUFFER_BYTES - trail.used) {
		trail.dropped++;
	} else {
		char *p = trail.buffers[trail.filling] + trail.used;
		memcpy(p, line.p, line.n);
		p[line.n] = '\n';
		trail.used += line.n + 1;
	}
	pthread_mutex_unlock(&trail.lock);
}
