/* Custom domain names and the APIs they lead to. */
#include "visit.h"
#include "cloud/server.h"
#include "sys/rand.h"
#include <pthread.h>
#include <stdatomic.h>

/*
 * Which hosts are custom domains, for the data plane, which looks at a request's head without the store. A
 * filter of hashes: one too many only costs a look at the store, so names that went stay until the restart.
 */
#define SLOTS 4096
static _Atomic uint64_t hosts[SLOTS];

static void domain_remember(str name)
{
	uint64_t h = str_hash(name) | 1;
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t free_slot = 0;
		_Atomic uint64_t *slot = &hosts[(h + i) % SLOTS];
		if (atomic_load(slot) == h || atomic_compare_exchange_strong(slot, &free_slot, h))
			return;
	}
}

static str plain_host(str host)
{
	return str_cut(&host, ':');
}

bool domain_known(str host)
{
	uint64_t h = str_hash(plain_host(host)) | 1;
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t there = atomic_load(&hosts[(h + i) % SLOTS]);
		if (there == h || !there)
			return there == h;
	}
	return false;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	arena *mem = arena_open(4096);
	const txn *tx = store_read(s);
	record_scan scan = apigatewayv2_domain_scan(tx, mem, 0, STR_NONE);
	for (apigatewayv2_domain *d; (d = apigatewayv2_domain_next(&scan));)
		domain_remember(d->Name);
	store_read_end(s, tx);
	arena_close(mem);
	return OK;
}
static void stop(void)
{
}
SERVER_PART(apigatewayv2_domains, start, stop);

/* Whether `key` (a/b) is how the path (/a/b/c) begins. */
static bool begins(str path, str key)
{
	path = str_sub(path, 1, path.n);
	return key.n == 0 || (str_starts(path, key) && (path.n == key.n || path.p[key.n] == '/'));
}

bool domain_lead(visit *v, const txn *tx, str host, str *api, str *stage)
{
	str name = plain_host(host);
	if (!apigatewayv2_domain_get(tx, v->mem, name))
		return false;
	apigatewayv2_ApiMapping *best = NULL;
	record_scan s = apigatewayv2_mapping_scan(tx, v->mem, 1, name, STR_NONE);
	for (apigatewayv2_mapping *m; (m = apigatewayv2_mapping_next(&s));)
		if (begins(v->at.path, m->It->ApiMappingKey) &&
		    (!best || m->It->ApiMappingKey.n > best->ApiMappingKey.n))
			best = m->It;
	if (!best)
		return false;
	*api = best->ApiId;
	*stage = best->Stage;
	if (best->ApiMappingKey.n) {
		v->at.path = str_sub(v->at.path, 1 + best->ApiMappingKey.n, v->at.path.n);
		if (v->at.path.n == 0)
			v->at.path = S("/");
	}
	return true;
}

static err domain_find(req *rq, const txn *tx, str name, apigatewayv2_domain **d)
{
	*d = apigatewayv2_domain_get(tx, rq->mem, arena_lower(rq->mem, name));
	if (*d && str_eq((*d)->Account, rq->who.account) && str_eq((*d)->Region, rq->region))
		return OK;
	return fail(rq, &apigatewayv2_NotFoundException, "Invalid domain name identifier specified");
}

static void configure(req *rq, apigatewayv2_DomainName *d)
{
	for (size_t i = 0; i < d->DomainNameConfigurations.n; i++) {
		apigatewayv2_DomainNameConfiguration *c = &d->DomainNameConfigurations.v[i];
		if (!str_is(c->EndpointType))
			c->EndpointType = S("REGIONAL");
		if (!str_is(c->SecurityPolicy))
			c->SecurityPolicy = S("TLS_1_2");
		if (!str_is(c->IpAddressType))
			c->IpAddressType = S("ipv4");
		if (!str_is(c->ApiGatewayDomainName))
			c->ApiGatewayDomainName = arena_fmt(rq->mem, "d-%.*s.execute-api.%.*s.amazonaws.com",
			                                    STR_ARG(rand_text(rq->mem, 10,
			                                                      S("abcdefghijklmnopqrstuvwxyz"))),
			                                    STR_ARG(rq->region));
		c->HostedZoneId = S("Z1UJRXOUMOOFQ8");
		c->DomainNameStatus = S("AVAILABLE");
	}
}

static err configurations_check(req *rq, const apigatewayv2_DomainNameConfigurations *all)
{
	return all->n == 1 && str_is(all->v[0].CertificateArn) ? OK
		: fail(rq, &apigatewayv2_BadRequestException, "A certificate must be provided for the domain name.");
}

