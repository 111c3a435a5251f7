#include "token.h"

#define TIME_DIGITS 20
#define DIGITS 56

str place_token(req *rq, char direction, place p)
{
	return arena_fmt(rq->mem, "%c/%020lld%036lld/s", direction, (long long)p.when, (long long)p.seq);
}

bool place_read(str token, bool *back, place *p)
{
	if (str_ends(token, S("/s")))
		token = str_sub(token, 0, token.n - 2);
	if (token.n != DIGITS + 2 || !(str_starts(token, S("f/")) || str_starts(token, S("b/"))))
		return false;
	*back = token.p[0] == 'b';
	str time = str_sub(token, 2, 2 + TIME_DIGITS), number = str_sub(token, 2 + TIME_DIGITS, token.n);
	return str_to_i64(time, &p->when) && str_to_i64(number, &p->seq) && p->when >= 0 && p->seq >= 0;
}
