/* Whether a request is what a statement says. */
#include "waf.h"
#include "base/time.h"
#include "wire/pattern.h"

#define FORWARDED_MOST 10 /* as many addresses of a header AWS looks at */
#define SCRATCH 4096

typedef struct trial {
	const wafv2_Statement *s;
	pattern **patterns;
	size_t n;
} trial;

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool contains(str text, str wanted, bool word)
{
	for (size_t from = 0; from + wanted.n <= text.n;) {
		size_t at = str_find(str_sub(text, from, text.n), wanted);
		if (at == SIZE_MAX)
			return false;
		at += from;
		size_t end = at + wanted.n;
		if (!word || ((at == 0 || !word_char(text.p[at - 1])) && (end == text.n || !word_char(text.p[end]))))
			return true;
		from = at + 1;
	}
	return false;
}

static bool bytes_match(const wafv2_ByteMatchStatement *b, str v)
{
	if (str_eq(b->PositionalConstraint, wafv2_PositionalConstraint_EXACTLY))
		return str_eq(v, b->SearchString);
	if (str_eq(b->PositionalConstraint, wafv2_PositionalConstraint_STARTS_WITH))
		return str_starts(v, b->SearchString);
	if (str_eq(b->PositionalConstraint, wafv2_PositionalConstraint_ENDS_WITH))
		return str_ends(v, b->SearchString);
	return contains(v, b->SearchString,
	                str_eq(b->PositionalConstraint, wafv2_PositionalConstraint_CONTAINS_WORD));
}

static bool size_matches(const wafv2_SizeConstraintStatement *z, int64_t n)
{
	str op = z->ComparisonOperator;
	return str_eq(op, S("EQ")) ? n == z->Size.v : str_eq(op, S("NE")) ? n != z->Size.v
		: str_eq(op, S("LE")) ? n <= z->Size.v : str_eq(op, S("LT")) ? n < z->Size.v
		: str_eq(op, S("GE")) ? n >= z->Size.v : n > z->Size.v;
}

static bool value_matches(look *l, const trial *t, str v)
{
	const wafv2_Statement *s = t->s;
	if (s->ByteMatchStatement)
		return bytes_match(s->ByteMatchStatement, v);
	if (s->SqliMatchStatement)
		return sqli_found(l->mem, v,
		                  str_eq(s->SqliMatchStatement->SensitivityLevel, wafv2_SensitivityLevel_HIGH));
	if (s->XssMatchStatement)
		return xss_found(l->mem, v);
	if (s->SizeConstraintStatement)
		return size_matches(s->SizeConstraintStatement, (int64_t)v.n);
	for (size_t i = 0; i < t->n; i++)
		if (t->patterns[i] && pattern_matches(t->patterns[i], l->mem, v))
			return true;
	return false;
}

static bool any_matches(look *l, const trial *t, const wafv2_FieldToMatch *f,
	const wafv2_TextTransformations *how)
{
	values all;
	field_values(l, f, &all);
	if (all.certain)
		return all.certain > 0;
	/* There may be thousands of values: what one needs is given back before the next. */
	arena *mem = l->mem;
	bool found = false;
	l->mem = arena_open(SCRATCH);
	for (size_t i = 0; i < all.n && !found; i++) {
		found = value_matches(l, t, waf_transformed(l->mem, all.v[i], how));
		arena_reset(l->mem);
	}
	arena_close(l->mem);
	l->mem = mem;
	return found;
}

/* The expression anywhere in the text. */
static pattern *searched(look *l, str expression)
{
	return pattern_compile(l->mem, arena_fmt(l->mem, "[\\s\\S]*(?:%.*s)[\\s\\S]*", STR_ARG(expression)));
}

