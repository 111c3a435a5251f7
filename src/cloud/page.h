/*
 * The key that signs pagination tokens and seals what refused callers are told: one per data directory, made
 * at first start.
 */
#pragma once
#include "store/store.h"

/* Loads the key, or makes and keeps one. Before the first request. */
err page_start(store *s);
const unsigned char *page_key(void); /* 32 bytes */
