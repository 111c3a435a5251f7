/*
 * What IAM says of a policy for identities that it does not take, in the order in which AWS looks: its shape,
 * its version, effects and dates ("legacy parsing"), ids, what is missing, resources, actions.
 */
#include "cloud/policy_identity.h"
#include "cloud/policy_pattern.h"

#define SYNTAX S("Syntax errors in policy.")
#define LEGACY S("The policy failed legacy parsing")

typedef struct look {
	arena *mem;
	str wrong;
} look;

static bool refuse(look *l, str sentence)
{
	l->wrong = sentence;
	return false;
}

static const json_value *first_of(const json_value *v)
{
	return v && v->kind == JSON_ARRAY ? v->first : v;
}

static const json_value *next_of(const json_value *whole, const json_value *v)
{
	return whole->kind == JSON_ARRAY ? v->next : NULL;
}
#define EACH(item_, whole_) \
	const json_value *item_ = first_of(whole_); item_; item_ = next_of(whole_, item_)

static bool is_texts(const json_value *v)
{
	for (EACH(t, v))
		if (t->kind != JSON_STRING)
			return false;
	return true;
}

static bool is_scalars(const json_value *v)
{
	for (EACH(t, v))
		if (t->kind == JSON_OBJECT || t->kind == JSON_ARRAY || t->kind == JSON_NULL)
			return false;
	return true;
}

static const json_value *either(const json_value *s, const char *name, const char *other)
{
	const json_value *v = json_get(s, str_c(name));
	return v ? v : json_get(s, str_c(other));
}

static bool only(const json_value *tree, const char *const *names, size_t n)
{
	unsigned seen = 0;
	for (const json_value *v = tree->first; v; v = v->next) {
		size_t i = 0;
		while (i < n && !str_eq(v->key, str_c(names[i])))
			i++;
		if (i == n || seen & 1u << i)
			return false;
		seen |= 1u << i;
	}
	return true;
}

static bool shaped_condition(const json_value *c)
{
	if (!c)
		return true;
	if (c->kind != JSON_OBJECT)
		return false;
	for (const json_value *o = c->first; o; o = o->next) {
		/* An operator that nobody knows does no harm while it compares nothing. */
		if (o->kind != JSON_OBJECT || (o->first && !policy_operator_known(o->key)))
			return false;
		for (const json_value *key = o->first; key; key = key->next)
			if (!is_scalars(key))
				return false;
	}
	return true;
}

static bool shaped_pair(const json_value *s, const char *name, const char *other)
{
	const json_value *v = either(s, name, other);
	return !(json_get(s, str_c(name)) && json_get(s, str_c(other))) && (!v || is_texts(v));
}

static bool shaped_statement(const json_value *s)
{
	static const char *const names[] = { "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
		                             "NotAction", "Resource", "NotResource", "Condition" };
	if (s->kind != JSON_OBJECT || !only(s, names, sizeof names / sizeof *names))
		return false;
	const json_value *effect = json_get(s, S("Effect")), *sid = json_get(s, S("Sid"));
	return effect && effect->kind == JSON_STRING &&
	       (str_eq_nocase(effect->text, S("Allow")) || str_eq_nocase(effect->text, S("Deny"))) &&
	       (!sid || sid->kind == JSON_STRING) && shaped_pair(s, "Action", "NotAction") &&
	       shaped_pair(s, "Resource", "NotResource") && shaped_condition(json_get(s, S("Condition")));
}

static bool shaped(const json_value *tree)
{
	static const char *const names[] = { "Version", "Id", "Statement" };
	if (!tree || tree->kind != JSON_OBJECT || !only(tree, names, 3))
		return false;
	const json_value *version = json_get(tree, S("Version")), *id = json_get(tree, S("Id")),
			 *list = json_get(tree, S("Statement"));
	if (version && (version->kind != JSON_STRING || (!str_eq(version->text, S("2012-10-17")) &&
	                                                 !str_eq(version->text, S("2008-10-17")))))
		return false;
	if (!list || (id && id->kind != JSON_STRING) || !first_of(list))
		return false;
	for (EACH(s, list))
		if (!shaped_statement(s))
			return false;
	return true;
}

static bool number_within(str text, int64_t least, int64_t most)
{
	int64_t n;
	return str_to_i64(text, &n) && n >= least && n <= most;
}

static bool digits(str text, size_t least, size_t most)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.n >= least && text.n <= most;
}

/* 23:59:59.123456789, from the left as much as is there. */
static bool is_time(str text)
{
	static const int most[] = { 23, 59, 59 };
	for (int i = 0; i < 3 && str_is(text); i++) {
		str part = str_cut(&text, ':'), whole = i == 2 ? str_cut(&part, '.') : part;
		if (!digits(whole, 1, 2) || !number_within(whole, 0, most[i]) ||
		    (i == 2 && str_is(part) && !digits(part, 1, 9)))
			return false;
	}
	return !str_is(text);
}

static bool is_zone(str text)
{
	str minutes = text, hours = str_cut(&minutes, ':');
	return digits(hours, 2, 2) && number_within(hours, 0, 23) &&
	       (!str_is(minutes) || (digits(minutes, 2, 2) && number_within(minutes, 0, 59)));
}

