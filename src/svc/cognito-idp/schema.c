/* What attributes a pool's users may have, and whether what is given fits. */
#include "base/text.h"
#include "pool.h"

typedef struct standard {
	const char *name, *type, *low, *high;
	bool fixed, required;
} standard;

static const standard standards[] = {
	{ "profile", "String", "0", "2048", false, false },
	{ "address", "String", "0", "2048", false, false },
	{ "birthdate", "String", "10", "10", false, false },
	{ "gender", "String", "0", "2048", false, false },
	{ "preferred_username", "String", "0", "2048", false, false },
	{ "updated_at", "Number", "0", NULL, false, false },
	{ "website", "String", "0", "2048", false, false },
	{ "picture", "String", "0", "2048", false, false },
	{ "identities", "String", NULL, NULL, false, false },
	{ "sub", "String", "1", "2048", true, true },
	{ "phone_number", "String", "0", "2048", false, false },
	{ "phone_number_verified", "Boolean", NULL, NULL, false, false },
	{ "zoneinfo", "String", "0", "2048", false, false },
	{ "locale", "String", "0", "2048", false, false },
	{ "email", "String", "0", "2048", false, false },
	{ "email_verified", "Boolean", NULL, NULL, false, false },
	{ "given_name", "String", "0", "2048", false, false },
	{ "family_name", "String", "0", "2048", false, false },
	{ "middle_name", "String", "0", "2048", false, false },
	{ "name", "String", "0", "2048", false, false },
	{ "nickname", "String", "0", "2048", false, false },
};
#define N_STANDARDS (sizeof standards / sizeof *standards)

static cognito_idp_SchemaAttributeType standard_made(arena *mem, const standard *s)
{
	cognito_idp_SchemaAttributeType a = {
		.Name = str_c(s->name),
		.AttributeDataType = str_c(s->type),
		.DeveloperOnlyAttribute = BOOL(false),
		.Mutable = BOOL(!s->fixed),
		.Required = BOOL(s->required),
	};
	if (str_eq(a.AttributeDataType, S("String"))) {
		a.StringAttributeConstraints = arena_new(mem, cognito_idp_StringAttributeConstraintsType);
		a.StringAttributeConstraints->MinLength = str_c(s->low);
		a.StringAttributeConstraints->MaxLength = str_c(s->high);
	} else if (str_eq(a.AttributeDataType, S("Number"))) {
		a.NumberAttributeConstraints = arena_new(mem, cognito_idp_NumberAttributeConstraintsType);
		a.NumberAttributeConstraints->MinValue = str_c(s->low);
	}
	return a;
}

/* A bound that is given is a number, and the lower one is not above the upper one. */
static err check_bounds(req *rq, str name, str low, str high, bool text)
{
	int64_t least = 0, most = 0;
	if ((str_is(low) && !str_to_i64(low, &least)) || (str_is(high) && !str_to_i64(high, &most)))
		return fail(rq, &cognito_idp_InvalidParameterException, "user.%.*s: Constraints must be numbers.",
		            STR_ARG(name));
	if (text && str_is(high) && most > 2048)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "user.%.*s: String attributes cannot have a length of more than 2048", STR_ARG(name));
	if (str_is(low) && str_is(high) && least > most)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "user.%.*s: Max %s cannot be less than min %s.", STR_ARG(name), text ? "length" : "value",
		            text ? "length" : "value");
	return OK;
}

static err check_constraints(req *rq, const cognito_idp_SchemaAttributeType *a)
{
	const cognito_idp_StringAttributeConstraintsType *s = a->StringAttributeConstraints;
	const cognito_idp_NumberAttributeConstraintsType *n = a->NumberAttributeConstraints;
	if (s)
		TRY(check_bounds(rq, a->Name, s->MinLength, s->MaxLength, true));
	return n ? check_bounds(rq, a->Name, n->MinValue, n->MaxValue, false) : OK;
}

