/*
 * The keys of a request's context (aws:SourceIp ..), each worked out when a policy mentions it.
 */
#include "cloud/authorise.h"
#include "base/time.h"
#include "cloud/credential.h"
#include "cloud/target.h"
#include "wire/http.h"

extern const access_keys *const __start_farthing_access_keys[] __attribute__((weak));
extern const access_keys *const __stop_farthing_access_keys[] __attribute__((weak));
extern const resource_tags *const __start_farthing_resource_tags[] __attribute__((weak));
extern const resource_tags *const __stop_farthing_resource_tags[] __attribute__((weak));

policy_principal principal_of(const caller *who)
{
	policy_principal p = { .account = who->account, .arn = who->arn, .anonymous = who->anonymous };
	if (who->internal)
		p.service = who->arn;
	/* A federated user is a session of a user; root behind it is the account, which delegates only. */
	const credential *key = who->key;
	if (key)
		p.role = str_is(key->Role) || !str_is(key->Federator) || str_ends(key->Federator, S(":root")) ?
			key->Role : key->Federator;
	return p;
}

const policy_key *asking_values(asking *a, str name, const str *v, size_t n)
{
	policy_key *k = arena_new(a->rq->mem, policy_key);
	*k = (policy_key){ .name = name, .v = v, .n = n, .multivalued = true };
	return n ? k : NULL;
}

const policy_key *asking_value(asking *a, str name, str value)
{
	return str_is(value) ? policy_key_add(a->rq->mem, NULL, name, value) : NULL;
}

str asking_member(const asking *a, const char *member)
{
	return a->in ? access_member(a->rq, a->in, str_c(member)) : STR_NONE;
}

bool asking_prefix(str name, const char *prefix, str *rest)
{
	size_t n = strlen(prefix);
	if (name.n <= n || !str_eq_nocase(str_sub(name, 0, n), str_c(prefix)))
		return false;
	*rest = str_sub(name, n, name.n);
	return true;
}

static str text_of_bool(bool b)
{
	return b ? S("true") : S("false");
}

static str principal_type(asking *a)
{
	const caller *who = &a->rq->who;
	if (who->anonymous)
		return S("Anonymous");
	if (who->root)
		return S("Account");
	if (who->internal)
		return S("Service");
	return str_find(who->arn, S(":assumed-role/")) != SIZE_MAX ? S("AssumedRole") :
	       str_find(who->arn, S(":federated-user/")) != SIZE_MAX ? S("FederatedUser") : S("User");
}

/* Somebody with an account: not a service, not anybody. */
static bool somebody(const asking *a)
{
	return !a->rq->who.anonymous && !a->rq->who.internal;
}

static str is_service(asking *a)
{
	return text_of_bool(a->rq->who.internal);
}

static str service_name(asking *a)
{
	return a->rq->who.internal ? a->rq->who.arn : STR_NONE;
}

static str account(asking *a)
{
	return somebody(a) ? a->rq->who.account : STR_NONE;
}

static str user_id(asking *a)
{
	return somebody(a) ? a->rq->who.user_id : STR_NONE;
}

static str principal_arn(asking *a)
{
	const caller *who = &a->rq->who;
	if (!somebody(a))
		return STR_NONE;
	return who->key && str_is(who->key->Role) ? who->key->Role : who->arn;
}

static str user_name(asking *a)
{
	size_t user = somebody(a) ? str_find(a->rq->who.arn, S(":user/")) : SIZE_MAX;
	if (user == SIZE_MAX)
		return STR_NONE;
	str name = str_sub(a->rq->who.arn, user + 6, a->rq->who.arn.n);
	while (str_find_char(name, '/') != SIZE_MAX)
		str_cut(&name, '/');
	return name;
}

static const credential *session(const asking *a)
{
	const credential *c = a->rq->who.key;
	return c && str_is(c->Token) ? c : NULL;
}

static str mfa_present(asking *a)
{
	const credential *c = session(a);
	return c ? text_of_bool(c->MfaPresent) : STR_NONE;
}

static str mfa_age(asking *a)
{
	const credential *c = session(a);
	return c && c->MfaPresent ?
		       arena_fmt(a->rq->mem, "%lld", (long long)((a->rq->now - c->Created) / MS_SECOND)) : STR_NONE;
}

static str token_issue_time(asking *a)
{
	const credential *c = session(a);
	return c ? time_iso(a->rq->mem, c->Created) : STR_NONE;
}

static str source_identity(asking *a)
{
	const credential *c = session(a);
	return c ? c->SourceIdentity : STR_NONE;
}

static str current_time(asking *a)
{
	return time_iso(a->rq->mem, a->rq->now);
}

static str epoch_time(asking *a)
{
	return arena_fmt(a->rq->mem, "%lld", (long long)(a->rq->now / MS_SECOND));
}

static str requested_region(asking *a)
{
	return a->rq->region;
}

static str via_service(asking *a)
{
	return text_of_bool(a->rq->parent != NULL);
}

/* What only the client's own connection has: not a service that calls on its behalf. */
static const wire_message *own_request(const asking *a)
{
	return a->rq->exchange && !a->rq->parent ? a->rq->http : NULL;
}

