#include "ecs.h"
#include "cloud/tags.h"

static const char *const providers_known[] = { "FARGATE", "FARGATE_SPOT" };

static bool provider_known(str name)
{
	return str_eq(name, S("FARGATE")) || str_eq(name, S("FARGATE_SPOT"));
}

static err strategy_check(req *rq, const ecs_StringList *providers, const ecs_CapacityProviderStrategy *s)
{
	for (size_t i = 0; i < providers->n; i++)
		if (!provider_known(providers->v[i]))
			return fail(rq, &ecs_InvalidParameterException,
			            "The specified capacity provider '%.*s' is not in an ACTIVE state. Specify a valid "
			            "capacity provider and try again.", STR_ARG(providers->v[i]));
	int bases = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool there = false;
		for (size_t k = 0; k < providers->n; k++)
			there = there || str_eq(s->v[i].capacityProvider, providers->v[k]);
		if (!there)
			return fail(rq, &ecs_InvalidParameterException,
			            "The specified capacity provider strategy cannot contain a capacity provider that "
			            "is not "
			            "associated with the cluster. Associate the capacity provider with the cluster and "
			            "try "
			            "again.");
		bases += s->v[i].base.v > 0;
	}
	return bases > 1 ? fail(rq, &ecs_InvalidParameterException, "The specified capacity provider strategy "
		"can "
	                        "contain only one capacity provider with a base.") : OK;
}

static err settings_check(req *rq, const ecs_ClusterSettings *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!str_eq(s->v[i].value, S("enabled")) && !str_eq(s->v[i].value, S("disabled")) &&
		    !str_eq(s->v[i].value, S("enhanced")))
			return fail(rq, &ecs_InvalidParameterException, "Invalid value '%.*s' for setting "
				"containerInsights. "
			            "Valid values: enhanced, enabled, disabled", STR_ARG(s->v[i].value));
	return OK;
}

static void settings_take(req *rq, ecs_Cluster *c, const ecs_ClusterSettings *s)
{
	if (s->n) {
		c->settings.n = 0;
		ECS_ADD(rq->mem, &c->settings, s->v[s->n - 1]);
	}
}

static ecs_ClusterServiceConnectDefaults *connect_of(req *rq,
	const ecs_ClusterServiceConnectDefaultsRequest *r)
{
	ecs_ClusterServiceConnectDefaults *d = arena_new(rq->mem, ecs_ClusterServiceConnectDefaults);
	d->namespace = r->namespace;
	return d;
}

/* What Describe shows: numbers as they are, and of the rest what was asked for. */
static void shown(req *rq, const txn *tx, ecs_Cluster *c, bool tags, bool settings, bool configurations)
{
	int64_t running = 0, pending = 0, services = 0;
	record_scan t = ecs_task_scan(tx, rq->mem, 3, rq->who.account, rq->region, c->clusterName, STR_NONE);
	for (ecs_task *k; (k = ecs_task_next(&t));) {
		running += str_eq(k->It->lastStatus, S("RUNNING"));
		pending += str_eq(k->It->lastStatus, S("PENDING")) || str_eq(k->It->lastStatus, S("PROVISIONING"));
	}
	record_scan s = ecs_svc_scan(tx, rq->mem, 3, rq->who.account, rq->region, c->clusterName, STR_NONE);
	for (ecs_svc *v; (v = ecs_svc_next(&s));)
		services += str_eq(v->It->status, S("ACTIVE"));
	c->runningTasksCount = I64(running);
	c->pendingTasksCount = I64(pending);
	c->activeServicesCount = I64(services);
	c->registeredContainerInstancesCount = I64(0);
	ECS_SHOWN(rq->mem, &c->statistics);
	ECS_SHOWN(rq->mem, &c->capacityProviders);
	ECS_SHOWN(rq->mem, &c->defaultCapacityProviderStrategy);
	if (!tags)
		c->tags.n = 0;
	if (!settings)
		c->settings.n = 0;
	if (!configurations)
		c->configuration = NULL;
	ECS_SHOWN(rq->mem, &c->tags);
	ECS_SHOWN(rq->mem, &c->settings);
}

