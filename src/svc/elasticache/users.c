#include "base/buf.h"
#include "base/digest.h"
#include "base/time.h"
#include "cache.h"
#include "users.h"
#include "store/due.h"

#define PASSWORD_MIN 16
#define PASSWORD_MAX 128
#define PASSWORDS_MAX 2
#define LINES_MAX ((size_t)256 << 10)
#define GONE_MS 1000
#define ID_MOST 40
#define ACCESS_WORDS_MAX 200 /* and all that Farthing adds is sent in WORDS_MAX */

/* What ElastiCache keeps to itself, whatever an access string says. */
#define LIMITS \
	" -config -save -bgsave -bgrewriteaof -debug -shutdown -module -slaveof -replicaof -failover " \
	"-migrate -sync -psync -acl|setuser -acl|deluser -acl|load -acl|save -acl|log -cluster|addslots " \
	"-cluster|addslotsrange -cluster|bumpepoch -cluster|delslots -cluster|delslotsrange -cluster|failover " \
	"-cluster|flushslots -cluster|forget -cluster|meet -cluster|replicate -cluster|reset " \
	"-cluster|saveconfig -cluster|set-config-epoch -cluster|setslot\n"

static elasticache_user *default_user(arena *mem, str account, str region)
{
	elasticache_user *u = arena_new(mem, elasticache_user);
	*u = (elasticache_user){ .Account = account, .Region = region, .Id = S("default") };
	u->It = arena_new(mem, elasticache_User);
	u->It->Authentication = arena_new(mem, elasticache_Authentication);
	u->It->Authentication->Type = S("no-password");
	u->It->UserId = u->It->UserName = S("default");
	u->It->Status = S("active");
	u->It->Engine = S("redis");
	u->It->MinimumEngineVersion = S("6.0");
	u->It->AccessString = S("on ~* +@all");
	u->It->ARN =
		arena_fmt(mem, "arn:aws:elasticache:%.*s:%.*s:user:default", STR_ARG(region), STR_ARG(account));
	return u;
}

elasticache_user *cache_user_get(const txn *tx, arena *mem, str account, str region, str id)
{
	elasticache_user *u = elasticache_user_get(tx, mem, account, region, id);
	return u || !str_eq(id, S("default")) ? u : default_user(mem, account, region);
}

err cache_user_find(req *rq, const txn *tx, str id, elasticache_user **out)
{
	*out = cache_user_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, id));
	if (!*out)
		return fail(rq, &elasticache_UserNotFoundFault, "User %.*s not found.", STR_ARG(id));
	return OK;
}

/* With the groups that it is in. */
static elasticache_User *shown(req *rq, const txn *tx, const elasticache_user *u)
{
	elasticache_User *it = arena_new(rq->mem, elasticache_User);
	size_t n = 0;
	*it = *u->It;
	it->UserGroupIds = (elasticache_UserGroupIdList){ arena_array(rq->mem, str, CACHE_USER_GROUPS_MAX), 0 };
	record_scan s = elasticache_user_group_scan(tx, rq->mem, 2, u->Account, u->Region, STR_NONE);
	for (elasticache_user_group *g; (g = elasticache_user_group_next(&s)) && n < CACHE_USER_GROUPS_MAX;)
		if (cache_user_among(&g->It->UserIds, u->Id))
			it->UserGroupIds.v[n++] = g->Id;
	cursor_close(&s.at);
	it->UserGroupIds.n = n;
	return it;
}

typedef struct given {
	opt_bool no_password;
	const elasticache_PasswordListInput *passwords;
	const elasticache_AuthenticationMode *mode;
} given;

static err passwords_of(req *rq, const elasticache_PasswordListInput *p, elasticache_user *u)
{
	if (p->n > PASSWORDS_MAX)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The number of passwords must not be more than %d.", PASSWORDS_MAX);
	u->Hashes = (elasticache_StringList){ arena_array(rq->mem, str, p->n + 1), 0 };
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].n < PASSWORD_MIN || p->v[i].n > PASSWORD_MAX)
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "Passwords length must be between %d-%d characters.", PASSWORD_MIN, PASSWORD_MAX);
		u->Hashes.v[u->Hashes.n++] = sha256_hex(rq->mem, p->v[i]);
	}
	u->It->Authentication->Type = S("password");
	u->It->Authentication->PasswordCount = I64((int64_t)p->n);
	return OK;
}

