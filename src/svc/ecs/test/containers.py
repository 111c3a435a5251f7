"""Images, task definitions and tasks for the scripts beside this one."""
import functools
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
import urllib.request

from scenario import until

ROLE = "arn:aws:iam::000000000000:role/exec"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

# An HTTP server without anything else in its image. What a path asks for is in its answer:
# /env/NAME, /get/HOST:PORT/path (what another server says), /write/path, /exit/CODE, /eat/MEGABYTES.
PROGRAM = r"""
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void get(const char *what, char *out, size_t room)
{
    char host[64] = "", path[512] = "", head[700];
    int port = 80;
    sscanf(what, "%63[^:/]:%d%511s", host, &port, path);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, host, &a.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    out[0] = 0;
    if (connect(fd, (void *)&a, sizeof a)) {
        snprintf(out, room, "cannot connect");
        close(fd);
        return;
    }
    int n = snprintf(head, sizeof head, "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
    write(fd, head, n);
    size_t at = 0;
    for (ssize_t k; at < room - 1 && (k = read(fd, out + at, room - 1 - at)) > 0; at += k)
        ;
    out[at] = 0;
    close(fd);
    char *body = strstr(out, "\r\n\r\n");
    if (body)
        memmove(out, body + 4, strlen(body + 4) + 1);
}

static void stop(int number)
{
    printf("stopped by %d\n", number);
    fflush(stdout);
    _exit(0);
}

static void answer(const char *path, char *out, size_t room)
{
    if (strncmp(path, "/env/", 5) == 0)
        snprintf(out, room, "%s", getenv(path + 5) ? getenv(path + 5) : "(none)");
    else if (strncmp(path, "/get/", 5) == 0)
        get(path + 5, out, room);
    else if (strncmp(path, "/exit/", 6) == 0)
        exit(atoi(path + 6));
    else if (strncmp(path, "/write/", 7) == 0) {
        FILE *f = fopen(path + 6, "a");
        snprintf(out, room, f ? "written" : "refused");
        if (f)
            fclose(f);
    } else if (strncmp(path, "/there/", 7) == 0)
        snprintf(out, room, access(path + 6, F_OK) ? "no" : "yes");
    else if (strncmp(path, "/eat/", 5) == 0) {
        size_t n = (size_t)atoi(path + 5) << 20;
        volatile char *p = malloc(n);
        for (size_t i = 0; i < n; i += 4096)
            p[i] = 1;
        snprintf(out, room, "eaten");
    } else
        snprintf(out, room, "hello %s", path);
    printf("asked for %s\n", path);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char out[65536], in[4096];
    if (argc > 2 && strcmp(argv[1], "check") == 0) {
        get(argv[2], out, sizeof out);
        return strncmp(out, "hello", 5) != 0;
    }
    if (argc > 1 && strcmp(argv[1], "say") == 0) {
        printf("%s\n", argv[2]);
        fflush(stdout);
        return argc > 3 ? atoi(argv[3]) : 0;
    }
    signal(SIGTERM, getenv("DEAF") ? SIG_IGN : stop);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT") ? getenv("PORT") : "8000")) };
    int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(l, (void *)&a, sizeof a) || listen(l, 16)) {
        perror("listen");
        return 9;
    }
    for (;;) {
        char path[2048] = "/";
        int c = accept(l, NULL, NULL);
        ssize_t n = read(c, in, sizeof in - 1);
        in[n > 0 ? n : 0] = 0;
        sscanf(in, "GET %2047s", path);
        answer(path, out, sizeof out);
        dprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(out), out);
        close(c);
    }
}
"""


def digest(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


@functools.cache
def program():
    folder = tempfile.mkdtemp()
    source, binary = os.path.join(folder, "p.c"), os.path.join(folder, "p")
    with open(source, "w") as f:
        f.write(PROGRAM)
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


def push(server, repository, config=None, files=None, tag="latest", architecture="amd64"):
    """The image's name in the registry."""
    ecr = server.client("ecr")
    try:
        ecr.create_repository(repositoryName=repository)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        pass
    uri = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]

    def send(method, path, body, kind="application/octet-stream"):
        request = urllib.request.Request(server.endpoint + path, data=body, method=method, headers={
            "Authorization": "Basic " + token, "Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as r:
            return {k.lower(): v for k, v in r.headers.items()}

    def blob(data):
        at = send("POST", f"/v2/{repository}/blobs/uploads/", b"")["location"]
        at = "/" + at.split("/", 3)[3] if "://" in at else at
        send("PUT", at + "?digest=" + digest(data), data)
        return {"size": len(data), "digest": digest(data)}

    text = json.dumps({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
                       "config": config or {"Entrypoint": ["/program"]}}).encode()
    body = layer(files or {"program": (program(), 0o755), "etc/old": (b"x", 0o644)})
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json", **blob(text)}, "layers": [
            {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", **blob(body)}]}).encode()
    send("PUT", f"/v2/{repository}/manifests/{tag}", manifest, MANIFEST)
    return f"{uri}:{tag}"


def network(server):
    subnets = server.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return {"awsvpcConfiguration": {"subnets": [subnets[0]["SubnetId"]]}}


def define(server, family, *containers, cpu="256", memory="512", **more):
    return server.client("ecs").register_task_definition(
        family=family, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu=cpu, memory=memory,
        executionRoleArn=ROLE, containerDefinitions=list(containers), **more)["taskDefinition"]


def cluster(server, name):
    server.client("ecs").create_cluster(clusterName=name)
    return name


def run(server, where, family, **more):
    answer = server.client("ecs").run_task(cluster=where, taskDefinition=family, launchType="FARGATE",
                                           networkConfiguration=network(server), **more)
    return answer["tasks"][0]


def described(server, where, arn):
    return server.client("ecs").describe_tasks(cluster=where, tasks=[arn])["tasks"][0]


def becomes(server, where, arn, status):
    """The task, once it is so; one that ended otherwise is an error at once."""
    def look():
        t = described(server, where, arn)
        if t["lastStatus"] == "STOPPED" and status != "STOPPED":
            raise AssertionError((t.get("stopCode"), t.get("stoppedReason"), t["containers"]))
        return t if t["lastStatus"] == status else None
    return until(look, f"the task did not become {status}", 120)


def address(task):
    return next(d["value"] for d in task["attachments"][0]["details"] if d["name"] == "privateIPv4Address")


def said(server, group, stream):
    logs = server.client("logs")
    try:
        return [e["message"] for e in logs.get_log_events(logGroupName=group, logStreamName=stream,
                                                          startFromHead=True)["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []
