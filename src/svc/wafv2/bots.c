/*
 * What a client says that it is. Nobody can prove here that he is the search engine he says he is, so all of
 * them are what AWS calls unverified.
 */
#include "waf.h"

typedef struct agent_kind {
	const char *in, *kind;
} agent_kind;
static const agent_kind kinds[] = {
	{ "adsbot", "CategoryAdvertising" }, { "mediapartners-google", "CategoryAdvertising" },
	{ "archive.org_bot", "CategoryArchiver" }, { "ia_archiver", "CategoryArchiver" },
	{ "gptbot", "CategoryAI" }, { "claudebot", "CategoryAI" }, { "ccbot", "CategoryAI" },
	{ "perplexitybot", "CategoryAI" }, { "bytespider", "CategoryAI" }, { "anthropic-ai", "CategoryAI" },
	{ "feedfetcher", "CategoryContentFetcher" }, { "feedly", "CategoryContentFetcher" },
	{ "thunderbird", "CategoryEmailClient" },
	{ "scrapy", "CategoryScrapingFramework" }, { "apifox", "CategoryScrapingFramework" },
	{ "python-requests", "CategoryHttpLibrary" }, { "python-urllib", "CategoryHttpLibrary" },
	{ "python-httpx", "CategoryHttpLibrary" }, { "aiohttp", "CategoryHttpLibrary" },
		{ "curl/", "CategoryHttpLibrary" },
	{ "wget/", "CategoryHttpLibrary" }, { "go-http-client", "CategoryHttpLibrary" },
	{ "okhttp", "CategoryHttpLibrary" }, { "apache-httpclient", "CategoryHttpLibrary" },
	{ "axios/", "CategoryHttpLibrary" }, { "node-fetch", "CategoryHttpLibrary" }, { "undici",
		"CategoryHttpLibrary" },
	{ "libwww-perl", "CategoryHttpLibrary" }, { "java/", "CategoryHttpLibrary" }, { "guzzlehttp",
		"CategoryHttpLibrary" },
	{ "ruby", "CategoryHttpLibrary" }, { "faraday", "CategoryHttpLibrary" }, { "postmanruntime",
		"CategoryHttpLibrary" },
	{ "linkchecker", "CategoryLinkChecker" }, { "w3c-checklink", "CategoryLinkChecker" },
	{ "pingdom", "CategoryMonitoring" }, { "uptimerobot", "CategoryMonitoring" },
	{ "datadog", "CategoryMonitoring" }, { "statuscake", "CategoryMonitoring" },
	{ "googlebot", "CategorySearchEngine" }, { "bingbot", "CategorySearchEngine" },
	{ "duckduckbot", "CategorySearchEngine" }, { "yandexbot", "CategorySearchEngine" },
	{ "baiduspider", "CategorySearchEngine" }, { "slurp", "CategorySearchEngine" },
	{ "nessus", "CategorySecurity" }, { "nmap", "CategorySecurity" }, { "nikto", "CategorySecurity" },
	{ "censys", "CategorySecurity" }, { "qualys", "CategorySecurity" },
	{ "ahrefsbot", "CategorySeo" }, { "semrushbot", "CategorySeo" }, { "mj12bot", "CategorySeo" },
	{ "dotbot", "CategorySeo" },
	{ "facebookexternalhit", "CategorySocialMedia" }, { "twitterbot", "CategorySocialMedia" },
	{ "linkedinbot", "CategorySocialMedia" }, { "slackbot", "CategorySocialMedia" },
	{ "headlesschrome", "SignalAutomatedBrowser" }, { "phantomjs", "SignalAutomatedBrowser" },
	{ "selenium", "SignalAutomatedBrowser" }, { "puppeteer", "SignalAutomatedBrowser" },
	{ "playwright", "SignalAutomatedBrowser" },
	{ "bot/", "CategoryMiscellaneous" }, { "crawler", "CategoryMiscellaneous" }, { "spider",
		"CategoryMiscellaneous" },
};

const char *bot_kind(arena *mem, str agent)
{
	str s = agent.n ? arena_lower(mem, agent) : S("");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_find(s, str_c(kinds[i].in)) != SIZE_MAX)
			return kinds[i].kind;
	bool browser = str_starts(s, S("mozilla/")) || str_starts(s, S("opera/"));
	return browser ? NULL : "SignalNonBrowserUserAgent";
}

bool bot_is_bad(arena *mem, str agent)
{
	static const char *const bad[] = { "nessus", "nmap", "nikto", "sqlmap", "masscan", "zgrab", "dirbuster",
		"gobuster",
		"wpscan", "acunetix", "openvas", "w3af", "havij", "jorgee", "morfeus", "nuclei" };
	str s = arena_lower(mem, agent);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (str_find(s, str_c(bad[i])) != SIZE_MAX)
			return true;
	return false;
}