/* How it proves who it is; `fresh`: something has to be said. */
static err authentication(req *rq, const given *g, bool fresh, elasticache_user *u)
{
	const elasticache_PasswordListInput *p = g->passwords;
	str type = g->mode ? g->mode->Type : STR_NONE;
	bool without = g->no_password.v;
	if (g->mode && g->mode->Passwords.n && p->n)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Passwords provided via multiple arguments. Use only one argument");
	if (without && str_is(type) && !str_eq(type, S("no-password-required")))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "No password required flag is true but provided authentication type is %.*s",
		            STR_ARG(type));
	if (g->mode && g->mode->Passwords.n)
		p = &g->mode->Passwords;
	if (str_eq(type, S("iam")) && p->n)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Password field is not allowed with authentication type: iam");
	if ((without || str_eq(type, S("no-password-required"))) && p->n)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Password field is not allowed with authentication type: no-password");
	if (str_eq(type, S("iam")))
		return fail(rq, &aws_NotImplemented, "IAM authentication of users is not implemented.");
	if (str_eq(type, S("password")) && !p->n)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "A user with Authentication Mode: password, must have at least one password");
	if (p->n)
		return passwords_of(rq, p, u);
	if (!without && !str_is(type) && !fresh)
		return OK;
	if (!without && !str_is(type))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Input Authentication type: null is not in the allowed list: "
		            "[password,no-password-required,iam]");
	u->It->Authentication->Type = S("no-password");
	u->It->Authentication->PasswordCount.set = false;
	u->Hashes.n = 0;
	return OK;
}

/* What an access string is made of; who gets in by which password is said elsewhere. */
static err access_string(req *rq, str text)
{
	size_t n = 0;
	for (str rest = text; str_is(rest);) {
		str word = str_cut(&rest, ' ');
		char c = word.n ? word.p[0] : ' ';
		bool plain = str_eq(word, S("on")) || str_eq(word, S("off")) || str_eq(word, S("resetkeys"))
			|| str_eq(word, S("allkeys")) || str_eq(word, S("allcommands")) || str_eq(word, S("nocommands"))
			|| str_eq(word, S("allchannels")) || str_eq(word, S("resetchannels"))
			|| str_eq(word, S("clearselectors"));
		bool odd = false;
		for (size_t i = 0; i < word.n; i++)
			odd = odd || word.p[i] < '!' || word.p[i] > '~' || strchr("\"'\\", word.p[i]);
		if (odd || (word.n && !plain && !strchr("~%&+-()", c)))
			return fail(rq, &elasticache_InvalidParameterValueException, "Access String is invalid: %.*s",
			            STR_ARG(text));
		n += word.n > 0;
	}
	return n && n <= ACCESS_WORDS_MAX
		? OK
		: fail(rq, &elasticache_InvalidParameterValueException, "Access String is invalid");
}

static err check_new(req *rq, const txn *tx, const elasticache_CreateUser_in *in, str id, str engine)
{
	size_t n = 0;
	TRY(cache_check_name(rq, id, "UserId", ID_MOST));
	if (!str_eq(engine, S("redis")) && !str_eq(engine, S("valkey")))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Unknown parameter for Engine: %.*s, must be one of: redis, valkey", STR_ARG(in->Engine));
	for (size_t i = 0; i < in->UserName.n; i++)
		if (in->UserName.p[i] <= ' ' || in->UserName.p[i] > '~' || strchr("\"'\\#", in->UserName.p[i]))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "The parameter UserName is not valid.");
	if (str_eq(in->UserName, S("farthing")))
		return fail(rq, &elasticache_InvalidParameterValueException, "The parameter UserName is reserved.");
	if (cache_user_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &elasticache_UserAlreadyExistsFault, "User %.*s already exists.",
		            STR_ARG(in->UserId));
	record_scan s = elasticache_user_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elasticache_user_next(&s))
		n++;
	return n < CACHE_USERS_MAX
		? OK
		: fail(rq, &elasticache_UserQuotaExceededFault, "The quota of users has been exceeded.");
}

err elasticache_CreateUser(req *rq, txn *tx, const elasticache_CreateUser_in *in,
                           elasticache_CreateUser_out *out)
{
	str id = cache_lowered(rq, in->UserId), engine = cache_lowered(rq, in->Engine);
	TRY(check_new(rq, tx, in, id, engine));
	TRY(cache_tags_check(rq, &in->Tags));
	elasticache_user u = { .Account = rq->who.account, .Region = rq->region, .Id = id, .Tags = in->Tags };
	u.It = arena_new(rq->mem, elasticache_User);
	*u.It = (elasticache_User){
		.UserId = id,
		.UserName = in->UserName,
		.Status = S("active"),
		.Engine = engine,
		.MinimumEngineVersion = str_eq(engine, S("redis")) ? S("6.0") : S("7.2"),
		.AccessString = in->AccessString,
		.Authentication = arena_new(rq->mem, elasticache_Authentication),
		.ARN = req_arn(rq, "elasticache", "user:%.*s", STR_ARG(id)),
	};
	given g = { in->NoPasswordRequired, &in->Passwords, in->AuthenticationMode };
	TRY(authentication(rq, &g, true, &u));
	TRY(access_string(rq, in->AccessString));
	elasticache_user_put(tx, &u);
	*out = *shown(rq, tx, &u);
	return OK;
}

