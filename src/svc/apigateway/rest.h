/*
 * What the handlers of REST APIs share. An API is a row, and so is each of its resources with all that
 * hangs on
 * it. Stages serve deployments, which are copies of the resources.
 */
#pragma once
#include "cloud/overlay.h"
#include "gen/apigateway.h"

err rest_find(req *rq, const txn *tx, str id, apigateway_api **api);
err resource_find(req *rq, const txn *tx, str api, str id, apigateway_resource **r);
/* The method of this name, or NULL. */
apigateway_Method *method_of(apigateway_Resource *r, str name);
err method_find(req *rq, const txn *tx, str api, str id, str name, apigateway_resource **r,
                apigateway_Method **m);
apigateway_ListOfResource resources_of(const txn *tx, arena *mem, str api);
void rest_answer(req *rq, const shape *s, const void *row, void *out);

/* /name and /map/key of patch operations on members that are text, numbers and flags. */
err patch_apply(req *rq, const apigateway_ListOfPatchOperation *patches, const shape *s, void *row);
void map_set(arena *mem, apigateway_MapOfStringToString *m, str key, str value);
void map_drop(apigateway_MapOfStringToString *m, str key);