static err change_standard(req *rq, const cognito_idp_SchemaAttributeType *given,
                           cognito_idp_SchemaAttributeType *a)
{
	if (given->DeveloperOnlyAttribute.v
	    || (str_is(given->AttributeDataType) && !str_eq(given->AttributeDataType, a->AttributeDataType)))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "You can not change AttributeDataType or set developerOnlyAttribute for standard schema "
		            "attribute %.*s",
		            STR_ARG(a->Name));
	if (given->Mutable.set)
		a->Mutable = given->Mutable;
	if (given->Required.set)
		a->Required = given->Required;
	if (given->StringAttributeConstraints)
		a->StringAttributeConstraints = given->StringAttributeConstraints;
	if (given->NumberAttributeConstraints)
		a->NumberAttributeConstraints = given->NumberAttributeConstraints;
	return check_constraints(rq, a);
}

static err custom_made(req *rq, const cognito_idp_SchemaAttributeType *given, const idp_pool *p,
                       cognito_idp_SchemaAttributeType *a)
{
	*a = *given;
	if (!str_is(given->Name))
		return fail(rq, &cognito_idp_InvalidParameterException, "Attribute name is required.");
	if (!str_is(given->AttributeDataType))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum.");
	if (given->Required.v)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Required custom attributes are not supported currently.");
	a->DeveloperOnlyAttribute = BOOL(given->DeveloperOnlyAttribute.v);
	a->Mutable = BOOL(!given->Mutable.set || given->Mutable.v);
	a->Required = BOOL(false);
	a->Name =
		arena_fmt(rq->mem, "%scustom:%.*s", a->DeveloperOnlyAttribute.v ? "dev:" : "", STR_ARG(given->Name));
	if (str_eq(a->AttributeDataType, S("String")) && !a->StringAttributeConstraints)
		a->StringAttributeConstraints = arena_new(rq->mem, cognito_idp_StringAttributeConstraintsType);
	if (str_eq(a->AttributeDataType, S("Number")) && !a->NumberAttributeConstraints)
		a->NumberAttributeConstraints = arena_new(rq->mem, cognito_idp_NumberAttributeConstraintsType);
	if (idp_schema_find(p, a->Name))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "%.*s: Existing attribute already has name %.*s.", STR_ARG(a->Name), STR_ARG(a->Name));
	return check_constraints(rq, a);
}

static size_t customs(const idp_pool *p) { return p->It->SchemaAttributes.n - N_STANDARDS; }

/* Behind what is there. */
static err schema_add(req *rq, const cognito_idp_SchemaAttributesListType *given, idp_pool *p, bool change)
{
	cognito_idp_SchemaAttributesListType *all = &p->It->SchemaAttributes;
	cognito_idp_SchemaAttributeType *v =
		arena_array(rq->mem, cognito_idp_SchemaAttributeType, all->n + given->n + 1);
	memcpy(v, all->v, all->n * sizeof *v);
	all->v = v;
	for (size_t i = 0; i < given->n; i++) {
		cognito_idp_SchemaAttributeType *old = NULL;
		for (size_t k = 0; change && k < N_STANDARDS; k++)
			if (str_eq(v[k].Name, given->v[i].Name))
				old = &v[k];
		if (old) {
			TRY(change_standard(rq, &given->v[i], old));
			continue;
		}
		TRY(custom_made(rq, &given->v[i], p, &v[all->n]));
		all->n++;
	}
	return customs(p) <= COGNITO_CUSTOM_MAX
		? OK
		: fail(rq, &cognito_idp_LimitExceededException, "Maximum number of custom attributes %d exceeded.",
	           COGNITO_CUSTOM_MAX);
}

err idp_schema_make(req *rq, const cognito_idp_SchemaAttributesListType *given, idp_pool *p)
{
	cognito_idp_SchemaAttributesListType *all = &p->It->SchemaAttributes;
	all->v = arena_array(rq->mem, cognito_idp_SchemaAttributeType, N_STANDARDS);
	for (all->n = 0; all->n < N_STANDARDS; all->n++)
		all->v[all->n] = standard_made(rq->mem, &standards[all->n]);
	return schema_add(rq, given, p, true);
}

