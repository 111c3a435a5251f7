"""Runs a Python handler behind the Lambda Runtime API.

Speaks HTTP over one raw socket: the answer to an event and the request for the next one leave in a single
packet. Whatever costs start-up time and is not needed by every function (logging, traceback) is loaded when
it is first used. Log events travel on standard output, framed, so that one with line breaks stays one.
"""
import _socket
import json
import os
import sys
import time

FRAME = b"\xa5\x5a\x00\x01"
API = "/2018-06-01/runtime"


def emit(text):
    """Writes one log event, whole."""
    body = text.encode("utf-8", "backslashreplace")
    sys.stdout.flush()
    rest = memoryview(FRAME + len(body).to_bytes(4, "big") + body)
    while rest:
        rest = rest[os.write(1, rest):]


class Fault(Exception):
    """A failure with AWS's own name for it and without a trace."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Connection:
    """The keep-alive connection to the Runtime API."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.host = address
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.posts = 0
        self.get_next = ("GET %s/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % (API, address)).encode()

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.socket.send(view):]

    def more(self):
        data = self.socket.recv(262144)
        if not data:
            os._exit(0)
        return data

    def answer(self):
        """One response: its headers, lower case, and its body."""
        buffer = self.buffer
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            buffer += self.more()
            end = buffer.find(b"\r\n\r\n")
        headers = {}
        for line in buffer[:end].decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        body = buffer[end + 4:]
        if len(body) < size:
            parts = [body]
            got = len(body)
            while got < size:
                data = self.more()
                parts.append(data)
                got += len(data)
            body = b"".join(parts)
        self.buffer = body[size:]
        return headers, body[:size]

    def next(self):
        while self.posts:
            self.answer()
            self.posts -= 1
        return self.answer()

    def request(self, path, body, extra=""):
        head = "POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
        self.posts += 1
        return (head % (API, path, self.host, extra, len(body))).encode("latin-1", "replace") + body


class ClientContext:
    __slots__ = ("custom", "env", "client")


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id=%s,cognito_identity_pool_id=%s])" % (
            self.cognito_identity_id, self.cognito_identity_pool_id)


class LambdaContext:
    def __init__(self, request_id, headers):
        environ = os.environ
        self.aws_request_id = request_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        self.identity = CognitoIdentity()
        identity = json.loads(headers.get("lambda-runtime-cognito-identity") or "{}") or {}
        self.identity.cognito_identity_id = identity.get("cognitoIdentityId")
        self.identity.cognito_identity_pool_id = identity.get("cognitoIdentityPoolId")
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        emit(str(message))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity")
        return "LambdaContext([%s])" % ",".join("%s=%s" % (n, getattr(self, n)) for n in names)


def client_context(text):
    if not text:
        return None
    given = json.loads(text)
    context = ClientContext()
    context.custom = given.get("custom")
    context.env = given.get("env")
    context.client = None
    if given.get("client"):
        context.client = Client()
        for name in Client.__slots__:
            setattr(context.client, name, given["client"].get(name))
    return context


class ImportHook:
    """Sets a module up for Lambda at the moment the function imports it."""

    def __init__(self, name, set_up):
        self.name = name
        self.set_up = set_up
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        from _frozen_importlib import _find_spec
        spec = _find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.set_up(module)

        spec.loader.exec_module = exec_module
        return spec


class Current:
    """The invocation being handled."""

    request_id = ""


def set_up_botocore(module):
    """AWS_ENDPOINT_URL, for the versions of botocore that do not know it yet (before 1.31)."""
    import botocore
    if tuple(int(n) for n in botocore.__version__.split(".")[:2]) >= (1, 31):
        return
    create_client = module.Session.create_client

    def create_here(self, service_name, *args, **named):
        if len(args) < 5 and not named.get("endpoint_url"):
            own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_")
            named["endpoint_url"] = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
        return create_client(self, service_name, *args, **named)

    module.Session.create_client = create_here


