/*
 * Connections of subscribers and what they subscribe to. In memory only: a connection ends with the process.
 * A link lives until everybody who holds it has put it back.
 */
#pragma once
#include "plane.h"
#include "wire/websocket.h"

#define LINKS_MAX 10000
#define SUBSCRIPTIONS_MAX 100 /* of one connection, as on AWS */
#define SUBSCRIPTIONS_BYTES ((size_t)1 << 20) /* of what they ask, of one connection */
#define WAITING_MAX 32        /* messages of one connection that wait */

typedef struct subscriber subscriber;

/* What a subscription needs to be told of a mutation. It lives until everybody has put it back. */
typedef struct subscription {
	struct subscription *next;
	arena *mem;
	size_t references, bytes;
	str id, field;       /* of the root type */
	str query, operation, variables; /* variables: JSON, or absent */
	str arguments;       /* of the field: JSON */
	auth_mode mode;
	str groups, denied;  /* JSON, or absent */
} subscription;

typedef struct link_facts {
	store *s;
	str api, account, region, peer;
} link_facts;

/* NULL: there are too many. */
subscriber *link_enter(const link_facts *f);
void link_attach(subscriber *l, websocket *w);
/* The connection has ended: it has no subscriptions any more. Minutes that it was open. */
int64_t link_leave(subscriber *l);
const link_facts *link_facts_of(const subscriber *l);
subscriber *link_hold(subscriber *l);
void link_put(subscriber *l);
/*
 * Messages of a connection wait in a row: one is read at a time, in the order in which they came. false: too
 * many do. `first`: nobody reads them, so the caller sees to it, until link_next gives NULL.
 */
typedef struct waiting {
	struct waiting *next;
} waiting;
bool link_wait(subscriber *l, waiting *w, bool *first);
waiting *link_next(subscriber *l);
/* Never waits for the client: one that does not keep up is closed. */
bool link_say(subscriber *l, str text);

/* Copies. false: there is one with this id, there are too many, or the connection has ended. */
bool link_subscribe(subscriber *l, const subscription *s);
bool link_unsubscribe(subscriber *l, str id);

/* Who subscribes to the field of the API: a list in `mem`, of which each link and subscription is held. */
typedef struct listener {
	subscriber *l;
	subscription *s;
	struct listener *next;
} listener;
listener *link_listeners(arena *mem, str api, str field);
void listener_put(listener one);

/* Says that the connections live, and ends those that are older than a day. */
void link_keep_alive(void);
