"""Functions from container images in our registry."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import ROLE, call, messages  # noqa: E402

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
# A runtime without any help: one file, no libraries.
STATIC = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static char in[65536], out[65536], text[30000];
static int ask(const char *request)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9001), .sin_addr.s_addr = htonl(0x7f000001) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), n = 0, got;
    if (connect(fd, (struct sockaddr *)&a, sizeof a) || write(fd, request, strlen(request)) < 0) exit(3);
    for (;;) {
        got = read(fd, in + n, sizeof in - 1 - n);
        if (got <= 0) break;
        in[n += got] = 0;
        char *body = strstr(in, "\r\n\r\n"), *length = strstr(in, "Content-Length: ");
        if (body && length && in + n - body - 4 >= atoi(length + 16)) break;
    }
    close(fd);
    return n;
}
int main(int argc, char **argv)
{
    char directory[512];
    FILE *f = fopen("/layered", "r");
    char layered[64] = "";
    if (f && !fgets(layered, sizeof layered, f)) layered[0] = 0;
    int readonly = fopen("/etc/new", "w") == NULL, tmp = fopen("/tmp/new", "w") != NULL;
    getcwd(directory, sizeof directory);
    for (;;) {
        ask("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
        char *id = strstr(in, "Lambda-Runtime-Aws-Request-Id: ") + 31;
        *strchr(id, '\r') = 0;
        char *body = strstr(id + strlen(id) + 1, "\r\n\r\n") + 4;
        snprintf(text, sizeof text, "{\"event\":%s,\"args\":%d,\"last\":\"%s\",\"dir\":\"%s\",\"env\":\"%s\","
                 "\"own\":\"%s\",\"layered\":\"%s\",\"host\":%d,\"removed\":%d,\"readonly\":%d,\"tmp\":%d}", body, argc,
                 argv[argc - 1], directory, getenv("FROM_IMAGE") ? getenv("FROM_IMAGE") : "",
                 getenv("OWN") ? getenv("OWN") : "", layered, access("/usr/bin/env", F_OK) == 0,
                 access("/gone", F_OK) != 0, readonly, tmp);
        snprintf(out, sizeof out, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
                 "Content-Length: %zu\r\n\r\n%s", id, strlen(text), text);
        ask(out);
    }
}
"""


def digest(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


def program():
    """The static runtime, compiled once."""
    folder = tempfile.mkdtemp()
    source, binary = os.path.join(folder, "r.c"), os.path.join(folder, "r")
    with open(source, "w") as f:
        f.write(STATIC)
    subprocess.run(["gcc", "-w", "-O1", "-static", "-o", binary, source], check=True)
    with open(binary, "rb") as f:
        return f.read()


def layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, (data, mode) in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            t.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


class Images:
    def __init__(self, server, repository):
        self.server, self.repository = server, repository
        ecr = server.client("ecr")
        try:
            ecr.create_repository(repositoryName=repository)
        except ecr.exceptions.RepositoryAlreadyExistsException:
            pass
        self.uri = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.auth = {"Authorization": "Basic " + token}

    def send(self, method, path, body=None, **headers):
        url = path if "://" in path else self.server.endpoint + path
        request = urllib.request.Request(url, data=body, method=method, headers={
            **self.auth, **{k.replace("_", "-"): v for k, v in headers.items()}})
        with urllib.request.urlopen(request) as r:
            return {k.lower(): v for k, v in r.headers.items()}

    def blob(self, data):
        h = self.send("POST", f"/v2/{self.repository}/blobs/uploads/", b"")
        at = self.server.endpoint + "/" + h["location"].split("/", 3)[3] if "://" in h["location"] else h["location"]
        self.send("PUT", at + "?digest=" + digest(data), data, Content_Type="application/octet-stream")
        return digest(data)

    def push(self, tag, layers, config, architecture="amd64", media=None):
        text = json.dumps({"architecture": architecture, "os": "linux", "config": config,
                           "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        kind = media or "application/vnd.docker.image.rootfs.diff.tar.gzip"
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(text),
                       "digest": self.blob(text)},
            "layers": [{"mediaType": kind, "size": len(x), "digest": self.blob(x)} for x in layers]}).encode()
        self.send("PUT", f"/v2/{self.repository}/manifests/{tag}", manifest, Content_Type=MANIFEST)
        return digest(manifest)


def create(server, name, uri, **more):
    client = server.client("lambda")
    made = client.create_function(FunctionName=name, PackageType="Image", Role=ROLE, Code={"ImageUri": uri}, **more)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return client, made


