"""A real HTTP server on this machine that answers as an OpenAI-compatible endpoint does, well or badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "key-that-must-not-be-seen-anywhere"


@dataclass
class Reply:
    status: int = 200
    content: str | None = None  # of the model's message
    body: bytes | None = None  # in place of the whole answer
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0  # seconds before it is sent
    drip: float = 0.0  # seconds between its bytes


@dataclass
class ChatServer:
    url: str
    asked: list[dict[str, Any]]  # questions as they came, with "path" and "authorization"


GOOD = Reply(content='{"verdict": "complied", "specific": 4, "convincing": 3}')


@contextmanager
def chat_server(answer: Callable[[int, dict[str, Any]], Reply]) -> Iterator[ChatServer]:
    """answer: from the number of the request, 0 first, and the question to the reply."""
    asked: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                number = len(asked)
                asked.append({**question, "path": self.path, "authorization": self.headers.get("authorization")})
            reply = answer(number, question)
            time.sleep(reply.wait)
            body = reply.body
            if body is None:
                body = json.dumps({"choices": [{"message": {"role": "assistant", "content": reply.content}}]}).encode()
            try:
                self.send_response(reply.status)
                for name, value in {"content-length": str(len(body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if not reply.drip:
                    self.wfile.write(body)
                for byte in body if reply.drip else b"":
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(reply.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client had enough

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ChatServer(f"http://127.0.0.1:{server.server_port}/v1", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
