/*
 * WAFv2. A web ACL, with the groups and sets that it names, is read for each request in front of whose
 * resource it stands; its rules are tried in the order of their priorities until one of them decides.
 */
#pragma once
#include "cloud/firewall.h"
#include "cloud/req.h"
#include "cloud/tags.h"
#include "gen/wafv2.h"

extern const tag_rules waf_tag_rules;

/* find.c. Faults in AWS's words, and names. */
err waf_bad(req *rq, str field, str parameter, const char *reason);
err waf_gone(req *rq);
err waf_duplicate(req *rq);
err waf_too_many(req *rq);
err waf_in_use(req *rq);
err waf_locked(req *rq, str given, str has);
#define WAF_NO_ARN \
	"The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons " \
	"or slashes."
err waf_scope(req *rq, str scope);
/* regional/webacl/NAME/ID and the like; `kind` is webacl, rulegroup, ipset, regexpatternset. */
str waf_arn(const req *rq, const char *kind, str scope, str name, str id);
typedef struct waf_place {
	str account, region, scope, kind, name, id;
} waf_place;
/* false: no ARN of ours. */
bool waf_place_of(str arn, waf_place *p);
wafv2_acl *waf_acl_at(const txn *tx, arena *mem, str arn);
wafv2_group *waf_group_at(const txn *tx, arena *mem, str arn);
wafv2_ipset *waf_ipset_at(const txn *tx, arena *mem, str arn);
wafv2_regexset *waf_regexset_at(const txn *tx, arena *mem, str arn);
/* Whether a rule of the account's web ACLs and groups names it. */
bool waf_is_used(req *rq, const txn *tx, str scope, str arn);

/* check.c. Rules as they come, what they cost (WCU), and what they are charged as. */
typedef struct rules_check {
	req *rq;
	const txn *tx;
	str scope;
	const wafv2_CustomResponseBodies *bodies;
	bool in_group;
	int64_t capacity;
	int64_t charged; /* rules, with those inside of groups */
	bool bots;       /* Bot Control is among them */
	int depth, rates;
} rules_check;
err rules_checked(rules_check *c, const wafv2_Rules *rules);
err rules_action_checked(rules_check *c, const wafv2_CustomRequestHandling *more,
                         const wafv2_CustomResponse *response);

/* address.c */
typedef struct address {
	unsigned char bytes[16];
	int family, bits; /* AF_INET, AF_INET6 */
} address;
bool address_read(str text, address *a);
bool address_within(const address *a, const address *range);

/* transform.c. What a rule asks of a field's value, in the order of priorities. */
str waf_transformed(arena *mem, str value, const wafv2_TextTransformations *all);
str transform_one(arena *mem, str value, str type);

/* sqli.c, xss.c */
bool sqli_found(arena *mem, str text, bool sensitive);
bool xss_found(arena *mem, str text);

/* One request as its rules look at it. */
#define LABELS_MAX 100
typedef struct look {
	arena *mem;
	store *s;
	wall *w;
	http_exchange *x;
	str path, resource;
	int64_t now;
	size_t body_max;
	str labels[LABELS_MAX];
	size_t n_labels;
	str rule; /* for counting rates: the ACL, or group, and the rule */
	int depth;
} look;
struct wall {
	arena *mem;
	store *s;
	wafv2_acl *acl;
};
void look_label(look *l, str label);
/* judge.c */
bool wall_passes(wall *w, http_exchange *x, str path, str resource, wall_answer *a);

/* field.c. The parts of a request that a statement looks at. */
typedef struct values {
	str *v;
	size_t n;
	int certain; /* 1: matches as it is, -1: does not; 0: look at the values */
} values;
void field_values(look *l, const wafv2_FieldToMatch *f, values *out);
values field_arguments(look *l);
/* A header may come several times, and whoever is behind may read any of them. */
values field_headers(look *l, str name);
str field_joined(look *l, str name, str between); /* all of them, or STR_NONE */
str field_forwarded(look *l, str header, bool last);

/* match.c */
bool statement_matches(look *l, const wafv2_Statement *s);

/* rate.c. Requests of the same key within the window, this one included. */
int64_t rate_count(str rule, str key, str shown, int64_t now, int64_t window_ms);
typedef struct rate_key {
	char shown[48];
} rate_key;
/* Those above the limit now. */
size_t rate_above(str rule, int64_t limit, int64_t window_ms, int64_t now, rate_key *keys, size_t most);

/* managed.c. Rule groups of AWS. */
typedef struct managed_rule {
	const char *name, *label;
	uint8_t field, test;
	bool counts; /* AWS's own action is Count */
} managed_rule;
typedef struct managed_group {
	const char *name, *space, *about;
	int64_t capacity;
	const managed_rule *rules;
	size_t n;
} managed_group;
extern const managed_group managed_groups[];
extern const size_t managed_n_groups;
const managed_group *managed_group_of(str vendor, str name);
str managed_label(arena *mem, const managed_group *g, const managed_rule *r);
bool managed_matches(look *l, const managed_rule *r);
/* bots.c: what kind of client says this of itself; NULL: a browser, as far as one can tell. */
const char *bot_kind(arena *mem, str agent);
bool bot_is_bad(arena *mem, str agent);

/* tell.c */
typedef struct sample {
	str metric, group_rule; /* metric: of the rule or Default_Action */
	str action;
	int64_t code;           /* of the answer; 0: it goes on */
	const wafv2_CustomHTTPHeaders *inserted;
} sample;
void tell_metric(look *l, const char *name, str rule, const char *dimension, str value);
void tell_sample(look *l, const sample *s);
