#include "cloud/policy.h"
#include "cloud/policy_pattern.h"

policy_key *policy_key_add(arena *a, const policy_key *keys, str name, str value)
{
	policy_key *k = arena_new(a, policy_key);
	str *v = arena_new(a, str);
	*v = value;
	*k = (policy_key){ .next = keys, .name = name, .v = v, .n = 1 };
	return k;
}

const policy_key *policy_key_find(const policy_key *keys, str name)
{
	for (; keys; keys = keys->next)
		if (str_eq_nocase(keys->name, name))
			return keys;
	return NULL;
}

const policy_key *policy_question_key(const policy_question *q, str name)
{
	const policy_key *k = policy_key_find(q->keys, name);
	return k || !q->find ? k : q->find(q->context, name);
}

/* Calls `fits` with each string of a string or a list until one does. */
typedef struct ask {
	arena *mem;
	const policy_question *q;
	bool variables;
} ask;

static bool any_of(const json_value *v, bool (*fits)(const ask *, str), const ask *a)
{
	if (v->kind != JSON_ARRAY)
		return fits(a, v->text);
	for (const json_value *item = v->first; item; item = item->next)
		if (fits(a, item->text))
			return true;
	return false;
}

bool policy_action_fits(str text, str action)
{
	pattern p;
	uint16_t wide[256];
	if (text.n > sizeof wide / sizeof *wide)
		return false;
	for (size_t i = 0; i < text.n; i++)
		wide[i] = text.p[i] == '*' ? PATTERN_ANY : text.p[i] == '?' ? PATTERN_ONE :
			  (unsigned char)text.p[i];
	p = (pattern){ wide, text.n };
	return pattern_fits(p, action, true);
}

bool policy_resource_fits(arena *mem, str text, const policy_question *q, bool variables)
{
	pattern p;
	return pattern_of(mem, text, q, variables, true, &p) && pattern_fits_arn(p, q->resource);
}

static bool action_fits(const ask *a, str text)
{
	return policy_action_fits(text, a->q->action);
}

static bool resource_fits(const ask *a, str text)
{
	return policy_resource_fits(a->mem, text, a->q, a->variables);
}

/* logs.us-east-1.amazonaws.com is what some services were called before they had one name everywhere. */
static bool names_service(str text, str service)
{
	str rest = text, first = str_cut(&rest, '.'), region = str_is(rest) ? str_cut(&rest, '.') : STR_NONE;
	if (str_eq(text, service))
		return true;
	bool regional = region.n > 3 && region.p[2] == '-' && str_eq(rest, S("amazonaws.com"));
	return regional && str_starts(service, first) &&
	       str_eq(str_sub(service, first.n, service.n), S(".amazonaws.com"));
}

static policy_naming named_by(const policy_principal *who, str kind, str text)
{
	if (str_eq(text, S("*")) && (str_eq(kind, S("AWS")) || str_is(who->federated)) &&
	    !str_eq(kind, S("Service")))
		return NAMED_ANYONE;
	if (who->anonymous)
		return NAMED_NOT;
	if (str_eq(kind, S("Service")))
		return str_is(who->service) && names_service(text, who->service) ? NAMED_ITSELF : NAMED_NOT;
	if (str_eq(kind, S("Federated")))
		return str_is(who->federated) && str_eq(text, who->federated) ? NAMED_ITSELF : NAMED_NOT;
	if (!str_eq(kind, S("AWS")) || str_is(who->service) || str_is(who->federated))
		return NAMED_NOT;
	if (str_eq(text, who->arn))
		return NAMED_ITSELF;
	if (str_is(who->role) && str_eq(text, who->role))
		return NAMED_ROLE;
	if (str_eq(text, who->account))
		return NAMED_ACCOUNT;
	str rest = text;
	if (str_starts(text, S("arn:aws:iam::")) && str_ends(text, S(":root"))) {
		rest = str_sub(text, sizeof("arn:aws:iam::") - 1, text.n - sizeof(":root") + 1);
		return str_eq(rest, who->account) ? NAMED_ACCOUNT : NAMED_NOT;
	}
	return NAMED_NOT;
}

