#include "parameters.h"
#include "base/buf.h"
#include "store/due.h"

#define PARAMETERS_AT_ONCE 20
#define CONF_MAX ((size_t)64 << 10)
#define KIND_INSTANCE "pg"
#define KIND_CLUSTER "cluster-pg"

bool db_default_group(str name)
{
	return str_starts(name, S("default."));
}

static str group_arn(req *rq, const char *kind, str name)
{
	return req_arn(rq, "rds", "%s:%.*s", kind, STR_ARG(name));
}

err db_parameter_group_find(req *rq, const txn *tx, const char *kind, str name, rds_parameter_group **out)
{
	*out =
		rds_parameter_group_get(tx, rq->mem, rq->who.account, rq->region, str_c(kind), db_lowered(rq, name));
	if (*out)
		return OK;
	bool cluster = strcmp(kind, KIND_CLUSTER) == 0;
	return fail(rq, &rds_DBParameterGroupNotFoundFault, "%s not found: %.*s",
	            cluster ? "DBClusterParameterGroup" : "DBParameterGroup", STR_ARG(name));
}

static err group_new(req *rq, txn *tx, const char *kind, str name, str family, str description,
                     rds_TagList tags, rds_parameter_group **out)
{
	TRY(db_check_identifier(rq, name, "DBParameterGroupName"));
	if (str_empty(description))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter Description must be provided and must not be blank.");
	rds_parameter_group *g = arena_new(rq->mem, rds_parameter_group);
	*g = (rds_parameter_group){ .Account = rq->who.account, .Region = rq->region, .Kind = str_c(kind),
		                        .Name = db_lowered(rq, name), .Family = db_lowered(rq, family),
		                        .Description = description, .Tags = tags };
	if (rds_parameter_group_get(tx, rq->mem, g->Account, g->Region, g->Kind, g->Name))
		return fail(rq, &rds_DBParameterGroupAlreadyExistsFault, "Parameter group %.*s already exists",
		            STR_ARG(g->Name));
	if (!db_family_known(g->Family))
		return fail(rq, &rds_InvalidParameterValue,
		            "ParameterGroupFamily %.*s is not a valid parameter group family", STR_ARG(family));
	rds_parameter_group_put(tx, g);
	*out = g;
	return OK;
}

static rds_DBParameterGroup shown(req *rq, const rds_parameter_group *g)
{
	return (rds_DBParameterGroup){ .DBParameterGroupName = g->Name, .DBParameterGroupFamily = g->Family,
		                           .Description = g->Description,
		                           .DBParameterGroupArn = group_arn(rq, KIND_INSTANCE, g->Name) };
}

static rds_DBClusterParameterGroup cluster_shown_group(req *rq, const rds_parameter_group *g)
{
	return (rds_DBClusterParameterGroup){ .DBClusterParameterGroupName = g->Name,
		                                  .DBParameterGroupFamily = g->Family,
		                                  .Description = g->Description,
		                                  .DBClusterParameterGroupArn =
		                                      group_arn(rq, KIND_CLUSTER, g->Name) };
}

err rds_CreateDBParameterGroup(req *rq, txn *tx, const rds_CreateDBParameterGroup_in *in,
                               rds_CreateDBParameterGroup_out *out)
{
	rds_parameter_group *g;
	TRY(group_new(rq, tx, KIND_INSTANCE, in->DBParameterGroupName, in->DBParameterGroupFamily,
	              in->Description, in->Tags, &g));
	out->DBParameterGroup = arena_new(rq->mem, rds_DBParameterGroup);
	*out->DBParameterGroup = shown(rq, g);
	return OK;
}

err rds_CreateDBClusterParameterGroup(req *rq, txn *tx, const rds_CreateDBClusterParameterGroup_in *in,
                                      rds_CreateDBClusterParameterGroup_out *out)
{
	rds_parameter_group *g;
	TRY(group_new(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName, in->DBParameterGroupFamily,
	              in->Description, in->Tags, &g));
	out->DBClusterParameterGroup = arena_new(rq->mem, rds_DBClusterParameterGroup);
	*out->DBClusterParameterGroup = cluster_shown_group(rq, g);
	return OK;
}

