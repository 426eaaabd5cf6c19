"""The files of pipenv, as it writes them by the environment of ``run`` and without it."""

import json

import pytest

from indexfallback.doctor.mending import mended
from indexfallback.doctor.pipenv import rehashed
from indexfallback.doctor.project_file import Kind, ProjectFile
from tests.doctor.test_mending import PRIVATE, PYPI, ROOT, SHIM, Known

PIPFILE = """\
[[source]]
url = "{url}"
verify_ssl = {verify}
name = "{name}"

[packages]
foo = {{version = "*", index = "{name}"}}

[dev-packages]

[requires]
python_version = "3.11"
"""
LOCK = """\
{{
    "_meta": {{
        "hash": {{
            "sha256": "{sha256}"
        }},
        "pipfile-spec": 6,
        "requires": {{
            "python_version": "3.11"
        }},
        "sources": [
            {{
                "name": "{name}",
                "url": "{url}",
                "verify_ssl": {verify}
            }}
        ]
    }},
    "default": {{
        "foo": {{
            "index": "{name}",
            "version": "==1.0"
        }}
    }},
    "develop": {{}}
}}
"""
SHIMS = {"url": "http://127.0.0.1:41879/simple/", "verify": "false", "name": "pip_conf_index_:env:"}
OWN = {"url": PYPI, "verify": "true", "name": "pypi"}
#: By pipenv 2026.10.3, of the Pipfile with the values in ``SHIMS``.
SHIMS_HASH = "66fce534a0719e08d345c243f28c1405a973d9c409f5b4dfae97bed50c3d32db"


def result(text: str) -> str:
    shim = SHIM.__class__(host="127.0.0.1", ports=frozenset((5503, 41879)))
    return mended(ProjectFile("Pipfile", Kind.PIPENV, text), shim, Known()).text


def test_a_pipfile_becomes_as_pipenv_makes_it_for_pypi() -> None:
    assert result(PIPFILE.format(**SHIMS)) == PIPFILE.format(**OWN)


def test_a_lock_file_becomes_as_pipenv_makes_it_for_pypi() -> None:
    before = LOCK.format(**SHIMS, sha256="1")
    assert result(before) == LOCK.format(**OWN, sha256="1")


def test_a_lock_file_has_the_hash_of_its_pipfile() -> None:
    before, after = PIPFILE.format(**SHIMS), PIPFILE.format(**OWN)
    lock = rehashed(LOCK.format(**OWN, sha256=SHIMS_HASH), before, after)
    sha256 = json.loads(lock)["_meta"]["hash"]["sha256"]
    assert sha256 != SHIMS_HASH
    assert lock == LOCK.format(**OWN, sha256=sha256)
    assert rehashed(lock, after, before) == LOCK.format(**OWN, sha256=SHIMS_HASH)


@pytest.mark.parametrize("pipfile", ["not TOML", "[[source]]\nwhen = 2026-01-01\n"])
def test_the_hash_of_a_pipfile_that_cannot_be_read_is_left(pipfile: str) -> None:
    assert rehashed('"hash"', pipfile, "") == '"hash"'


def test_a_lock_file_that_was_out_of_date_stays_so() -> None:
    lock = LOCK.format(**OWN, sha256="1" * 64)
    assert rehashed(lock, PIPFILE.format(**SHIMS), PIPFILE.format(**OWN)) == lock


def test_other_sources_keep_their_settings() -> None:
    other = '[[source]]\nurl = "http://10.0.0.5/simple"\nverify_ssl = false\nname = "pypi"\n\n'
    shims = PIPFILE.format(**SHIMS)
    assert result(other + shims) == other + PIPFILE.format(
        **{**OWN, "name": "pip_conf_index_:env:"}
    )


def test_the_name_of_another_index_than_pypi_stays() -> None:
    shims = PIPFILE.format(**{**SHIMS, "url": f"{ROOT}/index/private/simple/"})
    own = {"url": PRIVATE, "verify": "true", "name": "pip_conf_index_:env:"}
    assert result(shims) == PIPFILE.format(**own)


def test_only_one_of_two_sources_is_named_pypi() -> None:
    both = "".join(
        f'[[source]]\nurl = "{ROOT}/simple/"\nverify_ssl = false\nname = "{name}"\n\n'
        for name in ("pip_conf_index_:env:", "pip_index_0")
    )
    names = [line for line in result(both).splitlines() if line.startswith("name")]
    assert names == ['name = "pypi"', 'name = "pip_index_0"']
