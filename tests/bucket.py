"""A small public bucket on loopback: lists in pages, reads from any byte on, fails when told to.

It answers as Amazon's S3 answers without a login, and keeps account of what it was asked.
"""

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from mirror.sources.one.releases import RELEASES

MODIFIED = "2024-09-16T10:50:00.000Z"
TABLES = ("subjectSessions", "subjectTraining", "subjectTrials")


@dataclass(frozen=True)
class Request:
    """What was asked for, from which byte on, and how many bytes were sent."""

    path: str
    start: int
    sent: int
    headers: dict[str, str]


@dataclass
class Bucket:
    """The files by key, and how to answer: all of it may change while the bucket is open."""

    files: dict[str, bytes]
    url: str = ""
    page: int = 1000
    # a file's ETag, where it is not its MD5
    etags: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    # the next answers: status and headers
    busy: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    # keys whose next body ends half-way
    cut: set[str] = field(default_factory=set)
    # keys whose next body halts half-way until it is let go
    halted: set[str] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    # answers of another kind: status, headers, body for whatever path
    answer: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda path: None
    knows_ranges: bool = True
    seen: list[Request] = field(default_factory=list)
    connections: int = 0

    def asked(self, key: str) -> list[tuple[int, int]]:
        """Every answer to a request for this file: the first byte, and how many were sent."""
        return [(r.start, r.sent) for r in self.seen if r.path == key]


class _Server(ThreadingHTTPServer):
    bucket: Bucket
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients may hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # a pause of the kernel's between head and body
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.bucket.connections += 1

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        bucket, url = self.server.bucket, urlsplit(self.path)
        key = unquote(url.path).removeprefix("/")
        other = bucket.answer(key)
        if bucket.busy:
            status, headers = bucket.busy.pop()
            self.send(key, status, headers, b"<Error><Code>SlowDown</Code></Error>")
        elif other:
            self.send(key, *other)
        elif not key:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self.send(key, 200, {"Content-Type": "application/xml"}, self.listing(query))
        elif key in bucket.files:
            self.send_file(key)
        else:
            self.send(key, 404, {}, b"<Error><Code>NoSuchKey</Code></Error>")

    def listing(self, query: dict[str, str]) -> bytes:
        bucket = self.server.bucket
        assert query["list-type"] == "2"
        keys = [key for key in sorted(bucket.files) if key.startswith(query["prefix"])]
        start = int(query.get("continuation-token", 0))
        end = start + bucket.page
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key>"
            f"<LastModified>{bucket.modified.get(key, MODIFIED)}</LastModified>"
            f"<ETag>&quot;{bucket.etags.get(key) or md5(bucket.files[key])}&quot;</ETag>"
            f"<Size>{len(bucket.files[key])}</Size></Contents>"
            for key in keys[start:end]
        )
        more = (
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
            if end < len(keys)
            else "<IsTruncated>false</IsTruncated>"
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"{items}{more}</ListBucketResult>"
        ).encode()

    def send_file(self, key: str) -> None:
        bucket, start = self.server.bucket, 0
        data = bucket.files[key]
        headers = {"Content-Type": "binary/octet-stream"}
        if bucket.knows_ranges and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        half = (len(data) - start) // 2
        if key in bucket.cut:
            bucket.cut.remove(key)
            self.send(key, 206 if start else 200, headers, data[start:], start, until=half)
            self.close_connection = True
        elif key in bucket.halted:
            bucket.halted.remove(key)
            self.send(key, 206 if start else 200, headers, data[start:], start, until=half)
            bucket.go.wait()
            self.wfile.write(data[start + half :])
        else:
            self.send(key, 206 if start else 200, headers, data[start:], start)

    def send(
        self,
        key: str,
        status: int,
        headers: dict[str, str],
        body: bytes,
        start: int = 0,
        until: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        sent = body[:until]
        self.server.bucket.seen.append(Request(key, start, len(sent), dict(self.headers)))
        self.wfile.write(sent)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Bucket]:
    """A bucket that holds these files, by key."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.bucket = Bucket(files, f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.bucket
        server.bucket.go.set()
        server.shutdown()


def keys(paths: Iterable[str], release: int = 0) -> dict[str, str]:
    """The key of each path of ONE's folder, with the id of a dataset of a release."""
    ids = iter(sorted(RELEASES[release].datasets - RELEASES[1 - release].datasets))
    return {path: f"{path.removesuffix('.pqt')}.{next(ids)}.pqt" for path in paths}


def of_folder(folder: Path) -> dict[str, bytes]:
    """The tables of all mice of a folder in ONE's layout, by key."""
    found = sorted(f.relative_to(folder).as_posix() for f in folder.glob("aggregates/**/*.pqt"))
    return {key: (folder / path).read_bytes() for path, key in keys(found).items()}


def paths(mouse: str, lab: str = "lab") -> list[str]:
    """Where ONE keeps the three tables of a mouse."""
    return [f"aggregates/Subjects/{lab}/{mouse}/_ibl_{name}.table.pqt" for name in TABLES]


def filled(*names: str, lab: str = "lab", size: int = 30_000) -> dict[str, bytes]:
    """Files for these mice, by key: the bytes are random, and none of them a table."""
    some = random.Random(names[0])
    places = [path for name in names for path in paths(name, lab)]
    return {key: some.randbytes(size + some.randrange(size)) for key in keys(places).values()}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()
