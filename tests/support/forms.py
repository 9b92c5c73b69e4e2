"""multipart/form-data by hand, well formed or not."""

BOUNDARY = "xYzZY"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(headers, data=b"", boundary=BOUNDARY):
    """headers: text, its lines ending with CRLF by themselves."""
    if isinstance(headers, str):
        headers = headers.encode()
    return b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), headers, data)


def end(boundary=BOUNDARY):
    return b"--%s--\r\n" % boundary.encode()


def disposition(name, filename=None):
    text = f'Content-Disposition: form-data; name="{name}"'
    return text if filename is None else f'{text}; filename="{filename}"'


def file(filename="a.txt", data=b"hello", name="file", content_type=None):
    headers = disposition(name, filename)
    if content_type:
        headers += f"\r\nContent-Type: {content_type}"
    return part(headers, data)


def field(name, value):
    return part(disposition(name), value if isinstance(value, bytes) else value.encode())


def form(*parts):
    return b"".join(parts) + end()


def post(sluice, *parts, **args):
    """The answer to a form of these parts."""
    return post_raw(sluice, form(*parts), **args)


def post_raw(sluice, body, content_type=TYPE, **args):
    return sluice.post("/api/upload", data=body, headers={"Content-Type": content_type}, **args)
