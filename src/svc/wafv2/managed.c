/*
 * AWS's managed rule groups as far as AWS says what they do: the names, labels and capacities are AWS's, what
 * the rules look for is what its documentation describes. The lists of addresses are not public: they are
 * empty.
 */
#include "waf.h"

enum { AGENT, QUERY, COOKIE, BODY, PATH, ARGUMENTS, HEADERS, HOST, METHOD };
enum { ABSENT, BAD_BOT, LONG, METADATA, INCLUSION, REMOTE, EXTENSION, SCRIPT, SQL, SQL_MORE, JAVA, LOCAL,
	PROPFIND,
	EXPLOIT, LOG4J, REACT, ADMIN, LINUX, ADDRESSES, BOT };

#define SCRATCH 4096
#define LONG_QUERY 2048
#define LONG_COOKIE 10240
#define LONG_BODY 8192
#define LONG_PATH 1024

#define FOUR(name, label, test) \
	{ name "_QUERYARGUMENTS", label "_QueryArguments", ARGUMENTS, test, false }, \
	{ name "_URIPATH", label "_URIPath", PATH, test, false }, \
	{ name "_BODY", label "_Body", BODY, test, false }
static const managed_rule common[] = {
	{ "NoUserAgent_HEADER", "NoUserAgent_Header", AGENT, ABSENT, false },
	{ "UserAgent_BadBots_HEADER", "BadBots_Header", AGENT, BAD_BOT, false },
	{ "SizeRestrictions_QUERYSTRING", "SizeRestrictions_QueryString", QUERY, LONG, false },
	{ "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_Cookie_Header", COOKIE, LONG, false },
	{ "SizeRestrictions_BODY", "SizeRestrictions_Body", BODY, LONG, false },
	{ "SizeRestrictions_URIPATH", "SizeRestrictions_URIPath", PATH, LONG, false },
	{ "EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_Cookie", COOKIE, METADATA, false },
	FOUR("EC2MetaDataSSRF", "EC2MetaDataSSRF", METADATA),
	FOUR("GenericLFI", "GenericLFI", INCLUSION),
	{ "RestrictedExtensions_URIPATH", "RestrictedExtensions_URIPath", PATH, EXTENSION, false },
	{ "RestrictedExtensions_QUERYARGUMENTS", "RestrictedExtensions_QueryArguments", ARGUMENTS, EXTENSION,
		false },
	FOUR("GenericRFI", "GenericRFI", REMOTE),
	{ "CrossSiteScripting_COOKIE", "CrossSiteScripting_Cookie", COOKIE, SCRIPT, false },
	FOUR("CrossSiteScripting", "CrossSiteScripting", SCRIPT),
};
static const managed_rule sql[] = {
	{ "SQLi_QUERYARGUMENTS", "SQLi_QueryArguments", ARGUMENTS, SQL, false },
	{ "SQLiExtendedPatterns_QUERYARGUMENTS", "SQLiExtendedPatterns_QueryArguments", ARGUMENTS, SQL_MORE,
		false },
	{ "SQLi_BODY", "SQLi_Body", BODY, SQL, false },
	{ "SQLiExtendedPatterns_BODY", "SQLiExtendedPatterns_Body", BODY, SQL_MORE, false },
	{ "SQLi_COOKIE", "SQLi_Cookie", COOKIE, SQL, false },
	{ "SQLi_URIPATH", "SQLi_URIPath", PATH, SQL, false },
};
static const managed_rule known[] = {
	{ "JavaDeserializationRCE_HEADER", "JavaDeserializationRCE_Header", HEADERS, JAVA, false },
	{ "JavaDeserializationRCE_BODY", "JavaDeserializationRCE_Body", BODY, JAVA, false },
	{ "JavaDeserializationRCE_URIPATH", "JavaDeserializationRCE_URIPath", PATH, JAVA, false },
	{ "JavaDeserializationRCE_QUERYSTRING", "JavaDeserializationRCE_QueryString", QUERY, JAVA, false },
	{ "Host_localhost_HEADER", "Host_Localhost_Header", HOST, LOCAL, false },
	{ "PROPFIND_METHOD", "Propfind_Method", METHOD, PROPFIND, false },
	{ "ExploitablePaths_URIPATH", "ExploitablePaths_URIPath", PATH, EXPLOIT, false },
	{ "Log4JRCE_HEADER", "Log4JRCE_Header", HEADERS, LOG4J, false },
	{ "Log4JRCE_QUERYSTRING", "Log4JRCE_QueryString", QUERY, LOG4J, false },
	{ "Log4JRCE_BODY", "Log4JRCE_Body", BODY, LOG4J, false },
	{ "Log4JRCE_URIPATH", "Log4JRCE_URIPath", PATH, LOG4J, false },
};
static const managed_rule admin[] = { { "AdminProtection_URIPATH", "AdminProtection_URIPath", PATH, ADMIN,
	                                        false } };