def set_up_logging(logging):
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    logging.Formatter.converter = time.gmtime

    class LambdaFormatter(logging.Formatter):
        def format(self, record):
            text = super().format(record)
            if not as_json:
                return text
            entry = {"timestamp": self.formatTime(record, self.datefmt) + "Z", "level": record.levelname,
                     "message": record.getMessage(), "logger": record.name}
            if record.exc_info:
                kind, value, trace = record.exc_info
                import traceback
                entry["errorType"] = kind.__name__
                entry["errorMessage"] = str(value)
                entry["stackTrace"] = traceback.format_list(traceback.extract_tb(trace))
            entry["requestId"] = record.aws_request_id
            return json.dumps(entry, ensure_ascii=False, default=str)

    class LambdaLoggerFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = Current.request_id
            return True

    class LambdaLoggerHandler(logging.Handler):
        def emit(self, record):
            emit(self.format(record))

    handler = LambdaLoggerHandler()
    handler.setFormatter(LambdaFormatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL")
    if level:
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as e:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, e))
    import importlib
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise Fault("Runtime.ImportModuleError",
                        "Cannot use built-in module %s as a handler module" % module_name)
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        fault = Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e))
        fault.trace = ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, (e.text or "").strip())]
        raise fault
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound",
                    "Handler '%s' missing on module '%s'" % (function_name, module_name))


def fault_of(error, request_id):
    """AWS's error object, and what is written to the log."""
    if isinstance(error, Fault):
        kind, message, trace = error.kind, str(error), getattr(error, "trace", [])
    else:
        import traceback
        kind, message = type(error).__name__, str(error)
        frames = traceback.extract_tb(error.__traceback__)
        while frames and frames[0].filename.startswith("/var/runtime/"):
            del frames[0]
        for frame in frames:  # where AWS's runtime has it
            if frame.filename.startswith(sys.base_prefix + "/lib"):
                frame.filename = "/var/lang" + frame.filename[len(sys.base_prefix):]
        trace = traceback.format_list(frames)
    lines = "".join(line if line.endswith("\n") else line + "\n" for line in trace)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        emit(json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": "ERROR",
                         "log_level": "ERROR", "errorType": kind, "errorMessage": message,
                         "stackTrace": trace, "requestId": request_id}, ensure_ascii=False))
    else:
        emit("[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (kind, message, lines))
    body = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return kind, json.dumps(body).encode()


def encode_default(value):
    decimal = sys.modules.get("decimal")
    if decimal and isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def run_handler(handler, event, context):
    try:
        event = json.loads(event)
    except ValueError as e:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)
    result = handler(event, context)
    try:
        # The runtimes before 3.12 escape what is not ASCII.
        return json.dumps(result, default=encode_default, ensure_ascii=sys.version_info < (3, 12)).encode()
    except Exception as e:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % e)


def error_header(kind):
    return "Lambda-Runtime-Function-Error-Type: %s\r\n" % kind


def set_paths(site):
    root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    extra = [p for p in os.environ.get("PYTHONPATH", "").split(":") if p]
    own = "/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2]
    base = [p for p in sys.path[1:] if p not in extra]
    sys.path[:] = [root, own, "/opt/python"] + extra + base + site
    import _sitebuiltins
    import builtins
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")


def main():
    site = [p for p in sys.argv[1].split(":") if p]
    sys.argv[:] = ["/var/runtime/bootstrap.py"]
    if os.environ.get("LC_CTYPE") == "C.UTF-8":
        del os.environ["LC_CTYPE"]  # Python's own remedy where the locale of LANG is not installed
    set_paths(site)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    ImportHook("logging", set_up_logging)
    ImportHook("botocore.session", set_up_botocore)
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as e:
        kind, body = fault_of(e, "")
        connection.send(connection.request("/init/error", body, error_header(kind)))
        connection.answer()
        sys.exit(1)
    connection.send(connection.get_next)
    while True:
        headers, event = connection.next()
        request_id = Current.request_id = headers["lambda-runtime-aws-request-id"]
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        try:
            body = run_handler(handler, event, LambdaContext(request_id, headers))
            path, extra = "/response", ""
        except Exception as e:
            kind, body = fault_of(e, request_id)
            path, extra = "/error", error_header(kind)
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(connection.request("/invocation/" + request_id + path, body, extra) + connection.get_next)


main()
