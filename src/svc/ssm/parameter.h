/*
 * What the handlers of Parameter Store share. A parameter is its current version and its tags; older
 * versions (at most 100) are rows of their own. Secret values are kept as KMS ciphertext in base64.
 */
#pragma once
#include "gen/ssm.h"

/* A name as given: plain, an ARN, or either with ":version" or ":label" behind it. */
typedef struct parameter_ref {
	str name, selector; /* selector: STR_NONE when there is none */
} parameter_ref;
parameter_ref parameter_ref_of(str given);

/* The rules of names for a parameter about to be made. */
err parameter_name_check(req *rq, str name);
bool name_char(char c);
/* What can stand above parameters. */
err path_check(req *rq, str path);
/* `what` no name may begin with. */
err parameter_form_refused(req *rq, const char *what);

/* NULL: there is none. A name without further slashes is the same with one before it: they have one ARN. */
ssm_param *parameter_at(req *rq, const txn *tx, str name);
/* ParameterNotFound when there is none; `ref` may select a version or a label. */
err parameter_find(req *rq, const txn *tx, parameter_ref ref, const ssm_param **param,
                   const ssm_Stored **version);

/* Parameters of AWS's own, which are the same for everybody. */
#define PUBLIC_PREFIX S("/aws/service/")
/* NULL: there is none of that name. */
ssm_param *public_get(req *rq, const txn *tx, str name);
/* The one behind `name` in order of names; NULL: no more. */
ssm_param *public_next(req *rq, const txn *tx, str name);

/* Secrets of Secrets Manager are read through names that begin so. */
#define REFERENCE_PREFIX S("/aws/reference/secretsmanager/")
err reference_get(req *rq, const txn *tx, parameter_ref ref, bool decrypt, ssm_Parameter *out);

str parameter_arn(const req *rq, str name);
/* The value as the caller may see it: SecureString only decrypted when asked for (metered by KMS). */
err parameter_value(req *rq, const txn *tx, str name, const ssm_Stored *v, bool decrypt, str *value);
err parameter_seal(req *rq, txn *tx, str name, str key_id, str plain, str *sealed);
/* An API interaction is billed for advanced parameters only. */
void parameter_metered(req *rq, str name, const ssm_Stored *v);
/* Takes the parameter, its versions, timers and meters away. */
void parameter_remove(txn *tx, const ssm_param *p, int64_t now);

/* The policies of a version, for answers; and what they make happen, as timers. */
err policies_check(req *rq, str policies, str tier);
void policies_start(txn *tx, const ssm_param *p);
ssm_ParameterPolicyList policies_list(req *rq, str policies);

/* ParameterFilters and the older Filters. OK and *fits. */
err filters_check(req *rq, const ssm_ParameterStringFilterList *filters, bool by_path);
bool filters_fit(req *rq, const ssm_param *p, const ssm_ParameterStringFilterList *filters);
