/*
 * A sandbox: one program with its children, in user (when the server is not root), mount, pid, ipc, uts and
 * network namespaces of its own, held to a share of memory, CPU, processes and files.
 *
 * What it sees: the machine's programs and libraries read-only, the folders it was given, a /tmp of the
 * stated size, a minimal /dev and /etc, its own /proc. What it may not do: gain privileges, mount, trace,
 * make namespaces, load anything into the kernel (seccomp), or reach the network, except what `reach` and
 * `allow` grant. Its own 127.0.0.1 is private; a connection to a loopback address on which nothing of the
 * sandbox listens is offered to the server, which connects on its behalf, if granted, to the machine's
 * loopback service of that address and port. The connection then runs without us.
 *
 * A sandbox may have a judge, who decides over each of these connections: it is made, made and counted (then
 * its bytes pass through a thread of ours), or dropped: then it hangs, as where no packet comes back.
 *
 * Lifetime: from sandbox_open to sandbox_close, on no arena's time. Every process in it dies with the
 * server. One thread at a time uses a sandbox; opening is safe from any thread.
 */
#pragma once
#include "base/err.h"
#include "run/cgroup.h"

typedef struct sandbox sandbox;

typedef enum sandbox_reach {
	REACH_NOTHING,  /* but what `allow` lists */
	REACH_LOOPBACK, /* every service on the machine's loopback addresses */
	REACH_INTERNET, /* every address */
} sandbox_reach;

/* Nothing of the machine's network is shared: false. All of it, where namespaces are not to be had: true. */
typedef struct sandbox_status {
	bool possible, root, private_network;
	const char *network; /* a sentence each */
	const char *namespaces;
} sandbox_status;
sandbox_status sandbox_probe(void);

#define SANDBOX_BINDS_MAX 24
#define SANDBOX_VOLUMES_MAX 16
#define SANDBOX_LAYERS_MAX 5
#define SANDBOX_ALLOW_MAX 16
#define SANDBOX_EXTRA_MAX 10

typedef struct sandbox_bind {
	const char *source;  /* absolute, on the machine */
	const char *target;  /* absolute, inside */
} sandbox_bind;

/* What goes to one address goes to another one, outside. */
typedef struct sandbox_forward {
	const char *from;    /* of any network but loopback */
	int from_port;
	const char *to;
	int to_port;
} sandbox_forward;

#define SANDBOX_PATH_MAX 1024
typedef enum sandbox_verdict {
	PATH_OPEN,
	PATH_COUNTED,
	PATH_ASKED,   /* made; what becomes of it is asked again when the caller has said something */
	PATH_DROPPED,
} sandbox_verdict;
typedef struct sandbox_judge {
	/* Whether the sandbox that `about` speaks of may reach this IPv4 address and port. Must be quick: others
	 * wait meanwhile. Of a counted connection it says in `path` what `carried` is to know. */
	sandbox_verdict (*judge)(const char *about, const char *address, int port, char path[SANDBOX_PATH_MAX]);
	/* Of an asked connection, with all that the caller has sent so far, which nobody has seen yet:
	 * PATH_ASKED for more, unless this is all there can be. On a thread of the connection. */
	sandbox_verdict (*heard)(const char *about, const char *bytes, size_t n, bool is_all,
	                         char path[SANDBOX_PATH_MAX]);
	/* So many more bytes, on a thread of the connection: at its end, and every second while it lasts. */
	void (*carried)(const char *path, int64_t sent, int64_t received);
} sandbox_judge;

