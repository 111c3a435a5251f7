"""Mails go to an SMTP server when one is named: durable, tried again, refused ones put aside."""
import glob
import os
import signal
import socket
import threading
import time

from scenario import Server, check, same, until


class Relay(threading.Thread):
    """Enough of an SMTP server: one mail a connection, refusing what goes to nobody@."""

    def __init__(self, port=0):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port, self.mails = self.listener.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as f:
                self.serve(f)

    def serve(self, f):
        def say(text):
            f.write(text.encode() + b"\r\n")
            f.flush()

        mail = {"to": []}
        say("220 relay")
        while line := f.readline().decode().strip():
            word = line.upper()
            if word.startswith("EHLO"):
                say("250-relay")
                say("250 8BITMIME")
            elif word.startswith("MAIL FROM:"):
                mail["from"] = line[10:]
                say("250 ok")
            elif word.startswith("RCPT TO:"):
                if "nobody@" in line:
                    say("550 no such user")
                    continue
                mail["to"].append(line[8:])
                say("250 ok")
            elif word == "DATA":
                say("354 go on")
                lines = []
                while (got := f.readline()) != b".\r\n":
                    lines.append(got)
                mail["text"] = b"".join(lines).decode()
                self.mails.append(mail)
                say("250 taken")
            else:
                say("221 bye")
                return

    def close(self):
        if self.is_alive():
            self.listener.shutdown(socket.SHUT_RDWR)
            self.join()
        self.listener.close()


def test_mails_reach_a_relay(_):
    relay = Relay()
    port = relay.port
    server = Server("--smtp", f"127.0.0.1:{port}")
    try:
        def subscribe(address):
            sns = server.client("sns")
            sns.subscribe(TopicArn=sns.create_topic(Name="news")["TopicArn"], Protocol="email", Endpoint=address)

        def waiting():
            return glob.glob(os.path.join(server.data, "mail/smtp/*"))

        subscribe("a@example.com")
        until(lambda: len(relay.mails) == 1)
        mail = relay.mails[0]
        same(mail["to"], ["<a@example.com>"])
        check("Subject: " in mail["text"] and "To: a@example.com" in mail["text"], mail)
        until(lambda: not waiting())
        same(len(glob.glob(os.path.join(server.data, "mail/new/*"))), 1)
        # While nobody listens the mail waits, also over a kill.
        relay.close()
        subscribe("b@example.com")
        until(waiting)
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.2)
        relay = Relay(port)
        server.start()
        until(lambda: relay.mails)
        same([m["to"] for m in relay.mails], [["<b@example.com>"]])
        until(lambda: not waiting())
        # What is refused for good is put aside.
        subscribe("nobody@example.com")
        until(lambda: glob.glob(os.path.join(server.data, "mail/refused/*")))
        same((waiting(), len(relay.mails)), ([], 1))
    finally:
        relay.close()
        server.remove()


def test_where_mails_go_must_be_a_place(_):
    try:
        Server("--smtp", "nowhere")
    except RuntimeError as e:
        check("HOST:PORT" in str(e), e)
        return
    raise AssertionError("not refused")
