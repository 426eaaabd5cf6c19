"""A run that has nothing to do imports nothing that only other runs need: most of it is imports."""

import re

from tests.mirror.support import Mirrored

#: Libraries and modules of a run that fetches something, of a terminal, and of TLS.
OTHERS = (
    "rich", "selectolax", "truststore", "packaging", "concurrent.futures", "tarfile",
    "logging.handlers",
    "indexfallback.chain.members", "indexfallback.chain.policy", "indexfallback.dists",
    "indexfallback.files", "indexfallback.formats.html", "indexfallback.hosted",
    "indexfallback.mirror.selection", "indexfallback.mirror.sync", "indexfallback.mirror.workers",
    "indexfallback.upstream.directory", "indexfallback.wanted",
)  # fmt: skip


def test_a_run_with_nothing_to_do_imports_nothing_for_others(mirror: Mirrored) -> None:
    mirror.run()
    told = mirror.cli.by_process("mirror", "--json", PYTHONPROFILEIMPORTTIME="1").expect()
    assert told.json["asked"] == 0
    imported = set(re.findall(r"\| +([\w.]+)$", told.err, re.MULTILINE))
    assert "indexfallback.mirror.name_list" in imported
    unneeded = [name for name in imported if name.startswith(tuple(f"{o}." for o in OTHERS))]
    assert unneeded + [name for name in OTHERS if name in imported] == []
