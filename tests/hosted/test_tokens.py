"""What a token is for: indexes, projects, rights; and what the log tells of its use."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import requests

from tests.fakes import FakeIndex, sdist, wheel
from tests.hosted.conftest import Hosted
from tests.hosted.teams import Team
from tests.serving import config_text, index_table, serving

LIB, APP, PUBLIC = wheel("acme-lib", "1.0"), wheel("acme-app", "2.0"), wheel("six", "1.16")
WRITERS = {
    "yank": "/-/yank/staging/acme-lib/1.0",
    "remove": "/-/remove/staging/acme-lib/1.0",
    "promote": "/-/promote/acme-lib/1.0?from=staging&to=prod",
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    directory = tmp_path_factory.mktemp("team")
    directories = {name: tmp_path_factory.mktemp(name) for name in ("prod", "staging")}
    with FakeIndex([PUBLIC]) as pypi, ExitStack() as stack:
        tables = [
            index_table(name, path.as_uri(), role="private", upload=True)
            for name, path in directories.items()
        ]
        text = config_text(*tables, index_table("pypi", pypi.url), server={"private": True})
        hosted = Hosted(
            directory, directories["staging"], lambda: stack.enter_context(serving(directory, text))
        )
        made = Team(hosted, directories)
        made.put("staging", LIB, APP)
        assert made.get("/simple/six/").ok
        yield made


@pytest.fixture(scope="module")
def lib_reader(team: Team) -> str:
    """A token that reads projects of one pattern alone."""
    return team.make_token("--allow", "read", "--project", "Acme.Lib*")


@pytest.mark.parametrize(
    "path",
    ["/simple/acme-lib/", "/index/staging/simple/acme-lib/", "/pypi/acme-lib/json",
     "/projects/acme-lib/", "/-/why/acme-lib", "/simple/Acme.Lib", "/-/pages.js"],
)  # fmt: skip
def test_a_token_for_a_project_reads_all_of_it(path: str, team: Team, lib_reader: str) -> None:
    assert team.get(path, lib_reader).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/simple/acme-app/", "/index/staging/simple/acme-app/", "/pypi/acme-app/json",
     "/projects/acme-app/", "/-/why/acme-app", "/simple/acme.app", "/-/refresh/acme-app",
     "/", "/-/status", "/-/metrics", "/-/origins", "/via/https/example.com/simple/acme-lib/",
     "/direct/simple/acme-app/", "/simple/six/"],
)  # fmt: skip
def test_a_token_for_a_project_reads_nothing_else(path: str, team: Team, lib_reader: str) -> None:
    answer = team.get(path, lib_reader)
    assert answer.status_code == 403
    assert "is for acme-lib* alone" in answer.json()["detail"]
    assert team.get(path).status_code != 403


def test_a_token_for_a_project_reads_its_files_alone(team: Team, lib_reader: str) -> None:
    lib, app = (team.files("staging", name)[0]["url"] for name in ("acme-lib", "acme-app"))
    for url, expected in ((lib, 200), (app, 403)):
        path = "/files/" + url.partition("#")[0].rpartition("/files/")[2]
        assert team.get(path, lib_reader).status_code == expected
        assert team.get(f"{path}.metadata", lib_reader).status_code == expected
    app_path = "/files/" + app.partition("#")[0].rpartition("/files/")[2]
    assert team.get(app_path.replace("acme-app.", "acme-lib."), lib_reader).status_code == 404


def test_the_list_of_names_has_the_projects_of_the_token_alone(team: Team, lib_reader: str) -> None:
    def names(path: str, token: str = "") -> list[str]:
        return [each["name"] for each in team.get(path, token).json()["projects"]]

    for path in ("/simple/", "/index/staging/simple/"):
        assert names(path, lib_reader) == ["acme-lib"]
        assert "acme-app" in names(path)


def test_the_search_finds_the_projects_of_the_token_alone(team: Team, lib_reader: str) -> None:
    for token, expected in ((lib_reader, ["acme-lib"]), ("", ["acme-app", "acme-lib"])):
        found = team.get("/-/search?q=acme-", token).json()["projects"]
        names = sorted(each["project"] for each in found)
        assert [name for name in names if name in ("acme-app", "acme-lib")] == expected
        page = team.get("/projects/?q=acme-", token).text
        assert [name for name in ("acme-app", "acme-lib") if f'"{name}/"' in page] == expected


def test_an_upload_of_another_project_is_refused_before_it_is_read(team: Team) -> None:
    token = team.make_token("--project", "acme-lib", "--index", "staging")
    content = b"no wheel" * 500_000
    refused = team.hosted.upload(
        wheel("acme-app", "3.0"), token=token, data=content, path="/upload/staging/"
    )
    assert refused.status_code == 403
    assert refused.headers["Connection"] == "close"
    assert "is for acme-lib alone, and not for acme-app" in refused.json()["detail"]
    assert team.upload(LIB, "prod", token).status_code == 403
    assert team.upload(LIB, "staging", token).status_code == 200


def test_the_project_of_an_ambiguous_name_is_that_of_its_metadata(team: Team) -> None:
    token = team.make_token("--project", "acme-lib-1")
    legacy = replace(sdist("acme-lib", "1.0.post2"), filename="acme-lib-1.0-2.tar.gz")
    refused = team.upload(legacy, "staging", token)
    assert refused.status_code == 403
    assert "not for acme-lib" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("allowed", "path", "lacks"),
    [
        ("read", WRITERS["yank"], "is for reading only"),
        ("upload", WRITERS["yank"], "is for reading and upload, and not for yank"),
        ("upload,yank", WRITERS["remove"], "is for reading and upload, yank, and not for remove"),
        ("yank,remove", WRITERS["promote"], "not for upload"),
        ("read", "/upload/staging/", "is for reading only"),
    ],
)
def test_a_token_changes_only_what_it_is_for(
    allowed: str, path: str, lacks: str, team: Team
) -> None:
    refused = team.post(path, team.make_token("--allow", allowed))
    assert refused.status_code == 403
    assert lacks in refused.json()["detail"]


@pytest.mark.parametrize("path", WRITERS.values())
def test_a_change_of_another_project_or_index_is_refused(path: str, team: Team) -> None:
    rights = ("--allow", "upload,yank,remove")
    for limit in (("--project", "acme-app"), ("--index", "prod")):
        assert team.post(path, team.make_token(*rights, *limit)).status_code == 403


@pytest.mark.parametrize("path", WRITERS.values())
def test_a_change_needs_a_token_and_no_foreign_page_makes_it(path: str, team: Team) -> None:
    all_rights = team.make_token("--allow", "upload,yank,remove")
    assert team.post(path, "ifb_wrong").status_code == 401
    refused = team.post(path, all_rights, Origin="https://evil.example.com")
    assert (refused.status_code, refused.json()["title"]) == (403, "Foreign origin")
    assert team.get(path).status_code == 405
    assert team.files("staging", "acme-lib")[0]["yanked"] is False


def test_a_release_is_yanked_unyanked_and_removed_by_request(team: Team) -> None:
    team.put("staging", wheel("acme-gone", "1.0"), wheel("acme-gone", "1.1"))
    token = team.make_token("--name", "ops", "--allow", "yank,remove", "--project", "acme-gone")
    done = team.post("/-/yank/staging/Acme.Gone/1.0.0?reason=it%20burns", token)
    assert done.json() == {
        "action": "yanked", "index": "staging", "project": "acme-gone", "version": "1.0.0",
        "files": ["acme_gone-1.0-py3-none-any.whl"],
    }  # fmt: skip
    assert [file["yanked"] for file in team.files("staging", "acme-gone")] == ["it burns", False]
    assert team.post("/-/unyank/staging/acme-gone/1.0", token).ok
    assert team.files("staging", "acme-gone")[0]["yanked"] is False
    assert team.post("/-/remove/staging/acme-gone/1.0", token).ok
    assert len(team.files("staging", "acme-gone")) == 1
    gone = team.post("/-/remove/staging/acme-gone/1.0", token)
    assert (gone.status_code, gone.json()["detail"]) == (
        404, "staging has no file of acme-gone 1.0; it has files of 1.1"
    )  # fmt: skip
    told = team.log("acme-gone", "--index", "staging")
    assert [each["action"] for each in told] == [
        "removed", "unyanked", "yanked", "uploaded", "uploaded"
    ]  # fmt: skip
    (yank,) = team.log("acme-gone", "--action", "yanked", "--since", "1 hour")
    assert (yank["name"], yank["address"], yank["detail"]) == ("ops", "127.0.0.1", "it burns")
    assert yank["subject"] == "1.0"
    page = team.get("/projects/acme-gone/", Accept="text/html").text
    assert "by ops in staging" in page
    assert "127.0.0.1 ·" not in page


def test_a_promoted_release_is_served_by_the_first_index_and_by_its_own(team: Team) -> None:
    def listed(path: str) -> list[str]:
        answer = team.get(f"{path}acme-step/")
        return [file["filename"] for file in answer.json()["files"]] if answer.ok else []

    team.put("staging", *(wheel("acme-step", version) for version in ("1.0", "1.1")))
    both = ["acme_step-1.0-py3-none-any.whl", "acme_step-1.1-py3-none-any.whl"]
    assert listed("/simple/") == both
    assert listed("/index/prod/simple/") == []
    token = team.make_token("--name", "releaser", "--project", "acme-step")
    path = "/-/promote/acme-step/1.0?from=staging&to=prod"
    for was_there in (False, True):
        promoted = team.post(path, token).json()
        assert (promoted["from"], promoted["to"]) == ("staging", "prod")
        (file,) = promoted["files"]
        assert (file["filename"], file["was_there"]) == (both[0], was_there)
    assert listed("/simple/") == listed("/index/prod/simple/") == both[:1]
    assert listed("/index/staging/simple/") == both
    (event,) = team.log("acme-step", "--action", "promoted")
    assert (event["name"], event["detail"]) == ("releaser", "from staging")
    for index in ("staging", "prod"):
        assert team.upload(wheel("acme-step", "2.0", requires_python=">=3.8"), index).ok
    refused = team.post("/-/promote/acme-step/3.0?from=staging&to=prod", token)
    assert (refused.status_code, refused.json()["title"]) == (409, "Promotion refused")
    assert team.post("/-/promote/acme-step/1.1?from=staging", token).status_code == 400
    unnamed = team.post("/-/promote/acme-step/1.1?from=&to=prod", token)
    assert "those with it are prod, staging" in unnamed.json()["detail"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "/-/yank/pypi/six/1.16",
            '"pypi" is not an index with upload = true; those with it',
        ),
        ("/-/yank/staging/six/x.y", "six x.y is not a project and a version"),
        ("/-/yank/staging/six/1.16", "staging has no file of six"),
        ("/-/yank/staging/six/1.16/", "staging has no file of six"),
        (
            "/upload/nowhere/",
            '"nowhere" is not an index with upload = true; those with it',
        ),
    ],
)
def test_what_is_no_hosted_release_is_not_found(path: str, words: str, team: Team) -> None:
    answer = team.post(path, team.make_token("--allow", "upload,yank"))
    assert answer.status_code == 404
    assert words in answer.json()["detail"]


def test_a_value_in_the_body_is_not_overlooked(team: Team) -> None:
    token = team.make_token("--allow", "yank")
    answer = requests.post(
        team.hosted.base + WRITERS["yank"], data={"reason": "broken"}, auth=("__token__", token),
        timeout=60,
    )  # fmt: skip
    assert (answer.status_code, answer.json()["title"]) == (400, "Unexpected body")
    assert answer.headers["Connection"] == "close"


def test_the_list_of_tokens_tells_what_each_is_for(team: Team) -> None:
    team.make_token("--name", "bot", "--allow", "upload,yank", "--index", "prod",
                    "--index", "staging", "--project", "acme-*", "--project", "other")  # fmt: skip
    (bot,) = (each for each in json.loads(team.hosted.command("token", "list", "--json").stdout)
              ["tokens"] if each["name"] == "bot")  # fmt: skip
    assert bot["rights"] == ["read", "upload", "yank"]
    assert (bot["indexes"], bot["projects"]) == (["prod", "staging"], ["acme-*", "other"])
    listed = team.hosted.command("token", "list").stdout
    assert "read, upload, yank: prod, staging; projects acme-*, other" in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ("--allow", "write"), ("--project", "a b"), ("--index", "nowhere"), ("--name", ""),
        ("--name", "a\nb"), ("--name", "\x1b[31mred"), ("--expires", "0 days"),
    ],
)  # fmt: skip
def test_a_wrong_limit_of_a_token_is_a_usage_error(arguments: tuple[str, ...], team: Team) -> None:
    assert team.hosted.command("token", "create", *arguments).returncode == 2


def test_a_token_for_an_index_is_shown_with_the_list_of_that_index(team: Team) -> None:
    done = team.hosted.command("token", "create", "--index", "staging", "--json")
    _, uv = json.loads(done.stdout)["use"]
    assert "/upload/staging/ --check-url http://127.0.0.1:" in uv
    assert "/index/staging/simple/ --token TOKEN" in uv


def test_the_log_is_a_table_for_people_and_says_that_there_is_more(team: Team) -> None:
    done = team.hosted.command("log", "--limit", "1")
    header, _ = done.stdout.splitlines()
    assert header.split() == ["when", "action", "project", "what", "index", "who", "detail"]
    assert "--limit 2 shows more" in done.stderr
    assert "nothing is recorded of unknown" in team.hosted.command("log", "unknown").stderr
    assert team.hosted.command("log", "--since", "yesterday").returncode == 2
    assert team.log("--since", "2999-01-01") == []


def test_an_upload_that_names_no_index_is_told_no_name_of_one(team: Team) -> None:
    answer = team.post("/upload/", token="ifb_nothing")
    assert answer.status_code == 404
    assert "/upload/INDEX/" in answer.json()["detail"]
    assert "staging" not in answer.text
