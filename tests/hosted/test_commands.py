"""``publish``, ``yank``, ``unyank``, ``remove`` and ``token`` beside a running shim."""

import json
from pathlib import Path

from tests.fakes import wheel
from tests.hosted.conftest import Hosted

LIB = wheel("acme-lib", "1.0")


def test_what_is_published_yanked_unyanked_and_removed_is_seen_by_a_running_shim(
    hosted: Hosted, tmp_path: Path
) -> None:
    file = tmp_path / LIB.filename
    file.write_bytes(LIB.data)
    assert "published (local)" in hosted.command("publish", str(file)).stdout
    assert "was there already" in hosted.command("publish", str(file)).stdout
    assert hosted.listed("acme-lib") == [LIB.filename]
    done = hosted.command("yank", "Acme.Lib", "1.0.0", "--reason", "broken")
    assert "exactly acme-lib==1.0" in " ".join(done.stdout.split())
    assert hosted.page("acme-lib")["files"][0]["yanked"] == "broken"
    assert hosted.command("unyank", "acme-lib", "1.0").returncode == 0
    assert hosted.page("acme-lib")["files"][0]["yanked"] is False
    assert hosted.command("remove", "acme-lib", "1.0").returncode == 1
    done = hosted.command("remove", "acme-lib", "1.0", "--yes")
    assert "from the next index that has the name" in " ".join(done.stdout.split())
    assert hosted.lying() == []


def test_publish_refuses_what_an_upload_would(hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "acme_other-1.0-py3-none-any.whl"
    file.write_bytes(LIB.data)
    done = hosted.command("publish", str(file))
    assert done.returncode == 1
    assert "no METADATA of acme-other" in " ".join(done.stderr.split())
    assert hosted.lying() == []


def test_a_revoked_token_is_worth_nothing_and_none_is_kept_in_clear(hosted: Hosted) -> None:
    (known,) = json.loads(hosted.command("token", "list", "--json").stdout)
    assert hosted.command("token", "revoke", known["id"]).returncode == 0
    assert hosted.upload(LIB).status_code == 401
    kept = [path.read_bytes() for path in (hosted.directory / "cache").glob("index.sqlite3*")]
    assert kept
    assert not any(hosted.token.encode() in data for data in kept)
