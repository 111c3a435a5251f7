/* What an API has beside its resources: kept with each deployment, gone with the API. */
#include "rest.h"

#define COUNT(n, scan, next) do { while (next(&(scan))) (n)++; } while (0)

static apigateway_ListOfAuthorizer authorizers_of(const txn *tx, arena *mem, str api)
{
	apigateway_ListOfAuthorizer l = { arena_array(mem, apigateway_Authorizer, REST_AUTHORIZERS_MAX + 1), 0 };
	record_scan s = apigateway_authorizer_scan(tx, mem, 1, api, STR_NONE);
	for (apigateway_authorizer *r; l.n <= REST_AUTHORIZERS_MAX && (r = apigateway_authorizer_next(&s));)
		l.v[l.n++] = *r->It;
	cursor_close(&s.at);
	return l;
}

static apigateway_ListOfModel models_of(const txn *tx, arena *mem, str api)
{
	size_t n = 0;
	record_scan s = apigateway_model_scan(tx, mem, 1, api, STR_NONE);
	COUNT(n, s, apigateway_model_next);
	apigateway_ListOfModel l = { arena_array(mem, apigateway_Model, n + 1), 0 };
	s = apigateway_model_scan(tx, mem, 1, api, STR_NONE);
	for (apigateway_model *r; (r = apigateway_model_next(&s));)
		l.v[l.n++] = *r->It;
	return l;
}

static apigateway_ListOfRequestValidator validators_of(const txn *tx, arena *mem, str api)
{
	size_t n = 0;
	record_scan s = apigateway_validator_scan(tx, mem, 1, api, STR_NONE);
	COUNT(n, s, apigateway_validator_next);
	apigateway_ListOfRequestValidator l = { arena_array(mem, apigateway_RequestValidator, n + 1), 0 };
	s = apigateway_validator_scan(tx, mem, 1, api, STR_NONE);
	for (apigateway_validator *r; (r = apigateway_validator_next(&s));)
		l.v[l.n++] = *r->It;
	return l;
}

apigateway_ListOfGatewayResponse answers_of(const txn *tx, arena *mem, str api)
{
	size_t n = 0;
	record_scan s = apigateway_answer_scan(tx, mem, 1, api, STR_NONE);
	COUNT(n, s, apigateway_answer_next);
	apigateway_ListOfGatewayResponse l = { arena_array(mem, apigateway_GatewayResponse, n + 1), 0 };
	s = apigateway_answer_scan(tx, mem, 1, api, STR_NONE);
	for (apigateway_answer *r; (r = apigateway_answer_next(&s));)
		l.v[l.n++] = *r->It;
	return l;
}

apigateway_Beside beside_of(const txn *tx, arena *mem, str api)
{
	return (apigateway_Beside){ .authorizers = authorizers_of(tx, mem, api),
		                        .models = models_of(tx, mem, api),
		                        .validators = validators_of(tx, mem, api),
		                        .answers = answers_of(tx, mem, api) };
}

void beside_delete(txn *tx, arena *mem, str api)
{
	apigateway_Beside b = beside_of(tx, mem, api);
	for (size_t i = 0; i < b.authorizers.n; i++)
		apigateway_authorizer_delete(tx, api, b.authorizers.v[i].id);
	for (size_t i = 0; i < b.models.n; i++)
		apigateway_model_delete(tx, api, b.models.v[i].name);
	for (size_t i = 0; i < b.validators.n; i++)
		apigateway_validator_delete(tx, api, b.validators.v[i].id);
	for (size_t i = 0; i < b.answers.n; i++)
		apigateway_answer_delete(tx, api, b.answers.v[i].responseType);
}
