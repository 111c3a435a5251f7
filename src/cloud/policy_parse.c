#include "cloud/policy.h"
#include "cloud/policy_identity.h"
#include "cloud/policy_pattern.h"

typedef struct reading {
	arena *mem;
	policy_use use;
	policy *policy;
	str *wrong;
} reading;

#define SYNTAX "Syntax errors in policy."

static bool wrong(reading *r, str sentence)
{
	*r->wrong = sentence;
	return false;
}

static bool is_texts(const json_value *v)
{
	if (v->kind == JSON_STRING)
		return true;
	if (v->kind != JSON_ARRAY)
		return false;
	for (const json_value *item = v->first; item; item = item->next)
		if (item->kind != JSON_STRING)
			return false;
	return true;
}

/* Strings, numbers and booleans, alone or in a list: what condition values may be. */
static bool is_scalars(const json_value *v)
{
	if (v->kind != JSON_ARRAY)
		return v->kind != JSON_OBJECT && v->kind != JSON_NULL;
	for (const json_value *item = v->first; item; item = item->next)
		if (item->kind == JSON_OBJECT || item->kind == JSON_ARRAY || item->kind == JSON_NULL)
			return false;
	return true;
}

/* Calls `check` with each text of a string or a list. */
static bool each_text(reading *r, const json_value *v, bool (*check)(reading *, str))
{
	if (v->kind == JSON_STRING)
		return check(r, v->text);
	for (const json_value *item = v->first; item; item = item->next)
		if (!check(r, item->text))
			return false;
	return true;
}

