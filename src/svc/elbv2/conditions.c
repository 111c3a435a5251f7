/* Conditions of rules as AWS takes them: of each field at most one form, and bounds on what is compared. */
#include "elb.h"

#define VALUE_MOST 128
#define NAME_MOST 40

static err bad(req *rq, const char *text) { return fail(rq, &aws_ValidationException, "%s", text); }

static err too_long(req *rq, const char *what, size_t most)
{
	return fail(rq, &aws_ValidationException, "The '%s' value is too long; the limit is '%zu'", what, most);
}

static size_t wildcards(str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '*' || s.p[i] == '?';
	return n;
}

typedef struct sums {
	size_t values, wildcards;
} sums;

static err count(req *rq, const elbv2_ListOfString *v, const char *what, sums *s)
{
	if (!v->n)
		return bad(rq, "A condition value must be specified");
	for (size_t i = 0; i < v->n; i++) {
		if (v->v[i].n > VALUE_MOST)
			return too_long(rq, what, VALUE_MOST);
		if (!v->v[i].n)
			return bad(rq, "A condition value must be specified");
		s->wildcards += wildcards(v->v[i]);
	}
	s->values += v->n;
	return OK;
}

/* host-header and path-pattern may have their values in an older place; they are shown in both. */
static err older(req *rq, elbv2_RuleCondition *c, const elbv2_ListOfString *config, const char *member,
                 sums *s)
{
	const char *field = arena_str(rq->mem, c->Field).p;
	if (config && c->Values.n)
		return fail(rq, &aws_ValidationException,
		            "You cannot provide both Values and '%s' for a condition of type '%s'", member, field);
	if (!config && c->Values.n > 1)
		return fail(rq, &aws_ValidationException,
		            "The '%s' field contains too many values; the limit is '1'", field);
	c->Values = config ? *config : c->Values;
	return count(rq, &c->Values, field, s);
}

static err host_header(req *rq, elbv2_RuleCondition *c, sums *s)
{
	TRY(older(rq, c, c->HostHeaderConfig ? &c->HostHeaderConfig->Values : NULL, "HostHeaderConfig", s));
	c->HostHeaderConfig = arena_new(rq->mem, elbv2_HostHeaderConditionConfig);
	c->HostHeaderConfig->Values = c->Values;
	return OK;
}

static err path_pattern(req *rq, elbv2_RuleCondition *c, sums *s)
{
	TRY(older(rq, c, c->PathPatternConfig ? &c->PathPatternConfig->Values : NULL, "PathPatternConfig", s));
	c->PathPatternConfig = arena_new(rq->mem, elbv2_PathPatternConditionConfig);
	c->PathPatternConfig->Values = c->Values;
	return OK;
}

static err header(req *rq, const elbv2_RuleCondition *c, sums *s)
{
	const elbv2_HttpHeaderConditionConfig *h = c->HttpHeaderConfig;
	if (!h)
		return bad(rq, "A 'HttpHeaderConfig' must be specified with 'http-header'");
	if (!h->HttpHeaderName.n)
		return bad(rq, "A 'HttpHeaderName' must be specified with 'http-header'");
	if (h->HttpHeaderName.n > NAME_MOST)
		return too_long(rq, "HttpHeaderName", NAME_MOST);
	return count(rq, &h->Values, "http-header", s);
}

static err method(req *rq, const elbv2_RuleCondition *c, sums *s)
{
	const elbv2_HttpRequestMethodConditionConfig *m = c->HttpRequestMethodConfig;
	if (!m)
		return bad(rq, "A 'HttpRequestMethodConfig' must be specified with 'http-request-method'");
	for (size_t i = 0; i < m->Values.n; i++) {
		str v = m->Values.v[i];
		if (v.n > NAME_MOST)
			return too_long(rq, "http-request-method", NAME_MOST);
		for (size_t k = 0; k < v.n; k++)
			if (v.p[k] != '-' && v.p[k] != '_' && (v.p[k] < 'A' || v.p[k] > 'Z'))
				return bad(rq, "The 'http-request-method' value is invalid; the allowed characters are A-Z, "
				           "hyphen and underscore");
	}
	return count(rq, &m->Values, "http-request-method", s);
}

