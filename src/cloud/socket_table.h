/*
 * WebSocket connections that clients hold open to APIs, by id: whoever knows an id may say something to it.
 * In memory only; a connection ends with the process.
 *
 * An entry lives until everybody who holds it has put it back: the connection itself (socket_leave) and each
 * socket_find or socket_hold.
 */
#pragma once
#include "base/arena.h"
#include "wire/websocket.h"

struct store;
typedef struct socket_entry socket_entry;

/* Set when the connection is made. Copied. */
typedef struct socket_facts {
	str id, api, stage, domain, account, region, ip, agent;
	str authorizer;       /* JSON of what an authorizer said of who comes; absent: none */
	int64_t connected_at; /* Farthing's clock */
	int64_t began_us;     /* monotonic */
	struct store *s;
} socket_facts;

socket_entry *socket_enter(const socket_facts *f);
/* Before this, what is said waits. */
void socket_attach(socket_entry *e, websocket *w);
/* The connection has ended: nobody finds it any more. Once. */
void socket_leave(socket_entry *e);

/* Held, or NULL when there is no such connection. */
socket_entry *socket_find(str id);
socket_entry *socket_hold(socket_entry *e);
void socket_put(socket_entry *e);

const socket_facts *socket_facts_of(const socket_entry *e);
void socket_touch(socket_entry *e);
/* Farthing's clock. */
int64_t socket_last_active(socket_entry *e);
/* Any thread but the connection's own. false: the client has gone. */
bool socket_say(socket_entry *e, bool text, str bytes);
void socket_close(socket_entry *e, int code, str reason);
/* Closes what has been silent or open for too long. */
void socket_expire(int64_t idle_us, int64_t life_us);
