/*
 * Lifecycle policies: rules by priority, each of which picks images by tag status and then expires those
 * beyond a count or an age. An image that a rule of higher priority picked is none of the later ones'
 * business, and an image in a list that stays is not expired.
 */
#include "base/json.h"
#include "base/time.h"
#include "ecr.h"
#include <stdlib.h>

#define RULES_MAX 50

typedef struct rule {
	int64_t priority, count;
	const json_value *prefixes, *patterns;
	bool tagged, untagged, by_age;
} rule;

typedef struct picture {
	ecr_image *image;
	ecr_ImageTagList tags;
	bool taken, expires;
	int64_t priority; /* of the rule that took it */
} picture;

static str text_of(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

static bool number_of(const json_value *v, str key, int64_t *out)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_NUMBER && str_to_i64(m->text, out) && *out > 0;
}

static str selection_fault(const json_value *s, rule *r)
{
	str status = text_of(s, S("tagStatus")), type = text_of(s, S("countType"));
	bool any = str_eq(status, S("any"));
	r->tagged = any || str_eq(status, S("tagged"));
	r->untagged = any || str_eq(status, S("untagged"));
	if (!r->tagged && !r->untagged)
		return S("tagStatus is tagged, untagged or any");
	r->prefixes = json_get(s, S("tagPrefixList"));
	r->patterns = json_get(s, S("tagPatternList"));
	bool lists = (r->prefixes && r->prefixes->n) || (r->patterns && r->patterns->n);
	if (str_eq(status, S("tagged")) != lists)
		return S("tagPrefixList or tagPatternList is given with, and only with, tagStatus tagged");
	r->by_age = str_eq(type, S("sinceImagePushed"));
	if (!r->by_age && !str_eq(type, S("imageCountMoreThan")))
		return S("countType is imageCountMoreThan or sinceImagePushed");
	if (r->by_age != str_eq(text_of(s, S("countUnit")), S("days")))
		return S("countUnit is days with, and only with, countType sinceImagePushed");
	return number_of(s, S("countNumber"), &r->count) ? STR_NONE : S("countNumber is greater than zero");
}

static int by_priority(const void *x, const void *y)
{
	const rule *a = x, *b = y;
	return (a->priority > b->priority) - (a->priority < b->priority);
}

static str read_rules(arena *mem, str policy, rule rules[RULES_MAX], size_t *n)
{
	const json_value *list = json_get(json_parse(mem, policy), S("rules"));
	*n = 0;
	if (!list || list->kind != JSON_ARRAY || !list->n)
		return S("the policy is a JSON object with a list of rules");
	for (const json_value *v = list->first; v; v = v->next) {
		rule r = { 0 };
		if (*n == RULES_MAX)
			return S("a policy has at most 50 rules");
		if (!number_of(v, S("rulePriority"), &r.priority))
			return S("rulePriority is a positive number");
		str wrong = selection_fault(json_get(v, S("selection")), &r);
		if (str_is(wrong))
			return wrong;
		if (!str_eq(text_of(json_get(v, S("action")), S("type")), S("expire")))
			return S("the action's type is expire");
		for (size_t i = 0; i < *n; i++)
			if (rules[i].priority == r.priority)
				return S("each rule has a priority of its own");
		rules[(*n)++] = r;
	}
	qsort(rules, *n, sizeof *rules, by_priority);
	return STR_NONE;
}

str lifecycle_fault(arena *mem, str policy)
{
	rule *rules = arena_array(mem, rule, RULES_MAX);
	size_t n;
	return read_rules(mem, policy, rules, &n);
}

static bool one_fits(const json_value *wanted, const ecr_ImageTagList *tags, bool prefix)
{
	for (size_t t = 0; t < tags->n; t++)
		if (prefix ? str_starts(tags->v[t], wanted->text) : str_glob(wanted->text, tags->v[t]))
			return true;
	return false;
}

/* Of several prefixes or patterns an image has tags for all. */
static bool picks(const rule *r, const picture *p)
{
	if (p->tags.n == 0)
		return r->untagged;
	if (!r->tagged)
		return false;
	for (const json_value *v = r->prefixes ? r->prefixes->first : NULL; v; v = v->next)
		if (!one_fits(v, &p->tags, true))
			return false;
	for (const json_value *v = r->patterns ? r->patterns->first : NULL; v; v = v->next)
		if (!one_fits(v, &p->tags, false))
			return false;
	return true;
}

static void apply_rule(const rule *r, picture *p, size_t n, int64_t now)
{
	int64_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i].taken || !picks(r, &p[i]))
			continue;
		seen++;
		p[i].taken = true;
		p[i].priority = r->priority;
		p[i].expires = r->by_age ? now - p[i].image->Pushed > r->count * MS_DAY : seen > r->count;
	}
}

static int newest_first(const void *x, const void *y)
{
	const picture *a = x, *b = y;
	return (a->image->Pushed < b->image->Pushed) - (a->image->Pushed > b->image->Pushed);
}

/* All images, newest first, with what the policy says of them; NULL: it is none. */
static picture *judged(const txn *tx, arena *mem, const ecr_repo *r, str policy, int64_t now, size_t *n)
{
	rule *rules = arena_array(mem, rule, RULES_MAX);
	size_t n_rules;
	*n = 0;
	if (str_is(read_rules(mem, policy, rules, &n_rules)))
		return NULL;
	record_scan s = ecr_image_scan(tx, mem, 1, r->Id, STR_NONE);
	while (ecr_image_next(&s))
		++*n;
	picture *all = arena_array(mem, picture, *n + 1);
	s = ecr_image_scan(tx, mem, 1, r->Id, STR_NONE);
	*n = 0;
	for (ecr_image *i; (i = ecr_image_next(&s));)
		all[(*n)++] = (picture){ .image = i, .tags = image_tags(tx, mem, r, i->Digest) };
	qsort(all, *n, sizeof *all, newest_first);
	for (size_t i = 0; i < n_rules; i++)
		apply_rule(&rules[i], all, *n, now);
	return all;
}

ecr_LifecyclePolicyPreviewResultList lifecycle_preview(const txn *tx, arena *mem, const ecr_repo *r,
                                                       str policy, int64_t now)
{
	size_t n;
	picture *all = judged(tx, mem, r, policy, now, &n);
	ecr_LifecyclePolicyPreviewResultList list = {
		arena_array(mem, ecr_LifecyclePolicyPreviewResult, n + 1), 0
	};
	for (size_t i = 0; i < n; i++) {
		if (!all[i].expires)
			continue;
		ecr_LifecyclePolicyRuleAction *action = arena_new(mem, ecr_LifecyclePolicyRuleAction);
		action->type = ecr_ImageActionType_EXPIRE;
		list.v[list.n++] = (ecr_LifecyclePolicyPreviewResult){
			.imageTags = all[i].tags, .imageDigest = all[i].image->Digest,
			.imagePushedAt = TIME(all[i].image->Pushed), .action = action,
			.appliedRulePriority = I64(all[i].priority),
		};
	}
	return list;
}

size_t lifecycle_apply(txn *tx, arena *mem, ecr_repo *r, int64_t now)
{
	size_t n, expired = 0;
	picture *all = judged(tx, mem, r, r->Lifecycle, now, &n);
	/* Lists go before their images, which nothing holds then. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < n; i++)
			if (all[i].expires && !image_is_part(tx, mem, r, all[i].image->Digest)) {
				image_delete(tx, mem, r, all[i].image, now);
				all[i].expires = false;
				expired++;
			}
	return expired;
}
