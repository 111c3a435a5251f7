#include "cloud/virtual_host.h"

static str without_port(str host)
{
	size_t colon = str_find_char(host, ':');
	return str_sub(host, 0, colon);
}

static bool of_ours(str name)
{
	return str_ends(name, S(".amazonaws.com")) || str_ends(name, S(".localhost")) ||
	       str_ends(name, S(".amazonaws.com.cn"));
}

/* s3, s3-us-west-2 (the old dash), s3-accelerate; not s3-website or s3-control. */
static bool names_s3(str label)
{
	if (str_eq(label, S("s3")) || str_eq(label, S("s3-accelerate")))
		return true;
	return str_starts(label, S("s3-")) && !str_starts(label, S("s3-website")) &&
	       !str_starts(label, S("s3-control")) && !str_starts(label, S("s3-object"));
}

str virtual_host_bucket(str host)
{
	str name = without_port(host);
	if (!of_ours(name))
		return STR_NONE;
	/* A bucket's name may have dots, and labels of its own that look like a service: the last counts. */
	for (size_t end = name.n; end > 0;) {
		size_t start = end;
		while (start > 0 && name.p[start - 1] != '.')
			start--;
		if (names_s3(str_sub(name, start, end)))
			return start > 1 ? str_sub(name, 0, start - 1) : STR_NONE;
		if (start == 0)
			break;
		end = start - 1;
	}
	return STR_NONE;
}

static bool signed_for_s3(const wire_message *m)
{
	return str_find(wire_header(m, S("authorization")), S("/s3/aws4_request")) != SIZE_MAX ||
	       str_find(m->query, S("%2Fs3%2Faws4_request")) != SIZE_MAX;
}

bool virtual_host_is_control(const wire_message *m)
{
	return str_starts(m->path, S("/v20180820/")) && str_is(wire_header(m, S("x-amz-account-id")));
}

/* s3.amazonaws.com, s3.us-west-2.amazonaws.com or a bucket's name in front of these. */
static bool leads_to_s3(str name)
{
	str rest = name;
	return str_is(name) && of_ours(name) &&
	       (names_s3(str_cut(&rest, '.')) || str_is(virtual_host_bucket(name)));
}

void virtual_host_apply(http_exchange *x, str leads)
{
	if (virtual_host_is_control(&x->in))
		return;
	str bucket = virtual_host_bucket(x->host), name = without_port(x->host);
	if (!str_is(bucket) && str_ends(name, S(".localhost")) && signed_for_s3(&x->in)) {
		str label = str_sub(name, 0, name.n - (sizeof(".localhost") - 1));
		size_t dot = str_find_char(label, '.');
		if (!str_eq(str_sub(label, 0, dot), S("s3")))
			bucket = label;
	}
	if (!str_is(bucket) && leads_to_s3(leads))
		bucket = arena_lower(x->mem, name);
	if (!bucket.n)
		return;
	buf b = buf_in(x->mem, bucket.n + x->in.path.n + 2, bucket.n + x->in.path.n + 2);
	buf_c(&b, '/');
	buf_put(&b, bucket);
	buf_put(&b, x->in.path);
	x->in.path = buf_str(&b);
}
