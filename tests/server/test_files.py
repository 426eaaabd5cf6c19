"""Files over a real socket: whole, in part, revalidated."""

import pytest

from tests.server.conftest import DEMO, DEMO_SDIST, World

SIZE = len(DEMO.data)


@pytest.fixture(scope="module")
def path(world: World) -> str:
    """The path of a file that is in the store."""
    path = world.path_of(DEMO)
    assert world.shim.get(path).status == 200
    return path


def test_a_file_has_its_headers(world: World, path: str) -> None:
    answer = world.shim.get(path)
    assert answer.body == DEMO.data
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert int(answer.headers["Content-Length"]) == SIZE
    assert answer.headers["ETag"] == f'"{DEMO.sha256}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "max-age=365000000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Encoding" not in answer.headers


def test_the_path_ends_in_the_file_name(path: str) -> None:
    assert path == f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=50-{SIZE * 2}", 50, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
    ],
)
def test_a_part_is_sent_as_asked_for(
    world: World, path: str, asked: str, start: int, stop: int
) -> None:
    answer = world.shim.get(path, {"Range": asked})
    assert answer.body == DEMO.data[start:stop]
    assert int(answer.headers["Content-Length"]) == stop - start
    if (start, stop) == (0, SIZE):
        assert answer.status == 200
    else:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.fault(72)
@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE * 2}-{SIZE * 3}", "bytes=-0"])
def test_a_part_behind_the_end_is_a_416(world: World, path: str, asked: str) -> None:
    answer = world.shim.get(path, {"Range": asked})
    assert answer.problem["status"] == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000)),
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "items=0-5",
        "bytes=0x10-",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "9" * 5000,
        "",
    ],
    ids=lambda asked: asked[:20] or "empty",
)
def test_a_range_that_is_not_one_plain_range_is_answered_with_the_whole(
    world: World, path: str, asked: str
) -> None:
    answer = world.shim.get(path, {"Range": asked})
    assert (answer.status, answer.body) == (200, DEMO.data)


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (f'"{DEMO.sha256}"', 206),
        ('"something else"', 200),
        (f'W/"{DEMO.sha256}"', 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
    ],
)
def test_a_part_is_sent_only_of_the_content_that_the_client_has(
    world: World, path: str, if_range: str, status: int
) -> None:
    answer = world.shim.get(path, {"Range": "bytes=10-", "If-Range": if_range})
    assert answer.status == status
    assert answer.body == (DEMO.data[10:] if status == 206 else DEMO.data)


@pytest.mark.fault(72)
def test_a_file_that_the_client_holds_is_not_sent_again(world: World, path: str) -> None:
    answer = world.shim.get(path, {"If-None-Match": f'"{DEMO.sha256}"', "Range": "bytes=0-9"})
    assert (answer.status, answer.body) == (304, b"")
    assert world.shim.get(path, {"If-None-Match": '"other"'}).status == 200


@pytest.mark.fault(72)
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=10-19"}], ids=["whole", "part"])
def test_head_answers_as_get_without_the_body(
    world: World, path: str, headers: dict[str, str]
) -> None:
    got, head = world.shim.get(path, headers), world.shim.get(path, headers, method="HEAD")
    assert (head.status, head.body) == (got.status, b"")
    for name in ("Content-Length", "Content-Range", "ETag", "Accept-Ranges", "Content-Type"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.fault("incident: NEXUS-31354")
def test_head_of_a_file_not_yet_here_knows_its_length(world: World) -> None:
    head = world.shim.get(world.path_of(DEMO_SDIST), method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(DEMO_SDIST.data)


def test_metadata_has_an_address_beside_its_wheel(world: World, path: str) -> None:
    answer = world.shim.get(path + ".metadata")
    assert (answer.status, answer.body) == (200, DEMO.metadata)
    assert answer.headers["ETag"] == f'"{DEMO.metadata_sha256}"'


def test_a_file_of_the_right_name_and_a_wrong_hash_is_refused(world: World, path: str) -> None:
    answer = world.shim.get(path.replace(DEMO.sha256, "0" * 64))
    assert answer.status == 409
    assert "first seen with sha256" in answer.problem["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        "/files/pypi/demo/nothing-1.0.tar.gz",
        "/files/nobody/demo/demo-2.0.tar.gz",
        "/files/pypi/demo.123/demo-1.0.tar.gz",
        "/files/pypi/Demo/demo-1.0.tar.gz",
        "/files/pypi/demo/",
        "/files/pypi/",
        "/files/",
    ],
)
def test_an_address_that_no_file_has_is_a_404(world: World, wrong: str) -> None:
    assert world.shim.get(wrong).problem["status"] == 404