static bool is_day(str text)
{
	bool before_christ = str_starts(text, S("-"));
	str rest = before_christ ? str_sub(text, 1, text.n) : text, year = str_cut(&rest, '-');
	if (!digits(year, 1, 9) || !number_within(year, 0, before_christ ? 292275054 : 292278993))
		return false;
	str month = str_is(rest) ? str_cut(&rest, '-') : S("1"), day = str_is(rest) ? rest : S("1");
	return digits(month, 1, 2) && number_within(month, 1, 12) && digits(day, 1, 2) &&
	       number_within(day, 1, 31);
}

static bool is_date(str text)
{
	int64_t seconds;
	if (str_to_i64(text, &seconds))
		return true;
	size_t at = 0;
	while (at < text.n && (text.p[at] | 32) != 't')
		at++;
	str time = at < text.n ? str_sub(text, at + 1, text.n) : S("");
	if (!is_day(str_sub(text, 0, at)))
		return false;
	if (time.n && (time.p[time.n - 1] | 32) == 'z')
		return is_time(str_sub(time, 0, time.n - 1));
	size_t zone = 0;
	while (zone < time.n && time.p[zone] != '+' && time.p[zone] != '-')
		zone++;
	return (zone == 0 || is_time(str_sub(time, 0, zone))) &&
	       (zone == time.n || is_zone(str_sub(time, zone + 1, time.n)));
}

static bool legacy_statement(const json_value *s)
{
	str effect = json_get(s, S("Effect"))->text;
	const json_value *c = json_get(s, S("Condition"));
	if (!str_eq(effect, S("Allow")) && !str_eq(effect, S("Deny")))
		return false;
	for (const json_value *o = c ? c->first : NULL; o; o = o->next) {
		str bare = o->key;
		if (str_starts(bare, S("For")) && str_find_char(bare, ':') != SIZE_MAX)
			str_cut(&bare, ':');
		for (const json_value *key = str_starts(bare, S("Date")) ? o->first : NULL; key; key = key->next)
			for (EACH(date, key))
				if (date->kind == JSON_STRING && !is_date(date->text))
					return false;
	}
	return true;
}

static str *cut_all(arena *mem, str text, size_t *n)
{
	str *parts = arena_array(mem, str, text.n + 1);
	*n = 0;
	while (str_is(text))
		parts[(*n)++] = str_cut(&text, ':');
	return parts;
}

static bool known_partition(str part)
{
	return str_eq(part, S("aws")) || str_eq(part, S("aws-cn")) || str_eq(part, S("aws-us-gov")) ||
	       str_eq(part, S("aws-iso")) || str_eq(part, S("aws-iso-b")) || str_eq(part, S("*"));
}

/* AWS shows what it made of the text: missing parts are "*", and all after the fifth are one. */
static str wrong_partition(look *l, str *part, size_t n)
{
	str a = n > 2 && (part[2].n || n > 3) ? part[2] : S("*"), b = n > 3 ? part[3] : S("*");
	str c = n > 4 ? part[4] : S("*"), d = n > 5 ? part[5] : S("*");
	if (n > 5) /* up to the end of the text, which the parts point into */
		d = str_of(part[5].p, (size_t)(part[n - 1].p + part[n - 1].n - part[5].p));
	return arena_fmt(l->mem, "Partition \"%.*s\" is not valid for resource \"arn:%.*s:%.*s:%.*s:%.*s:%.*s\".",
	                 STR_ARG(part[1]), STR_ARG(part[1]), STR_ARG(a), STR_ARG(b), STR_ARG(c), STR_ARG(d));
}

#define IAM_PATHS \
	"IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, " \
	"instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, " \
	"report/, access-report/."

static bool iam_path_known(str resource)
{
	static const char *const begins[] = { "user/", "federated-user/", "role/", "group/", "instance-profile/",
		"mfa/", "server-certificate/", "policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/",
		"access-report/", "assumed-role/", "u2f/" };
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (str_starts(resource, str_c(begins[i])))
			return true;
	/* A pattern may begin like one of them or with a wildcard. */
	return str_eq(resource, S("root")) || str_find_char(resource, '*') < resource.n ||
	       str_find_char(resource, '?') < resource.n || str_find_char(resource, '$') < resource.n;
}

/* What is wrong with a resource's form; STR_NONE: nothing. */
static str resource_fault(look *l, str text)
{
	size_t n;
	str *part = cut_all(l->mem, text, &n);
	if (str_eq(text, S("*")))
		return STR_NONE;
	if (n < 2)
		return arena_fmt(l->mem, "Resource %.*s must be in ARN format or \"*\".", STR_ARG(text));
	if (!known_partition(part[1]))
		return wrong_partition(l, part, n);
	if (n < 3)
		return S("Resource vendor must be fully qualified and cannot contain regexes.");
	str region = n > 3 ? part[3] : S("");
	str resource = n > 5 ? str_of(part[5].p, (size_t)(text.p + text.n - part[5].p)) : S("");
	if (str_eq(part[2], S("iam")) && region.n && !str_eq(region, S("*")) && n > 4)
		return arena_fmt(l->mem, "IAM resource %.*s cannot contain region information.", STR_ARG(text));
	if (str_eq(part[2], S("s3")) && region.n && !str_eq(region, S("*")) && n > 4 &&
	    !str_starts(resource, S("accesspoint/")) && !str_starts(resource, S("job/")) &&
	    !str_starts(resource, S("storage-lens/")))
		return arena_fmt(l->mem, "Resource %.*s can not contain region information.", STR_ARG(text));
	if (str_eq(part[2], S("iam")) && n > 5 && !iam_path_known(resource))
		return S(IAM_PATHS);
	return STR_NONE;
}

