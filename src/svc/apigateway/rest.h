/*
 * What the handlers of REST APIs share. An API is a row, and so is each of its resources with all that
 * hangs on it, and each of what methods name: authorizers, models, validators. Stages serve deployments,
 * which are copies of all of these. Keys and usage plans belong to the account.
 */
#pragma once
#include "cloud/overlay.h"
#include "gen/apigateway.h"

#define REST_ID_LETTERS S("abcdefghijklmnopqrstuvwxyz0123456789")

err rest_find(req *rq, const txn *tx, str id, apigateway_api **api);
err resource_find(req *rq, const txn *tx, str api, str id, apigateway_resource **r);
/* The method of this name, or NULL. */
apigateway_Method *method_of(apigateway_Resource *r, str name);
err method_find(req *rq, const txn *tx, str api, str id, str name, apigateway_resource **r,
                apigateway_Method **m);
/* Whether it has an authorizer: CUSTOM or COGNITO_USER_POOLS. */
bool method_asks(const apigateway_Method *m);
/* What the method names (an authorizer, a validator, models) must be there. */
err method_check(req *rq, const txn *tx, str api, const apigateway_Method *m);
err integration_check(req *rq, const apigateway_Integration *i);
err integration_find(req *rq, const txn *tx, str api, str id, str name, apigateway_resource **r,
                     apigateway_Method **m);
apigateway_ListOfResource resources_of(const txn *tx, arena *mem, str api);
void rest_answer(req *rq, const shape *s, const void *row, void *out);

/* How many on a page, and the scan behind the position: before the first next. */
err rest_page(req *rq, opt_i64 limit, str position, record_scan *s, size_t *most);
/* The models that every API has. */
void models_begin(txn *tx, str api);
apigateway_Beside beside_of(const txn *tx, arena *mem, str api);
apigateway_ListOfGatewayResponse answers_of(const txn *tx, arena *mem, str api);
void beside_delete(txn *tx, arena *mem, str api);
/* What the gateway answers of this type, given what the API says: its own, its default or ours. */
apigateway_GatewayResponse *answer_of(arena *mem, const apigateway_ListOfGatewayResponse *all, str type);

/* Seconds for which what it said is remembered. */
int64_t authorizer_ttl(const apigateway_Authorizer *a);
err apikey_find(req *rq, const txn *tx, str id, apigateway_apikey **key);

/* Not too many of them: each may copy what it changes. */
err patch_few(req *rq, const apigateway_ListOfPatchOperation *patches);
/* /name and /map/key of patch operations on members that are text, numbers and flags. */
err patch_apply(req *rq, const apigateway_ListOfPatchOperation *patches, const shape *s, void *row);
/* Members of a list of texts are named by themselves; "-" is one like the others. */
err patch_list(req *rq, const apigateway_PatchOperation *p, str name, apigateway_ListOfString *l);
/* Each of them replaces, and one of these paths (NULL behind the last). */
err patch_replaces(req *rq, const apigateway_ListOfPatchOperation *patches, const char *const *paths);
/* ~1 stands for a slash in the parts of a path. */
str patch_part(arena *mem, str part);
/* wall.c: as web ACLs know it. */
str stage_arn(arena *mem, str region, str api, str stage);
void map_set(arena *mem, apigateway_MapOfStringToString *m, str key, str value);
void map_drop(apigateway_MapOfStringToString *m, str key);
str map_find(const apigateway_MapOfStringToString *m, str key);