/* A default group exists once somebody asks for it: default.postgres15. */
static rds_parameter_group *default_of(req *rq, const char *kind, str name)
{
	str family = str_sub(name, 8, name.n);
	if (!db_default_group(name) || !db_family_known(family))
		return NULL;
	rds_parameter_group *g = arena_new(rq->mem, rds_parameter_group);
	*g = (rds_parameter_group){ .Account = rq->who.account,
		                        .Region = rq->region,
		                        .Kind = str_c(kind),
		                        .Name = name,
		                        .Family = family,
		                        .Description = arena_fmt(rq->mem, "Default %sparameter group for %.*s",
		                                                 strcmp(kind, KIND_CLUSTER) == 0 ? "cluster " : "",
		                                                 STR_ARG(family)) };
	return g;
}

static err group_or_default(req *rq, const txn *tx, const char *kind, str name, rds_parameter_group **out)
{
	*out = default_of(rq, kind, db_lowered(rq, name));
	return *out ? OK : db_parameter_group_find(rq, tx, kind, name, out);
}

/* What has been set goes along; a default group has nothing set. */
static err copy(req *rq, txn *tx, const char *kind, str source, str target, str description,
                const rds_TagList *tags, rds_parameter_group **out)
{
	rds_parameter_group *from;
	str prefix = group_arn(rq, kind, S(""));
	str name = str_starts(source, prefix) ? str_sub(source, prefix.n, source.n) : source;
	if (db_default_group(db_lowered(rq, name)))
		return fail(rq, &rds_InvalidParameterValue, "You can't copy a default parameter group.");
	TRY(db_parameter_group_find(rq, tx, kind, name, &from));
	TRY(group_new(rq, tx, kind, target, from->Family, description, *tags, out));
	(*out)->Parameters = from->Parameters;
	rds_parameter_group_put(tx, *out);
	return OK;
}

err rds_CopyDBParameterGroup(req *rq, txn *tx, const rds_CopyDBParameterGroup_in *in,
                             rds_CopyDBParameterGroup_out *out)
{
	rds_parameter_group *g;
	TRY(copy(rq, tx, KIND_INSTANCE, in->SourceDBParameterGroupIdentifier,
	         in->TargetDBParameterGroupIdentifier, in->TargetDBParameterGroupDescription, &in->Tags, &g));
	out->DBParameterGroup = arena_new(rq->mem, rds_DBParameterGroup);
	*out->DBParameterGroup = shown(rq, g);
	return OK;
}

err rds_CopyDBClusterParameterGroup(req *rq, txn *tx, const rds_CopyDBClusterParameterGroup_in *in,
                                    rds_CopyDBClusterParameterGroup_out *out)
{
	rds_parameter_group *g;
	TRY(copy(rq, tx, KIND_CLUSTER, in->SourceDBClusterParameterGroupIdentifier,
	         in->TargetDBClusterParameterGroupIdentifier, in->TargetDBClusterParameterGroupDescription,
	         &in->Tags, &g));
	out->DBClusterParameterGroup = arena_new(rq->mem, rds_DBClusterParameterGroup);
	*out->DBClusterParameterGroup = cluster_shown_group(rq, g);
	return OK;
}

typedef struct groups {
	rds_parameter_group *v[RDS_PAGE_DEFAULT];
	size_t n;
	str marker;
} groups;