static const managed_rule linux_[] = {
	{ "LFI_URIPATH", "LFI_URIPath", PATH, LINUX, false },
	{ "LFI_QUERYSTRING", "LFI_QueryString", QUERY, LINUX, false },
	{ "LFI_HEADER", "LFI_Header", HEADERS, LINUX, false },
};
static const managed_rule reputation[] = {
	{ "AWSManagedIPReputationList", "AWSManagedIPReputationList", HOST, ADDRESSES, false },
	{ "AWSManagedReconnaissanceList", "AWSManagedReconnaissanceList", HOST, ADDRESSES, false },
	{ "AWSManagedIPDDoSList", "AWSManagedIPDDoSList", HOST, ADDRESSES, true },
};
static const managed_rule anonymous[] = {
	{ "AnonymousIPList", "AnonymousIPList", HOST, ADDRESSES, false },
	{ "HostingProviderIPList", "HostingProviderIPList", HOST, ADDRESSES, false },
};
#define KIND(name) { "Category" name, "bot:category:" name, AGENT, BOT, false }
static const managed_rule bots[] = {
	KIND("Advertising"), KIND("Archiver"), KIND("ContentFetcher"), KIND("EmailClient"), KIND("HttpLibrary"),
	KIND("LinkChecker"), KIND("Miscellaneous"), KIND("Monitoring"), KIND("ScrapingFramework"),
	KIND("SearchEngine"), KIND("Security"), KIND("Seo"), KIND("SocialMedia"), KIND("AI"),
	{ "SignalAutomatedBrowser", "signal:automated_browser", AGENT, BOT, false },
	{ "SignalKnownBotDataCenter", "signal:known_bot_data_center", HOST, ADDRESSES, false },
	{ "SignalNonBrowserUserAgent", "signal:non_browser_user_agent", AGENT, BOT, false },
};

#define GROUP(name, space, about, capacity, rules) \
	{ name, space, about, capacity, rules, sizeof rules / sizeof *rules }
const managed_group managed_groups[] = {
	GROUP("AWSManagedRulesAdminProtectionRuleSet", "admin-protection", "Access to administrative pages", 100,
		admin),
	GROUP("AWSManagedRulesAmazonIpReputationList", "amazon-ip-list", "Addresses of bots and threats", 25,
	      reputation),
	GROUP("AWSManagedRulesAnonymousIpList", "anonymous-ip-list", "Addresses that hide who comes", 50,
		anonymous),
	GROUP("AWSManagedRulesBotControlRuleSet", "bot-control", "Bots that say so or show it", 50, bots),
	GROUP("AWSManagedRulesCommonRuleSet", "core-rule-set", "What is generally applicable to web applications",
		700,
	      common),
	GROUP("AWSManagedRulesKnownBadInputsRuleSet", "known-bad-inputs", "Request patterns known to be invalid",
		200,
	      known),
	GROUP("AWSManagedRulesLinuxRuleSet", "linux-os", "Local file inclusion on Linux", 200, linux_),
	GROUP("AWSManagedRulesSQLiRuleSet", "sql-database", "Exploitation of SQL databases", 200, sql),
};
const size_t managed_n_groups = sizeof managed_groups / sizeof *managed_groups;

const managed_group *managed_group_of(str vendor, str name)
{
	for (size_t i = 0; str_eq(vendor, S("AWS")) && i < managed_n_groups; i++)
		if (str_eq(str_c(managed_groups[i].name), name))
			return &managed_groups[i];
	return NULL;
}

static bool is_bot(const managed_rule *r) { return r->test == BOT && r->name[0] == 'C'; }

