from scenario import refused, same

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
OTHER = '10.0.0.7 - eve [10/Oct/2000:13:25:16 -0700] "POST /form HTTP/1.0" 200 77'


def matches(server, pattern, messages):
    found = server.client("logs").test_metric_filter(filterPattern=pattern, logEventMessages=messages)["matches"]
    return [m["eventNumber"] for m in found]


def test_fields(server):
    lines = [ACCESS, OTHER, "too short"]

    def fits(pattern):
        return matches(server, pattern, lines)

    same(fits("[ip, identity, user, time, request, status, bytes]"), [1, 2])
    same(fits("[ip, identity, user, time, request, status = 4*, bytes]"), [1])
    same(fits("[ip, ..., bytes > 1000]"), [1])
    same(fits("[..., status = 200 || status = 404, bytes]"), [1, 2])
    same(fits("[..., status != 200 && status != 404, bytes]"), [3])
    same(fits("[ip, identity, user, time, request = *form*, ...]"), [2])
    same(fits("[..., status = %4[0-9]{2}%, bytes]"), [1])
    same(fits("[a, b, c, d, e, f, g, h]"), [])
    same(matches(server, "[w1=ERROR, w2]", ["ERROR 401 UNAUTHORIZED", "WARN ERROR"]), [1])


def test_extracted_values(server):
    logs = server.client("logs")
    found = logs.test_metric_filter(filterPattern="[ip, identity, user, time, request, status]",
                                    logEventMessages=[ACCESS])["matches"][0]["extractedValues"]
    same(found, {"$ip": "127.0.0.1", "$identity": "-", "$user": "frank", "$time": "10/Oct/2000:13:25:15 -0700",
                 "$request": "GET /index.html HTTP/1.0", "$status": "404", "$7": "1534"})
    found = logs.test_metric_filter(filterPattern='{ $.a.b = 3 && $.c = "x*" }',
                                    logEventMessages=['{"a":{"b":3},"c":"xyz"}'])["matches"][0]["extractedValues"]
    same(found, {"$.a.b": "3", "$.c": "xyz"})


def test_expressions(server):
    lines = ["code 404 here", "code 200", '{"ip": "10.1.2.3", "codes": [7, 404], "a b": 1}']
    same(matches(server, "%4[0-9]{2}%", lines), [1, 3])
    same(matches(server, "code -%4[0-9]{2}%", lines), [2])
    same(matches(server, "{ $.ip = %^10\\.1\\.% }", lines), [3])
    same(matches(server, "{ $.ip != %^10\\.1\\.% }", lines), [])
    same(matches(server, "{ $.codes[*] = 404 }", lines), [3])
    same(matches(server, "{ $.codes[0] = 404 }", lines), [])
    same(matches(server, "{ $.['a b'] = 1 }", lines), [3])


def test_terms(server):
    lines = ["[ERROR] 419 MissingAuthenticationToken", "[ERROR] 400 BAD REQUEST", "ERROR 200 OK", "WARN REQUEST fine",
             "[INFO] done"]
    same(matches(server, "ERROR", lines), [1, 2, 3])
    same(matches(server, "ERROR -BAD", lines), [1, 3])
    same(matches(server, "?ERROR ?WARN", lines), [1, 2, 3, 4])
    same(matches(server, '"ERROR] 400"', lines), [2])
    same(matches(server, " ", lines), [1, 2, 3, 4, 5])
    # Beside other terms those with ? are ignored.
    same(matches(server, "?ERROR ?WARN REQUEST", lines), [2, 4])
    same(matches(server, "?OK -BAD", lines), [1, 3, 4, 5])


def test_what_cannot_be_read(server):
    for pattern in ("[a, b", "[..., a, ...]", "[a = ]", "%4", "%(%", "%a% %b% %c%", "{ $.a = }", "{ a = 1 }", "{ $.a = 1",
                    "{ $.a = 1 } x", '"open', "{ $.a > %x% }", "{ $.a[*].b[*] = 1 }",
                    "{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }"):
        message = refused("InvalidParameterException", server.client("logs").test_metric_filter, filterPattern=pattern,
                          logEventMessages=["x"])
        same(message.startswith("Invalid filter pattern"), True)
    logs = server.client("logs")
    for pattern, term in (("a(b", "a(b"), ("mail a@b.c", "a@b.c"), ("x !(", "!("), ("x ?", "")):
        same(refused("InvalidParameterException", logs.test_metric_filter, filterPattern=pattern,
                     logEventMessages=["x"]), f"Invalid character(s) in term '{term}'")
    logs.create_log_group(logGroupName="/p/dimensions")
    same(refused("InvalidParameterException", logs.put_metric_filter, logGroupName="/p/dimensions", filterName="f",
                 filterPattern="?ERROR ?WARN", metricTransformations=[
                     {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "dimensions": {"a": "$.b"}}]),
         "The specified filter pattern does not support dimensions")
