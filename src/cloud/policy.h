/*
 * IAM's policy language: documents are read and checked once, then asked whether a statement of
 * theirs allows or denies one action on one resource in one context. How the answers of several
 * policies combine (identity, resource, boundary, session) is cloud/authorise.h's business.
 *
 * A policy lives in the arena in which it was parsed and points into its text.
 */
#pragma once
#include "base/json.h"

/* The four kinds of documents differ in what a statement must and must not have. */
typedef enum policy_use {
	POLICY_IDENTITY, /* actions and resources, no principal; sessions and boundaries too */
	POLICY_MANAGED,  /* the same, of the newer version only */
	POLICY_RESOURCE, /* a principal; resources where the service has them */
	POLICY_TRUST,    /* who may assume a role: a principal, sts actions, no resource */
} policy_use;

typedef struct policy_statement {
	struct policy_statement *next;
	const struct policy *policy;
	str sid;
	bool deny;
	bool not_principal, not_action, not_resource;
	const json_value *principal, *action, *resource, *condition; /* NULL: the element is absent */
	size_t index;        /* from 0 */
	size_t start, end;   /* of the statement's text, in bytes */
} policy_statement;

typedef struct policy {
	str text;
	bool variables;      /* Version 2012-10-17 knows ${..} */
	policy_statement *statements;
} policy;

/* NULL and AWS's sentence in *wrong (what MalformedPolicyDocument says) when the text is no such
 * policy. */
policy *policy_parse(arena *a, str text, policy_use use, str *wrong);

/* One key of the request's context: aws:SourceIp, s3:prefix. Names compare without case. */
typedef struct policy_key {
	const struct policy_key *next;
	str name;
	const str *v;
	size_t n;
	bool multivalued;    /* aws:TagKeys: a set even when it has one member */
} policy_key;

/* Adds a key; a later one hides an earlier one of the same name. */
policy_key *policy_key_add(arena *a, const policy_key *keys, str name, str value);
const policy_key *policy_key_find(const policy_key *keys, str name);

/* Who asks, as principals name them. */
typedef struct policy_principal {
	str account;
	str arn;             /* user, assumed-role session, federated user or root */
	str role;            /* ARN of what this is a session of: a role, a federating user; else STR_NONE */
	str service;         /* lambda.amazonaws.com, else STR_NONE */
	str federated;       /* ARN of the identity provider that vouches for who comes, else STR_NONE */
	bool anonymous;
} policy_principal;

typedef struct policy_question {
	str action;          /* s3:GetObject */
	str resource;        /* an ARN, or "*" where the action has none */
	const policy_principal *who; /* looked at in documents with principals only */
	const policy_key *keys;
	/* Asked for a key that is not among `keys`; NULL: there are no others. Most of what a request could
	 * tell no policy wants to know. */
	const policy_key *(*find)(void *context, str name);
	void *context;
} policy_question;
/* NULL: the request's context has no such key. */
const policy_key *policy_question_key(const policy_question *q, str name);

/* How the principal element named the asker, in rising order of directness. */
typedef enum policy_naming {
	NAMED_NOT,
	NAMED_ACCOUNT,       /* the account or its root: a delegation, not a grant */
	NAMED_ANYONE,        /* "*" */
	NAMED_ROLE,          /* the role of the session */
	NAMED_ITSELF,        /* the user, the session, the service */
} policy_naming;

typedef struct policy_answer {
	const policy_statement *denied;  /* the first that denies, or NULL */
	const policy_statement *allowed; /* the one that names the asker most directly, or NULL */
	policy_naming naming;            /* of `allowed`; NAMED_ITSELF in identity policies */
} policy_answer;

/* `mem` is scratch for variables. */
policy_answer policy_ask(arena *mem, const policy *p, const policy_question *q);

/* What policy_ask is made of; the simulator and the tests ask these one by one. */
bool policy_action_fits(str pattern, str action);
bool policy_resource_fits(arena *mem, str pattern, const policy_question *q, bool variables);
bool policy_condition_holds(arena *mem, const json_value *condition, const policy_question *q,
                            bool variables);
/* Names of context keys the document mentions, in conditions and variables, without repetitions. */
size_t policy_context_keys(arena *a, const policy *p, str **names);
