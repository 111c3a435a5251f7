#include "parameter.h"

static bool label_valid(str label)
{
	if (label.n == 0 || label.n > 100 || (label.p[0] >= '0' && label.p[0] <= '9'))
		return false;
	if (label.n >= 3 && (str_eq_nocase(str_sub(label, 0, 3), S("aws")) ||
	                     str_eq_nocase(str_sub(label, 0, 3), S("ssm"))))
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '-' || c == '_'))
			return false;
	}
	return true;
}

static bool label_take(ssm_ParameterLabelList *labels, str label)
{
	for (size_t i = 0; i < labels->n; i++)
		if (str_eq(labels->v[i], label)) {
			labels->v[i] = labels->v[--labels->n];
			return true;
		}
	return false;
}

/* A version's labels are kept with it, and with the parameter when it is the current one. */
static void version_keep(txn *tx, const ssm_param *p, ssm_version *row)
{
	ssm_version_put(tx, row);
	if (row->Number == p->Current->Number.v) {
		ssm_param current = *p;
		current.Current = row->It;
		ssm_param_put(tx, &current);
	}
}

/* A label stands on one version only: it leaves the others. */
static void labels_leave(req *rq, txn *tx, const ssm_param *p, int64_t number, ssm_ParameterLabelList labels)
{
	record_scan s = ssm_version_scan(tx, rq->mem, 3, p->Account, p->Region, p->Name, 0);
	for (ssm_version *row; (row = ssm_version_next(&s));) {
		bool changed = false;
		for (size_t i = 0; i < labels.n && row->Number != number; i++)
			changed |= label_take(&row->It->Labels, labels.v[i]);
		if (changed)
			version_keep(tx, p, row);
	}
}

static err version_row(req *rq, const txn *tx, const ssm_param *p, opt_i64 number, ssm_version **row)
{
	int64_t n = number.set ? number.v : p->Current->Number.v;
	*row = ssm_version_get(tx, rq->mem, p->Account, p->Region, p->Name, n);
	if (!*row)
		return fail(rq, &ssm_ParameterVersionNotFound,
		            "Systems Manager could not find version %lld of %.*s. Verify the version and try again.",
		            (long long)n, STR_ARG(p->Name));
	return OK;
}

err ssm_LabelParameterVersion(req *rq, txn *tx, const ssm_LabelParameterVersion_in *in,
                              ssm_LabelParameterVersion_out *out)
{
	const ssm_param *p;
	const ssm_Stored *current;
	ssm_version *row;
	TRY(parameter_find(rq, tx, parameter_ref_of(in->Name), &p, &current));
	TRY(version_row(rq, tx, p, in->ParameterVersion, &row));

	ssm_ParameterLabelList good = { arena_array(rq->mem, str, in->Labels.n), 0 };
	out->InvalidLabels.v = arena_array(rq->mem, str, in->Labels.n);
	for (size_t i = 0; i < in->Labels.n; i++) {
		ssm_ParameterLabelList *to = label_valid(in->Labels.v[i]) ? &good : &out->InvalidLabels;
		to->v[to->n++] = in->Labels.v[i];
	}
	ssm_ParameterLabelList all = { arena_array(rq->mem, str, row->It->Labels.n + good.n), 0 };
	for (size_t i = 0; i < row->It->Labels.n; i++)
		all.v[all.n++] = row->It->Labels.v[i];
	for (size_t i = 0; i < good.n; i++) {
		label_take(&all, good.v[i]);
		all.v[all.n++] = good.v[i];
	}
	if (all.n > SSM_LABELS_MAX)
		return fail(
			rq, &ssm_ParameterVersionLabelLimitExceeded,
			"An error occurred (ParameterVersionLabelLimitExceeded) when calling the "
			"LabelParameterVersion operation: A parameter version can have maximum %d labels.Move one "
			"or more labels to another version and try again.",
			SSM_LABELS_MAX);
	labels_leave(rq, tx, p, row->Number, good);
	row->It->Labels = all;
	p = ssm_param_get(tx, rq->mem, p->Account, p->Region, p->Name);
	version_keep(tx, p, row);
	out->ParameterVersion = I64(row->Number);
	return OK;
}

err ssm_UnlabelParameterVersion(req *rq, txn *tx, const ssm_UnlabelParameterVersion_in *in,
                                ssm_UnlabelParameterVersion_out *out)
{
	const ssm_param *p;
	const ssm_Stored *current;
	ssm_version *row;
	TRY(parameter_find(rq, tx, parameter_ref_of(in->Name), &p, &current));
	TRY(version_row(rq, tx, p, in->ParameterVersion, &row));
	out->RemovedLabels.v = arena_array(rq->mem, str, in->Labels.n);
	out->InvalidLabels.v = arena_array(rq->mem, str, in->Labels.n);
	for (size_t i = 0; i < in->Labels.n; i++) {
		bool taken = label_take(&row->It->Labels, in->Labels.v[i]);
		ssm_ParameterLabelList *to = taken ? &out->RemovedLabels : &out->InvalidLabels;
		to->v[to->n++] = in->Labels.v[i];
	}
	version_keep(tx, p, row);
	return OK;
}
