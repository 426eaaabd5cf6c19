"""Without ``cache.shared``, nothing of a bucket is imported, made or asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.errors import ConfigError
from indexfallback.store.share import terms_of
from tests.in_process import ROOT

_START = """
import sys
from pathlib import Path
from indexfallback.config import Settings
from indexfallback.shim import Shim
import indexfallback.server.app, indexfallback.cli.cache, indexfallback.cli.doctor
shim = Shim(Settings(indexes=(), cache_dir=Path(sys.argv[1])))
assert shim.store.shared is None
shim.close()
print(*[name for name in sys.modules
        if name.startswith(("obstore", "indexfallback.store.shared"))])
print(*sorted(path.name for path in Path(sys.argv[1]).iterdir()))
"""


def test_nothing_is_imported_and_no_file_is_made(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _START, tmp_path / "cache"],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    imported, files = done.stdout.splitlines()
    assert imported == ""
    assert set(files.split()) == {
        "blobs", "index.sqlite3", "index.sqlite3.lock", "owners-and-pins.journal", "partial",
    }  # fmt: skip


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.startswith("indexfallback.store.shared")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)  # as if it were not installed
    settings = Settings(indexes=(), cache_dir=tmp_path, shared="s3://bucket/prefix")
    with pytest.raises(ConfigError, match=r"needs obstore, .*extra \[shared\]"):
        terms_of(settings)
