#include "base/text.h"
#include "data.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <pthread.h>

#define ID_BYTES 96
#define LONGEST_US ((int64_t)24 * 3600 * 1000000)
#define IDLE_US ((int64_t)DATA_IDLE_SECONDS * 1000000)

struct data_transaction {
	arena *mem;
	str id, account, region, resource, secret;
	postgres_client *connection;
	int64_t begun_us, used_us;
	bool taken;
	data_transaction *next;
};

static struct {
	pthread_mutex_t lock;
	data_transaction *first;
	size_t n;
} transactions = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void end(data_transaction *t)
{
	postgres_close(t->connection);
	arena_close(t->mem);
	transactions.n--;
}

/* With the lock held. PostgreSQL has given them up already (idle_in_transaction_session_timeout). */
static void forget_old(void)
{
	int64_t now = clock_mono_us();
	for (data_transaction **at = &transactions.first; *at;) {
		data_transaction *t = *at;
		if (t->taken || (now - t->used_us < IDLE_US && now - t->begun_us < LONGEST_US)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		end(t);
	}
}

err data_transaction_begin(req *rq, const data_place *place, postgres_client *made, str *id)
{
	unsigned char bytes[ID_BYTES];
	rand_bytes(bytes, sizeof bytes);
	arena *mem = arena_open(2048);
	data_transaction *t = arena_new(mem, data_transaction);
	*t = (data_transaction){ .mem = mem,
		                     .id = base64_encode(mem, str_of((const char *)bytes, sizeof bytes)),
		                     .account = arena_str(mem, rq->who.account),
		                     .region = arena_str(mem, rq->region),
		                     .resource = arena_str(mem, place->resource),
		                     .secret = arena_str(mem, place->secret),
		                     .connection = postgres_moved(mem, made),
		                     .begun_us = clock_mono_us(),
		                     .used_us = clock_mono_us() };
	*id = arena_str(rq->mem, t->id);
	pthread_mutex_lock(&transactions.lock);
	forget_old();
	t->next = transactions.first;
	transactions.first = t;
	bool full = ++transactions.n > DATA_TRANSACTIONS_MAX;
	if (full) {
		transactions.first = t->next;
		end(t);
	}
	pthread_mutex_unlock(&transactions.lock);
	return full ? fail(rq, &rds_data_BadRequestException, "Too many transactions are open.") : OK;
}

err data_transaction_take(req *rq, str id, const data_place *place, data_transaction **out)
{
	bool busy = false;
	*out = NULL;
	pthread_mutex_lock(&transactions.lock);
	forget_old();
	for (data_transaction *t = transactions.first; t; t = t->next)
		if (str_eq(t->id, id) && str_eq(t->account, rq->who.account) && str_eq(t->region, rq->region)
		    && str_eq(t->resource, place->resource)) {
			busy = t->taken;
			if (!busy)
				*out = t;
		}
	if (*out)
		(*out)->taken = true;
	pthread_mutex_unlock(&transactions.lock);
	if (busy)
		return fail(rq, &rds_data_BadRequestException,
		            "Transaction %.*s is used by another request at present.", STR_ARG(id));
	if (!*out)
		return fail(rq, &rds_data_TransactionNotFoundException, "Transaction %.*s is not found", STR_ARG(id));
	if (!str_eq((*out)->secret, place->secret)) {
		data_transaction_give(*out, false);
		return fail(rq, &rds_data_BadRequestException,
		            "Database and secret must be those with which the transaction was begun.");
	}
	return OK;
}

postgres_client *data_transaction_connection(const data_transaction *t) { return t->connection; }

void data_transaction_give(data_transaction *t, bool ended)
{
	pthread_mutex_lock(&transactions.lock);
	t->taken = false;
	t->used_us = clock_mono_us();
	for (data_transaction **at = &transactions.first; ended && *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			end(t);
			break;
		}
	pthread_mutex_unlock(&transactions.lock);
}
