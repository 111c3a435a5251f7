"""The registry as docker and skopeo speak it, and ECR's own view of what they pushed."""
import base64
import hashlib
import http.client
import json
import os
import time

from scenario import check, refused, same

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


class Registry:
    def __init__(self, server, host=None, token=None):
        self.port = int(server.endpoint.rsplit(":", 1)[1])
        self.host = host
        t = token or server.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.auth = {"Authorization": "Basic " + t} if t != "none" else {}

    def __call__(self, method, path, body=None, **headers):
        k = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        h = {a.replace("_", "-"): b for a, b in headers.items()}
        if self.host:
            h["Host"] = self.host
        if "://" in path:
            path = "/" + path.split("/", 3)[3]
        k.request(method, path, body, {**self.auth, **h})
        r = k.getresponse()
        out = r.status, {a.lower(): b for a, b in r.getheaders()}, r.read()
        k.close()
        return out

    def blob(self, repo, data, chunk=None):
        s, h, b = self("POST", f"/v2/{repo}/blobs/uploads/", b"")
        same(s, 202)
        at = h["location"]
        for i in range(0, len(data) if chunk else 0, chunk or 1):
            part = data[i:i + chunk]
            s, h, b = self("PATCH", at, part, Content_Range=f"{i}-{i + len(part) - 1}")
            same((s, h["range"]), (202, f"0-{i + len(part) - 1}"))
            at = h["location"]
        s, h, b = self("PUT", at + "?digest=" + digest(data), b"" if chunk else data)
        same((s, h.get("docker-content-digest")), (201, digest(data)))

    def manifest(self, repo, reference, layers, config):
        m = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(x), "digest": digest(x)}
                       for x in layers]}).encode()
        return m, self("PUT", f"/v2/{repo}/manifests/{reference}", m, Content_Type=MANIFEST)

    def push(self, repo, tag, seed, size=5000):
        layer, config = os.urandom(size), json.dumps({"os": "linux", "seed": seed}).encode()
        self.blob(repo, layer)
        self.blob(repo, config)
        m, (s, h, b) = self.manifest(repo, tag, [layer], config)
        same(s, 201)
        return m, layer, config


def poll(condition, seconds, what):
    end = time.time() + seconds
    while not condition():
        check(time.time() < end, what)
        time.sleep(0.1)


def files(server):
    return sum(len(f) for _, _, f in os.walk(os.path.join(server.data, "ecr", "blobs")))


def test_push_and_pull(server):
    ecr = server.client("ecr")
    uri = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryUri"]
    check(uri.endswith("/team/app") and ".dkr.ecr.us-east-1.localhost:" in uri, uri)
    r = Registry(server, uri.split("/")[0])
    layer, config = os.urandom(3 << 20), b"{}"
    r.blob("team/app", layer, 1 << 20)
    r.blob("team/app", config)
    m, (s, h, b) = r.manifest("team/app", "v1", [layer], config)
    same((s, h["docker-content-digest"]), (201, digest(m)))
    for reference in ("v1", digest(m)):
        s, h, b = r("GET", f"/v2/team/app/manifests/{reference}")
        same((s, h["content-type"], b), (200, MANIFEST, m))
    s, h, b = r("HEAD", f"/v2/team/app/blobs/{digest(layer)}")
    same((s, h["content-length"], b), (200, str(len(layer)), b""))
    same(r("GET", f"/v2/team/app/blobs/{digest(layer)}")[2], layer)
    s, h, b = r("GET", f"/v2/team/app/blobs/{digest(layer)}", Range="bytes=10-19")
    same((s, b, h["content-range"]), (206, layer[10:20], f"bytes 10-19/{len(layer)}"))
    same(json.loads(r("GET", "/v2/team/app/tags/list")[2]), {"name": "team/app", "tags": ["v1"]})
    check("team/app" in json.loads(r("GET", "/v2/_catalog")[2])["repositories"])
    d = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    same((d["imageDigest"], d["imageTags"], d["imageSizeInBytes"]), (digest(m), ["v1"], len(layer) + len(config)))
    i = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}, {"imageTag": "no"}])
    same((i["images"][0]["imageManifest"].encode(), i["failures"][0]["failureCode"]), (m, "ImageNotFound"))
    url = ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest(layer))["downloadUrl"]
    same(Registry(server, token="none")("GET", url)[2], layer)
    same(Registry(server, token="none")("GET", url.replace(digest(layer), digest(config)))[0], 401)


