#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "rds.h"
#include "sys/rand.h"

#define PASSWORD_CHARS 32

/* A new password, and what the secret holds then. */
static str content(req *rq, str user, str *password)
{
	*password =
		rand_text(rq->mem, PASSWORD_CHARS,
	              S("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&*()-_=+[]{}:?"));
	buf text = buf_in(rq->mem, 256, 4096);
	buf_put(&text, S("{\"username\":"));
	json_put_string(&text, user);
	buf_put(&text, S(",\"password\":"));
	json_put_string(&text, *password);
	buf_put(&text, S("}"));
	return buf_str(&text);
}

err db_secret_rotate(req *rq, txn *tx, const rds_MasterUserSecret *s, str user, str *password)
{
	str value = content(rq, user, password), answer;
	buf in = buf_in(rq->mem, 512, 8192);
	buf_put(&in, S("{\"SecretId\":"));
	json_put_string(&in, s->SecretArn);
	buf_put(&in, S(",\"SecretString\":"));
	json_put_string(&in, value);
	buf_put(&in, S("}"));
	return call_json(rq, tx, "secretsmanager", "PutSecretValue", buf_str(&in), &answer);
}

err db_secret_make(req *rq, txn *tx, str resource, str user, str kms_key, str *password,
                   rds_MasterUserSecret **out)
{
	str value = content(rq, user, password), answer = STR_NONE;
	str uuid = rand_uuid(rq->mem);
	buf in = buf_in(rq->mem, 512, 8192);
	bool cluster = str_find(resource, S(":cluster:")) != SIZE_MAX;
	buf_fmt(&in,
	        "{\"Name\":\"rds!%s-%.*s\",\"Description\":\"Secret associated with primary RDS DB %s: %.*s\",",
	        cluster ? "cluster" : "db", STR_ARG(uuid), cluster ? "cluster" : "instance", STR_ARG(resource));
	buf_fmt(&in, "\"Tags\":[{\"Key\":\"aws:rds:primaryDB%sArn\",\"Value\":\"%.*s\"}],",
	        cluster ? "Cluster" : "Instance", STR_ARG(resource));
	if (str_is(kms_key)) {
		buf_put(&in, S("\"KmsKeyId\":"));
		json_put_string(&in, kms_key);
		buf_put(&in, S(","));
	}
	buf_put(&in, S("\"SecretString\":"));
	json_put_string(&in, value);
	buf_put(&in, S("}"));
	TRY(call_json(rq, tx, "secretsmanager", "CreateSecret", buf_str(&in), &answer));
	const json_value *arn = json_get(json_parse(rq->mem, answer), S("ARN"));
	*out = arena_new(rq->mem, rds_MasterUserSecret);
	(*out)->SecretArn = arn ? arn->text : STR_NONE;
	(*out)->SecretStatus = S("active");
	(*out)->KmsKeyId = str_is(kms_key) ? kms_key : req_arn(rq, "kms", "alias/aws/secretsmanager");
	return OK;
}

/* One that the user has deleted already is no reason to keep the database. */
void db_secret_drop(req *rq, txn *tx, const rds_MasterUserSecret *s)
{
	str answer;
	if (!s || !str_is(s->SecretArn))
		return;
	err e = call_json(rq, tx, "secretsmanager", "DeleteSecret",
	                  arena_fmt(rq->mem, "{\"SecretId\":\"%.*s\",\"ForceDeleteWithoutRecovery\":true}",
	                            STR_ARG(s->SecretArn)),
	                  &answer);
	(void)e;
}
