/*
 * May this caller do this? The policies that bear on a request, combined as AWS documents it: an explicit
 * deny anywhere wins; else an identity policy or, within one account, a resource policy that names the
 * caller must allow; boundary and session policies must allow as well. Across accounts both sides must.
 *
 * cloud/ knows no service: IAM hands over identity policies through IDENTITY_SOURCE, services with
 * policies on their resources (S3, KMS, SQS, Lambda ..) through RESOURCE_POLICY, and every service says in
 * an ACCESS table what its operations are called in policies and on which resource they act.
 *
 *     ACCESS(ssm, { "GetParameter", NULL, "parameter{/Name}" }, ...)
 *
 * An operation without a row is SERVICE:Operation on "*".
 */
#pragma once
#include "cloud/policy.h"
#include "cloud/req.h"

typedef struct named_policy {
	const policy *it;
	str name;                    /* for people: an ARN or the name of an inline policy */
} named_policy;

typedef struct identity_policies {
	const named_policy *policies; /* the identity's own and its groups' */
	size_t n;
	const policy *boundary;      /* NULL: none */
	bool gone;                   /* the user or role no longer exists: nothing is allowed */
	const policy_key *tags;      /* aws:PrincipalTag/.. */
} identity_policies;

/* What `find` finds is kept in `mem` and shared until `version` is another one, as it is after every change
 * to any identity or policy. */
typedef struct identity_source {
	str (*version)(const txn *tx);         /* STR_NONE: there are no identities */
	str (*subject)(const caller *who);     /* ARN of the identity whose policies a caller has */
	void (*find)(const txn *tx, arena *mem, str account, str subject, identity_policies *out);
} identity_source;
#define IDENTITY_SOURCE(id, version_, subject_, find_) \
	static const identity_source identity_source_##id = { version_, subject_, find_ }; \
	__attribute__((section("farthing_identities"), used)) \
	static const identity_source *const identity_source_entry_##id = &identity_source_##id

/* `find` returns the document of the resource's policy as far as it speaks of the action, or STR_NONE.
 * `decisive`: where there is one, nothing else allows without it (KMS keys, trust in roles). */
typedef struct resource_policy {
	const char *service; /* the third part of its ARNs */
	str (*find)(const txn *tx, arena *mem, str action, str arn);
	bool decisive;
} resource_policy;
#define RESOURCE_POLICY(service_, find_, decisive_) \
	static const resource_policy resource_policy_##service_ = { #service_, find_, decisive_ }; \
	__attribute__((section("farthing_resource_policies"), used)) \
	static const resource_policy *const resource_policy_entry_##service_ = &resource_policy_##service_

/* The account of a resource whose ARN does not tell (S3). */
typedef struct resource_owner {
	const char *service; /* the third part of its ARNs */
	str (*find)(const txn *tx, arena *mem, str arn);
} resource_owner;
#define RESOURCE_OWNER(service_, find_) \
	static const resource_owner resource_owner_##service_ = { #service_, find_ }; \
	__attribute__((section("farthing_resource_owners"), used)) \
	static const resource_owner *const resource_owner_entry_##service_ = &resource_owner_##service_

/* The tags of a resource, as keys named like the tags: aws:ResourceTag/.. and SERVICE:ResourceTag/.. */
typedef struct resource_tags {
	const char *service; /* the third part of its ARNs */
	const policy_key *(*find)(const txn *tx, arena *mem, str arn);
} resource_tags;
#define RESOURCE_TAGS(service_, find_) \
	static const resource_tags resource_tags_##service_ = { #service_, find_ }; \
	__attribute__((section("farthing_resource_tags"), used)) \
	static const resource_tags *const resource_tags_entry_##service_ = &resource_tags_##service_

/*
 * What an operation is in policies. `action` NULL: SERVICE:Operation with the service's signing name.
 * `resource` is the part of the ARN behind the account, or a whole one from "arn:"; {Member} is the value
 * of that member of the input (nothing when absent), {/Member} the same with one slash in front, {region},
 * {account}. A member that is an ARN already takes the place of the whole. `several` gives the resources
 * where a template cannot; each of them must be allowed. One of them may be "dynamodb:PutItem arn:.." where
 * its action is another one. The empty resource "" marks what anybody may do.
 */
typedef struct access_rule {
	const char *operation, *action, *resource;
	size_t (*several)(req *rq, const txn *tx, const void *in, str **arns);
} access_rule;
typedef struct access_table {
	const char *service; /* folder */
	const char *prefix;  /* of actions and ARNs; NULL: the signing name */
	const access_rule *rules;
	size_t n;
} access_table;
#define ACCESS(id, folder_, prefix_, ...) \
	static const access_rule access_rules_##id[] = { __VA_ARGS__ }; \
	static const access_table access_table_##id = { folder_, prefix_, access_rules_##id, \
		                                        sizeof access_rules_##id / sizeof(access_rule) }; \
	__attribute__((section("farthing_access"), used)) \
	static const access_table *const access_table_entry_##id = &access_table_##id

