/*
 * The server's bill (JSON) as the command shows it: what is read from it, and several of them side by side.
 */
#pragma once
#include "base/json.h"
#include "base/money.h"

#define BILL_DIGITS_LEAST 2

/* Empty when there is no such member. */
str bill_member(const json_value *v, str key);
bool bill_flag(const json_value *v, str key);
money bill_amount(const json_value *v, str key);
const json_value *bill_first_line(const json_value *bill);
/* As many decimals as all of its amounts need, and at least `digits`. */
int bill_digits(const json_value *bill, int digits);
str bill_amount_text(arena *mem, money m, int digits);

/* Prints the bills of a list (NAME=ACCOUNT:FILE,MONTH,..) as columns. `fetch` gets the bill of an account or
 * a month with a file of predicted usage (empty: none), or complains and returns an exit status. */
int bill_compare(arena *mem, str list,
                 int (*fetch)(arena *mem, void *context, str other, str file, const json_value **bill),
                 void *context);
