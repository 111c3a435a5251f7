/*
 * The access advisor: which services an identity may use, and when it last did, to a quarter of an hour
 * (cloud/credential.h).
 */
#include "base/time.h"
#include "cloud/credential.h"
#include "cloud/handler.h"
#include "entity.h"
#include "source.h"
#include "sys/rand.h"

typedef struct latest {
	arena *mem;
	str service;                 /* signing name; STR_NONE: any */
	int64_t when;
	str region;
} latest;

static bool look(void *context, const service_use *u)
{
	latest *l = context;
	if ((!str_is(l->service) || str_eq(u->Service, l->service)) && u->When > l->when) {
		l->when = u->When;
		l->region = u->Region;
	}
	return true;
}

iam_RoleLastUsed *iam_last_used(req *rq, const txn *tx, str arn)
{
	latest l = { .mem = rq->mem };
	service_uses(tx, rq->mem, rq->who.account, arn, look, &l);
	iam_RoleLastUsed *used = arena_new(rq->mem, iam_RoleLastUsed);
	if (l.when)
		*used = (iam_RoleLastUsed){ TIME(l.when / 1000 * 1000), l.region };
	return used;
}

static bool names_service(const json_value *v, str namespace)
{
	if (v->kind == JSON_ARRAY) {
		for (const json_value *item = v->first; item; item = item->next)
			if (names_service(item, namespace))
				return true;
		return false;
	}
	str rest = v->text, vendor = str_cut(&rest, ':');
	return str_eq(vendor, S("*")) || policy_action_fits(vendor, namespace);
}

static bool grants(const policy *p, str namespace)
{
	for (const policy_statement *s = p->statements; s; s = s->next)
		if (!s->deny && (s->not_action || names_service(s->action, namespace)))
			return true;
	return false;
}

static bool any_grants(const identity_policies *own, str namespace)
{
	for (size_t i = 0; i < own->n; i++)
		if (grants(own->policies[i].it, namespace))
			return true;
	return false;
}

static err find_subject(req *rq, const txn *tx, str arn, identity_policies *own)
{
	managed m;
	if (str_find(arn, S(":policy/")) != SIZE_MAX) {
		TRY(iam_find_policy(rq, tx, arn, &m));
		str wrong;
		named_policy *one = arena_new(rq->mem, named_policy);
		*one = (named_policy){ policy_parse(rq->mem, m.document, POLICY_IDENTITY, &wrong), arn };
		*own = (identity_policies){ .policies = one, .n = one->it != NULL };
		return OK;
	}
	iam_identity(tx, rq->mem, rq->who.account, arn, own);
	return own->gone ? fail(rq, &iam_NoSuchEntityException, "ARN %.*s not found", STR_ARG(arn)) : OK;
}

err iam_GenerateServiceLastAccessedDetails(req *rq, txn *tx,
                                           const iam_GenerateServiceLastAccessedDetails_in *in,
                                           iam_GenerateServiceLastAccessedDetails_out *out)
{
	identity_policies own = { 0 };
	TRY(find_subject(rq, tx, in->Arn, &own));
	str granularity = str_is(in->Granularity) ? in->Granularity :
			  iam_AccessAdvisorUsageGranularityType_SERVICE_LEVEL;
	out->JobId = rand_uuid(rq->mem);
	iam_job_put(tx, &(iam_job){ rq->who.account, out->JobId, in->Arn, rq->now, granularity });
	return OK;
}

static err find_job(req *rq, const txn *tx, str id, iam_job **out)
{
	*out = iam_job_get(tx, rq->mem, rq->who.account, id);
	return *out ? OK : fail(rq, &iam_NoSuchEntityException, "JobId %.*s not found", STR_ARG(id));
}

/* The users and roles whose use counts for the job's subject. */
typedef struct subjects { str *v; size_t n; } subjects;

static void add_subject(subjects *s, arena *mem, str arn)
{
	str *wider = arena_array(mem, str, s->n + 1);
	if (s->n)
		memcpy(wider, s->v, s->n * sizeof *wider);
	wider[s->n] = arn;
	*s = (subjects){ wider, s->n + 1 };
}

