#include "rds.h"
#include "run/mariadb_client.h"

static str verifier_of(arena *a, str engine, str password)
{
	return db_engine_is_mysql(engine) ? mariadb_verifier(a, password) : postgres_verifier(a, password);
}

err db_master_new(req *rq, txn *tx, const master_given *g, str user, rds_MasterUserSecret **secret,
                  str *verifier)
{
	str password = g->password;
	bool managed = g->managed.set && g->managed.v;
	TRY(db_check_master(rq, g->engine, user));
	if (managed && str_is(password))
		return fail(rq, &rds_InvalidParameterCombination,
		            "You can't specify MasterUserPassword when ManageMasterUserPassword is set.");
	if (managed)
		TRY(db_secret_make(rq, tx, g->arn, user, g->kms_key, &password, secret));
	TRY(db_check_password(rq, g->engine, password));
	*verifier = verifier_of(rq->mem, g->engine, password);
	return OK;
}

err db_master_change(req *rq, txn *tx, const master_given *g, str user, rds_MasterUserSecret **secret,
                     str *verifier)
{
	str password = g->password;
	bool managed = g->managed.set && g->managed.v;
	if (g->managed.set && !managed && *secret) {
		db_secret_drop(rq, tx, *secret);
		*secret = NULL;
	}
	if (managed && !*secret)
		TRY(db_secret_make(rq, tx, g->arn, user, g->kms_key, &password, secret));
	else if (str_is(password) && *secret)
		return fail(rq, &rds_InvalidParameterCombination,
		            "You can't specify MasterUserPassword for %s with master user password management in "
		            "Secrets Manager.",
		            str_find(g->arn, S(":cluster:")) != SIZE_MAX ? "a cluster" : "an instance");
	*verifier = STR_NONE;
	if (g->rotate.set && g->rotate.v) {
		if (!*secret)
			return fail(rq, &rds_InvalidParameterCombination,
			            "You can't rotate the master user password: it is not managed in Secrets Manager.");
		if (!g->now.set || !g->now.v)
			return fail(rq, &rds_InvalidParameterCombination,
			            "You must specify apply immediately when rotating the master user password.");
		TRY(db_secret_rotate(rq, tx, *secret, user, &password));
	}
	if (!str_is(password))
		return OK;
	TRY(db_check_password(rq, g->engine, password));
	*verifier = verifier_of(rq->mem, g->engine, password);
	return OK;
}
