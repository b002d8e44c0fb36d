"""What DataJoint packs arrives as values that SQL can ask; damaged blobs do no harm."""

import json
import struct
import tracemalloc
import zlib
from contextlib import closing, suppress
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import datajoint as dj
import ibl
import numpy as np
import pyarrow as pa
import pytest
from datajoint.blob import Blob, MatCell, MatStruct, pack
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from server import Server

from mirror import blobs, connect
from mirror.blobs import (
    LARGEST,
    NOTHING,
    Undecodable,
    column,
    decode,
    decode_either,
    kind,
    unpacker,
)
from mirror.serve.offline import OfflineConnection
from mirror.sources.datajoint import DataJointSource, readers
from mirror.syncing import Options, Report, sync
from mirror.tables import Table
from mirror.types import Conversion

NAN = float("nan")
UNPACK = unpacker(Blob)


def stored(*values: Any, compress: bool = False) -> tuple[str, list]:
    """Pack values as DataJoint does, and bring them into one column: its type, its values."""
    decoded = [decode(pack(value, compress=compress), UNPACK) for value in values]
    joined = NOTHING
    for value in decoded:
        joined |= kind(value)
    return joined.duckdb_type, column(decoded, joined).to_pylist()


def as_json(value: Any) -> Any:
    """Pack and store a value, and read the JSON that it became."""
    duckdb_type, [text] = stored(value)
    assert duckdb_type == "JSON"
    return json.loads(text)


