"""A small FastCGI client for tests: says what a web server says, and what none should.

    with Client("/run/sluice.sock") as c:
        c.begin()
        c.params({"REQUEST_METHOD": "PUT", "CONTENT_LENGTH": "5"})
        c.stdin(b"hello")
        c.stdin_end()
        r = c.response()
        assert r.status == 201 and r.complete

Short form: request(sock, "PUT", "/api/upload/a.txt", body=b"hello").
A socket is a path, or (host, port).
"""
import socket
import struct

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = range(8, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
CHUNK = 32768


def record(kind, content=b"", request_id=1, padding=0, version=1):
    """One record as bytes."""
    head = struct.pack(">BBHHBB", version, kind, request_id, len(content), padding, 0)
    return head + content + b"\0" * padding


def pair(name, value):
    """One name-value pair as bytes."""

    def length(n):
        return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)

    name, value = (s.encode() if isinstance(s, str) else s for s in (name, value))
    return length(len(name)) + length(len(value)) + name + value


class Response:
    """What came back. complete: END_REQUEST was seen; status None: no header block."""

    def __init__(self):
        self.stdout = b""
        self.stderr = b""
        self.complete = False
        self.app_status = self.protocol_status = None
        self.error = None

    @property
    def head(self):
        return self.stdout.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in self.stdout else b""

    @property
    def body(self):
        return self.stdout.partition(b"\r\n\r\n")[2]

    @property
    def headers(self):
        pairs = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n") if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def status(self):
        if not self.head:
            return None
        return int(self.headers.get("status", "200").split()[0])

    def __repr__(self):
        return f"<Response {self.status} complete={self.complete} error={self.error!r}>"


class Client:
    """One connection. Every step is its own call, so that any of them can be left out."""

    def __init__(self, address, timeout=30, connect=True):
        self.address = address
        self.timeout = timeout
        self.sock = None
        if connect:
            self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self):
        family = socket.AF_INET if isinstance(self.address, tuple) else socket.AF_UNIX
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.address)
        return self

    def raw(self, data):
        """Any bytes."""
        self.sock.sendall(data)
        return self

    def record(self, *args, **kw):
        return self.raw(record(*args, **kw))

    def begin(self, role=RESPONDER, flags=0, request_id=1):
        body = struct.pack(">HB5x", role, flags)
        return self.record(BEGIN_REQUEST, body, request_id)

    def params(self, params, end=True, request_id=1):
        """A dict, or a list of pairs (which may repeat a name)."""
        items = params.items() if isinstance(params, dict) else params
        data = b"".join(pair(n, v) for n, v in items)
        for i in range(0, len(data), CHUNK):
            self.record(PARAMS, data[i : i + CHUNK], request_id)
        return self.record(PARAMS, b"", request_id) if end else self

    def stdin(self, data, chunk=CHUNK, padding=0, request_id=1):
        for i in range(0, len(data), chunk):
            self.record(STDIN, data[i : i + chunk], request_id, padding)
        return self

    def stdin_end(self, request_id=1):
        return self.record(STDIN, b"", request_id)

    def abort(self, request_id=1):
        return self.record(ABORT_REQUEST, b"", request_id)

    def half_close(self):
        """No more from us, but we still read."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def close(self):
        """Hangs up."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _receive(self, n):
        data = bytearray()
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError(f"connection closed after {len(data)} of {n} bytes")
            data += more
        return bytes(data)

    def read_record(self):
        """(type, request id, content)."""
        _, kind, request_id, length, padding, _ = struct.unpack(">BBHHBB", self._receive(8))
        content = self._receive(length)
        self._receive(padding)
        return kind, request_id, content

    def response(self):
        """All until END_REQUEST or the end of the connection."""
        r = Response()
        out = bytearray()
        try:
            while not r.complete:
                kind, _, content = self.read_record()
                if kind == STDOUT:
                    out += content
                elif kind == STDERR:
                    r.stderr += content
                elif kind == END_REQUEST:
                    r.app_status, r.protocol_status = struct.unpack(">IB3x", content)
                    r.complete = True
        except (EOFError, OSError) as e:
            r.error = e
        r.stdout = bytes(out)
        return r

    def closed(self, timeout=5):
        """Did the other side close (within timeout)?"""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False
        finally:
            self.sock.settimeout(self.timeout)


def environment(method, uri, length=None, content_type=None, **extra):
    """The parameters that nginx sends. extra: names as they are (HTTP_..., REMOTE_USER)."""
    path, _, query = uri.partition("?")
    env = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": uri,
        "DOCUMENT_URI": path,
        "SCRIPT_NAME": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type or "",
        "CONTENT_LENGTH": "" if length is None else str(length),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
    }
    env.update(extra)
    return env


def request(address, method, uri, body=b"", content_type=None, length=True, timeout=30, **extra):
    """One whole request on a connection of its own. length: True the right one, None none."""
    if length is True:
        length = len(body) if body or method in ("POST", "PUT", "PATCH") else None
    with Client(address, timeout) as c:
        try:
            c.begin().params(environment(method, uri, length, content_type, **extra))
            c.stdin(body).stdin_end()
        except OSError:
            pass  # refused early: the answer may be there all the same
        return c.response()
