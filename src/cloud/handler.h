/*
 * The generated side of a handler: which of the three kinds it is, behind untyped pointers. The builder
 * reads the kind from the signature (cloud/req.h) and emits one wrapper per implemented operation.
 */
#pragma once
#include "cloud/req.h"

typedef enum handler_kind { HANDLER_WRITE, HANDLER_READ, HANDLER_WAIT } handler_kind;

typedef struct handler {
	handler_kind kind;
	err (*write)(req *rq, txn *tx, const void *in, void *out);
	err (*read)(req *rq, const txn *tx, const void *in, void *out);
	err (*wait)(req *rq, const void *in, void *out);
} handler;

/* Every service in the tree, implemented or only known, sorted by name (generated). */
extern const service *const cloud_services[];
extern const size_t cloud_n_services;
/* Every meter declared in a .def (generated). */
struct meter_kind;
extern const struct meter_kind *const cloud_meters[];
extern const size_t cloud_n_meters;
