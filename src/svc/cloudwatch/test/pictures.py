import datetime
import json
import math
import os
import struct
import zlib

from scenario import check, refused, same

MINUTE = datetime.timedelta(minutes=1)


def now(server):
    t = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))
    return t.replace(second=0, microsecond=0)


def pixels(png):
    """Width, height and rows of (r, g, b): a PNG is read in full, sums included."""
    same(png[:8], b"\x89PNG\r\n\x1a\n")
    at, data, kinds = 8, b"", []
    while at < len(png):
        n, kind = struct.unpack("!I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + n]
        same(struct.unpack("!I", png[at + 8 + n:at + 12 + n])[0], zlib.crc32(kind + body))
        kinds.append(kind)
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack("!IIBB", body[:10])
        if kind == b"IDAT":
            data += body
        at += 12 + n
    same((kinds[0], kinds[-1], depth, colours), (b"IHDR", b"IEND", 8, 2))
    raw = zlib.decompress(data)
    same(len(raw), (width * 3 + 1) * height)
    rows = []
    for y in range(height):
        row = raw[y * (width * 3 + 1) + 1:(y + 1) * (width * 3 + 1)]
        rows.append([tuple(row[x * 3:x * 3 + 3]) for x in range(width)])
    return width, height, rows


def near(rows, colour):
    return sum(1 for row in rows for p in row if all(abs(a - b) < 24 for a, b in zip(p, colour)))


BLUE, ORANGE, RED = (0x1f, 0x77, 0xb4), (0xff, 0x7f, 0x0e), (0xd1, 0x32, 0x12)


class Pictures:
    def __init__(self, server):
        self.cw = server.client("cloudwatch")
        t = now(server)
        data = []
        for i in range(170):
            for f, base in (("alpha", 120), ("beta", 60)):
                dims = [{"Name": "Function", "Value": f}]
                data.append({"MetricName": "Duration", "Dimensions": dims, "Timestamp": t - i * MINUTE,
                             "Value": base + 40 * math.sin(i / 12) + 8 * math.sin(i * 1.7)})
                if f == "alpha" or i % 3 == 0:
                    data.append({"MetricName": "Calls", "Dimensions": dims, "Timestamp": t - i * MINUTE, "Value": 3 + i % 7})
        for i in range(0, len(data), 500):
            self.cw.put_metric_data(Namespace="Pic", MetricData=data[i:i + 500])

    def draw(self, name, **widget):
        png = self.cw.get_metric_widget_image(MetricWidget=json.dumps(widget))["MetricWidgetImage"]
        if os.environ.get("PICTURES"):
            with open(os.path.join(os.environ["PICTURES"], name + ".png"), "wb") as f:
                f.write(png)
        return pixels(png)


TWO = [["Pic", "Duration", "Function", "alpha", {"stat": "Average"}], ["...", "beta"]]


def test_widget_images(server):
    p = Pictures(server)
    w, h, rows = p.draw("lines", metrics=TWO + [["Pic", "Calls", "Function", "beta", {"stat": "Sum", "yAxis": "right"}]],
                        title="Lambda Performance", period=60, width=600, height=320,
                        yAxis={"left": {"label": "Milliseconds", "min": 0}, "right": {"label": "Count"}},
                        annotations={"horizontal": [{"value": 150, "label": "too slow", "fill": "above"}]})
    same((w, h), (600, 320))
    check(near(rows, BLUE) > 400 and near(rows, ORANGE) > 400 and near(rows, RED) > 150,
          (near(rows, BLUE), near(rows, ORANGE), near(rows, RED)))
    # The line of the greater values is above the other, column by column.
    above = below = 0
    for x in range(120, 480, 10):
        b = [y for y in range(40, 260) if all(abs(c - d) < 24 for c, d in zip(rows[y][x], BLUE))]
        o = [y for y in range(40, 260) if all(abs(c - d) < 24 for c, d in zip(rows[y][x], ORANGE))]
        if b and o:
            above, below = above + (min(b) < min(o)), below + (min(b) > min(o))
    check(above > 10 and below <= 2, (above, below))
    w, h, stacked = p.draw("stacked", metrics=TWO, stacked=True, period=300, start="-PT2H", timezone="+0200", title="Stacked")
    same((w, h), (600, 400))
    check(near(stacked, (0xff, 0xff, 0xff)) < near(rows, (0xff, 0xff, 0xff)) * 1.25)
    _, _, dark = p.draw("dark", metrics=[[{"expression": "m1 / 2", "label": "half [${MAX}]", "id": "e1", "color": "#2ca02c"}],
                                         ["Pic", "Duration", "Function", "alpha", {"id": "m1", "visible": False}]],
                        theme="dark", period=60, legend={"position": "right"})
    check(near(dark, (0x2a, 0x2e, 0x33)) > 100000 and near(dark, (0x2c, 0xa0, 0x2c)) > 200)
    check(near(dark, BLUE) == 0, "the hidden metric is drawn")
    for view in ("singleValue", "bar", "pie", "gauge"):
        _, _, one = p.draw(view, metrics=TWO, view=view, period=60, title=view, width=420, height=260,
                           yAxis={"left": {"min": 0, "max": 250}} if view == "gauge" else {})
        check(near(one, BLUE) > 60, (view, near(one, BLUE)))
    _, _, empty = p.draw("empty", metrics=[["Pic", "Nothing"]], width=300, height=200)
    same(near(empty, BLUE) > 0, True)  # the legend's swatch
    small = p.draw("small", metrics=TWO, width=60, height=40)
    same(small[:2], (60, 40))
    p.draw("search", metrics=[[{"expression": "SEARCH('{Pic,Function} MetricName=\"Duration\"', 'Average', 60)"}]])


def test_refused_widgets(server):
    cw = server.client("cloudwatch")

    def bad(text):
        return refused("ValidationError", cw.get_metric_widget_image, MetricWidget=text)

    check("JSON" in bad("{"))
    bad("[]")
    bad('{"metrics": [["OnlyNamespace"]]}')
    bad('{"metrics": [["N", "M", "odd"]]}')
    bad('{"metrics": [[".", "M"]]}')
    bad('{"metrics": [["N", "M"]], "width": 5000}')
    bad('{"metrics": [["N", "M"]], "view": "cake"}')
    bad('{"metrics": [["N", "M"]], "start": "yesterday"}')
    bad('{"metrics": [["N", "M"]], "start": "-PT1H", "end": "-PT2H"}')
    bad('{"metrics": [[{"expression": "nothing + 1"}]]}')
    bad('{"metrics": [["N", "M", {"stat": "Median"}]]}')
    refused("NotImplemented", cw.get_metric_widget_image, MetricWidget="{}", OutputFormat="image/png")
    refused("ValidationError", cw.get_metric_widget_image, MetricWidget="{}", OutputFormat="gif")
