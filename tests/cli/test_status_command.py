"""The command ``status``."""

import re
import socket
import sys

import pytest
from pip._internal.network.session import user_agent

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import Dist, FakeIndex, wheel
from tests.serving import Served, index_table, wait_until


@pytest.fixture
def shim(cli: CommandLine, chain: str, served: Serve) -> Served:
    running = served(chain, directory=cli.directory)
    cli.use(running)
    return running


def _fetch(shim: Served, file: Dist) -> None:
    """Have a file served and, which comes right after its last byte, kept."""
    assert shim.get(f"/files/pypi/{file.project}.{file.sha256}/{file.filename}").status == 200
    wait_until(lambda: shim.json("/-/status")["cache"]["files"], 5, "the file is not kept")


def _sent_from_cache(shim: Served, file: Dist) -> int:
    """Have a file served again; return how many bytes have been served from the cache."""
    _fetch(shim, file)
    sent: int = shim.json("/-/status")["activity"]["bytes"]["cached"]
    return sent


def test_it_shows_the_indexes_the_cache_and_the_clients(cli: CommandLine, shim: Served) -> None:
    file = wheel("idna", "3.10")
    shim.get("/simple/idna/", {"User-Agent": "pip/26.3 {}"})
    _fetch(shim, file)
    # Until its transfer has ended, a file that is kept already is answered from the transfer.
    wait_until(lambda: _sent_from_cache(shim, file), 20, "it is never served from the cache")
    done = cli.to_terminal("status").expect()
    header, private, pypi, cache, *_ = done.out.splitlines()
    assert header.split() == [
        "index", "role", "state", "since", "p50", "p95", "requests", "errors", "note",
    ]  # fmt: skip
    assert private.split()[:3] == ["private", "private", "up"]
    assert pypi.split()[:3] == ["pypi", "public", "up"]
    assert cache.startswith("cache      ")
    assert re.search(r" of 20 GB, 1 file, 1 page, [1-9]\d\.\d % of bytes served from it", cache)
    assert re.search(r"clients pip 26\.3 \(\d s ago\)", done.words)
    assert done.widest <= COLUMNS
    assert done.err == ""


def test_it_shows_how_much_was_fetched_ahead_and_used(
    cli: CommandLine, shim: Served, public: FakeIndex
) -> None:
    app = wheel("ahead-app", requires=["idna"])
    public.add(app)
    pip = {"User-Agent": user_agent()}
    assert "ahead" not in cli("status").expect().words
    shim.get("/simple/ahead-app/", pip)
    wait_until(lambda: _ahead(shim)["fetches"] == 3, 10, "nothing is fetched ahead")
    assert "fetched before a client asked, 0 % of it used" in cli("status").expect().words
    shim.get("/simple/idna/", pip)
    ahead = _ahead(shim)
    share = round(100 * ahead["used"] / ahead["bytes"])
    assert share > 0
    assert f"fetched before a client asked, {share} % of it used" in cli("status").expect().words


def _ahead(shim: Served) -> dict[str, int]:
    report: dict[str, int] = shim.json("/-/status")["activity"]["ahead"]
    return report


def test_an_index_in_trouble_is_noted_with_its_next_try(
    cli: CommandLine, shim: Served, private: FakeIndex
) -> None:
    shim.get("/simple/acme-app/")
    private.stop_listening()
    wait_until(lambda: _asked_again(shim)["state"] == "down", 10, "the index is not down")
    done = cli.to_terminal("status").expect()
    assert "connection refused (127.0.0.1:" in done.words
    assert "; next try in " in done.words
    assert "(1 stale in use)" in done.words
    assert done.widest <= COLUMNS


def _asked_again(shim: Served) -> dict[str, object]:
    """Have the private index asked once more, and return its state."""
    shim.get("/-/why/acme-app")
    private: dict[str, object] = shim.json("/-/status")["indexes"][0]
    return private


def test_an_error_of_an_index_that_is_well_again_stays_noted(
    cli: CommandLine, shim: Served, private: FakeIndex
) -> None:
    with private.fail(500):
        shim.get("/simple/acme-app/")
    shim.get("/simple/acme-lib/")
    done = cli.to_terminal("status").expect()
    assert " s ago: 500 Internal Server Error" in done.words
    assert "last error " in done.words
    assert done.widest <= COLUMNS


