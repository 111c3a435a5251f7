/* What price calculators call a tier: "first 10TB", "next 40TB", "over 150TB", "first 333M". */
#pragma once
#include "price/book.h"

str tier_name(arena *mem, const price_item *item, const price_tier *tier);