static void add_members(subjects *s, const txn *tx, arena *mem, str account, str group)
{
	record_scan m = iam_member_scan(tx, mem, 2, account, group, STR_NONE);
	for (iam_member *one; (one = iam_member_next(&m));) {
		iam_user *u = iam_user_get(tx, mem, account, one->User);
		if (u)
			add_subject(s, mem, u->It->Arn);
	}
}

static subjects subjects_of(req *rq, const txn *tx, str arn)
{
	subjects s = { 0 };
	str account = rq->who.account;
	if (str_find(arn, S(":group/")) != SIZE_MAX) {
		add_members(&s, tx, rq->mem, account, iam_key(rq->mem, iam_arn_name(arn)));
	} else if (str_find(arn, S(":policy/")) != SIZE_MAX) {
		record_scan uses = iam_use_scan(tx, rq->mem, 2, account, arn, STR_NONE, STR_NONE);
		for (iam_use *u; (u = iam_use_next(&uses));) {
			iam_user *user = str_eq(u->Use, S("user")) ? iam_user_get(tx, rq->mem, account, u->Entity) : NULL;
			iam_role *role = str_eq(u->Use, S("role")) ? iam_role_get(tx, rq->mem, account, u->Entity) : NULL;
			if (user || role)
				add_subject(&s, rq->mem, user ? user->It->Arn : role->It->Arn);
			if (str_eq(u->Use, S("group")))
				add_members(&s, tx, rq->mem, account, u->Entity);
		}
	} else {
		add_subject(&s, rq->mem, arn);
	}
	return s;
}

static void service_line(req *rq, const txn *tx, const subjects *who, const service *s,
                         iam_ServiceLastAccessed *line)
{
	int64_t best = 0, n = 0;
	*line =
		(iam_ServiceLastAccessed){ .ServiceName = str_c(s->title), .ServiceNamespace =
		                           str_c(access_prefix(s)) };
	for (size_t i = 0; i < who->n; i++) {
		latest l = { .mem = rq->mem, .service = str_c(s->signing_name) };
		service_uses(tx, rq->mem, rq->who.account, who->v[i], look, &l);
		n += l.when != 0;
		if (l.when > best) {
			best = l.when;
			line->LastAuthenticated = TIME(l.when / 1000 * 1000);
			line->LastAuthenticatedEntity = who->v[i];
			line->LastAuthenticatedRegion = l.region;
		}
	}
	line->TotalAuthenticatedEntities = I64(n);
}

static bool seen_before(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(access_prefix(cloud_services[k]), access_prefix(cloud_services[i])) == 0)
			return true;
	return false;
}

err iam_GetServiceLastAccessedDetails(req *rq, const txn *tx, const iam_GetServiceLastAccessedDetails_in *in,
                                      iam_GetServiceLastAccessedDetails_out *out)
{
	iam_job *job;
	identity_policies own = { 0 };
	page_of page;
	TRY(find_job(rq, tx, in->JobId, &job));
	TRY(find_subject(rq, tx, job->Subject, &own));
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	subjects who = subjects_of(rq, tx, job->Subject);
	bool after = !str_is(page.after);
	out->ServicesLastAccessed.v = arena_array(rq->mem, iam_ServiceLastAccessed, cloud_n_services + 1);
	for (size_t i = 0; i < cloud_n_services; i++) {
		str name = str_c(cloud_services[i]->name);
		bool here = after;
		after = after || str_eq(name, page.after);
		if (!here || seen_before(i) || !any_grants(&own, str_c(access_prefix(cloud_services[i]))))
			continue;
		if (!page_take(&page, name))
			break;
		service_line(rq, tx, &who, cloud_services[i],
		             &out->ServicesLastAccessed.v[out->ServicesLastAccessed.n++]);
	}
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	out->JobStatus = iam_jobStatusType_COMPLETED;
	out->JobType = job->Granularity;
	out->JobCreationDate = out->JobCompletionDate = TIME(job->Made / 1000 * 1000);
	return OK;
}

