/*
 * What the handlers of ACM share. A certificate that is requested waits until a hosted zone of ours has the
 * CNAME record of each of its names; then a task makes the key and signs it with the authority that stands in
 * DATA/acm-ca.pem. Imported ones are kept as they came.
 */
#pragma once
#include "cloud/tags.h"
#include "gen/acm.h"

#define ACM_WAIT_MS (72 * MS_HOUR)

str cert_arn(arena *mem, const acm_cert *c);
err cert_find(req *rq, const txn *tx, str arn, acm_cert **c);
/* Who uses it and what follows from that is put in. */
void cert_now(const txn *tx, arena *mem, acm_cert *c, int64_t now);
acm_cert *cert_placed(const txn *tx, arena *mem, str place);
str cert_place(arena *mem, const acm_cert *c);
bool cert_issued(const acm_cert *c);

/* Looks for the records of its names from `when` on. */
void issue_watch(txn *tx, const acm_cert *c, int64_t when);
/* Makes it, or makes it anew: once, however often it is begun before it is done. */
void issue_begin(txn *tx, const acm_cert *c);
/* What is over at the end of its days, or renewed before. */
void issue_expiry(txn *tx, const acm_cert *c);
void issue_forget(txn *tx, const acm_cert *c);

/* Those that a domain has by custom. */
acm_ValidationEmailList mail_addresses(arena *mem, str domain);
/* Nothing for names that are validated otherwise. */
void mail_send(req *rq, txn *tx, const acm_cert *c, const acm_DomainValidation *d);

typedef struct x509_wanted {
	const str *names;       /* the first is the subject */
	size_t n;
	str kind;               /* RSA_2048, EC_prime256v1 .. */
	int64_t from, to;
} x509_wanted;
/* Makes the authority in the data folder when it is not there. */
err x509_start(arena *mem, str data);
/* A key and a certificate for it, with the authority's as the chain. */
err x509_issue(arena *mem, const x509_wanted *w, str *body, str *chain, str *key);
/* What a certificate says: names, days, serial, algorithms. false: it is none. */
bool x509_read(arena *mem, str pem, acm_CertificateDetail *out);
/* NULL: all fits. Otherwise the sentence for whoever imports it. */
const char *x509_check(arena *mem, str body, str key, str chain, str *key_der);
/* The key as PKCS #8 in PEM, encrypted. */
bool x509_sealed(arena *mem, str key_der, str passphrase, str *pem);
