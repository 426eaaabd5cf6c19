"""``publish``, ``yank``, ``unyank``, ``remove`` and ``token`` while a shim runs."""

import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path

from tests.fakes import flat_directory, sdist, wheel
from tests.hosted.conftest import Hosted

LIB = wheel("acme-lib", "1.0")


def test_what_is_published_yanked_unyanked_and_removed_is_seen_by_a_running_shim(
    hosted: Hosted, tmp_path: Path
) -> None:
    file = tmp_path / LIB.filename
    file.write_bytes(LIB.data)
    assert "published (local)" in hosted.command("publish", str(file)).stdout
    assert "is published already" in hosted.command("publish", str(file)).stdout
    assert hosted.listed("acme-lib") == [LIB.filename]
    done = hosted.command("yank", "Acme.Lib", "1.0.0", "--reason", "broken")
    assert "the exact requirement acme-lib==1.0" in " ".join(done.stdout.split())
    assert hosted.page("acme-lib")["files"][0]["yanked"] == "broken"
    assert hosted.command("unyank", "acme-lib", "1.0").returncode == 0
    assert hosted.page("acme-lib")["files"][0]["yanked"] is False
    assert hosted.command("remove", "acme-lib", "1.0").returncode == 1
    done = hosted.command("remove", "acme-lib", "1.0", "--yes")
    assert "from the next index that has it" in " ".join(done.stdout.split())
    assert hosted.lying() == []


def test_commands_are_recorded_with_the_login(hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / LIB.filename
    file.write_bytes(LIB.data)
    for arguments in (
        ("publish", str(file)), ("publish", str(file)), ("yank", "acme-lib", "1.0"),
        ("cache", "disown", "acme-lib", "--yes"), ("remove", "acme-lib", "1.0", "--yes"),
    ):  # fmt: skip
        hosted.listed("acme-lib")
        assert hosted.command(*arguments).returncode == 0
    events = json.loads(hosted.command("log", "--json").stdout)["events"]
    made_by = f"{events[-1]['name']}@{platform.node()}"
    assert [(each["action"], each["index"], each["detail"]) for each in events] == [
        ("removed", "local", ""), ("disowned", None, "owned by local"),
        ("yanked", "local", ""), ("uploaded", "local", ""),
        ("token-created", None, f"{made_by} for read, upload: all indexes"),
    ]  # fmt: skip
    assert {(each["token"], each["address"]) for each in events} == {(None, "")}
    assert all(each["name"] for each in events)


def test_tokens_yanks_and_upload_times_outlive_the_cache(hosted: Hosted) -> None:
    assert hosted.upload(LIB).status_code == 200
    hosted.command("yank", "acme-lib", "1.0", "--reason", "broken")
    (before,) = hosted.page("acme-lib")["files"]
    hosted.served.stop()
    shutil.rmtree(hosted.directory / "cache")
    hosted.start()
    (after,) = hosted.page("acme-lib")["files"]
    assert (after["upload-time"], after["yanked"]) == (before["upload-time"], "broken")
    assert hosted.upload(LIB).status_code == 200


def test_publish_refuses_what_an_upload_would(hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "acme_other-1.0-py3-none-any.whl"
    file.write_bytes(LIB.data)
    done = hosted.command("publish", str(file))
    assert done.returncode == 1
    assert "METADATA is of another project" in " ".join(done.stderr.split())
    assert hosted.lying() == []


def test_publish_names_the_formats_that_it_takes(hosted: Hosted, tmp_path: Path) -> None:
    formats = "wheels (.whl) and sdists (.tar.gz, .zip)"
    file = tmp_path / "acme_lib-1.0-py2.7.egg"
    file.write_bytes(b"an egg")
    done = hosted.command("publish", str(file))
    assert done.returncode == 1
    assert f"only {formats} are taken" in " ".join(done.stderr.split())
    assert formats in " ".join(hosted.command("publish", "--help").stdout.split())
    assert hosted.lying() == []


def test_a_legacy_sdist_is_published_under_the_project_in_its_metadata(
    hosted: Hosted, tmp_path: Path
) -> None:
    legacy = replace(sdist("acme-lib", "1.0.post2"), filename="acme-lib-1.0-2.tar.gz")
    file = flat_directory(tmp_path / "dist", [legacy]) / legacy.filename
    done = hosted.command("publish", "--json", str(file))
    (published,) = json.loads(done.stdout)["files"]
    assert published["identity"] == {
        "project": "acme-lib", "version": "1.0.post2", "kind": "sdist"
    }  # fmt: skip
    assert hosted.listed("acme-lib") == [legacy.filename]
    assert hosted.listed("acme-lib-1-0") == []
    assert "is published already" in hosted.command("publish", str(file)).stdout
    assert hosted.command("remove", "acme-lib", "1.0.post2", "--yes").returncode == 0
    assert hosted.lying() == []


def test_the_metadata_of_a_legacy_sdist_shows_the_claim_of_another_index(
    hosted: Hosted, tmp_path: Path
) -> None:
    legacy = replace(sdist("other-lib", "1.0.post2"), filename="other-lib-1.0-2.tar.gz")
    file = flat_directory(tmp_path / "dist", [legacy]) / legacy.filename
    done = hosted.command("publish", str(file))
    assert "claiming claims other-lib," in " ".join(done.stderr.split())
    assert hosted.lying() == []


def test_no_token_is_kept_in_clear(hosted: Hosted) -> None:
    (known,) = json.loads(hosted.command("token", "list", "--json").stdout)["tokens"]
    kept = [path.read_bytes() for path in hosted.directory.rglob("*.sqlite3*")]
    assert any(known["id"].encode() in data for data in kept)
    assert not any(hosted.token.encode() in data for data in kept)


def test_a_revoked_token_is_worth_nothing(hosted: Hosted) -> None:
    (known,) = json.loads(hosted.command("token", "list", "--json").stdout)["tokens"]
    assert hosted.command("token", "revoke", known["id"]).returncode == 0
    assert hosted.upload(LIB).status_code == 401


def test_a_new_token_is_shown_with_its_name_and_the_lines_to_use_it(hosted: Hosted) -> None:
    made = json.loads(hosted.command("token", "create", "--name", "laptop", "--json").stdout)
    assert (made["name"], made["rights"]) == ("laptop", ["read", "upload"])
    assert made["token"].startswith("ifb_")
    twine, uv = made["use"]
    assert twine.startswith("twine upload --verbose --repository-url http://127.0.0.1:")
    assert "uv publish --publish-url http://127.0.0.1:" in uv
    assert "/simple/ --token TOKEN" in uv
    done = hosted.command("token", "create", "--allow", "read")
    assert done.stdout.startswith("ifb_")
    assert len(done.stdout.split()) == 1
    assert "pip install --index-url http://__token__:TOKEN@127.0.0.1:" in done.stderr
    known = json.loads(hosted.command("token", "list", "--json").stdout)["tokens"]
    names = [each["name"] for each in known]
    assert "laptop" in names
