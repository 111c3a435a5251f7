#include "parameters.h"
#include "base/buf.h"
#include "store/due.h"
#include <stdio.h>

#define AT_ONCE 20
#define CONF_MAX ((size_t)64 << 10)
#define CLUSTERED ".cluster.on"

bool cache_parameter_of(const cache_parameter *p, str family)
{
	bool old = str_eq(family, S("redis5.0")) || str_eq(family, S("redis6.x"));
	bool of_five = strcmp(p->since, "6") < 0, of_seven = p->since[0] == '7';
	if (str_eq(family, S("redis5.0")) && !of_five)
		return false;
	return old ? !of_seven : !p->old;
}

static bool within(const char *allowed, str value)
{
	int64_t v, from, to;
	char plain[24];
	/* The engine takes no other way to write a number, and does not start with one. */
	if (!str_to_i64(value, &v) || snprintf(plain, sizeof plain, "%lld", (long long)v) < 0
	    || !str_eq(value, str_c(plain)))
		return false;
	for (str rest = str_c(allowed); str_is(rest);) {
		str part = str_cut(&rest, ',');
		size_t at = part.n ? str_find_char(str_sub(part, 1, part.n), '-') : SIZE_MAX;
		if (str_eq(part, S("-")) || (str_to_i64(part, &from) && v == from))
			return true;
		if (at == SIZE_MAX || !str_to_i64(str_sub(part, 0, at + 1), &from) || v < from)
			continue;
		if (at + 2 == part.n || (str_to_i64(str_sub(part, at + 2, part.n), &to) && v <= to))
			return true;
	}
	return false;
}

bool cache_parameter_allows(const cache_parameter *p, str value)
{
	if (strcmp(p->type, "integer") == 0)
		return within(p->allowed, value);
	if (strcmp(p->name, "notify-keyspace-events") == 0) {
		for (size_t i = 0; i < value.n; i++)
			if (!strchr("KEg$lshzxeAtmdn", value.p[i]))
				return false;
		return true;
	}
	for (str rest = str_c(p->allowed); str_is(rest);)
		if (str_eq(str_cut(&rest, ','), value))
			return true;
	return false;
}

static bool is_default(str name) { return str_starts(name, S("default.")); }

/* default.redis7 and default.redis7.cluster.on are there without anybody making them. */
static elasticache_parameter_group *default_group(arena *mem, str account, str region, str name)
{
	str family = is_default(name) ? str_sub(name, 8, name.n) : S("");
	bool on = str_ends(family, S(CLUSTERED));
	family = on ? str_sub(family, 0, family.n - strlen(CLUSTERED)) : family;
	if (!cache_family_known(family))
		return NULL;
	elasticache_parameter_group *g = arena_new(mem, elasticache_parameter_group);
	*g = (elasticache_parameter_group){ .Account = account, .Region = region, .Name = name };
	g->It = arena_new(mem, elasticache_CacheParameterGroup);
	*g->It = (elasticache_CacheParameterGroup){
		.CacheParameterGroupName = name,
		.CacheParameterGroupFamily = family,
		.Description = on ? arena_fmt(mem, "Customized default parameter group for %.*s with cluster mode on",
		                              STR_ARG(family))
						  : arena_fmt(mem, "Default parameter group for %.*s", STR_ARG(family)),
		.IsGlobal = BOOL(false),
		.ARN = arena_fmt(mem, "arn:aws:elasticache:%.*s:%.*s:parametergroup:%.*s", STR_ARG(region),
		                 STR_ARG(account), STR_ARG(name)),
	};
	return g;
}

static elasticache_parameter_group *group_get(const txn *tx, arena *mem, str account, str region, str name)
{
	elasticache_parameter_group *g = elasticache_parameter_group_get(tx, mem, account, region, name);
	return g ? g : default_group(mem, account, region, name);
}

