/*
 * AppSync's data plane: POST /graphql on ID.appsync-api.REGION.localhost (or below /_appsync-api/ID/), and
 * WebSockets on ID.appsync-realtime-api.REGION.localhost.
 */
#pragma once
#include "execute.h"

/* Somebody who wants something, before it is known who it is. */
typedef struct asker {
	store *s;
	arena *mem;
	appsync_api *api;
	const wire_message *m; /* with the headers that tell, and what was signed */
	str host, peer, id;
	str query, operation;  /* what is asked */
	const json_value *variables;
	str problem;           /* why not */
} asker;
/* May wait. */
bool identity_of(asker *q, identity *out);

/* kept.c: what a schema's text says, as long as `mem` lives; NULL: nothing. */
gql_schema *graphql_schema(arena *mem, str api, str text);
/* The API and its schema. false: there is none of this id (api is NULL) or no schema. */
bool graphql_api_of(store *s, arena *mem, str id, appsync_api **api, gql_schema **schema);

/* socket.c: a WebSocket to the API. */
void realtime_serve(http_exchange *x, store *s, str id);
/* Tells subscribers of the mutations that the execution has made. The answer has been given. */
void realtime_publish(execution *e, const json_value *data);
