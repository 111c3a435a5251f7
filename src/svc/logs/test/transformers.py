"""Transformers: each processor, what is refused, what they do to events as they come."""
import json
import time

from scenario import check, refused, same, until


def first(server, message, *processors):
    [r] = server.client("logs").test_transformer(transformerConfig=list(processors), logEventMessages=[message])[
        "transformedLogs"]
    return json.loads(r["transformedEventMessage"]) if "transformedEventMessage" in r else None


def test_parsers(server):
    def of(message, *processors):
        return first(server, message, *processors)

    same(of('{"a.b": {"c": [1, null]}}', {"parseJSON": {}}), {"a.b": {"c": [1, None]}})
    same(of('{"a": 1}', {"parseJSON": {"destination": "x.y"}}), {"x": {"y": {"a": 1}}})
    same(of("no json", {"parseJSON": {}}), None)
    same(of('{"inner": "{\\"b\\": 2}"}', {"parseJSON": {}}, {"parseJSON": {"source": "inner", "destination": "out"}}),
         {"inner": '{"b": 2}', "out": {"b": 2}})
    same(of("a=1&b=two&c", {"parseKeyValue": {}}), {"a": "1", "b": "two"})
    same(of("a:1|b|a:2", {"parseKeyValue": {"fieldDelimiter": "|", "keyValueDelimiter": ":", "keyPrefix": "p_",
                                           "nonMatchValue": "none", "destination": "kv"}}),
         {"kv": {"p_a": "1", "p_b": "none"}})
    same(of('x, "y, ""z""",last', {"csv": {"columns": ["one", "two"]}}),
         {"one": "x", "two": 'y, "z"', "column_3": "last"})
    same(of("a;b", {"csv": {"delimiter": ";", "destination": "d"}}), {"d": {"column_1": "a", "column_2": "b"}})
    line = '10.1.2.3 - ada [10/Oct/2000:13:55:36 -0700] "GET /x?y=1 HTTP/1.1" 404 12 ERROR in 3.5 ms'
    same(of(line, {"grok": {"match": '%{IPORHOST:client.ip} - %{USER:who} \\[%{HTTPDATE:at}\\] "%{WORD:verb} '
                                     '%{NOTSPACE:path} HTTP/%{NUMBER:version}" %{INT:status} %{INT} %{LOGLEVEL:level} '
                                     'in %{NUMBER:ms} %{GREEDYDATA:rest}'}}),
         {"client": {"ip": "10.1.2.3"}, "who": "ada", "at": "10/Oct/2000:13:55:36 -0700", "verb": "GET", "path": "/x?y=1",
          "version": "1.1", "status": "404", "level": "ERROR", "ms": "3.5", "rest": "ms"})
    same(of("no number", {"grok": {"match": "%{INT:n}"}}), None)


def test_very_many_keys(server):
    keys = {f"k{i}": i for i in range(40000)}
    same(first(server, json.dumps(keys)[:-1] + ', "k7": "last"}', {"parseJSON": {}}), {**keys, "k7": "last"})
    same(first(server, json.dumps({"k1": 0, "l": [{"k": k, "v": v} for k, v in keys.items()]}), {"parseJSON": {}},
               {"listToMap": {"source": "l", "key": "k", "valueKey": "v", "flatten": True, "flattenedElement": "first"}},
               {"deleteKeys": {"withKeys": ["l"]}}), keys)


def test_a_large_expression_found_everywhere(server):
    entry = {"source": "a", "from": "(a)|(b)|(c)|(d)|e{900}", "to": "x"}
    for n, to in ((100, "x"), (20000, "a")):
        same(first(server, json.dumps({"a": "a" * n}), {"parseJSON": {}}, {"substituteString": {"entries": [entry]}}),
             {"a": to * n})


