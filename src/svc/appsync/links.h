/*
 * Connections of subscribers and what they subscribe to. In memory only: a connection ends with the process.
 * A link lives until everybody who holds it has put it back.
 */
#pragma once
#include "plane.h"
#include "wire/websocket.h"

#define LINKS_MAX 10000
#define SUBSCRIPTIONS_MAX 100 /* of one connection, as on AWS */
#define PENDING_MAX 32        /* messages of one connection that wait */

typedef struct subscriber subscriber;

/* What a subscription needs to be told of a mutation; copied. */
typedef struct subscription {
	struct subscription *next;
	arena *mem;
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
/* One more message waits, or one less. false: too many do. */
bool link_pending(subscriber *l, int by);
bool link_say(subscriber *l, str text);

/* false: there is one with this id, there are too many, or the connection has ended. */
bool link_subscribe(subscriber *l, const subscription *s);
bool link_unsubscribe(subscriber *l, str id);

/* Copies, in `mem`, of who subscribes to the field of the API; each link is held. */
typedef struct listener {
	subscriber *l;
	subscription s;
	struct listener *next;
} listener;
listener *link_listeners(arena *mem, str api, str field);

/* Says that the connections live, and ends those that are older than a day. */
void link_keep_alive(void);
