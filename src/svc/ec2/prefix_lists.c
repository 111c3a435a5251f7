/*
 * Prefix lists: AWS's own of the services with gateway endpoints, and customers'.
 */
#include "base/digest.h"
#include "base/text.h"
#include "ec2.h"

#define NAME_MAX_BYTES 255
#define ENTRIES_MAX 1000

typedef struct service_list {
	const char *name;
	const char *id; /* in us-east-1 */
	const char *blocks[4];
} service_list;

/* Some of what AWS has for us-east-1; the same for all regions here: whoever asks about a service's addresses
 * asks about the first. */
static const service_list lists[] = {
	{ "s3", "pl-63a5400a", { "3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16", "16.182.0.0/16" } },
	{ "dynamodb", "pl-02cd2c6b", { "3.218.180.0/22", "52.94.0.0/22", "52.119.224.0/20" } } };
#define LISTS (sizeof lists / sizeof *lists)

static str list_name(arena *mem, str region, const service_list *l)
{
	return arena_fmt(mem, "com.amazonaws.%.*s.%s", STR_ARG(region), l->name);
}

static str list_id(arena *mem, str region, const service_list *l)
{
	if (str_eq(region, S("us-east-1")))
		return str_c(l->id);
	digest *d = digest_open(mem, DIGEST_SHA256);
	str name = list_name(mem, region, l);
	digest_add(d, name.p, name.n);
	return arena_fmt(mem, "pl-%.8s", hex_encode(mem, digest_finish(mem, d)).p);
}

str ec2_service_list(arena *mem, str region, str name)
{
	for (size_t i = 0; i < LISTS; i++)
		if (str_eq(name, list_name(mem, region, &lists[i])))
			return list_id(mem, region, &lists[i]);
	return STR_NONE;
}

static const service_list *of_aws(arena *mem, str region, str id)
{
	for (size_t i = 0; i < LISTS; i++)
		if (str_eq(id, list_id(mem, region, &lists[i])))
			return &lists[i];
	return NULL;
}

bool ec2_service_address(str list, arena *mem, str region, uint32_t *ip)
{
	cidr4 c;
	const service_list *l = given(list) ? of_aws(mem, region, list) : NULL;
	if (!l || !cidr4_parse(str_c(l->blocks[0]), &c))
		return false;
	*ip = c.base + 1;
	return true;
}

err ec2_prefix_list_check(req *rq, const txn *tx, str id)
{
	void *it;
	return of_aws(rq->mem, rq->region, id) ? OK : kind_get(rq, tx, &kind_prefix_list, id, &it);
}

static const resource_kind kind_service_list = { .shape = &ec2_PrefixList_shape,
	.filters = (const filter_path[]){ { 0 } } };

err ec2_DescribePrefixLists(req *rq, const ec2_DescribePrefixLists_in *in, ec2_DescribePrefixLists_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->PrefixListIds.n; i++)
		if (!of_aws(rq->mem, rq->region, in->PrefixListIds.v[i]))
			return fail(rq, &ec2_InvalidPrefixList, "The prefix list ID '%.*s' does not exist",
			            STR_ARG(in->PrefixListIds.v[i]));
	out->PrefixLists.v = arena_new(rq->mem, ec2_PrefixList);
	for (size_t i = 0; i < LISTS; i++) {
		bool passes;
		ec2_PrefixList l = { .PrefixListId = list_id(rq->mem, rq->region, &lists[i]),
			.PrefixListName = list_name(rq->mem, rq->region, &lists[i]) };
		for (int n = 0; n < 4 && lists[i].blocks[n]; n++)
			LIST_ADD(rq->mem, &l.Cidrs, str_c(lists[i].blocks[n]));
		TRY(filters_pass(rq, &kind_service_list, &in->Filters, &l, &passes));
		if (passes && (!in->PrefixListIds.n || listed_in(&in->PrefixListIds, l.PrefixListId)))
			LIST_ADD(rq->mem, &out->PrefixLists, l);
	}
	return OK;
}

static ec2_ManagedPrefixList managed_by_aws(req *rq, const service_list *l)
{
	str id = list_id(rq->mem, rq->region, l);
	return (ec2_ManagedPrefixList){ .PrefixListId = id, .AddressFamily = S("IPv4"),
		.PrefixListName = list_name(rq->mem, rq->region, l), .State = S("create-complete"),
		.OwnerId = S("AWS"), .PrefixListArn = arena_fmt(rq->mem, "arn:aws:ec2:%.*s:aws:prefix-list/%.*s",
			STR_ARG(rq->region), STR_ARG(id)) };
}

