"""Functions that try to get out, to get at others, or to use the machine up."""
import io
import json
import os
import subprocess
import sys
import time
import zipfile

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import ROLE, call, make, package  # noqa: E402

ATTACKER = r'''
import ctypes, errno, os, resource, signal, socket, subprocess, time
libc = ctypes.CDLL(None, use_errno=True)

def kernel(number, *args):
    ctypes.set_errno(0)
    return "OK" if libc.syscall(number, *args) >= 0 else errno.errorcode[ctypes.get_errno()]

def tried(f, *args):
    try:
        return "OK " + repr(f(*args))[:300]
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)
    except Exception as e:
        return type(e).__name__

def read(path):
    with open(path, "rb") as f:
        return f.read(64)

def write(path):
    with open(path, "wb") as f:
        return f.write(b"x")

def calls(event):
    return {name: kernel(number, *[a.encode() if isinstance(a, str) else a for a in args])
            for name, (number, *args) in event["calls"].items()}

def files(event):
    return {"read": {p: tried(read, p) for p in event["read"]}, "write": {p: tried(write, p) for p in event["write"]},
            "root": sorted(os.listdir("/")), "tmp": os.listdir("/tmp"),
            "processes": sorted(p for p in os.listdir("/proc") if p.isdigit()), "uid": os.getuid(),
            "status": dict(l.split(":\t") for l in open("/proc/self/status").read().splitlines() if ":\t" in l)}

def sockets(event):
    def connect(address):
        socket.create_connection(address, 1).close()
    return {"outside": {h: tried(connect, (h, 80)) for h in event["outside"]},
            "closed": tried(connect, ("127.0.0.1", event["closed"])), "six": tried(connect, ("::1", event["closed"])),
            "raw": tried(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
            "packet": tried(socket.socket, 17, socket.SOCK_RAW, 0), "alg": tried(socket.socket, 38, 5, 0)}

def forks(event):
    children, failed = [], None
    try:
        for _ in range(4000):
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
    except OSError as e:
        failed = errno.errorcode[e.errno]
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return [len(children), failed]

def stays(event):
    """Leaves a process behind that ignores every signal it can, in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        for s in range(1, 32):
            try: signal.signal(s, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True:
            time.sleep(1)
    while event.get("hang"):
        time.sleep(1)
    return "left"

def memory(event):
    held = []
    while True:
        held.append(bytearray(4 << 20))

def fill(event):
    n = 0
    try:
        with open("/tmp/full", "wb") as f:
            while True:
                n += f.write(b"x" * (1 << 20))
    except OSError as e:
        os.unlink("/tmp/full")
        return [n >> 20, errno.errorcode[e.errno]]

def names(event):
    n = 0
    try:
        while n < 1000000:
            os.close(os.open("/tmp/n%d" % n, os.O_CREAT | os.O_WRONLY))
            n += 1
    except OSError as e:
        return [n, errno.errorcode[e.errno]]

def api(event):
    """Nonsense for the Runtime API, and an answer to somebody else's request."""
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    def say(data, seconds=0.5):
        with socket.create_connection((host, int(port)), 20) as s:
            s.settimeout(seconds)
            s.sendall(data)
            try: return s.recv(200).split(b"\r\n")[0].decode()
            except OSError: return "nothing"
    head = b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
    said = [tried(say, d) for d in (b"\0" * 70000, head % b"x" + b"Content-Length: 99999999999999999999\r\n\r\n",
                                    head % b"../../x" + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")]
    many = [socket.create_connection((host, int(port)), 20) for _ in range(100)]
    for s in many: s.close()
    return say(head % b"00000000-0000-4000-8000-000000000000" + b"Content-Length: 1\r\n\r\n1", 20)

def handler(event, context):
    return globals()[event["do"]](event)
'''
X86_64 = {  # numbers and arguments that would succeed for someone who may
    "ptrace": [101, 0, 0, 0, 0], "mount": [165, "none", "/tmp", "tmpfs", 0, 0], "umount2": [166, "/tmp", 2],
    "unshare user": [272, 0x10000000], "unshare mount": [272, 0x20000], "clone user": [56, 0x10000011, 0, 0, 0, 0],
    "setns": [308, 0, 0], "keyctl": [250, 0, -3, 1], "add_key": [248, "user", "x", "y", 1, -3],
    "request_key": [249, "user", "x", 0, -3], "io_uring_setup": [425, 1, 0], "bpf": [321, 0, 0, 0],
    "perf_event_open": [298, 0, 0, -1, -1, 0], "userfaultfd": [323, 0], "chroot": [161, "/tmp"],
    "pivot_root": [155, "/tmp", "/tmp"], "open_by_handle_at": [304, 0, 0, 0], "kexec_load": [246, 0, 0, 0, 0],
    "init_module": [175, 0, 0, ""], "reboot": [169, 0, 0, 0, 0], "setuid": [105, 0], "setgid": [106, 0],
    "mknod block": [133, "/tmp/disk", 0o60666, 0x800], "mknod char": [133, "/tmp/mem", 0o20666, 0x101],
    "process_vm_readv": [310, 1, 0, 0, 0, 0, 0], "swapon": [167, "/tmp/x", 0], "settimeofday": [164, 0, 0],
    "sethostname": [170, "x", 1], "iopl": [172, 3], "fsopen": [430, "tmpfs", 0], "syslog": [103, 3, 0, 0],
    "pidfd_getfd": [438, 0, 0, 0], "quotactl": [179, 0, 0, 0, 0],
}


def attacker(server, name, **more):
    return make(server, name, ATTACKER, **dict({"MemorySize": 512, "Timeout": 20}, **more))