def test_only_with_a_token(server):
    server.client("ecr").create_repository(repositoryName="locked")
    s, h, b = Registry(server, token="none")("GET", "/v2/")
    same((s, json.loads(b)["errors"][0]["code"]), (401, "UNAUTHORIZED"))
    check(h["www-authenticate"].startswith("Basic realm="), h)
    wrong = base64.b64encode(b"AWS:guess").decode()
    same(Registry(server, token=wrong)("POST", "/v2/locked/blobs/uploads/", b"")[0], 401)
    r = Registry(server)
    same(r("GET", "/v2/")[0], 200)
    server.advance("13h")
    same(r("GET", "/v2/")[0], 401)
    other = Registry(server, "111122223333.dkr.ecr.us-east-1.amazonaws.com")
    same(json.loads(other("GET", "/v2/locked/tags/list")[2])["errors"][0]["code"], "DENIED")


def test_what_does_not_fit_is_refused(server):
    server.client("ecr").create_repository(repositoryName="fits")
    r = Registry(server)
    at = r("POST", "/v2/fits/blobs/uploads/", b"")[1]["location"]
    s, h, b = r("PUT", at + "?digest=" + digest(b"other"), b"bytes")
    same((s, json.loads(b)["errors"][0]["code"]), (400, "DIGEST_INVALID"))
    at = r("POST", "/v2/fits/blobs/uploads/", b"")[1]["location"]
    same(r("PATCH", at, b"12345", Content_Range="0-4")[0], 202)
    same(r("PATCH", at, b"12345", Content_Range="9-13")[0], 416)
    same(r("GET", at)[1]["range"], "0-4")
    same(r("DELETE", at)[0], 204)
    same(json.loads(r("GET", at)[2])["errors"][0]["code"], "BLOB_UPLOAD_UNKNOWN")
    _, (s, h, b) = r.manifest("fits", "v1", [b"never pushed"], b"{}")
    same((s, json.loads(b)["errors"][0]["code"]), (400, "MANIFEST_BLOB_UNKNOWN"))
    same(r("PUT", "/v2/fits/manifests/x", b"not json", Content_Type=MANIFEST)[0], 400)
    same(json.loads(r("GET", "/v2/nowhere/tags/list")[2])["errors"][0]["code"], "NAME_UNKNOWN")
    same(r("GET", "/v2/fits/blobs/sha256:../../../../etc/passwd")[0], 400)


def test_blobs_are_shared_and_collected(server):
    ecr = server.client("ecr")
    before = files(server)
    for n in ("one", "two"):
        ecr.create_repository(repositoryName=n)
    r = Registry(server)
    m, layer, config = r.push("one", "a", 1)
    s, h, b = r("POST", f"/v2/two/blobs/uploads/?mount={digest(layer)}&from=one", b"")
    same(s, 201)
    r.blob("two", config)
    same(r.manifest("two", "a", [layer], config)[1][0], 201)
    same(files(server), before + 2)
    refused("RepositoryNotEmptyException", ecr.delete_repository, repositoryName="one")
    ecr.delete_repository(repositoryName="one", force=True)
    same(r("GET", f"/v2/two/blobs/{digest(layer)}")[2], layer)
    same(ecr.batch_delete_image(repositoryName="two", imageIds=[{"imageTag": "a"}])["imageIds"],
         [{"imageDigest": digest(m), "imageTag": "a"}])
    poll(lambda: files(server) == before, 60, "files gone")
    same(r("HEAD", f"/v2/two/blobs/{digest(layer)}")[0], 404)


