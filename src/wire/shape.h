/*
 * Shape tables: what an API model says about values, as data. The builder (tools/apic.c) makes one
 * table per service from its .api file, beside C structs with the same names; codecs and the
 * validator walk the table and need no code per operation.
 *
 * How a value of each kind is laid out in C:
 *
 *   string, enum, blob, streaming blob, document   str       (p == NULL: absent)
 *   integer, long                                  opt_i64
 *   float, double                                  opt_f64
 *   boolean                                        opt_bool
 *   timestamp                                      opt_time  (milliseconds)
 *   structure, union    a pointer as a member (NULL: absent), by value in lists and maps
 *   list                struct X { T *v; size_t n; }             (v == NULL: absent)
 *   map                 struct X { struct X_entry *v; size_t n; } with { str key; T value; }, in the
 *                       order in which the entries came
 *
 * Enum values travel as text; the table holds the permitted ones. An empty list or map that is present
 * has n == 0 and v pointing at nothing in particular. Tables are constant and live for ever.
 */
#pragma once
#include "base/err.h"
#include "base/opt.h"

typedef enum shape_kind {
	SHAPE_STRING,
	SHAPE_ENUM,
	SHAPE_BLOB,
	SHAPE_INTEGER,
	SHAPE_LONG,
	SHAPE_FLOAT,
	SHAPE_DOUBLE,
	SHAPE_BOOLEAN,
	SHAPE_TIMESTAMP,
	SHAPE_STRUCT,
	SHAPE_LIST,
	SHAPE_MAP,
	SHAPE_DOCUMENT, /* any JSON, kept as its text */
} shape_kind;

typedef enum member_place {
	IN_BODY,
	IN_HEADER,      /* wire_name is the header */
	IN_HEADERS,     /* a map; wire_name is the prefix */
	IN_QUERY,       /* wire_name is the key; a map or an unnamed one takes all the rest */
	IN_PATH,        /* wire_name is the label */
	IN_STATUS,      /* the HTTP status itself */
} member_place;

typedef enum time_format { TIME_DEFAULT, TIME_EPOCH, TIME_ISO, TIME_HTTP } time_format;

typedef struct shape_member {
	const char *name;      /* the model's name, as in C (a keyword gets a '_' there) */
	const char *wire_name; /* the name in this service's own protocol */
	const char *query_name; /* name in query protocols where it differs from wire_name, else NULL */
	const struct shape *shape;
	uint16_t offset;
	uint8_t place;       /* member_place */
	uint8_t time_format; /* where the member overrides its shape */
	bool required, flattened, xml_attribute, host_label, idempotency_token, event_header,
		event_payload;
	const char *xml_prefix, *xml_uri; /* namespace of this member, or NULL */
} shape_member;

typedef struct shape {
	const char *name;
	uint8_t kind;        /* shape_kind */
	uint8_t time_format;
	bool flattened, is_union, streaming, event_stream, sensitive, required_length;
	bool or_arn;         /* strings: what begins with "arn:" is held to no bounds and no pattern */
	bool has_min, has_max;
	uint16_t n_members, n_values;
	uint32_t size;       /* of the C value: a structure itself, an entry for maps (see entry_size) */
	uint32_t entry_size, value_offset; /* maps: size of one entry and where its value stands in it */
	int64_t min, max;    /* length, count or value */
	const char *pattern; /* anchored, in the model's regular-expression dialect; NULL: none */
	const char *says;    /* what the service tells of the pattern in a sentence of its own, or NULL */
	const shape_member *members;  /* structures, in the model's order */
	const struct shape *element;  /* lists; values of maps */
	const struct shape *key;      /* maps */
	/* Wire name of an element ("member", "item", ..); maps: of a value. NULL: a flattened list whose
	 * elements have no name but the member's own. */
	const char *element_name;
	const char *key_name;         /* maps: "key" unless the model says otherwise */
	const char *const *values;    /* enums, sorted by byte order */
	const char *const *shown;     /* the same in the order in which AWS lists them; NULL: unknown */
	const char *payload;          /* structures: the member that is the whole body, or NULL */
	const char *xml_name, *xml_prefix, *xml_uri;
	const fault_kind *fault;      /* error structures */
} shape;

typedef enum protocol {
	PROTOCOL_JSON, /* 1.0 and 1.1; the version is in service->json_version */
	PROTOCOL_REST_JSON,
	PROTOCOL_REST_XML,
	PROTOCOL_QUERY,
	PROTOCOL_EC2,
	PROTOCOL_CBOR,
} protocol;

struct service;

/* One operation, implemented or not. */
typedef struct operation {
	const char *name;
	const struct service *service;
	const char *method;  /* GET, POST .. */
	const char *uri;     /* /2015-03-31/functions/{FunctionName}/invocations, fixed query after '?' */
	int status;          /* of success; 200 when 0 */
	const shape *input, *output; /* NULL when nothing travels (or the operation is not implemented) */
	const shape *const *errors;  /* NULL-terminated */
	const char *result_wrapper;  /* query: name of the element around the output */
	const char *host_prefix;
	bool no_auth, unsigned_payload, checksum_required;
	bool input_streams, output_streams; /* a streaming blob member */
	const struct handler *handler; /* NULL: AWS has it, we do not; defined in cloud/ */
} operation;

typedef struct service {
	const char *name;          /* folder: ssm */
	const char *service_id;    /* SSM */
	const char *title;         /* Amazon Simple Systems Manager (SSM) */
	const char *endpoint;      /* endpoint prefix: ssm */
	const char *signing_name;  /* credential scope */
	const char *target_prefix; /* X-Amz-Target before the dot, or NULL */
	const char *api_version;   /* 2014-11-06 */
	const char *json_version;  /* "1.0" or "1.1" */
	const char *xml_uri;       /* default namespace, or NULL */
	const char *global_region; /* "us-east-1" for services without regions (IAM), or NULL */
	const char *invalid_fault; /* its own fault for what the model does not allow, or NULL */
	uint8_t protocol;          /* enum protocol: the service's own */
	uint8_t protocols;         /* bit set of all it speaks (1 << PROTOCOL_CBOR ..) */
	bool query_compatible;     /* x-amzn-query-error on JSON errors */
	const operation *operations; /* sorted by name */
	uint16_t n_operations;
} service;

/* NULL when the service has no such operation. */
const operation *operation_find(const service *s, str name);
const shape_member *shape_member_find(const shape *s, str name);
/* Whether an enum shape has the value. */
bool shape_has_value(const shape *s, str value);