err apigatewayv2_CreateDomainName(req *rq, txn *tx, const apigatewayv2_CreateDomainName_in *in,
                                  apigatewayv2_CreateDomainName_out *out)
{
	if (in->MutualTlsAuthentication)
		return fail(rq, &aws_NotImplemented, "Farthing's custom domains have no mutual TLS.");
	str name = arena_lower(rq->mem, in->DomainName);
	if (apigatewayv2_domain_get(tx, rq->mem, name))
		return fail(rq, &apigatewayv2_ConflictException, "The domain name you provided already exists.");
	TRY(configurations_check(rq, &in->DomainNameConfigurations));
	apigatewayv2_DomainName d = { .ApiMappingSelectionExpression = S("$request.basepath"),
		.RoutingMode = S("API_MAPPING_ONLY"),
		.DomainNameArn = arena_fmt(rq->mem, "arn:aws:apigateway:%.*s::/domainnames/%.*s", STR_ARG(rq->region),
		                           STR_ARG(name)) };
	d.Tags.v = arena_new(rq->mem, apigatewayv2_Tags_entry);
	keep_input(rq, in, &apigatewayv2_DomainName_shape, &d);
	d.DomainNameConfigurations.v = arena_new(rq->mem, apigatewayv2_DomainNameConfiguration);
	d.DomainNameConfigurations.v[0] = in->DomainNameConfigurations.v[0];
	configure(rq, &d);
	apigatewayv2_domain_put(tx, &(apigatewayv2_domain){ name, rq->who.account, rq->region, &d });
	domain_remember(name);
	answer_from(rq, &apigatewayv2_DomainName_shape, &d, out);
	return OK;
}

err apigatewayv2_GetDomainName(req *rq, const txn *tx, const apigatewayv2_GetDomainName_in *in,
                               apigatewayv2_GetDomainName_out *out)
{
	apigatewayv2_domain *d;
	TRY(domain_find(rq, tx, in->DomainName, &d));
	answer_from(rq, &apigatewayv2_DomainName_shape, d->It, out);
	return OK;
}

/* Its address stays what it was. */
err apigatewayv2_UpdateDomainName(req *rq, txn *tx, const apigatewayv2_UpdateDomainName_in *in,
                                  apigatewayv2_UpdateDomainName_out *out)
{
	apigatewayv2_domain *d;
	if (in->MutualTlsAuthentication)
		return fail(rq, &aws_NotImplemented, "Farthing's custom domains have no mutual TLS.");
	if (str_is(in->RoutingMode) && !str_eq(in->RoutingMode, S("API_MAPPING_ONLY")))
		return fail(rq, &aws_NotImplemented, "Farthing's custom domains have no routing rules.");
	TRY(domain_find(rq, tx, in->DomainName, &d));
	if (in->DomainNameConfigurations.n) {
		TRY(configurations_check(rq, &in->DomainNameConfigurations));
		apigatewayv2_DomainNameConfiguration *c = &d->It->DomainNameConfigurations.v[0];
		overlay(rq->mem, &apigatewayv2_DomainNameConfiguration_shape, &in->DomainNameConfigurations.v[0],
		        &apigatewayv2_DomainNameConfiguration_shape, c);
		configure(rq, d->It);
	}
	apigatewayv2_domain_put(tx, d);
	answer_from(rq, &apigatewayv2_DomainName_shape, d->It, out);
	return OK;
}

err apigatewayv2_GetDomainNames(req *rq, const txn *tx, const apigatewayv2_GetDomainNames_in *in,
                                apigatewayv2_GetDomainNames_out *out)
{
	size_t n = 0;
	record_scan s = apigatewayv2_domain_scan(tx, rq->mem, 0, STR_NONE);
	while (apigatewayv2_domain_next(&s))
		n++;
	out->Items.v = arena_array(rq->mem, apigatewayv2_DomainName, n + 1);
	s = apigatewayv2_domain_scan(tx, rq->mem, 0, STR_NONE);
	for (apigatewayv2_domain *d; (d = apigatewayv2_domain_next(&s));)
		if (str_eq(d->Account, rq->who.account) && str_eq(d->Region, rq->region))
			out->Items.v[out->Items.n++] = *d->It;
	return OK;
}

err apigatewayv2_DeleteDomainName(req *rq, txn *tx, const apigatewayv2_DeleteDomainName_in *in,
                                  apigatewayv2_DeleteDomainName_out *out)
{
	apigatewayv2_domain *d;
	TRY(domain_find(rq, tx, in->DomainName, &d));
	record_scan s = apigatewayv2_mapping_scan(tx, rq->mem, 1, d->Name, STR_NONE);
	for (apigatewayv2_mapping *m; (m = apigatewayv2_mapping_next(&s));)
		apigatewayv2_mapping_delete(tx, d->Name, m->ApiMappingId);
	apigatewayv2_domain_delete(tx, d->Name);
	return OK;
}