/* Deleted ones are kept, and do not count. */
static bool enough(req *rq, const txn *tx)
{
	int64_t n = 0;
	record_scan s = ecs_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (!ecs_as_many(&s, ECS_CLUSTERS_MAX))
		return false;
	s = ecs_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ecs_cluster *c; (c = ecs_cluster_next(&s));)
		n += str_eq(c->It->status, S("ACTIVE"));
	return n >= ECS_CLUSTERS_MAX;
}

err ecs_CreateCluster(req *rq, txn *tx, const ecs_CreateCluster_in *in, ecs_CreateCluster_out *out)
{
	str name = given(in->clusterName) ? in->clusterName : S("default");
	if (!ecs_word(name))
		return fail(rq, &ecs_InvalidParameterException, "Invalid clusterName.");
	TRY(settings_check(rq, &in->settings));
	TRY(strategy_check(rq, &in->capacityProviders, &in->defaultCapacityProviderStrategy));
	TRY(ecs_tags_check(rq, &in->tags));
	ecs_cluster *c = ecs_cluster_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!c || !str_eq(c->It->status, S("ACTIVE"))) {
		if (enough(rq, tx))
			return fail(rq, &ecs_ClientException, "The limit of %d clusters has been reached.",
			            ECS_CLUSTERS_MAX);
		c = arena_new(rq->mem, ecs_cluster);
		*c = (ecs_cluster){ .Account = rq->who.account, .Region = rq->region, .Name = name,
			.It = arena_new(rq->mem, ecs_Cluster) };
		*c->It = (ecs_Cluster){ .clusterArn = ecs_cluster_arn(rq, name), .clusterName = name,
			.status = S("ACTIVE"), .tags = in->tags, .configuration = in->configuration,
			.capacityProviders = in->capacityProviders,
			.defaultCapacityProviderStrategy = in->defaultCapacityProviderStrategy };
		if (in->serviceConnectDefaults)
			c->It->serviceConnectDefaults = connect_of(rq, in->serviceConnectDefaults);
		ECS_ADD(rq->mem, &c->It->settings, (ecs_ClusterSetting){ S("containerInsights"),
		        ecs_setting_of(rq, tx, S("containerInsights")) });
		settings_take(rq, c->It, &in->settings);
		ecs_cluster_put(tx, c);
	}
	out->cluster = c->It;
	shown(rq, tx, out->cluster, true, true, true);
	return OK;
}

static bool included(const ecs_ClusterFieldList *l, str what)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], what))
			return true;
	return false;
}

err ecs_DescribeClusters(req *rq, const txn *tx, const ecs_DescribeClusters_in *in,
                         ecs_DescribeClusters_out *out)
{
	str fallback = S("default");
	const str *names = in->clusters.n ? in->clusters.v : &fallback;
	size_t n = in->clusters.n ? in->clusters.n : 1;
	if (n > 100)
		return fail(rq, &ecs_InvalidParameterException, "Clusters cannot have more than 100 elements.");
	for (size_t i = 0; i < n; i++) {
		ecs_cluster *c = ecs_cluster_get(tx, rq->mem, rq->who.account, rq->region,
			ecs_cluster_name(names[i]));
		if (!c || (str_starts(names[i], S("arn:")) && !str_eq(names[i], c->It->clusterArn))) {
			str arn = str_starts(names[i], S("arn:")) ? names[i] : ecs_cluster_arn(rq, names[i]);
			ECS_ADD(rq->mem, &out->failures, (ecs_Failure){ .arn = arn, .reason = S("MISSING") });
			continue;
		}
		shown(rq, tx, c->It, included(&in->include, S("TAGS")), included(&in->include, S("SETTINGS")),
		      included(&in->include, S("CONFIGURATIONS")));
		ECS_ADD(rq->mem, &out->clusters, *c->It);
	}
	ECS_SHOWN(rq->mem, &out->clusters);
	ECS_SHOWN(rq->mem, &out->failures);
	return OK;
}

