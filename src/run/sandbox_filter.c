/*
 * What a function may ask of the kernel. Everything an ordinary program needs is let through; what
 * reaches for the machine (mounting, tracing, modules, keys, namespaces, raw sockets, BPF, performance
 * counters) answers EPERM, as an unprivileged process would see it anyway: the filter is the second wall.
 */
#include "run/sandbox_launch.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const refused[] = {
	"acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
	"create_module", "delete_module", "fanotify_init", "fanotify_mark", "finit_module", "fsconfig",
	"fsmount", "fsopen", "fspick", "get_kernel_syms", "get_mempolicy", "init_module", "ioperm", "iopl",
	"kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind", "migrate_pages",
	"mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "nfsservctl",
	"open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise",
	"process_vm_readv", "process_vm_writev", "ptrace", "query_module", "quotactl", "quotactl_fd",
	"reboot", "request_key", "set_mempolicy", "setdomainname", "sethostname", "setns", "settimeofday",
	"stime", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2", "unshare", "uselib",
	"userfaultfd", "ustat", "vhangup", "vm86", "vm86old", "landlock_create_ruleset",
};

/* Programs try these and have another way when they are missing. io_uring would pass the filter by. */
static const char *const missing[] = {
	"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_secret",
};

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

#define NAMESPACE_FLAGS \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET)

static struct sock_fprog programs[WATCH_CONNECT_BIND + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool add_rules(scmp_filter_ctx c, sandbox_watched watched)
{
	bool ok = true;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		int number = seccomp_syscall_resolve_name(refused[i]);
		if (number != __NR_SCMP_ERROR)
			ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
	}
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
		int number = seccomp_syscall_resolve_name(missing[i]);
		if (number != __NR_SCMP_ERROR)
			ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), number, 0) == 0;
	}
	for (int bit = 0; bit < 32; bit++)
		if (NAMESPACE_FLAGS & (1u << bit))
			ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			                            SCMP_A0(SCMP_CMP_MASKED_EQ, 1u << bit, 1u << bit)) == 0;
	/* TIOCSTI types into a terminal; TIOCLINUX pastes. */
	ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
	                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, 0x5412)) == 0;
	ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
	                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, 0x541c)) == 0;
	for (unsigned family = 0; family < 64; family++) {
		bool known = false;
		for (size_t i = 0; i < sizeof families / sizeof *families; i++)
			known = known || families[i] == (int)family;
		if (!known)
			ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
			                            SCMP_A0(SCMP_CMP_EQ, family)) == 0;
	}
	ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
	                            SCMP_A0(SCMP_CMP_GE, 64)) == 0;
	/* It connects without connect(). */
	static const struct { int number; unsigned flags; } sends[] = {
		{ SCMP_SYS(sendto), 3 }, { SCMP_SYS(sendmsg), 2 }, { SCMP_SYS(sendmmsg), 3 },
	};
	for (size_t i = 0; i < sizeof sends / sizeof *sends; i++)
		ok = ok && seccomp_rule_add(c, SCMP_ACT_ERRNO(EOPNOTSUPP), sends[i].number, 1,
		                            SCMP_CMP(sends[i].flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN,
		                                     MSG_FASTOPEN)) == 0;
	if (watched != WATCH_NOTHING)
		ok = ok && seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(connect), 0) == 0;
	if (watched == WATCH_CONNECT_BIND)
		ok = ok && seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(bind), 0) == 0;
	return ok;
}

/* The finished program is kept for the life of the process. */
static struct sock_fprog build(sandbox_watched watched)
{
	struct sock_fprog program = { 0 };
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int fd = memfd_create("filter", MFD_CLOEXEC);
	if (c && fd >= 0 && seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) == 0 &&
	    seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && add_rules(c, watched) &&
	    seccomp_export_bpf(c, fd) == 0) {
		off_t bytes = lseek(fd, 0, SEEK_END);
		void *code = malloc((size_t)bytes);
		if (code && pread(fd, code, (size_t)bytes, 0) == bytes)
			program = (struct sock_fprog){ (unsigned short)((size_t)bytes / sizeof(struct sock_filter)),
				                       code };
		else
			free(code);
	}
	if (fd >= 0)
		close(fd);
	if (c)
		seccomp_release(c);
	return program;
}

static void build_all(void)
{
	for (int i = 0; i <= WATCH_CONNECT_BIND; i++)
		programs[i] = build((sandbox_watched)i);
}

const struct sock_fprog *sandbox_filter(sandbox_watched watched)
{
	pthread_once(&once, build_all);
	const struct sock_fprog *p = &programs[watched];
	return p->len ? p : NULL;
}
