#include "wire/tls.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define YEARS 10

/* Names that tools resolve to loopback; a wildcard stands for one label only. */
static const char names[] =
	"DNS:localhost,DNS:*.localhost,DNS:s3.localhost,DNS:*.s3.localhost,"
	"DNS:s3.us-east-1.localhost,DNS:*.s3.us-east-1.localhost,DNS:*.us-east-1.localhost,"
	"DNS:*.lambda-url.us-east-1.localhost,DNS:*.execute-api.us-east-1.localhost,"
	"DNS:*.cloudfront.localhost,DNS:*.elb.localhost,DNS:*.us-east-1.elb.localhost,"
	"DNS:host.docker.internal,IP:127.0.0.1,IP:::1";

static err openssl_failed(arena *a, const char *doing)
{
	char why[256];
	ERR_error_string_n(ERR_get_error(), why, sizeof why);
	ERR_clear_error();
	return fault_new(a, &fault_system, "TLS: cannot %s: %s", doing, why);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX v3;
	X509V3_set_ctx_nodb(&v3);
	X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
	bool added = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return added;
}

static bool name_entry(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1,
	                                  -1, 0);
}

static bool fill_certificate(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);
	/* A trusted authority as well, so that a trust store that takes the file needs nothing
	 * else. */
	return X509_set_version(x, 2) &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), rand_u64() >> 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), 365 * YEARS, 0, NULL) &&
	       name_entry(name, "O", "Farthing") && name_entry(name, "CN", "localhost") &&
	       X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	       add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
	       add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_key_identifier, "hash") &&
	       add_extension(x, NID_subject_alt_name, names) && X509_sign(x, key, EVP_sha256());
}

static err make_certificate(arena *a, str path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	err e = OK;
	if (!key || !x || !out || !fill_certificate(x, key) || !PEM_write_bio_X509(out, x) ||
	    !PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)) {
		e = openssl_failed(a, "make a certificate");
	} else {
		char *pem;
		long n = BIO_get_mem_data(out, &pem);
		e = file_write(a, path, (str){ pem, (size_t)n }, 0600);
	}
	BIO_free(out);
	X509_free(x);
	EVP_PKEY_free(key);
	return e;
}

static int choose_protocol(SSL *s, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *unused)
{
	static const unsigned char ours[] = "\x08http/1.1";
	(void)s;
	(void)unused;
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *c = SSL_CTX_new(method);
	if (!c)
		return NULL;
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	/* Buffers of idle sessions are given back; replies go out in pieces from wherever they
	 * lie. */
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(c, 1);
	/* Peers that close without saying goodbye are everyday; lengths are checked by HTTP. */
	SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
	                               SSL_OP_NO_COMPRESSION);
	return c;
}

err tls_server_context(arena *a, str path, tls_context **out)
{
	if (!file_exists(path))
		TRY(make_certificate(a, path));
	SSL_CTX *c = new_context(TLS_server_method());
	if (!c)
		return openssl_failed(a, "start");
	const char *name = arena_str(a, path).p;
	if (SSL_CTX_use_certificate_chain_file(c, name) != 1 ||
	    SSL_CTX_use_PrivateKey_file(c, name, SSL_FILETYPE_PEM) != 1) {
		SSL_CTX_free(c);
		return openssl_failed(a, arena_fmt(a, "use %s", name).p);
	}
	SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
	/* Resumption by tickets; a table of sessions would only grow. */
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	*out = c;
	return OK;
}

tls_context *tls_client_context(bool trust_all)
{
	SSL_CTX *c = new_context(TLS_client_method());
	if (!c)
		return NULL;
	SSL_CTX_set_verify(c, trust_all ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (!trust_all)
		SSL_CTX_set_default_verify_paths(c);
	return c;
}

void tls_context_close(tls_context *c)
{
	SSL_CTX_free(c);
}

static SSL *session(SSL_CTX *c, int fd)
{
	SSL *s = SSL_new(c);
	if (s && !SSL_set_fd(s, fd)) {
		SSL_free(s);
		s = NULL;
	}
	ERR_clear_error();
	return s;
}

tls_session *tls_accept(tls_context *c, int fd)
{
	SSL *s = session(c, fd);
	if (s)
		SSL_set_accept_state(s);
	return s;
}

tls_session *tls_connect(tls_context *c, int fd, str name)
{
	char host[256];
	SSL *s = session(c, fd);
	if (!s)
		return NULL;
	SSL_set_connect_state(s);
	if (name.n < sizeof host) {
		memcpy(host, name.p, name.n);
		host[name.n] = 0;
		/* Addresses are no names: no SNI, and verified as addresses. */
		if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), host) != 1) {
			SSL_set_tlsext_host_name(s, host);
			SSL_set1_host(s, host);
		}
	}
	ERR_clear_error();
	return s;
}

void tls_session_close(tls_session *s)
{
	SSL_free(s);
}

static ssize_t outcome(SSL *s, int result)
{
	int why = SSL_get_error(s, result);
	/* The queue of errors belongs to the thread: what stays in it would be blamed on the next
	 * session. */
	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return TLS_WAIT;
	return why == SSL_ERROR_ZERO_RETURN ? 0 : TLS_BROKEN;
}

ssize_t tls_read(tls_session *s, void *p, size_t n)
{
	int got = SSL_read(s, p, n > INT_MAX ? INT_MAX : (int)n);
	return got > 0 ? got : outcome(s, got);
}

ssize_t tls_write(tls_session *s, const void *p, size_t n)
{
	int put = SSL_write(s, p, n > INT_MAX ? INT_MAX : (int)n);
	if (put > 0)
		return put;
	ssize_t why = outcome(s, put);
	return why == 0 ? TLS_BROKEN : why;
}

bool tls_wants_write(const tls_session *s)
{
	return SSL_want_write(s);
}

bool tls_established(const tls_session *s)
{
	return SSL_is_init_finished(s);
}

void tls_goodbye(tls_session *s)
{
	if (SSL_is_init_finished(s))
		SSL_shutdown(s);
	ERR_clear_error();
}