err cache_parameter_group_find(req *rq, const txn *tx, str name, elasticache_parameter_group **out)
{
	*out = group_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, name));
	if (!*out)
		return fail(rq, &elasticache_CacheParameterGroupNotFoundFault, "CacheParameterGroup not found: %.*s",
		            STR_ARG(name));
	return OK;
}

static str value_of(const elasticache_parameter_group *g, const char *name)
{
	for (size_t i = 0; g && i < g->Values.n; i++)
		if (str_eq(g->Values.v[i].ParameterName, str_c(name)))
			return g->Values.v[i].ParameterValue;
	return STR_NONE;
}

static bool clustered(const elasticache_parameter_group *g)
{
	bool on = is_default(g->Name) && str_ends(g->Name, S(CLUSTERED));
	return on || str_eq(value_of(g, "cluster-enabled"), S("yes"));
}

bool cache_parameter_group_clustered(const txn *tx, arena *mem, str account, str region, str name)
{
	elasticache_parameter_group *g = group_get(tx, mem, account, region, name);
	return g && clustered(g);
}

err cache_parameter_group_for(req *rq, const txn *tx, str name, const cache_version *v, bool cluster,
                              str *out)
{
	elasticache_parameter_group *g;
	if (!str_is(name)) {
		*out = arena_fmt(rq->mem, "default.%s%s", v->family, cluster ? CLUSTERED : "");
		return OK;
	}
	TRY(cache_parameter_group_find(rq, tx, name, &g));
	if (!str_eq(g->It->CacheParameterGroupFamily, str_c(v->family)))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Expected a parameter group of family %s but found one of family %.*s", v->family,
		            STR_ARG(g->It->CacheParameterGroupFamily));
	*out = g->Name;
	return OK;
}

err elasticache_CreateCacheParameterGroup(req *rq, txn *tx,
                                          const elasticache_CreateCacheParameterGroup_in *in,
                                          elasticache_CreateCacheParameterGroup_out *out)
{
	str name = cache_lowered(rq, in->CacheParameterGroupName);
	size_t n = 0;
	TRY(cache_check_name(rq, str_starts(name, S("default.")) ? S("default-") : name,
	                     "CacheParameterGroupName", 255));
	if (str_empty(in->Description))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter Description must be provided and must not be blank.");
	if (!cache_family_known(in->CacheParameterGroupFamily))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "CacheParameterGroupFamily %.*s is not a valid parameter group family.",
		            STR_ARG(in->CacheParameterGroupFamily));
	if (group_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &elasticache_CacheParameterGroupAlreadyExistsFault,
		            "Parameter group %.*s already exists", STR_ARG(name));
	record_scan s = elasticache_parameter_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elasticache_parameter_group_next(&s))
		n++;
	if (n >= CACHE_PARAMETER_GROUPS_MAX)
		return fail(rq, &elasticache_CacheParameterGroupQuotaExceededFault,
		            "The request cannot be processed because it would exceed the maximum number of cache "
		            "parameter groups.");
	elasticache_CacheParameterGroup *it = arena_new(rq->mem, elasticache_CacheParameterGroup);
	*it = (elasticache_CacheParameterGroup){
		.CacheParameterGroupName = name,
		.CacheParameterGroupFamily = in->CacheParameterGroupFamily,
		.Description = in->Description,
		.IsGlobal = BOOL(false),
		.ARN = req_arn(rq, "elasticache", "parametergroup:%.*s", STR_ARG(name)),
	};
	elasticache_parameter_group g = {
		.Account = rq->who.account, .Region = rq->region, .Name = name, .It = it, .Tags = in->Tags
	};
	elasticache_parameter_group_put(tx, &g);
	out->CacheParameterGroup = it;
	return OK;
}

