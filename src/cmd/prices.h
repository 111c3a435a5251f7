/*
 * The user's own prices: a file or a folder of files, each a table like data/prices/us-east-1.csv (of the
 * region that the file is named after, unless it has a region column) or an offer file of AWS's.
 */
#pragma once
#include "base/err.h"

/* Lays them over the built-in prices and makes that the book in use. Before the server starts. */
err prices_use(arena *mem, str path);
