"""Uploads: the response, and the files in the index afterwards."""

import io
import re
import sys
import threading
import zipfile
from pathlib import Path

import pytest
import requests

from tests.fakes import Dist, sdist, wheel
from tests.hosted.conftest import SECONDS, Hosted
from tests.serving import wait_until

LIB = wheel("acme-lib", "1.0", requires_python=">=3.8")
BIG = wheel("acme-lib", "1.0", size=300_000)
#: The sha256 of a gigabyte of zeros, as in a RECORD.
ZEROS = "Sbwg3xXkEqZEckIeE_6G_xxRZeGLKvzPFg1NwZ_mihQ"
OTHER = wheel("acme-lib", "1.0", requires_python=">=3.9")


def test_an_uploaded_file_is_listed_at_once_instead_of_a_higher_public_version(
    hosted: Hosted,
) -> None:
    assert hosted.listed("acme-lib") == ["acme_lib-99.0-py3-none-any.whl"]
    assert hosted.upload(LIB).status_code == 200
    assert hosted.listed("acme-lib") == [LIB.filename]
    assert hosted.lying() == [LIB.filename]


def test_a_hosted_file_has_size_time_metadata_and_its_requirement_of_python(
    hosted: Hosted,
) -> None:
    source = sdist("acme-lib", "1.0", requires_python=">=3.8")
    assert hosted.upload(LIB).status_code == 200
    assert len(hosted.page("acme-lib")["files"]) == 1
    assert hosted.upload(source).status_code == 200
    page = hosted.page("acme-lib")
    assert [file["size"] for file in page["files"]] == [len(LIB.data), len(source.data)]
    assert all(file["upload-time"].endswith("Z") for file in page["files"])
    assert all(file["requires-python"] == ">=3.8" for file in page["files"])
    for file, dist in zip(page["files"], (LIB, source), strict=True):
        assert file["core-metadata"] == {"sha256": dist.metadata_sha256}
        url = requests.compat.urljoin(f"{hosted.served.url}acme-lib/", f"{file['url']}")
        answer = requests.get(f"{url.partition('#')[0]}.metadata", timeout=SECONDS)
        assert answer.content == dist.metadata


@pytest.mark.fault(77)
def test_the_same_file_again_is_well_and_another_content_is_not(hosted: Hosted) -> None:
    assert [hosted.upload(LIB).status_code for _ in range(2)] == [200, 200]
    answer = hosted.upload(OTHER)
    assert answer.status_code == 400
    assert answer.json()["title"] == "File already exists"
    assert "local has it with other content" in answer.json()["detail"]
    assert (hosted.packages / LIB.filename).read_bytes() == LIB.data


def test_the_same_release_under_another_spelling_is_refused(hosted: Hosted) -> None:
    first = sdist("acme-lib", "1.0")
    assert hosted.upload(first).status_code == 200
    assert hosted.upload(first, fields={"filename": "Acme_Lib-1.0.tar.gz"}).status_code == 400
    assert hosted.lying() == [first.filename]


@pytest.mark.fault(79)
@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"name": "acme-other"}, "its form says acme-other 1.0"),
        ({"version": "2.0"}, "its form says acme-lib 2.0"),
        ({"filename": "acme_other-1.0-py3-none-any.whl"}, "METADATA is of another project"),
        ({"filename": "acme_lib-2.0-py3-none-any.whl"}, "its metadata inside says acme-lib 1.0"),
        ({"filename": "../acme_lib-1.0-py3-none-any.whl"}, "not the name of a wheel"),
        ({"sha256_digest": "0" * 64}, "but the form says"),
        ({"md5_digest": "0" * 32}, "but the form says"),
        ({":action": "submit"}, ":action"),
        ({"filetype": "bdist_egg"}, "filetype"),
    ],
)
def test_what_does_not_agree_is_refused_and_leaves_nothing(
    refusing: Hosted, fields: dict[str, str], cause: str
) -> None:
    answer = refusing.upload(LIB, fields=fields)
    assert answer.status_code == 400
    assert cause in answer.json()["detail"]
    assert refusing.lying() == []