static err describe(req *rq, const txn *tx, const char *kind, str name, opt_i64 max, str marker, groups *out)
{
	page p;
	TRY(db_page_of(rq, max, marker, &p));
	if (str_is(name)) {
		out->n = 1;
		return group_or_default(rq, tx, kind, name, &out->v[0]);
	}
	record_scan s =
		rds_parameter_group_scan(tx, rq->mem, 3, rq->who.account, rq->region, str_c(kind), STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	for (rds_parameter_group *g; (g = rds_parameter_group_next(&s));) {
		if (out->n == p.most) {
			out->marker = page_token(rq, out->v[out->n - 1]->Name);
			break;
		}
		out->v[out->n++] = g;
	}
	cursor_close(&s.at);
	return OK;
}

err rds_DescribeDBParameterGroups(req *rq, const txn *tx, const rds_DescribeDBParameterGroups_in *in,
                                  rds_DescribeDBParameterGroups_out *out)
{
	groups g = { 0 };
	TRY(describe(rq, tx, KIND_INSTANCE, in->DBParameterGroupName, in->MaxRecords, in->Marker, &g));
	out->DBParameterGroups.v = arena_array(rq->mem, rds_DBParameterGroup, g.n);
	for (size_t i = 0; i < g.n; i++)
		out->DBParameterGroups.v[out->DBParameterGroups.n++] = shown(rq, g.v[i]);
	out->Marker = g.marker;
	return OK;
}

err rds_DescribeDBClusterParameterGroups(req *rq, const txn *tx,
                                         const rds_DescribeDBClusterParameterGroups_in *in,
                                         rds_DescribeDBClusterParameterGroups_out *out)
{
	groups g = { 0 };
	TRY(describe(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName, in->MaxRecords, in->Marker, &g));
	out->DBClusterParameterGroups.v = arena_array(rq->mem, rds_DBClusterParameterGroup, g.n);
	for (size_t i = 0; i < g.n; i++)
		out->DBClusterParameterGroups.v[out->DBClusterParameterGroups.n++] = cluster_shown_group(rq, g.v[i]);
	out->Marker = g.marker;
	return OK;
}

static rds_Parameter *of_group(rds_ParametersList *all, str name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].ParameterName, name))
			return &all->v[i];
	return NULL;
}

static err set_one(req *rq, rds_parameter_group *g, const rds_Parameter *p)
{
	const db_parameter *known = str_is(p->ParameterName) ?
	        db_parameter_known(g->Family, p->ParameterName) : NULL;
	if (!known)
		return fail(rq, &rds_InvalidParameterValue, "Could not find parameter with name: %.*s",
		            STR_ARG(p->ParameterName));
	if (!str_is(p->ParameterValue) || !db_parameter_allows(known, p->ParameterValue))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid parameter value: %.*s for: %s allowed values are: %s",
		            STR_ARG(p->ParameterValue), known->name, known->allowed ? known->allowed : "text");
	if (known->is_static && !str_eq(p->ApplyMethod, S("pending-reboot")))
		return fail(rq, &rds_InvalidParameterCombination,
		            "cannot use immediate apply method for static parameter: %s", known->name);
	rds_Parameter *at = of_group(&g->Parameters, str_c(known->name));
	if (!at) {
		rds_ParametersList more = { arena_array(rq->mem, rds_Parameter, g->Parameters.n + 1),
			                        g->Parameters.n };
		for (size_t i = 0; i < more.n; i++)
			more.v[i] = g->Parameters.v[i];
		at = &more.v[more.n++];
		g->Parameters = more;
	}
	*at = (rds_Parameter){ .ParameterName = str_c(known->name), .ParameterValue = p->ParameterValue,
		                   .ApplyMethod = str_is(p->ApplyMethod) ? p->ApplyMethod : S("immediate") };
	return OK;
}

static bool uses(const rds_instance *i, const rds_cluster *c, const rds_parameter_group *g)
{
	if (str_eq(g->Kind, S(KIND_CLUSTER)))
		return c && str_eq(c->It->DBClusterParameterGroup, g->Name);
	return i->It->DBParameterGroups.n && str_eq(i->It->DBParameterGroups.v[0].DBParameterGroupName, g->Name);
}

/* Dynamic parameters reach the running engines at once, static ones with the next reboot. */
static void spread(req *rq, txn *tx, const rds_parameter_group *g, bool any_static, bool any_dynamic)
{
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));) {
		str cluster = i->It->DBClusterIdentifier;
		rds_cluster *c =
			str_is(cluster) ? rds_cluster_get(tx, rq->mem, i->Account, i->Region, cluster) : NULL;
		if (!uses(i, c, g))
			continue;
		if (any_static && str_eq(g->Kind, S(KIND_INSTANCE))) {
			i->It->DBParameterGroups.v[0].ParameterApplyStatus = S("pending-reboot");
			rds_instance_put(tx, i);
		}
		if (any_dynamic)
			task_add(
				tx, "rds_reload",
				arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(i->Account), STR_ARG(i->Region), STR_ARG(i->Id)),
				0);
	}
}

