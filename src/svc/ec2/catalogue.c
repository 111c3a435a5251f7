/*
 * What AWS offers, the same for everybody: regions, zones, instance types, and what spot capacity costs.
 */
#include "base/time.h"
#include "ec2.h"
#include "price/book.h"
#include <stdio.h>

#define ZONES_MAX 6

/* Regions beyond these must be opted into first. */
static const char *const regions[] = { "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-northeast-1",
	"ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
	"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1" };

static const resource_kind kind_region = { .shape = &ec2_Region_shape, .filters = (const filter_path[]){
	{ "endpoint", "regionEndpoint" }, { 0 } } };
static const resource_kind kind_zone = { .shape = &ec2_AvailabilityZone_shape,
	                                     .filters =
	                                         (const filter_path[]){ { "state", "zoneState" }, { 0 } } };
static const resource_kind kind_type = {
	.shape = &ec2_InstanceTypeInfo_shape,
	.filters = (const filter_path[]){ { "processor-info.supported-architecture",
	                                    "processorInfo.supportedArchitectures" },
	                                  { "vcpu-info.default-vcpus", "vCpuInfo.defaultVCpus" },
	                                  { "memory-info.size-in-mib", "memoryInfo.sizeInMiB" },
	                                  { "burstable-performance-supported", "burstablePerformanceSupported" },
	                                  { "supported-usage-class", "supportedUsageClasses" },
	                                  { "supported-virtualization-type", "supportedVirtualizationTypes" },
	                                  { "supported-root-device-type", "supportedRootDeviceTypes" },
	                                  { 0 } }
};

static bool listed(const void *names, str name)
{
	const list_of_str *l = names;
	bool found = l->n == 0;
	for (size_t i = 0; !found && i < l->n; i++)
		found = str_eq(l->v[i], name);
	return found;
}

err ec2_DescribeRegions(req *rq, const ec2_DescribeRegions_in *in, ec2_DescribeRegions_out *out)
{
	size_t n = sizeof regions / sizeof *regions;
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Regions.v = arena_array(rq->mem, ec2_Region, n);
	for (size_t i = 0; i < n; i++) {
		bool passes;
		ec2_Region r = { .OptInStatus = S("opt-in-not-required"), .RegionName = str_c(regions[i]),
			.Endpoint = arena_fmt(rq->mem, "ec2.%s.amazonaws.com", regions[i]) };
		TRY(filters_pass(rq, &kind_region, &in->Filters, &r, &passes));
		if (passes && listed(&in->RegionNames, r.RegionName))
			out->Regions.v[out->Regions.n++] = r;
	}
	for (size_t i = 0; i < in->RegionNames.n && !out->Regions.n; i++)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid region provided '%.*s'",
		            STR_ARG(in->RegionNames.v[i]));
	return OK;
}

size_t ec2_zones(str region)
{
	return str_eq(region, S("us-east-1")) ? ZONES_MAX : str_eq(region, S("us-west-2")) ? 4 : 3;
}

bool ec2_zone_exists(str region, str zone)
{
	return zone.n == region.n + 1 && str_starts(zone, region) && zone.p[region.n] >= 'a' &&
	       zone.p[region.n] < 'a' + (char)ec2_zones(region);
}

/* use1-az1 of us-east-1, apne1-az1 of ap-northeast-1: AWS shuffles letters by account, Farthing does not. */
str ec2_zone_id(arena *mem, str region, int i)
{
	str rest = region, continent = str_cut(&rest, '-'), where = str_cut(&rest, '-');
	bool compound = where.n > 5 && (str_starts(where, S("north")) || str_starts(where, S("south")));
	const char *second = !compound ? "" : str_ends(where, S("east")) ? "e" : "w";
	str initial = str_sub(where, 0, where.n > 0); /* none in a region that only this machine has: local */
	return arena_fmt(mem, "%.*s%.*s%s%.*s-az%d", STR_ARG(continent), STR_ARG(initial), second, STR_ARG(rest),
	                 i + 1);
}

err ec2_DescribeAvailabilityZones(req *rq, const ec2_DescribeAvailabilityZones_in *in,
                                  ec2_DescribeAvailabilityZones_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	out->AvailabilityZones.v = arena_array(rq->mem, ec2_AvailabilityZone, ZONES_MAX);
	for (size_t i = 0; i < ec2_zones(rq->region); i++) {
		bool passes;
		ec2_AvailabilityZone z = { .OptInStatus = S("opt-in-not-required"), .RegionName = rq->region,
			.ZoneName = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i)),
			.ZoneId = ec2_zone_id(rq->mem, rq->region, (int)i), .GroupName = rq->region,
			.NetworkBorderGroup = rq->region, .ZoneType = S("availability-zone"), .State = S("available") };
		TRY(filters_pass(rq, &kind_zone, &in->Filters, &z, &passes));
		if (passes && listed(&in->ZoneNames, z.ZoneName) && listed(&in->ZoneIds, z.ZoneId))
			out->AvailabilityZones.v[out->AvailabilityZones.n++] = z;
	}
	for (size_t i = 0; i < in->ZoneNames.n; i++)
		if (!ec2_zone_exists(rq->region, in->ZoneNames.v[i]))
			return fail(rq, &ec2_InvalidParameterValue, "Invalid availability zone: [%.*s]",
			            STR_ARG(in->ZoneNames.v[i]));
	return OK;
}

