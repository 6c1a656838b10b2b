"""Requests as clients make them: the path goes out as it is written, whatever it holds."""

import http.client
import json
import socket
import ssl
import urllib.parse
from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, RejectData, Request, TextMessage

PATIENCE_SECONDS = 30
OPENED = 101  # Switching Protocols: the WebSocket is open


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    def json(self):
        return json.loads(self.text)


def request(url: str, method: str, path: str, token: str | None, **headers: str) -> Answer:
    """`url` is the API's; `path` begins with a slash."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE_SECONDS)
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    try:
        connection.request(method, parts.path + path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
    finally:
        connection.close()


def connect(url: str, token: str | None, in_query: bool = False) -> Answer:
    """Opens a WebSocket, sends a message, and takes down what comes back; the status is the handshake's."""
    parts = urllib.parse.urlsplit(url)
    secure = parts.scheme == "wss"
    headers, target = [], parts.path
    if token is not None and in_query:
        target += f"?{urllib.parse.urlencode({'access_token': token})}"
    elif token is not None:
        headers = [("authorization", f"Bearer {token}")]
    with socket.create_connection((parts.hostname, parts.port or (443 if secure else 80)), PATIENCE_SECONDS) as plain:
        stream = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) if secure else plain
        protocol = WSConnection(ConnectionType.CLIENT)
        stream.sendall(protocol.send(Request(host=parts.netloc, target=target, extra_headers=headers)))
        status, text = 0, ""
        while True:
            received = stream.recv(65536)
            protocol.receive_data(received or None)
            for event in protocol.events():
                match event:
                    case AcceptConnection():
                        status = OPENED
                        stream.sendall(protocol.send(TextMessage(data='{"action": "hello"}')))
                    case RejectConnection():
                        status = event.status_code
                        if not event.has_body:
                            return Answer(status, {}, "")
                    case RejectData():
                        text += event.data.decode(errors="replace")
                        if event.body_finished:
                            return Answer(status, {}, text)
                    case TextMessage():
                        text += event.data
                        if event.message_finished:
                            stream.sendall(protocol.send(CloseConnection(code=1000)))
                            return Answer(status, {}, text)
                    case CloseConnection():
                        return Answer(status, {}, text)
            if not received:
                return Answer(status, {}, text)


def preflight(url: str, path: str, origin: str, method: str) -> Answer:
    """What a browser asks before it sends a request with a token from another origin."""
    asked = {"access-control-request-method": method, "access-control-request-headers": "authorization"}
    return request(url, "OPTIONS", path, None, origin=origin, **asked)