static err modify(req *rq, txn *tx, const char *kind, str name, const rds_ParametersList *given)
{
	rds_parameter_group *g;
	bool any_static = false, any_dynamic = false;
	if (db_default_group(db_lowered(rq, name)))
		return fail(rq, &rds_InvalidDBParameterGroupStateFault, "Cannot modify a default parameter group.");
	TRY(db_parameter_group_find(rq, tx, kind, name, &g));
	if (given->n > PARAMETERS_AT_ONCE)
		return fail(rq, &rds_InvalidParameterValue,
		            "At most %d parameters can be modified in a single request.", PARAMETERS_AT_ONCE);
	for (size_t i = 0; i < given->n; i++) {
		TRY(set_one(rq, g, &given->v[i]));
		bool later = str_eq(given->v[i].ApplyMethod, S("pending-reboot"));
		any_static = any_static || later;
		any_dynamic = any_dynamic || !later;
	}
	rds_parameter_group_put(tx, g);
	spread(rq, tx, g, any_static, any_dynamic);
	return OK;
}

err rds_ModifyDBParameterGroup(req *rq, txn *tx, const rds_ModifyDBParameterGroup_in *in,
                               rds_ModifyDBParameterGroup_out *out)
{
	TRY(modify(rq, tx, KIND_INSTANCE, in->DBParameterGroupName, &in->Parameters));
	out->DBParameterGroupName = in->DBParameterGroupName;
	return OK;
}

err rds_ModifyDBClusterParameterGroup(req *rq, txn *tx, const rds_ModifyDBClusterParameterGroup_in *in,
                                      rds_ModifyDBClusterParameterGroup_out *out)
{
	TRY(modify(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName, &in->Parameters));
	out->DBClusterParameterGroupName = in->DBClusterParameterGroupName;
	return OK;
}

static err reset(req *rq, txn *tx, const char *kind, str name, opt_bool all, const rds_ParametersList *given)
{
	rds_parameter_group *g;
	TRY(db_parameter_group_find(rq, tx, kind, name, &g));
	bool everything = all.set ? all.v : given->n == 0;
	if (everything)
		g->Parameters.n = 0;
	for (size_t i = 0; !everything && i < given->n; i++)
		for (size_t k = 0; k < g->Parameters.n; k++)
			if (str_eq_nocase(g->Parameters.v[k].ParameterName, given->v[i].ParameterName))
				g->Parameters.v[k--] = g->Parameters.v[--g->Parameters.n];
	rds_parameter_group_put(tx, g);
	spread(rq, tx, g, true, true);
	return OK;
}

err rds_ResetDBParameterGroup(req *rq, txn *tx, const rds_ResetDBParameterGroup_in *in,
                              rds_ResetDBParameterGroup_out *out)
{
	TRY(reset(rq, tx, KIND_INSTANCE, in->DBParameterGroupName, in->ResetAllParameters, &in->Parameters));
	out->DBParameterGroupName = in->DBParameterGroupName;
	return OK;
}

err rds_ResetDBClusterParameterGroup(req *rq, txn *tx, const rds_ResetDBClusterParameterGroup_in *in,
                                     rds_ResetDBClusterParameterGroup_out *out)
{
	TRY(reset(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName, in->ResetAllParameters,
	          &in->Parameters));
	out->DBClusterParameterGroupName = in->DBClusterParameterGroupName;
	return OK;
}

static err delete(req *rq, txn *tx, const char *kind, str name)
{
	rds_parameter_group *g;
	if (db_default_group(db_lowered(rq, name)))
		return fail(rq, &rds_InvalidDBParameterGroupStateFault,
		            "Default parameter groups cannot be deleted.");
	TRY(db_parameter_group_find(rq, tx, kind, name, &g));
	bool used = false;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		used = used || uses(i, NULL, g);
	record_scan t = rds_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_cluster *c; (c = rds_cluster_next(&t));)
		used = used || (strcmp(kind, KIND_CLUSTER) == 0 && str_eq(c->It->DBClusterParameterGroup, g->Name));
	if (used)
		return fail(rq, &rds_InvalidDBParameterGroupStateFault,
		            "One or more database instances are still members of this parameter group %.*s, so the "
		            "group cannot "
		            "be deleted",
		            STR_ARG(g->Name));
	rds_parameter_group_delete(tx, g->Account, g->Region, g->Kind, g->Name);
	return OK;
}