static void split(arena *mem, str text, void *list)
{
	list_of_str *l = list;
	l->v = arena_array(mem, str, 8);
	while (str_is(text) && text.n && l->n < 8)
		l->v[l->n++] = str_cut(&text, '|');
}

static void one(arena *mem, void *list, str value)
{
	split(mem, value, list);
}

static ec2_EbsInfo *ebs_of(arena *mem, const instance_type *t)
{
	ec2_EbsInfo *e = arena_new(mem, ec2_EbsInfo);
	e->EbsOptimizedSupport = t->ebs_baseline_mbps ? S("default") : S("unsupported");
	e->EncryptionSupport = S("supported");
	e->NvmeSupport = str_eq(t->hypervisor, S("nitro")) ? S("required") : S("unsupported");
	if (!t->ebs_baseline_mbps)
		return e;
	e->EbsOptimizedInfo = arena_new(mem, ec2_EbsOptimizedInfo);
	*e->EbsOptimizedInfo = (ec2_EbsOptimizedInfo){ .BaselineBandwidthInMbps = I64(t->ebs_baseline_mbps),
		.BaselineThroughputInMBps = F64((double)t->ebs_baseline_mbps / 8),
		.BaselineIops = I64(t->ebs_baseline_iops), .MaximumBandwidthInMbps = I64(t->ebs_maximum_mbps),
		.MaximumThroughputInMBps = F64((double)t->ebs_maximum_mbps / 8),
		.MaximumIops = I64(t->ebs_maximum_iops) };
	return e;
}

static ec2_NetworkInfo *network_of(arena *mem, const instance_type *t)
{
	ec2_NetworkInfo *n = arena_new(mem, ec2_NetworkInfo);
	ec2_NetworkCardInfo *card = arena_new(mem, ec2_NetworkCardInfo);
	*card = (ec2_NetworkCardInfo){ .NetworkCardIndex = I64(0), .NetworkPerformance = t->network,
		.MaximumNetworkInterfaces = I64(t->interfaces) };
	if (t->baseline_gbps > 0) {
		card->BaselineBandwidthInGbps = F64(t->baseline_gbps);
		card->PeakBandwidthInGbps = F64(t->peak_gbps);
	}
	*n = (ec2_NetworkInfo){ .NetworkPerformance = t->network, .MaximumNetworkInterfaces = I64(t->interfaces),
		.MaximumNetworkCards = I64(1), .DefaultNetworkCardIndex = I64(0), .NetworkCards = { card, 1 },
		.Ipv4AddressesPerInterface = I64(t->addresses), .Ipv6AddressesPerInterface = I64(t->addresses),
		.Ipv6Supported = BOOL(true),
		.EnaSupport = str_eq(t->hypervisor, S("nitro")) ? S("required") : S("unsupported") };
	return n;
}

static ec2_InstanceTypeInfo describe_type(arena *mem, const instance_type *t)
{
	ec2_InstanceTypeInfo i = { .InstanceType = t->name, .CurrentGeneration = BOOL(t->current),
		.FreeTierEligible = BOOL(t->free_tier), .BareMetal = BOOL(false), .Hypervisor = t->hypervisor,
		.InstanceStorageSupported = BOOL(false), .BurstablePerformanceSupported = BOOL(t->burstable),
		.EbsInfo = ebs_of(mem, t), .NetworkInfo = network_of(mem, t) };
	split(mem, S("on-demand|spot"), &i.SupportedUsageClasses);
	one(mem, &i.SupportedRootDeviceTypes, S("ebs"));
	one(mem, &i.SupportedVirtualizationTypes, S("hvm"));
	split(mem, t->boot_modes, &i.SupportedBootModes);
	i.ProcessorInfo = arena_new(mem, ec2_ProcessorInfo);
	i.ProcessorInfo->Manufacturer = t->manufacturer;
	if (t->clock_ghz > 0)
		i.ProcessorInfo->SustainedClockSpeedInGhz = F64(t->clock_ghz);
	split(mem, t->architectures, &i.ProcessorInfo->SupportedArchitectures);
	i.VCpuInfo = arena_new(mem, ec2_VCpuInfo);
	*i.VCpuInfo = (ec2_VCpuInfo){ .DefaultVCpus = I64(t->vcpus), .DefaultCores = I64(t->cores),
		.DefaultThreadsPerCore = I64(t->threads) };
	i.MemoryInfo = arena_new(mem, ec2_MemoryInfo);
	i.MemoryInfo->SizeInMiB = I64(t->memory_mib);
	return i;
}

