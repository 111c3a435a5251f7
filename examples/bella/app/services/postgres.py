"""A PostgreSQL connection in a hundred lines: simple queries over TLS or not, SCRAM-SHA-256 passwords."""
import base64
import hashlib
import hmac
import os
import socket
import struct
from urllib.parse import unquote, urlsplit


class Error(Exception):
    pass


def literal(value):
    """A string or number as SQL text."""
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


class Connection:
    def __init__(self, url, timeout=20):  # seconds: an Aurora that sleeps needs up to 15 to wake
        u = urlsplit(url)
        self.user, self.password = unquote(u.username), unquote(u.password or "")
        self.socket = socket.create_connection((u.hostname, u.port or 5432), timeout)
        self.file = self.socket.makefile("rb")
        start = b"".join(s.encode() + b"\0" for s in ("user", self.user, "database", u.path[1:])) + b"\0"
        self.socket.sendall(struct.pack("!II", len(start) + 8, 196608) + start)
        self._until_ready()

    def query(self, sql, *values):
        """Rows as lists of strings; each ? in the text is the next value."""
        parts = sql.split("?")
        text = parts[0] + "".join(literal(v) + p for v, p in zip(values, parts[1:], strict=True))
        self._send(b"Q", text.encode() + b"\0")
        return self._until_ready()

    def close(self):
        self._send(b"X", b"")
        self.socket.close()

    def _send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _message(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise Error("the connection has ended")
        return head[:1], self.file.read(struct.unpack("!I", head[1:])[0] - 4)

    def _until_ready(self):
        rows, failure = [], None
        while True:
            kind, body = self._message()
            if kind == b"R":
                self._authenticate(body)
            elif kind == b"D":
                rows.append(self._row(body))
            elif kind == b"E":
                fields = dict((f[:1], f[1:].decode()) for f in body.split(b"\0") if f)
                failure = Error(fields.get(b"M", "error"))
                if fields.get(b"S") == "FATAL":
                    raise failure
            elif kind == b"Z":
                if failure:
                    raise failure
                return rows

    @staticmethod
    def _row(body):
        out, at = [], 2
        for _ in range(struct.unpack("!H", body[:2])[0]):
            n = struct.unpack("!i", body[at:at + 4])[0]
            at += 4
            out.append(None if n < 0 else body[at:at + n].decode())
            at += max(n, 0)
        return out

    def _authenticate(self, body):
        method = struct.unpack("!I", body[:4])[0]
        if method in (0, 12):  # done, or the end of SCRAM
            return
        if method != 10:
            raise Error(f"authentication method {method} is not known")
        nonce = base64.b64encode(os.urandom(18)).decode()
        bare = f"n=,r={nonce}"
        first = ("n,," + bare).encode()
        self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
        kind, body = self._message()
        if kind != b"R":
            raise Error("authentication failed")
        server = body[4:].decode()
        given = dict(part.split("=", 1) for part in server.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(given["s"]), int(given["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={given['r']}"
        signed = ",".join((bare, server, final)).encode()
        proof = bytes(a ^ b for a, b in zip(
            client_key, hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")))
        self._send(b"p", (final + ",p=" + base64.b64encode(proof).decode()).encode())
