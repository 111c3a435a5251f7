/*
 * What the handlers of IAM share: names, paths and ARNs; the three kinds of identities that hold policies;
 * pages; documents.
 */
#pragma once
#include "cloud/policy.h"
#include "gen/iam.h"

/*
 * What decides about permissions has a version that changes with every write to it: what others keep of it is
 * good for one version. The record functions that write are therefore called through these.
 */
str iam_version(const txn *tx);
void iam_changed(txn *tx);
#define iam_user_put(tx_, ...) (iam_changed(tx_), iam_user_put((tx_), __VA_ARGS__))
#define iam_user_delete(tx_, ...) (iam_changed(tx_), iam_user_delete((tx_), __VA_ARGS__))
#define iam_group_put(tx_, ...) (iam_changed(tx_), iam_group_put((tx_), __VA_ARGS__))
#define iam_group_delete(tx_, ...) (iam_changed(tx_), iam_group_delete((tx_), __VA_ARGS__))
#define iam_role_put(tx_, ...) (iam_changed(tx_), iam_role_put((tx_), __VA_ARGS__))
#define iam_role_delete(tx_, ...) (iam_changed(tx_), iam_role_delete((tx_), __VA_ARGS__))
#define iam_policy_put(tx_, ...) (iam_changed(tx_), iam_policy_put((tx_), __VA_ARGS__))
#define iam_policy_delete(tx_, ...) (iam_changed(tx_), iam_policy_delete((tx_), __VA_ARGS__))
#define iam_membership_put(tx_, ...) (iam_changed(tx_), iam_membership_put((tx_), __VA_ARGS__))
#define iam_membership_delete(tx_, ...) (iam_changed(tx_), iam_membership_delete((tx_), __VA_ARGS__))

/* The key of a row: AWS does not tell names apart by case. */
str iam_key(arena *mem, str name);
/* arn:aws:iam::ACCOUNT:kind/path/name */
str iam_arn(const req *rq, const char *kind, str path, str name);
/* The moment of the request; IAM tells whole seconds. */
static inline opt_time iam_now(const req *rq) { return TIME(rq->now / 1000 * 1000); }
/* "/" when absent. */
str iam_path(str path);
/* What stands behind the last slash of an ARN. */
str iam_arn_name(str arn);

/* The row, or AWS's NoSuchEntity. */
err iam_find_user(req *rq, const txn *tx, str name, iam_user **out);
err iam_find_group(req *rq, const txn *tx, str name, iam_group **out);
err iam_find_role(req *rq, const txn *tx, str name, iam_role **out);
/* A role that AWS's services keep may not be changed by its account. */
err iam_changeable(req *rq, const iam_role *role);

/* The part of a user, group or role that policies hang on. */
typedef enum holder_kind { HOLDER_USER, HOLDER_GROUP, HOLDER_ROLE } holder_kind;
typedef struct holder {
	holder_kind kind;
	str name, key, account;
	iam_attachedPoliciesListType *attached;
	iam_policyDetailListType *inlined;
	union { iam_user *user; iam_group *group; iam_role *role; };
} holder;
err holder_find(req *rq, const txn *tx, holder_kind kind, str name, holder *out);
void holder_put(txn *tx, const holder *h);
const char *holder_word(holder_kind kind);   /* user, group, role */
/* OK when nothing hangs on it any more. */
err holder_is_bare(req *rq, const holder *h);

/* Documents are checked before they are kept, counted without white space, and shown percent-encoded. */
err iam_document_check(req *rq, str document, policy_use use);
size_t iam_document_size(str document);
str iam_document_shown(arena *mem, str document);

/* Tags: merged into what is there; the keys' rules. */
err iam_tags_merge(req *rq, iam_tagListType *tags, const iam_tagListType *more);
/* The keys of a policy's tags differ by case. */
err iam_policy_tags_merge(req *rq, iam_tagListType *tags, const iam_tagListType *more);
void iam_tags_remove(iam_tagListType *tags, const iam_tagKeyListType *keys);
err iam_tags_page(req *rq, const iam_tagListType *tags, str marker, opt_i64 most, iam_tagListType *out,
                  str *next, opt_bool *truncated);

/*
 * Pages: MaxItems rows from Marker on. Loop over candidates in the order of their keys:
 *     page_of p; TRY(page_open(rq, in->Marker, in->MaxItems, &p));
 *     .. record_scan_after(&s, p.after) .. if (page_full(&p, key)) break; .. add ..
 *     page_close(rq, &p, &out->Marker, &out->IsTruncated);
 */
typedef struct page_of {
	str after;           /* STR_NONE: from the beginning */
	size_t most, n;
	str last, marker;
} page_of;
err page_open(req *rq, str marker, opt_i64 max_items, page_of *p);
/* Takes the row with this key into the page; false: no room, there is a next page. */
bool page_take(page_of *p, str key);
void page_close(req *rq, page_of *p, str *marker, opt_bool *truncated);

/* A managed policy of the account or of AWS. */
typedef struct managed {
	const iam_Policy *it;
	str document;        /* of the default version */
	iam_policy *row;     /* NULL: AWS's */
} managed;
err iam_find_policy(req *rq, const txn *tx, str arn, managed *out);
/* The same without a fault, for the evaluator. */
bool iam_policy_of(const txn *tx, arena *mem, str account, str arn, managed *out);
/* AWS's own, by ARN; NULL when there is none of that name. The i-th, for lists. */
const iam_Policy *aws_policy(str arn, str *document);
const iam_Policy *aws_policy_at(size_t i, str *document);

/* How often a policy is in use (AttachmentCount, PermissionsBoundaryUsageCount). */
int64_t iam_use_count(const txn *tx, arena *mem, str account, str arn, bool boundary);

/* Counts rows whose keys have one more part. */
#define IAM_COUNT_DEEP(kind_, tx_, mem_, account_) ({ \
	record_scan count_scan_ = iam_##kind_##_scan((tx_), (mem_), 1, (account_), STR_NONE, STR_NONE); \
	int64_t count_n_ = 0; \
	while (iam_##kind_##_next(&count_scan_)) \
		count_n_++; \
	count_n_; \
})

/* Counts rows up to a limit, for quotas. */
#define IAM_COUNT(kind_, tx_, mem_, account_, most_) ({ \
	record_scan count_scan_ = iam_##kind_##_scan((tx_), (mem_), 1, (account_), STR_NONE); \
	int64_t count_n_ = 0; \
	while (count_n_ < (most_) && iam_##kind_##_next(&count_scan_)) \
		count_n_++; \
	cursor_close(&count_scan_.at); \
	count_n_; \
})

/* When an identity was last used for anything; an empty structure: never. */
iam_RoleLastUsed *iam_last_used(req *rq, const txn *tx, str arn);

/* The shape that says what bounds a user or role. */
/* A policy that is to bound somebody. */
err iam_find_boundary(req *rq, const txn *tx, str arn, managed *out);
iam_AttachedPermissionsBoundary *iam_boundary(arena *mem, str arn);

/* STR_NONE in a request means the calling user. */
err iam_user_or_caller(req *rq, str name, str *out);
