"""Listings: V1, V2, versions; delimiters, pages, encodings, and keys that are hard on them."""
import base64
import hashlib
import urllib.parse

from scenario import check, refused, same
from signed import request


def bucket(s3, name, keys):
    s3.create_bucket(Bucket=name)
    for k in keys:
        s3.put_object(Bucket=name, Key=k, Body=k.encode())


def keys_of(answer):
    return [o["Key"] for o in answer.get("Contents", [])]


def groups_of(answer):
    return [p["Prefix"] for p in answer.get("CommonPrefixes", [])]


def test_delimiters(server):
    s3 = server.client("s3")
    bucket(s3, "delimited", ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla"])
    for call, more in ((s3.list_objects, "Marker"), (s3.list_objects_v2, "StartAfter")):
        r = call(Bucket="delimited", Delimiter="/")
        same((keys_of(r), groups_of(r), r["Delimiter"]), (["asdf"], ["boo/", "cquux/"], "/"))
        r = call(Bucket="delimited", Delimiter="/", Prefix="boo/")
        same((keys_of(r), groups_of(r)), (["boo/bar"], ["boo/baz/"]))
        r = call(Bucket="delimited", Delimiter="a")
        same((keys_of(r), groups_of(r)), (["cquux/thud"], ["a", "boo/ba", "cquux/bla"]))
        r = call(Bucket="delimited", Delimiter="uu")
        same((keys_of(r), groups_of(r)), (["asdf", "boo/bar", "boo/baz/xyzzy"], ["cquu"]))
        r = call(Bucket="delimited", Delimiter="")
        same((len(keys_of(r)), groups_of(r), "Delimiter" in r), (5, [], False))
        r = call(Bucket="delimited", Delimiter="/", **{more: "boo/"})
        same((keys_of(r), groups_of(r)), ([], ["cquux/"]))
        r = call(Bucket="delimited", Delimiter="/", Prefix="nothing")
        same((keys_of(r), groups_of(r)), ([], []))


def test_pages(server):
    s3 = server.client("s3")
    names = ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla", "zoo"]
    bucket(s3, "paged", names)
    for max_keys in range(1, 8):
        seen, marker = [], ""
        while True:
            r = s3.list_objects(Bucket="paged", Delimiter="/", MaxKeys=max_keys, Marker=marker)
            seen += keys_of(r) + groups_of(r)
            same(r["MaxKeys"], max_keys)
            if not r["IsTruncated"]:
                check("NextMarker" not in r, r)
                break
            marker = r["NextMarker"]
        same(sorted(seen), ["asdf", "boo/", "cquux/", "zoo"])
        seen, more = [], {}
        while True:
            r = s3.list_objects_v2(Bucket="paged", MaxKeys=max_keys, **more)
            seen += keys_of(r)
            same(r["KeyCount"], len(keys_of(r)))
            if not r["IsTruncated"]:
                break
            more = {"ContinuationToken": r["NextContinuationToken"]}
        same(seen, sorted(names))
    r = s3.list_objects(Bucket="paged", MaxKeys=2)
    check(r["IsTruncated"] and "NextMarker" not in r, r)
    r = s3.list_objects(Bucket="paged", MaxKeys=0)
    same((keys_of(r), r["IsTruncated"]), ([], False))
    r = s3.list_objects_v2(Bucket="paged", MaxKeys=5000)
    same(r["MaxKeys"], 1000)
    same(keys_of(s3.list_objects(Bucket="paged", Marker="blah")), ["boo/bar", "boo/baz/xyzzy", "cquux/bla",
                                                                   "cquux/thud", "zoo"])
    same(keys_of(s3.list_objects_v2(Bucket="paged", StartAfter="cquux/thud")), ["zoo"])
    r = s3.list_objects_v2(Bucket="paged", StartAfter="a", FetchOwner=True, MaxKeys=1)
    check("Owner" in r["Contents"][0] and r["StartAfter"] == "a", r)
    check("Owner" not in s3.list_objects_v2(Bucket="paged")["Contents"][0])


def test_bad_arguments(server):
    s3 = server.client("s3")
    bucket(s3, "argued", ["k"])
    for query, name in (("max-keys=blah", b"max-keys"), ("max-keys=-1", b"max-keys"),
                        ("max-keys=99999999999", b"max-keys"), ("list-type=2&max-keys=1.5", b"max-keys"),
                        ("encoding-type=bad", b"encoding-type"), ("versions&max-keys=x", b"max-keys"),
                        ("uploads&max-uploads=x", b"max-uploads"), ("list-type=2&continuation-token=", b"contin"),
                        ("list-type=2&continuation-token=x", b"contin")):
        status, _, body = request(server, "GET", "/argued?" + query)
        check(status == 400 and b"<Code>InvalidArgument</Code>" in body, (query, body))
        check(b"<ArgumentName>" + name in body and b"<ArgumentValue>" in body, (query, body))
    status, _, body = request(server, "GET", "/argued?max-keys=")
    check(status == 200 and b"<MaxKeys>1000</MaxKeys>" in body, body)
    message = refused("InvalidArgument", s3.list_objects_v2, Bucket="argued", ContinuationToken="wrong")
    same(message, "The continuation token provided is incorrect")
    status, _, body = request(server, "GET", "/argued?max-keys=blah")
    check(b"Provided max-keys not an integer or within integer range" in body, body)


def test_odd_keys(server):
    s3 = server.client("s3")
    keys = ["a/..", "./x", "/lead", "a b+c", "dir/", "dir//", "foo\tbar", "foo\x01", "k&<>'\"", "x%20y", "x%2520",
            "*star", "tilde~", "ünï", "日本", "🙂", "new\nline", "a" * 1024, "=;:@,?#$", "\ufeffbom"]
    bucket(s3, "odd", keys)
    want = sorted(keys, key=lambda k: k.encode())
    same(keys_of(s3.list_objects_v2(Bucket="odd")), want)
    same([v["Key"] for v in s3.list_object_versions(Bucket="odd")["Versions"]], want)
    for k in keys:
        same(s3.get_object(Bucket="odd", Key=k)["Body"].read(), k.encode())
        same(keys_of(s3.list_objects(Bucket="odd", Prefix=k))[0], k)
        s3.copy_object(Bucket="odd", Key="copy", CopySource={"Bucket": "odd", "Key": k})
        same(s3.get_object(Bucket="odd", Key="copy")["Body"].read(), k.encode())
    s3.delete_object(Bucket="odd", Key="copy")
    refused("KeyTooLongError", s3.put_object, Bucket="odd", Key="a" * 1025, Body=b"")
    refused("KeyTooLongError", s3.put_object, Bucket="odd", Key="ü" * 513, Body=b"")
    status, _, body = request(server, "GET", "/odd?encoding-type=url&prefix=k")
    check(b"<Key>k%26%3C%3E%27%22</Key>" in body and b"<EncodingType>url</EncodingType>" in body, body)
    status, _, body = request(server, "PUT", "/odd/bad%ff%fe", b"1")
    check(status == 400, (status, body))
    gone = s3.delete_objects(Bucket="odd", Delete={"Objects": [{"Key": k} for k in keys if k.isprintable()]})
    same(len(gone["Deleted"]), len([k for k in keys if k.isprintable()]))
    for path in ("/odd?prefix=%01", "/odd?delimiter=%0a"):
        same(request(server, "GET", path)[0], 200)


def test_versions_in_pages_and_groups(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="many-versions")
    s3.put_bucket_versioning(Bucket="many-versions", VersioningConfiguration={"Status": "Enabled"})
    for k in ("a", "b/1", "b/2", "c"):
        for n in range(3):
            s3.put_object(Bucket="many-versions", Key=k, Body=str(n).encode())
    s3.delete_object(Bucket="many-versions", Key="c")
    for max_keys in range(1, 14):
        seen, more = [], {}
        while True:
            r = s3.list_object_versions(Bucket="many-versions", MaxKeys=max_keys, **more)
            check(len(r.get("Versions", [])) + len(r.get("DeleteMarkers", [])) <= max_keys, r)
            seen += [(v["Key"], v["VersionId"]) for v in r.get("Versions", []) + r.get("DeleteMarkers", [])]
            if not r["IsTruncated"]:
                break
            more = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
        same((len(seen), len(set(seen))), (13, 13))
    r = s3.list_object_versions(Bucket="many-versions", Delimiter="/", Prefix="")
    same(([v["Key"] for v in r["Versions"]], groups_of(r)), (["a"] * 3 + ["c"] * 3, ["b/"]))
    same([v["IsLatest"] for v in r["Versions"]], [True, False, False, False, False, False])
    refused("InvalidArgument", s3.list_object_versions, Bucket="many-versions", VersionIdMarker="x")


def test_deleting_many(server):
    s3 = server.client("s3")
    bucket(s3, "deleting", ["a", "b", "c"])
    r = s3.delete_objects(Bucket="deleting", Delete={"Objects": [{"Key": "a"}, {"Key": "never"}]})
    same(sorted(d["Key"] for d in r["Deleted"]), ["a", "never"])
    r = s3.delete_objects(Bucket="deleting", Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    check("Deleted" not in r and "Errors" not in r, r)
    same(keys_of(s3.list_objects_v2(Bucket="deleting")), ["c"])
    refused("MalformedXML", s3.delete_objects, Bucket="deleting",
            Delete={"Objects": [{"Key": str(n)} for n in range(1001)]})
    r = s3.delete_objects(Bucket="deleting", Delete={"Objects": [{"Key": str(n)} for n in range(1000)]})
    same(len(r["Deleted"]), 1000)
    md5 = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    good = b"<Delete><Object><Key>c</Key></Object></Delete>"
    status, _, body = request(server, "POST", "/deleting?delete", good, md5)
    check(status == 400 and b"<Code>BadDigest</Code>" in body, body)
    status, _, body = request(server, "POST", "/deleting?delete", good)
    check(status == 400 and b"<Code>InvalidRequest</Code>" in body, body)
    for bad in (b"<Delete>", b"", b"<Delete></Delete>", b"<Other/>"):
        sum_ = {"Content-MD5": base64.b64encode(hashlib.md5(bad).digest()).decode()}
        status, _, body = request(server, "POST", "/deleting?delete", bad, sum_)
        check(status == 400 and (b"<Code>MalformedXML</Code>" in body or b"MissingRequestBodyError" in body),
              (bad, body))
    r = s3.delete_objects(Bucket="deleting", Delete={"Objects": [{"Key": "c", "VersionId": "not-one"}]})
    same(r["Errors"][0]["Code"], "NoSuchVersion")
    same(urllib.parse.unquote(keys_of(s3.list_objects_v2(Bucket="deleting"))[0]), "c")
