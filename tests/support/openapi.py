"""Checks real answers against doc/openapi.yaml.

    check("GET", "/api/files?limit=3", 200, headers, body)

Fails with an AssertionError when the path, the method, the status, a header or the content is not
what the document says. Paths that the document does not have must be answered 404.
"""

import json
import os
import re
from pathlib import Path

import jsonschema
import yaml

SRCDIR = Path(os.environ.get("SLUICE_SRCDIR") or Path(__file__).resolve().parents[2])

with open(SRCDIR / "doc" / "openapi.yaml", encoding="utf-8") as f:
    DOCUMENT = yaml.safe_load(f)

FORMATS = jsonschema.FormatChecker()
seen = set()  # (method, path of the document, status) of all answers


def deref(node):
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].lstrip("#/").split("/"):
            target = target[step]
        node = target
    return node


def validate(schema, value, where):
    # local references are looked up in the schema itself
    whole = {**schema, "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
              for e in validator.iter_errors(value)]
    assert not errors, f"{where}: not as the document says: {errors}\n{value}"


def find_path(path):
    """The path of the document that fits, literal ones first."""
    path = path.partition("?")[0]
    for template in sorted(DOCUMENT["paths"], key=lambda t: t.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return template
    return None


def problem_by_front(status, value):
    """Apache's own problems have no request id (see conf/apache)."""
    return status >= 400 and isinstance(value, dict) and "requestId" not in value


def check_headers(headers, response, where):
    for name, header in deref(response).get("headers", {}).items():
        header = deref(header)
        value = headers.get(name.lower())
        if value is None:
            assert not header.get("required"), f"{where}: no {name}"
            continue
        schema = deref(header["schema"])
        if schema.get("type") == "integer":
            assert value.isdigit(), f"{where}: {name}: {value}"
            value = int(value)
        validate(schema, value, f"{where}: {name}")


def check_content(status, headers, body, response, where, head):
    content = deref(response).get("content")
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if not content:
        assert not body, f"{where}: has a body: {body[:200]}"
        return
    if head:
        assert not body, f"{where}: HEAD with a body"
        return
    for name, media in content.items():
        if name in (kind, "*/*") or name == f"{kind.partition('/')[0]}/*":
            if "schema" in media and kind.endswith("json"):
                value = json.loads(body)
                schema = media["schema"]
                if problem_by_front(status, value):
                    value = {**value, "requestId": "of the web server"}
                validate(schema, value, where)
            return
    raise AssertionError(f"{where}: content of type {kind!r}, not one of {list(content)}")


def check(method, path, status, headers, body):
    """headers: any mapping; body None: not looked at."""
    headers = {name.lower(): value for name, value in headers.items()}
    where = f"{method} {path} {status}"
    template = find_path(path)
    if template is None:
        assert status in (400, 404), f"{where}: a path that the document does not have"
        check_problem(headers, body, where, method == "HEAD")
        return
    seen.add((method, template, status))
    item = DOCUMENT["paths"][template]
    if method == "OPTIONS":
        assert status == 204 and "allow" in headers, where
        return
    operation = item.get("get" if method == "HEAD" else method.lower())
    if operation is None:
        assert status == 405 and "allow" in headers, where
        check_problem(headers, body, where, method == "HEAD")
        return
    response = operation["responses"].get(str(status))
    assert response is not None, f"{where}: not a status of the document: {body and body[:300]}"
    check_headers(headers, response, where)
    if body is not None:
        check_content(status, headers, body, response, where, method == "HEAD")
    if status < 400:
        assert headers.get("x-content-type-options") == "nosniff", f"{where}: no nosniff"


def check_problem(headers, body, where, head):
    assert headers.get("content-type", "").startswith("application/problem+json"), where
    if body and not head:
        value = json.loads(body)
        if problem_by_front(int(value["status"]), value):
            value["requestId"] = "of the web server"
        validate({"$ref": "#/components/schemas/Problem"}, value, where)


def check_response(response):
    """An answer of the requests library."""
    body = None if response.raw is not None and not response._content_consumed else response.content
    check(response.request.method, response.request.path_url, response.status_code,
          response.headers, body)