static err check_types(req *rq, const void *names)
{
	const list_of_str *l = names;
	for (size_t i = 0; i < l->n; i++)
		if (!instance_type_find(l->v[i]))
			return fail(rq, &ec2_InvalidInstanceType,
			            "The following supplied instance types do not exist: [%.*s]", STR_ARG(l->v[i]));
	return OK;
}

err ec2_DescribeInstanceTypes(req *rq, const ec2_DescribeInstanceTypes_in *in,
                              ec2_DescribeInstanceTypes_out *out)
{
	const instance_type *all;
	size_t n = instance_types(&all), from = 0, most = in->MaxResults.set ? (size_t)in->MaxResults.v : n;
	int64_t position;
	str after;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_types(rq, &in->InstanceTypes));
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after) || !str_to_i64(after, &position))
			return fail(rq, &ec2_InvalidNextToken, "The token '%.*s' is invalid", STR_ARG(in->NextToken));
		from = (size_t)position;
	}
	out->InstanceTypes.v = arena_array(rq->mem, ec2_InstanceTypeInfo, n);
	for (size_t i = from; i < n; i++) {
		bool passes;
		ec2_InstanceTypeInfo info = describe_type(rq->mem, &all[i]);
		TRY(filters_pass(rq, &kind_type, &in->Filters, &info, &passes));
		if (!passes || !listed(&in->InstanceTypes, all[i].name))
			continue;
		if (out->InstanceTypes.n == most) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%zu", i));
			break;
		}
		out->InstanceTypes.v[out->InstanceTypes.n++] = info;
	}
	return OK;
}

/* Spot prices move all the time; the book has a snapshot's ratio for some types, and their mean for the
 * rest. */
static bool spot_price(str region, str type, money *usd)
{
	char sku[96];
	snprintf(sku, sizeof sku, "ec2.linux.%.*s", STR_ARG(type));
	const price_item *hour = book_find(price_book(), region, str_c(sku), NULL);
	snprintf(sku, sizeof sku, "ec2.spot_ratio.%.*s", STR_ARG(type));
	const price_item *ratio = book_find(price_book(), region, str_c(sku), NULL);
	if (!ratio)
		ratio = book_find(price_book(), region, S("ec2.spot_ratio.t4g.medium"), NULL);
	if (!hour || !ratio)
		return false;
	*usd = (money)hour->tiers[0].usd * ratio->tiers[0].usd / 1000000; /* 10^-12 each, and money is 10^-18 */
	return true;
}

static void add_prices(req *rq, str type, const ec2_DescribeSpotPriceHistory_in *in,
                       ec2_DescribeSpotPriceHistory_out *out, size_t most)
{
	money usd;
	if (!spot_price(rq->region, type, &usd))
		return;
	for (size_t i = 0; i < ec2_zones(rq->region) && out->SpotPriceHistory.n < most; i++) {
		str zone = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i));
		if (str_is(in->AvailabilityZone) && !str_eq(zone, in->AvailabilityZone))
			continue;
		out->SpotPriceHistory.v[out->SpotPriceHistory.n++] = (ec2_SpotPrice){ .AvailabilityZone = zone,
			.AvailabilityZoneId = ec2_zone_id(rq->mem, rq->region, (int)i), .InstanceType = type,
			.ProductDescription = S("Linux/UNIX"), .SpotPrice = money_print(rq->mem, usd, 6),
			.Timestamp = TIME(rq->now - rq->now % MS_DAY) };
	}
}

err ec2_DescribeSpotPriceHistory(req *rq, const ec2_DescribeSpotPriceHistory_in *in,
                                 ec2_DescribeSpotPriceHistory_out *out)
{
	const instance_type *all;
	size_t n = instance_types(&all), most = in->MaxResults.set ? (size_t)in->MaxResults.v : 1000;
	bool linux_wanted = in->ProductDescriptions.n == 0;
	TRY(ec2_dry_run(rq, in->DryRun));
	if (in->Filters.n)
		return fail(rq, &aws_NotImplemented, "Filters of DescribeSpotPriceHistory are not implemented.");
	TRY(check_types(rq, &in->InstanceTypes));
	for (size_t i = 0; i < in->ProductDescriptions.n; i++)
		linux_wanted = linux_wanted || str_starts(in->ProductDescriptions.v[i], S("Linux/UNIX"));
	out->SpotPriceHistory.v = arena_array(rq->mem, ec2_SpotPrice, most + 1);
	for (size_t i = 0; i < n && linux_wanted; i++)
		if (listed(&in->InstanceTypes, all[i].name))
			add_prices(rq, all[i].name, in, out, most);
	out->NextToken = S("");
	return OK;
}
