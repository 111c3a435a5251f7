#include "cloud/meter_rows.h"
#include "base/money.h"
#include "base/time.h"

#define ROW 16
#define RESIDENT_ROW 24

static char *put_part(char *p, str part, size_t most)
{
	size_t n = part.n < most ? part.n : most;
	if (n)
		memcpy(p, part.p, n);
	return p + n;
}

static char *put_text(char *p, str part)
{
	p = put_part(p, part, METER_PART_MAX);
	*p++ = 0;
	return p;
}

str usage_key(char *out, str account, int64_t hour, str region, str meter, str resource)
{
	char *p = put_text(put_part(out, METER_USAGE, METER_PART_MAX), account);
	uint64_t big = __builtin_bswap64((uint64_t)hour ^ (UINT64_C(1) << 63));
	memcpy(p, &big, sizeof big);
	p += sizeof big;
	if (region.n || meter.n || resource.n)
		p = put_part(put_text(put_text(p, region), meter), resource, METER_RESOURCE_MAX);
	return str_of(out, (size_t)(p - out));
}

str resident_key(char *out, const meter_place *at)
{
	char *p = put_text(put_part(out, METER_RESIDENT, METER_PART_MAX), at->account);
	p = put_text(put_text(p, at->region), at->meter);
	return str_of(out, (size_t)(put_part(p, at->resource, METER_RESOURCE_MAX) - out));
}

str resident_prefix(char *out, str account)
{
	char *p = put_text(put_part(out, METER_RESIDENT, METER_PART_MAX), account);
	return str_of(out, (size_t)(p - out));
}

str meter_account_end(char *out, str prefix, str account)
{
	char *p = put_text(put_part(out, prefix, METER_PART_MAX), account);
	p[-1] = 1;
	return str_of(out, (size_t)(p - out));
}

static qty add_up_to_most(qty a, qty b)
{
	qty sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void usage_row_add(txn *tx, str key, qty by_requests, qty by_residents)
{
	qty row[2] = { 0, 0 };
	str old = txn_get(tx, key);
	if (old.n == ROW)
		memcpy(row, old.p, ROW);
	row[0] = add_up_to_most(row[0], by_requests);
	row[1] = add_up_to_most(row[1], by_residents);
	txn_put(tx, key, str_of((const char *)row, ROW));
}

bool usage_row_read(str key, str value, usage_line *l, qty *by_requests, qty *by_residents)
{
	str rest = str_sub(key, METER_USAGE.n, key.n);
	*l = (usage_line){ .account = str_cut(&rest, 0) };
	uint64_t big;
	if (value.n != ROW || rest.n < sizeof big)
		return false;
	memcpy(&big, rest.p, sizeof big);
	l->hour = (int64_t)(__builtin_bswap64(big) ^ (UINT64_C(1) << 63));
	rest = str_sub(rest, sizeof big, rest.n);
	l->region = str_cut(&rest, 0);
	l->meter = str_cut(&rest, 0);
	l->resource = str_is(rest) ? rest : S("");
	memcpy(by_requests, value.p, sizeof *by_requests);
	memcpy(by_residents, value.p + sizeof *by_requests, sizeof *by_residents);
	return true;
}

bool resident_row_read(str value, resident_row *row)
{
	_Static_assert(sizeof *row == RESIDENT_ROW, "the row is three numbers");
	if (value.n != RESIDENT_ROW)
		return false;
	memcpy(row, value.p, RESIDENT_ROW);
	return true;
}

void resident_row_write(txn *tx, str key, const resident_row *row)
{
	txn_put(tx, key, str_of((const char *)row, RESIDENT_ROW));
}

bool resident_key_read(str key, usage_line *l)
{
	str rest = str_sub(key, METER_RESIDENT.n, key.n);
	*l = (usage_line){ 0 };
	l->account = str_cut(&rest, 0);
	l->region = str_cut(&rest, 0);
	l->meter = str_cut(&rest, 0);
	l->resource = str_is(rest) ? rest : S("");
	return l->meter.n > 0;
}

qty resident_use(resident_row *row, int64_t end)
{
	i128 used = (i128)row->rate * (end - row->since) + row->rest;
	row->since = end;
	row->rest = (int64_t)(used % MS_HOUR);
	used /= MS_HOUR;
	return used > INT64_MAX ? INT64_MAX : (qty)used;
}