err ecs_ListClusters(req *rq, const txn *tx, const ecs_ListClusters_in *in, ecs_ListClusters_out *out)
{
	ecs_page p;
	TRY(ecs_page_of(rq, in->maxResults, in->nextToken, &p));
	record_scan s = ecs_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (given(p.after))
		record_scan_after(&s, p.after);
	str last = STR_NONE;
	for (ecs_cluster *c; (c = ecs_cluster_next(&s));) {
		if (!str_eq(c->It->status, S("ACTIVE")))
			continue;
		if (out->clusterArns.n == p.most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ECS_ADD(rq->mem, &out->clusterArns, c->It->clusterArn);
		last = c->Name;
	}
	cursor_close(&s.at);
	ECS_SHOWN(rq->mem, &out->clusterArns);
	return OK;
}

err ecs_DeleteCluster(req *rq, txn *tx, const ecs_DeleteCluster_in *in, ecs_DeleteCluster_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	ecs_Cluster now = *c->It;
	shown(rq, tx, &now, true, true, true);
	if (now.activeServicesCount.v)
		return fail(rq, &ecs_ClusterContainsServicesException,
		            "The Cluster cannot be deleted while Services are active.");
	record_scan s = ecs_task_scan(tx, rq->mem, 3, c->Account, c->Region, c->Name, STR_NONE);
	for (ecs_task *t; (t = ecs_task_next(&s));)
		if (!ecs_task_ended(t)) {
			cursor_close(&s.at);
			return fail(rq, &ecs_ClusterContainsTasksException,
			            "The Cluster cannot be deleted while Tasks are active.");
		}
	c->It->status = S("INACTIVE");
	ecs_cluster_put(tx, c);
	out->cluster = arena_new(rq->mem, ecs_Cluster);
	*out->cluster = now;
	out->cluster->status = S("INACTIVE");
	return OK;
}

err ecs_UpdateCluster(req *rq, txn *tx, const ecs_UpdateCluster_in *in, ecs_UpdateCluster_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	TRY(settings_check(rq, &in->settings));
	settings_take(rq, c->It, &in->settings);
	if (in->configuration)
		c->It->configuration = in->configuration;
	if (in->serviceConnectDefaults)
		c->It->serviceConnectDefaults = connect_of(rq, in->serviceConnectDefaults);
	ecs_cluster_put(tx, c);
	out->cluster = c->It;
	shown(rq, tx, out->cluster, true, true, true);
	return OK;
}

err ecs_UpdateClusterSettings(req *rq, txn *tx, const ecs_UpdateClusterSettings_in *in,
                              ecs_UpdateClusterSettings_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	TRY(settings_check(rq, &in->settings));
	settings_take(rq, c->It, &in->settings);
	ecs_cluster_put(tx, c);
	out->cluster = c->It;
	shown(rq, tx, out->cluster, true, true, true);
	return OK;
}

err ecs_PutClusterCapacityProviders(req *rq, txn *tx, const ecs_PutClusterCapacityProviders_in *in,
                                    ecs_PutClusterCapacityProviders_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	TRY(strategy_check(rq, &in->capacityProviders, &in->defaultCapacityProviderStrategy));
	c->It->capacityProviders = in->capacityProviders;
	c->It->defaultCapacityProviderStrategy = in->defaultCapacityProviderStrategy;
	ecs_cluster_put(tx, c);
	out->cluster = c->It;
	shown(rq, tx, out->cluster, true, true, true);
	return OK;
}

err ecs_DescribeCapacityProviders(req *rq, const txn *tx, const ecs_DescribeCapacityProviders_in *in,
                                  ecs_DescribeCapacityProviders_out *out)
{
	(void)tx;
	for (size_t i = 0; i < 2; i++) {
		str name = str_c(providers_known[i]);
		bool wanted = !in->capacityProviders.n;
		for (size_t k = 0; k < in->capacityProviders.n; k++)
			wanted = wanted || str_eq(ecs_last(in->capacityProviders.v[k]), name);
		if (wanted)
			ECS_ADD(rq->mem, &out->capacityProviders, (ecs_CapacityProvider){
				.capacityProviderArn = req_arn(rq, "ecs", "capacity-provider/%.*s", STR_ARG(name)),
				.name = name, .status = S("ACTIVE"), .tags = { arena_new(rq->mem, ecs_Tag), 0 },
				.type = name });
	}
	for (size_t k = 0; k < in->capacityProviders.n; k++)
		if (!provider_known(ecs_last(in->capacityProviders.v[k])))
			ECS_ADD(rq->mem, &out->failures, (ecs_Failure){ .reason = S("MISSING"),
				.arn = req_arn(rq, "ecs", "capacity-provider/%.*s",
				               STR_ARG(ecs_last(in->capacityProviders.v[k]))) });
	ECS_SHOWN(rq->mem, &out->capacityProviders);
	ECS_SHOWN(rq->mem, &out->failures);
	return OK;
}
