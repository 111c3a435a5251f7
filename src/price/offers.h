/*
 * AWS's own published price lists (offer files, JSON or CSV) laid over the book: what
 * https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/SERVICE/current/REGION/index.json gives.
 *
 * data/prices/offers.csv says which product is which of our skus; the rest of a file is passed over. Only
 * on-demand terms count. Titles, units and free allowances stay those of the built-in book where it knows
 * the sku: AWS lists free tiers elsewhere.
 */
#pragma once
#include "price/book.h"

typedef struct offer_report {
	size_t products, matched, prices;
	str service, published; /* as the file says; may be empty */
} offer_report;

/* Whether the text looks like an offer file rather than a table of ours. */
bool offer_looks_like(str text);
/* After a fault the book may hold half of the file: do not use it. */
err book_add_offer(book *b, str text, str name, offer_report *report);