static iam_EntityInfo *entity_info(req *rq, const txn *tx, str arn)
{
	iam_EntityInfo *e = arena_new(rq->mem, iam_EntityInfo);
	str key = iam_key(rq->mem, iam_arn_name(arn));
	bool is_user = str_find(arn, S(":user/")) != SIZE_MAX;
	iam_user *u = is_user ? iam_user_get(tx, rq->mem, rq->who.account, key) : NULL;
	iam_role *r = is_user ? NULL : iam_role_get(tx, rq->mem, rq->who.account, key);
	if (u)
		*e =
			(iam_EntityInfo){ arn, u->It->UserName, iam_policyOwnerEntityType_USER, u->It->UserId,
			                  u->It->Path };
	else if (r)
		*e =
			(iam_EntityInfo){ arn, r->It->RoleName, iam_policyOwnerEntityType_ROLE, r->It->RoleId,
			                  r->It->Path };
	return e;
}

err iam_GetServiceLastAccessedDetailsWithEntities(req *rq, const txn *tx,
                                                  const iam_GetServiceLastAccessedDetailsWithEntities_in *in,
                                                  iam_GetServiceLastAccessedDetailsWithEntities_out *out)
{
	iam_job *job;
	TRY(find_job(rq, tx, in->JobId, &job));
	subjects who = subjects_of(rq, tx, job->Subject);
	out->EntityDetailsList.v = arena_array(rq->mem, iam_EntityDetails, who.n + 1);
	str signing = in->ServiceNamespace;
	for (size_t i = 0; i < cloud_n_services; i++)
		if (str_eq(str_c(access_prefix(cloud_services[i])), in->ServiceNamespace))
			signing = str_c(cloud_services[i]->signing_name);
	for (size_t i = 0; i < who.n; i++) {
		latest l = { .mem = rq->mem, .service = signing };
		service_uses(tx, rq->mem, rq->who.account, who.v[i], look, &l);
		out->EntityDetailsList.v[out->EntityDetailsList.n++] = (iam_EntityDetails){
			entity_info(rq, tx, who.v[i]), l.when ? TIME(l.when / 1000 * 1000) : (opt_time){ 0 } };
	}
	out->IsTruncated = BOOL(false);
	out->JobStatus = iam_jobStatusType_COMPLETED;
	out->JobCreationDate = out->JobCompletionDate = TIME(job->Made / 1000 * 1000);
	return OK;
}

err iam_ListPoliciesGrantingServiceAccess(req *rq, const txn *tx,
                                          const iam_ListPoliciesGrantingServiceAccess_in *in,
                                          iam_ListPoliciesGrantingServiceAccess_out *out)
{
	identity_policies own = { 0 };
	TRY(find_subject(rq, tx, in->Arn, &own));
	size_t n = in->ServiceNamespaces.n;
	bool is_user = str_find(in->Arn, S(":user/")) != SIZE_MAX, is_role =
		str_find(in->Arn, S(":role/")) != SIZE_MAX;
	out->PoliciesGrantingServiceAccess.v =
		arena_array(rq->mem, iam_ListPoliciesGrantingServiceAccessEntry, n + 1);
	for (size_t i = 0; i < n; i++) {
		iam_ListPoliciesGrantingServiceAccessEntry *e =
			&out->PoliciesGrantingServiceAccess.v[out->PoliciesGrantingServiceAccess.n++];
		e->ServiceNamespace = in->ServiceNamespaces.v[i];
		e->Policies.v = arena_array(rq->mem, iam_PolicyGrantingServiceAccess, own.n + 1);
		for (size_t k = 0; k < own.n; k++) {
			bool is_managed = str_starts(own.policies[k].name, S("arn:"));
			if (!grants(own.policies[k].it, e->ServiceNamespace))
				continue;
			iam_PolicyGrantingServiceAccess *p = &e->Policies.v[e->Policies.n++];
			*p = (iam_PolicyGrantingServiceAccess){
				.PolicyName = is_managed ? iam_arn_name(own.policies[k].name) : own.policies[k].name,
				.PolicyType = is_managed ? iam_policyType_MANAGED : iam_policyType_INLINE,
				.PolicyArn = is_managed ? own.policies[k].name : STR_NONE };
			if (!is_managed) {
				p->EntityType = is_user ? iam_policyOwnerEntityType_USER :
						is_role ? iam_policyOwnerEntityType_ROLE : iam_policyOwnerEntityType_GROUP;
				p->EntityName = iam_arn_name(in->Arn);
			}
		}
	}
	out->IsTruncated = BOOL(false);
	return OK;
}