static err changeable(req *rq, const elasticache_user *u)
{
	if (str_eq(u->Id, S("default")))
		return fail(rq, &elasticache_InvalidParameterValueException, "The default user cannot be modified.");
	if (!str_eq(u->It->Status, S("active")))
		return fail(rq, &elasticache_InvalidUserStateFault, "User %.*s is not in active state.",
		            STR_ARG(u->Id));
	return OK;
}

err elasticache_ModifyUser(req *rq, txn *tx, const elasticache_ModifyUser_in *in,
                           elasticache_ModifyUser_out *out)
{
	elasticache_user *u;
	TRY(cache_user_find(rq, tx, in->UserId, &u));
	TRY(changeable(rq, u));
	if (str_is(in->AccessString) && str_is(in->AppendAccessString))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Only one of AccessString and AppendAccessString can be specified.");
	if (str_is(in->AccessString))
		u->It->AccessString = in->AccessString;
	if (str_is(in->AppendAccessString))
		u->It->AccessString =
			arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(u->It->AccessString), STR_ARG(in->AppendAccessString));
	TRY(access_string(rq, u->It->AccessString));
	given g = { in->NoPasswordRequired, &in->Passwords, in->AuthenticationMode };
	TRY(authentication(rq, &g, false, u));
	elasticache_user_put(tx, u);
	cache_users_changed(tx, u->Account, u->Region);
	*out = *shown(rq, tx, u);
	return OK;
}

err elasticache_DeleteUser(req *rq, txn *tx, const elasticache_DeleteUser_in *in,
                           elasticache_DeleteUser_out *out)
{
	elasticache_user *u;
	arena *mem = rq->mem;
	TRY(cache_user_find(rq, tx, in->UserId, &u));
	TRY(changeable(rq, u));
	record_scan s = elasticache_user_group_scan(tx, mem, 2, u->Account, u->Region, STR_NONE);
	for (elasticache_user_group *g; (g = elasticache_user_group_next(&s));) {
		if (!cache_user_among(&g->It->UserIds, u->Id))
			continue;
		if (str_eq(u->It->UserName, S("default")))
			return fail(rq, &elasticache_DefaultUserAssociatedToUserGroupFault,
			            "The user with the user name default is associated to the user group %.*s.",
			            STR_ARG(g->Id));
		cache_user_drop(&g->It->UserIds, u->Id);
		elasticache_user_group_put(tx, g);
	}
	cursor_close(&s.at);
	u->It->Status = S("deleting");
	elasticache_user_put(tx, u);
	cache_users_changed(tx, u->Account, u->Region);
	str place = cache_place(mem, u->Account, u->Region, u->Id);
	timer_set(tx, "elasticache_user_gone", place, rq->now + GONE_MS, place);
	*out = *shown(rq, tx, u);
	return OK;
}

TIMER(elasticache_user_gone)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	elasticache_user_delete(tx, account, region, rest);
}

static err filtered(req *rq, const elasticache_FilterList *filters, const elasticache_user *u, bool *out)
{
	*out = true;
	for (size_t i = 0; i < filters->n; i++) {
		const elasticache_Filter *f = &filters->v[i];
		str value = str_eq(f->Name, S("user-id"))       ? u->Id
			: str_eq(f->Name, S("user-name"))           ? u->It->UserName
			: str_eq(f->Name, S("engine"))              ? u->It->Engine
			: str_eq(f->Name, S("status"))              ? u->It->Status
			: str_eq(f->Name, S("authentication-type")) ? u->It->Authentication->Type
														: STR_NONE;
		bool any = false;
		if (!str_is(value))
			return fail(rq, &elasticache_InvalidParameterValueException, "Invalid filter name: %.*s",
			            STR_ARG(f->Name));
		for (size_t k = 0; k < f->Values.n; k++)
			any = any || str_eq(f->Values.v[k], value);
		*out = *out && any;
	}
	return OK;
}

