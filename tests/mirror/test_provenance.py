"""The provenance objects of mirrored files."""

from tests.fakes import wheel
from tests.fakes.provenance import provenance_of
from tests.mirror.support import Mirrored

OTHER, APP = wheel("other", "1.0"), wheel("acme-app", "1.0")


def test_an_object_comes_with_its_file_and_an_invalid_one_is_no_failure(mirror: Mirrored) -> None:
    mirror.configure(projects=["other", "acme-app"])
    mirror.upstream.attest(OTHER, provenance_of(OTHER))
    mirror.upstream.attest(APP, provenance_of(OTHER))
    result = mirror.run()
    assert (result["files"], result["failed"]) == (7, {})
    assert mirror.provenance("other") == {OTHER.filename: provenance_of(OTHER)}
    assert mirror.provenance("acme-app") == {}
