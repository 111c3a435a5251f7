#include "lifecycle.h"
#include "base/time.h"
#include "object.h"

static err bad_argument(req *rq, const char *what)
{
	return fail(rq, &fault_InvalidArgument, "%s", what);
}

static err bad_request(req *rq, const char *what)
{
	return fail(rq, &fault_InvalidRequest, "%s", what);
}

static bool filter_has_tags(const s3_LifecycleRuleFilter *f)
{
	return f && (f->Tag || (f->And && f->And->Tags.n));
}

static bool filter_has_size(const s3_LifecycleRuleFilter *f)
{
	return f && (f->ObjectSizeGreaterThan.set || f->ObjectSizeLessThan.set ||
	             (f->And && (f->And->ObjectSizeGreaterThan.set || f->And->ObjectSizeLessThan.set)));
}

static err check_sizes(req *rq, opt_i64 above, opt_i64 below)
{
	if (above.set && below.set && below.v <= above.v)
		return bad_request(rq, "'ObjectSizeLessThan' has to be a value greater than "
		                       "'ObjectSizeGreaterThan'.");
	return OK;
}

static err check_filter(req *rq, const s3_LifecycleRule *r)
{
	const s3_LifecycleRuleFilter *f = r->Filter;
	if (!f)
		return str_is(r->Prefix) ? OK : malformed_xml(rq);
	int said = str_is(f->Prefix) + (f->Tag != NULL) + (f->And != NULL) + f->ObjectSizeGreaterThan.set +
		   f->ObjectSizeLessThan.set;
	if (str_is(r->Prefix) || said > 1)
		return malformed_xml(rq);
	if (!f->And)
		return OK;
	for (size_t i = 0; i < f->And->Tags.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(f->And->Tags.v[i].Key, f->And->Tags.v[k].Key))
				return bad_request(rq, "Duplicate Tag Keys are not allowed.");
	return check_sizes(rq, f->And->ObjectSizeGreaterThan, f->And->ObjectSizeLessThan);
}

/* How errors name a rule. */
static str filter_shown(req *rq, const s3_LifecycleRule *r)
{
	str prefix = r->Prefix;
	if (r->Filter)
		prefix = r->Filter->And ? r->Filter->And->Prefix : r->Filter->Prefix;
	return arena_fmt(rq->mem, "(prefix=%.*s)", STR_ARG(str_is(prefix) ? prefix : S("")));
}

static err check_midnight(req *rq, opt_time date)
{
	return date.set && date.v % MS_DAY ? invalid_argument(rq, "'Date' must be at midnight GMT", S("Date"),
	                                                      time_iso_ms(rq->mem, date.v)) : OK;
}

static err check_expiration(req *rq, const s3_LifecycleRule *r)
{
	const s3_LifecycleExpiration *e = r->Expiration;
	if (!e)
		return OK;
	if (e->Days.set + e->Date.set + e->ExpiredObjectDeleteMarker.set != 1)
		return malformed_xml(rq);
	if (e->Days.set && e->Days.v <= 0)
		return bad_argument(rq, "'Days' for Expiration action must be a positive integer");
	TRY(check_midnight(rq, e->Date));
	if (e->ExpiredObjectDeleteMarker.set && filter_has_tags(r->Filter))
		return bad_request(rq, "ExpiredObjectDeleteMarker cannot be specified with Tags");
	if (e->ExpiredObjectDeleteMarker.set && filter_has_size(r->Filter))
		return bad_request(rq, "ExpiredObjectDeleteMarker cannot be specified with Object Size");
	return OK;
}

static bool infrequent(str class)
{
	return str_eq(class, S("STANDARD_IA")) || str_eq(class, S("ONEZONE_IA"));
}

static err check_class(req *rq, str class)
{
	return class_known(class) && !str_eq(class, S("STANDARD")) && !str_eq(class, S("REDUCED_REDUNDANCY")) ?
		       OK : malformed_xml(rq);
}

static err check_transition(req *rq, const s3_LifecycleRule *r, const s3_Transition *t)
{
	const s3_LifecycleExpiration *e = r->Expiration;
	TRY(check_class(rq, t->StorageClass));
	if (t->Days.set == t->Date.set)
		return malformed_xml(rq);
	if (t->Days.set && t->Days.v < 0)
		return bad_argument(rq, "'Days' in Transition action must be nonnegative");
	TRY(check_midnight(rq, t->Date));
	if (infrequent(t->StorageClass) && t->Days.set && t->Days.v < 30)
		return fail(rq, &fault_InvalidArgument,
		            "'Days' in Transition action must be greater than or equal to 30 for storageClass "
		            "'%.*s'", STR_ARG(t->StorageClass));
	str filter = filter_shown(rq, r);
	if (e && ((e->Days.set && t->Date.set) || (e->Date.set && t->Days.set)))
		return fail(rq, &fault_InvalidRequest,
		            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule "
		            "for filter '%.*s'", STR_ARG(filter));
	if (e && ((e->Days.set && e->Days.v <= t->Days.v) || (e->Date.set && e->Date.v <= t->Date.v)))
		return fail(rq, &fault_InvalidArgument,
		            "'%s' in the Expiration action for filter '%.*s' must be greater than '%s' in the "
		            "Transition action", e->Days.set ? "Days" : "Date", STR_ARG(filter),
		            e->Days.set ? "Days" : "Date");
	return OK;
}

