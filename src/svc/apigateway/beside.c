/* What an API has beside its resources: kept with each deployment, gone with the API. */
#include "rest.h"

/* All rows of a scan as a list, walked once: it grows as they come. */
#define GATHER(list, mem, scan, type, row) do { \
		size_t room_ = 0; \
		for (row *r_; (r_ = row##_next(&(scan)));) { \
			if ((list).n == room_) { \
				type *more_ = arena_array(mem, type, room_ = room_ * 2 + 8); \
				if ((list).n) \
					memcpy(more_, (list).v, (list).n * sizeof *more_); \
				(list).v = more_; \
			} \
			(list).v[(list).n++] = *r_->It; \
		} \
	} while (0)

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
	apigateway_ListOfModel l = { 0 };
	record_scan s = apigateway_model_scan(tx, mem, 1, api, STR_NONE);
	GATHER(l, mem, s, apigateway_Model, apigateway_model);
	return l;
}

static apigateway_ListOfRequestValidator validators_of(const txn *tx, arena *mem, str api)
{
	apigateway_ListOfRequestValidator l = { 0 };
	record_scan s = apigateway_validator_scan(tx, mem, 1, api, STR_NONE);
	GATHER(l, mem, s, apigateway_RequestValidator, apigateway_validator);
	return l;
}

apigateway_ListOfGatewayResponse answers_of(const txn *tx, arena *mem, str api)
{
	apigateway_ListOfGatewayResponse l = { 0 };
	record_scan s = apigateway_answer_scan(tx, mem, 1, api, STR_NONE);
	GATHER(l, mem, s, apigateway_GatewayResponse, apigateway_answer);
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
