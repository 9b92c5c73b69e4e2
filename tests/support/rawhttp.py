"""HTTP by hand: for what a proper client does not say, and for answers that come early.

    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/a.txt", {"Content-Length": 1000000})
        status, headers, body = c.answer()      # before a byte of the body was sent
"""

import http.client
import socket
from urllib.parse import urlsplit


class Connection:
    def __init__(self, sluice, timeout=20):
        url = urlsplit(sluice.url)
        self.host = url.netloc
        self.token = sluice.token
        self.sock = socket.create_connection((url.hostname, url.port), timeout)
        self.method = "GET"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Hangs up without a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data)
        return self

    def head(self, method, path, headers=(), token=True):
        self.method = method
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}"]
        if token:
            lines.append(f"Authorization: Bearer {self.token}")
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape"))

    def chunk(self, data):
        """One chunk of a chunked body; b"" is the last."""
        return self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def answer(self):
        """(status, headers, body); status None when the connection ends without an answer."""
        response = http.client.HTTPResponse(self.sock, method=self.method)
        try:
            response.begin()
            return response.status, response.headers, response.read()
        except (http.client.HTTPException, ConnectionError):
            return None, {}, b""


def put_all(connection, data, step=65536):
    """Sends until the other side has enough; how much it took."""
    sent = 0
    try:
        while sent < len(data):
            connection.send(data[sent:sent + step])
            sent += step
    except OSError:
        pass
    return min(sent, len(data))