static bool field_matches(look *l, const wafv2_Statement *s)
{
	trial t = { .s = s };
	if (s->ByteMatchStatement)
		return any_matches(l, &t, s->ByteMatchStatement->FieldToMatch,
			&s->ByteMatchStatement->TextTransformations);
	if (s->SqliMatchStatement)
		return any_matches(l, &t, s->SqliMatchStatement->FieldToMatch,
			&s->SqliMatchStatement->TextTransformations);
	if (s->XssMatchStatement)
		return any_matches(l, &t, s->XssMatchStatement->FieldToMatch,
			&s->XssMatchStatement->TextTransformations);
	if (s->SizeConstraintStatement)
		return any_matches(l, &t, s->SizeConstraintStatement->FieldToMatch,
		                   &s->SizeConstraintStatement->TextTransformations);
	pattern *one;
	if (s->RegexMatchStatement) {
		one = searched(l, s->RegexMatchStatement->RegexString);
		t.patterns = &one;
		t.n = 1;
		return any_matches(l, &t, s->RegexMatchStatement->FieldToMatch,
		                   &s->RegexMatchStatement->TextTransformations);
	}
	const wafv2_RegexPatternSetReferenceStatement *r = s->RegexPatternSetReferenceStatement;
	const txn *tx = store_read(l->s);
	wafv2_regexset *set = waf_regexset_at(tx, l->mem, r->ARN);
	store_read_end(l->s, tx);
	t.n = set ? set->It->RegularExpressionList.n : 0;
	t.patterns = arena_array(l->mem, pattern *, t.n + 1);
	for (size_t i = 0; i < t.n; i++)
		t.patterns[i] = searched(l, set->It->RegularExpressionList.v[i].RegexString);
	return any_matches(l, &t, r->FieldToMatch, &r->TextTransformations);
}

static bool set_has(const wafv2_IPSet *set, str text)
{
	address a, range;
	if (!address_read(text, &a))
		return false;
	for (size_t i = 0; i < set->Addresses.n; i++)
		if (address_read(set->Addresses.v[i], &range) && address_within(&a, &range))
			return true;
	return false;
}

static bool ip_matches(look *l, const wafv2_IPSetReferenceStatement *r)
{
	const wafv2_IPSetForwardedIPConfig *f = r->IPSetForwardedIPConfig;
	const txn *tx = store_read(l->s);
	wafv2_ipset *set = waf_ipset_at(tx, l->mem, r->ARN);
	store_read_end(l->s, tx);
	if (!set)
		return false;
	if (!f)
		return set_has(set->It, l->x->peer);
	bool last = str_eq(f->Position, wafv2_ForwardedIPPosition_LAST), any = str_eq(f->Position, S("ANY"));
	str rest = field_joined(l, f->HeaderName, S(", ")), text = field_forwarded(l, f->HeaderName, last);
	address a;
	if (!str_is(rest))
		return false;
	if (!any)
		return address_read(text, &a) ? set_has(set->It, text)
		                              : str_eq(f->FallbackBehavior, wafv2_FallbackBehavior_MATCH);
	for (int i = 0; str_is(rest) && i < FORWARDED_MOST; i++) {
		text = str_trim(str_cut(&rest, ','));
		if (!address_read(text, &a))
			return str_eq(f->FallbackBehavior, wafv2_FallbackBehavior_MATCH);
		if (set_has(set->It, text))
			return true;
	}
	return false;
}

/* NAMESPACE: every label below; LABEL: the end of one, whole parts of it. */
static bool label_matches(look *l, const wafv2_LabelMatchStatement *m)
{
	bool space = str_eq(m->Scope, wafv2_LabelMatchScope_NAMESPACE);
	str key = m->Key, own = arena_concat(l->mem, l->w->acl->It->LabelNamespace, key);
	for (size_t i = 0; i < l->n_labels; i++) {
		str label = l->labels[i];
		if (space ? str_starts(label, key) || str_starts(label, own)
		          : str_eq(label, key) || (str_ends(label, key) && label.n > key.n &&
		             label.p[label.n - key.n - 1] == ':'))
			return true;
	}
	return false;
}

