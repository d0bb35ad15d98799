"""A small receiver for Milesight's HTTP type: takes POST (JSON) and GET, wants Basic, Digest or nothing, keeps all.

For trying a push without a VMS, and for tests that need a real receiver:

    python -m tools.fake_receiver --port 8090 --auth digest --user lpr --password secret --record got.jsonl

Each request accepted is one JSON object a line in --record (flushed to the disk before it is answered): the method,
the passage's id from ``Idempotency-Key``, the fields, and of images the size and SHA-256. --answer 503 answers every
request so instead; --fail-first 3 only the first three.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from aiohttp import web

REALM = "fake receiver"
IMAGES = ("plate_image", "full_image")


@dataclass(frozen=True, slots=True)
class Got:
    """One request that was answered with 2xx. ``id``: its Idempotency-Key; ``fields``: of the JSON or the query,
    images replaced by their size and SHA-256."""

    method: str
    path: str
    id: str
    fields: dict[str, Any]

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass
class Receiver:
    """What it wants, what it answers, what it got. May be changed while it runs.

    ``auth``: "none", "basic" or "digest"; ``algorithm``: of the digest. ``answer``: status of requests let in;
    ``headers``, ``body``: of that answer. ``hold``: requests wait for it before they are answered. ``got``: one
    entry a request answered with 2xx; ``seen``: every request's (method, path with query, status).
    """

    auth: str = "none"
    user: str = "lpr"
    password: str = ""
    algorithm: str = "SHA-256"
    answer: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"ok"
    hold: asyncio.Event | None = None
    fail_first: int = 0
    record: IO[str] | None = None
    got: list[Got] = field(default_factory=list[Got])
    seen: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    on_got: Callable[[], None] | None = None
    _nonces: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any method, any path."""
        content = await request.read()
        if self.hold is not None:
            await self.hold.wait()
        if not self._let_in(request):
            response = web.Response(status=401, text="who is it?")
            for challenge in self._challenges():
                response.headers.add("WWW-Authenticate", challenge)
            return self._answered(request, response)
        if self.fail_first > 0:
            self.fail_first -= 1
            return self._answered(request, web.Response(status=503, text="not yet"))
        if 200 <= self.answer < 300:
            self._keep(request, content)
        return self._answered(request, web.Response(status=self.answer, body=self.body, headers=self.headers))

    def _answered(self, request: web.Request, response: web.Response) -> web.Response:
        self.seen.append((request.method, request.raw_path, response.status))
        return response

    def _keep(self, request: web.Request, content: bytes) -> None:
        fields: dict[str, Any] = dict(request.query)
        if request.method == "POST":
            fields = json.loads(content)
            fields |= {key: _image(fields[key]) for key in IMAGES if key in fields}
        entry = Got(request.method, request.path, request.headers.get("Idempotency-Key", ""), fields)
        self.got.append(entry)
        if self.record is not None:
            self.record.write(entry.line() + "\n")
            self.record.flush()
            os.fsync(self.record.fileno())
        if self.on_got is not None:
            self.on_got()

    def _challenges(self) -> list[str]:
        if self.auth == "basic":
            return [f'Basic realm="{REALM}"']
        nonce = hashlib.sha256(f"{len(self._nonces)}".encode()).hexdigest()[:32]
        self._nonces[nonce] = set()
        digest = (
            f'Digest realm="{REALM}", qop="auth,auth-int", algorithm={self.algorithm}, nonce="{nonce}", opaque="0p"'
        )
        return [digest] if self.auth == "digest" else [f'Basic realm="{REALM}"', digest]

    def _let_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        scheme, _, rest = given.partition(" ")
        if self.auth == "none":
            return True
        if scheme == "Basic" and self.auth in ("basic", "both"):
            return rest == base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if scheme == "Digest" and self.auth in ("digest", "both"):
            return self._right_digest(request, rest)
        return False

    def _right_digest(self, request: web.Request, text: str) -> bool:
        """RFC 7616, section 3.4, with qop=auth; a count may not come twice with one nonce."""
        items: dict[str, str] = {
            key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', text)
        }
        hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[self.algorithm]

        def h(value: str) -> str:
            return hashed(value.encode()).hexdigest()

        counts = self._nonces.get(items.get("nonce", ""))
        if counts is None or items.get("nc") in counts or items.get("uri") != request.raw_path:
            return False
        counts.add(items.get("nc", ""))
        secret = h(f"{self.user}:{REALM}:{self.password}")
        between = ":".join(items.get(key, "") for key in ("nonce", "nc", "cnonce", "qop"))
        return items.get("response") == h(f"{secret}:{between}:{h(f'{request.method}:{request.raw_path}')}")


def _image(value: object) -> object:
    try:
        image = base64.b64decode(str(value), validate=True)
    except binascii.Error:
        return {"bad base64": str(value)[:40]}
    return {"bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()}


@contextlib.asynccontextmanager
async def serving(
    receiver: Receiver, host: str = "127.0.0.1", port: int = 0, max_body: int = 64 * 1024 * 1024
) -> AsyncGenerator[str]:
    """Serve ``receiver``; gives its base address, "http://127.0.0.1:1234"."""
    application = web.Application(client_max_size=max_body)
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


async def _serve(given: argparse.Namespace, record: IO[str] | None) -> None:
    receiver = Receiver(
        auth=given.auth,
        user=given.user,
        password=given.password,
        algorithm=given.algorithm,
        answer=given.answer,
        fail_first=given.fail_first,
        record=record,
    )
    receiver.on_got = lambda: print(receiver.got.pop().line(), flush=True)
    async with serving(receiver, given.host, given.port) as address:
        print(f"listening at {address}", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fake_receiver", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--auth", choices=("none", "basic", "digest", "both"), default="none")
    parser.add_argument("--algorithm", choices=("MD5", "SHA-256"), default="SHA-256")
    parser.add_argument("--user", default="lpr")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--answer", type=int, default=200, help="status of every request let in")
    parser.add_argument("--fail-first", type=int, default=0, help="so many requests get 503 first")
    parser.add_argument("--record", type=Path, help="file that gets one JSON object a request")
    given = parser.parse_args(arguments)
    with contextlib.ExitStack() as files, contextlib.suppress(KeyboardInterrupt):
        record = files.enter_context(given.record.open("a", encoding="utf-8")) if given.record else None
        asyncio.run(_serve(given, record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