str managed_label(arena *mem, const managed_group *g, const managed_rule *r)
{
	str label = arena_fmt(mem, "awswaf:managed:aws:%s:%s", g->space, r->label);
	if (!is_bot(r))
		return label;
	static const struct { const char *name, *label; } named[] = { { "ContentFetcher", "content_fetcher" },
		{ "EmailClient", "email_client" }, { "HttpLibrary", "http_library" }, { "LinkChecker",
			"link_checker" },
		{ "ScrapingFramework", "scraping_framework" }, { "SearchEngine", "search_engine" },
		{ "SocialMedia", "social_media" } };
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (strcmp(r->name + 8, named[i].name) == 0)
			return arena_fmt(mem, "awswaf:managed:aws:%s:bot:category:%s", g->space, named[i].label);
	return arena_lower(mem, label);
}

static void one(look *l, values *out, str v)
{
	out->v = arena_new(l->mem, str);
	out->v[0] = v;
	out->n = str_is(v);
}

static values values_of(look *l, uint8_t field)
{
	values out = { 0 };
	const wire_message *in = &l->x->in;
	switch (field) {
		case AGENT: return field_headers(l, S("user-agent"));
	case QUERY: one(l, &out, in->query); break;
	case COOKIE: return field_headers(l, S("cookie"));
	case BODY: one(l, &out, str_is(in->body) ? str_sub(in->body, 0, l->body_max) : STR_NONE); break;
	case PATH: one(l, &out, l->path); break;
	case HOST: one(l, &out, l->x->host); break;
	case METHOD: one(l, &out, in->method); break;
	case HEADERS:
		out.v = arena_array(l->mem, str, in->n_headers + 1);
		for (size_t i = 0; i < in->n_headers; i++)
			out.v[out.n++] = in->headers[i].value;
		break;
	default: out = field_arguments(l);
	}
	return out;
}

static bool has(str s, const char *const *all)
{
	for (; *all; all++)
		if (str_find(s, str_c(*all)) != SIZE_MAX)
			return true;
	return false;
}
#define HAS(s, ...) has((s), (const char *const[]){ __VA_ARGS__, NULL })

static bool ends(str s, const char *const *all)
{
	for (; *all; all++)
		if (str_ends(s, str_c(*all)))
			return true;
	return false;
}

/* http://1.2.3.4 */
static bool remote(str s)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://", "ftps://", "file://" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t at = str_find(s, str_c(schemes[i])), dots = 0, digits = 0;
		if (at == SIZE_MAX)
			continue;
		for (at += strlen(schemes[i]); at < s.n && ((s.p[at] >= '0' && s.p[at] <= '9') || s.p[at] == '.');
			at++) {
			dots += s.p[at] == '.';
			digits += s.p[at] != '.';
		}
		if (dots == 3 && digits >= 4)
			return true;
	}
	return false;
}

static size_t longest(uint8_t field)
{
	return field == QUERY ? LONG_QUERY : field == COOKIE ? LONG_COOKIE : field == BODY ? LONG_BODY :
		LONG_PATH;
}

static bool matches(look *l, const managed_rule *r, str raw)
{
	str once = transform_one(l->mem, raw, S("URL_DECODE_UNI")), s = arena_lower(l->mem, once);
	switch (r->test) {
	case METADATA:
		return HAS(s, "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "/latest/meta-data",
			"metadata.google");
	case INCLUSION:
		return HAS(s, "../", "..\\") || HAS(transform_one(l->mem, s, S("URL_DECODE_UNI")), "../", "..\\");
	case REMOTE: return remote(s);
	case EXTENSION:
		return ends(s, (const char *const[]){ ".log", ".ini", ".bak", ".backup", ".cfg", ".conf", ".config",
			".old",
			".sql", ".swp", ".key", ".pem", ".env", ".htaccess", ".htpasswd", NULL });
	case SCRIPT: return xss_found(l->mem, transform_one(l->mem, once, S("HTML_ENTITY_DECODE")));
	case SQL: return sqli_found(l->mem, once, false);
	case SQL_MORE: return sqli_found(l->mem, transform_one(l->mem, once, S("REPLACE_COMMENTS")), true);
	case JAVA: return HAS(s, "java.lang.runtime", "getruntime().exec", "java.lang.processbuilder", "ro0abx");
	case LOG4J: return HAS(s, "${jndi:", "${lower:", "${upper:", "${::-", "${env:");
	case EXPLOIT: return HAS(s, "/web-inf", "/.git/", "/.env", "/etc/passwd", "/cgi-bin/", "/phpunit");
	case ADMIN: return HAS(s, "sqlmanager", "/admin", "phpmyadmin", "/wp-admin", "/manager/html");
	case LINUX:
		return HAS(s, "/proc/version", "/proc/self", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts",
		           "/etc/issue");
	case LOCAL: {
		str host = s;
		host = str_cut(&host, ':');
		return str_eq(host, S("localhost")) || str_eq(host, S("127.0.0.1"));
	}
	case PROPFIND: return str_eq(s, S("propfind"));
	default: return false;
	}
}

