"""A mirror as static files, in a directory and in a bucket."""

import json
from pathlib import Path

from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.store.shared.bucket import Bucket
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.mirror.support import Mirrored


def test_each_run_writes_what_is_mirrored_and_removes_what_is_not(
    mirror: Mirrored, upstream: FakeIndex, tmp_path: Path
) -> None:
    dest = tmp_path / "site"
    mirror.configure(projects=["acme-*"])
    done = mirror.cli("mirror", "--to", str(dest)).expect()
    assert "has 2 projects and 13 files" in done.words
    assert sorted(path.name for path in (dest / "simple").iterdir() if path.is_dir()) == [
        "acme-app", "acme-lib"
    ]  # fmt: skip
    upstream.add(wheel("acme-app", "2.0"))
    tree = mirror.cli("mirror", "--to", str(dest), "--json").expect().json["tree"]
    assert (tree["new_files"], tree["files"], tree["removed"]) == (1, 14, 0)


def test_a_dry_run_writes_nothing(mirror: Mirrored, tmp_path: Path) -> None:
    done = mirror.cli("mirror", "--dry-run", "--to", str(tmp_path / "site"), "--json").expect()
    assert done.json["tree"] is None
    assert not (tmp_path / "site").exists()


def test_a_mirror_is_written_into_a_bucket(
    mirror: Mirrored, bucket_url: str, object_store: ObjectStore
) -> None:
    mirror.cli.environ |= {**WRITER, "AWS_ENDPOINT_URL": object_store.endpoint}
    mirror.configure(projects=["other"])
    mirror.cli("mirror", "--to", bucket_url).expect()
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    page = json.loads(bucket.get("simple/other/index.json").data)
    (file,) = page["files"]
    name = wheel("other", "1.0").filename
    assert file["url"].startswith(f"../../files/{name}")
    assert bucket.get(f"files/{name}").data == wheel("other", "1.0").data
