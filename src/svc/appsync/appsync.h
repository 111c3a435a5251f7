/*
 * What the handlers of AppSync and its data plane share. A GraphQL API is a row; its schema, keys, data
 * sources, functions and resolvers are rows below its id.
 */
#pragma once
#include "cloud/overlay.h"
#include "gen/appsync.h"

/* The caller's API in this region, or NotFoundException. */
err graphql_api(req *rq, const txn *tx, str id, appsync_api **api);
str graphql_api_arn(const req *rq, str id);
/* 26 letters and digits. */
str long_id(req *rq);
/* Everything that answers GraphQL for the API has its addresses; they are of the server that runs. */
void with_addresses(req *rq, appsync_api *api);

/* The row's structure becomes a member of the operation's answer, and the input is written over it. */
void keep_given(req *rq, const void *in, const shape *s, void *row);
/* maxResults of a page, and where it goes on. */
err page_of(req *rq, opt_i64 given, str token, record_scan *s, size_t *most);

/* A resolver's or function's code and runtime; JavaScript is all that runs here. */
err code_check(req *rq, const appsync_AppSyncRuntime *runtime, str code, str request, str response);
err source_check(req *rq, const txn *tx, str api, str name);

/*
 * script.c: APPSYNC_JS in Node.js, in sandboxes that are kept warm, each for one API. `event` is an object
 * for runtime.mjs. Waits. false: `why` says why there is no answer.
 */
bool script_run(arena *mem, const req *rq, str api, str event, int64_t until_us, str *answer, str *why);
/* After the commit, what has been kept for the API ends. */
void script_forget(txn *tx, str api);
