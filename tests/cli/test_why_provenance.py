"""``why`` and ``why --provenance``: who has published a file."""

import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from indexfallback.config.load import load_settings
from indexfallback.delivery import deliver
from indexfallback.files.download import FileAddress
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.fakes.provenance import PUBLISH, attestation, provenance_of
from tests.serving import index_table

DEMO, OLD = wheel("demo", "2.0"), wheel("demo", "1.0")
SLSA = "https://slsa.example.com/provenance/v1"
NAMED = "GitHub acme/app, release.yml, environment pypi"


@pytest.fixture
def pypi(cli: CommandLine) -> Iterator[FakeIndex]:
    with FakeIndex([OLD]) as index:
        index.attest(DEMO, provenance_of(DEMO, PUBLISH, SLSA))
        cli.configure(index_table("pypi", index.url))
        yield index


def download(cli: CommandLine) -> None:
    """Fetch the file into the cache, with its provenance."""
    environ = cli.environment()
    settings = load_settings(config=cli.config, indexes=(), offline=False, environ=environ)
    with closing(Shim(settings)) as shim:
        (file,) = (f for f in shim.fallback.page("demo").page.files if f.provenance)
        address = FileAddress("pypi", FileKey("demo", DEMO.sha256), DEMO.filename)
        deliver(shim, address)
        shim.downloads.provenance.keep(address, file)


@pytest.mark.usefixtures("pypi")
def test_why_has_one_line_of_it_that_names_the_publisher_once_it_is_kept(cli: CommandLine) -> None:
    assert "provenance: stated for 1, 0 cached\n" in cli("why", "demo").expect().out
    download(cli)
    assert f"stated for 1, 1 cached; that of 2.0 names {NAMED}" in cli("why", "demo").out
    assert cli("why", "demo", "--json").json["provenance"] == {
        "stated": 1,
        "kept": 1,
        "version": "2.0",
        "publishers": [
            {
                "kind": "GitHub", "repository": "acme/app", "workflow": "release.yml",
                "environment": "pypi", "email": None,
            }
        ],
    }  # fmt: skip


@pytest.mark.usefixtures("pypi")
def test_each_attestation_is_shown_with_its_publisher_and_type(cli: CommandLine) -> None:
    done = cli("why", "--provenance", DEMO.filename).expect()
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[0] == f"{DEMO.filename} of demo, from pypi"
    assert lines[1].startswith("provenance: 2 attestations, as of ")
    told = ["names this file and its sha256", "not verified: the file is not in the cache"]
    assert lines[2:] == [f"publish/v1 by {NAMED}", *told, f"provenance/v1 by {NAMED}", *told]


@pytest.mark.usefixtures("pypi")
def test_without_the_extra_the_hash_is_compared_and_the_signature_is_not(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    download(cli)
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    (first, _) = cli("why", "--provenance", DEMO.filename, "--json").expect().json["attestations"]
    assert (first["matches"], first["verified"]) == (True, None)
    assert first["reason"] == "install the extra provenance (pypi-attestations)"


@pytest.mark.usefixtures("pypi")
def test_a_signature_that_does_not_hold_is_told_with_the_reason_and_is_a_failure(
    cli: CommandLine,
) -> None:
    pytest.importorskip("pypi_attestations")
    download(cli)
    done = cli("why", "--provenance", DEMO.filename).expect(1)
    assert "not verified: invalid X.509 certificate" in done.out
    assert "Signatures are checked by the trust root of sigstore " in done.words
    assert done.err == ""


def test_the_attestations_of_an_unknown_kind_of_publisher_are_not_checked(
    cli: CommandLine, pypi: FakeIndex
) -> None:
    pytest.importorskip("pypi_attestations")
    pypi.provenance[DEMO.filename] = provenance_of(DEMO, PUBLISH, SLSA, kind="indexfallback")
    download(cli)
    found = cli("why", "--provenance", DEMO.filename, "--json").expect().json["attestations"]
    assert [each["verified"] for each in found] == [None, None]
    assert found[0]["reason"].endswith("does not know publishers of the kind indexfallback")


def test_the_name_of_another_file_in_a_statement_is_told(cli: CommandLine, pypi: FakeIndex) -> None:
    pypi.provenance[DEMO.filename] = provenance_of(DEMO).replace(
        attestation(DEMO.filename, DEMO.sha256)["envelope"]["statement"].encode(),
        attestation("other.whl", DEMO.sha256)["envelope"]["statement"].encode(),
    )
    assert "names another file" in cli("why", "--provenance", DEMO.filename).expect(1).out


@pytest.mark.usefixtures("pypi")
def test_a_file_without_provenance_and_one_that_is_not_listed_are_failures(
    cli: CommandLine,
) -> None:
    done = cli("why", "--provenance", OLD.filename).expect(1)
    assert "no provenance: no page of pypi states a provenance" in done.words
    done = cli("why", "demo", "--provenance", "demo-9.tar.gz").expect(1)
    assert "demo-9.tar.gz: no page of demo lists it" in done.words
    assert "name the PROJECT of that file" in cli("why", "--provenance", "x.exe").expect(2).err
    assert "name the PROJECT" in cli("why").expect(2).err