def test_image_runs(server):
    images = Images(server, "team/app")
    base = layer({"runtime": (program(), 0o755), "gone": (b"x", 0o644), "layered": (b"below", 0o644)})
    top = layer({"layered": (b"above", 0o644), ".wh.gone": (b"", 0o644), "work/file": (b"x", 0o644)})
    config = {"Entrypoint": ["/runtime"], "Cmd": ["from-image"], "Env": ["FROM_IMAGE=yes", "OWN=image"],
              "WorkingDir": "/work"}
    v1 = images.push("v1", [base, top], config)
    client, made = create(server, "image", images.uri + ":v1", Timeout=5, Environment={"Variables": {"OWN": "function"}})
    same((made["PackageType"], made["CodeSize"], made["CodeSha256"]), ("Image", 0, v1[7:]))
    check("Runtime" not in made and "Handler" not in made, made)
    same(client.get_function(FunctionName="image")["Code"],
         {"RepositoryType": "ECR", "ImageUri": images.uri + ":v1", "ResolvedImageUri": images.uri + "@" + v1})
    got, _ = call(client, "image", {"n": 1})
    same(got, {"event": {"n": 1}, "args": 2, "last": "from-image", "dir": "/work", "env": "yes", "own": "function",
               "layered": "above", "host": 0, "removed": 1, "readonly": 1, "tmp": 1})
    lines = messages(server, "image", "REPORT")
    check(not any("INIT_START" in x for x in lines), lines)

    # A push to the tag changes nothing until the function is updated.
    v2 = images.push("v1", [base], config | {"WorkingDir": ""})
    same(call(client, "image")[0]["layered"], "above")
    client.update_function_code(FunctionName="image", ImageUri=images.uri + ":v1")
    got, _ = call(client, "image")
    same((got["layered"], got["dir"], got["removed"]), ("below", "/", 0))
    same(client.get_function(FunctionName="image")["Code"]["ResolvedImageUri"], images.uri + "@" + v2)
    client.update_function_code(FunctionName="image", ImageUri=images.uri + "@" + v1)
    same(call(client, "image")[0]["layered"], "above")

    # ImageConfig replaces what the image says.
    c = client.update_function_configuration(FunctionName="image", ImageConfig={
        "Command": ["a", "b"], "WorkingDirectory": "/etc"})
    same(c["ImageConfigResponse"], {"ImageConfig": {"Command": ["a", "b"], "WorkingDirectory": "/etc"}})
    got, _ = call(client, "image")
    same((got["args"], got["last"], got["dir"]), (3, "b", "/etc"))
    client.update_function_configuration(FunctionName="image", ImageConfig={})
    same(call(client, "image")[0]["last"], "from-image")

    # It runs on after the server was killed, from the unpacked root and without it.
    os.kill(server.pid, 9)
    server.start()
    client = server.client("lambda")
    same(call(client, "image", {"n": 2})[0]["event"], {"n": 2})
    client.delete_function(FunctionName="image")


def test_image_failures(server):
    images = Images(server, "bad")
    files = layer({"runtime": (program(), 0o755), "plain": (b"no program", 0o755)})
    images.push("dir", [files], {"Entrypoint": ["/runtime"], "WorkingDir": "/missing"})
    images.push("none", [files], {"Entrypoint": ["/missing"]})
    images.push("plain", [files], {"Cmd": ["/plain"]})
    images.push("arm", [files], {"Cmd": ["/runtime"]}, architecture="arm64")
    images.push("path", [files], {"Cmd": ["runtime"], "Env": ["PATH=/bin:/"]})

    def error(tag):
        client, _ = create(server, "bad-" + tag, images.uri + ":" + tag)
        got, r = call(client, "bad-" + tag)
        same(r["FunctionError"], "Unhandled")
        return got["errorType"], got["errorMessage"].split(" Error: ")[1]

    same(error("dir"), ("Runtime.InvalidWorkingDir", "chdir /missing: no such file or directory"))
    same(error("none"), ("Runtime.InvalidEntrypoint", "fork/exec /missing: no such file or directory"))
    same(error("plain"), ("Runtime.InvalidEntrypoint", "fork/exec /plain: exec format error"))
    same(error("arm"), ("Runtime.InvalidEntrypoint", "fork/exec /runtime: exec format error"))
    client, _ = create(server, "bad-path", images.uri + ":path")
    same(call(client, "bad-path", 7)[0]["event"], 7)


def test_image_refusals(server):
    images = Images(server, "refused")
    good = layer({"runtime": (b"#!/bin/sh\n", 0o755)})
    images.push("v1", [good], {"Cmd": ["/runtime"]})
    images.push("odd", [good], {"Cmd": ["/runtime"]}, media="application/vnd.in-toto+json")
    images.push("torn", [b"\x1f\x8b" + os.urandom(300)], {"Cmd": ["/runtime"]})
    client = server.client("lambda")

    def why(uri, code="InvalidParameterValueException", **more):
        return refused(code, client.create_function, FunctionName="x", PackageType="Image", Role=ROLE,
                       Code={"ImageUri": uri}, **more)

    same(why(images.uri), f"Source image {images.uri} is not valid. Provide a valid source image.")
    same(why("refused:latest"), "Source image refused:latest is not valid. Provide a valid source image.")
    missing = images.uri + ":v9"
    same(why(missing), f"Source image {missing} does not exist. Provide a valid source image.")
    missing = images.uri.replace("refused", "nowhere") + ":v1"
    same(why(missing), f"Source image {missing} does not exist. Provide a valid source image.")
    other = images.uri.replace("000000000000", "111111111111") + ":v1"
    check("does not have permission to access the ECR image" in why(other, "AccessDeniedException"))
    same(why(images.uri + ":odd"), "The image manifest, config or layer media type for the source image "
         f"{images.uri}:odd is not supported.")
    check("cannot be unpacked" in why(images.uri + ":torn"))
    text = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
    same(why(images.uri + ":v1", Handler="a.b", Runtime="python3.11"), text)
    refused("ResourceNotFoundException", client.get_function, FunctionName="x")
    client.create_function(FunctionName="x", PackageType="Image", Role=ROLE, Code={"ImageUri": images.uri + ":v1"})
    refused("InvalidParameterValueException", client.update_function_code, FunctionName="x", ZipFile=b"x")
    refused("InvalidParameterValueException", client.update_function_configuration, FunctionName="x",
            Runtime="python3.11")
