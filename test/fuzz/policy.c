/*
 * Any text as a policy of each kind, asked about a request whose strings come from the text too.
 */
#include "base/err.h"
#include "cloud/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 8192)
		return 0;
	arena *mem = arena_open(1 << 14);
	str rest = str_of((const char *)data, n);
	str action = str_cut(&rest, '\n'), resource = str_cut(&rest, '\n'), value = str_cut(&rest, '\n');
	for (int use = POLICY_IDENTITY; use <= POLICY_TRUST && str_is(rest); use++) {
		str wrong, *names;
		policy *p = policy_parse(mem, rest, (policy_use)use, &wrong);
		if (!p) {
			ensure(wrong.n > 0);
			continue;
		}
		policy_principal who = { .account = S("000000000001"), .arn = value, .role = resource };
		policy_key *keys = policy_key_add(mem, NULL, S("aws:username"), value);
		keys = policy_key_add(mem, keys, S("aws:SourceIp"), value);
		policy_question q = { .action = action, .resource = resource, .who = &who, .keys = keys };
		policy_answer a = policy_ask(mem, p, &q);
		ensure(!a.allowed || !a.allowed->deny);
		policy_context_keys(mem, p, &names);
		for (const policy_statement *s = p->statements; s; s = s->next)
			ensure(s->start <= s->end && s->end <= rest.n);
	}
	arena_close(mem);
	return 0;
}
