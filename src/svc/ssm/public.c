/*
 * AWS's public parameters, as far as what they tell is here: the newest images that EC2 has, and the Region.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "gen/ec2.h"
#include "parameter.h"

/* In order of names. `image` is the beginning of the image's name, `arch` its architecture; no image: the
 * Region's name. */
static const struct { const char *name, *image, *arch; } rows[] = {
#define LINUX "/aws/service/ami-amazon-linux-latest/"
#define UBUNTU "/aws/service/canonical/ubuntu/server/"
	{ LINUX "al2023-ami-kernel-6.1-arm64", "al2023-ami-2023*", "arm64" },
	{ LINUX "al2023-ami-kernel-6.1-x86_64", "al2023-ami-2023*", "x86_64" },
	{ LINUX "al2023-ami-kernel-default-arm64", "al2023-ami-2023*", "arm64" },
	{ LINUX "al2023-ami-kernel-default-x86_64", "al2023-ami-2023*", "x86_64" },
	{ LINUX "amzn2-ami-hvm-arm64-gp2", "amzn2-ami-*", "arm64" },
	{ LINUX "amzn2-ami-hvm-x86_64-gp2", "amzn2-ami-*", "x86_64" },
	{ LINUX "amzn2-ami-kernel-5.10-hvm-arm64-gp2", "amzn2-ami-*", "arm64" },
	{ LINUX "amzn2-ami-kernel-5.10-hvm-x86_64-gp2", "amzn2-ami-*", "x86_64" },
	{ UBUNTU "22.04/stable/current/amd64/hvm/ebs-gp2/ami-id", "ubuntu/*jammy*", "x86_64" },
	{ UBUNTU "22.04/stable/current/arm64/hvm/ebs-gp2/ami-id", "ubuntu/*jammy*", "arm64" },
	{ UBUNTU "24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", "ubuntu/*noble*", "x86_64" },
	{ UBUNTU "24.04/stable/current/arm64/hvm/ebs-gp3/ami-id", "ubuntu/*noble*", "arm64" },
	{ UBUNTU "jammy/stable/current/amd64/hvm/ebs-gp2/ami-id", "ubuntu/*jammy*", "x86_64" },
	{ UBUNTU "jammy/stable/current/arm64/hvm/ebs-gp2/ami-id", "ubuntu/*jammy*", "arm64" },
	{ UBUNTU "noble/stable/current/amd64/hvm/ebs-gp3/ami-id", "ubuntu/*noble*", "x86_64" },
	{ UBUNTU "noble/stable/current/arm64/hvm/ebs-gp3/ami-id", "ubuntu/*noble*", "arm64" },
	{ "/aws/service/debian/release/12/latest/amd64", "debian-12-*", "x86_64" },
	{ "/aws/service/debian/release/12/latest/arm64", "debian-12-*", "arm64" },
	{ "/aws/service/global-infrastructure/current-region", NULL, NULL },
};
#define N_ROWS (sizeof rows / sizeof *rows)
/* Wed, 12 Nov 2025 00:00:00 GMT, when the newest of the images came out. */
#define MADE INT64_C(1762905600000)

/* Whoever asks: these need no permission of EC2. */
static str image_of(req *rq, const txn *tx, const char *pattern, const char *arch)
{
	str name = str_c(pattern), architecture = str_c(arch);
	ec2_Filter filters[] = { { .Name = S("name"), .Values = { &name, 1 } },
		                 { .Name = S("architecture"), .Values = { &architecture, 1 } } };
	ec2_DescribeImages_in in = { .Filters = { filters, 2 } };
	ec2_DescribeImages_out out = { 0 };
	req *self = req_internal(rq->mem, rq->store, "ssm.amazonaws.com", rq->who.account, rq->region);
	if (call_read(self, tx, "ec2", "DescribeImages", &in, &out) || !out.Images.n)
		return STR_NONE;
	return out.Images.v[0].ImageId;
}

static ssm_param *public_row(req *rq, const txn *tx, size_t i)
{
	ssm_param *p = arena_new(rq->mem, ssm_param);
	str value = rows[i].image ? image_of(rq, tx, rows[i].image, rows[i].arch) : rq->region;
	if (!str_is(value))
		return NULL;
	*p = (ssm_param){ .Account = rq->who.account, .Region = rq->region, .Name = str_c(rows[i].name) };
	p->Current = arena_new(rq->mem, ssm_Stored);
	*p->Current = (ssm_Stored){
		.Number = I64(1), .Type = ssm_ParameterType_String, .Value = value,
		.DataType = rows[i].image ? S("aws:ec2:image") : S("text"), .Tier = ssm_ParameterTier_Standard,
		.LastModifiedDate = TIME(MADE),
	};
	return p;
}

ssm_param *public_get(req *rq, const txn *tx, str name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (str_eq(name, str_c(rows[i].name)))
			return public_row(rq, tx, i);
	return NULL;
}

ssm_param *public_next(req *rq, const txn *tx, str name)
{
	ssm_param *p = NULL;
	for (size_t i = 0; i < N_ROWS && !p; i++)
		if (str_cmp(str_c(rows[i].name), name) > 0)
			p = public_row(rq, tx, i);
	return p;
}