err rds_DeleteDBParameterGroup(req *rq, txn *tx, const rds_DeleteDBParameterGroup_in *in,
                               rds_DeleteDBParameterGroup_out *out)
{
	return delete(rq, tx, KIND_INSTANCE, in->DBParameterGroupName);
}

err rds_DeleteDBClusterParameterGroup(req *rq, txn *tx, const rds_DeleteDBClusterParameterGroup_in *in,
                                      rds_DeleteDBClusterParameterGroup_out *out)
{
	return delete(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName);
}

static rds_Parameter parameter_shown(const db_parameter *p, const rds_Parameter *own, str family)
{
	bool tls = strcmp(p->name, "rds.force_ssl") == 0;
	bool forced =
		str_eq(family, S("postgres15")) || str_eq(family, S("postgres16")) || str_ends(family, S("17"));
	str value = own ? own->ParameterValue : tls ? forced ? S("1") : S("0") : str_c(p->value);
	return (rds_Parameter){
		.ParameterName = str_c(p->name),
		.ParameterValue = value,
		.Description = str_c(p->description),
		.Source = own ? S("user") : str_is(value) ? S("system") : S("engine-default"),
		.ApplyType = p->is_static ? S("static") : S("dynamic"),
		.DataType = str_c(p->type),
		.AllowedValues = str_c(p->allowed),
		.IsModifiable = BOOL(!p->fixed),
		.ApplyMethod = own ? own->ApplyMethod : S("pending-reboot"),
	};
}

static err list(req *rq, rds_parameter_group *g, str source, opt_i64 max, str marker, rds_ParametersList *out,
                str *next)
{
	page p;
	TRY(db_page_of(rq, max, marker, &p));
	out->v = arena_array(rq->mem, rds_Parameter, p.most);
	size_t n;
	const db_parameter *all = db_parameters_of(g->Family, &n);
	for (size_t i = 0; i < n; i++) {
		str name = str_c(all[i].name);
		rds_Parameter q = parameter_shown(&all[i], of_group(&g->Parameters, name), g->Family);
		if ((str_is(p.after) && str_cmp(name, p.after) <= 0) || (str_is(source) && !str_eq(source, q.Source)))
			continue;
		if (out->n == p.most) {
			*next = page_token(rq, out->v[out->n - 1].ParameterName);
			return OK;
		}
		out->v[out->n++] = q;
	}
	return OK;
}

err rds_DescribeDBParameters(req *rq, const txn *tx, const rds_DescribeDBParameters_in *in,
                             rds_DescribeDBParameters_out *out)
{
	rds_parameter_group *g;
	TRY(group_or_default(rq, tx, KIND_INSTANCE, in->DBParameterGroupName, &g));
	return list(rq, g, in->Source, in->MaxRecords, in->Marker, &out->Parameters, &out->Marker);
}

err rds_DescribeDBClusterParameters(req *rq, const txn *tx, const rds_DescribeDBClusterParameters_in *in,
                                    rds_DescribeDBClusterParameters_out *out)
{
	rds_parameter_group *g;
	TRY(group_or_default(rq, tx, KIND_CLUSTER, in->DBClusterParameterGroupName, &g));
	return list(rq, g, in->Source, in->MaxRecords, in->Marker, &out->Parameters, &out->Marker);
}

static err engine_defaults(req *rq, str family, opt_i64 most, str marker, rds_EngineDefaults **out)
{
	if (!db_family_known(family))
		return fail(rq, &rds_InvalidParameterValue, "Invalid DB parameter group family: %.*s",
		            STR_ARG(family));
	rds_parameter_group g = { .Family = family };
	rds_EngineDefaults *d = *out = arena_new(rq->mem, rds_EngineDefaults);
	d->DBParameterGroupFamily = family;
	return list(rq, &g, STR_NONE, most, marker, &d->Parameters, &d->Marker);
}

err rds_DescribeEngineDefaultParameters(req *rq, const txn *tx,
                                        const rds_DescribeEngineDefaultParameters_in *in,
                                        rds_DescribeEngineDefaultParameters_out *out)
{
	return engine_defaults(rq, in->DBParameterGroupFamily, in->MaxRecords, in->Marker, &out->EngineDefaults);
}