def test_keys(server):
    def of(message, *processors):
        return first(server, json.dumps(message), {"parseJSON": {}}, *processors)

    same(of({"a": 1}, {"addKeys": {"entries": [{"key": "b.c", "value": "x"}, {"key": "a", "value": "no"}]}}),
         {"a": 1, "b": {"c": "x"}})
    same(of({"a": 1}, {"addKeys": {"entries": [{"key": "a", "value": "yes", "overwriteIfExists": True}]}}), {"a": "yes"})
    same(of({"a": {"b": [1]}}, {"copyValue": {"entries": [{"source": "a.b", "target": "c"},
                                                          {"source": "@regionName", "target": "r"},
                                                          {"source": "@accountId", "target": "acc"}]}}),
         {"a": {"b": [1]}, "c": [1], "r": "us-east-1", "acc": "000000000000"})
    same(of({"a": {"b": 1}, "c": {"d": 2}}, {"moveKeys": {"entries": [{"source": "a.b", "target": "c"}]}}),
         {"a": {}, "c": {"d": 2, "b": 1}})
    same(of({"a": {"b": 1}}, {"copyValue": {"entries": [{"source": "a", "target": "a.c"}]}}),
         {"a": {"b": 1, "c": {"b": 1}}})
    same(of({"a": {"b": 1}, "c": 2}, {"renameKeys": {"entries": [{"key": "a", "renameTo": "z"},
                                                                 {"key": "z.b", "renameTo": "c"}]}}),
         {"c": 2, "z": {"b": 1}})
    same(of({"a": {"b": 1, "c": 2}, "d": 3}, {"deleteKeys": {"withKeys": ["a.b", "d", "none"]}}), {"a": {"c": 2}})
    items = {"l": [{"k": "x", "v": 1}, {"k": "y", "v": 2}, {"k": "x", "v": 3}, {"v": 4}]}
    same(of(items, {"listToMap": {"source": "l", "key": "k", "valueKey": "v", "target": "m"}})["m"],
         {"x": [1, 3], "y": [2]})
    for which, x in (("first", 1), ("last", 3)):
        got = of(items, {"listToMap": {"source": "l", "key": "k", "valueKey": "v", "flatten": True,
                                       "flattenedElement": which}})
        same((got["x"], got["y"]), (x, 2))


def test_values(server):
    def of(message, *processors):
        return first(server, json.dumps(message), {"parseJSON": {}}, *processors)

    same(of({"a": " Ab ", "n": 1}, {"lowerCaseString": {"withKeys": ["a", "n"]}}), {"a": " ab ", "n": 1})
    same(of({"a": " Ab "}, {"upperCaseString": {"withKeys": ["a"]}}, {"trimString": {"withKeys": ["a"]}}), {"a": "AB"})
    same(of({"a": "1, 2,3"}, {"splitString": {"entries": [{"source": "a", "delimiter": ","}]}}), {"a": ["1", " 2", "3"]})
    same(of({"a": "id=12 id=34"}, {"substituteString": {"entries": [{"source": "a", "from": "id=(\\d)(\\d)",
                                                                   "to": "$2-$1"}]}}), {"a": "2-1 4-3"})
    types = [{"key": k, "type": t} for k, t in (("i", "integer"), ("d", "double"), ("b", "boolean"), ("s", "string"),
                                                ("x", "integer"))]
    same(of({"i": "12.9", "d": "1e3", "b": "TRUE", "s": 7, "x": "none"}, {"typeConverter": {"entries": types}}),
         {"i": 12, "d": 1000, "b": True, "s": "7", "x": "none"})

    def date(text, pattern, **more):
        return of({"t": text}, {"dateTimeConverter": {"source": "t", "target": "out", "matchPatterns": [pattern], **more}}
                  ).get("out")

    same(date("10/Oct/2000:13:55:36 -0700", "dd/MMM/yyyy:HH:mm:ss Z"), "2000-10-10T20:55:36.000Z")
    same(date("2026-01-02 03:04:05.6", "yyyy-MM-dd HH:mm:ss.S", sourceTimezone="+02:00"), "2026-01-02T01:04:05.600Z")
    same(date("02.01.26 11 PM", "dd.MM.yy hh a", targetFormat="EEE yyyy/MM/dd'T'HHXXX", targetTimezone="-05:30"),
         "Fri 2026/01/02T17-05:30")
    same(date("no date", "yyyy-MM-dd"), None)


