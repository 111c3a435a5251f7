/* What the loaders share with the book. */
#pragma once
#include "price/book.h"

arena *book_arena(book *b);
book *book_empty(arena *mem);