err cognito_idp_AddCustomAttributes(req *rq, txn *tx, const cognito_idp_AddCustomAttributes_in *in,
                                    cognito_idp_AddCustomAttributes_out *out)
{
	idp_pool *p;
	cognito_idp_SchemaAttributesListType given = { in->CustomAttributes.v, in->CustomAttributes.n };
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(schema_add(rq, &given, p, false));
	p->It->LastModifiedDate = TIME(rq->now);
	cognito_idp_pool_put(tx, p);
	return OK;
}

const cognito_idp_SchemaAttributeType *idp_schema_find(const idp_pool *p, str name)
{
	for (size_t i = 0; i < p->It->SchemaAttributes.n; i++)
		if (str_eq(p->It->SchemaAttributes.v[i].Name, name))
			return &p->It->SchemaAttributes.v[i];
	return NULL;
}

str idp_attribute(const idp_attributes *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].Name, name))
			return a->v[i].Value;
	return STR_NONE;
}

void idp_attribute_set(arena *mem, idp_attributes *a, str name, str value)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].Name, name)) {
			a->v[i].Value = value;
			return;
		}
	cognito_idp_AttributeType *v = arena_array(mem, cognito_idp_AttributeType, a->n + 1);
	if (a->n)
		memcpy(v, a->v, a->n * sizeof *v);
	v[a->n] = (cognito_idp_AttributeType){ .Name = name, .Value = value };
	*a = (idp_attributes){ v, a->n + 1 };
}

void idp_attribute_drop(idp_attributes *a, str name)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		if (!str_eq(a->v[i].Name, name))
			a->v[n++] = a->v[i];
	a->n = n;
}

idp_attributes idp_attributes_shown(arena *mem, const idp_user *u)
{
	idp_attributes a = { arena_array(mem, cognito_idp_AttributeType, u->Attributes.n + 1),
		                 u->Attributes.n + 1 };
	if (u->Attributes.n)
		memcpy(a.v, u->Attributes.v, u->Attributes.n * sizeof *a.v);
	a.v[a.n - 1] = (cognito_idp_AttributeType){ .Name = S("sub"), .Value = u->Sub };
	return a;
}

bool idp_is_email(str s)
{
	size_t at = str_find_char(s, '@');
	if (at == SIZE_MAX || at == 0 || at + 1 >= s.n || s.n > 254)
		return false;
	str host = str_sub(s, at + 1, s.n);
	size_t dot = str_find_char(host, '.');
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ')
			return false;
	return str_find_char(host, '@') == SIZE_MAX && dot != SIZE_MAX && dot > 0 && host.p[host.n - 1] != '.';
}

