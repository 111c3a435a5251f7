/*
 * Unit tests: TEST(name) { CHECK(...); } in any *_test.c registers itself. A failed CHECK says where and
 * ends its test. Each test has an arena `mem` of its own. Nothing here is ever skipped silently:
 * SKIP("reason") is printed and counted.
 */
#pragma once
#include "base/err.h"

typedef struct test {
	const char *name, *file;
	void (*run)(arena *mem);
} test;

#define TEST(id) \
	static void test_##id(arena *mem); \
	static const test test_case_##id = { #id, __FILE__, test_##id }; \
	__attribute__((section("farthing_tests"), used)) static const test *const test_entry_##id = \
		&test_case_##id; \
	static void test_##id(__attribute__((unused)) arena *mem)

__attribute__((noreturn)) void test_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
__attribute__((noreturn)) void test_skipped(const char *reason);

#define CHECK(condition) \
	((condition) ? (void)0 : test_failed(__FILE__, __LINE__, "%s", #condition))
#define CHECK_STR(got, want) \
	do { \
		str got_ = (got), want_ = (want); \
		if (!str_eq(got_, want_)) \
			test_failed(__FILE__, __LINE__, "got \"%.*s\", want \"%.*s\"", STR_ARG(got_), \
			            STR_ARG(want_)); \
	} while (0)
#define CHECK_I64(got, want) \
	do { \
		int64_t got_ = (int64_t)(got), want_ = (int64_t)(want); \
		if (got_ != want_) \
			test_failed(__FILE__, __LINE__, "got %lld, want %lld", (long long)got_, \
			            (long long)want_); \
	} while (0)
#define CHECK_OK(expression) \
	do { \
		err err_ = (expression); \
		if (err_) \
			test_failed(__FILE__, __LINE__, "%s: %.*s", err_->kind->code, STR_ARG(err_->message)); \
	} while (0)
#define SKIP(reason) test_skipped(reason)
