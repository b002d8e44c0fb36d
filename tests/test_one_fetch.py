"""Fetching IBL's public files: what is chosen, what comes, and whatever goes wrong on the way."""

import io
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bucket import MODIFIED, Bucket, filled, keys, md5, paths, serving
from test_failures import mounted

from mirror.errors import MirrorError, SourceError, UsageError
from mirror.progress import Bars, Lines, Progress
from mirror.serve.wire.certificate import context
from mirror.sources import Download
from mirror.sources.one import bucket as one_bucket
from mirror.sources.one import fetch, releases
from mirror.sources.one.bucket import Bucket as Client
from mirror.sources.one.bucket import Entry

BEHAVIOUR, BRUIJNS = (release.tag for release in releases.RELEASES)
QUICK = {"waits_s": (0, 0, 0, 0, 0), "timeout_s": 0.5}


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """Two mice, six files."""
    with serving(filled("KS014", "KS015")) as serving_bucket:
        yield serving_bucket


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "caches" / "one"


def planned(cache: Path, client: Client, *subjects: str, tags: tuple = (BEHAVIOUR,)) -> fetch.Plan:
    return fetch.plan(cache, tags, subjects, client.list)


def fetched(cache: Path, *hosts: str, progress: Progress | None = None) -> fetch.Plan:
    """Fetch all that a bucket has, impatiently."""
    with closing(Client(*hosts, **QUICK)) as client:
        plan = planned(cache, client)
        fetch.fetch(plan, client, progress)
        return plan


def content(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, except for the lock's."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".aggregates.lock")
    }