def test_a_name_that_another_index_claims_is_refused(refusing: Hosted) -> None:
    answer = refusing.upload(wheel("Other.Thing", "1.0"))
    assert answer.status_code == 400
    assert "claiming claims other-thing" in answer.json()["detail"]


@pytest.mark.fault(76)
def test_a_bomb_is_refused(refusing: Hosted) -> None:
    data = io.BytesIO(LIB.data)
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(70 * 1024**2))
    answer = refusing.upload(LIB, data=data.getvalue())
    assert answer.status_code == 400
    assert "50 times its size" in answer.json()["detail"]


@pytest.mark.fault(78)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_upload_that_is_cut_short_leaves_nothing(refusing: Hosted, share: float) -> None:
    with refusing.uploading(BIG, share):
        wait_until(refusing.lying, 20, "nothing arrives")
    wait_until(lambda: not refusing.lying(), 20, "something is left")
    assert refusing.listed(BIG.project) == ["acme_lib-99.0-py3-none-any.whl"]


def test_of_two_uploads_of_one_name_at_once_one_wins(hosted: Hosted) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda dist=dist: statuses.append(hosted.upload(dist).status_code))
        for dist in (LIB, OTHER)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 400]
    assert (hosted.packages / LIB.filename).read_bytes() in (LIB.data, OTHER.data)
    assert hosted.lying() == [LIB.filename]


@pytest.mark.fault(66)
@pytest.mark.parametrize("origin", ["null", "http://evil.example.com", "https://127.0.0.1"])
def test_an_upload_by_a_page_of_another_origin_is_refused(hosted: Hosted, origin: str) -> None:
    assert hosted.upload(LIB, headers={"Origin": origin}).status_code == 403
    assert hosted.upload(LIB, headers={"Origin": hosted.base}).status_code == 200


def test_without_a_good_token_nothing_is_taken(refusing: Hosted) -> None:
    read_only = refusing.command("token", "create", "--allow", "read").stdout.strip()
    expired = refusing.command("token", "create", "--expires", "0 s").stdout.strip()
    for token, status in ((read_only, 403), (expired, 401), ("wrong", 401), ("", 401)):
        answer = refusing.upload(LIB, token=token)
        assert answer.status_code == status, token
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert refusing.lying() == []
    assert refusing.upload(LIB, path="/upload/pypi/").status_code == 404


def test_a_description_with_a_script_gets_into_no_page(hosted: Hosted) -> None:
    answer = hosted.upload(LIB, fields={"description": "<script>alert(1)</script>"})
    assert answer.status_code == 200
    assert "script" not in requests.get(f"{hosted.served.url}acme-lib/", timeout=60).text


def write_big_wheel(path: Path, dist: Dist) -> None:
    """Write a wheel with a gigabyte of zeros more."""
    piece = bytes(1 << 20)
    with (
        zipfile.ZipFile(io.BytesIO(dist.data)) as small,
        zipfile.ZipFile(path, "w") as archive,
    ):
        *others, record = small.infolist()
        for info in others:
            archive.writestr(info, small.read(info))
        with archive.open("zeros", "w", force_zip64=True) as big:
            for _ in range(1024):
                big.write(piece)
        row = f"zeros,sha256={ZEROS},{1024 << 20}\n"
        archive.writestr(record, small.read(record) + row.encode())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows the most of it")
def test_an_upload_of_a_gigabyte_takes_hardly_any_memory(hosted: Hosted, tmp_path: Path) -> None:
    path = tmp_path / "acme_big-1.0-py3-none-any.whl"
    write_big_wheel(path, wheel("acme-big", "1.0"))
    process = hosted.served.system
    before = process.memory_info().rss
    assert hosted.upload_file(path, "acme-big") == 200
    (peak,) = re.findall(
        r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text("utf-8")
    )
    assert int(peak) * 1024 - before < 50_000_000
    assert hosted.page("acme-big")["files"][0]["size"] == path.stat().st_size > 1 << 30
