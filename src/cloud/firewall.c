#include "cloud/firewall.h"
#include "cloud/target.h"

extern const firewalled *const __start_farthing_firewalled[] __attribute__((weak));
extern const firewalled *const __stop_farthing_firewalled[] __attribute__((weak));
extern const firewall *const __start_farthing_firewalls[] __attribute__((weak));
extern const firewall *const __stop_farthing_firewalls[] __attribute__((weak));

static const firewall *the_one(void)
{
	const firewall *const *end = __stop_farthing_firewalls;
	return __start_farthing_firewalls < end ? *__start_farthing_firewalls : NULL;
}

const firewalled *firewalled_of(str arn)
{
	arn_parts parts;
	const firewalled *const *end = __stop_farthing_firewalled;
	if (!arn_split(arn, &parts))
		return NULL;
	for (const firewalled *const *f = __start_farthing_firewalled; f < end; f++)
		if (str_eq(str_c((*f)->service), parts.service) && (*f)->names(parts.resource))
			return *f;
	return NULL;
}

wall *firewall_of(const txn *tx, arena *mem, str arn)
{
	const firewall *f = the_one();
	return f ? f->of(tx, mem, arn) : NULL;
}

str firewall_acl(const txn *tx, arena *mem, str resource)
{
	const firewall *f = the_one();
	return f ? f->acl(tx, mem, resource) : STR_NONE;
}

bool firewall_passes(wall *w, http_exchange *x, str path, str resource, wall_answer *a)
{
	return the_one()->passes(w, x, path, resource, a);
}

void firewall_gone(txn *tx, str resource)
{
	const firewall *f = the_one();
	if (f)
		f->gone(tx, resource);
}

bool firewall_usable(const txn *tx, arena *mem, str account, str acl)
{
	const firewall *f = the_one();
	return f && f->usable(tx, mem, account, acl);
}

void firewall_stands(txn *tx, str resource, str acl)
{
	const firewall *f = the_one();
	if (f)
		f->stands(tx, resource, acl);
}
