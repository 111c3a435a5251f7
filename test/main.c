#include "test/test.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

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

/*
 * What failed is run once more after all others. What fails both times has failed; what then passes is said
 * to be FLAKY: a fault to be mended, of the test or of Farthing, but nothing to stop those whose change has
 * no part in it.
 */
int main(int argc, char **argv)
{
	int count[3] = { 0 };
	setvbuf(stdout, NULL, _IOLBF, 0);
	size_t tests = (size_t)(__stop_farthing_tests - __start_farthing_tests);
	bool *failed = calloc(tests + 1, sizeof *failed);
	if (!failed)
		return 1;
	for (size_t i = 0; i < tests; i++) {
		if (!wanted(__start_farthing_tests[i], argc, argv))
			continue;
		int result = run(__start_farthing_tests[i]);
		failed[i] = result == FAILED;
		count[result] += result != FAILED;
	}
	for (size_t i = 0; i < tests; i++) {
		const test *t = __start_farthing_tests[i];
		if (!failed[i])
			continue;
		printf("once more: %s\n", t->name);
		int result = run(t);
		count[result]++;
		if (result == PASSED)
			printf("FLAKY %s (%s): failed, then passed\n", t->name, t->file);
	}
	free(failed);
	printf("%d passed, %d failed", count[PASSED], count[FAILED]);
	if (count[SKIPPED])
		printf(", %d skipped", count[SKIPPED]);
	printf("\n");
	return count[FAILED] != 0;
}