def expected(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a bucket as ONE keeps them: without the dataset's id."""
    return {key[: -len(".pqt") - 37] + ".pqt": data for key, data in files.items()}


def entry(key: str, modified: str = MODIFIED, etag: str = md5(b"")) -> Entry:
    return Entry(key, 10, etag, datetime.fromisoformat(modified))


def listed(*some: str) -> Callable[[str], list[Entry]]:
    return lambda prefix: [entry(key) for key in some]


# What belongs to a release


def test_the_releases_name_the_datasets_of_their_mice() -> None:
    behaviour, bruijns = releases.RELEASES

    # the three tables of 140 mice, and 859 files of sessions
    assert len(behaviour.datasets) == 3 * behaviour.mice + 859
    assert len(bruijns.datasets) == 3 * bruijns.mice
    assert len(behaviour.datasets & bruijns.datasets) == 55


def test_a_plan_lists_mice_with_laboratory_files_and_bytes_and_writes_nothing(
    cache: Path, bucket: Bucket
) -> None:
    with closing(Client(bucket.url)) as client:
        plan = planned(cache, client)

    sizes = [sum(map(len, list(bucket.files.values())[at : at + 3])) for at in (0, 3)]
    assert plan.by_mouse() == [
        Download("lab", "KS014", 3, sizes[0], sizes[0]),
        Download("lab", "KS015", 3, sizes[1], sizes[1]),
    ]
    assert plan.size == plan.to_fetch == sum(sizes)
    assert f"6 files, {sum(sizes) / 1e6:.1f} MB, from IBL's public bucket, no login" in str(plan)
    assert not cache.parent.exists()


def test_only_the_tables_of_mice_in_the_release_are_chosen(cache: Path) -> None:
    ours = keys(paths("KS014")).values()
    others = keys(paths("PL015"), release=1).values()
    odd = ["aggregates/Subjects/lab/KS014/_ibl_subjectTrials.log.csv", "aggregates/Subjects/"]

    plan = fetch.plan(cache, [BEHAVIOUR], [], listed(*ours, *others, *odd))

    assert [file.entry.key for file in plan.files] == [
        key
        for name in ("Trials", "Sessions", "Training")
        for key in ours
        if f"subject{name}." in key
    ]


def test_of_two_tags_the_first_that_has_a_mouse_gives_its_files_and_says_so(cache: Path) -> None:
    old = [*keys(paths("KS014")).values()]
    shared = [path.replace("/_ibl", "/#2024-07-30#/_ibl") for path in paths("KS014")]
    new = [*keys([*shared, *paths("PL015")], release=1).values()]

    def chosen(*tags: str) -> set[str]:
        plan = fetch.plan(cache, tags, [], listed(*old, *new))
        assert any("1 of the 1" in note for note in plan.notes) == (len(tags) == 2)
        return {file.entry.key for file in plan.files}

    assert chosen(BEHAVIOUR) == {*old}
    assert chosen(BEHAVIOUR, BRUIJNS) == {*old, *new[3:]}
    assert chosen(BRUIJNS, BEHAVIOUR) == {*new}
    assert chosen(BRUIJNS) == chosen(releases.ALL) == {*new}


def test_files_of_a_release_that_the_bucket_lacks_are_counted(cache: Path) -> None:
    plan = fetch.plan(cache, [BEHAVIOUR], [], listed(*keys(paths("KS014")).values()))

    assert f"IBL's public bucket lists 3 of the 420 files of {BEHAVIOUR}." in plan.notes


def test_a_mouse_without_a_table_of_trials_is_left_out_and_named(cache: Path) -> None:
    some = [*keys([*paths("KS014"), *paths("KS015")[:2]]).values()]

    plan = fetch.plan(cache, [BEHAVIOUR], [], listed(*some))

    assert {file.mouse for file in plan.files} == {"KS014"}
    assert any("lab/KS015" in note for note in plan.notes)


def test_a_mouse_named_in_two_laboratories_is_two_mice(cache: Path) -> None:
    some = keys([*paths("KS014", "here"), *paths("KS014", "there")]).values()

    plan = fetch.plan(cache, [BEHAVIOUR], ["KS014"], listed(*some))

    assert [(mouse.lab, mouse.files) for mouse in plan.by_mouse()] == [("here", 3), ("there", 3)]


def test_an_unknown_mouse_is_told_with_the_nearest_names(cache: Path) -> None:
    some = keys([*paths("KS014"), *paths("NYU-06")]).values()

    with pytest.raises(UsageError, match=r"--subject KS14 .*did you mean KS014\?"):
        fetch.plan(cache, [BEHAVIOUR], ["NYU-06", "KS14"], listed(*some))


def test_a_mouse_of_another_tag_is_told_with_its_tag(cache: Path) -> None:
    ours, others = keys(paths("KS014")).values(), keys(paths("PL015"), release=1).values()
    neither = [key.replace("KS014", "ZZ01")[:-10] + "ffffff.pqt" for key in ours]
    lister = listed(*ours, *others, *neither)

    for mouse, tag in (("PL015", BRUIJNS), ("ZZ01", "all")):
        with pytest.raises(UsageError, match=f"{mouse} .*--tag {tag}"):
            fetch.plan(cache, [BEHAVIOUR], [mouse], lister)
        assert fetch.plan(cache, [tag], [mouse], lister).by_mouse()[0].mouse == mouse


def test_an_unknown_tag_is_told_with_the_known_ones_before_anything_is_asked(cache: Path) -> None:
    def ask(prefix: str) -> list[Entry]:
        raise AssertionError

    with pytest.raises(UsageError, match=f"2021_Q1 is not known.*{BEHAVIOUR}, {BRUIJNS}.* all"):
        fetch.plan(cache, ["2021_Q1"], [], ask)


@pytest.mark.parametrize(
    "folder",
    [
        "aggregates/Subjects/lab/..",
        "aggregates/Subjects/../../..",
        "aggregates/Subjects/lab/KS014/..",
        "/aggregates/Subjects/lab/KS014",
        "//host/share",
        "aggregates/Subjects/lab\\..\\KS014",
        "aggregates/Subjects/C:/KS014",
        "aggregates/Subjects/lab/.KS014",
        "aggregates/Subjects/lab/KS014/#..#",
        "aggregates/Subjects/lab/KS\n014",
        "aggregates/Subjects/lab/KS\0014",
        "aggregates/Subjects/lab//KS014",
        "",
    ],
)
@pytest.mark.parametrize("tag", [BEHAVIOUR, releases.ALL])
def test_a_key_that_leads_out_of_the_cache_folder_is_refused(
    cache: Path, folder: str, tag: str
) -> None:
    (good,) = keys(paths("KS014")[:1]).values()
    odd = f"{folder}/{good.rpartition('/')[2]}"

    with pytest.raises(MirrorError, match="no place in the cache folder"):
        fetch.plan(cache, [tag], [], listed(good, odd))


def test_a_listing_without_any_file_of_the_release_is_told(cache: Path) -> None:
    with pytest.raises(MirrorError, match="lists no file of 2021_Q1"):
        fetch.plan(cache, [BEHAVIOUR], [], listed())


# Fetching


def test_27_files_come_whole_though_each_breaks_off_and_the_bucket_is_busy(cache: Path) -> None:
    with serving(filled(*(f"mouse{n}" for n in range(9)))) as bucket:
        bucket.page, bucket.cut = 10, {*bucket.files}
        bucket.busy = [(503, {}), (503, {"Retry-After": "0"}), (429, {})]

        fetched(cache, bucket.url)

    assert content(cache) == expected(bucket.files)
    for key, data in bucket.files.items():
        (start, first), (then, rest) = bucket.asked(key)
        # the second half is asked for from where the first ended: no byte comes twice
        assert (start, then, first + rest) == (0, first, len(data))


def test_what_is_there_is_not_fetched_again(cache: Path, bucket: Bucket) -> None:
    fetched(cache, bucket.url)
    bucket.seen.clear()

    plan = fetched(cache, bucket.url)

    assert plan.missing == () and plan.to_fetch == 0 and "all of them in" in str(plan)
    assert [request.path for request in bucket.seen] == [""]


def test_only_what_has_changed_is_fetched_again(cache: Path, bucket: Bucket) -> None:
    fetched(cache, bucket.url)
    changed, damaged = [*bucket.files][:2]
    bucket.files[changed] = bytes(reversed(bucket.files[changed]))
    (cache / [*expected(bucket.files)][1]).write_bytes(b"\0" * len(bucket.files[damaged]))
    bucket.seen.clear()

    plan = fetched(cache, bucket.url)

    assert {request.path for request in bucket.seen} == {"", changed, damaged}
    assert "of which 2 files" in str(plan)
    assert content(cache) == expected(bucket.files)


def test_files_and_megabytes_are_said_before_the_first_is_asked_for(
    cache: Path, bucket: Bucket
) -> None:
    out = io.StringIO()

    class Told(Lines):
        def begin_fetch(self, what: str, size: int) -> None:
            assert not any(request.path for request in bucket.seen)
            super().begin_fetch(what, size)

    plan = fetched(cache, bucket.url, progress=Told(out))

    first, *tenths = out.getvalue().splitlines()
    assert first == str(plan)
    assert first.startswith(f"6 files, {plan.size / 1e6:.1f} MB") and str(cache) in first
    assert tenths[-1] == f"{plan.size / 1e6:.1f} of {plan.size / 1e6:.1f} MB fetched"


def test_a_terminal_shows_the_bytes(cache: Path, bucket: Bucket) -> None:
    out = io.StringIO()
    bars = Bars(out)

    plan = fetched(cache, bucket.url, progress=bars)
    bars.close()

    assert str(plan) in out.getvalue() and "B/s" in out.getvalue()


def test_four_files_come_at_a_time_over_connections_that_are_used_again(cache: Path) -> None:
    with serving(filled("KS014", "KS015", "KS016")) as bucket:
        bucket.halted = {*bucket.files}
        thread = threading.Thread(target=fetched, args=(cache, bucket.url))
        thread.start()
        _until(lambda: sum(bool(request.path) for request in bucket.seen) >= 4)
        # a fifth would come now
        time.sleep(0.1)
        at_once = sum(bool(request.path) for request in bucket.seen)
        bucket.go.set()
        thread.join()

    assert at_once == 4
    assert content(cache) == expected(bucket.files)
    assert bucket.connections <= 5


def test_requests_name_the_product_and_carry_no_login(
    cache: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("default login someone password secret\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")

    fetched(cache, bucket.url)

    for request in bucket.seen:
        assert request.headers["User-Agent"].startswith("ibl-mirror/")
        assert request.headers.keys() <= {"Host", "User-Agent", "Accept-Encoding", "Range"}


def test_a_file_stored_in_parts_is_checked_by_its_size_and_date_and_that_is_said(
    cache: Path, bucket: Bucket
) -> None:
    large, *_ = bucket.files
    bucket.etags[large] = "0123456789abcdef0123456789abcdef-2"

    assert any(
        "size and date alone" in note and "1 of 6 files" in note
        for note in fetched(cache, bucket.url).notes
    )
    assert fetched(cache, bucket.url).missing == ()

    bucket.modified[large] = datetime.now(UTC).replace(year=2100).isoformat()
    assert [file.entry.key for file in fetched(cache, bucket.url).missing] == [large]


def test_a_host_that_knows_no_ranges_is_read_from_the_beginning(
    cache: Path, bucket: Bucket
) -> None:
    bucket.knows_ranges, bucket.cut = False, {*bucket.files}

    fetched(cache, bucket.url)

    assert content(cache) == expected(bucket.files)


def test_what_another_version_of_a_file_has_left_is_not_gone_on_with(
    cache: Path, bucket: Bucket
) -> None:
    (key, *_), (whole, *_) = bucket.files, expected(bucket.files)
    left = cache / f"{whole}.{md5(b'another')}.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"\0" * 1000)

    fetched(cache, bucket.url)

    assert bucket.asked(key) == [(0, len(bucket.files[key]))]
    # nor kept
    assert content(cache) == expected(bucket.files)


def test_a_damaged_half_is_thrown_away_and_fetched_anew(cache: Path, bucket: Bucket) -> None:
    (key, *_), (whole, *_) = bucket.files, expected(bucket.files)
    data = bucket.files[key]
    for damaged in (b"\0" * 1000, b"\0" * (len(data) + 1)):
        left = cache / f"{whole}.{md5(data)}.part"
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(damaged)
        # one more that is wrong, which is the bucket's first
        bucket.seen.clear()

        fetched(cache, bucket.url)

        assert content(cache) == expected(bucket.files)
        (cache / whole).unlink()


# What the bucket does wrong


def test_a_file_that_is_wrong_twice_is_told_after_the_others_have_come(
    cache: Path, bucket: Bucket
) -> None:
    first, second, *_ = bucket.files
    bucket.etags = {first: md5(b"another")}
    size = len(bucket.files[second])
    bucket.answer = lambda path: (200, {}, b"short") if path == second else None

    with pytest.raises(MirrorError) as told:
        fetched(cache, bucket.url)

    assert told.value.exit_code == 1
    assert f"MD5 {md5(b'another')} expected, {md5(bucket.files[first])} found" in str(
        told.value
    ) or (f"{size:,} bytes expected, 5 found" in str(told.value))
    assert "1 more" in str(told.value)
    assert len(bucket.asked(first)) == len(bucket.asked(second)) == 2
    assert content(cache) == dict([*expected(bucket.files).items()][2:])


def test_a_file_that_is_wrong_once_is_fetched_once_more(cache: Path, bucket: Bucket) -> None:
    wrong = [(200, {}, bytes(len(data))) for data in bucket.files.values()]
    bucket.answer = lambda path: wrong.pop() if path == last and wrong[5:] else None
    last = [*bucket.files][-1]

    fetched(cache, bucket.url)

    assert len(bucket.asked(last)) == 2
    assert content(cache) == expected(bucket.files)


def test_a_file_that_is_listed_but_gone_is_told(cache: Path, bucket: Bucket) -> None:
    gone, *_ = bucket.files
    bucket.answer = lambda path: (404, {}, b"") if path == gone else None

    with pytest.raises(MirrorError, match="listed, but not there"):
        fetched(cache, bucket.url)

    assert content(cache) == dict([*expected(bucket.files).items()][1:])


def test_a_bucket_that_sends_without_end_fills_no_disk(cache: Path, bucket: Bucket) -> None:
    endless, *_ = bucket.files
    flood = bytes(10 * len(bucket.files[endless]))
    # without a length, the body ends where the connection does
    headers = {"Content-Length": "", "Connection": "close"}
    bucket.answer = lambda path: (200, headers, flood) if path == endless else None

    with pytest.raises(MirrorError, match="more found"):
        fetched(cache, bucket.url)

    assert content(cache) == dict([*expected(bucket.files).items()][1:])


def test_no_network_is_told_and_what_has_come_is_kept(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for host, why in (
        (f"http://127.0.0.1:{port}/", "Connection refused"),
        ("http://nowhere.invalid/", "no network"),
    ):
        with pytest.raises(SourceError) as told:
            fetched(cache, host)
        assert told.value.exit_code == 3
        assert host[len("http://") : -1] in str(told.value) and why in str(told.value)
        assert "Files fetched so far are kept" in str(told.value)


def test_a_silent_bucket_is_told(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(SourceError, match="silent"):
            fetched(cache, host)


def test_the_second_host_is_asked_when_the_first_is_silent(cache: Path, bucket: Bucket) -> None:
    bucket.cut = {*bucket.files}

    def fall_silent(path: str) -> None:
        if any(request.path == path for request in bucket.seen):
            bucket.go.wait()

    bucket.answer = fall_silent
    with serving(bucket.files) as second:
        fetched(cache, bucket.url, second.url)

    assert content(cache) == expected(bucket.files)
    assert len(second.seen) == len(bucket.files)
    for key, data in bucket.files.items():
        # where the first has fallen silent, the second goes on
        came = sum(sent for _, sent in bucket.asked(key))
        assert second.asked(key) == [(came, len(data) - came)]


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (200, {"Content-Type": "text/html; charset=utf-8"}, "answers with a web page"),
        (302, {"Location": "https://login.example.org/?next=x"}, "sends to login.example.org"),
        (307, {"Location": "/elsewhere"}, "sends to another page"),
        (403, {"Content-Type": "application/xml"}, "answers 403"),
    ],
)
def test_a_host_that_answers_something_else_is_told_or_passed_over(
    cache: Path, bucket: Bucket, status: int, headers: dict[str, str], why: str
) -> None:
    page = b"<!doctype html><p>Please log in"
    bucket.answer = lambda path: (status, headers, page) if path else None
    with pytest.raises(SourceError, match=why):
        fetched(cache, bucket.url)
    assert content(cache) == {}

    with serving(bucket.files) as second:
        fetched(cache, bucket.url, second.url)
    assert content(cache) == expected(bucket.files)

    bucket.answer = lambda path: (status, headers, page)
    with pytest.raises(SourceError, match=why):
        fetched(cache, bucket.url)


def test_a_redirect_to_another_host_is_not_followed(cache: Path, bucket: Bucket) -> None:
    with serving(bucket.files) as other:
        bucket.answer = lambda path: (301, {"Location": other.url + path}, b"")
        with pytest.raises(SourceError, match="not followed"):
            fetched(cache, bucket.url)

    assert other.seen == []


@pytest.mark.parametrize(
    "listing",
    [
        b"<ListBucketResult><Contents>",
        b"<Other/>",
        b"{}",
        b"",
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        b"x" * (one_bucket.LARGEST_PAGE + 1),
    ],
)
def test_a_listing_that_is_none_is_told(cache: Path, bucket: Bucket, listing: bytes) -> None:
    bucket.answer = lambda path: (200, {"Content-Type": "application/xml"}, listing)

    with pytest.raises(SourceError, match="something else than a listing"):
        fetched(cache, bucket.url)


def test_a_listing_that_never_ends_is_told(cache: Path, bucket: Bucket) -> None:
    again = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated>"
        b"<NextContinuationToken>1</NextContinuationToken></ListBucketResult>"
    )
    bucket.answer = lambda path: (200, {}, again)

    with pytest.raises(SourceError, match="again and again"):
        fetched(cache, bucket.url)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ({}, [1, 2, 4, 8, 16]),
        ({"Retry-After": "7"}, [7, 7, 7, 7, 7]),
        # too long to sit through
        ({"Retry-After": "3600"}, []),
    ],
)
def test_a_busy_bucket_is_left_alone_as_long_as_it_asks_and_not_for_ever(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], waited: list[float]
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(one_bucket.time, "sleep", waits.append)
    with closing(Client(bucket.url)) as client:
        assert len([*client.list(fetch.PREFIX)]) == 6
        bucket.busy = [(503, asked)] * 100

        with pytest.raises(SourceError, match="answers 503"):
            [*client.list(fetch.PREFIX)]

    assert waits == waited