def below(server):
    """All processes that the server has, and theirs."""
    seen = subprocess.run(["ps", "-eo", "ppid,pid"], capture_output=True, text=True).stdout.split("\n")[1:]
    rows = [line.split() for line in seen if line.strip()]
    found, more = set(), {str(server.pid)}
    while more:
        more = {pid for parent, pid in rows if parent in more} - found
        found |= more
    return found


def test_the_kernel_refuses(server):
    if os.uname().machine != "x86_64":
        return
    got, _ = call(attacker(server, "calls"), "calls", {"do": "calls", "calls": X86_64})
    same({k: v for k, v in got.items() if v not in ("EPERM", "ENOSYS")}, {})
    same(set(got), set(X86_64))


def test_files_of_others(server):
    client = attacker(server, "files")
    make(server, "neighbour", "def handler(e, c):\n    open('/tmp/secret', 'w').write('s')\n")
    call(client, "neighbour")
    with open("/proc/partitions") as f:
        disks = ["/dev/" + line.split()[3] for line in f.read().splitlines()[2:]]
    forbidden = disks + ["/etc/shadow", "/proc/kcore", "/proc/1/environ", "/proc/1/mem", "/proc/1/root/etc/passwd",
                 "/dev/kmsg", "/dev/mem", "/sys/kernel/security", "/tmp/secret", "/root/.bashrc",
                 server.data + "/store", server.data + "/server.json", server.data + "/lambda", "/proc/kallsyms/x"]
    got, _ = call(client, "files", {
        "do": "files", "read": forbidden,
        "write": ["/x", "/usr/x", "/var/task/x", "/var/runtime/x", "/opt/x", "/etc/x", "/proc/sysrq-trigger",
                  "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj/x", "/dev/null/x"]})
    same({p: r for p, r in got["read"].items() if r.startswith("OK")}, {})
    same({p: r for p, r in got["write"].items() if r.startswith("OK")}, {})
    same((got["tmp"], got["processes"]), ([], ["1", "2"]))
    check(got["uid"] != 0 and "home" not in got["root"] and "work" not in got["root"], got["root"])
    same({got["status"][k] for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, {"0" * 16})
    same((got["status"]["NoNewPrivs"], got["status"]["Seccomp"]), ("1", "2"))


def test_the_network(server):
    got, _ = call(attacker(server, "net"), "net", {
        "do": "sockets", "outside": ["8.8.8.8", "169.254.169.254", "192.0.2.1", "10.0.0.1"], "closed": 1})
    same({h: r for h, r in got["outside"].items() if r not in ("ENETUNREACH", "EHOSTUNREACH", "EPERM")}, {})
    same((got["closed"], got["six"], got["raw"], got["packet"], got["alg"]),
         ("ECONNREFUSED", "ECONNREFUSED", "EPERM", "EAFNOSUPPORT", "EAFNOSUPPORT"))


def test_what_is_used_up(server):
    client = attacker(server, "greedy", MemorySize=1769)
    n, why = call(client, "greedy", {"do": "forks"})[0]
    check(why == "EAGAIN" and n <= 1024, (n, why))
    same(call(client, "greedy", {"do": "fill"})[0], [512, "ENOSPC"])
    n, why = call(client, "greedy", {"do": "names"})[0]
    check(why == "ENOSPC" and n <= 32768, (n, why))
    got, r = call(attacker(server, "hungry", MemorySize=128), "hungry", {"do": "memory"})
    same((r["FunctionError"], got["errorType"]), ("Unhandled", "Runtime.ExitError"))
    check("signal: killed" in got["errorMessage"], got)
    same(call(client, "greedy", {"do": "api"})[0], "HTTP/1.1 400 Bad Request")


def test_nothing_stays(server):
    before = below(server)
    client = attacker(server, "stays", Timeout=2)
    got, r = call(client, "stays", {"do": "stays", "hang": True})
    same(got["errorType"], "Sandbox.Timedout")
    same(call(client, "stays", {"do": "stays"})[0], "left")
    check(len(below(server) - before) >= 3, "init, the runtime and what it left, asleep")
    client.delete_function(FunctionName="stays")
    end = time.time() + 60
    while below(server) - before:
        check(time.time() < end, below(server) - before)
        time.sleep(0.05)


def archive(*entries):
    """Entries as (name, content, mode) that a well-behaved tool would not write."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            z.writestr(info, content)
    return out.getvalue()


def test_packages(server):
    client = server.client("lambda")

    def create(name, zipped, code="InvalidParameterValueException"):
        return refused(code, client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
                       Role=ROLE, Code={"ZipFile": zipped})
    outside = server.data + "/planted"
    for n, name in enumerate(("../../../planted", "/" + outside, "a/../../../../planted", "a/../../b/../../planted")):
        create(f"out{n}", archive((name, "x", 0o100644)))
    link = archive(("d", server.data, 0o120777), ("d/planted", "x", 0o100644))
    create("through-a-link", link)
    check(not os.path.exists(outside))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(5):
            z.writestr(f"zeros{i}", bytes(64 << 20))
    same(create("bomb", bomb.getvalue()), "Unzipped size must be smaller than 262144000 bytes")
    lying = bytearray(package({"app.py": "x" * 100000}))
    at = lying.rindex(b"PK\x01\x02") + 24
    lying[at:at + 4] = (10).to_bytes(4, "little")  # it says ten bytes
    create("lying", bytes(lying))
    # A link that stays inside the package is one; where another points, the sandbox has nothing.
    read = "def handler(e, c):\n    try: return open('/var/task/link').read()[:20]\n    except OSError as e: return e.strerror\n"
    client.create_function(FunctionName="links", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={
        "ZipFile": archive(("app.py", read, 0o100644), ("link", server.data + "/server.json", 0o120777))})
    same(json.loads(client.invoke(FunctionName="links")["Payload"].read()), "No such file or directory")