bool idp_is_phone(str s)
{
	if (s.n < 2 || s.n > 19 || s.p[0] != '+')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static err misfit(req *rq, str name, const char *why)
{
	return fail(rq, &cognito_idp_InvalidParameterException,
	            "Attributes did not conform to the schema: %.*s: %s\n", STR_ARG(name), why);
}

static err check_string(req *rq, const cognito_idp_SchemaAttributeType *a, str value)
{
	const cognito_idp_StringAttributeConstraintsType *c = a->StringAttributeConstraints;
	int64_t low, high, length = (int64_t)utf8_length(value);
	if (c && str_to_i64(c->MinLength, &low) && length < low)
		return misfit(rq, a->Name,
		              arena_fmt(rq->mem, "String must be at least %lld characters long", (long long)low).p);
	if (c && str_to_i64(c->MaxLength, &high) && length > high)
		return misfit(rq, a->Name,
		              arena_fmt(rq->mem, "String must be no longer than %lld characters", (long long)high).p);
	return OK;
}

static err check_number(req *rq, const cognito_idp_SchemaAttributeType *a, str value)
{
	const cognito_idp_NumberAttributeConstraintsType *c = a->NumberAttributeConstraints;
	int64_t low, high, n;
	if (!str_to_i64(value, &n))
		return misfit(rq, a->Name, "Attribute value is not a number");
	if (c && str_to_i64(c->MinValue, &low) && n < low)
		return misfit(rq, a->Name, arena_fmt(rq->mem, "Number must be at least %lld", (long long)low).p);
	if (c && str_to_i64(c->MaxValue, &high) && n > high)
		return misfit(rq, a->Name, arena_fmt(rq->mem, "Number must be no more than %lld", (long long)high).p);
	return OK;
}

static err check_value(req *rq, const cognito_idp_SchemaAttributeType *a, str value)
{
	if (!value.n)
		return OK;
	if (str_eq(a->Name, S("email")) && !idp_is_email(value))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid email address format.");
	if (str_eq(a->Name, S("phone_number")) && !idp_is_phone(value))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid phone number format.");
	if (str_eq(a->AttributeDataType, S("String")))
		return check_string(rq, a, value);
	if (str_eq(a->AttributeDataType, S("Number")))
		return check_number(rq, a, value);
	if (str_eq(a->AttributeDataType, S("Boolean")) && !str_eq(value, S("true")) && !str_eq(value, S("false"))
	    && !str_eq(value, S("True")) && !str_eq(value, S("False")))
		return misfit(rq, a->Name, "Attribute value is not a boolean");
	return OK;
}

err idp_attributes_check(req *rq, const idp_pool *p, const idp_attributes *given)
{
	for (size_t i = 0; i < given->n; i++) {
		const cognito_idp_SchemaAttributeType *a = idp_schema_find(p, given->v[i].Name);
		if (!a)
			return misfit(rq, given->v[i].Name, "Attribute does not exist in the schema.");
		for (size_t k = 0; k < i; k++)
			if (str_eq(given->v[k].Name, a->Name))
				return fail(rq, &cognito_idp_InvalidParameterException, "Duplicate attribute %.*s",
				            STR_ARG(a->Name));
		TRY(check_value(rq, a, given->v[i].Value));
	}
	return OK;
}

err idp_attributes_required(req *rq, const idp_pool *p, const idp_attributes *given)
{
	buf b = buf_in(rq->mem, 128, 8192);
	for (size_t i = 0; i < p->It->SchemaAttributes.n; i++) {
		const cognito_idp_SchemaAttributeType *a = &p->It->SchemaAttributes.v[i];
		if (a->Required.v && !str_eq(a->Name, S("sub")) && !idp_attribute(given, a->Name).n)
			buf_fmt(&b, "%.*s: The attribute is required\n", STR_ARG(a->Name));
	}
	return !b.n ? OK
				: fail(rq, &cognito_idp_InvalidParameterException,
	                   "Attributes did not conform to the schema: %.*s", STR_ARG(buf_str(&b)));
}

err idp_attributes_mutable(req *rq, const idp_pool *p, const str *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const cognito_idp_SchemaAttributeType *a = idp_schema_find(p, names[i]);
		if (!a)
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "user.%.*s: Attribute does not exist in the schema.\n", STR_ARG(names[i]));
		if (!a->Mutable.v)
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "user.%.*s: Attribute cannot be updated.\n", STR_ARG(names[i]));
	}
	return OK;
}

err idp_attributes_writable(req *rq, const idp_client *c, const idp_attributes *given)
{
	const cognito_idp_ClientPermissionListType *may = &c->It->WriteAttributes;
	for (size_t i = 0; i < given->n; i++) {
		str name = given->v[i].Name;
		bool never = str_eq(name, S("email_verified")) || str_eq(name, S("phone_number_verified"))
			|| str_eq(name, S("sub")) || str_starts(name, S("dev:"));
		if (never || (may->n && !idp_listed(may->v, may->n, name)))
			return fail(rq, &cognito_idp_NotAuthorizedException,
			            "A client attempted to write unauthorized attribute");
	}
	return OK;
}