@pytest.mark.parametrize(
    ("dtype", "duckdb_type"),
    [
        ("bool", "BOOLEAN"),
        *((f"{sign}int{bits}", "BIGINT") for sign in ("", "u") for bits in (8, 16, 32, 64)),
        ("float32", "DOUBLE"),
        ("float64", "DOUBLE"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_arrays_of_every_dtype_keep_their_extremes(
    dtype: str, duckdb_type: str, compress: bool
) -> None:
    if dtype == "bool":
        extremes = [False, True]
    elif dtype == "uint64":
        extremes = [0, 2**63 - 1]
    else:
        limits = np.finfo(dtype) if "float" in dtype else np.iinfo(dtype)
        extremes = [limits.min, limits.max]
    array = np.array(extremes * 700, dtype)
    assert pack(array, compress=compress).startswith(b"ZL123\0" if compress else b"mYm\0")

    vector = stored(array, compress=compress)
    matrix = stored(array[:6].reshape(3, 2), compress=compress)
    scalar = stored(array[1], compress=compress)

    assert vector == (f"{duckdb_type}[]", [array.tolist()])
    assert matrix == (f"{duckdb_type}[][]", [array[:6].reshape(3, 2).tolist()])
    assert scalar == (duckdb_type, [array[1].item()])
    assert {type(item) for item in vector[1][0]} == {type(array[0].item())}


@pytest.mark.parametrize(
    ("value", "duckdb_type", "expected"),
    [
        (True, "BOOLEAN", True),
        (-3, "BIGINT", -3),
        (2**63 - 1, "BIGINT", 2**63 - 1),
        (0.1, "DOUBLE", 0.1),
        (float("-inf"), "DOUBLE", float("-inf")),
        (np.array(5), "BIGINT", 5),
        (np.float32(0.5), "DOUBLE", 0.5),
        (np.array([0.5, NAN, np.inf, -0.0]), "DOUBLE[]", [0.5, NAN, float("inf"), -0.0]),
        (np.array([None, 1.5, NAN], object), "DOUBLE[]", [None, 1.5, NAN]),
        (np.array([[1, None], [3, 4]], object), "BIGINT[][]", [[1, None], [3, 4]]),
        (np.array([[1, 2], [3, 4]], order="F"), "BIGINT[][]", [[1, 2], [3, 4]]),
        (np.arange(8).reshape(2, 2, 2), "BIGINT[][][]", [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]),
        ([1, 2.5], "DOUBLE[]", [1.0, 2.5]),
        ((1, None, 3), "BIGINT[]", [1, None, 3]),
        ([True, 2], "BIGINT[]", [1, 2]),
        ([[1, 2], [3]], "BIGINT[][]", [[1, 2], [3]]),
        ([np.arange(2), (0.5,)], "DOUBLE[][]", [[0.0, 1.0], [0.5]]),
        ([], "DOUBLE[]", []),
        ([None], "DOUBLE[]", [None]),
        (np.array([]), "DOUBLE[]", []),
        (np.array([], int), "BIGINT[]", []),
        (np.zeros((0, 3)), "DOUBLE[][]", []),
        (None, "DOUBLE[]", None),
    ],
    ids=repr,
)
def test_numbers_and_nests_of_numbers_are_typed(
    value: Any, duckdb_type: str, expected: Any
) -> None:
    found = stored(value)

    assert found[0] == duckdb_type
    assert repr(found[1]) == repr([expected])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("é\0\n🐭", "é\0\n🐭"),
        (["a", "b"], ["a", "b"]),
        (np.array(["a", "é"]), ["a", "é"]),
        ([1, [2]], [1, [2]]),
        ([1, "a", None, NAN, float("inf")], [1, "a", None, "nan", "inf"]),
        (2**70, 2**70),
        (np.array([2**63], np.uint64), [2**63]),
        (UUID(int=5), str(UUID(int=5))),
        (datetime(2019, 8, 1, 11, 5, 30, 4), "2019-08-01T11:05:30.000004"),
        (date(2019, 8, 1), "2019-08-01"),
        (time(11, 5, 30), "11:05:30"),
        (Decimal("1.50"), "1.50"),
        (b"\0\xff", "00ff"),
        ({3, 1, 2}, [1, 2, 3]),
        (1 + 2j, [1.0, 2.0]),
        (np.array([1 + 2j, complex(NAN, 0)]), [[1.0, 2.0], ["nan", 0.0]]),
        (np.array(["2019-08-01", "NaT"], "M8[D]"), ["2019-08-01", "NaT"]),
        (np.datetime64("2019-08-01T11:05"), "2019-08-01T11:05"),
        (
            {"uuid": UUID(int=5), "trials": {"n": np.int16(3), "rt": np.array([0.5, NAN])}, 7: ()},
            {"uuid": str(UUID(int=5)), "trials": {"n": 3, "rt": [0.5, "nan"]}, "7": []},
        ),
        (
            np.array([(1, 0.5), (2, NAN)], [("id", "i4"), ("x", "f8")]),
            [{"id": 1, "x": 0.5}, {"id": 2, "x": "nan"}],
        ),
        (
            np.array([((1, 2), True)], [("at", [("x", "i8"), ("y", "i8")]), ("ok", "?")]),
            [{"at": {"x": 1, "y": 2}, "ok": True}],
        ),
        # what two keys of a dictionary would be alike, and shapes, are kept
        ({1: "a", "1": "b"}, [[1, "a"], ["1", "b"]]),
        ({"x": {None: 1, "None": 2, (1, 2): 3}}, {"x": [[None, 1], ["None", 2], [[1, 2], 3]]}),
        ({True: 1, "True": 2}, [[True, 1], ["True", 2]]),
        ({NAN: 1, "nan": 2}, [["nan", 1], ["nan", 2]]),
        (
            {1: "a", (1, None): "b", date(2019, 8, 1): b"\xff"},
            {"1": "a", "(1, None)": "b", "2019-08-01": "ff"},
        ),
        (np.array([[1.5, 2.5]]).view(MatCell), [[1.5, 2.5]]),
        (
            np.array([[(1,), (2,), (3,)], [(4,), (5,), (6,)]], [("n", "O")]).view(MatStruct),
            [[{"n": 1}, {"n": 2}, {"n": 3}], [{"n": 4}, {"n": 5}, {"n": 6}]],
        ),
        (
            np.array([[("left", np.arange(2))]], [("side", "O"), ("t", "O")]).view(MatStruct),
            [{"side": "left", "t": [0, 1]}],
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_anything_else_is_json(value: Any, expected: Any) -> None:
    assert as_json(value) == expected


def test_nests_deeper_than_a_list_type_can_be_are_json() -> None:
    deep: list = [1]
    for _ in range(100):
        deep = [deep]

    assert as_json(deep) == deep


@pytest.mark.parametrize(
    ("values", "duckdb_type", "expected"),
    [
        ((np.array([1]), np.array([0.5])), "DOUBLE[]", [[1.0], [0.5]]),
        ((np.array([True]), np.array([2])), "BIGINT[]", [[1], [2]]),
        ((np.array([True]), np.array([0.5])), "DOUBLE[]", [[1.0], [0.5]]),
        ((np.array([1]), None, []), "BIGINT[]", [[1], None, []]),
        ((np.array([0.5]), NAN), "DOUBLE[]", [[0.5], [NAN]]),
        ((1, 0.5), "DOUBLE", [1.0, 0.5]),
        ((np.array([2**53]), np.array([0.5])), "DOUBLE[]", [[2.0**53], [0.5]]),
        ((np.array([2**53 + 1]), np.array([1])), "BIGINT[]", [[2**53 + 1], [1]]),
        ((np.array([2**53 + 1]), np.array([0.5])), "JSON", ["[9007199254740993]", "[0.5]"]),
        ((np.array([-(2**53) - 1]), np.array([0.5])), "JSON", ["[-9007199254740993]", "[0.5]"]),
        ((np.eye(2), np.arange(2)), "JSON", ["[[1.0, 0.0], [0.0, 1.0]]", "[0, 1]"]),
        ((np.eye(2), 3), "JSON", ["[[1.0, 0.0], [0.0, 1.0]]", "3"]),
        ((np.array([1]), "text", None), "JSON", ["[1]", '"text"', None]),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_column_has_the_narrowest_type_of_all_its_values(
    values: tuple, duckdb_type: str, expected: list
) -> None:
    for order in (1, -1):
        found = stored(*values[::order])

        assert found[0] == duckdb_type
        assert repr(found[1][::order]) == repr(expected)


def plain(value: Any) -> Any:
    """A value that compares equal where numbers are equal, NaN included."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    st.sampled_from(["bool", "int8", "uint16", "int64", "uint64", "float32", "float64"]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(max_dims=3, max_side=4))
    ),
    st.booleans(),
)
def test_any_array_comes_out_as_it_went_in(array: np.ndarray, compress: bool) -> None:
    duckdb_type, [found] = stored(array, compress=compress)

    found = json.loads(found) if duckdb_type == "JSON" else found
    assert plain(found) == plain(array.tolist())
    assert duckdb_type == "JSON" or duckdb_type.count("[]") == array.ndim


REAL = [f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)]


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(
    st.sampled_from([*REAL, "float32", "float64"]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(max_dims=4, min_side=0, max_side=4))
    ),
    st.binary(max_size=3),
    st.integers(1, 8),
)
def test_what_is_decoded_without_datajoint_is_what_datajoint_decodes(
    array: np.ndarray, more: bytes, less: int
) -> None:
    packed = Blob().pack(array, compress=False)

    for raw in (packed, packed + more, packed[:-less]):
        expected = found = None
        with suppress(Exception):
            expected = blobs.unpacker(Blob)(raw, 8)
        with suppress(Undecodable):
            found = decode(raw, blobs.unpacker(Blob))
        assert repr(found) == repr(expected)
        assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)


def test_an_array_of_numbers_needs_no_datajoint() -> None:
    def unpack(raw: bytes, width: int) -> None:
        raise AssertionError

    for dtype in (*REAL, "float32", "float64"):
        array = np.arange(6, dtype=dtype).reshape(2, 3)
        found = decode(Blob().pack(array, compress=False), unpack)
        assert found.dtype == array.dtype and (found == array).all()


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(),
            lambda inner: st.lists(inner, max_size=4),
            max_leaves=12,
        ),
        max_size=5,
    )
)
def test_any_nest_of_numbers_comes_out_as_it_went_in(nest: list) -> None:
    duckdb_type, [found] = stored(nest)

    assert plain(json.loads(found) if duckdb_type == "JSON" else found) == plain(nest)


def u64(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def compressed(raw: bytes, claimed: int) -> bytes:
    return b"ZL123\0" + u64(claimed) + zlib.compress(raw)


def claiming(*shape: int, code: int = 6) -> bytes:
    """An array of DataJoint's type `code`, six being double, that has a shape and no values."""
    return b"mYm\0A" + u64(len(shape), *shape) + struct.pack("<2I", code, 0)


WHOLE = pack(np.arange(200.0), compress=False)
DAMAGED = {
    "empty": b"",
    "garbage": b"\x93NUMPY\x01\x00",
    "a text": b"[1, 2, 3]",
    "another format": b"xYz\0" + WHOLE[4:],
    "header alone": b"mYm\0",
    "truncated": WHOLE[:-3],
    "trailing bytes": WHOLE + b"\0",
    "compressed and truncated": pack(np.zeros(2000), compress=True)[:-5],
    "compressed without its checksum": compressed(WHOLE, len(WHOLE))[:-4],
    "compressed garbage": compressed(b"garbage", 7),
    "compressed twice": compressed(compressed(WHOLE, len(WHOLE)), len(WHOLE)),
    "longer than claimed": compressed(WHOLE + b"more", len(WHOLE)),
    "shorter than claimed": compressed(WHOLE, len(WHOLE) + 1),
    "bomb": compressed(b"mYm\0" + bytes(10_000_000), 10),
    "claims an exabyte": compressed(WHOLE, 2**60),
    "claims just too much": compressed(WHOLE, LARGEST + 1),
    "claims a huge matrix": claiming(10**9, 10**9),
    "claims a shape that overflows": claiming(2**32, 2**32),
    "claims a negative shape": claiming(2**64 - 1),
    "claims many dimensions": b"mYm\0A" + u64(2**40),
    "claims many objects": claiming(10**12, code=5),
    "claims a huge cell": b"mYm\0C" + u64(2, 10**9, 10**9),
    "claims a long list": b"dj0\0\2" + u64(2**50),
    "claims a long string": b"dj0\0\5" + u64(2**50) + b"abc",
    "claims many fields": b"mYm\0S" + u64(1, 0) + struct.pack("<I", 2**31),
    "unknown type": claiming(1, code=999),
    "sparse": b"mYm\0P",
    "not UTF-8": b"dj0\0\5" + u64(2) + b"\xff\xfe",
    "set of lists": b"dj0\0\3" + u64(1, 9) + b"\2" + u64(0),
}


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_whole_blob_is_undecodable_and_takes_no_memory(raw: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Undecodable):
            decode(raw, UNPACK)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 1_000_000


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


# as MATLAB's mYm wrote blobs where it was compiled for 32 bits: every size has four bytes
NARROW_ROW = b"A" + u32(2, 1, 3, 6, 0) + struct.pack("<3d", 0.5, NAN, -2.0)
NARROW_TEXT = b"A" + u32(2, 1, 4, 4, 0) + "left".encode("utf-16-le")
NARROW = {
    "a row of numbers": (b"mYm\0" + NARROW_ROW, "DOUBLE[][]", [[0.5, NAN, -2.0]]),
    "nothing": (b"mYm\0A" + u32(2, 0, 0, 6, 0), "DOUBLE[][]", []),
    "a structure": (
        b"mYm\0S"
        + u32(2, 1, 1, 2)
        + b"hits\0side\0"
        + b"".join(u32(len(part)) + part for part in (NARROW_ROW, NARROW_TEXT)),
        "JSON",
        '[{"hits": [[0.5, "nan", -2.0]], "side": ["left"]}]',
    ),
    "cells": (
        b"mYm\0C" + u32(2, 1, 1, len(NARROW_TEXT)) + NARROW_TEXT,
        "JSON",
        '[["left"]]',
    ),
}


@pytest.mark.parametrize(("raw", "duckdb_type", "expected"), NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_blobs_of_32_bits_are_decoded(
    raw: bytes, duckdb_type: str, expected: Any, is_compressed: bool
) -> None:
    if is_compressed:
        raw = b"ZL123\0" + u32(len(raw)) + zlib.compress(raw)

    value, is_usual = decode_either(raw, UNPACK)

    assert not is_usual
    assert kind(value).duckdb_type == duckdb_type
    assert repr(column([value], kind(value)).to_pylist()) == repr([expected])
    assert decode_either(WHOLE, UNPACK)[1]


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_not_taken_for_a_blob_of_32_bits(raw: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Undecodable):
            decode(raw, UNPACK, width=4)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 1_000_000


def test_a_blob_too_large_to_be_one_is_undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "LARGEST", len(WHOLE) - 1)

    with pytest.raises(Undecodable, match=f"claims {len(WHOLE):,} bytes"):
        decode(compressed(WHOLE, len(WHOLE)), UNPACK)


@pytest.mark.parametrize("raw", [claiming(10**15, 0), claiming(10**15, 0, code=5)])
def test_rows_of_nothing_take_no_memory(raw: bytes) -> None:
    value = decode(raw, UNPACK)

    assert column([value], kind(value)).to_pylist() == [[]]
    assert as_json({"rows": np.zeros((3, 0))}) == {"rows": []}


def sync_one(source: DataJointSource, table: str, folder: Path) -> tuple[dict, list, Report]:
    """Copy a table of `behavior`: the types of its columns, its rows, and the report."""
    report = sync(source, folder / "ibl.duckdb", Options(table=(f"behavior.{table}",)))
    with connect(folder / "ibl.duckdb") as mirror:
        found = mirror.sql(f"select * from behavior.{table} order by id")
        types = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
        return types, found.fetchall(), report


def test_blobs_of_a_datajoint_table_can_be_asked_in_sql(
    source: DataJointSource, server: Server, tables: SimpleNamespace, tmp_path: Path
) -> None:
    schema = dj.Schema("ibl_behavior", connection=ibl.connect(server))

    @schema
    class Wheel(dj.Manual):
        definition = """
        id : int
        ---
        position=null : longblob
        counts=null : blob
        mixed=null : mediumblob
        lone=null : longblob
        """

    long = np.arange(5000.0)
    Wheel.insert(
        [
            (1, np.array([0.5, NAN, None], object), np.array([1, 2]), {"a": [NAN, None]}, NAN),
            (2, np.array([]), np.array([], int), np.array([1, 2]), np.array([0.5])),
            (3, None, None, None, None),
            (4, long, np.array([3]), "text", np.array([1.5, 2.5])),
        ]
    )

    types, rows, report = sync_one(source, "wheel", tmp_path)

    assert types == {
        "id": "INTEGER",
        "position": "DOUBLE[]",
        "counts": "BIGINT[]",
        "mixed": "JSON",
        "lone": "DOUBLE[]",
    }
    assert repr(rows) == repr(
        [
            (1, [0.5, NAN, None], [1, 2], '{"a": ["nan", null]}', [NAN]),
            (2, [], [], "[1, 2]", [0.5]),
            (3, None, None, None, None),
            (4, long.tolist(), [3], '"text"', [1.5, 2.5]),
        ]
    )
    [copied] = report.tables
    assert not copied.forced_to_null
    assert copied.notes == (
        "behavior.wheel.lone holds single numbers among its arrays, read as arrays of one",
    )
    with connect(tmp_path / "ibl.duckdb") as mirror:
        asked = mirror.sql(
            "select list_filter(position, lambda x: isnan(x)), position[3] is null,"
            " mixed->>'$.a[0]' from behavior.wheel where id = 1"
        ).fetchall()
    assert repr(asked) == repr([([NAN], True, "nan")])


@pytest.mark.parametrize("kept", [0, 5_000, 8 * 2**20])
def test_blobs_are_the_same_whether_what_was_decoded_is_kept_or_not(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of three batches, some, or all."""
    monkeypatch.setattr(readers, "KEPT_BYTES", kept)
    arrays = [np.arange(place + 100.0) for place in range(3)]
    schema = pa.schema([("position", pa.binary())])
    batches = (
        pa.record_batch([pa.array([pack(array), b"damage"], pa.binary())], schema=schema)
        for array in arrays
    )
    table = Table("behavior", "wheel", "ibl_behavior", "wheel", "", (), ())
    columns = {"position": Conversion("BLOB", is_blob=True)}

    reading = readers.read_blobs(table, columns, batches, blobs.unpacker(Blob))
    rows = [row for batch in reading.batches for row in batch.column(0).to_pylist()]

    assert rows == [value for array in arrays for value in (array.tolist(), None)]
    assert reading.undecodable == {"position": 3}
    assert reading.originals
    assert [row["original"] for batch in reading.originals for row in batch.to_pylist()] == [
        b"damage"
    ] * 3


def test_damaged_blobs_become_null_and_are_counted_even_where_null_is_forbidden(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    rows = [WHOLE, *DAMAGED.values(), pack(np.array([7.5]))]
    server.run(
        "use ibl_behavior",
        "create table damaged (id int primary key, b longblob not null, fine longblob not null)",
        *(
            f"insert into damaged values ({number}, x'{raw.hex()}', x'{WHOLE.hex()}')"
            for number, raw in enumerate(rows)
        ),
    )

    types, arrived, report = sync_one(source, "damaged", tmp_path)

    assert types == {"id": "INTEGER", "b": "DOUBLE[]", "fine": "DOUBLE[]"}
    assert [b for _, b, _ in arrived] == [
        np.arange(200.0).tolist(),
        *[None] * len(DAMAGED),
        [7.5],
    ]
    assert report.tables[0].forced_to_null == {"b": len(DAMAGED)}
    with connect(tmp_path / "ibl.duckdb") as mirror:
        assert mirror.sql(
            "select column_name, is_nullable from duckdb_columns() where table_name = 'damaged'"
        ).fetchall() == [("id", False), ("b", True), ("fine", False)]
        assert mirror.sql(
            "select forced_to_null from _mirror.tables where table_name = 'damaged'"
        ).fetchall() == [({"b": len(DAMAGED)},)]


def test_bytes_that_do_not_decode_are_kept_and_told(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    narrow, picture, nothing = NARROW["a row of numbers"][0], b"\x89PNG\r\n", pack(None)
    rows = [WHOLE, picture, narrow, nothing, b""]
    server.run(
        "use ibl_behavior",
        "create table raw (id int primary key, b longblob)",
        *(f"insert into raw values ({number}, x'{raw.hex()}')" for number, raw in enumerate(rows)),
        "insert into raw values (5, null)",
    )

    types, arrived, report = sync_one(source, "raw", tmp_path)

    [copied] = report.tables
    assert types["b"] == "JSON"
    assert [b is None for _, b in arrived] == [False, True, False, True, True, True]
    assert copied.forced_to_null == {"b": 3}
    assert any("bytes of 3 values of behavior.raw.b" in note for note in copied.notes)
    with connect(tmp_path / "ibl.duckdb") as mirror:
        kept = mirror.sql(
            "select id, original from behavior.raw as t join _mirror.blobs as b"
            " on b.table_name = 'raw' and b.column_name = 'b' and b.row = t.rowid order by id"
        ).fetchall()
    assert kept == list(enumerate(rows))
    with closing(OfflineConnection(tmp_path / "ibl.duckdb")) as offline:
        served = offline.query("select id, b from ibl_behavior.raw order by id").fetchall()
        missing = offline.query("select id from ibl_behavior.raw where b is null").fetchall()
    assert served == tuple([*enumerate(rows), (5, None)])
    assert missing == ((5,),)


def test_blobs_that_mariadb_compresses_are_decoded(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    array = pack(np.arange(3.0)).hex()
    server.run(
        "use ibl_behavior",
        "create table squeezed (id int primary key, b longblob compressed,"
        " v varchar(20) compressed, raw varbinary(20) compressed, t mediumtext compressed)",
        f"insert into squeezed values (1, x'{array}', 'é', x'ff00', 'long')",
    )

    types, rows, report = sync_one(source, "squeezed", tmp_path)

    assert types == {
        "id": "INTEGER",
        "b": "DOUBLE[]",
        "v": "VARCHAR",
        "raw": "BLOB",
        "t": "VARCHAR",
    }
    assert rows == [(1, [0.0, 1.0, 2.0], "é", b"\xff\x00", "long")]
    assert not report.tables[0].notes
    with closing(OfflineConnection(tmp_path / "ibl.duckdb")) as offline:
        [served] = offline.query("select b, v, raw, t from ibl_behavior.squeezed").fetchall()
    assert served == (bytes.fromhex(array), "é", b"\xff\x00", "long")


def test_attachments_in_the_table_are_kept_as_bytes(
    source: DataJointSource, server: Server, tables: SimpleNamespace, tmp_path: Path
) -> None:
    schema = dj.Schema("ibl_behavior", connection=ibl.connect(server))

    @schema
    class Paper(dj.Manual):
        definition = """
        id : int
        ---
        file=null : attach
        numbers=null : longblob
        """

    (tmp_path / "a note.txt").write_bytes(b"\0\xffmice")
    Paper.insert([(1, tmp_path / "a note.txt", np.arange(2)), (2, None, None)])
    there = server.run("select file from ibl_behavior.paper order by id")

    types, rows, report = sync_one(source, "paper", tmp_path)

    assert types == {"id": "INTEGER", "file": "BLOB", "numbers": "BIGINT[]"}
    assert rows == [(1, b"a note.txt\0\0\xffmice", [0, 1]), (2, None, None)]
    assert [(file,) for _, file, _ in rows] == list(there)
    [copied] = report.tables
    assert not copied.left_out
    assert any(note.startswith("file: DataJoint attachments") for note in copied.notes)
    with closing(OfflineConnection(tmp_path / "ibl.duckdb")) as offline:
        again = dj.FreeTable(offline, "`ibl_behavior`.`paper`")
        path = (again & "id = 1").fetch1("file", download_path=str(tmp_path / "here"))
    assert Path(path).read_bytes() == b"\0\xffmice"


def test_none_packed_into_a_column_that_is_not_null_arrives_as_null(
    source: DataJointSource, server: Server, tmp_path: Path
) -> None:
    nothing, something = pack(None).hex(), pack(np.array([1])).hex()
    server.run(
        "use ibl_behavior",
        "create table packed (id int primary key, b longblob not null)",
        f"insert into packed values (1, x'{nothing}'), (2, x'{something}')",
    )

    _, rows, report = sync_one(source, "packed", tmp_path)

    assert rows == [(1, None), (2, [1])]
    assert report.tables[0].forced_to_null == {"b": 1}