def test_tags_that_stay(server):
    ecr = server.client("ecr")
    ecr.create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
    r = Registry(server)
    m, layer, config = r.push("fixed", "v1", 1)
    same(r.manifest("fixed", "v1", [layer], config)[1][0], 201)
    other = json.dumps({"x": 1}).encode()
    r.blob("fixed", other)
    s, h, b = r.manifest("fixed", "v1", [layer], other)[1]
    same((s, json.loads(b)["errors"][0]["code"]), (400, "TAG_INVALID"))
    refused("ImageAlreadyExistsException", ecr.put_image, repositoryName="fixed", imageManifest=m.decode(), imageTag="v1")
    refused("ImageTagAlreadyExistsException", ecr.put_image, repositoryName="fixed", imageTag="v1",
            imageManifest=r.manifest("fixed", "v2", [layer], other)[0].decode())
    ecr.put_image_tag_mutability(repositoryName="fixed", imageTagMutability="MUTABLE")
    same(r.manifest("fixed", "v1", [layer], other)[1][0], 201)
    untagged = ecr.list_images(repositoryName="fixed", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    same(untagged, [{"imageDigest": digest(m)}])


def test_lists_hold_their_images(server):
    ecr = server.client("ecr")
    ecr.create_repository(repositoryName="multi")
    r = Registry(server)
    m, _, _ = r.push("multi", "amd64", 1)
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "size": len(m), "digest": digest(m), "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
    same(r("PUT", "/v2/multi/manifests/all", index, Content_Type=INDEX)[0], 201)
    same(ecr.batch_delete_image(repositoryName="multi", imageIds=[{"imageDigest": digest(m)}])["failures"][0]["failureCode"],
         "ImageReferencedByManifestList")
    same(r("DELETE", f"/v2/multi/manifests/{digest(index)}")[0], 202)
    same(r("DELETE", f"/v2/multi/manifests/{digest(m)}")[0], 202)
    same(ecr.list_images(repositoryName="multi")["imageIds"], [])


def test_layers_through_the_api(server):
    ecr = server.client("ecr")
    ecr.create_repository(repositoryName="api")
    data = os.urandom(100000)
    up = ecr.initiate_layer_upload(repositoryName="api")["uploadId"]
    ecr.upload_layer_part(repositoryName="api", uploadId=up, partFirstByte=0, partLastByte=59999, layerPartBlob=data[:60000])
    refused("InvalidLayerPartException", ecr.upload_layer_part, repositoryName="api", uploadId=up, partFirstByte=0,
            partLastByte=9, layerPartBlob=data[:10])
    ecr.upload_layer_part(repositoryName="api", uploadId=up, partFirstByte=60000, partLastByte=99999, layerPartBlob=data[60000:])
    refused("InvalidLayerException", ecr.complete_layer_upload, repositoryName="api", uploadId=up, layerDigests=[digest(b"x")])
    same(ecr.complete_layer_upload(repositoryName="api", uploadId=up, layerDigests=[digest(data)])["layerDigest"], digest(data))
    got = ecr.batch_check_layer_availability(repositoryName="api", layerDigests=[digest(data), digest(b"x")])["layers"]
    same([g["layerAvailability"] for g in got], ["AVAILABLE", "UNAVAILABLE"])
    refused("UploadNotFoundException", ecr.complete_layer_upload, repositoryName="api", uploadId=up, layerDigests=[digest(data)])
    server.advance("25h")
    poll(lambda: ecr.batch_check_layer_availability(repositoryName="api", layerDigests=[digest(data)])
                ["layers"][0]["layerAvailability"] == "UNAVAILABLE", 5, "a layer that no image uses goes after a day")


def test_lifecycle(server):
    ecr = server.client("ecr")
    ecr.create_repository(repositoryName="aging")
    r = Registry(server)
    for i in range(4):
        r.push("aging", f"v{i}", i)
        server.advance("1m")
    rule = {"rulePriority": 1, "description": "two stay", "selection": {
        "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}}
    refused("InvalidParameterException", ecr.put_lifecycle_policy, repositoryName="aging",
            lifecyclePolicyText=json.dumps({"rules": [{**rule, "rulePriority": 0}]}))
    refused("LifecyclePolicyPreviewNotFoundException", ecr.get_lifecycle_policy_preview, repositoryName="aging")
    refused("LifecyclePolicyNotFoundException", ecr.start_lifecycle_policy_preview, repositoryName="aging")
    ecr.start_lifecycle_policy_preview(repositoryName="aging", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    seen = ecr.get_lifecycle_policy_preview(repositoryName="aging")
    same((seen["status"], seen["summary"]["expiringImageTotalCount"],
          [(i["imageTags"], i["action"]["type"], i["appliedRulePriority"]) for i in seen["previewResults"]]),
         ("COMPLETE", 2, [(["v1"], "EXPIRE", 1), (["v0"], "EXPIRE", 1)]))
    first = ecr.get_lifecycle_policy_preview(repositoryName="aging", maxResults=1)
    rest = ecr.get_lifecycle_policy_preview(repositoryName="aging", maxResults=1, nextToken=first["nextToken"])
    same((rest["previewResults"][0]["imageTags"], "nextToken" in rest), (["v0"], False))
    one = ecr.get_lifecycle_policy_preview(repositoryName="aging", imageIds=[{"imageTag": "v0"}])
    same(len(one["previewResults"]), 1)
    same(ecr.get_lifecycle_policy_preview(repositoryName="aging", filter={"tagStatus": "UNTAGGED"})["previewResults"],
         [])
    ecr.put_lifecycle_policy(repositoryName="aging", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    same(len(ecr.list_images(repositoryName="aging")["imageIds"]), 4)
    server.advance("25h")
    same(sorted(i["imageTag"] for i in ecr.list_images(repositoryName="aging")["imageIds"]), ["v2", "v3"])
    check(ecr.get_lifecycle_policy(repositoryName="aging")["lastEvaluatedAt"].year > 2000)
    ecr.delete_lifecycle_policy(repositoryName="aging")
    refused("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName="aging")


def test_repositories(server):
    ecr = server.client("ecr")
    r = ecr.create_repository(repositoryName="plain", imageScanningConfiguration={"scanOnPush": True},
                              tags=[{"Key": "k", "Value": "v"}])["repository"]
    same((r["imageTagMutability"], r["imageScanningConfiguration"], r["encryptionConfiguration"]),
         ("MUTABLE", {"scanOnPush": True}, {"encryptionType": "AES256"}))
    loose, invalid = server.client("ecr", parameter_validation=False), "Invalid parameter at "
    for call, more, says in (
            (loose.create_repository, {"repositoryName": "tesT"},
             "'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
             "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''"),
            (loose.create_repository, {"repositoryName": "a"},
             "'repositoryName' failed to satisfy constraint: 'must have length greater than or equal to 2'"),
            (loose.create_repository, {},
             "'repositoryName' failed to satisfy constraint: 'Member must not be null'"),
            (loose.batch_get_image, {"repositoryName": "plain", "imageIds": []},
             "'imageIds' failed to satisfy constraint: 'Member must have length greater than or equal to 1'"),
            (loose.get_authorization_token, {"registryIds": ["12"]},
             "'registryIds' failed to satisfy constraint: 'Member must satisfy constraint: [Member must satisfy regular "
             "expression pattern: [0-9]{12}]'"),
            (loose.describe_repositories, {"registryId": "12"},
             "'registryId' failed to satisfy constraint: 'must satisfy regular expression [0-9]{12}'")):
        same(refused("InvalidParameterException", call, **more), invalid + says)
    refused("RepositoryAlreadyExistsException", ecr.create_repository, repositoryName="plain")
    refused("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=["none"])
    ecr.tag_resource(resourceArn=r["repositoryArn"], tags=[{"Key": "k", "Value": "w"}, {"Key": "l", "Value": ""}])
    ecr.untag_resource(resourceArn=r["repositoryArn"], tagKeys=["l"])
    same(ecr.list_tags_for_resource(resourceArn=r["repositoryArn"])["tags"], [{"Key": "k", "Value": "w"}])
    refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="plain")
    ecr.set_repository_policy(repositoryName="plain", policyText=(
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}'))
    check("Statement" in ecr.get_repository_policy(repositoryName="plain")["policyText"])
    ecr.delete_repository(repositoryName="plain")


def test_policies_and_keys(server):
    ecr = server.client("ecr")
    made = ecr.create_repository(repositoryName="sealed", encryptionConfiguration={"encryptionType": "KMS"})
    key = server.client("kms").describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]["Arn"]
    same(made["repository"]["encryptionConfiguration"], {"encryptionType": "KMS", "kmsKey": key})
    same(refused("InvalidParameterException", ecr.set_repository_policy, repositoryName="sealed",
                 policyText='{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}'),
         "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
    text = ('{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*",'
            '"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"]}]}')
    ecr.set_repository_policy(repositoryName="sealed", policyText=text)
    same(ecr.get_repository_policy(repositoryName="sealed")["policyText"], text)
    same(server.client("sts").get_federation_token(Name="bob")["PackedPolicySize"], 0)