static str source_ip(asking *a)
{
	return own_request(a) ? a->rq->exchange->peer : STR_NONE;
}

static str secure_transport(asking *a)
{
	return own_request(a) ? text_of_bool(a->rq->exchange->tls) : STR_NONE;
}

static str user_agent(asking *a)
{
	return own_request(a) ? wire_header(a->rq->http, S("user-agent")) : STR_NONE;
}

static str referer(asking *a)
{
	return own_request(a) ? wire_header(a->rq->http, S("referer")) : STR_NONE;
}

static str resource_account(asking *a)
{
	str arn = a->q.resource, part = STR_NONE;
	for (int i = 0; i < 5; i++) {
		if (!str_is(arn))
			return STR_NONE;
		part = str_cut(&arn, ':');
	}
	return part.n == 12 ? part : STR_NONE;
}

/* A service to which a role is handed over, unless a handler says another. */
static str passed_to(asking *a)
{
	bool pass = str_eq(a->q.action, S("iam:PassRole")) && a->rq->op;
	return pass ? arena_fmt(a->rq->mem, "%s.amazonaws.com", a->rq->op->service->endpoint) : STR_NONE;
}

static str source_arn(asking *a)
{
	return a->rq->source;
}

/* Buckets' ARNs name no account. */
static str source_account(asking *a)
{
	arn_parts arn;
	if (!str_is(a->rq->source))
		return STR_NONE;
	return arn_split(a->rq->source, &arn) && arn.account.n ? arn.account : a->rq->who.account;
}

/* The key of the policy that every topic is born with. Of the services, those tell it that publish to such a
 * topic without having been named in its policy. */
static str source_owner(asking *a)
{
	bool tells = a->rq->who.internal && (str_eq(a->rq->who.arn, S("cloudwatch.amazonaws.com")) ||
	                                     str_eq(a->rq->who.arn, S("events.rds.amazonaws.com")));
	return tells ? source_account(a) : STR_NONE;
}

static str federated_provider(asking *a)
{
	return a->rq->who.key ? a->rq->who.key->Provider : STR_NONE;
}

static const struct { const char *name; str (*value)(asking *a); } known[] = {
	{ "aws:FederatedProvider", federated_provider },
	{ "iam:PassedToService", passed_to },
	{ "aws:SourceArn", source_arn },
	{ "aws:SourceAccount", source_account },
	{ "aws:SourceOwner", source_owner },
	{ "aws:PrincipalType", principal_type },
	{ "aws:PrincipalIsAWSService", is_service },
	{ "aws:PrincipalServiceName", service_name },
	{ "aws:PrincipalAccount", account },
	{ "aws:PrincipalArn", principal_arn },
	{ "aws:userid", user_id },
	{ "aws:username", user_name },
	{ "aws:MultiFactorAuthPresent", mfa_present },
	{ "aws:MultiFactorAuthAge", mfa_age },
	{ "aws:TokenIssueTime", token_issue_time },
	{ "aws:SourceIdentity", source_identity },
	{ "aws:CurrentTime", current_time },
	{ "aws:EpochTime", epoch_time },
	{ "aws:RequestedRegion", requested_region },
	{ "aws:ViaAWSService", via_service },
	{ "aws:SourceIp", source_ip },
	{ "aws:SecureTransport", secure_transport },
	{ "aws:UserAgent", user_agent },
	{ "aws:Referer", referer },
	{ "aws:ResourceAccount", resource_account },
};

/* aws:CalledVia: the services between the client and this one, first first. */
static const policy_key *called_via(asking *a, str name, bool first, bool last)
{
	size_t n = 0;
	for (const req *p = a->rq->parent; p; p = p->parent)
		n++;
	str *v = arena_array(a->rq->mem, str, n + 1);
	size_t i = n;
	for (const req *p = a->rq->parent; p; p = p->parent)
		v[--i] = p->op ? arena_fmt(a->rq->mem, "%s.amazonaws.com", p->op->service->endpoint) : p->who.arn;
	if (n && (first || last))
		return asking_value(a, name, first ? v[0] : v[n - 1]);
	return asking_values(a, name, v, n);
}

/* The tags that a request brings, however its service calls and shapes them. */
typedef struct brought {
	const char *p;
	size_t n, step, key, value;
	bool valued; /* false: keys alone, of UntagResource */
} brought;

static const shape_member *either(const shape *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const shape_member *m = shape_member_find(s, str_c(names[i]));
		if (m)
			return m;
	}
	return NULL;
}

static bool read_list(const shape *list, const void *at, brought *b)
{
	static const char *const keys[] = { "Key", "TagKey", "key" };
	static const char *const values[] = { "Value", "TagValue", "value" };
	const struct { const char *v; size_t n; } *l = at;
	const shape *tag = list->element;
	*b = (brought){ .p = l->v, .n = l->n };
	if (tag->kind == SHAPE_STRING) {
		b->step = sizeof(str);
		return true;
	}
	if (tag->kind != SHAPE_STRUCT)
		return false;
	const shape_member *key = either(tag, keys, 3), *value = either(tag, values, 3);
	if (!key || !value || key->shape->kind != SHAPE_STRING || value->shape->kind != SHAPE_STRING)
		return false;
	b->step = tag->size;
	b->key = key->offset;
	b->value = value->offset;
	b->valued = true;
	return true;
}