/* The default ones come first. */
static size_t defaults(req *rq, elasticache_CacheParameterGroup *out, size_t most)
{
	size_t n = 0;
	str last = S("");
	for (size_t i = 0; i < cache_versions_n; i++) {
		str family = str_c(cache_versions[i].family);
		for (int on = 0; on < 2 && !str_eq(family, last) && n < most; on++) {
			str name = arena_fmt(rq->mem, "default.%.*s%s", STR_ARG(family), on ? CLUSTERED : "");
			out[n++] = *default_group(rq->mem, rq->who.account, rq->region, name)->It;
		}
		last = family;
	}
	return n;
}

err elasticache_DescribeCacheParameterGroups(req *rq, const txn *tx,
                                             const elasticache_DescribeCacheParameterGroups_in *in,
                                             elasticache_DescribeCacheParameterGroups_out *out)
{
	cache_page p;
	elasticache_parameter_group *g;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->CacheParameterGroups.v = arena_array(rq->mem, elasticache_CacheParameterGroup, p.most);
	elasticache_CacheParameterGroupList *all = &out->CacheParameterGroups;
	if (str_is(in->CacheParameterGroupName)) {
		TRY(cache_parameter_group_find(rq, tx, in->CacheParameterGroupName, &g));
		all->v[all->n++] = *g->It;
		return OK;
	}
	record_scan s = elasticache_parameter_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	else
		all->n = defaults(rq, all->v, p.most);
	while ((g = elasticache_parameter_group_next(&s))) {
		if (all->n == p.most) {
			out->Marker = page_token(rq, all->v[p.most - 1].CacheParameterGroupName);
			break;
		}
		all->v[all->n++] = *g->It;
	}
	cursor_close(&s.at);
	return OK;
}

static elasticache_Parameter shown(const cache_parameter *p, const elasticache_parameter_group *g)
{
	str set = value_of(g, p->name);
	bool on = g && strcmp(p->name, "cluster-enabled") == 0 && clustered(g);
	str value = str_is(set) ? set : on ? S("yes") : str_c(p->value);
	return (elasticache_Parameter){
		.ParameterName = str_c(p->name),
		.ParameterValue = str_empty(value) ? STR_NONE : value,
		.Description = str_c(p->description),
		.Source = str_is(set) ? S("user") : S("system"),
		.DataType = str_c(p->type),
		.AllowedValues = str_c(p->allowed),
		.IsModifiable = BOOL(!p->fixed),
		.MinimumEngineVersion = strcmp(p->since, "6.0") == 0 ? S("6.0.0") : str_c(p->since),
		.ChangeType = p->reboot ? S("requires-reboot") : S("immediate"),
	};
}

static elasticache_CacheNodeTypeSpecificParametersList by_type(req *rq)
{
	elasticache_CacheNodeTypeSpecificParameter *p =
		arena_new(rq->mem, elasticache_CacheNodeTypeSpecificParameter);
	elasticache_CacheNodeTypeSpecificValue *v =
		arena_array(rq->mem, elasticache_CacheNodeTypeSpecificValue, cache_node_types_n);
	for (size_t i = 0; i < cache_node_types_n; i++)
		v[i] = (elasticache_CacheNodeTypeSpecificValue){
			str_c(cache_node_types[i].name),
			arena_fmt(rq->mem, "%lld", (long long)cache_node_types[i].maxmemory),
		};
	*p = (elasticache_CacheNodeTypeSpecificParameter){
		.ParameterName = S("maxmemory"),
		.Description = S("Bytes that the engine may use, a part of which is reserved"),
		.Source = S("system"),
		.DataType = S("integer"),
		.AllowedValues = S("0-"),
		.IsModifiable = BOOL(false),
		.MinimumEngineVersion = S("2.6.13"),
		.CacheNodeTypeSpecificValues = { v, cache_node_types_n },
		.ChangeType = S("immediate"),
	};
	return (elasticache_CacheNodeTypeSpecificParametersList){ p, 1 };
}

typedef struct listing {
	str family, source, marker;
	const elasticache_parameter_group *group;
	elasticache_ParametersList found;
	elasticache_CacheNodeTypeSpecificParametersList types;
} listing;

