#include "plane.h"

void realtime_serve(http_exchange *x, store *s, str id)
{
	(void)s;
	(void)id;
	wire_message out = { .mem = x->mem, .status = 400, .body = S("") };
	http_reply(x, &out, NULL);
}

void realtime_publish(execution *e, const json_value *data)
{
	(void)e;
	(void)data;
}
