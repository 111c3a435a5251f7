/* Certificates and keys by OpenSSL, and the authority that signs ours. */
#include "acm.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define CA_YEARS 50
#define PEM_MAX (1 << 16)

/* Set once at the start, before anything asks. */
static struct {
	EVP_PKEY *key;
	X509 *cert;
} authority;

static str taken(arena *mem, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	return arena_str(mem, str_of(p, n > 0 ? (size_t)n : 0));
}

static bool extend(X509 *x, X509 *by, int nid, const char *value)
{
	X509V3_CTX v3;
	X509V3_set_ctx_nodb(&v3);
	X509V3_set_ctx(&v3, by, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
	bool added = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return added;
}

static bool entry(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0);
}

static bool set_time(ASN1_TIME *t, int64_t ms)
{
	return ASN1_TIME_set(t, (time_t)(ms / MS_SECOND)) != NULL;
}

static bool number(X509 *x)
{
	unsigned char bytes[16];
	rand_bytes(bytes, sizeof bytes);
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and as long as others */
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool set = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return set;
}

static bool fill_authority(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_set_version(x, 2) && number(x) && X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), 365 * CA_YEARS, 0, NULL) && entry(name, "C", "US") &&
	       entry(name, "O", "Farthing") && entry(name, "CN", "Farthing Certificate Manager CA") &&
	       X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	       extend(x, x, NID_basic_constraints, "critical,CA:TRUE") &&
	       extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       extend(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256());
}

static err make_authority(arena *mem, str cert_path, str key_path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	X509 *x = X509_new();
	BIO *cert = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	err e = OK;
	if (key && x && cert && secret && fill_authority(x, key) && PEM_write_bio_X509(cert, x) &&
	    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL)) {
		e = file_write(mem, key_path, taken(mem, secret), 0600);
		if (!e)
			e = file_write(mem, cert_path, taken(mem, cert), 0644);
	} else {
		e = fault_new(mem, &fault_system, "ACM: the authority's certificate cannot be made");
	}
	BIO_free(cert);
	BIO_free(secret);
	X509_free(x);
	EVP_PKEY_free(key);
	return e;
}

static EVP_PKEY *key_of(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, (void *)(uintptr_t)"");
	BIO_free(b);
	ERR_clear_error();
	return key;
}

static X509 *cert_of(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, (void *)(uintptr_t)"");
	BIO_free(b);
	ERR_clear_error();
	return x;
}

err x509_start(arena *mem, str data)
{
	str cert_path = path_join(mem, data, S("acm-ca.pem")), key_path = path_join(mem, data, S("acm-ca.key"));
	str cert, key;
	if (!file_exists(cert_path) || !file_exists(key_path))
		TRY(make_authority(mem, cert_path, key_path));
	TRY(file_read(mem, cert_path, PEM_MAX, &cert));
	TRY(file_read(mem, key_path, PEM_MAX, &key));
	X509_free(authority.cert);
	EVP_PKEY_free(authority.key);
	authority.cert = cert_of(cert);
	authority.key = key_of(key);
	if (!authority.cert || !authority.key || X509_check_private_key(authority.cert, authority.key) != 1)
		return fault_new(mem, &fault_system, "ACM: %.*s and acm-ca.key are no certificate and its key",
		                 STR_ARG(cert_path));
	return OK;
}

