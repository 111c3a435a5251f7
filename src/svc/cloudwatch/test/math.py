import datetime

from scenario import check, refused, same

MINUTE = datetime.timedelta(minutes=1)


def now(server):
    t = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))
    return t.replace(second=0, microsecond=0)


class Data:
    """Series of one value a minute, the last one in the minute before now; None is a missing one."""

    def __init__(self, server, namespace, **series):
        self.cw = server.client("cloudwatch")
        self.namespace, self.n = namespace, max(len(v) for v in series.values())
        self.start = now(server) - self.n * MINUTE
        for name, values in series.items():
            self.cw.put_metric_data(Namespace=namespace, MetricData=[
                {"MetricName": name, "Value": v, "Timestamp": self.start + i * MINUTE,
                 "Dimensions": [{"Name": "Kind", "Value": name.upper()}]}
                for i, v in enumerate(values) if v is not None])
        self.names = list(series)

    def queries(self, expression, **more):
        stats = [{"Id": n, "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": self.namespace, "MetricName": n,
                       "Dimensions": [{"Name": "Kind", "Value": n.upper()}]}, "Period": 60, "Stat": "Sum"}}
            for n in self.names]
        return stats + [{"Id": "e", "Expression": expression, **more}]

    def results(self, expression, **more):
        return self.cw.get_metric_data(MetricDataQueries=self.queries(expression, **more), ScanBy="TimestampAscending",
                                       StartTime=self.start, EndTime=self.start + self.n * MINUTE)["MetricDataResults"]

    def dense(self, expression):
        """Every result's values with None where there is none."""
        def one(r):
            values = dict(zip([t.timestamp() for t in r["Timestamps"]], r["Values"]))
            return [values.get((self.start + i * MINUTE).timestamp()) for i in range(self.n)]
        return [one(r) for r in self.results(expression)]

    def one(self, expression):
        lists = self.dense(expression)
        same(len(lists), 1)
        return lists[0]


def test_documented_tables(server):
    """The worked examples of AWS's guide."""
    d = Data(server, "Doc", a=[30, 20, 0, 0], b=[20, None, 20, None])
    same(d.one("a < b"), [0, 0, 1, 0])
    same(d.one("a >= 30"), [1, 0, 0, 0])
    same(d.one("a > 15 AND b > 15"), [1, 0, 0, 0])
    d = Data(server, "Doc2", m1=[1, 1, 0, 0, None], m2=[30, None, 0, 0, 30], m3=[0, 0, 20, None, 20])
    same(d.one("IF(m1, m2, m3)"), [30, 0, 20, None, None])
    same(d.one("IF(m1, 5, m3)"), [5, 5, 20, None, None])
    same(d.one("IF(m1, m2, 5)"), [30, 0, 5, 5, None])
    same(d.one("IF(0, m2, m3)"), [0, 0, 20, None, 20])
    same(d.one("IF(m2 < 20, 10, 2)"), [2, None, 10, 10, 2])


def test_arithmetic(server):
    d = Data(server, "Arith", x=[1, 2, 3, None], y=[4, None, 0, None])
    same(d.one("x + y"), [5, 2, 3, None])
    same(d.one("x / y"), [0.25, None, None, None])
    same(d.one("-x ^ 2 + 10"), [9, 6, 1, None])
    same(d.one("2 * (x - 1)"), [0, 2, 4, None])
    same(d.one("x - AVG(x)"), [-1, 0, 1, None])
    same(d.one("100 * x / SUM(x)"), [100 / 6, 200 / 6, 50, None])
    same(d.dense("[x, y] * 2"), [[2, 4, 6, None], [8, None, 0, None]])
    same(d.one("SUM(METRICS())"), [5, 2, 3, None])
    same(d.one("AVG([x, y])"), [2.5, 1, 1.5, None])
    same(d.one("MAX([x, y])"), [4, 2, 3, None])
    same(d.one('SUM(METRICS("x")) + PERIOD(x)'), [61, 62, 63, None])


