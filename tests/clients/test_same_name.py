"""Two files of one name on a page: a client gets the one whose hash it wants."""

from collections.abc import Iterator

import pytest

from tests.clients.support import Client, User, installed, write_config
from tests.fakes import Dist, FakeIndex, wheel
from tests.fakes.pages import FORMATS, HTML_ONLY, Format


def build(variant: str) -> tuple[Dist, Dist]:
    """Return a wheel, and what it requires: another wheel than that of the other variant."""
    needed = wheel(f"needed-by-{variant}")
    files = {"variant.txt": variant.encode()}
    return wheel("twice", requires=[needed.name], extra_files=files), needed


CPU, CUDA = build("cpu"), build("cuda")


@pytest.fixture(params=[FORMATS, HTML_ONLY], ids=["json", "html"])
def index(request: pytest.FixtureRequest) -> Iterator[FakeIndex]:
    formats: frozenset[Format] = frozenset(request.param)
    with FakeIndex([CPU[1], CUDA[1]], formats=formats) as index:
        index.add(CPU[0], folder="cpu/")
        index.add(CUDA[0], folder="cu100/")
        yield index


def install(
    user: User, client: Client, url: str, wanted: tuple[Dist, Dist]
) -> tuple[str, set[str]]:
    """Install by hash; return which variant came, and what projects are installed."""
    target = user.target()
    requirements = target.with_suffix(".txt")
    lines = (f"{each.name}=={each.version} --hash=sha256:{each.sha256}\n" for each in wanted)
    requirements.write_text("".join(lines), "utf-8")
    arguments = ("--index-url", url, "--require-hashes", "-r", str(requirements))
    user.call(*client.install(target, *arguments)).expect()
    return (target / "variant.txt").read_text("utf-8"), set(installed(target))


@pytest.mark.parametrize("order", [(CPU, CUDA), (CUDA, CPU)], ids=["cpu first", "cuda first"])
def test_each_is_installed_by_its_hash_at_any_time(
    index: FakeIndex,
    user: User,
    environments: dict[str, Client],
    order: tuple[tuple[Dist, Dist], ...],
) -> None:
    uv = environments["uv"]
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    directly = [install(user, uv, index.url, wanted) for wanted in order]
    assert {variant for variant, _ in directly} == {"cpu", "cuda"}
    with user.serve() as served:
        for _ in ("cold", "warm"):
            assert [install(user, uv, served.url, wanted) for wanted in order] == directly
    with user.serve() as served:  # started again
        assert [install(user, uv, served.url, wanted) for wanted in order] == directly
    user.environment["INDEXFALLBACK_OFFLINE"] = "1"
    index.stop_listening()
    with user.serve() as served:
        assert [install(user, uv, served.url, wanted) for wanted in order] == directly


def test_pip_installs_each_as_directly_and_then_offline(
    index: FakeIndex, user: User, environments: dict[str, Client]
) -> None:
    pip, order = environments["pip"], (CPU, CUDA)
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    directly = [install(user, pip, index.url, wanted) for wanted in order]
    assert [variant for variant, _ in directly] == ["cpu", "cuda"]
    with user.serve() as served:
        assert [install(user, pip, served.url, wanted) for wanted in order] == directly
    user.environment["INDEXFALLBACK_OFFLINE"] = "1"
    index.stop_listening()
    with user.serve() as served:
        assert [install(user, pip, served.url, wanted) for wanted in order] == directly
