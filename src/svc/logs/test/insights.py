"""Logs Insights: the language, its results, their statistics, what it costs."""
import json
import os
import signal
import time

from scenario import check, refused, same, until

START = int(time.time()) - 3600


def group(server, name, events, stream="s"):
    """`events` are messages or (seconds, message); a second apart."""
    logs = server.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName=stream)
    logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=[
        {"timestamp": (START + (e[0] if isinstance(e, tuple) else i)) * 1000,
         "message": e[1] if isinstance(e, tuple) else e} for i, e in enumerate(events)])
    return logs


def answer(logs, name, query, **more):
    where = {"logGroupNames": name} if isinstance(name, list) else {"logGroupName": name}
    query_id = logs.start_query(**where, startTime=START - 60, endTime=START + 3600, queryString=query,
                                **more)["queryId"]
    a = ended(logs, query_id)
    same(a["status"], "Complete")
    return a


def ended(logs, query_id, **page):
    def look():
        a = logs.get_query_results(queryId=query_id, **page)
        return a["status"] not in ("Scheduled", "Running") and a
    return until(look, "the query does not end", 120)


def rows(logs, name, query, **more):
    return [{f["field"]: f["value"] for f in r if f["field"] != "@ptr"}
            for r in answer(logs, name, query, **more)["results"]]


def column(logs, name, query):
    return [next(iter(r.values()), None) for r in rows(logs, name, query)]


def test_fields_order_and_limit(server):
    logs = group(server, "/q/plain", [f"event nr {i}" for i in range(5)])
    same(column(logs, "/q/plain", "fields @message"), [f"event nr {i}" for i in (4, 3, 2, 1, 0)])
    same(column(logs, "/q/plain", "fields @message | sort @timestamp asc | limit 2"), ["event nr 0", "event nr 1"])
    [r] = rows(logs, "/q/plain", "fields @timestamp, @log, @logStream, strlen(@message) as n | limit 1")
    same((r["@timestamp"], r["@logStream"], r["n"]),
         (time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime(START + 4)), "s", "10"))
    check(r["@log"].endswith(":/q/plain"), r)
    same(sorted(rows(logs, "/q/plain", "limit 1")[0]), ["@message", "@timestamp"])
    same(len(rows(logs, "/q/plain", "fields @message", limit=3)), 3)
    a = answer(logs, "/q/plain", "filter @message like 'nr 3'")
    same((a["statistics"]["recordsMatched"], a["statistics"]["recordsScanned"], a["statistics"]["bytesScanned"]),
         (1, 5, 50))
    record = logs.get_log_record(logRecordPointer=a["results"][0][-1]["value"])["logRecord"]
    same((record["@message"], record["@timestamp"]), ("event nr 3", str((START + 3) * 1000)))
    page = ended(logs, logs.start_query(logGroupName="/q/plain", startTime=START, endTime=START + 2,
                                        queryString="fields @message")["queryId"])
    same([r[0]["value"] for r in page["results"]], ["event nr 2", "event nr 1", "event nr 0"])


