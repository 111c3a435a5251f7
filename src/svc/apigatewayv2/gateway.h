/*
 * What the handlers of HTTP and WebSocket APIs share. An API is a row; its routes, integrations and
 * stages are
 * rows below its id. A stage with automatic deployment serves the rows as they are, any other the snapshot
 * of its deployment.
 */
#pragma once
#include "cloud/overlay.h"
#include "gen/apigatewayv2.h"

/* The caller's API in this region, or NotFoundException. */
err api_find(req *rq, const txn *tx, str id, apigatewayv2_api **api);
/* Seven letters and digits. */
str short_id(req *rq);
/* The row's structure becomes the operation's answer. */
void answer_from(req *rq, const shape *s, const void *row, void *out);
/* The operation's input written over the row's structure. */
void keep_input(req *rq, const void *in, const shape *s, void *row);
bool is_websocket(const apigatewayv2_api *api);
str api_endpoint(arena *mem, str id, str region, bool websocket);

/* What the route is authorized by must be there, and of its kind. */
err route_authorizer_check(req *rq, const txn *tx, const apigatewayv2_api *api, apigatewayv2_Route *r);

apigatewayv2_Snapshot *snapshot_of(const txn *tx, arena *mem, str api);
/* Makes a deployment of what there is now; its id. */
str deploy(req *rq, txn *tx, str api, str description, bool automatic);
err stage_check(req *rq, const txn *tx, str api, str name);
/* Resource policies name APIs so: arn:aws:apigateway:us-east-1::/apis/ID. */
str api_arn(const req *rq, str id);