/* STR_NONE: the request lacks what is counted by, and is not counted. */
static str custom_key(look *l, const wafv2_RateBasedStatement *r)
{
	buf b = buf_in(l->mem, 128, 1 << 18);
	for (size_t i = 0; i < r->CustomKeys.n; i++) {
		const wafv2_RateBasedStatementCustomKey *k = &r->CustomKeys.v[i];
		str v = STR_NONE;
		const wafv2_TextTransformations *how = NULL;
		wafv2_FieldToMatch f = { 0 };
		values all = { 0 };
		if (k->Header) {
			v = field_joined(l, k->Header->Name, S(", "));
			how = &k->Header->TextTransformations;
		} else if (k->Cookie) {
			str name = k->Cookie->Name, rest = field_joined(l, S("cookie"), S("; "));
			while (str_is(rest)) {
				str value = str_trim(str_cut(&rest, ';'));
				if (str_eq(str_cut(&value, '='), name))
					v = value;
			}
			how = &k->Cookie->TextTransformations;
		} else if (k->QueryArgument) {
			f.SingleQueryArgument = &(wafv2_SingleQueryArgument){ k->QueryArgument->Name };
			field_values(l, &f, &all);
			v = all.n ? all.v[0] : STR_NONE;
			how = &k->QueryArgument->TextTransformations;
		} else if (k->QueryString) {
			v = str_is(l->x->in.query) ? l->x->in.query : S("");
			how = &k->QueryString->TextTransformations;
		} else if (k->UriPath) {
			v = l->path;
			how = &k->UriPath->TextTransformations;
		} else if (k->HTTPMethod) {
			v = l->x->in.method;
		} else if (k->ForwardedIP) {
			v = field_forwarded(l, r->ForwardedIPConfig->HeaderName, false);
		} else if (k->IP) {
			v = l->x->peer;
		} else if (k->LabelNamespace) {
			for (size_t n = 0; n < l->n_labels; n++)
				if (str_starts(l->labels[n], k->LabelNamespace->Namespace))
					v = l->labels[n];
		}
		if (!str_is(v))
			return STR_NONE;
		buf_put(&b, how ? waf_transformed(l->mem, v, how) : v);
		buf_c(&b, 0);
	}
	return buf_str(&b);
}

static bool rate_matches(look *l, const wafv2_RateBasedStatement *r)
{
	int64_t window = (r->EvaluationWindowSec.set ? r->EvaluationWindowSec.v : 300) * MS_SECOND;
	str key, shown = STR_NONE;
	if (r->ScopeDownStatement && !statement_matches(l, r->ScopeDownStatement))
		return false;
	if (str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_IP)) {
		key = shown = l->x->peer;
	} else if (str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_FORWARDED_IP)) {
		address a;
		key = shown = field_forwarded(l, r->ForwardedIPConfig->HeaderName, false);
		if (str_is(key) && !address_read(key, &a))
			return str_eq(r->ForwardedIPConfig->FallbackBehavior, wafv2_FallbackBehavior_MATCH);
	} else if (str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_CONSTANT)) {
		key = S("all");
	} else {
		key = custom_key(l, r);
	}
	return str_is(key) && rate_count(l->rule, key, shown, l->now, window) > r->Limit.v;
}

/* One machine is in one country: the United States, where us-east-1 is. */
static bool geo_matches(look *l, const wafv2_GeoMatchStatement *g)
{
	look_label(l, S("awswaf:clientip:geo:country:US"));
	for (size_t i = 0; i < g->CountryCodes.n; i++)
		if (str_eq(g->CountryCodes.v[i], S("US")))
			return true;
	return false;
}

static bool nested(look *l, const wafv2_Statement *s)
{
	const wafv2_Statements *all = s->AndStatement ? &s->AndStatement->Statements
	                              : s->OrStatement ? &s->OrStatement->Statements : NULL;
	if (!all)
		return !statement_matches(l, s->NotStatement->Statement);
	for (size_t i = 0; i < all->n; i++)
		if (statement_matches(l, &all->v[i]) == !s->AndStatement)
			return !s->AndStatement;
	return s->AndStatement != NULL;
}

static bool leaf_matches(look *l, const wafv2_Statement *s)
{
	if (s->IPSetReferenceStatement)
		return ip_matches(l, s->IPSetReferenceStatement);
	if (s->LabelMatchStatement)
		return label_matches(l, s->LabelMatchStatement);
	if (s->RateBasedStatement)
		return rate_matches(l, s->RateBasedStatement);
	return field_matches(l, s);
}

/* There may be thousands of statements, each with a large body or set: none leaves anything in memory. */
bool statement_matches(look *l, const wafv2_Statement *s)
{
	if (s->AndStatement || s->OrStatement || s->NotStatement)
		return nested(l, s);
	if (s->GeoMatchStatement)
		return geo_matches(l, s->GeoMatchStatement);
	arena *mem = l->mem;
	l->mem = arena_open(SCRATCH);
	bool matches = leaf_matches(l, s);
	arena_close(l->mem);
	l->mem = mem;
	return matches;
}