static void list(req *rq, const cache_page *p, listing *l)
{
	l->found.v = arena_array(rq->mem, elasticache_Parameter, p->most);
	for (size_t i = 0; i < cache_parameters_n; i++) {
		const cache_parameter *k = &cache_parameters[i];
		if (!cache_parameter_of(k, l->family) || (str_is(p->after) && str_cmp(str_c(k->name), p->after) <= 0))
			continue;
		elasticache_Parameter one = shown(k, l->group);
		if (str_is(l->source) && !str_eq(l->source, one.Source))
			continue;
		if (l->found.n == p->most) {
			l->marker = page_token(rq, l->found.v[p->most - 1].ParameterName);
			break;
		}
		l->found.v[l->found.n++] = one;
	}
	bool last = !str_is(l->marker) && (!str_is(l->source) || str_eq(l->source, S("system")));
	l->types.v = arena_new(rq->mem, elasticache_CacheNodeTypeSpecificParameter);
	if (last)
		l->types = by_type(rq);
}

err elasticache_DescribeCacheParameters(req *rq, const txn *tx,
                                        const elasticache_DescribeCacheParameters_in *in,
                                        elasticache_DescribeCacheParameters_out *out)
{
	cache_page p;
	elasticache_parameter_group *g;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	TRY(cache_parameter_group_find(rq, tx, in->CacheParameterGroupName, &g));
	if (str_is(in->Source) && !str_eq(in->Source, S("user")) && !str_eq(in->Source, S("system"))
	    && !str_eq(in->Source, S("engine-default")))
		return fail(rq, &elasticache_InvalidParameterValueException, "Invalid value for Source: %.*s",
		            STR_ARG(in->Source));
	listing l = { .family = g->It->CacheParameterGroupFamily, .source = in->Source, .group = g };
	list(rq, &p, &l);
	out->Parameters = l.found;
	out->CacheNodeTypeSpecificParameters = l.types;
	out->Marker = l.marker;
	return OK;
}

err elasticache_DescribeEngineDefaultParameters(req *rq, const txn *tx,
                                                const elasticache_DescribeEngineDefaultParameters_in *in,
                                                elasticache_DescribeEngineDefaultParameters_out *out)
{
	cache_page p;
	(void)tx;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (!cache_family_known(in->CacheParameterGroupFamily))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "CacheParameterGroupFamily %.*s is not a valid parameter group family.",
		            STR_ARG(in->CacheParameterGroupFamily));
	listing l = { .family = in->CacheParameterGroupFamily };
	list(rq, &p, &l);
	out->EngineDefaults = arena_new(rq->mem, elasticache_EngineDefaults);
	*out->EngineDefaults = (elasticache_EngineDefaults){
		.CacheParameterGroupFamily = l.family,
		.Marker = l.marker,
		.Parameters = l.found,
		.CacheNodeTypeSpecificParameters = l.types,
	};
	return OK;
}

static const cache_parameter *known(str family, str name)
{
	for (size_t i = 0; i < cache_parameters_n; i++)
		if (str_eq(name, str_c(cache_parameters[i].name)) && cache_parameter_of(&cache_parameters[i], family))
			return &cache_parameters[i];
	return NULL;
}

/* What a node was started with stays until its next start. */
static void tell_nodes(txn *tx, const elasticache_parameter_group *g, bool reboot)
{
	arena *mem = txn_arena(tx);
	record_scan s = elasticache_cluster_scan(tx, mem, 2, g->Account, g->Region, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));) {
		if (!c->It->CacheParameterGroup
		    || !str_eq(c->It->CacheParameterGroup->CacheParameterGroupName, g->Name))
			continue;
		if (reboot) {
			c->It->CacheParameterGroup->ParameterApplyStatus = S("pending-reboot");
			elasticache_cluster_put(tx, c);
		}
		task_add(tx, "elasticache_apply", cache_place(mem, c->Account, c->Region, c->Id), 0);
	}
	cursor_close(&s.at);
}