err ec2_DescribeManagedPrefixLists(req *rq, const txn *tx, const ec2_DescribeManagedPrefixLists_in *in,
                                   ec2_DescribeManagedPrefixLists_out *out)
{
	list_of_str own = { 0 };
	bool named = in->PrefixListIds.n > 0;
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->PrefixListIds.n; i++)
		if (!of_aws(rq->mem, rq->region, in->PrefixListIds.v[i]))
			LIST_GROW(rq->mem, &own, in->PrefixListIds.v[i]);
	if (!named || own.n)
		TRY(kind_describe(rq, tx, &kind_prefix_list, DESCRIBE(in, &own), &out->PrefixLists,
		                  &out->NextToken));
	for (size_t i = 0; i < LISTS && !given(in->NextToken); i++) {
		bool passes;
		ec2_ManagedPrefixList l = managed_by_aws(rq, &lists[i]);
		TRY(filters_pass(rq, &kind_prefix_list, &in->Filters, &l, &passes));
		if (passes && (!named || listed_in(&in->PrefixListIds, l.PrefixListId)))
			LIST_ADD(rq->mem, &out->PrefixLists, l);
	}
	return OK;
}

static ec2_prefixlist *find(req *rq, const txn *tx, str id)
{
	return ec2_prefixlist_get(tx, rq->mem, rq->who.account, rq->region, id);
}

static err get(req *rq, const txn *tx, str id, ec2_prefixlist **out)
{
	void *it;
	if (of_aws(rq->mem, rq->region, id))
		return fail(rq, &ec2_OperationNotPermitted, "You are not permitted to change the prefix list '%.*s'.",
		            STR_ARG(id));
	TRY(kind_get(rq, tx, &kind_prefix_list, id, &it));
	*out = find(rq, tx, id);
	return OK;
}

/* The block as AWS keeps it, of the list's family. */
static err block_of(req *rq, const ec2_ManagedPrefixList *l, str text, str *out)
{
	bool six = str_eq(l->AddressFamily, S("IPv6"));
	if (!cidr_canonical(rq->mem, text, out) || (str_find_char(*out, ':') != SIZE_MAX) != six)
		return fail(rq, &ec2_InvalidParameterValue, "The CIDR address %.*s is not valid for address family "
		            "%.*s.", STR_ARG(text), STR_ARG(l->AddressFamily));
	return OK;
}

static size_t entry_at(const ec2_prefixlist *l, str block)
{
	for (size_t i = 0; i < l->Entries.n; i++)
		if (str_eq(l->Entries.v[i].Cidr, block))
			return i;
	return SIZE_MAX;
}

static err add_entries(req *rq, ec2_prefixlist *l, const ec2_AddPrefixListEntries *asked)
{
	for (size_t i = 0; i < asked->n && l->Entries.n <= ENTRIES_MAX; i++) {
		ec2_PrefixListEntry e = { .Description = asked->v[i].Description };
		TRY(block_of(rq, l->It, asked->v[i].Cidr, &e.Cidr));
		size_t at = entry_at(l, e.Cidr);
		if (at != SIZE_MAX)
			l->Entries.v[at] = e;
		else
			LIST_ADD(rq->mem, &l->Entries, e);
	}
	if ((int64_t)l->Entries.n > l->It->MaxEntries.v)
		return fail(rq, &ec2_PrefixListMaxEntriesExceeded,
		            "You've exceeded the maximum number of entries for the prefix list '%.*s'.",
		            STR_ARG(l->It->PrefixListId));
	return OK;
}

err ec2_CreateManagedPrefixList(req *rq, txn *tx, const ec2_CreateManagedPrefixList_in *in,
                                ec2_CreateManagedPrefixList_out *out)
{
	str before;
	ec2_ManagedPrefixList *it = arena_new(rq->mem, ec2_ManagedPrefixList);
	ec2_prefixlist l = { .Account = rq->who.account, .Region = rq->region, .It = it };
	if (!str_eq(in->AddressFamily, S("IPv4")) && !str_eq(in->AddressFamily, S("IPv6")))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for AddressFamily.",
		            STR_ARG(in->AddressFamily));
	if (in->MaxEntries.v < 1 || in->MaxEntries.v > ENTRIES_MAX)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%lld' for MaxEntries.",
		            (long long)in->MaxEntries.v);
	if (!given(in->PrefixListName) || in->PrefixListName.n > NAME_MAX_BYTES ||
	    str_starts(in->PrefixListName, S("com.amazonaws")))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for PrefixListName.",
		            STR_ARG(in->PrefixListName));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	if (given(before))
		return kind_get(rq, tx, &kind_prefix_list, before, &out->PrefixList);
	l.Id = ec2_id(rq->mem, "pl-");
	*it = (ec2_ManagedPrefixList){ .PrefixListId = l.Id, .AddressFamily = in->AddressFamily,
		.State = S("create-complete"), .PrefixListName = in->PrefixListName, .MaxEntries = in->MaxEntries,
		.Version = I64(1), .OwnerId = rq->who.account,
		.PrefixListArn = ec2_arn(rq->mem, place_of(rq), "prefix-list", l.Id) };
	TRY(add_entries(rq, &l, &in->Entries));
	ec2_prefixlist_put(tx, &l);
	ec2_repeats(rq, tx, in->ClientToken, l.Id);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "prefix-list", l.Id));
	TRY(kind_get(rq, tx, &kind_prefix_list, l.Id, &out->PrefixList));
	out->PrefixList->State = S("create-in-progress");
	return OK;
}