def test_a_certificate_that_nobody_vouches_for_is_told(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection, pytest.raises(ssl.SSLError):
                context().wrap_socket(connection, server_side=True)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(SourceError, match="certificate is not trusted"):
            fetched(cache, f"https://127.0.0.1:{listening.getsockname()[1]}/")


def test_the_proxy_of_the_environment_is_used(
    cache: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", bucket.url)

    fetched(cache, "http://bucket.invalid/")

    assert content(cache) == expected(bucket.files)


# What happens here meanwhile


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_what_has_come_when_a_sync_is_ended_is_not_fetched_again(
    cache: Path, bucket: Bucket, end: signal.Signals
) -> None:
    bucket.halted = {*bucket.files}
    halves = {key: len(data) // 2 for key, data in bucket.files.items()}
    program = (
        "import sys; from pathlib import Path; from mirror.sources.one import bucket, fetch\n"
        "client = bucket.Bucket()\n"
        f"plan = fetch.plan(Path(sys.argv[1]), ['{BEHAVIOUR}'], [], client.list)\n"
        "fetch.fetch(plan, client)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(cache)],
        env={**os.environ, one_bucket.HOSTS_VARIABLE: bucket.url},
        stderr=subprocess.PIPE,
        text=True,
    )
    begun = sorted(bucket.files, key=lambda key: ("KS015" in key, "Trials" not in key))[:4]
    _until(lambda: sum(map(len, content(cache).values())) == sum(halves[key] for key in begun))

    process.send_signal(end)
    # though the bucket has not said another word
    _, told = process.communicate(timeout=20)

    assert process.returncode == (-end if end == signal.SIGKILL else -signal.SIGINT)
    assert told == "" if end == signal.SIGKILL else told.endswith("KeyboardInterrupt\n")
    assert all(name.endswith(".part") for name in content(cache))
    bucket.go.set()
    bucket.halted.clear()
    fetched(cache, bucket.url)
    assert content(cache) == expected(bucket.files)
    assert all(bucket.asked(key)[1][0] == halves[key] for key in begun)


def test_two_syncs_do_not_fetch_into_one_folder_at_once(cache: Path, bucket: Bucket) -> None:
    bucket.halted = {*bucket.files}
    first = threading.Thread(target=fetched, args=(cache, bucket.url))
    first.start()
    _until(lambda: len(bucket.seen) == 5)

    with pytest.raises(MirrorError, match="Another sync") as told:
        fetched(cache, bucket.url)

    assert told.value.exit_code == 1
    bucket.go.set()
    first.join()
    assert content(cache) == expected(bucket.files)


def test_a_thread_that_comes_late_writes_nothing(cache: Path, bucket: Bucket) -> None:
    first, *_, last = bucket.files
    bucket.halted = {first}
    bucket.answer = lambda path: (403, {}, b"") if path == last else None
    with closing(Client(bucket.url)) as client, pytest.raises(SourceError):
        plan = planned(cache, client)
        fetch.fetch(plan, client)
    before = content(cache)

    bucket.go.set()
    _until(lambda: not any("worker" in thread.name for thread in threading.enumerate()))

    assert content(cache) == before


def test_too_little_room_is_told_before_anything_is_asked_for(
    tmp_path: Path, bucket: Bucket
) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, 64 << 10), pytest.raises(MirrorError) as told:
        fetched(disk / "one", bucket.url)

    assert "needs 0." in str(told.value) and "has 0.1 MB" in str(told.value)
    assert [request.path for request in bucket.seen] == [""]


def test_a_disk_that_fills_up_is_told_and_the_next_call_goes_on(
    tmp_path: Path, bucket: Bucket
) -> None:
    disk = tmp_path / "disk"

    class Filling(Progress):
        def received(self, size: int) -> None:
            with suppress(OSError), (disk / "filler").open("ab") as filler:
                filler.write(bytes(1 << 20))

    with mounted(disk, 1 << 20):
        with pytest.raises(MirrorError, match=f"The disk of {disk / 'one'} is full"):
            fetched(disk / "one", bucket.url, progress=Filling())
        (disk / "filler").unlink()

        fetched(disk / "one", bucket.url)

        assert content(disk / "one") == expected(bucket.files)


def test_a_cache_folder_that_cannot_be_is_told(tmp_path: Path, bucket: Bucket) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UsageError, match="file/one cannot be made"):
        fetched(tmp_path / "file" / "one", bucket.url)


def test_nothing_is_written_outside_the_cache_folder(
    tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))

    fetched(tmp_path / "one", bucket.url)

    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert content(tmp_path / "one") == expected(bucket.files)


def test_files_are_kept_in_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert fetch.cache_folder() == tmp_path / ".cache/ibl-mirror/one"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert fetch.cache_folder() == tmp_path / "caches/ibl-mirror/one"


@pytest.mark.network
def test_the_real_bucket_lists_a_laboratory_and_gives_a_small_file(cache: Path) -> None:
    with closing(Client(*one_bucket.HOSTS)) as client:
        plan = fetch.plan(
            cache, [BEHAVIOUR], ["KS014"], lambda prefix: client.list(f"{prefix}cortexlab/")
        )
        small = min(plan.files, key=lambda file: file.entry.size)
        came = bytearray()
        client.copy(small.entry, 0, came.extend)

    assert [file.path.name for file in plan.files] == list(fetch.TABLES)
    assert came[:4] == came[-4:] == b"PAR1" and md5(came) == small.md5


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