static err changeable(req *rq, const txn *tx, str name, elasticache_parameter_group **out)
{
	TRY(cache_parameter_group_find(rq, tx, name, out));
	if (is_default((*out)->Name))
		return fail(rq, &elasticache_InvalidCacheParameterGroupStateFault,
		            "The parameter group %.*s cannot be modified: it is a default parameter group.",
		            STR_ARG((*out)->Name));
	return OK;
}

static void drop(elasticache_ParameterNameValueList *all, str name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].ParameterName, name))
			all->v[i--] = all->v[--all->n];
}

err elasticache_ModifyCacheParameterGroup(req *rq, txn *tx,
                                          const elasticache_ModifyCacheParameterGroup_in *in,
                                          elasticache_ModifyCacheParameterGroup_out *out)
{
	elasticache_parameter_group *g;
	bool reboot = false;
	TRY(changeable(rq, tx, in->CacheParameterGroupName, &g));
	if (!in->ParameterNameValues.n || in->ParameterNameValues.n > AT_ONCE)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Between 1 and %d parameters can be modified in one request.", AT_ONCE);
	elasticache_ParameterNameValueList all = {
		arena_array(rq->mem, elasticache_ParameterNameValue, g->Values.n + in->ParameterNameValues.n), 0
	};
	for (; all.n < g->Values.n; all.n++)
		all.v[all.n] = g->Values.v[all.n];
	for (size_t i = 0; i < in->ParameterNameValues.n; i++) {
		elasticache_ParameterNameValue one = in->ParameterNameValues.v[i];
		const cache_parameter *p = known(g->It->CacheParameterGroupFamily, one.ParameterName);
		if (!p)
			return fail(rq, &elasticache_InvalidParameterValueException, "Parameter %.*s doesn't exist",
			            STR_ARG(one.ParameterName));
		if (p->fixed && strcmp(p->name, "cluster-enabled") != 0)
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "The parameter %s cannot be modified.", p->name);
		if (!str_is(one.ParameterValue))
			one.ParameterValue = S("");
		if (!cache_parameter_allows(p, one.ParameterValue))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "Invalid parameter value: %.*s for: %s. Allowed values: %s",
			            STR_ARG(one.ParameterValue), p->name, p->allowed);
		drop(&all, one.ParameterName);
		all.v[all.n++] = one;
		reboot = reboot || p->reboot;
	}
	g->Values = all;
	elasticache_parameter_group_put(tx, g);
	tell_nodes(tx, g, reboot);
	out->CacheParameterGroupName = g->Name;
	return OK;
}

err elasticache_ResetCacheParameterGroup(req *rq, txn *tx, const elasticache_ResetCacheParameterGroup_in *in,
                                         elasticache_ResetCacheParameterGroup_out *out)
{
	elasticache_parameter_group *g;
	bool all = in->ResetAllParameters.v, reboot = false;
	TRY(changeable(rq, tx, in->CacheParameterGroupName, &g));
	if (all == (in->ParameterNameValues.n > 0))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Either ResetAllParameters or ParameterNameValues must be specified, not both.");
	for (size_t i = 0; i < in->ParameterNameValues.n; i++) {
		str name = in->ParameterNameValues.v[i].ParameterName;
		const cache_parameter *p = known(g->It->CacheParameterGroupFamily, name);
		if (!p)
			return fail(rq, &elasticache_InvalidParameterValueException, "Parameter %.*s doesn't exist",
			            STR_ARG(name));
		reboot = reboot || p->reboot;
		drop(&g->Values, name);
	}
	if (all)
		g->Values.n = 0;
	elasticache_parameter_group_put(tx, g);
	tell_nodes(tx, g, reboot || all);
	out->CacheParameterGroupName = g->Name;
	return OK;
}