def test_functions(server):
    d = Data(server, "Fun", x=[1, None, 4, 10, None, None], y=[2, 2, 2, 2, 2, 2], z=[None] * 5 + [1])
    same(d.one("DIFF(x)"), [None, None, 3, 6, None, None])
    same(d.one("DIFF_TIME(x)"), [None, None, 120, 60, None, None])
    same(d.one("RATE(x)"), [None, None, 3 / 120, 6 / 60, None, None])
    same(d.one("RUNNING_SUM(x)"), [1, None, 5, 15, None, None])
    same(d.one("FILL(x, 0)"), [1, 0, 4, 10, 0, 0])
    same(d.one("FILL(x, REPEAT)"), [1, 1, 4, 10, 10, 10])
    same(d.one("FILL(x, LINEAR)"), [1, 2.5, 4, 10, None, None])
    same(d.one("FILL(x, y)"), [1, 2, 4, 10, 2, 2])
    same(d.one("CEIL(x / 3)"), [1, None, 2, 4, None, None])
    same(d.one("FLOOR(x / 3) + ABS(x - 5)"), [4, None, 2, 8, None, None])
    same([round(v, 6) for v in d.one("LOG10(y) * 10 + LOG(y) + EXP(y)")], [round(3.0102999566 + 0.693147 + 7.389056, 6)] * 6)
    same(d.one("TIME_SERIES(DATAPOINT_COUNT(x))"), [3] * 6)
    same(d.one("y / METRIC_COUNT(METRICS())"), [2 / 3] * 6)
    same(d.dense("SORT(METRICS(), SUM, DESC, 2)"), [[1, None, 4, 10, None, None], [2] * 6])
    same(d.dense("SLICE(SORT(METRICS(), MAX, ASC), 1)"), [[2] * 6, [1, None, 4, 10, None, None]])
    same(d.dense("SLICE(METRICS(), 0, 1)"), [[1, None, 4, 10, None, None]])
    same(d.one("LAST(METRICS())"), [None] * 5 + [1])
    same(d.one("FIRST(SORT(METRICS(), AVG, DESC))"), [1, None, 4, 10, None, None])
    same(len(d.dense("REMOVE_EMPTY([x, y / 0, z])")), 2)
    day = d.start.isoweekday()
    same(d.one("DAY(y)")[0], day)
    same(d.one("MINUTE(y) + HOUR(y) * 60")[0], d.start.hour * 60 + d.start.minute)
    same(d.one("YEAR(y) * 10000 + MONTH(y) * 100 + DATE(y)")[0], int(d.start.strftime("%Y%m%d")))
    same(d.one("EPOCH(y)")[0], d.start.timestamp())


def test_wrong_expressions(server):
    d = Data(server, "Wrong", x=[1], y=[2])
    for expression, words in (("x +", "Unexpected end"), ("x + nothing", "undefined: [nothing]"),
                              ("NOSUCH(x)", "Unknown function 'NOSUCH'"), ("SUM(x)", "must be a time series"),
                              ("5", "must be a time series"), ("x + 'text'", "Unsupported operand"),
                              ("e + 1", "refer to themselves"), ("FILL(x)", "Invalid number of arguments"),
                              ("DB_PERF_INSIGHTS('RDS', 'a', 'b')", "does not have the function"),
                              ("SORT(x, MEDIAN, ASC)", "SORT takes"), ("x x", "Unexpected token"),
                              ("SEARCH('', 'Sum', 60)", "is empty"), ("SEARCH('(a', 'Sum', 60)", "parenthesis")):
        message = refused("ValidationError", d.one, expression)
        check(words in message, message)


