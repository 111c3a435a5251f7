/* Every operation that answers stands in its service's ACCESS table, and the tables name what exists. */
#include "cloud/authorise.h"
#include "base/buf.h"
#include "cloud/handler.h"
#include "test/test.h"

static bool names_members(const operation *op, const char *resource)
{
	str rest = str_c(resource);
	while (str_is(rest)) {
		str_cut(&rest, '{');
		if (!str_is(rest))
			return true;
		str name = str_cut(&rest, '}');
		if (name.n && name.p[0] == '/')
			name = str_sub(name, 1, name.n);
		if (!str_eq(name, S("region")) && !str_eq(name, S("account")) &&
		    (!op->input || !shape_member_find(op->input, name)))
			return false;
	}
	return true;
}

static void complain(buf *b, const operation *op, const char *about)
{
	buf_fmt(b, " %s:%s (%s)", op->service->name, op->name, about);
}

TEST(access_rows_for_all)
{
	buf wrong = buf_in(mem, 256, 65536);
	size_t n = 0;
	for (size_t i = 0; i < cloud_n_services; i++)
		for (size_t k = 0; k < cloud_services[i]->n_operations; k++) {
			const operation *op = &cloud_services[i]->operations[k];
			if (!op->handler)
				continue;
			const access_rule *r = access_rule_of(op);
			if (!r)
				complain(&wrong, op, "no row in access.c");
			else if (!r->resource && !r->several)
				complain(&wrong, op, "acts on nothing");
			else if (r->resource && !names_members(op, r->resource))
				complain(&wrong, op, "no such member");
			n++;
		}
	if (wrong.n)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(buf_str(&wrong)));
	CHECK(n > 100);
}