static err key_free(req *rq, const txn *tx, str name, const apigatewayv2_ApiMapping *it)
{
	record_scan s = apigatewayv2_mapping_scan(tx, rq->mem, 1, name, STR_NONE);
	for (apigatewayv2_mapping *m; (m = apigatewayv2_mapping_next(&s));)
		if (str_eq(m->It->ApiMappingKey, it->ApiMappingKey) && !str_eq(m->ApiMappingId, it->ApiMappingId)) {
			cursor_close(&s.at);
			return fail(rq, &apigatewayv2_ConflictException,
			            "ApiMapping key already exists for this domain name");
		}
	return OK;
}

err apigatewayv2_CreateApiMapping(req *rq, txn *tx, const apigatewayv2_CreateApiMapping_in *in,
                                  apigatewayv2_CreateApiMapping_out *out)
{
	apigatewayv2_domain *d;
	TRY(domain_find(rq, tx, in->DomainName, &d));
	TRY(stage_check(rq, tx, in->ApiId, in->Stage));
	apigatewayv2_ApiMapping it = { .ApiMappingId = short_id(rq), .ApiMappingKey = S("") };
	keep_input(rq, in, &apigatewayv2_ApiMapping_shape, &it);
	TRY(key_free(rq, tx, d->Name, &it));
	apigatewayv2_mapping_put(tx, &(apigatewayv2_mapping){ d->Name, it.ApiMappingId, &it });
	answer_from(rq, &apigatewayv2_ApiMapping_shape, &it, out);
	return OK;
}

static err mapping_find(req *rq, const txn *tx, str name, str id, apigatewayv2_mapping **m)
{
	apigatewayv2_domain *d;
	TRY(domain_find(rq, tx, name, &d));
	*m = apigatewayv2_mapping_get(tx, rq->mem, d->Name, id);
	return *m ? OK : fail(rq, &apigatewayv2_NotFoundException,
	                      "The api mapping you requested doesn't exist.");
}

err apigatewayv2_UpdateApiMapping(req *rq, txn *tx, const apigatewayv2_UpdateApiMapping_in *in,
                                  apigatewayv2_UpdateApiMapping_out *out)
{
	apigatewayv2_mapping *m;
	TRY(mapping_find(rq, tx, in->DomainName, in->ApiMappingId, &m));
	keep_input(rq, in, &apigatewayv2_ApiMapping_shape, m->It);
	TRY(stage_check(rq, tx, m->It->ApiId, m->It->Stage));
	TRY(key_free(rq, tx, m->Name, m->It));
	apigatewayv2_mapping_put(tx, m);
	answer_from(rq, &apigatewayv2_ApiMapping_shape, m->It, out);
	return OK;
}

err apigatewayv2_GetApiMapping(req *rq, const txn *tx, const apigatewayv2_GetApiMapping_in *in,
                               apigatewayv2_GetApiMapping_out *out)
{
	apigatewayv2_mapping *m;
	TRY(mapping_find(rq, tx, in->DomainName, in->ApiMappingId, &m));
	answer_from(rq, &apigatewayv2_ApiMapping_shape, m->It, out);
	return OK;
}

err apigatewayv2_GetApiMappings(req *rq, const txn *tx, const apigatewayv2_GetApiMappings_in *in,
                                apigatewayv2_GetApiMappings_out *out)
{
	apigatewayv2_domain *d;
	TRY(domain_find(rq, tx, in->DomainName, &d));
	size_t n = 0;
	record_scan s = apigatewayv2_mapping_scan(tx, rq->mem, 1, d->Name, STR_NONE);
	while (apigatewayv2_mapping_next(&s))
		n++;
	out->Items.v = arena_array(rq->mem, apigatewayv2_ApiMapping, n + 1);
	s = apigatewayv2_mapping_scan(tx, rq->mem, 1, d->Name, STR_NONE);
	for (apigatewayv2_mapping *m; (m = apigatewayv2_mapping_next(&s));)
		out->Items.v[out->Items.n++] = *m->It;
	return OK;
}

err apigatewayv2_DeleteApiMapping(req *rq, txn *tx, const apigatewayv2_DeleteApiMapping_in *in,
                                  apigatewayv2_DeleteApiMapping_out *out)
{
	apigatewayv2_mapping *m;
	TRY(mapping_find(rq, tx, in->DomainName, in->ApiMappingId, &m));
	apigatewayv2_mapping_delete(tx, m->Name, m->ApiMappingId);
	return OK;
}