static bool legacy_resource(str text)
{
	str rest = text;
	size_t colons = 0;
	for (size_t i = 0; i < text.n; i++)
		colons += text.p[i] == ':';
	str_cut(&rest, ':');
	if (str_is(rest))
		str_cut(&rest, ':');
	str vendor = str_is(rest) ? str_cut(&rest, ':') : S("");
	return str_eq(text, S("*")) || ((colons >= 5 || str_find(text, S("::")) == SIZE_MAX) && vendor.n);
}

/* In *fault the fault of the first statement that has one: of its least resource, as AWS tells it. false:
 * what an older reader of policies cannot even take apart. */
static bool resources(look *l, const json_value *list, str *fault)
{
	for (EACH(s, list)) {
		const json_value *v = either(s, "Resource", "NotResource");
		str least = STR_NONE;
		for (EACH(t, v)) {
			str one = resource_fault(l, t->text);
			if (str_is(one) && (!str_is(least) || str_cmp(t->text, least) < 0)) {
				least = t->text;
				*fault = one;
			}
		}
		if (str_is(*fault))
			return true;
		for (EACH(t, v))
			if (!legacy_resource(t->text))
				return false;
	}
	return true;
}

static bool sids(look *l, const json_value *list)
{
	for (EACH(s, list)) {
		const json_value *sid = json_get(s, S("Sid"));
		for (EACH(o, list)) {
			const json_value *other = o == s ? NULL : json_get(o, S("Sid"));
			if (sid && sid->text.n && other && str_eq(sid->text, other->text))
				return refuse(l, S("Statement IDs (SID) in a single policy must be unique."));
		}
		for (size_t i = 0; sid && i < sid->text.n; i++) {
			char c = sid->text.p[i];
			if (!(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z'))
				return refuse(l, S("Statement IDs (SID) must be alpha-numeric. Check that your "
				                   "input satisfies the regular expression [0-9A-Za-z]*"));
		}
	}
	return true;
}

static bool everything_there(look *l, const json_value *list)
{
	for (EACH(s, list)) {
		const json_value *v = either(s, "Action", "NotAction");
		if (!v || !first_of(v))
			return refuse(l, S("Policy statement must contain actions."));
	}
	for (EACH(s, list))
		if (either(s, "Principal", "NotPrincipal"))
			return refuse(l, S("Policy document should not specify a principal."));
	for (EACH(s, list)) {
		const json_value *v = either(s, "Resource", "NotResource");
		if (!v || !first_of(v))
			return refuse(l, S("Policy statement must contain resources."));
	}
	return true;
}

static bool action(look *l, str text)
{
	str name = text, vendor = str_cut(&name, ':');
	if (str_eq(text, S("*")))
		return true;
	if (!str_is(name) || !vendor.n || !name.n)
		return refuse(l, S("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, "
		                   "etc."));
	if (str_find_char(name, ':') != SIZE_MAX)
		return refuse(l, S("Actions/Condition can contain only one colon."));
	for (size_t i = 0; i < vendor.n; i++) {
		char c = (char)(vendor.p[i] | 32);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!plain && vendor.p[i] != '-' && vendor.p[i] != '.')
			return refuse(l, arena_fmt(l->mem, "Vendor %.*s is not valid", STR_ARG(vendor)));
	}
	return true;
}

static bool judged(look *l, const json_value *tree, bool managed)
{
	str fault = STR_NONE;
	if (!shaped(tree))
		return refuse(l, SYNTAX);
	const json_value *version = json_get(tree, S("Version")), *list = json_get(tree, S("Statement"));
	if (managed && !(version && str_eq(version->text, S("2012-10-17"))))
		return refuse(l, S("Policy document must be version 2012-10-17 or greater."));
	for (EACH(s, list))
		if (!legacy_statement(s))
			return refuse(l, LEGACY);
	if (!resources(l, list, &fault))
		return refuse(l, LEGACY);
	if (!sids(l, list) || !everything_there(l, list))
		return false;
	if (str_is(fault))
		return refuse(l, fault);
	for (EACH(s, list)) {
		const json_value *v = either(s, "Action", "NotAction");
		for (EACH(t, v))
			if (!action(l, t->text))
				return false;
	}
	return true;
}

bool policy_identity_check(arena *mem, const json_value *tree, bool managed, str *wrong)
{
	look l = { .mem = mem };
	bool good = judged(&l, tree, managed);
	*wrong = l.wrong;
	return good;
}
