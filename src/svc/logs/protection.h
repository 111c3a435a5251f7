/*
 * Data protection: what a policy calls sensitive is found when events come, and shown as asterisks from then
 * on wherever events leave (reading, queries, tails, metric and subscription filters, exports). The event
 * itself is kept whole, with the places of what was found, for those who may unmask it.
 *
 * A group has the policy of its own and that of its account; what either names is masked.
 */
#pragma once
#include "logs.h"

typedef struct protection protection;

/* InvalidParameterException says what is wrong; NotImplemented names an identifier that is not known here. */
err protection_check(req *rq, const txn *tx, str document);
/* NULL: nothing protects the group. */
const protection *protection_of(const txn *tx, arena *mem, const logs_group *g);

typedef struct finding {
	struct finding *next;
	str name;          /* of the identifier */
	size_t from, to;   /* bytes */
} finding;
#define PROTECTION_FINDINGS_MAX 1000
/* In the order of the identifiers, at most so many. What is only used on the way is in `scratch`. */
finding *protection_find(arena *mem, arena *scratch, const protection *p, str message);

/* An identifier of AWS's own. NULL: not known here. */
typedef struct identifier {
	const char *name, *expression;
	bool (*valid)(arena *mem, str found);   /* NULL: whatever fits */
	const char *const *words;               /* one of them stands near; NULL: none need to */
	const char *part;                       /* of whatever fits: what lacks it is not searched */
} identifier;
const identifier *identifier_named(str name);

/* Writes what was found in `n` events into the groups that want to know. false: there are none. */
bool protection_report(txn *tx, const protection *p, const logs_group *g, finding *const *of, size_t n,
                       int64_t now);