static bool tags_brought(const asking *a, brought *b)
{
	static const char *const names[] = { "Tags", "tags", "Tag", "resourceTags", "ResourceTags", "TagKeys",
		                                 "tagKeys", "tagKeyList", "ResourceTagKeys" };
	const shape *input = a->in ? a->rq->op->input : NULL;
	const shape_member *m = input ? either(input, names, sizeof names / sizeof *names) : NULL;
	if (!m)
		return false;
	const void *at = (const char *)a->in + m->offset;
	if (m->shape->kind == SHAPE_LIST)
		return read_list(m->shape, at, b);
	if (m->shape->kind != SHAPE_MAP || m->shape->element->kind != SHAPE_STRING)
		return false;
	const struct { const char *v; size_t n; } *map = at;
	*b = (brought){ map->v, map->n, m->shape->entry_size, 0, m->shape->value_offset, true };
	return true;
}

static const policy_key *request_tag(asking *a, str name, str tag)
{
	brought b;
	if (!tags_brought(a, &b) || !b.valued)
		return NULL;
	for (size_t i = 0; i < b.n; i++) {
		const char *one = b.p + i * b.step;
		if (str_eq_nocase(*(const str *)(one + b.key), tag)) {
			str value = *(const str *)(one + b.value);
			return asking_value(a, name, str_is(value) ? value : S(""));
		}
	}
	return NULL;
}

static const policy_key *tag_keys(asking *a, str name)
{
	brought b;
	if (!tags_brought(a, &b))
		return NULL;
	str *v = arena_array(a->rq->mem, str, b.n + 1);
	for (size_t i = 0; i < b.n; i++)
		v[i] = *(const str *)(b.p + i * b.step + b.key);
	return asking_values(a, name, v, b.n);
}

static const policy_key *resource_tag(asking *a, str name, str tag)
{
	str rest = a->q.resource;
	str_cut(&rest, ':');
	if (str_is(rest))
		str_cut(&rest, ':');
	str owner = str_is(rest) ? str_cut(&rest, ':') : STR_NONE;
	const resource_tags *const *end = a->tx ? __stop_farthing_resource_tags : NULL;
	for (const resource_tags *const *t = __start_farthing_resource_tags; t < end; t++)
		if (str_eq(str_c((*t)->service), owner)) {
			const policy_key *found = policy_key_find((*t)->find(a->tx, a->rq->mem, a->q.resource), tag);
			return found ? asking_value(a, name, found->v[0]) : NULL;
		}
	return NULL;
}

static const policy_key *tag_key(asking *a, str name)
{
	str tag, rest = name;
	if (asking_prefix(name, "aws:PrincipalTag/", &tag)) {
		if (!a->tags_known)
			asking_tags(a);
		return policy_key_find(a->tags, name);
	}
	if (asking_prefix(name, "aws:RequestTag/", &tag))
		return request_tag(a, name, tag);
	if (str_eq_nocase(name, S("aws:TagKeys")))
		return tag_keys(a, name);
	str_cut(&rest, ':');
	return str_is(rest) && asking_prefix(rest, "ResourceTag/", &tag) ? resource_tag(a, name, tag) : NULL;
}

static const policy_key *work_out(asking *a, str name)
{
	const policy_key *k = NULL;
	for (size_t i = 0; !k && i < sizeof known / sizeof *known; i++)
		if (str_eq_nocase(name, str_c(known[i].name)))
			k = asking_value(a, name, known[i].value(a));
	if (k)
		return k;
	if (str_eq_nocase(name, S("aws:CalledVia")))
		return called_via(a, name, false, false);
	if (str_eq_nocase(name, S("aws:CalledViaFirst")) || str_eq_nocase(name, S("aws:CalledViaLast")))
		return called_via(a, name, name.n == 18, name.n == 17);
	k = tag_key(a, name);
	const access_keys *const *end = __stop_farthing_access_keys;
	for (const access_keys *const *s = __start_farthing_access_keys; !k && s < end && a->rq->op; s++)
		if (strcmp((*s)->service, a->rq->op->service->name) == 0)
			k = (*s)->find(a, name);
	return k;
}

static const policy_key *find(void *context, str name)
{
	asking *a = context;
	const policy_key *k = work_out(a, name);
	if (!k)
		return NULL;
	policy_key *kept = arena_new(a->rq->mem, policy_key);
	*kept = (policy_key){ a->q.keys, name, k->v, k->n, k->multivalued };
	a->q.keys = kept; /* the next policy finds it */
	return kept;
}

void asking_open(asking *a, req *rq, const txn *tx, str action, str resource, const policy_key *more)
{
	*a = (asking){ .rq = rq, .tx = tx, .who = principal_of(&rq->who) };
	a->q = (policy_question){ .action = action, .resource = resource, .who = &a->who, .keys = more,
		                  .find = find, .context = a };
}