static err query(req *rq, const elbv2_RuleCondition *c, sums *s)
{
	const elbv2_QueryStringConditionConfig *q = c->QueryStringConfig;
	if (!q)
		return bad(rq, "A 'QueryStringConfig' must be specified with 'query-string'");
	if (!q->Values.n)
		return bad(rq, "A 'query-string' value must be specified");
	for (size_t i = 0; i < q->Values.n; i++) {
		if (!str_is(q->Values.v[i].Value))
			return bad(rq, "A 'Value' must be specified in 'QueryStringKeyValuePair'");
		if (q->Values.v[i].Key.n > VALUE_MOST)
			return too_long(rq, "Key", VALUE_MOST);
		if (q->Values.v[i].Value.n > VALUE_MOST)
			return too_long(rq, "Value", VALUE_MOST);
		s->wildcards += wildcards(q->Values.v[i].Key) + wildcards(q->Values.v[i].Value);
	}
	s->values += q->Values.n;
	return OK;
}

static bool is_cidr(str s)
{
	str bits = s, address = str_cut(&bits, '/');
	int64_t n, part;
	if (!str_to_i64(bits, &n) || n < 0 || n > 32)
		return false;
	for (int i = 0; i < 4; i++)
		if (!str_to_i64(str_cut(&address, '.'), &part) || part < 0 || part > 255)
			return false;
	return !str_is(address);
}

static err source(req *rq, const elbv2_RuleCondition *c, sums *s)
{
	if (!c->SourceIpConfig)
		return bad(rq, "A 'SourceIpConfig' must be specified with 'source-ip'");
	const elbv2_ListOfString *v = &c->SourceIpConfig->Values;
	if (!v->n)
		return bad(rq, "A 'source-ip' value must be specified");
	for (size_t i = 0; i < v->n; i++)
		if (!is_cidr(v->v[i]) && str_find_char(v->v[i], ':') == SIZE_MAX)
			return fail(rq, &aws_ValidationException, "The value '%.*s' is not a valid CIDR block",
			            STR_ARG(v->v[i]));
	s->values += v->n;
	return OK;
}

static err check(req *rq, elbv2_RuleCondition *c, sums *s)
{
	bool host = str_eq(c->Field, S("host-header")), path = str_eq(c->Field, S("path-pattern"));
	if (c->RegexValues.n || (c->HostHeaderConfig && c->HostHeaderConfig->RegexValues.n) ||
	    (c->PathPatternConfig && c->PathPatternConfig->RegexValues.n) ||
	    (c->HttpHeaderConfig && c->HttpHeaderConfig->RegexValues.n))
		return fail(rq, &aws_NotImplemented, "regular expressions in conditions are not implemented");
	if (c->Values.n && !host && !path)
		return fail(rq, &aws_ValidationException, "The 'Values' field is not compatible with '%.*s'",
		            STR_ARG(c->Field));
	if (host)
		return host_header(rq, c, s);
	if (path)
		return path_pattern(rq, c, s);
	if (str_eq(c->Field, S("http-header")))
		return header(rq, c, s);
	if (str_eq(c->Field, S("http-request-method")))
		return method(rq, c, s);
	if (str_eq(c->Field, S("query-string")))
		return query(rq, c, s);
	if (str_eq(c->Field, S("source-ip")))
		return source(rq, c, s);
	return fail(rq, &aws_ValidationException,
	            "Condition field '%.*s' must be one of '[path-pattern, host-header, http-header, "
	            "http-request-method, query-string, source-ip]'", STR_ARG(c->Field));
}

err elb_conditions(req *rq, const elbv2_RuleConditionList *given, elbv2_RuleConditionList *out)
{
	sums s = { 0 };
	if (!given->n)
		return bad(rq, "A condition must be specified");
	elbv2_RuleCondition *v = arena_array(rq->mem, elbv2_RuleCondition, given->n);
	for (size_t i = 0; i < given->n; i++) {
		v[i] = given->v[i];
		TRY(check(rq, &v[i], &s));
		bool once = str_eq(v[i].Field, S("host-header")) || str_eq(v[i].Field, S("path-pattern")) ||
		            str_eq(v[i].Field, S("http-request-method")) || str_eq(v[i].Field, S("source-ip"));
		for (size_t k = 0; once && k < i; k++)
			if (str_eq(v[k].Field, v[i].Field))
				return fail(rq, &aws_ValidationException, "A rule can only have one '%.*s' condition",
				            STR_ARG(v[i].Field));
	}
	if (s.values > ELBV2_CONDITION_VALUES_MAX)
		return bad(rq, "A rule can only have '5' condition values");
	if (s.wildcards > ELBV2_WILDCARDS_MAX)
		return bad(rq, "A rule can only have '6' condition wildcards");
	*out = (elbv2_RuleConditionList){ v, given->n };
	return OK;
}
