/*
 * SCRAM-SHA-256 (RFC 5802) as PostgreSQL speaks it: the client's side, and the verifier that servers keep. No
 * channel binding: our connections are by socket.
 */
#pragma once
#include "run/postgres_client.h"

typedef struct postgres_scram {
	str password;
	str nonce, first, proof; /* of the exchange so far */
} postgres_scram;

/* Answers an authentication request of this kind; *answer stays empty when there is nothing to say. false:
 * not a kind that is known here, or not who it should be. */
bool postgres_scram_step(arena *a, postgres_scram *s, uint32_t kind, str body, str *answer);