static bool check_action(reading *r, str text)
{
	str name = text, vendor = str_cut(&name, ':');
	if (str_eq(text, S("*")))
		return r->use != POLICY_TRUST ||
		       wrong(r, S("AssumeRole policy may only specify STS AssumeRole actions."));
	if (!str_is(name) || vendor.n == 0 || name.n == 0)
		return wrong(
			r, S("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
	for (size_t i = 0; i < vendor.n; i++) {
		char c = (char)(vendor.p[i] | 32);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return wrong(r, arena_fmt(r->mem, "Vendor %.*s is not valid", STR_ARG(vendor)));
	}
	if (str_find_char(name, ':') != SIZE_MAX)
		return wrong(r, S("Actions/Condition can contain only one colon."));
	if (text.n > 250)
		return wrong(r, S(SYNTAX));
	if (r->use == POLICY_TRUST && !str_eq_nocase(vendor, S("sts")))
		return wrong(r, S("AssumeRole policy may only specify STS AssumeRole actions."));
	return true;
}

static bool check_principal(reading *r, const json_value *v)
{
	if (v->kind == JSON_STRING && str_eq(v->text, S("*")))
		return true;
	if (v->kind != JSON_OBJECT || !v->first)
		return wrong(r, S("Invalid principal in policy."));
	for (const json_value *kind = v->first; kind; kind = kind->next) {
		static const str kinds[] = { S("AWS"), S("Service"), S("Federated"), S("CanonicalUser") };
		bool known = false;
		for (size_t i = 0; i < 4; i++)
			known = known || str_eq(kind->key, kinds[i]);
		if (!known || !is_texts(kind))
			return wrong(r, arena_fmt(r->mem, "Invalid principal in policy: \"%.*s\"",
			                          STR_ARG(kind->key)));
	}
	return true;
}

static bool check_condition(reading *r, const json_value *v)
{
	if (v->kind != JSON_OBJECT)
		return wrong(r, S(SYNTAX));
	for (const json_value *o = v->first; o; o = o->next) {
		if (o->kind != JSON_OBJECT)
			return wrong(r, S(SYNTAX));
		if (!policy_operator_known(o->key))
			return wrong(r, arena_fmt(r->mem, "Invalid Condition type : %.*s", STR_ARG(o->key)));
		for (const json_value *key = o->first; key; key = key->next) {
			if (!is_scalars(key))
				return wrong(r, S(SYNTAX));
			if (str_find_char(key->key, ':') == SIZE_MAX)
				return wrong(r,
				             S("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, "
				               "ec2, etc."));
		}
	}
	return true;
}

/* Takes the one of NAME and NotNAME that is there; both is an error. */
static bool take_either(reading *r, const json_value *tree, str name, const json_value **out,
                        bool *negated)
{
	const json_value *plain = json_get(tree, name);
	const json_value *other = json_get(tree, arena_concat(r->mem, S("Not"), name));
	*out = plain ? plain : other;
	*negated = !plain && other;
	return !(plain && other) || wrong(r, S(SYNTAX));
}

static bool known_elements(reading *r, const json_value *tree)
{
	static const str names[] = { S("Sid"),          S("Effect"),      S("Principal"),
		                         S("NotPrincipal"), S("Action"),      S("NotAction"),
		                         S("Resource"),     S("NotResource"), S("Condition") };
	unsigned seen = 0;
	for (const json_value *v = tree->first; v; v = v->next) {
		size_t i = 0;
		while (i < sizeof names / sizeof *names && !str_eq(v->key, names[i]))
			i++;
		if (i == sizeof names / sizeof *names || seen & 1u << i)
			return wrong(r, S(SYNTAX));
		seen |= 1u << i;
	}
	return true;
}

static bool fitting_elements(reading *r, const policy_statement *s)
{
	if (!s->action)
		return wrong(r, S("Policy statement must contain actions."));
	if (!is_texts(s->action) || !each_text(r, s->action, check_action))
		return r->wrong->n ? false : wrong(r, S(SYNTAX));
	if (!s->principal)
		return wrong(r, S("Missing required field Principal"));
	if (r->use == POLICY_TRUST && s->resource)
		return wrong(r, S("Has prohibited field Resource"));
	if (!check_principal(r, s->principal))
		return false;
	/* What a resource policy may name besides ARNs is its service's affair. */
	if (s->resource && !is_texts(s->resource))
		return wrong(r, S(SYNTAX));
	return !s->condition || check_condition(r, s->condition);
}

static bool take_elements(reading *r, const json_value *tree, policy_statement *s)
{
	const json_value *sid = json_get(tree, S("Sid"));
	s->deny = str_eq(json_get(tree, S("Effect"))->text, S("Deny"));
	s->sid = sid ? sid->text : STR_NONE;
	s->condition = json_get(tree, S("Condition"));
	return take_either(r, tree, S("Principal"), &s->principal, &s->not_principal)
		&& take_either(r, tree, S("Action"), &s->action, &s->not_action)
		&& take_either(r, tree, S("Resource"), &s->resource, &s->not_resource);
}

static bool read_statement(reading *r, const json_value *tree, policy_statement *s)
{
	if (r->use == POLICY_IDENTITY || r->use == POLICY_MANAGED)
		return take_elements(r, tree, s); /* judged as a whole before */
	if (tree->kind != JSON_OBJECT || !known_elements(r, tree))
		return wrong(r, S(SYNTAX));
	const json_value *effect = json_get(tree, S("Effect")), *sid = json_get(tree, S("Sid"));
	if (!effect)
		return wrong(r, S("Missing required field Effect"));
	if (effect->kind != JSON_STRING || (sid && sid->kind != JSON_STRING))
		return wrong(r, S(SYNTAX));
	if (!str_eq(effect->text, S("Deny")) && !str_eq(effect->text, S("Allow")))
		return wrong(r, arena_fmt(r->mem, "Invalid effect: %.*s", STR_ARG(effect->text)));
	for (const policy_statement *o = r->policy->statements; o; o = o->next)
		if (sid && sid->text.n && str_eq(o->sid, sid->text))
			return wrong(r, S("Statement IDs (SID) in a single policy must be unique."));
	return take_elements(r, tree, s) && fitting_elements(r, s);
}

static bool read_statements(reading *r, const json_value *list)
{
	policy_statement **end = &r->policy->statements;
	const json_value *tree = list->kind == JSON_ARRAY ? list->first : list;
	for (size_t i = 0; tree; i++) {
		policy_statement *s = arena_new(r->mem, policy_statement);
		s->policy = r->policy;
		s->index = i;
		if (!read_statement(r, tree, s))
			return false;
		*end = s;
		end = &s->next;
		tree = list->kind == JSON_ARRAY ? tree->next : NULL;
	}
	return r->policy->statements != NULL || wrong(r, S(SYNTAX));
}

/* Where in the text each statement stands, for the simulator. */
static void place_statements(reading *r)
{
	json j = json_of(r->mem, r->policy->text), list;
	policy_statement *s = r->policy->statements;
	json_next(&j);
	while (json_next(&j) != JSON_OBJECT_END && j.kind != JSON_ERROR && j.kind != JSON_END) {
		if (!str_eq(j.key, S("Statement"))) {
			json_skip(&j);
			continue;
		}
		str raw = json_raw(&j);
		list = json_of(r->mem, raw);
		if (json_next(&list) == JSON_OBJECT) {
			s->start = (size_t)(raw.p - r->policy->text.p);
			s->end = s->start + raw.n;
			return;
		}
		for (; s && json_next(&list) == JSON_OBJECT; s = s->next) {
			str one = json_raw(&list);
			s->start = (size_t)(one.p - r->policy->text.p);
			s->end = s->start + one.n;
		}
		return;
	}
}

policy *policy_parse(arena *a, str text, policy_use use, str *why)
{
	reading r = { .mem = a, .use = use, .wrong = why };
	*why = STR_NONE;
	const json_value *tree = json_parse(a, text);
	bool identity = use == POLICY_IDENTITY || use == POLICY_MANAGED;
	if (identity && !policy_identity_check(a, tree, use == POLICY_MANAGED, why))
		return NULL;
	if (!tree || tree->kind != JSON_OBJECT) {
		wrong(&r, S("This policy contains invalid Json"));
		return NULL;
	}
	const json_value *version = json_get(tree, S("Version")),
					 *list = json_get(tree, S("Statement"));
	for (const json_value *v = tree->first; v; v = v->next)
		if (!str_eq(v->key, S("Version")) && !str_eq(v->key, S("Statement"))
		    && !str_eq(v->key, S("Id"))) {
			wrong(&r, S(SYNTAX));
			return NULL;
		}
	if (!list || (version && !str_eq(version->text, S("2012-10-17")) &&
	              !str_eq(version->text, S("2008-10-17")))) {
		wrong(&r, list ? S("Policy document must be version 2012-10-17 or greater.") : S(SYNTAX));
		return NULL;
	}
	policy *p = r.policy = arena_new(a, policy);
	p->text = text;
	p->variables = version && str_eq(version->text, S("2012-10-17"));
	if (!read_statements(&r, list))
		return NULL;
	place_statements(&r);
	return p;
}
