"""Exports as Parquet hold what the CSV holds, line by line, with types."""
import csv
import ctypes
import io
import json
import os
from decimal import Decimal

from scenario import Server, Skip, check, same

LIBRARY = "/usr/local/lib/farthing/duckdb/libduckdb.so"


class Result(ctypes.Structure):
    _fields_ = [(f"part{i}", ctypes.c_uint64) for i in range(32)]


class Duck:
    """A reader that has nothing of Farthing's in it."""

    def __init__(self, folder):
        if not os.path.exists(LIBRARY):
            raise Skip("no DuckDB on this machine: tools/install-packages duckdb")
        self.lib, self.con, self.out = ctypes.CDLL(LIBRARY), ctypes.c_void_p(), os.path.join(folder, "read.csv")
        self.lib.duckdb_result_error.restype = ctypes.c_char_p
        database = ctypes.c_void_p()
        same(self.lib.duckdb_open(None, ctypes.byref(database)), 0)
        same(self.lib.duckdb_connect(database, ctypes.byref(self.con)), 0)

    def rows(self, select):
        result = Result()
        failed = self.lib.duckdb_query(self.con, f"COPY ({select}) TO '{self.out}' (HEADER)".encode(),
                                       ctypes.byref(result))
        check(not failed, self.lib.duckdb_result_error(ctypes.byref(result)))
        self.lib.duckdb_destroy_result(ctypes.byref(result))
        with open(self.out, newline="") as f:
            return list(csv.DictReader(f))


def plain(value, kind):
    """A cell of the CSV as DuckDB prints one of that type."""
    if value == "":
        return ""
    if kind.startswith("DECIMAL"):
        return Decimal(value)
    if kind == "TIMESTAMP":
        return value.replace("T", " ").replace("Z", "")
    return json.loads(value) if kind.startswith("MAP") else value


def read(value, kind):
    if value == "":
        return ""
    return Decimal(value) if kind.startswith("DECIMAL") else json.loads(value) if kind.startswith("MAP") else value


def compare(server, duck, form, options):
    file = os.path.join(server.data, "it's.parquet")
    done = server.run("bill", form, *options)
    same((done.returncode, done.stderr), (0, ""))
    wanted = list(csv.DictReader(io.StringIO(done.stdout)))
    done = server.run("bill", form, "--parquet", file, *options)
    same((done.returncode, done.stdout, done.stderr), (0, "", ""))
    quoted = file.replace("'", "''")
    types = {r["column_name"]: r["column_type"] for r in duck.rows(f"SELECT * FROM (DESCRIBE FROM '{quoted}')")}
    same(list(types), list(wanted[0]))
    shown = ", ".join(f'to_json("{c}") AS "{c}"' if t.startswith("MAP") else f'"{c}"' for c, t in types.items())
    got = duck.rows(f"SELECT {shown} FROM '{quoted}'")
    same(len(got), len(wanted))
    for g, w in zip(got, wanted):
        for c, t in types.items():
            same((c, read(g[c], t)), (c, plain(w[c], t)))
    same([x for x in os.listdir(server.data) if "it's.parquet" in x], ["it's.parquet"])
    return types


def test_every_line_is_that_of_the_csv(_):
    server = Server()
    try:
        duck = Duck(server.data)
        server.to_next_month()
        month = server.run("clock", "show").stdout[:7]
        server.client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "a \"quoted\", 'one'\nof two lines"}])
        server.client("ssm").put_parameter(Name="/p", Value="x", Type="String", Tier="Advanced")
        server.client("ce").list_cost_allocation_tags()
        server.advance("32d")
        options = "--month", month, "--profile", "credits", "--credits", "0.05", "--opened", month + "-01"
        types = compare(server, duck, "--focus", options)
        same([types[c] for c in ("BilledCost", "ListUnitPrice", "ConsumedQuantity", "ChargePeriodStart", "Tags", "RegionId")],
             ["DECIMAL(38,18)"] * 3 + ["TIMESTAMP", "MAP(VARCHAR, VARCHAR)", "VARCHAR"])
        types = compare(server, duck, "--cur", options)
        same([types[c] for c in ("line_item_unblended_cost", "line_item_unblended_rate", "line_item_usage_start_date",
                                 "resource_tags", "product")],
             ["DECIMAL(38,18)", "VARCHAR", "TIMESTAMP"] + ["MAP(VARCHAR, VARCHAR)"] * 2)
    finally:
        server.remove()


def test_what_cannot_be_written(server):
    for words in (("--parquet", "x"), ("--json", "--parquet", "x"), ("--cur", "--gzip", "--parquet", "x")):
        done = server.run("bill", *words)
        same((done.returncode, done.stdout), (2, ""))
        check("--parquet FILE goes with --focus or --cur" in done.stderr, done.stderr)
    done = server.run("bill", "--cur", "--parquet", os.path.join(server.data, "no/such/folder/x"))
    check(done.returncode == 1 and "no/such/folder" in done.stderr, done)