def test_json_and_filters(server):
    events = [json.dumps(e) for e in (
        {"level": "INFO", "ms": 12, "user": {"name": "ada", "tags": ["x", "y"]}, "ip": "10.1.2.3"},
        {"level": "ERROR", "ms": 250.5, "user": {"name": "bob"}, "ok": False, "ip": "192.168.0.9"},
        {"level": "error", "ms": 7, "user": {"name": "Cyd"}, "ok": True, "a.b": "dotted"})] + ["plain text"]
    logs = group(server, "/q/json", events)

    def who(condition):
        return column(logs, "/q/json", f"filter {condition} | sort @timestamp asc | display user.name")

    same(who("level = 'ERROR'"), ["bob"])
    same(who("level like /(?i)error/"), ["bob", "Cyd"])
    same(who("level not like 'ERR' and ispresent(level)"), ["ada", "Cyd"])
    same(who("ms > 10 and ms <= 250.5"), ["ada", "bob"])
    same(who("level in ['INFO', 'error']"), ["ada", "Cyd"])
    same(who("user.name =~ /^[ab]/ and not (ms < 10)"), ["ada", "bob"])
    same(who("ok = 1 or user.tags.1 = 'y'"), ["ada", "Cyd"])
    same(who("isIpv4InSubnet(ip, '10.0.0.0/8')"), ["ada"])
    same(who("`a.b` = 'dotted'"), ["Cyd"])
    same(who("ms * 2 + 1 = 25 # a remark | here\n"), ["ada"])
    [r] = rows(logs, "/q/json", "fields concat(toupper(user.name), '-', level) as both, substr(level, 1, 2) as part, "
                                "replace(level, 'R', '_') as r, coalesce(nothing, ms) as c, abs(-3) as three, "
                                "ms % 5 as m, floor(ms) as f, greatest(ms, 300) as g | filter level = 'ERROR'")
    same(r, {"both": "BOB-ERROR", "part": "RR", "r": "E__O_", "c": "250.5", "three": "3", "m": "0.5", "f": "250",
             "g": "300"})
    fields = {f["name"]: f["percent"] for f in logs.get_log_group_fields(logGroupName="/q/json", time=START)
              ["logGroupFields"]}
    same((fields["@message"], fields["level"], fields["ok"]), (100, 75, 50))


def test_stats(server):
    events = [(i * 30, json.dumps({"route": "ab"[i % 2], "ms": i, "who": i % 3})) for i in range(12)]
    logs = group(server, "/q/stats", events)
    same(rows(logs, "/q/stats", "stats count(*), sum(ms) as total, avg(ms) as mean, min(ms), max(ms), "
                                "count_distinct(who) as people, pct(ms, 50) as p50, stddev(ms) as d"),
         [{"count(*)": "12", "total": "66", "mean": "5.5", "min(ms)": "0", "max(ms)": "11", "people": "3",
           "p50": "5.5", "d": "3.4521"}])
    same(rows(logs, "/q/stats", "stats sum(ms) / count(*) as mean by route | sort route"),
         [{"route": "a", "mean": "5"}, {"route": "b", "mean": "6"}])
    by_bin = rows(logs, "/q/stats", "stats count(*) as n by bin(5m) | sort bin(5m) desc")
    same([int(r["n"]) for r in by_bin], sorted([int(r["n"]) for r in by_bin], key=lambda n: 0))
    same(sum(int(r["n"]) for r in by_bin), 12)
    check(all(r["bin(5m)"].endswith(":00.000") and int(r["bin(5m)"][14:16]) % 5 == 0 for r in by_bin), by_bin)
    check(by_bin == sorted(by_bin, key=lambda r: r["bin(5m)"], reverse=True), by_bin)
    same(column(logs, "/q/stats", "stats latest(ms) as l, earliest(ms) as e by route | sort l desc | display e"), ["1", "0"])
    same(rows(logs, "/q/stats", "stats count(*) as n by route | stats max(n) as most"), [{"most": "6"}])
    same(rows(logs, "/q/stats", "filter ms > 100 | stats count(*) as n"), [{"n": "0"}])
    same(rows(logs, "/q/stats", "stats count(*) by route | sort count(*) desc, route desc | limit 1"),
         [{"route": "b", "count(*)": "6"}])


def test_parse_and_dedup(server):
    logs = group(server, "/q/parse", [
        "user=ada, method:GET, latency := 12", "user=bob, method:PUT, latency := 7",
        "user=ada, method:PUT, latency := 40", "nothing here"])
    query = "parse @message 'user=*, method:*, latency := *' as who, method, latency | filter latency > 10 | "
    same(rows(logs, "/q/parse", query + "sort latency desc | display who, latency"),
         [{"who": "ada", "latency": "40"}, {"who": "ada", "latency": "12"}])
    same(column(logs, "/q/parse", "parse /user=(?<u>\\w+?),.*:(?<m>[A-Z]+)/ | filter m = 'PUT' | display u"),
         ["ada", "bob"])
    same(column(logs, "/q/parse", "parse @message 'user=*,' as u | filter ispresent(u) | dedup u | display u"),
         ["ada", "bob"])
    same(column(logs, "/q/parse", "parse @message 'user=*,' as u | stats count(*) as n by u | sort n desc, u desc"
                                  " | display u")[0], "ada")