static policy_naming strongest(const policy_principal *who, str kind, const json_value *v)
{
	if (v->kind != JSON_ARRAY)
		return named_by(who, kind, v->text);
	policy_naming best = NAMED_NOT;
	for (const json_value *item = v->first; item; item = item->next) {
		policy_naming naming = named_by(who, kind, item->text);
		best = naming > best ? naming : best;
	}
	return best;
}

static policy_naming named_in(const policy_statement *s, const policy_principal *who)
{
	policy_naming best = NAMED_NOT;
	if (s->principal->kind != JSON_OBJECT)
		return strongest(who, S("AWS"), s->principal);
	for (const json_value *v = s->principal->first; v; v = v->next) {
		policy_naming naming = strongest(who, v->key, v);
		best = naming > best ? naming : best;
	}
	return best;
}

/* A deny for all but some spares whoever is named with everything that it is: a user with its account, a
 * session with its role and account as well. */
static bool spared(const policy_statement *s, const policy_principal *who)
{
	if (named_in(s, who) != NAMED_ITSELF)
		return false;
	policy_principal account = { .account = who->account }, role = { .account = S("?"), .arn = who->role };
	bool by_arn = !str_is(who->service) && !str_is(who->federated);
	return !by_arn || (named_in(s, &account) == NAMED_ACCOUNT &&
	                   (!str_is(who->role) || named_in(s, &role) == NAMED_ITSELF));
}

static policy_naming naming_of(const policy_statement *s, const policy_question *q)
{
	if (!s->principal || !q->who)
		return NAMED_ITSELF;
	if (s->not_principal && s->deny)
		return spared(s, q->who) ? NAMED_NOT : NAMED_ANYONE;
	policy_naming best = named_in(s, q->who);
	if (!s->not_principal)
		return best;
	return best == NAMED_NOT ? NAMED_ANYONE : NAMED_NOT;
}

static bool applies(const policy_statement *s, const ask *a)
{
	if (any_of(s->action, action_fits, a) == s->not_action)
		return false;
	if (s->resource && any_of(s->resource, resource_fits, a) == s->not_resource)
		return false;
	return policy_condition_holds(a->mem, s->condition, a->q, a->variables);
}

policy_answer policy_ask(arena *mem, const policy *p, const policy_question *q)
{
	policy_answer answer = { 0 };
	ask a = { mem, q, p->variables };
	for (const policy_statement *s = p->statements; s; s = s->next) {
		policy_naming naming = naming_of(s, q);
		if (naming == NAMED_NOT || !applies(s, &a))
			continue;
		if (s->deny && !answer.denied)
			answer.denied = s;
		if (!s->deny && naming > answer.naming) {
			answer.allowed = s;
			answer.naming = naming;
		}
	}
	return answer;
}

typedef struct mentioned {
	arena *mem;
	str *names;
	size_t n, room;
} mentioned;

static void mention(void *context, str name)
{
	mentioned *m = context;
	for (size_t i = 0; i < m->n; i++)
		if (str_eq_nocase(m->names[i], name))
			return;
	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 8;
		str *wider = arena_array(m->mem, str, room);
		if (m->n)
			memcpy(wider, m->names, m->n * sizeof *wider);
		m->names = wider;
		m->room = room;
	}
	m->names[m->n++] = name;
}

static void mention_variables(mentioned *m, const json_value *v)
{
	if (!v)
		return;
	if (v->kind == JSON_STRING)
		pattern_variables(v->text, mention, m);
	for (const json_value *child = v->first; child; child = child->next)
		mention_variables(m, child);
}

size_t policy_context_keys(arena *a, const policy *p, str **names)
{
	mentioned m = { .mem = a };
	for (const policy_statement *s = p->statements; s; s = s->next) {
		for (const json_value *o = s->condition ? s->condition->first : NULL; o; o = o->next)
			for (const json_value *key = o->first; key; key = key->next)
				mention(&m, key->key);
		if (p->variables) {
			mention_variables(&m, s->resource);
			mention_variables(&m, s->condition);
		}
	}
	*names = m.names;
	return m.n;
}