typedef struct sandbox_spec {
	const char *const *argv; /* argv[0] is a path inside */
	const char *const *env;
	const char *directory;   /* to start in */
	const char *root;        /* an image (run/image.h) in place of the machine's programs, or NULL */
	sandbox_bind binds[SANDBOX_BINDS_MAX]; /* read-only */
	int n_binds;
	const char *layers[SANDBOX_LAYERS_MAX]; /* folders merged into /opt, the later over the earlier */
	int n_layers;
	const char *extra[SANDBOX_EXTRA_MAX]; /* programs inside that start first; argv waits for sandbox_go */
	int n_extra;
	int64_t memory_bytes, tmp_bytes;
	int pids, files;
	int output;              /* becomes descriptors 1 and 2 */
	int listen_port;         /* a listener on 127.0.0.1 inside, kept by the server; 0: none */
	int listener;            /* where the network is shared: one that listens already; taken over */
	int datagram_port;       /* a datagram socket on 127.0.0.1 inside, kept by the server; 0: none */
	int datagrams;           /* where the network is shared: one that is bound already; taken over */
	sandbox_reach reach;
	const sandbox_judge *judge; /* or NULL: nobody is asked about what `reach` and `allow` grant */
	const char *about;          /* the judge's own text */
	/* A container's own: what it writes stays in `root`, which nobody else has, and which belongs to `user`
	 * (sandbox_new_user); its /tmp is a folder of it. */
	bool writable;
	unsigned user;
	sandbox_bind volumes[SANDBOX_VOLUMES_MAX]; /* that may be written */
	int n_volumes;
	/* A container's network: where its programs listen for TCP, they listen on this loopback address of the
	 * machine; where they ask for 127.0.0.1 alone, on `own_address`. Connections to loopback are offered to
	 * both before they go further, so that all containers with the same two share one localhost. NULL: its
	 * network is its own. */
	const char *address, *own_address;
	sandbox_forward forward; /* from NULL: none */
} sandbox_spec;

/* Everything in `spec` is needed only during the call. */
err sandbox_open(arena *mem, const sandbox_spec *spec, sandbox **out);
/* Kills everything in it. Returns at once; the remains are cleared away by a thread of our own. */
void sandbox_close(sandbox *sb);
/* Waits until nothing closed is left: for shutdown and tests. */
void sandbox_drain(void);

/* Whom a writable root's files must belong to: a number that no other sandbox has. */
unsigned sandbox_new_user(void);
/* To the program alone. */
void sandbox_signal(sandbox *sb, int number);

/* Starts the program itself, where there are `extra` ones. */
err sandbox_go(arena *mem, sandbox *sb);
/* How many of the extra ones have ended, and the wait status of the last. The program's own end does not end
 * them. */
int sandbox_extra_ended(const sandbox *sb, int *status);

/* Grants one more address ("127.0.0.1", "10.0.0.7") and port; port 0 is any. */
bool sandbox_allow(sandbox *sb, const char *address, int port);

/* The listener inside. */
int sandbox_listener(const sandbox *sb);
/* The datagram socket inside, or -1. */
int sandbox_datagrams(const sandbox *sb);
/* Where the network is shared: a listener, or a datagram socket, on any free port, for the spec. */
int sandbox_shared_socket(bool datagrams, int *port);
/* The program could not be started: the errno, and what failed (its path, or its folder). 0: it was. */
int sandbox_start_error(const sandbox *sb, const char **what);
/* Readable when the program has ended. */
int sandbox_end_fd(const sandbox *sb);
/* Whether it has ended, and its wait status. */
bool sandbox_ended(sandbox *sb, int *status);

/* Thousandths of one CPU; 0: as much as there is. */
void sandbox_set_cpu(sandbox *sb, int64_t milli);
void sandbox_freeze(sandbox *sb);
void sandbox_thaw(sandbox *sb);

/* Polls readable when memory runs out, or -1: then call sandbox_memory_ok every 20 ms while it runs. */
int sandbox_oom_fd(const sandbox *sb);
int sandbox_oom_events(const sandbox *sb); /* the poll events to wait for */
/* Whether the function keeps within its memory, not counting what it has in /tmp. Else kill it. */
bool sandbox_memory_ok(sandbox *sb);
/* What is resident now. */
int64_t sandbox_memory(sandbox *sb);
/* Milliseconds of one CPU that its processes have had. */
int64_t sandbox_cpu_ms(sandbox *sb);
/* The most it has had, as AWS reports it: at least what is resident now. */
int64_t sandbox_memory_peak(sandbox *sb);