def test_several_groups_and_lambda_lines(server):
    logs = group(server, "/q/one", [(0, "one 0"), (2, "one 2")])
    group(server, "/q/two", [(1, "two 1"), (3, "two 3")])
    same(column(logs, ["/q/one", "/q/two"], "fields @message"), ["two 3", "one 2", "two 1", "one 0"])
    group(server, "/aws/lambda/q", [
        "START RequestId: 1-2-3 Version: $LATEST", "END RequestId: 1-2-3",
        "REPORT RequestId: 1-2-3\tDuration: 12.50 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB"])
    same(rows(logs, "/aws/lambda/q", "filter @type = 'REPORT' | stats max(@duration) as d, max(@memorySize / 1000 / "
                                     "1000) as mb, max(@maxMemoryUsed) as used by @requestId"),
         [{"@requestId": "1-2-3", "d": "12.5", "mb": "128", "used": "40000000"}])


def test_refusals_and_lists(server):
    logs = group(server, "/q/lists", ["x"])
    for query in ("fields", "test", "filter a = ", "stats foo(1)", "parse @message 'a=*' as a, b", "limit 0",
                  "fields @message | sort", "filter @message like /(/", "fields 'open"):
        refused("MalformedQueryException", logs.start_query, logGroupName="/q/lists", startTime=1, endTime=2,
                queryString=query)
    message = refused("ResourceNotFoundException", logs.start_query, logGroupName="/q/none", startTime=1, endTime=2,
                      queryString="fields @message")
    check(message.startswith("Log group '/q/none' does not exist for account ID '"), message)
    refused("NotImplementedException", logs.start_query, logGroupName="/q/lists", startTime=1, endTime=2,
            queryString="pattern @message")
    same(logs.describe_queries(logGroupName="/q/lists")["queries"], [])
    started = logs.start_query(logGroupName="/q/lists", startTime=START, endTime=START + 300,
                               queryString="fields @message")["queryId"]
    answer(logs, "/q/lists", "limit 1")
    [newest, q] = logs.describe_queries(logGroupName="/q/lists", status="Complete")["queries"]
    same((q["queryId"], q["logGroupName"], q["queryLanguage"], q["queryString"]),
         (started, "/q/lists", "CWLI", f'SOURCE "/q/lists" START={START}000 END={START + 300}999 | fields @message'))
    same(logs.describe_queries(logGroupName="/q/lists", status="Scheduled")["queries"], [])
    [arn] = logs.list_log_groups_for_query(queryId=started)["logGroupIdentifiers"]
    check(arn.endswith(":log-group:/q/lists"), arn)
    # Page by page, also those that began in the same millisecond.
    for _ in range(5):
        answer(logs, "/q/lists", "limit 1")
    whole = [q["queryId"] for q in logs.describe_queries(logGroupName="/q/lists")["queries"]]
    paged, more = [], {}
    while more is not None:
        got = logs.describe_queries(logGroupName="/q/lists", maxResults=2, **more)
        paged += [q["queryId"] for q in got["queries"]]
        more = {"nextToken": got["nextToken"]} if "nextToken" in got else None
    same((paged, len(paged)), (whole, 7))
    refused("InvalidParameterException", logs.describe_queries, nextToken="none")
    refused("InvalidParameterException", logs.stop_query, queryId=started)
    refused("ResourceNotFoundException", logs.get_query_results, queryId="none")
    server.advance("8d")
    refused("ResourceNotFoundException", logs.get_query_results, queryId=started)


def test_what_is_scanned_is_billed(server):
    server.into_the_day()
    logs = group(server, "/q/billed", ["0123456789" * 100_000])

    def scanned():
        lines = json.loads(server.run("bill", "--json", "--by", "meter").stdout)["lines"]
        return sum(float(l["quantity"]) for l in lines if "queries" in json.dumps(l) or "insights" in json.dumps(l))

    before = scanned()
    answer(logs, "/q/billed", "stats count(*)")
    check(abs(scanned() - before - 1_000_000 / 2**30) < 1e-6, (before, scanned()))


