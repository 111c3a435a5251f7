/*
 * Machine images. All of them run the programs of the machine that Farthing runs on: what an image's name
 * promises beyond a shell and the usual tools is there if the machine has it.
 */
#include "base/digest.h"
#include "base/text.h"
#include "ec2.h"

typedef struct catalogue_image {
	const char *name, *owner, *alias, *description, *user; /* user: who may log in */
	const char *device;
	int64_t gib;
} catalogue_image;

/* %s: the architecture as the publisher spells it. */
static const catalogue_image catalogue[] = {
	{ "al2023-ami-2023.9.20251105.0-kernel-6.1-%s", "137112412989", "amazon",
	  "Amazon Linux 2023 AMI 2023.9.20251105.0 %s HVM kernel-6.1", "ec2-user", "/dev/xvda", 8 },
	{ "amzn2-ami-kernel-5.10-hvm-2.0.20251103.3-%s-gp2", "137112412989", "amazon",
	  "Amazon Linux 2 Kernel 5.10 AMI 2.0.20251103.3 %s HVM gp2", "ec2-user", "/dev/xvda", 8 },
	{ "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-%s-server-20251022", "099720109477", "",
	  "Canonical, Ubuntu, 24.04, %s noble image", "ubuntu", "/dev/sda1", 8 },
	{ "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-%s-server-20251022", "099720109477", "",
	  "Canonical, Ubuntu, 22.04, %s jammy image", "ubuntu", "/dev/sda1", 8 },
	{ "debian-12-%s-20251112-2294", "136693071363", "", "Debian 12 (20251112-2294) %s", "admin", "/dev/xvda",
	  8 },
};
#define IMAGES (sizeof catalogue / sizeof *catalogue)

static const char *spelling(const catalogue_image *c, bool arm)
{
	bool amazon = c->alias[0];
	return arm ? "arm64" : amazon ? "x86_64" : "amd64";
}

static str image_id(arena *mem, str region, str name)
{
	digest *d = digest_open(mem, DIGEST_SHA256);
	digest_add(d, region.p, region.n);
	digest_add(d, name.p, name.n);
	str hash = hex_encode(mem, digest_finish(mem, d));
	return arena_fmt(mem, "ami-%.17s", hash.p);
}

/* The text with its one %s filled in. */
static str spelt_out(arena *mem, const char *text, const char *word)
{
	size_t at = str_find(str_c(text), S("%s"));
	ensure(at != SIZE_MAX);
	return arena_fmt(mem, "%.*s%s%s", (int)at, text, word, text + at + 2);
}

static ec2_Image describe(req *rq, const catalogue_image *c, bool arm)
{
	arena *mem = rq->mem;
	const char *spelt = spelling(c, arm);
	str name = spelt_out(mem, c->name, spelt);
	ec2_BlockDeviceMapping *disk = arena_new(mem, ec2_BlockDeviceMapping);
	disk->DeviceName = str_c(c->device);
	disk->Ebs = arena_new(mem, ec2_EbsBlockDevice);
	*disk->Ebs = (ec2_EbsBlockDevice){ .DeleteOnTermination = BOOL(true), .VolumeSize = I64(c->gib),
		.VolumeType = S("gp3"), .Encrypted = BOOL(false), .Iops = I64(3000), .Throughput = I64(125) };
	return (ec2_Image){ .ImageId = image_id(mem, rq->region, name),
		                .Name = name,
		                .Description = spelt_out(mem, c->description, spelt),
		                .Architecture = arm ? S("arm64") : S("x86_64"),
		                .OwnerId = str_c(c->owner),
		                .ImageOwnerAlias = c->alias[0] ? str_c(c->alias) : STR_NONE,
		                .ImageLocation =
		                    arena_fmt(mem, "%s/%.*s", c->alias[0] ? c->alias : c->owner, STR_ARG(name)),
		                .CreationDate = S("2025-11-12T00:00:00.000Z"),
		                .Public = BOOL(true),
		                .State = S("available"),
		                .ImageType = S("machine"),
		                .RootDeviceName = disk->DeviceName,
		                .RootDeviceType = S("ebs"),
		                .VirtualizationType = S("hvm"),
		                .Hypervisor = S("xen"),
		                .EnaSupport = BOOL(true),
		                .SriovNetSupport = S("simple"),
		                .PlatformDetails = S("Linux/UNIX"),
		                .UsageOperation = S("RunInstances"),
		                .BootMode = arm ? S("uefi") : S("uefi-preferred"),
		                .BlockDeviceMappings = { disk, 1 } };
}

bool ec2_image_find(req *rq, str id, ec2_Image *out)
{
	for (size_t i = 0; i < IMAGES * 2; i++) {
		*out = describe(rq, &catalogue[i / 2], i % 2);
		if (str_eq(out->ImageId, id))
			return true;
	}
	return false;
}

static bool owned(const ec2_DescribeImages_in *in, const ec2_Image *i)
{
	for (size_t n = 0; n < in->Owners.n; n++)
		if (str_eq(in->Owners.v[n], i->OwnerId) || str_eq(in->Owners.v[n], i->ImageOwnerAlias))
			return true;
	return in->Owners.n == 0;
}

err ec2_DescribeImages(req *rq, const txn *tx, const ec2_DescribeImages_in *in, ec2_DescribeImages_out *out)
{
	(void)tx; /* none are kept; a read, so that reads may ask */
	ec2_Image image;
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->ImageIds.n; i++) {
		str id = in->ImageIds.v[i];
		if (!str_starts(id, S("ami-")))
			return fail(rq, &ec2_InvalidAMIMalformed, "Invalid id: \"%.*s\" (expecting \"ami-...\")",
			            STR_ARG(id));
		if (!ec2_image_find(rq, id, &image))
			return fail(rq, &ec2_InvalidAMI, "The image id '[%.*s]' does not exist", STR_ARG(id));
	}
	out->Images.v = arena_array(rq->mem, ec2_Image, IMAGES * 2);
	for (size_t i = 0; i < IMAGES * 2; i++) {
		bool passes, named = in->ImageIds.n == 0;
		image = describe(rq, &catalogue[i / 2], i % 2);
		TRY(filters_pass(rq, &kind_image, &in->Filters, &image, &passes));
		for (size_t n = 0; n < in->ImageIds.n; n++)
			named = named || str_eq(image.ImageId, in->ImageIds.v[n]);
		if (passes && named && owned(in, &image))
			out->Images.v[out->Images.n++] = image;
	}
	return OK;
}