err ec2_GetManagedPrefixListEntries(req *rq, const txn *tx, const ec2_GetManagedPrefixListEntries_in *in,
                                    ec2_GetManagedPrefixListEntries_out *out)
{
	const service_list *aws = of_aws(rq->mem, rq->region, in->PrefixListId);
	ec2_prefixlist *l;
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Entries.v = arena_new(rq->mem, ec2_PrefixListEntry);
	for (int i = 0; aws && i < 4 && aws->blocks[i]; i++)
		LIST_ADD(rq->mem, &out->Entries, (ec2_PrefixListEntry){ .Cidr = str_c(aws->blocks[i]) });
	if (aws)
		return OK;
	TRY(get(rq, tx, in->PrefixListId, &l));
	if (in->TargetVersion.set && in->TargetVersion.v != l->It->Version.v)
		return fail(rq, &aws_NotImplemented, "Former versions of prefix lists are not kept.");
	if (l->Entries.n)
		out->Entries = l->Entries;
	return OK;
}

err ec2_ModifyManagedPrefixList(req *rq, txn *tx, const ec2_ModifyManagedPrefixList_in *in,
                                ec2_ModifyManagedPrefixList_out *out)
{
	ec2_prefixlist *l;
	TRY(get(rq, tx, in->PrefixListId, &l));
	if (in->CurrentVersion.set && in->CurrentVersion.v != l->It->Version.v)
		return fail(rq, &ec2_PrefixListVersionMismatch, "The prefix list has the version %lld, not %lld.",
		            (long long)l->It->Version.v, (long long)in->CurrentVersion.v);
	if (in->MaxEntries.set && (in->MaxEntries.v < 1 || in->MaxEntries.v > ENTRIES_MAX))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%lld' for MaxEntries.",
		            (long long)in->MaxEntries.v);
	if (in->MaxEntries.set && (in->AddEntries.n || in->RemoveEntries.n))
		return fail(rq, &ec2_InvalidParameterCombination, "You cannot change the maximum number of entries "
		            "and "
		            "the entries of a prefix list in one request.");
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->RemoveEntries.n; i++) {
		str block;
		TRY(block_of(rq, l->It, in->RemoveEntries.v[i].Cidr, &block));
		size_t at = entry_at(l, block);
		if (at == SIZE_MAX)
			return fail(rq, &ec2_InvalidParameterValue, "The entry %.*s is not in the prefix list.",
			            STR_ARG(block));
		LIST_DROP(&l->Entries, at);
	}
	if (in->MaxEntries.set)
		l->It->MaxEntries = in->MaxEntries;
	if (given(in->PrefixListName))
		l->It->PrefixListName = in->PrefixListName;
	TRY(add_entries(rq, l, &in->AddEntries));
	if (in->AddEntries.n || in->RemoveEntries.n)
		l->It->Version.v++;
	l->It->State = S("modify-complete");
	ec2_prefixlist_put(tx, l);
	TRY(kind_get(rq, tx, &kind_prefix_list, in->PrefixListId, &out->PrefixList));
	out->PrefixList->State = S("modify-in-progress");
	return OK;
}

err ec2_DeleteManagedPrefixList(req *rq, txn *tx, const ec2_DeleteManagedPrefixList_in *in,
                                ec2_DeleteManagedPrefixList_out *out)
{
	ec2_prefixlist *l;
	TRY(get(rq, tx, in->PrefixListId, &l));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (kind_first(tx, rq->mem, &kind_route_table, rq->who.account, rq->region,
	               "routeSet.destinationPrefixListId", l->Id) ||
	    kind_first(tx, rq->mem, &kind_security_rule, rq->who.account, rq->region, "prefixListId", l->Id))
		return ec2_dependencies(rq, "prefix list", l->Id);
	out->PrefixList = l->It;
	out->PrefixList->State = S("delete-in-progress");
	kind_delete(tx, rq->mem, &kind_prefix_list, rq->who.account, rq->region, l->Id);
	return OK;
}
