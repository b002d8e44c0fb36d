"""IBL's public bucket over HTTPS, without a login: list it, and read a file from any byte on.

Two requests of Amazon's S3 are all there is to it, unsigned: ListObjectsV2 and GetObject
(docs.aws.amazon.com/AmazonS3/latest/API). IBL's own web server holds the same files, but lists
none, so it is asked for a file where Amazon is silent.

Lost connections, silence, 429 and 5xx are waited out, 1, 2, 4, 8 and 16 seconds or as long as
`Retry-After` says; whenever bytes have come the count starts anew. A host that answers with a
redirect or a web page has a login page in between, and is not asked again.
"""

import os
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import certifi
import urllib3
from urllib3 import exceptions

from mirror.errors import SourceError

Answer = TypeVar("Answer")

HOSTS = (
    "https://ibl-brain-wide-map-public.s3.amazonaws.com/",
    "https://ibl.flatironinstitute.org/public/",
)
# other hosts, separated by spaces, of which the first can list: how the tests have their own
HOSTS_VARIABLE = "MIRROR_ONE_BUCKET"
AT_ONCE = 4
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
# as long as nothing has ever answered, there is most likely no network to wait for
FIRST_WAITS = 2
LONGEST_WAIT_S = 120
TIMEOUT_S = 30.0
CHUNK = 1 << 18
# 1,000 keys of 1,024 letters, with room for their tags
LARGEST_PAGE = 8 << 20


class Unfit(Exception):
    """One file is not what the listing says of it; others may be."""


class _Unusable(Exception):
    """The host does not give what is asked for, and will not if asked again."""


class _Missing(_Unusable):
    """The host has no such file, or no such part of it."""


class _Broken(Exception):
    """Nothing came, or not all of it."""


