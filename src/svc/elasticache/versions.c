#include "cache.h"

/* All of them are served by the Redis that is installed. */
const cache_version cache_versions[] = {
	{ "redis", "5.0.6", "5.0.6", "redis5.0", false }, { "redis", "6.0", "6.0.5", "redis6.x", false },
	{ "redis", "6.2", "6.2.6", "redis6.x", false },   { "redis", "7.0", "7.0.7", "redis7", false },
	{ "redis", "7.1", "7.1.0", "redis7", true },      { "valkey", "7.2", "7.2.6", "valkey7", false },
	{ "valkey", "8.0", "8.0.1", "valkey8", false },   { "valkey", "8.1", "8.1.0", "valkey8", true },
};
const size_t cache_versions_n = sizeof cache_versions / sizeof *cache_versions;

bool cache_family_known(str family)
{
	for (size_t i = 0; i < cache_versions_n; i++)
		if (str_eq(family, str_c(cache_versions[i].family)))
			return true;
	return false;
}

const cache_version *cache_version_of(str engine, str number)
{
	for (size_t i = 0; i < cache_versions_n; i++)
		if (str_eq(engine, str_c(cache_versions[i].engine))
		    && str_eq(number, str_c(cache_versions[i].number)))
			return &cache_versions[i];
	return NULL;
}

/* 6.x is 6.2. */
static bool is_asked(const cache_version *v, str asked)
{
	return str_eq(asked, str_c(v->asked)) || (str_eq(asked, S("6.x")) && strcmp(v->asked, "6.2") == 0);
}

err cache_version_find(req *rq, str engine, str asked, const cache_version **out)
{
	bool known = false;
	if (str_eq(engine, S("memcached")))
		return fail(rq, &aws_NotImplemented, "The engine memcached is not implemented.");
	for (size_t i = 0; i < cache_versions_n; i++) {
		const cache_version *v = &cache_versions[i];
		if (!str_eq(engine, str_c(v->engine)))
			continue;
		known = true;
		if (str_empty(asked) ? v->usual : is_asked(v, asked)) {
			*out = v;
			return OK;
		}
		if (str_eq(asked, str_c(v->number)))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "Specific version selection is not allowed for '%.*s', please use '%s'",
			            STR_ARG(asked), v->asked);
	}
	if (!known)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter Engine is not valid: %.*s. It must be one of: memcached, redis, valkey.",
		            STR_ARG(engine));
	return fail(rq, &elasticache_InvalidParameterValueException, "Cannot find version %.*s for %.*s",
	            STR_ARG(asked), STR_ARG(engine));
}

err elasticache_DescribeCacheEngineVersions(req *rq, const txn *tx,
                                            const elasticache_DescribeCacheEngineVersions_in *in,
                                            elasticache_DescribeCacheEngineVersions_out *out)
{
	cache_page p;
	int64_t skip = 0, n = 0;
	(void)tx;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	str_to_i64(p.after, &skip);
	out->CacheEngineVersions.v = arena_array(rq->mem, elasticache_CacheEngineVersion, p.most);
	for (size_t i = 0; i < cache_versions_n; i++) {
		const cache_version *v = &cache_versions[i];
		if ((str_is(in->Engine) && !str_eq_nocase(in->Engine, str_c(v->engine)))
		    || (str_is(in->EngineVersion) && !is_asked(v, in->EngineVersion)
		        && !str_eq(in->EngineVersion, str_c(v->number)))
		    || (str_is(in->CacheParameterGroupFamily)
		        && !str_eq(in->CacheParameterGroupFamily, str_c(v->family)))
		    || (in->DefaultOnly.v && !v->usual) || n++ < skip)
			continue;
		if (out->CacheEngineVersions.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(n - 1)));
			break;
		}
		bool own = strcmp(v->engine, "redis") == 0;
		out->CacheEngineVersions.v[out->CacheEngineVersions.n++] = (elasticache_CacheEngineVersion){
			.Engine = str_c(v->engine),
			.EngineVersion = str_c(v->asked),
			.CacheParameterGroupFamily = str_c(v->family),
			.CacheEngineDescription = own ? S("Redis") : S("Valkey"),
			.CacheEngineVersionDescription = arena_fmt(rq->mem, "%s version %s", v->engine, v->number),
		};
	}
	return OK;
}