/* A service's list of tags as such keys; the names of its elements' two members follow. */
#define RESOURCE_TAG_KEYS(mem_, list_, key_, value_) ({ \
	const policy_key *tag_keys_ = NULL; \
	for (size_t tag_i_ = 0; tag_i_ < (list_).n; tag_i_++) \
		tag_keys_ = policy_key_add((mem_), tag_keys_, (list_).v[tag_i_].key_, (list_).v[tag_i_].value_); \
	tag_keys_; \
})

/*
 * One question to the policies and the context in which it is asked. Keys are worked out when a policy
 * mentions them: global ones (cloud/authorise_context.c), tags, then those of the service asked.
 */
typedef struct asking {
	policy_question q;           /* first: what policies get */
	policy_principal who;
	req *rq;
	const txn *tx;
	const void *in;              /* the input of rq->op, or NULL: the question is a handler's own */
	const policy_key *tags;      /* aws:PrincipalTag/.. of the identity, once they are wanted */
	bool tags_known;
} asking;
void asking_tags(asking *a);
void asking_open(asking *a, req *rq, const txn *tx, str action, str resource, const policy_key *more);

/* The condition keys of a service's own (s3:prefix): NULL when this request has none of that name. */
typedef struct access_keys {
	const char *service; /* folder */
	const policy_key *(*find)(asking *a, str name);
} access_keys;
#define ACCESS_KEYS(id, folder_, find_) \
	static const access_keys access_keys_##id = { folder_, find_ }; \
	__attribute__((section("farthing_access_keys"), used)) \
	static const access_keys *const access_keys_entry_##id = &access_keys_##id
/* For them: a key with one value, NULL for STR_NONE; with several; the text of a member of the input. */
const policy_key *asking_value(asking *a, str name, str value);
const policy_key *asking_values(asking *a, str name, const str *v, size_t n);
str asking_member(const asking *a, const char *member);
/* Whose name has the prefix "kms:EncryptionContext:"; what follows it. */
bool asking_prefix(str name, const char *prefix, str *rest);

/* What was asked and which statement decided, for the log. */
typedef struct decision {
	bool allowed;
	str action, resource;
	bool denied;         /* by a statement; else nothing allowed it */
	str why;             /* "AmazonS3FullAccess, statement 1 allows"; a sentence's end for refusals */
	str by;              /* the policy and statement that decided; STR_NONE: nothing spoke */
} decision;

/*
 * The door of every operation, called from outside or from another service: OK unless rq->enforce says that
 * policies decide and they refuse. Our own services acting for themselves (rq->who.internal) pass: where
 * AWS asks a resource's policy about them (a function invoked by a rule), the request names the resource for
 * which they act (rq->source). Sets rq->decision.
 */
bool authorise_needed(const req *rq);
err authorise_call(req *rq, const txn *tx, const void *in);

/* rq->op with its decoded input, by the ACCESS tables. AccessDenied in the protocol's spelling. */
err authorise_operation(req *rq, const txn *tx, const void *in, decision *d);
/* For `several` of services whose resources are their paths: apigateway:POST on .../restapis/a1b2c3. */
size_t access_by_path(req *rq, const txn *tx, const void *in, str **arns);
/* The text of a member of the operation's input, numbers and booleans as text too; STR_NONE when it is
 * absent or a structure. For `several`. */
str access_member(const req *rq, const void *in, str name);
/* One action by name, with more keys of context, for what an operation needs besides (iam:PassRole). */
err authorise(req *rq, const txn *tx, str action, str resource, const policy_key *more, decision *d);
/* One action on one resource for the operation whose input this is. */
err authorise_input(req *rq, const txn *tx, str action, str resource, const void *in, decision *d);
/* The same without making a fault of it. */
decision decide(req *rq, const txn *tx, str action, str resource, const policy_key *more);

/* The caller as principal elements name it. */
policy_principal principal_of(const caller *who);
/* What a service is called before the colon of its actions: cloudwatch, though it signs as monitoring. */
const char *access_prefix(const service *s);
/* The row of an operation, NULL when its service has none for it; for the test that all have one. */
const access_rule *access_rule_of(const operation *op);

/* AWS's message for a decision that is no. */
str denial_text(req *rq, const decision *d);
/* The same for whoever may ask sts:DecodeAuthorizationMessage: sealed with the server's own key. */
str denial_sealed(req *rq, const decision *d);
/* STR_NONE: not one of ours. */
str denial_opened(req *rq, str sealed);