static EVP_PKEY *new_key(str kind)
{
	if (str_eq(kind, acm_KeyAlgorithm_EC_prime256v1))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (str_eq(kind, acm_KeyAlgorithm_EC_secp384r1))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	if (str_eq(kind, acm_KeyAlgorithm_EC_secp521r1))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	size_t bits = str_eq(kind, acm_KeyAlgorithm_RSA_3072) ? 3072 :
		str_eq(kind, acm_KeyAlgorithm_RSA_4096) ? 4096 : 2048;
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

static bool fill(arena *mem, X509 *x, EVP_PKEY *key, const x509_wanted *w)
{
	buf names = buf_in(mem, 256, 1 << 16);
	for (size_t i = 0; i < w->n; i++)
		buf_fmt(&names, "%sDNS:%.*s", i ? "," : "", STR_ARG(w->names[i]));
	str all = arena_str(mem, buf_str(&names)), subject = arena_str(mem, w->names[0]);
	X509_NAME *name = X509_get_subject_name(x);
	return X509_set_version(x, 2) && number(x) && set_time(X509_getm_notBefore(x), w->from) &&
	       set_time(X509_getm_notAfter(x), w->to) && (subject.n > 64 || entry(name, "CN", subject.p)) &&
	       X509_set_issuer_name(x, X509_get_subject_name(authority.cert)) && X509_set_pubkey(x, key) &&
	       extend(x, authority.cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       extend(x, authority.cert, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
	       extend(x, authority.cert, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       extend(x, authority.cert, NID_subject_key_identifier, "hash") &&
	       extend(x, authority.cert, NID_authority_key_identifier, "keyid") &&
	       extend(x, authority.cert, NID_subject_alt_name, all.p) && X509_sign(x, authority.key,
	       EVP_sha256());
}

static str key_der(arena *mem, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
	str s = n > 0 ? arena_str(mem, str_of((const char *)der, (size_t)n)) : STR_NONE;
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	return s;
}

err x509_issue(arena *mem, const x509_wanted *w, str *body, str *chain, str *key)
{
	EVP_PKEY *made = new_key(w->kind);
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem()), *above = BIO_new(BIO_s_mem());
	err e = OK;
	if (made && x && out && above && fill(mem, x, made, w) && PEM_write_bio_X509(out, x) &&
	    PEM_write_bio_X509(above, authority.cert)) {
		*body = taken(mem, out);
		*chain = taken(mem, above);
		*key = key_der(mem, made);
	} else {
		e = fault_new(mem, &fault_system, "ACM: the certificate cannot be signed");
	}
	ERR_clear_error();
	BIO_free(out);
	BIO_free(above);
	X509_free(x);
	EVP_PKEY_free(made);
	return e;
}

static bool moment(const ASN1_TIME *t, opt_time *ms)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ms = TIME(time_from_civil((civil){ .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday,
		.hour = tm.tm_hour, .minute = tm.tm_min, .second = tm.tm_sec }));
	return true;
}

static str kind_of(EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return bits == 1024 ? acm_KeyAlgorithm_RSA_1024 : bits == 2048 ? acm_KeyAlgorithm_RSA_2048 :
		       bits == 3072 ? acm_KeyAlgorithm_RSA_3072 : bits == 4096 ? acm_KeyAlgorithm_RSA_4096 : STR_NONE;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		return bits == 256 ? acm_KeyAlgorithm_EC_prime256v1 : bits == 384 ? acm_KeyAlgorithm_EC_secp384r1 :
		       bits == 521 ? acm_KeyAlgorithm_EC_secp521r1 : STR_NONE;
	return STR_NONE;
}

static str serial_of(arena *mem, X509 *x)
{
	const ASN1_INTEGER *n = X509_get0_serialNumber(x);
	str hex = hex_encode(mem, str_of((const char *)ASN1_STRING_get0_data(n), (size_t)ASN1_STRING_length(n)));
	buf b = buf_in(mem, 64, 512);
	for (size_t i = 0; i + 1 < hex.n; i += 2)
		buf_fmt(&b, "%s%.2s", i ? ":" : "", hex.p + i);
	return buf_str(&b);
}

static str name_line(arena *mem, X509_NAME *name)
{
	BIO *b = BIO_new(BIO_s_mem());
	X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253);
	str s = taken(mem, b);
	BIO_free(b);
	return s;
}

static str common_name(arena *mem, X509_NAME *name)
{
	char text[256];
	int n = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
	return n > 0 ? arena_str(mem, str_of(text, strlen(text))) : STR_NONE;
}

static acm_DomainList names_of(arena *mem, X509 *x)
{
	acm_DomainList all = { 0 };
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = names ? sk_GENERAL_NAME_num(names) : 0;
	all.v = arena_array(mem, str, (size_t)n + 1);
	for (int i = 0; i < n; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		if (g->type == GEN_DNS)
			all.v[all.n++] = arena_str(mem, str_of((const char *)ASN1_STRING_get0_data(g->d.dNSName),
			                                       (size_t)ASN1_STRING_length(g->d.dNSName)));
	}
	GENERAL_NAMES_free(names);
	return all;
}

static void usages_of(arena *mem, X509 *x, acm_CertificateDetail *out)
{
	static const struct { uint32_t bit; str name; } uses[] = {
		{ KU_DIGITAL_SIGNATURE, acm_KeyUsageName_DIGITAL_SIGNATURE },
		{ KU_KEY_ENCIPHERMENT, acm_KeyUsageName_KEY_ENCIPHERMENT },
		{ KU_KEY_CERT_SIGN, acm_KeyUsageName_CERTIFICATE_SIGNING },
	};
	uint32_t has = X509_get_key_usage(x), extended = X509_get_extended_key_usage(x);
	out->KeyUsages.v = arena_array(mem, acm_KeyUsage, 4);
	for (size_t i = 0; has != UINT32_MAX && i < 3; i++)
		if (has & uses[i].bit)
			out->KeyUsages.v[out->KeyUsages.n++].Name = uses[i].name;
	if (has == UINT32_MAX)
		out->KeyUsages.v[out->KeyUsages.n++].Name = acm_KeyUsageName_ANY;
	out->ExtendedKeyUsages.v = arena_array(mem, acm_ExtendedKeyUsage, 2);
	if (extended != UINT32_MAX && extended & XKU_SSL_SERVER)
		out->ExtendedKeyUsages.v[out->ExtendedKeyUsages.n++] = (acm_ExtendedKeyUsage){
			acm_ExtendedKeyUsageName_TLS_WEB_SERVER_AUTHENTICATION, S("1.3.6.1.5.5.7.3.1") };
	if (extended != UINT32_MAX && extended & XKU_SSL_CLIENT)
		out->ExtendedKeyUsages.v[out->ExtendedKeyUsages.n++] = (acm_ExtendedKeyUsage){
			acm_ExtendedKeyUsageName_TLS_WEB_CLIENT_AUTHENTICATION, S("1.3.6.1.5.5.7.3.2") };
}

bool x509_read(arena *mem, str pem, acm_CertificateDetail *out)
{
	X509 *x = cert_of(pem);
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	bool whole = key && moment(X509_get0_notBefore(x), &out->NotBefore) &&
	             moment(X509_get0_notAfter(x), &out->NotAfter);
	if (whole) {
		str issuer = common_name(mem, X509_get_issuer_name(x));
		const char *how = OBJ_nid2sn(X509_get_signature_nid(x));
		out->KeyAlgorithm = kind_of(key);
		out->Serial = serial_of(mem, x);
		out->Subject = name_line(mem, X509_get_subject_name(x));
		out->Issuer = str_is(issuer) ? issuer : name_line(mem, X509_get_issuer_name(x));
		out->SubjectAlternativeNames = names_of(mem, x);
		out->DomainName = common_name(mem, X509_get_subject_name(x));
		if (!str_is(out->DomainName) && out->SubjectAlternativeNames.n)
			out->DomainName = out->SubjectAlternativeNames.v[0];
		out->SignatureAlgorithm = strcmp(how, "RSA-SHA256") == 0 ? S("SHA256WITHRSA") :
			strcmp(how, "ecdsa-with-SHA256") == 0 ? S("SHA256WITHECDSA") : arena_str(mem, str_c(how));
		usages_of(mem, x, out);
	}
	X509_free(x);
	ERR_clear_error();
	return whole;
}

static size_t count(str pem)
{
	size_t n = 0;
	for (size_t at; (at = str_find(pem, S("-----BEGIN CERTIFICATE-----"))) != SIZE_MAX; n++)
		pem = str_sub(pem, at + 1, pem.n);
	return n;
}

/* Each certificate has signed the one before it. */
static const char *check_chain(X509 *leaf, str chain)
{
	BIO *b = BIO_new_mem_buf(chain.p, (int)chain.n);
	X509 *below = leaf, *x;
	const char *wrong = count(chain) ? NULL : "The certificate chain is not in a valid PEM format.";
	while (!wrong && (x = PEM_read_bio_X509(b, NULL, NULL, (void *)(uintptr_t)""))) {
		if (X509_check_issued(x, below) != X509_V_OK || X509_verify(below, X509_get0_pubkey(x)) != 1)
			wrong = "Could not validate the certificate with the certificate chain.";
		if (below != leaf)
			X509_free(below);
		below = x;
	}
	if (below != leaf)
		X509_free(below);
	BIO_free(b);
	return wrong;
}

static const char *check_parts(arena *mem, X509 *x, EVP_PKEY *key, str chain, str *der)
{
	if (!x)
		return "The certificate is not PEM-formatted or is not valid.";
	if (!key)
		return "The private key is not supported.";
	if (!str_is(kind_of(key)))
		return "The key algorithm of the certificate is not supported.";
	if (X509_check_private_key(x, key) != 1)
		return "The private key does not match the certificate.";
	if (chain.n) {
		const char *wrong = check_chain(x, chain);
		if (wrong)
			return wrong;
	} else if (X509_check_issued(x, x) != X509_V_OK) {
		return "Provided certificate is not a valid self signed. Please provide either a valid self-signed "
		       "certificate or certificate chain.";
	}
	*der = key_der(mem, key);
	return NULL;
}

const char *x509_check(arena *mem, str body, str key, str chain, str *der)
{
	if (count(body) > 1)
		return "The certificate field contains more than one certificate. You can specify only one "
			"certificate "
		       "in this field.";
	X509 *x = cert_of(body);
	EVP_PKEY *secret = key_of(key);
	const char *wrong = check_parts(mem, x, secret, chain, der);
	X509_free(x);
	EVP_PKEY_free(secret);
	ERR_clear_error();
	return wrong;
}

bool x509_sealed(arena *mem, str der, str passphrase, str *pem)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	BIO *b = BIO_new(BIO_s_mem());
	bool sealed = key && PEM_write_bio_PKCS8PrivateKey(b, key, EVP_aes_256_cbc(), passphrase.p,
	                                                   (int)passphrase.n, NULL, NULL);
	if (sealed)
		*pem = taken(mem, b);
	BIO_free(b);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return sealed;
}