/* One move to another class: after days or on a date, both as numbers. */
typedef struct move {
	str class;
	int64_t when;
} move;

/* Colder classes come later. */
static int coldness(str class)
{
	static const char *const order[] = { "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR",
		                             "GLACIER", "DEEP_ARCHIVE" };
	int i = 0;
	while (i < (int)(sizeof order / sizeof *order) && !str_eq(str_c(order[i]), class))
		i++;
	return i;
}

static err check_moves(req *rq, const s3_LifecycleRule *r, const move *v, size_t n, const char *action,
                       const char *unit)
{
	str filter = filter_shown(rq, r);
	for (size_t at = 0; at < n * n; at++) {
		const move *a = &v[at / n], *b = &v[at % n];
		if (b < a && str_eq(a->class, b->class))
			return fail(rq, &fault_InvalidRequest,
			            "'StorageClass' must be different for '%s' actions in same 'Rule' with filter "
			            "'%.*s'", action, STR_ARG(filter));
		if (coldness(b->class) < coldness(a->class) && a->when <= b->when)
			return fail(rq, &fault_InvalidArgument,
			            "'%s' in the %s action for StorageClass '%.*s' for filter '%.*s' must be greater "
			            "than '%s' in the %s action for StorageClass '%.*s' for filter '%.*s'", unit, action,
			            STR_ARG(a->class), STR_ARG(filter), unit, action, STR_ARG(b->class), STR_ARG(filter));
	}
	return OK;
}

static err check_transitions(req *rq, const s3_LifecycleRule *r)
{
	size_t n = r->Transitions.n;
	move *v = arena_array(rq->mem, move, n + 1);
	for (size_t i = 0; i < n; i++) {
		const s3_Transition *t = &r->Transitions.v[i];
		TRY(check_transition(rq, r, t));
		if (t->Days.set != r->Transitions.v[0].Days.set)
			return fail(rq, &fault_InvalidRequest,
			            "Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter "
			            "'%.*s'", STR_ARG(filter_shown(rq, r)));
		v[i] = (move){ t->StorageClass, t->Days.set ? t->Days.v : t->Date.v };
	}
	return check_moves(rq, r, v, n, "Transition", n && r->Transitions.v[0].Days.set ? "Days" : "Date");
}

static err check_noncurrent(req *rq, const s3_LifecycleRule *r)
{
	const s3_NoncurrentVersionExpiration *e = r->NoncurrentVersionExpiration;
	size_t n = r->NoncurrentVersionTransitions.n;
	move *v = arena_array(rq->mem, move, n + 1);
	for (size_t i = 0; i < n; i++) {
		const s3_NoncurrentVersionTransition *t = &r->NoncurrentVersionTransitions.v[i];
		TRY(check_class(rq, t->StorageClass));
		if (!t->NoncurrentDays.set)
			return malformed_xml(rq);
		if (infrequent(t->StorageClass) && t->NoncurrentDays.v < 30)
			return fail(rq, &fault_InvalidArgument,
			            "'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or "
			            "equal to 30 for storageClass '%.*s'", STR_ARG(t->StorageClass));
		if (e && e->NoncurrentDays.set && e->NoncurrentDays.v <= t->NoncurrentDays.v)
			return fail(rq, &fault_InvalidArgument,
			            "'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '%.*s' must "
			            "be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action",
			            STR_ARG(filter_shown(rq, r)));
		v[i] = (move){ t->StorageClass, t->NoncurrentDays.v };
	}
	return check_moves(rq, r, v, n, "NoncurrentVersionTransition", "NoncurrentDays");
}

static err check_others(req *rq, const s3_LifecycleRule *r)
{
	const s3_NoncurrentVersionExpiration *n = r->NoncurrentVersionExpiration;
	if (n && !n->NoncurrentDays.set)
		return malformed_xml(rq);
	if (n && n->NoncurrentDays.v <= 0)
		return bad_argument(rq, "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive "
		                        "integer");
	const s3_AbortIncompleteMultipartUpload *a = r->AbortIncompleteMultipartUpload;
	if (!a)
		return OK;
	if (a->DaysAfterInitiation.v <= 0)
		return bad_argument(rq, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a "
		                        "positive integer");
	if (filter_has_tags(r->Filter))
		return bad_request(rq, "AbortIncompleteMultipartUpload cannot be specified with Tags");
	if (filter_has_size(r->Filter))
		return bad_request(rq, "AbortIncompleteMultipartUpload cannot be specified with Object Size");
	return OK;
}

err lifecycle_rule_check(req *rq, const s3_LifecycleRule *r)
{
	if (r->ID.n > 255)
		return bad_argument(rq, "ID length should not exceed allowed limit of 255");
	TRY(check_filter(rq, r));
	if (!r->Expiration && !r->Transitions.n && !r->NoncurrentVersionExpiration &&
	    !r->NoncurrentVersionTransitions.n && !r->AbortIncompleteMultipartUpload)
		return bad_request(rq, "At least one action needs to be specified in a rule");
	TRY(check_expiration(rq, r));
	TRY(check_transitions(rq, r));
	TRY(check_noncurrent(rq, r));
	return check_others(rq, r);
}
