/*
 * Who uses certificates: services that let users name one of ACM's register how it is found out, and ACM
 * tells it and deletes none that is used.
 */
#pragma once
#include "store/store.h"

/* ARNs of the service's resources that use the certificate; their number. */
typedef size_t certificate_user(const txn *tx, arena *mem, str arn, str **users);
#define CERTIFICATE_USER(function) \
	__attribute__((section("farthing_certificate_users"), used)) \
	static certificate_user *const certificate_user_entry = function

/* For a certificate_user: one more, `users` being NULL in the beginning. */
void certificate_user_add(arena *mem, str **users, size_t *n, str user);

/* Of all services. */
size_t certificate_users(const txn *tx, arena *mem, str arn, str **users);
