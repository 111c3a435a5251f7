/*
 * TLS by OpenSSL: the certificate, and moving bytes over a non-blocking socket with what the event
 * loop needs to know afterwards.
 */
#pragma once
#include "base/err.h"
#include <sys/types.h>

typedef struct ssl_ctx_st tls_context;
typedef struct ssl_st tls_session;

/*
 * PEM file with certificate and key. When missing it is created: P-256 (half the handshake of
 * RSA), signed by itself, for localhost and the names under it that services use.
 */
err tls_server_context(arena *a, str path, tls_context **out);
/* Verifies peers against the system's authorities unless `trust_all`. NULL when OpenSSL refuses. */
tls_context *tls_client_context(bool trust_all);
void tls_context_close(tls_context *c);

/* NULL when there is no memory for it. */
tls_session *tls_accept(tls_context *c, int fd);
/* `name` for SNI and verification. */
tls_session *tls_connect(tls_context *c, int fd, str name);
void tls_session_close(tls_session *s);

/* Bytes moved; 0: the peer has ended (reads only). */
#define TLS_WAIT (-1)   /* the socket has to become ready first */
#define TLS_BROKEN (-2)
ssize_t tls_read(tls_session *s, void *p, size_t n);
/* After TLS_WAIT the same bytes must be offered again, at whatever address. */
ssize_t tls_write(tls_session *s, const void *p, size_t n);
/* After TLS_WAIT: for what. */
bool tls_wants_write(const tls_session *s);
bool tls_established(const tls_session *s);
/* Says goodbye; needs no answer. */
void tls_goodbye(tls_session *s);
