#include "test/test.h"
#include <setjmp.h>
#include <stdio.h>

extern const test *const __start_farthing_tests[] __attribute__((weak));
extern const test *const __stop_farthing_tests[] __attribute__((weak));

static jmp_buf out;
enum { PASSED, FAILED, SKIPPED };

void test_failed(const char *file, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("%s:%d: ", file, line);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	longjmp(out, FAILED);
}

void test_skipped(const char *reason)
{
	printf("skipped: %s\n", reason);
	longjmp(out, SKIPPED);
}

static int run(const test *t)
{
	arena *mem = arena_open(1 << 16);
	int result = setjmp(out);
	if (result == PASSED)
		t->run(mem);
	else
		printf("%s %s (%s)\n", result == FAILED ? "FAIL" : "SKIP", t->name, t->file);
	arena_close(mem);
	return result;
}

/* Arguments choose tests whose name contains one of them. */
static bool wanted(const test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(t->name, argv[i]) || strstr(t->file, argv[i]))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	int count[3] = { 0 };
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const test *const *t = __start_farthing_tests; t < __stop_farthing_tests; t++)
		if (wanted(*t, argc, argv))
			count[run(*t)]++;
	printf("%d passed, %d failed", count[PASSED], count[FAILED]);
	if (count[SKIPPED])
		printf(", %d skipped", count[SKIPPED]);
	printf("\n");
	return count[FAILED] != 0;
}
