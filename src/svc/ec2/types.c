#include "types.h"
#include "base/embed.h"
#include "base/err.h"
#include <pthread.h>

EMBED(ec2_types, "src/svc/ec2/types.csv");

#define TYPES_MAX 2000

static instance_type *types;
static size_t n_types;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int64_t whole(str *line)
{
	int64_t v = 0;
	str_to_i64(str_cut(line, ','), &v);
	return v;
}

static double fraction(str *line)
{
	double v = 0;
	str_to_f64(str_cut(line, ','), &v);
	return v;
}

static instance_type read_type(str line)
{
	instance_type t = { .name = str_cut(&line, ',') };
	t.architectures = str_cut(&line, ',');
	t.vcpus = whole(&line);
	t.cores = whole(&line);
	t.threads = whole(&line);
	t.memory_mib = whole(&line);
	t.clock_ghz = fraction(&line);
	t.network = str_cut(&line, ',');
	t.baseline_gbps = fraction(&line);
	t.peak_gbps = fraction(&line);
	t.ebs_baseline_mbps = whole(&line);
	t.ebs_baseline_iops = whole(&line);
	t.ebs_maximum_mbps = whole(&line);
	t.ebs_maximum_iops = whole(&line);
	t.interfaces = whole(&line);
	t.addresses = whole(&line);
	t.burstable = whole(&line);
	t.hypervisor = str_cut(&line, ',');
	t.manufacturer = str_cut(&line, ',');
	t.current = whole(&line);
	t.free_tier = whole(&line);
	t.boot_modes = line;
	return t;
}

static void read_all(void)
{
	static instance_type all[TYPES_MAX];
	str rest = EMBED_STR(ec2_types);
	str_cut(&rest, '\n'); /* names of the columns */
	while (str_is(rest) && n_types < TYPES_MAX) {
		str line = str_cut(&rest, '\n');
		if (line.n)
			all[n_types++] = read_type(line);
	}
	types = all;
}

size_t instance_types(const instance_type **all)
{
	pthread_once(&once, read_all);
	*all = types;
	return n_types;
}

const instance_type *instance_type_find(str name)
{
	const instance_type *all;
	size_t n = instance_types(&all);
	for (size_t i = 0; i < n; i++)
		if (str_eq(all[i].name, name))
			return &all[i];
	return NULL;
}