err elasticache_DescribeUsers(req *rq, const txn *tx, const elasticache_DescribeUsers_in *in,
                              elasticache_DescribeUsers_out *out)
{
	cache_page p;
	elasticache_user *u;
	bool fits;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->Users.v = arena_array(rq->mem, elasticache_User, p.most);
	if (str_is(in->UserId)) {
		TRY(cache_user_find(rq, tx, in->UserId, &u));
		out->Users.v[out->Users.n++] = *shown(rq, tx, u);
		return OK;
	}
	u = default_user(rq->mem, rq->who.account, rq->region);
	TRY(filtered(rq, &in->Filters, u, &fits));
	record_scan s = elasticache_user_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	for (u = str_is(p.after) ? elasticache_user_next(&s) : u; u; u = elasticache_user_next(&s)) {
		TRY(filtered(rq, &in->Filters, u, &fits));
		if (!fits || (str_is(in->Engine) && !str_eq_nocase(in->Engine, u->It->Engine)))
			continue;
		if (out->Users.n == p.most) {
			out->Marker = page_token(rq, out->Users.v[p.most - 1].UserId);
			break;
		}
		out->Users.v[out->Users.n++] = *shown(rq, tx, u);
	}
	cursor_close(&s.at);
	return OK;
}

static void line(buf *b, const elasticache_user *u)
{
	bool none = str_eq(u->It->Authentication->Type, S("no-password"));
	buf_fmt(b, "user %.*s %.*s sanitize-payload%s", STR_ARG(u->It->UserName), STR_ARG(u->It->AccessString),
	        none ? " nopass" : "");
	for (size_t i = 0; i < u->Hashes.n; i++)
		buf_fmt(b, " #%.*s", STR_ARG(u->Hashes.v[i]));
	buf_put(b, S(LIMITS));
}

str cache_user_lines(const txn *tx, arena *a, const elasticache_cluster *c, const elasticache_group *g)
{
	buf b = buf_in(a, 2048, LINES_MAX);
	bool default_there = false;
	for (size_t i = 0; g && i < g->It->UserGroupIds.n; i++) {
		elasticache_user_group *ug =
			elasticache_user_group_get(tx, a, g->Account, g->Region, g->It->UserGroupIds.v[i]);
		for (size_t k = 0; ug && k < ug->It->UserIds.n; k++) {
			elasticache_user *u = cache_user_get(tx, a, g->Account, g->Region, ug->It->UserIds.v[k]);
			if (!u || str_eq(u->It->Status, S("deleting")))
				continue;
			default_there = default_there || str_eq(u->It->UserName, S("default"));
			line(&b, u);
		}
	}
	if (default_there)
		return buf_str(&b);
	bool grouped = g && g->It->UserGroupIds.n;
	str tokens = g ? g->Tokens : c->Tokens;
	buf_put(&b, grouped ? S("user default off") : S("user default on sanitize-payload ~* &* +@all"));
	if (str_empty(tokens))
		buf_put(&b, grouped ? S("") : S(" nopass"));
	for (str rest = str_empty(tokens) ? STR_NONE : tokens; str_is(rest);) {
		str hash = str_cut(&rest, ' ');
		buf_fmt(&b, " #%.*s", STR_ARG(hash));
	}
	buf_put(&b, S(LIMITS));
	return buf_str(&b);
}

#define WORDS_MAX 256

static err set_user(arena *a, str folder, str rest, str *name)
{
	str words[WORDS_MAX] = { S("ACL"), S("SETUSER") };
	size_t n = 3;
	str_cut(&rest, ' ');
	words[2] = *name = str_cut(&rest, ' ');
	words[n++] = S("reset");
	while (str_is(rest) && n < WORDS_MAX) {
		str word = str_cut(&rest, ' ');
		if (word.n)
			words[n++] = word;
	}
	return cache_node_ask(a, folder, words, n, NULL);
}

err cache_users_apply(arena *a, str folder, str lines)
{
	redis_reply all;
	str *names = arena_array(a, str, CACHE_USERS_MAX + 2);
	size_t n = 0;
	for (str rest = lines; str_is(rest);) {
		str one = str_cut(&rest, '\n');
		if (one.n && n < CACHE_USERS_MAX)
			TRY(set_user(a, folder, one, &names[n++]));
	}
	TRY(CACHE_ASK(a, folder, &all, S("ACL"), S("USERS")));
	for (size_t i = 0; i < all.n; i++) {
		bool there = str_eq(all.items[i].text, S("farthing"));
		for (size_t k = 0; k < n; k++)
			there = there || str_eq(all.items[i].text, names[k]);
		if (!there)
			TRY(CACHE_ASK(a, folder, NULL, S("ACL"), S("DELUSER"), all.items[i].text));
	}
	return OK;
}