static bool looked_at(look *l, const managed_rule *r)
{
	str agent = wire_header(&l->x->in, S("user-agent"));
	if (r->test == ADDRESSES)
		return false;
	if (r->test == ABSENT)
		return !agent.n;
	if (r->test == BAD_BOT)
		return agent.n && bot_is_bad(l->mem, agent);
	if (r->test == BOT) {
		const char *kind = bot_kind(l->mem, agent);
		return kind && strcmp(kind, r->name) == 0;
	}
	if (r->test == LONG && r->field == BODY)
		return l->x->in.body.n > LONG_BODY;
	values all = values_of(l, r->field);
	for (size_t i = 0; i < all.n; i++)
		if (r->test == LONG ? all.v[i].n > longest(r->field) : matches(l, r, all.v[i]))
			return true;
	return false;
}

/* Groups may be in many rules: what one rule of theirs needs does not stay in memory. */
bool managed_matches(look *l, const managed_rule *r)
{
	arena *mem = l->mem;
	l->mem = arena_open(SCRATCH);
	bool matches = looked_at(l, r);
	arena_close(l->mem);
	l->mem = mem;
	return matches;
}

static wafv2_RuleAction action_of(arena *mem, const managed_rule *r)
{
	wafv2_RuleAction a = { 0 };
	if (r->counts)
		a.Count = arena_new(mem, wafv2_CountAction);
	else
		a.Block = arena_new(mem, wafv2_BlockAction);
	return a;
}

err wafv2_ListAvailableManagedRuleGroups(req *rq, const txn *tx,
	const wafv2_ListAvailableManagedRuleGroups_in *in,
                                         wafv2_ListAvailableManagedRuleGroups_out *out)
{
	(void)tx;
	TRY(waf_scope(rq, in->Scope));
	out->ManagedRuleGroups.v = arena_array(rq->mem, wafv2_ManagedRuleGroupSummary, managed_n_groups);
	for (size_t i = 0; i < managed_n_groups; i++)
		out->ManagedRuleGroups.v[out->ManagedRuleGroups.n++] = (wafv2_ManagedRuleGroupSummary){
			.VendorName = S("AWS"), .Name = str_c(managed_groups[i].name), .VersioningSupported = BOOL(false),
			.Description = str_c(managed_groups[i].about) };
	return OK;
}

err wafv2_DescribeManagedRuleGroup(req *rq, const txn *tx, const wafv2_DescribeManagedRuleGroup_in *in,
                                   wafv2_DescribeManagedRuleGroup_out *out)
{
	const managed_group *g = managed_group_of(in->VendorName, in->Name);
	(void)tx;
	TRY(waf_scope(rq, in->Scope));
	if (!g)
		return waf_gone(rq);
	out->Capacity = I64(g->capacity);
	out->LabelNamespace = arena_fmt(rq->mem, "awswaf:managed:aws:%s:", g->space);
	out->Rules.v = arena_array(rq->mem, wafv2_RuleSummary, g->n);
	out->AvailableLabels.v = arena_array(rq->mem, wafv2_LabelSummary, g->n);
	for (size_t i = 0; i < g->n; i++) {
		wafv2_RuleAction *a = arena_new(rq->mem, wafv2_RuleAction);
		*a = action_of(rq->mem, &g->rules[i]);
		out->Rules.v[out->Rules.n++] = (wafv2_RuleSummary){ str_c(g->rules[i].name), a };
		out->AvailableLabels.v[out->AvailableLabels.n++].Name = managed_label(rq->mem, g, &g->rules[i]);
	}
	return OK;
}