class _Busy(_Broken):
    """The host asks to come back, some after a time that it names."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Entry:
    """A file as the bucket lists it: size in bytes, and the time of the last change.

    The ETag is the MD5 of the file, unless it has a dash: then the file was stored in parts.
    """

    key: str
    size: int
    etag: str
    modified: datetime


class Bucket:
    """The bucket at one host, or at several of which the first can list.

    Threads may share it. What it is asked for raises SourceError when no host answers.
    """

    def __init__(
        self, *hosts: str, waits_s: Sequence[float] = WAITS_S, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.hosts = hosts or tuple(os.environ.get(HOSTS_VARIABLE, "").split()) or HOSTS
        self._waits_s = waits_s
        self._timeout_s = timeout_s
        self._pools = {host: _pool(host) for host in self.hosts}
        # the host that answered last
        self._good: str | None = None

    def list(self, prefix: str) -> Iterator[Entry]:
        """All that lies under a prefix, by key, asked for in pages of 1,000."""
        asked, tokens = {"list-type": "2", "prefix": prefix}, set[str]()
        while True:
            page = partial(self._page, f"?{urlencode(asked)}")
            entries, token = self._patiently(self.hosts[:1], page)
            yield from entries
            if token is None:
                return
            if token in tokens:
                raise SourceError("IBL's public bucket lists the same page again and again.")
            tokens.add(token)
            asked["continuation-token"] = token

    def copy(self, entry: Entry, start: int, write: Callable[[bytes], object]) -> None:
        """Hand over the bytes of a file from `start` on, going on wherever a connection breaks.

        Raises Unfit when the file is gone, or has another size than it is listed with.
        """
        at = start

        def ask(host: str) -> None:
            nonlocal at
            for chunk in self._chunks(host, entry, at):
                write(chunk)
                at += len(chunk)

        if start < entry.size:
            self._patiently(self.hosts, ask, lambda: at)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()

    def _patiently(
        self,
        hosts: Sequence[str],
        ask: Callable[[str], Answer],
        came: Callable[[], int] = lambda: 0,
    ) -> Answer:
        """Ask until there is an answer: a busy host again, and after a silent one the next."""
        usable, faults = [*hosts], {}
        at = usable.index(self._good) if self._good in usable else 0
        before, tries = came(), 0
        while usable:
            host = usable[at % len(usable)]
            try:
                answer = ask(host)
            except _Unusable as error:
                faults[host] = str(error)
                usable.remove(host)
            except _Broken as error:
                faults[host] = str(error)
                asked_s = error.wait_s if isinstance(error, _Busy) else None
                if came() > before:
                    self._good = host
                    before, tries = came(), 0
                elif isinstance(error, _Busy):
                    self._good = host
                else:
                    at += 1
                waits = self._waits_s if self._good else self._waits_s[:FIRST_WAITS]
                if tries == len(waits) or (asked_s or 0) > LONGEST_WAIT_S:
                    break
                time.sleep(waits[tries] if asked_s is None else asked_s)
                tries += 1
            else:
                self._good = host
                return answer
        told = "; ".join(f"{urlsplit(host).netloc}: {fault}" for host, fault in faults.items())
        raise SourceError(
            f"IBL's public bucket does not answer ({told}). Files fetched so far are kept: run the"
            " same command again to go on."
        )

    def _page(self, path: str, host: str) -> tuple[Sequence[Entry], str | None]:
        """One page of a listing, and the token that asks for the next."""
        text = bytearray()
        with self._open(host, path) as response:
            for chunk in _chunks_of(response):
                text += chunk
                if len(text) > LARGEST_PAGE:
                    raise _Unusable("answers with something else than a listing")
        try:
            return _parse(bytes(text))
        except (ElementTree.ParseError, ValueError) as error:
            raise _Unusable("answers with something else than a listing") from error

    def _chunks(self, host: str, entry: Entry, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on, as long as this host sends them."""
        wanted = {"Range": f"bytes={start}-"} if start else {}
        try:
            with self._open(host, quote(entry.key), wanted) as response:
                at = start
                if response.status == 200:
                    # this host knows no ranges, and begins at the beginning
                    at = 0
                elif response.headers.get("Content-Range", "").split("-")[0] != f"bytes {start}":
                    raise _Unusable("answers with another part than was asked for")
                length = response.headers.get("Content-Length", "")
                if length.isdecimal() and at + int(length) != entry.size:
                    raise Unfit(f"{entry.size:,} bytes expected, {at + int(length):,} found")
                for chunk in _chunks_of(response):
                    new = chunk[max(start - at, 0) :]
                    at += len(chunk)
                    if at > entry.size:
                        raise Unfit(f"{entry.size:,} bytes expected, more found")
                    if new:
                        yield new
                if at < entry.size:
                    raise _Broken("the connection broke off")
        except _Missing as error:
            raise Unfit("it is listed, but not there") from error

    @contextmanager
    def _open(
        self, host: str, path: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Read an answer that is neither an error, nor a redirect, nor a web page."""
        with _faults():
            response = self._pools[host].request(
                "GET",
                host + path,
                headers={
                    "User-Agent": f"ibl-mirror/{version('ibl-mirror')}",
                    "Accept-Encoding": "identity",
                    **(headers or {}),
                },
                timeout=urllib3.Timeout(connect=self._timeout_s / 3, read=self._timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        with response:
            _refuse(response)
            yield response


@cache
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # some Pythons know no certificates of their own
    context.load_verify_locations(certifi.where())
    return context


def _pool(host: str) -> urllib3.PoolManager:
    """Connections to a host, through the proxy that the environment names for it."""
    url = urlsplit(host)
    trusted = _trusted() if url.scheme == "https" else None
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(url.netloc):
        return urllib3.PoolManager(maxsize=AT_ONCE, ssl_context=trusted)
    login = urllib3.make_headers(proxy_basic_auth=urllib3.util.parse_url(proxy).auth)
    return urllib3.ProxyManager(proxy, proxy_headers=login, maxsize=AT_ONCE, ssl_context=trusted)


def _refuse(response: urllib3.BaseHTTPResponse) -> None:
    """Raise what an answer is that holds nothing of what was asked for."""
    status, headers = response.status, response.headers
    if status == 429 or status >= 500:
        raise _Busy(f"answers {status}", urllib3.Retry().get_retry_after(response))
    if 300 <= status < 400:
        elsewhere = urlsplit(headers.get("Location", "")).netloc or "another page"
        raise _Unusable(f"sends to {elsewhere}, which is not followed")
    if status in (404, 416):
        raise _Missing(f"answers {status}")
    if status not in (200, 206):
        raise _Unusable(f"answers {status}")
    if headers.get("Content-Type", "").startswith("text/html"):
        raise _Unusable("answers with a web page")


def _chunks_of(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it comes in: nothing that has come is lost where the connection breaks."""
    while True:
        with _faults():
            chunk = response.read1(CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def _faults() -> Iterator[None]:
    """Put what urllib3 finds wrong with a connection into words."""
    try:
        yield
    except exceptions.HTTPError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise _Unusable(f"its certificate is not trusted: {cause.verify_message}") from error
        if isinstance(error, exceptions.NameResolutionError):
            reason = "no such name, or no network"
        elif isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        elif isinstance(error, exceptions.TimeoutError):
            reason = "silent"
        else:
            reason = "the connection broke off"
        raise _Broken(reason) from error


def _parse(text: bytes) -> tuple[Sequence[Entry], str | None]:
    """What ListObjectsV2 answers; raises ParseError or ValueError where it is something else."""
    page = ElementTree.fromstring(text)
    if not page.tag.endswith("ListBucketResult"):
        raise ValueError(page.tag)
    entries = [
        Entry(
            key=item.findtext("{*}Key", ""),
            size=int(item.findtext("{*}Size", "")),
            etag=item.findtext("{*}ETag", "").strip('"'),
            modified=datetime.fromisoformat(item.findtext("{*}LastModified", "")),
        )
        for item in page.iterfind("{*}Contents")
    ]
    if page.findtext("{*}IsTruncated") != "true":
        return entries, None
    token = page.findtext("{*}NextContinuationToken")
    if not token:
        raise ValueError("more, without a token to ask for it")
    return entries, token
