#include "lambda.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "sys/rand.h"

str name_arn_of(arena *mem, str account, str region, str name, str qualifier)
{
	return arena_fmt(mem, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(region), STR_ARG(account),
	                 STR_ARG(name), str_is(qualifier) ? ":" : "", STR_ARG(qualifier));
}

str name_arn(arena *mem, const function_name *f)
{
	return name_arn_of(mem, f->account, f->region, f->name, f->qualifier);
}

err name_not_found(req *rq, const function_name *f)
{
	str arn = name_arn(rq->mem, f);
	return fail(rq, &lambda_ResourceNotFoundException, "Function not found: %.*s", STR_ARG(arn));
}

static bool is_number(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

bool name_is_account(str s)
{
	return s.n == 12 && is_number(s);
}

err name_missing(req *rq, const function_name *f)
{
	str arn = name_arn(rq->mem, f);
	if (!str_is(f->qualifier) || is_number(f->qualifier) || str_find_char(f->qualifier, '$') != SIZE_MAX)
		return name_not_found(rq, f);
	return fail(rq, &lambda_ResourceNotFoundException, "Cannot find alias arn: %.*s", STR_ARG(arn));
}

err revision_check(req *rq, str given, str current)
{
	if (!str_is(given) || str_eq(given, current))
		return OK;
	return fail(rq, &lambda_PreconditionFailedException,
	            "The Revision Id provided does not match the latest Revision Id. Call the "
	            "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

/* Another account's function: its policy must let the caller in, also where no other policy is asked. */
static err abroad(req *rq, const function_name *f)
{
	decision d;
	if (rq->enforce) /* the door has asked */
		return OK;
	bool invokes = str_starts(str_c(rq->op->name), S("Invoke"));
	str action = invokes ? S("lambda:InvokeFunction") : arena_fmt(rq->mem, "lambda:%s", rq->op->name);
	const txn *tx = req_read(rq);
	err refused = authorise(rq, tx, action, name_arn(rq->mem, f), NULL, &d);
	req_read_end(rq, tx);
	return refused;
}

err name_read(req *rq, str text, str qualifier, function_name *out)
{
	function_name f = { rq->who.account, rq->region, STR_NONE, STR_NONE };
	str rest = text, part = str_cut(&rest, ':');
	if (str_eq(part, S("arn"))) {
		str_cut(&rest, ':');
		str_cut(&rest, ':');
		f.region = str_cut(&rest, ':');
		f.account = str_cut(&rest, ':');
		part = str_cut(&rest, ':');
	} else if (name_is_account(part) && str_is(rest)) {
		f.account = part;
		part = str_cut(&rest, ':');
	}
	if (str_eq(part, S("function")) && str_is(rest))
		part = str_cut(&rest, ':');
	f.name = part;
	f.qualifier = rest;
	if (str_is(qualifier) && str_is(f.qualifier) && !str_eq(qualifier, f.qualifier))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The derived qualifier from the function name does not match the specified qualifier.");
	if (str_is(qualifier))
		f.qualifier = qualifier;
	if (!str_eq(f.region, rq->region) && !rq->who.internal)
		return fail(rq, &lambda_ResourceNotFoundException,
		            "Functions from '%.*s' are not reachable in this region ('%.*s')", STR_ARG(f.region),
		            STR_ARG(rq->region));
	if (f.name.n == 0 || f.name.n > 64)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "1 validation error detected: Value '%.*s' at 'functionName' failed to "
		            "satisfy constraint: "
		            "Member must have length less than or equal to 64", STR_ARG(f.name));
	*out = f;
	return str_eq(f.account, rq->who.account) || rq->who.internal ? OK : abroad(rq, &f);
}

err function_find(req *rq, const txn *tx, const function_name *f, lambda_function **out)
{
	function_name bare = *f;
	bare.qualifier = STR_NONE;
	*out = lambda_function_get(tx, rq->mem, f->account, f->region, f->name);
	return *out ? OK : name_not_found(rq, &bare);
}

err function_named(req *rq, const txn *tx, str name, function_name *f, lambda_function **fn)
{
	TRY(name_read(rq, name, STR_NONE, f));
	return function_find(rq, tx, f, fn);
}

lambda_version *version_get(const txn *tx, arena *mem, const lambda_function *fn, int64_t number)
{
	return lambda_version_get(tx, mem, fn->Account, fn->Region, fn->Name, number);
}

static bool number_of(str qualifier, int64_t *number)
{
	if (!str_is(qualifier) || str_eq(qualifier, S("$LATEST"))) {
		*number = LATEST;
		return true;
	}
	return qualifier.n && qualifier.p[0] >= '0' && qualifier.p[0] <= '9' && str_to_i64(qualifier, number) &&
	       *number > 0;
}

/* An alias sends a share of the calls to its second version. */
static str alias_version(const lambda_AliasConfiguration *a)
{
	if (!a->RoutingConfig)
		return a->FunctionVersion;
	int64_t dice = (int64_t)rand_below(1000000);
	const lambda_AdditionalVersionWeights *w = &a->RoutingConfig->AdditionalVersionWeights;
	for (size_t i = 0; i < w->n; i++) {
		dice -= (int64_t)(w->v[i].value.v * 1000000);
		if (dice < 0)
			return w->v[i].key;
	}
	return a->FunctionVersion;
}

err target_named(req *rq, const txn *tx, const function_name *f, target *out)
{
	target t = { .f = *f, .alias = STR_NONE };
	t.function = lambda_function_get(tx, rq->mem, f->account, f->region, f->name);
	if (!t.function)
		return name_not_found(rq, f);
	int64_t number = LATEST;
	if (!number_of(f->qualifier, &number)) {
		lambda_alias *a = lambda_alias_get(tx, rq->mem, f->account, f->region, f->name, f->qualifier);
		if (!a || !number_of(alias_version(a->It), &number))
			return name_not_found(rq, f);
		t.alias = a->Alias;
	}
	t.version = version_get(tx, rq->mem, t.function, number);
	if (!t.version)
		return name_not_found(rq, f);
	t.invoked_arn = name_arn(rq->mem, f);
	*out = t;
	return OK;
}

err target_find(req *rq, const txn *tx, str text, str qualifier, target *out)
{
	function_name f;
	TRY(name_read(rq, text, qualifier, &f));
	return target_named(rq, tx, &f, out);
}

str time_text(arena *mem, int64_t ms)
{
	civil c = time_civil(ms);
	return arena_fmt(mem, "%04d-%02d-%02dT%02d:%02d:%02d.%03d+0000", c.year, c.month, c.day, c.hour, c.minute,
	                 c.second, c.ms);
}

str version_text(arena *mem, int64_t number)
{
	return number == LATEST ? S("$LATEST") : arena_fmt(mem, "%lld", (long long)number);
}

void version_touch(req *rq, txn *tx, lambda_version *v)
{
	v->Generation = (int64_t)txn_next(tx, S("lambda.generation"));
	v->Config->RevisionId = rand_uuid(rq->mem);
	v->Config->LastModified = time_text(rq->mem, rq->now);
}

lambda_FunctionConfiguration as_listed(const lambda_FunctionConfiguration *c)
{
	lambda_FunctionConfiguration l = *c;
	l.State = l.StateReason = l.StateReasonCode = STR_NONE;
	l.LastUpdateStatus = l.LastUpdateStatusReason = l.LastUpdateStatusReasonCode = STR_NONE;
	l.RuntimeVersionConfig = NULL;
	return l;
}

void show_pending(req *rq, lambda_FunctionConfiguration *c, bool created)
{
	c->RevisionId = rand_uuid(rq->mem); /* when the change has gone through there is another */
	if (created) {
		c->State = S("Pending");
		c->StateReason = S("The function is being created.");
		c->StateReasonCode = S("Creating");
		c->LastUpdateStatus = STR_NONE;
	} else {
		c->LastUpdateStatus = S("InProgress");
		c->LastUpdateStatusReason = S("The function is being created.");
		c->LastUpdateStatusReasonCode = S("Creating");
	}
}