err elasticache_DeleteCacheParameterGroup(req *rq, txn *tx,
                                          const elasticache_DeleteCacheParameterGroup_in *in,
                                          elasticache_DeleteCacheParameterGroup_out *out)
{
	elasticache_parameter_group *g;
	bool used = false;
	(void)out;
	TRY(changeable(rq, tx, in->CacheParameterGroupName, &g));
	record_scan s = elasticache_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));)
		used = used
			|| (c->It->CacheParameterGroup
		        && str_eq(c->It->CacheParameterGroup->CacheParameterGroupName, g->Name));
	if (used)
		return fail(rq, &elasticache_InvalidCacheParameterGroupStateFault,
		            "One or more cache clusters are still members of this parameter group %.*s, so the group "
		            "cannot be deleted.",
		            STR_ARG(g->Name));
	elasticache_parameter_group_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}

static str effective(const elasticache_parameter_group *g, const char *name)
{
	str set = value_of(g, name);
	for (size_t i = 0; !str_is(set) && i < cache_parameters_n; i++)
		if (strcmp(cache_parameters[i].name, name) == 0)
			set = str_c(cache_parameters[i].value);
	return set;
}

static str buffer_limit(arena *mem, const elasticache_parameter_group *g, const char *kind)
{
	static const char *const parts[] = { "hard-limit", "soft-limit", "soft-seconds" };
	buf b = buf_in(mem, 128, 512);
	buf_put(&b, str_c(kind));
	for (int i = 0; i < 3; i++) {
		str name = arena_fmt(mem, "client-output-buffer-limit-%s-%s", kind, parts[i]);
		buf_fmt(&b, " %.*s", STR_ARG(effective(g, name.p)));
	}
	return buf_str(&b);
}

size_t cache_parameter_pairs(const txn *tx, arena *mem, const elasticache_cluster *c, cache_pair *out)
{
	const elasticache_CacheParameterGroupStatus *of = c->It->CacheParameterGroup;
	elasticache_parameter_group *g =
		of ? group_get(tx, mem, c->Account, c->Region, of->CacheParameterGroupName) : NULL;
	const cache_version *v = cache_version_of(c->It->Engine, c->It->EngineVersion);
	const node_type *type = cache_node_type_find(c->It->CacheNodeType);
	int64_t reserved = 0;
	size_t n = 0;
	for (size_t i = 0; i < cache_parameters_n; i++) {
		const cache_parameter *p = &cache_parameters[i];
		if (p->ours || !cache_parameter_of(p, v ? str_c(v->family) : S("redis7")))
			continue;
		out[n++] = (cache_pair){ str_c(p->name), effective(g, p->name), p->reboot };
	}
	str_to_i64(effective(g, "reserved-memory-percent"), &reserved);
	int64_t most =
		type ? type->maxmemory / 100 * (100 - reserved) + type->maxmemory % 100 * (100 - reserved) / 100 : 0;
	out[n++] =
		(cache_pair){ S("maxmemory"), arena_fmt(mem, "%lld", (long long)(most > 0 ? most : 1)), false };
	out[n++] = (cache_pair){ S("client-output-buffer-limit"), buffer_limit(mem, g, "normal"), false };
	out[n++] = (cache_pair){ S("client-output-buffer-limit"), buffer_limit(mem, g, "pubsub"), false };
	ensure(n <= CACHE_PAIRS_MAX);
	return n;
}

str cache_parameter_lines(const txn *tx, arena *mem, const elasticache_cluster *c)
{
	cache_pair pairs[CACHE_PAIRS_MAX];
	size_t n = cache_parameter_pairs(tx, mem, c, pairs);
	buf b = buf_in(mem, 4096, CONF_MAX);
	for (size_t i = 0; i < n; i++) {
		bool limit = str_eq(pairs[i].name, S("client-output-buffer-limit"));
		buf_fmt(&b, limit ? "%.*s %.*s\n" : "%.*s \"%.*s\"\n", STR_ARG(pairs[i].name),
		        STR_ARG(pairs[i].value));
	}
	return buf_str(&b);
}
