"""pip installs a release from the index for production once it was promoted there."""

import sys
from pathlib import Path

import pytest

from tests.clients.support import User, pip, uv_executable
from tests.fakes import FakeIndex, wheel
from tests.serving import config_text, index_table

LIB = wheel("acme-lib", "1.0")
CLIENT = pip("pip", sys.executable, "-m", "pip")


@pytest.fixture
def files(user: User) -> Path:
    path = user.home / "dist"
    path.mkdir()
    for dist in (LIB, wheel("acme-app", "1.0")):
        (path / dist.filename).write_bytes(dist.data)
    return path


def test_pip_installs_what_was_promoted_and_uv_uploads_what_its_token_is_for(
    user: User, files: Path
) -> None:
    with FakeIndex([wheel("acme-lib", "99.0")]) as public:
        tables = []
        for name in ("prod", "staging"):
            (user.home / name).mkdir()
            url = (user.home / name).as_uri()
            tables.append(index_table(name, url, role="private", upload=True))
        user.config.write_text(config_text(*tables, index_table("pypi", public.url)), "utf-8")
        token = user.ours("token", "create", "--project", "acme-lib", "--index", "staging")
        with user.serve() as served:
            upload = (
                uv_executable(), "publish", "--publish-url", f"{served.base}/upload/staging/",
                "--token", token.expect().stdout.strip(),
            )  # fmt: skip
            user.call(*upload, str(files / LIB.filename)).expect()
            refused = user.call(*upload, str(files / "acme_app-1.0-py3-none-any.whl"))
            assert refused.code != 0
            assert "is for acme-lib alone" in " ".join(refused.stderr.split())
            prod = f"{served.base}/index/prod/simple/"
            assert user.install(CLIENT, prod, "--no-deps", "acme-lib").installed == {}
            user.ours("promote", "acme-lib", "1.0", "--from", "staging", "--to", "prod").expect()
            done = user.install(CLIENT, prod, "--no-deps", "acme-lib")
            assert done.expect() == {"acme-lib": "1.0"}
