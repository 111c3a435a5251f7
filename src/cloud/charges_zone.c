#include "cloud/charges_zone.h"
#include "cloud/meter_rows.h"

#define ROWS S("$zone/")
#define KEY_MAX (METER_RESOURCE_MAX + METER_PART_MAX + 16)

/* STR_NONE where a usage line has no such resource: over-long ones are cut there. */
static str key_of(char *out, str account, str resource)
{
	if (resource.n == 0 || resource.n > METER_RESOURCE_MAX || account.n > METER_PART_MAX)
		return STR_NONE;
	memcpy(out, ROWS.p, ROWS.n);
	memcpy(out + ROWS.n, account.p, account.n);
	out[ROWS.n + account.n] = 0;
	memcpy(out + ROWS.n + account.n + 1, resource.p, resource.n);
	return str_of(out, ROWS.n + account.n + 1 + resource.n);
}

void charges_zone_put(txn *tx, str account, str resource, str zone)
{
	char at[KEY_MAX];
	str key = key_of(at, account, resource);
	if (str_is(key) && zone.n && !str_eq(txn_get(tx, key), zone))
		txn_put(tx, key, zone);
}

str charges_zone(const txn *tx, str account, str resource)
{
	char at[KEY_MAX];
	str key = key_of(at, account, resource);
	return str_is(key) ? txn_get(tx, key) : STR_NONE;
}
