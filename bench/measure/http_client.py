# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small JSON client for setting measurements up; never part of what is measured unless a workload says so."""
import http.client
import json
import ssl


def unverified():
    """A TLS context for the benchmark's own self-signed certificate on loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class HttpClient:
    def __init__(self, port, is_tls=False):
        self.connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=unverified()) if is_tls
                           else http.client.HTTPConnection("127.0.0.1", port, timeout=120))

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body) of one request."""
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, method, path, value=None, token=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = value
        if value is not None and not isinstance(value, bytes):
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(value).encode()
        status, _, answer = self.request(method, path, body, headers)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:500].decode(errors='replace')}")
        return json.loads(answer) if answer else None

    def close(self):
        self.connection.close()