err rds_DescribeEngineDefaultClusterParameters(req *rq, const txn *tx,
                                               const rds_DescribeEngineDefaultClusterParameters_in *in,
                                               rds_DescribeEngineDefaultClusterParameters_out *out)
{
	return engine_defaults(rq, in->DBParameterGroupFamily, in->MaxRecords, in->Marker, &out->EngineDefaults);
}

static void add_lines(buf *b, arena *mem, const rds_ParametersList *all, int64_t memory_bytes, settings *s)
{
	for (size_t i = 0; i < all->n; i++) {
		str name = all->v[i].ParameterName, value = all->v[i].ParameterValue;
		int64_t number;
		if (str_find_char(value, '{') != SIZE_MAX) {
			if (!db_parameter_number(value, memory_bytes, &number))
				continue;
			value = arena_fmt(mem, "%lld", (long long)number);
		}
		if (str_eq(name, S("max_connections")) && str_to_i64(value, &number))
			s->max_connections = (int)number;
		else if (str_eq(name, S("rds.force_ssl")))
			s->force_tls = str_eq(value, S("1"));
		else if (str_eq(name, S("rds.logical_replication")))
			buf_put(b, str_eq(value, S("1")) ? S("wal_level = logical\n") : S(""));
		else if (str_eq(name, S("shared_preload_libraries")) || !str_starts(name, S("rds.")))
			buf_fmt(b, "%.*s = %.*s\n", STR_ARG(name), STR_ARG(postgres_literal(mem, value)));
	}
}

/* What MySQL has by itself and MariaDB has not. */
static const char like_mysql[] =
	"sql_mode = ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION\n";

/* utf8mb4 of utf8mb4_general_ci: the last collation that a group sets. */
static str set_of_collation(str lines)
{
	str set = STR_NONE, key = S("loose-collation_server = ");
	while (str_is(lines)) {
		str line = str_cut(&lines, '\n');
		if (str_starts(line, key)) {
			str value = str_sub(line, key.n, line.n);
			set = str_cut(&value, '_');
		}
	}
	return set;
}

static void mysql_lines(buf *b, arena *mem, const rds_instance *i, const rds_parameter_group *of_cluster,
                        const rds_parameter_group *own, int64_t bytes, settings *s)
{
	str one = of_cluster ? db_mysql_lines(mem, &of_cluster->Parameters, bytes, &s->max_connections) : S("");
	str two = own ? db_mysql_lines(mem, &own->Parameters, bytes, &s->max_connections) : S("");
	str all = arena_concat(mem, one, two), set = set_of_collation(all);
	bool mysql = !str_eq(i->It->Engine, S("mariadb"));
	if (mysql)
		buf_put(b, str_c(like_mysql));
	if (!str_is(set) && mysql && !str_starts(i->It->EngineVersion, S("5.")))
		set = S("utf8mb4");
	if (str_is(set))
		buf_fmt(b, "character_set_server = %.*s\n", STR_ARG(set));
	buf_put(b, all);
}

settings db_settings_of(const txn *tx, arena *mem, const rds_instance *i, str cluster_group, int memory_mib,
                        bool tls_by_default)
{
	settings s = { .force_tls = tls_by_default };
	buf b = buf_in(mem, 256, CONF_MAX);
	int64_t bytes = (int64_t)memory_mib << 20;
	str name = i->It->DBParameterGroups.n ? i->It->DBParameterGroups.v[0].DBParameterGroupName : STR_NONE;
	rds_parameter_group *of_cluster = !str_is(cluster_group) ? NULL :
	        rds_parameter_group_get(tx, mem, i->Account, i->Region, S(KIND_CLUSTER), cluster_group);
	rds_parameter_group *own = !str_is(name) ? NULL :
	        rds_parameter_group_get(tx, mem, i->Account, i->Region, S(KIND_INSTANCE), name);
	if (db_engine_is_mysql(i->It->Engine)) {
		mysql_lines(&b, mem, i, of_cluster, own, bytes, &s);
	} else {
		if (of_cluster)
			add_lines(&b, mem, &of_cluster->Parameters, bytes, &s);
		if (own)
			add_lines(&b, mem, &own->Parameters, bytes, &s);
	}
	s.lines = buf_str(&b);
	return s;
}