def test_search(server):
    cw = server.client("cloudwatch")
    t = now(server) - MINUTE
    put = [("Web/App", "CustomCount1", {}), ("Web/App", "Network-Errors_2", {"Host": "alpha"}),
           ("Web/App", "Errors", {"Host": "alpha"}), ("Web/App", "Errors", {"Host": "beta"}),
           ("Web/App", "Errors", {"Host": "beta", "Zone": "1"}), ("Other", "SDBFailure", {"Host": "gamma"})]
    for ns, name, dims in put:
        cw.put_metric_data(Namespace=ns, MetricData=[{"MetricName": name, "Value": 1, "Timestamp": t,
                                                      "Dimensions": [{"Name": k, "Value": v} for k, v in dims.items()]}])

    def found(text):
        r = cw.get_metric_data(MetricDataQueries=[{"Id": "s", "Expression": f"SEARCH('{text}', 'Sum', 60)"}],
                               StartTime=t - MINUTE, EndTime=t + 2 * MINUTE)["MetricDataResults"]
        return sorted(x["Label"] for x in r)

    same(found("{Web/App,Host} MetricName=\"Errors\""), ["alpha", "beta"])
    same(found("{Web/App,Zone,Host}"), ["beta 1"])
    same(found("{Web/App} count"), ["CustomCount1"])
    same(found("{Web/App} couNT"), [])
    same(found("{Web/App} Count1"), ["CustomCount1"])
    same(found("{Web/App} \"Custom\""), [])
    same(found("network/errors Namespace=\"Web/App\""), ["alpha"])
    same(found("{Web/App,Host} Errors NOT alpha"), ["beta"])
    same(found("(alpha OR gamma) AND MetricName=failure"), ["gamma"])
    same(found("{Other} sdb OR nothing"), ["gamma"])
    r = cw.get_metric_data(MetricDataQueries=[{"Id": "s", "Expression": "SUM(SEARCH('{Web/App,Host} \"Errors\"', 'Sum', 60))"}],
                           StartTime=t - MINUTE, EndTime=t + 2 * MINUTE)["MetricDataResults"]
    same([x["Values"] for x in r], [[2.0]])


def test_labels_and_pages(server):
    d = Data(server, "Label", x=[1, 5, 3])
    r = d.results("x * 1", Label="[max ${MAX} min ${MIN}] ${LABEL} ${PROP('MetricName')} ${PROP('Dim.Kind')} ${MIN_MAX_RANGE}")
    same(r[0]["Label"], "[max 5 min 1] e x X 1 - 5")
    def page(token=None):
        more = {"NextToken": token} if token else {}
        return d.cw.get_metric_data(MetricDataQueries=d.queries("[x, x + 10]"), MaxDatapoints=4, StartTime=d.start,
                                    EndTime=d.start + 3 * MINUTE, **more)
    first = page()
    same([(r["StatusCode"], r["Values"]) for r in first["MetricDataResults"]],
         [("Complete", [3.0, 5.0, 1.0]), ("PartialData", [13.0])])
    second = page(first["NextToken"])
    same([(r["StatusCode"], r["Values"]) for r in second["MetricDataResults"]], [("Complete", [15.0, 11.0])])
    check("NextToken" not in second)
    refused("InvalidNextToken", page, "nonsense")


def test_periods_mix(server):
    d = Data(server, "Mix", x=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    start = d.start - MINUTE * (d.start.minute % 5)
    q = [{"Id": "a", "MetricStat": {"Metric": {"Namespace": "Mix", "MetricName": "x", "Dimensions": [{"Name": "Kind", "Value": "X"}]},
                                    "Period": 300, "Stat": "Sum"}},
         {"Id": "b", "Expression": "a / PERIOD(a)"}]
    r = d.cw.get_metric_data(MetricDataQueries=q, StartTime=start, EndTime=start + 15 * MINUTE)["MetricDataResults"]
    same(sum(r[0]["Values"]), 55)
    same([round(v * 300, 6) for v in r[1]["Values"]], r[0]["Values"])
    check(all(t.timestamp() % 300 == 0 for t in r[0]["Timestamps"]))
