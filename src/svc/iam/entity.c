#include "entity.h"
#include "base/text.h"
#include "cloud/tags.h"
#include "sys/rand.h"

#define VERSION_KEY S("iam.version")

str iam_version(const txn *tx)
{
	str version = txn_get(tx, VERSION_KEY);
	return str_is(version) ? version : S("first");
}

void iam_changed(txn *tx)
{
	char version[16];
	rand_bytes(version, sizeof version);
	txn_put(tx, VERSION_KEY, str_of(version, sizeof version));
}

str iam_key(arena *mem, str name)
{
	return arena_lower(mem, name);
}

str iam_path(str path)
{
	return str_is(path) ? path : S("/");
}

str iam_arn(const req *rq, const char *kind, str path, str name)
{
	return arena_fmt(rq->mem, "arn:aws:iam::%.*s:%s%.*s%.*s", STR_ARG(rq->who.account), kind,
	                 STR_ARG(iam_path(path)), STR_ARG(name));
}

str iam_arn_name(str arn)
{
	while (str_find_char(arn, '/') != SIZE_MAX)
		str_cut(&arn, '/');
	return arn;
}

static err missing(req *rq, const char *kind, str name)
{
	return fail(rq, &iam_NoSuchEntityException, "The %s with name %.*s cannot be found.", kind,
	            STR_ARG(name));
}

err iam_find_user(req *rq, const txn *tx, str name, iam_user **out)
{
	*out = iam_user_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return *out ? OK : missing(rq, "user", name);
}

err iam_find_group(req *rq, const txn *tx, str name, iam_group **out)
{
	*out = iam_group_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return *out ? OK : missing(rq, "group", name);
}

err iam_find_role(req *rq, const txn *tx, str name, iam_role **out)
{
	*out = iam_role_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return *out ? OK : missing(rq, "role", name);
}

err iam_changeable(req *rq, const iam_role *role)
{
	if (!str_starts(role->It->Path, S("/aws-service-role/")))
		return OK;
	str service_name = str_sub(role->It->Path, 18, role->It->Path.n - 1);
	return fail(rq, &iam_UnmodifiableEntityException,
	            "Cannot perform the operation on the protected role '%.*s' - this role is only modifiable by "
	            "AWS (%.*s)",
	            STR_ARG(role->It->RoleName), STR_ARG(service_name));
}

const char *holder_word(holder_kind kind)
{
	static const char *const words[] = { "user", "group", "role" };
	return words[kind];
}

err holder_find(req *rq, const txn *tx, holder_kind kind, str name, holder *out)
{
	*out = (holder){ .kind = kind, .account = rq->who.account, .key = iam_key(rq->mem, name) };
	switch (kind) {
	case HOLDER_USER:
		TRY(iam_find_user(rq, tx, name, &out->user));
		out->name = out->user->It->UserName;
		out->attached = &out->user->Attached;
		out->inlined = &out->user->Inline;
		break;
	case HOLDER_GROUP:
		TRY(iam_find_group(rq, tx, name, &out->group));
		out->name = out->group->It->GroupName;
		out->attached = &out->group->Attached;
		out->inlined = &out->group->Inline;
		break;
	case HOLDER_ROLE:
		TRY(iam_find_role(rq, tx, name, &out->role));
		out->name = out->role->It->RoleName;
		out->attached = &out->role->Attached;
		out->inlined = &out->role->Inline;
		break;
	}
	return OK;
}

void holder_put(txn *tx, const holder *h)
{
	switch (h->kind) {
	case HOLDER_USER: iam_user_put(tx, h->user); break;
	case HOLDER_GROUP: iam_group_put(tx, h->group); break;
	case HOLDER_ROLE: iam_role_put(tx, h->role); break;
	}
}

err holder_is_bare(req *rq, const holder *h)
{
	if (h->attached->n)
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must detach all policies first.");
	if (h->inlined->n)
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete policies first.");
	return OK;
}

err iam_document_check(req *rq, str document, policy_use use)
{
	str wrong;
	if (policy_parse(rq->mem, document, use, &wrong))
		return OK;
	return fail(rq, &iam_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
}

size_t iam_document_size(str document)
{
	size_t n = 0;
	for (size_t i = 0; i < document.n; i++)
		n += !(document.p[i] == ' ' || (document.p[i] >= '\t' && document.p[i] <= '\r'));
	return n;
}

str iam_document_shown(arena *mem, str document)
{
	return percent_encode(mem, document, false);
}

static const tag_rules rules = {
	.most = IAM_TAGS_MAX,
	.too_many = { &iam_LimitExceededException, "Cannot exceed quota for TagsPerResource: 50" },
	.twice = { &iam_InvalidInputException,
	           "Duplicate tag keys found. Please note that Tag keys are case insensitive." },
	.reserved = { &iam_InvalidInputException,
	              "aws: prefixed tag key names are not allowed for external use." },
	.any_case = true,
};

err iam_tags_merge(req *rq, iam_tagListType *tags, const iam_tagListType *more)
{
	return tags_add(rq, &rules, TAGS(tags, Key), TAGS(more, Key));
}

err iam_policy_tags_merge(req *rq, iam_tagListType *tags, const iam_tagListType *more)
{
	tag_rules by_case = rules;
	by_case.any_case = false;
	by_case.twice.text = "Duplicate tag keys found.";
	return tags_add(rq, &by_case, TAGS(tags, Key), TAGS(more, Key));
}

/* No tags are absent, not an empty list. */
void iam_tags_remove(iam_tagListType *tags, const iam_tagKeyListType *keys)
{
	tags_drop_any_case(TAGS(tags, Key), keys->v, keys->n);
	if (!tags->n)
		tags->v = NULL;
}

#define PAGE_DEFAULT 100

err page_open(req *rq, str marker, opt_i64 max_items, page_of *p)
{
	*p = (page_of){ .most = max_items.set ? (size_t)max_items.v : PAGE_DEFAULT };
	if (marker.n && !page_position(rq, marker, &p->after))
		return fail(rq, &aws_ValidationException, "Invalid Marker.");
	return OK;
}

bool page_take(page_of *p, str key)
{
	if (p->n == p->most) {
		p->marker = p->last;
		return false;
	}
	p->n++;
	p->last = key;
	return true;
}

void page_close(req *rq, page_of *p, str *marker, opt_bool *truncated)
{
	*truncated = BOOL(str_is(p->marker));
	if (str_is(p->marker))
		*marker = page_token(rq, p->marker);
}

int64_t iam_use_count(const txn *tx, arena *mem, str account, str arn, bool boundary)
{
	record_scan s = iam_use_scan(tx, mem, 2, account, arn, STR_NONE, STR_NONE);
	int64_t n = 0;
	for (iam_use *u; (u = iam_use_next(&s));)
		n += str_ends(u->Use, S("-boundary")) == boundary;
	return n;
}

err iam_user_or_caller(req *rq, str name, str *out)
{
	*out = name;
	if (str_is(name))
		return OK;
	size_t at = str_find(rq->who.arn, S(":user/"));
	if (at == SIZE_MAX)
		return fail(rq, &aws_ValidationException,
		            "Must specify userName when calling with non-User credentials");
	*out = iam_arn_name(rq->who.arn);
	return OK;
}