def test_refused(server):
    logs = server.client("logs")
    parse, add = {"parseJSON": {}}, {"addKeys": {"entries": [{"key": "a", "value": "b"}]}}

    def no(config, code="InvalidParameterException"):
        return refused(code, logs.test_transformer, transformerConfig=config, logEventMessages=["{}"])

    check("first processor" in no([add]))
    no([parse, {**add, "parseJSON": {}}])
    no([parse, {}])
    no([parse, add, add])
    no([parse] * 6)
    no([parse, {"substituteString": {"entries": [{"source": "a", "from": "(", "to": "x"}]}}])
    no([{"parseVPC": {}}], "NotImplementedException")
    no([{"grok": {"match": "%{NONE:a}"}}], "NotImplementedException")
    no([parse, {"dateTimeConverter": {"source": "a", "target": "b", "matchPatterns": ["yyyy"],
                                      "sourceTimezone": "Europe/Vienna"}}], "NotImplementedException")
    logs.create_log_group(logGroupName="/t/rare", logGroupClass="INFREQUENT_ACCESS")
    refused("InvalidOperationException", logs.put_transformer, logGroupIdentifier="/t/rare", transformerConfig=[parse])
    refused("ResourceNotFoundException", logs.put_transformer, logGroupIdentifier="/t/none", transformerConfig=[parse])


def test_events_are_transformed(server):
    logs, cw = server.client("logs"), server.client("cloudwatch")
    logs.create_log_group(logGroupName="/t/g")
    logs.create_log_stream(logGroupName="/t/g", logStreamName="s")
    config = [{"parseKeyValue": {"fieldDelimiter": " "}},
              {"typeConverter": {"entries": [{"key": "ms", "type": "integer"}]}},
              {"copyValue": {"entries": [{"source": "@logGroupName", "target": "g"},
                                         {"source": "@logGroupStream", "target": "s"}]}}]
    logs.put_transformer(logGroupIdentifier="/t/g", transformerConfig=config)
    got = logs.get_transformer(logGroupIdentifier="/t/g")
    same((got["transformerConfig"], got["logGroupIdentifier"].rsplit(":", 1)[1]), (config, "/t/g"))
    for name, on in (("plain", False), ("changed", True)):
        logs.put_metric_filter(logGroupName="/t/g", filterName=name, filterPattern="{ $.ms > 10 }",
                               applyOnTransformedLogs=on, metricTransformations=[
                                   {"metricName": name, "metricNamespace": "T", "metricValue": "$.ms"}])
    same([f["applyOnTransformedLogs"] for f in logs.describe_metric_filters(logGroupName="/t/g")["metricFilters"]],
         [True, False])
    at = int(time.time() * 1000)
    logs.put_log_events(logGroupName="/t/g", logStreamName="s", logEvents=[
        {"timestamp": at, "message": "user=ada ms=12"}, {"timestamp": at + 1, "message": "no pairs here"}])
    # What is read is what was said; queries find the fields of the document.
    same([e["message"] for e in logs.filter_log_events(logGroupName="/t/g")["events"]],
         ["user=ada ms=12", "no pairs here"])
    query = logs.start_query(logGroupName="/t/g", startTime=0, endTime=at + 1000,
                             queryString="filter ms > 10 | display user, ms + 1 as more, g, s")["queryId"]

    def done():
        a = logs.get_query_results(queryId=query)
        return a["status"] == "Complete" and a["results"]

    [row] = until(done)
    same({f["field"]: f["value"] for f in row if f["field"] != "@ptr"},
         {"user": "ada", "more": "13", "g": "/t/g", "s": "s"})
    until(lambda: cw.list_metrics(Namespace="T", MetricName="changed")["Metrics"])
    same(cw.list_metrics(Namespace="T", MetricName="plain")["Metrics"], [])
    logs.delete_transformer(logGroupIdentifier="/t/g")
    refused("ResourceNotFoundException", logs.get_transformer, logGroupIdentifier="/t/g")
    refused("ResourceNotFoundException", logs.delete_transformer, logGroupIdentifier="/t/g")
