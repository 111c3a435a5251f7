"""Where the bytes are: completing moves none, readers finish what they began, nothing is left behind."""
import os
import time

from scenario import check, same

MB = 1 << 20


def files(server):
    top = os.path.join(server.data, "objects")
    return {os.stat(os.path.join(d, f)).st_ino for d, _, fs in os.walk(top) for f in fs}


def uploaded(s3, bucket, key, bodies):
    up = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    tags = [s3.upload_part(Bucket=bucket, Key=key, UploadId=up, PartNumber=n, Body=b)["ETag"]
            for n, b in enumerate(bodies, 1)]
    return up, {"Parts": [{"PartNumber": n, "ETag": t} for n, t in enumerate(tags, 1)]}


def gone(server, n):
    until = time.time() + 60
    while len(files(server)) > n and time.time() < until:
        time.sleep(0.3)
    same(len(files(server)), n)


def test_completing_moves_no_bytes(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="moving")
    before = len(files(server))
    bodies = [os.urandom(5 * MB) for _ in range(4)] + [b"small tail"]
    up, parts = uploaded(s3, "moving", "k", bodies)
    s3.upload_part(Bucket="moving", Key="k", UploadId=up, PartNumber=9, Body=os.urandom(MB))
    there = files(server)
    s3.complete_multipart_upload(Bucket="moving", Key="k", UploadId=up, MultipartUpload=parts)
    check(files(server) <= there)
    whole = b"".join(bodies)
    check(s3.get_object(Bucket="moving", Key="k")["Body"].read() == whole)
    for first, last in ((0, 20 * MB + 9), (5 * MB - 1, 5 * MB), (20 * MB - 2, 20 * MB + 3), (7 * MB, 12 * MB)):
        got = s3.get_object(Bucket="moving", Key="k", Range=f"bytes={first}-{last}")["Body"].read()
        check(got == whole[first:last + 1], (first, last, len(got)))
    gone(server, before + 4)
    s3.delete_object(Bucket="moving", Key="k")
    gone(server, before)


def test_a_reader_finishes(server):
    """The object goes while somebody reads it slowly."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="slowly")
    before = len(files(server))
    bodies = [os.urandom(8 * MB) for _ in range(5)]
    up, parts = uploaded(s3, "slowly", "k", bodies)
    s3.complete_multipart_upload(Bucket="slowly", Key="k", UploadId=up, MultipartUpload=parts)
    body = s3.get_object(Bucket="slowly", Key="k")["Body"]
    got = body.read(MB)
    s3.delete_object(Bucket="slowly", Key="k")
    time.sleep(5)
    got += body.read()
    check(got == b"".join(bodies))
    until = time.time() + 60
    while len(files(server)) > before and time.time() < until:
        time.sleep(0.5)
    same(len(files(server)), before)


def test_aborted_and_replaced(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="aborted")
    before = len(files(server))
    up, parts = uploaded(s3, "aborted", "k", [os.urandom(5 * MB), os.urandom(MB)])
    s3.upload_part(Bucket="aborted", Key="k", UploadId=up, PartNumber=2, Body=os.urandom(MB))
    s3.abort_multipart_upload(Bucket="aborted", Key="k", UploadId=up)
    for n in range(3):
        s3.put_object(Bucket="aborted", Key="k", Body=os.urandom(MB))
    s3.copy_object(Bucket="aborted", Key="copy", CopySource="aborted/k")
    s3.delete_object(Bucket="aborted", Key="k")
    gone(server, before + 1)
    s3.delete_object(Bucket="aborted", Key="copy")
    gone(server, before)
