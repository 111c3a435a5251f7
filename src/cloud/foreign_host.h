/*
 * Hosts that are names of somebody's own domain. As DNS would lead a client, so a request on Farthing's port
 * goes where the records of Route 53 lead its host: to a load balancer, a distribution, an API, a website. A
 * host that nobody knows may be meant for the one load balancer that there is: it came here, after all.
 *
 * Never foreign: addresses, names without a dot, AWS's own names. Those below localhost are looked up only
 * after everybody has had a look at them.
 */
#pragma once
#include "store/store.h"
#include "wire/http.h"

typedef enum foreign_kind { FOREIGN_NOT, FOREIGN_LOCAL, FOREIGN_HOST } foreign_kind;
foreign_kind foreign_host_kind(str host);
/* Of a request: one that is signed for an API of ours is meant for that, whatever its host. */
foreign_kind foreign_host_kind_of(const http_exchange *x);
/* Whether there are records for this host, and the name of AWS's, without the last dot, to which they lead
 * (STR_NONE: to none). */
bool foreign_host_recorded(arena *mem, store *s, str host, str *to);
/* The name of who takes requests to a host that is nobody's, or STR_NONE. */
str foreign_host_taker(const http_exchange *x, store *s);

/* Services register: whether the host is a name of theirs, though no record says so; */
typedef bool foreign_owner(const txn *tx, arena *mem, str name);
#define FOREIGN_OWNER(function) \
	__attribute__((section("farthing_foreign_owners"), used)) \
	static foreign_owner *const foreign_owner_entry = function
/* and the name of theirs that takes what is nobody's, or STR_NONE. */
typedef str foreign_taker(const txn *tx, arena *mem);
#define FOREIGN_TAKER(function) \
	__attribute__((section("farthing_foreign_takers"), used)) \
	static foreign_taker *const foreign_taker_entry = function
