/*
 * What names mean, for services that must know: who serves names (Route 53) registers where they are looked
 * up. Knows no name outside Farthing.
 */
#pragma once
#include "store/store.h"

/* The values of the records of this type ("CNAME") that public zones have for a name; their number. */
typedef size_t name_source(const txn *tx, arena *mem, str name, str type, str **values);
#define NAME_SOURCE(function) \
	__attribute__((section("farthing_name_sources"), used)) \
	static name_source *const name_source_entry = function

size_t name_lookup(const txn *tx, arena *mem, str name, str type, str **values);

/* Whether zones, private ones too, have records of an address for this name; `to`: the name of AWS's that
 * they lead to in the end, without the last dot, or STR_NONE. */
typedef bool name_leader(const txn *tx, arena *mem, str name, str *to);
#define NAME_LEADER(function) \
	__attribute__((section("farthing_name_leaders"), used)) \
	static name_leader *const name_leader_entry = function

bool name_leads(const txn *tx, arena *mem, str name, str *to);
