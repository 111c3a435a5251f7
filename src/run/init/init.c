/*
 * The first process of a sandbox's pid namespace: collects orphans, and when the program itself (its only
 * child at the start) has ended, tells the server on descriptor 3 and leaves, which ends everything else.
 * When an argument says which process the program is, those before it are extra ones: their ends are told as
 * well, and the program's own ends nothing; then the server does. It stands alone, without a C library, so
 * that it costs 20 KB and holds nothing of the server's memory.
 */
#include <stdint.h>

#if defined __x86_64__
#define SYS_WRITE 1
#define SYS_WAIT4 61
#define SYS_EXIT_GROUP 231
#define SYS_PRCTL 157
static long call(long n, long a, long b, long c, long d)
{
	long r;
	register long d10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(d10)
	                 : "rcx", "r11", "memory");
	return r;
}
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\txor %rbp, %rbp\n\tand $-16, %rsp\n\tcall run\n");
#elif defined __aarch64__
#define SYS_WRITE 64
#define SYS_WAIT4 260
#define SYS_EXIT_GROUP 94
#define SYS_PRCTL 167
static long call(long n, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tmov x29, #0\n\tmov x30, #0\n\tbl run\n");
#else
#error "the sandbox's init knows x86-64 and arm64"
#endif

/* As in run/sandbox_launch.h. */
struct message {
	char kind;
	int32_t number;
	int64_t peak_bytes;
	char what[64];
};

struct usage { /* the kernel's struct rusage */
	long time[4], max_resident_kb, rest[13];
};

static void tell(char kind, int status, const struct usage *usage)
{
	static struct message m;
	m.kind = kind;
	m.number = status;
	m.peak_bytes = (int64_t)usage->max_resident_kb << 10;
	call(SYS_WRITE, 3, (long)&m, sizeof m, 0);
}

/* `stack` as the kernel leaves it: how many words, then the words. */
__attribute__((noreturn, used)) void run(const long *stack)
{
	static struct usage usage;
	int status = 0;
	long program = 2;
	const char *number = stack[0] > 1 ? (const char *)stack[2] : 0;

	if (number)
		for (program = 0; *number >= '0' && *number <= '9'; number++)
			program = program * 10 + (*number - '0');

	call(SYS_PRCTL, 4 /* PR_SET_DUMPABLE */, 0, 0, 0); /* closed to the program, which has our user */

	for (;;) {
		long pid = call(SYS_WAIT4, -1, (long)&status, 0x40000000 /* __WALL */, (long)&usage);
		if (pid == -4) /* EINTR */
			continue;
		if (pid < 0)
			break;
		if (pid == program)
			tell('S', status, &usage);
		else if (pid < program)
			tell('X', status, &usage);
		if (pid == program && !number)
			break;
	}
	for (;;)
		call(SYS_EXIT_GROUP, 0, 0, 0, 0);
}