def test_many_rows_in_pages(server):
    logs = group(server, "/q/pages", [f"{i:04}" for i in range(1200)])
    query = logs.start_query(logGroupName="/q/pages", startTime=START - 1, endTime=START + 3600,
                             queryString="fields @message | sort @message desc | limit 1100")["queryId"]
    ended(logs, query, maxItems=1)
    got, token = [], None
    while True:
        a = logs.get_query_results(queryId=query, maxItems=400, **({"nextToken": token} if token else {}))
        got += [r[0]["value"] for r in a["results"]]
        token = a.get("nextToken")
        if not token:
            break
    same(got, [f"{i:04}" for i in range(1199, 99, -1)])


def test_a_query_outlives_the_server(server):
    """Killed in the middle, it is done after the restart, and its rows are there once."""
    logs = group(server, "/q/killed", [(0, "first")])
    for batch in range(12):
        logs.put_log_events(logGroupName="/q/killed", logStreamName="s", logEvents=[
            {"timestamp": (START + batch) * 1000, "message": f'{{"n": {i}}}'} for i in range(10_000)])
    query = logs.start_query(logGroupName="/q/killed", startTime=START - 60, endTime=START + 3600,
                             queryString="stats count(*) as n by n % 700 as k | sort k | limit 600")["queryId"]
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    logs = server.client("logs")
    a = ended(logs, query)
    same((a["status"], len(a["results"])), ("Complete", 600))
    same([f["value"] for f in a["results"][1]], ["0", "180"])


def test_queries_that_are_hostile(server):
    logs = group(server, "/q/hostile", ["a line"])
    for query in ["filter " + "-" * 7000 + "1", "filter @message like /a" + "*" * 2500 + "/",
                  "filter " + "not " * 2000 + "1"]:
        refused("MalformedQueryException", logs.start_query, logGroupName="/q/hostile", startTime=1, endTime=2,
                queryString=query)
    same(len(answer(logs, "/q/hostile", "filter " + "1+" * 4000 + "1 > 0")["results"]), 1)
    nothing = "filter @message like /(?:(?:(?:){1000}){1000}){1000}a/"
    same(len(answer(logs, "/q/hostile", nothing)["results"]), 1)
    same(len(answer(logs, "/q/hostile", "fields @message")["results"]), 1)


def test_maps_and_lists(server):
    logs = group(server, "/q/maps", [
        json.dumps({"kind": "order", "items": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}], "dotted.name": {"x": [7, 8]}}),
        json.dumps({"kind": "text", "inner": json.dumps({"list": [1, "two", {"three": 3}]})}), "no json"])
    same(rows(logs, "/q/maps", "fields jsonParse(@message) as m | unnest m.items into item | sort item.sku asc "
                               "| display item.sku, item.n, m.kind"),
         [{"item.sku": "a", "item.n": "2", "m.kind": "order"}, {"item.sku": "b", "item.n": "1", "m.kind": "order"}])
    same(rows(logs, "/q/maps", "fields jsonParse(inner) as i | filter kind = 'text' | display i.list[1], i.list[2].three, "
                               "jsonStringify(i.list[2]) as s"),
         [{"i.list[1]": "two", "i.list[2].three": "3", "s": '{"three":3}'}])
    same(column(logs, "/q/maps", "fields jsonParse(@message) as m | display m.`dotted.name`.x[1] as x | filter ispresent(x)"),
         ["8"])
    same(column(logs, "/q/maps", "fields jsonParse(@message) as m | filter not ispresent(m) | display @message"), ["no json"])
    same(column(logs, "/q/maps", "filter kind = 'order' | limit 1 | unnest items into i | display i.sku"), ["a", "b"])
    same(column(logs, "/q/maps", "fields jsonParse(concat('[', @message, ']')) as m | display m[0].`dotted.name`.x[0] as x "
                                 "| filter ispresent(x)"), ["7"])
    same(rows(logs, "/q/maps", "unnest items into i | stats sum(i.n) as total, count(*) as n"), [{"total": "3", "n": "2"}])
    for query in ("unnest items", "unnest items into", "fields a[", "fields a[b]"):
        refused("MalformedQueryException", logs.start_query, logGroupName="/q/maps", startTime=1, endTime=2,
                queryString=query)


