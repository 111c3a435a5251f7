/*
 * Between the server and the process it has just cloned: what to build inside the new namespaces. Filled
 * by the parent before cloning; the child uses it, allocates nothing and calls the kernel only.
 */
#pragma once
#include "run/sandbox.h"
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdatomic.h>

#define SANDBOX_UID 993            /* inside, and in /etc/passwd there */
#define SANDBOX_TREE_MAX 96

typedef enum tree_kind { TREE_DIR, TREE_LINK, TREE_FILE, TREE_BIND, TREE_TMPFS, TREE_ROOT } tree_kind;

/* One entry of the new root, in order; paths are relative to it. */
typedef struct tree_entry {
	tree_kind kind;
	const char *path;
	const char *from;  /* TREE_LINK: its text; TREE_FILE: its content; TREE_BIND and TREE_ROOT (which comes
	                      first): the source; TREE_TMPFS: its options */
	bool device;       /* TREE_BIND: of a device node or a file that is one */
	bool writable;     /* TREE_BIND and TREE_ROOT */
	bool optional;     /* TREE_BIND: a missing source is left out */
	int fd;            /* the child's: the detached mount */
} tree_entry;

typedef struct launch {
	const sandbox_spec *spec;
	tree_entry tree[SANDBOX_TREE_MAX];
	int n_tree;
	char overlay[4096];      /* options of the overlay on /opt; empty: none */
	char tmp_options[96];
	bool user_namespace, private_network;
	unsigned uid, gid;       /* outside */
	int control;             /* the child's end */
	int init_fd;             /* the first process of the pid namespace, as an image in memory */
	struct sock_fprog filter;
	bool watch_connect;      /* the filter hands connect() to us */
} launch;

/* Messages on the control socket, one per packet. */
typedef enum control_kind {
	CONTROL_LISTENER = 'L', /* with the descriptor */
	CONTROL_DATAGRAMS = 'U', /* with the descriptor */
	CONTROL_WATCH = 'N',    /* with the seccomp notification descriptor */
	CONTROL_FAILED = 'E',
	CONTROL_ENDED = 'S',    /* from init: the program has ended */
	CONTROL_EXTRA = 'X',    /* from init: an extra one has */
	CONTROL_GO = 'G',       /* from the server: start the program */
} control_kind;

typedef struct control_message {
	char kind;
	int32_t number;      /* FAILED: errno; ENDED: wait status */
	int64_t peak_bytes;  /* ENDED: largest resident size */
	char what[64];       /* FAILED: the step */
} control_message;

/* In the clone. Does not return. */
__attribute__((noreturn)) void sandbox_child(launch *l);

/* sandbox_filter.c: the programs, made once. NULL when seccomp is not to be had. */
typedef enum sandbox_watched { WATCH_NOTHING, WATCH_CONNECT, WATCH_CONNECT_BIND } sandbox_watched;
const struct sock_fprog *sandbox_filter(sandbox_watched watched);

/* sandbox_net.c: answers connect() of one sandbox until its processes are gone. Takes over `fd`. */
typedef struct sandbox_watch sandbox_watch;
/* The spec's words about the network, read; in the network's byte order. address 0: its network is its own.
 * */
typedef struct sandbox_net {
	sandbox_reach reach;
	struct in_addr address, own_address;
	struct sockaddr_in from, to; /* from.sin_port 0: nothing is forwarded */
	const sandbox_judge *judge;
	char *about; /* the sandbox's, on the heap; a watch has a copy */
} sandbox_net;
sandbox_watch *sandbox_watch_add(int fd, const sandbox_net *net);
bool sandbox_watch_allow(sandbox_watch *w, const char *address, int port);
void sandbox_watch_remove(sandbox_watch *w);
bool sandbox_watch_possible(void);

/* sandbox_path.c: whatever becomes of the socket, it neither leaves the machine nor is reached from there. */
void sandbox_keep_local(int fd);
/*
 * A socket whose connection hangs for as long as one whose packets are dropped; -1: none.
 */
int sandbox_black_hole(sa_family_t family);
/*
 * Carries bytes between two connected sockets, which it closes, until both directions have ended, or it is
 * over. Waits all that while.
 */
#define SANDBOX_HANGING_MS 127000 /* what Linux takes to give up: six more attempts */
typedef struct sandbox_carry {
	const atomic_bool *over;
	const sandbox_judge *judge;
	const char *about;
	char *path;   /* SANDBOX_PATH_MAX */
	bool asked;   /* the judge is to hear the first bytes */
	int inner, outer;
} sandbox_carry;
void sandbox_relay(const sandbox_carry *what);
void sandbox_relays_end(atomic_bool *over);
/* Two ends of one TCP connection, the first to be given away; false: there are none. */
bool sandbox_pair(sa_family_t family, int *given, int *kept);

/*
 * sandbox_launcher.c: clones from a thread that never ends, because a child's death signal is tied to the
 * thread that made it.
 */
err sandbox_clone(arena *mem, launch *l, pid_t *pid, int *pidfd, cgroup **group);