def test_what_is_served_stale_now_is_named_until_it_is_not(
    cli: CommandLine, served: Serve, private: FakeIndex
) -> None:
    text = cli.configure(
        index_table("private", private.url, role="private"), cache={"fresh": "0 s"}
    )
    shim = served(text, directory=cli.directory)
    cli.use(shim)
    shim.get("/simple/acme-app/")
    with private.fail(404, path="/simple/x"), private.fail(500, path="/simple/acme-app/"):
        shim.get("/-/why/acme-app")
        done = cli("status").expect()
        assert "(1 stale in use)" in done.words
        assert "stale acme-app (private)" in done.words
    shim.get("/-/why/acme-app")
    assert "stale" not in cli("status").expect().out


def test_a_mirror_that_lags_is_noted_with_how_far(
    cli: CommandLine, served: Serve, public: FakeIndex
) -> None:
    with FakeIndex() as mirror:
        mirror.add(wheel("idna", "3.9"), upload_time="2026-01-01T00:00:00Z")
        public.add(wheel("idna", "3.11"), upload_time="2026-01-03T00:00:00Z")
        text = cli.configure(
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", public.url),
        )
        shim = served(text, directory=cli.directory)
        cli.use(shim)
        for index in ("pypi", "mirror"):
            assert shim.get(f"/index/{index}/simple/idna/").status == 200
        done = cli.to_terminal("status").expect()
    assert "1 project behind pypi by 2 d" in done.words
    assert done.widest <= COLUMNS


def test_what_could_not_be_served_is_named(
    cli: CommandLine, served: Serve, private: FakeIndex
) -> None:
    private.stop_listening()
    text = cli.configure(index_table("private", private.url, role="private"))
    shim = served(text, directory=cli.directory)
    cli.use(shim)
    for project in "abcdefg":
        assert shim.get(f"/simple/{project}/").status == 503
    assert "failed c, d, e, f, g and 2 more" in cli("status").expect().words


@pytest.mark.usefixtures("shim")
def test_as_json_it_gives_numbers(cli: CommandLine) -> None:
    report = cli("status", "--json").expect().json
    assert report["running"] is True
    assert report["same_configuration"] is True
    assert [index["name"] for index in report["indexes"]] == ["private", "pypi"]
    assert report["cache"]["limit"] == 20 * 1000**3


@pytest.mark.usefixtures("shim")
def test_a_shim_with_another_configuration_is_shown_and_said_to_be_one(
    cli: CommandLine, public: FakeIndex
) -> None:
    cli.configure(index_table("pypi", public.url))
    done = cli("status").expect()
    assert "private" in done.out
    assert "runs with another configuration" in done.words


@pytest.mark.usefixtures("chain")
def test_without_a_shim_it_says_so_and_shows_what_the_store_tells(
    cli: CommandLine, private: FakeIndex
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        done = cli("status", INDEXFALLBACK_PORT=port).expect(1)
        assert f"no shim runs on 127.0.0.1:{port}" in done.err
        assert f"1 private private {private.url}" in done.words
        assert "cache 0 B of 20 GB, 0 files, 0 pages" in done.words
        report = cli("status", "--json", INDEXFALLBACK_PORT=port).expect(1).json
    assert report["running"] is False
    assert [index["name"] for index in report["indexes"]] == ["private", "pypi"]


def test_another_program_on_the_port_is_no_shim(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(index_table("pypi", public.url))
    done = cli("status", INDEXFALLBACK_PORT=str(private.port)).expect(1)
    assert f"no shim of yours runs on 127.0.0.1:{private.port}: another program" in done.words


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.usefixtures("shim")
def test_there_are_colours_on_a_terminal_or_where_forced_and_none_with_no_color(
    cli: CommandLine,
) -> None:
    assert "\x1b[" not in cli("status").expect().out
    assert "\x1b[1mindex" in cli("status", FORCE_COLOR="1").expect().out
    assert "\x1b[" in cli.on_terminal("status").expect().out
    assert "\x1b[" not in cli.on_terminal("status", NO_COLOR="1").expect().out
    assert "\x1b[" not in cli("status").expect().out
