/*
 * Values as a form: Filter.1.Name=x&Filter.1.Value.1=y. The pairs are sorted by their dotted names, numbers
 * by value, so that all of one member stand together and the reader walks ranges instead of a tree.
 */
#pragma once
#include "wire/value.h"

typedef struct form_style {
	bool ec2; /* EC2's names: capitalised, lists never wrapped */
} form_style;

/* `*why` says what is wrong on failure. Action, Version and what nobody knows is skipped. */
bool form_read(arena *a, const shape *s, str form, form_style style, void *value, str *why);