def test_source_names_the_groups(server):
    logs = group(server, "/src/one", ["in one"])
    group(server, "/src/two", ["in two"])
    logs.create_log_group(logGroupName="/src/rare", logGroupClass="INFREQUENT_ACCESS")

    def ask(text):
        query = logs.start_query(startTime=START - 60, endTime=START + 3600, queryString=text)["queryId"]
        return sorted(r[0]["value"] for r in ended(logs, query)["results"]), query

    same(ask("SOURCE logGroups(namePrefix: ['/src/o', \"/src/tw\"]) | fields @message")[0], ["in one", "in two"])
    found, query = ask('SOURCE logGroups(namePrefix: "/src/", class: "INFREQUENT_ACCESS") | fields @message')
    same(found, [])
    same([a.rsplit(":", 1)[1] for a in logs.list_log_groups_for_query(queryId=query)["logGroupIdentifiers"]], ["/src/rare"])
    [q] = [q for q in logs.describe_queries()["queries"] if q["queryId"] == query]
    check(q["queryString"].startswith("SOURCE logGroups(namePrefix"), q)
    refused("InvalidParameterException", logs.start_query, startTime=1, endTime=2, queryString="fields @message")
    refused("InvalidParameterException", logs.start_query, startTime=1, endTime=2, logGroupName="/src/one",
            queryString="SOURCE logGroups() | fields @message")
    refused("MalformedQueryException", logs.start_query, startTime=1, endTime=2, queryString="SOURCE logGroups(a: 1)")


def test_limits_beyond_ten_thousand(server):
    logs = group(server, "/q/limits", [(0, "first")])
    for batch in range(2):
        logs.put_log_events(logGroupName="/q/limits", logStreamName="s", logEvents=[
            {"timestamp": (START + 1 + batch) * 1000, "message": f"{i}"} for i in range(6_000)])

    def count(text, **more):
        query = logs.start_query(logGroupName="/q/limits", startTime=START - 60, endTime=START + 3600, queryString=text,
                                 **more)["queryId"]
        a = ended(logs, query)
        found = len(a["results"])
        while "nextToken" in a:
            a = logs.get_query_results(queryId=query, nextToken=a["nextToken"])
            found += len(a["results"])
        return found

    same(count("fields @message"), 10_000)
    same(count("fields @message | limit 12000"), 12_000)
    same(count("fields @message | limit 12000", limit=11), 11)
    same(count("fields @message", limit=100_000), 12_001)
    same(count("limit any 7"), 7)
    refused("MalformedQueryException", logs.start_query, logGroupName="/q/limits", startTime=1, endTime=2,
            queryString="limit 100001")


def test_lists_in_lists_have_an_end(server):
    logs = group(server, "/q/bombs", [json.dumps({"a": list(range(3000))})])
    query = logs.start_query(logGroupName="/q/bombs", startTime=START - 60, endTime=START + 3600, queryString=" | ".join(
        f"unnest a into x{i}" for i in range(6)) + " | stats count(*)")["queryId"]
    same(ended(logs, query)["status"], "Failed")
    same(column(logs, "/q/bombs", "unnest a into x | filter x > 2997 | display x"), ["2998", "2999"])


def test_what_one_event_costs_has_an_end(server):
    logs = group(server, "/q/steps", [json.dumps({"a": [0] * 100000})])
    parsed = "fields jsonParse(@message) as k | "
    same(column(logs, "/q/steps", parsed + "display k.a.99999"), ["0"])
    for rest in ("fields " + "+".join(["k.a.0"] * 1000), "display " + ", ".join(f"k.a.{i}" for i in range(200)),
                 "filter " + "+".join(["k.a.0"] * 1000) + " > 0", "stats count(*) by " + ",".join(["k"] * 4000)):
        query = logs.start_query(logGroupName="/q/steps", startTime=START - 60, endTime=START + 3600,
                                 queryString=parsed + rest)["queryId"]
        same(ended(logs, query)["status"], "Failed")
