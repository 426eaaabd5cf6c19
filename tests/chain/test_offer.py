"""What of a page reaches clients."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.chain.offer import (
    Available,
    PinsByName,
    has_unknown,
    hidden,
    metadata_pin,
    offered,
    withheld,
)
from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin

OLD, NEW, OF_METADATA = "a" * 64, "b" * 64, "c" * 64
WHEEL = "acme_app-1.0-py3-none-any.whl"
SDIST = "acme_app-1.0.tar.gz"


def file(filename: str = WHEEL, sha256: str | None = OLD, **fields: object) -> File:
    hashes = {"sha256": sha256} if sha256 else {}
    fields.setdefault("core_metadata", filename.endswith(".whl"))
    url = f"https://packages.example.com/{filename}"
    return File(filename=filename, url=url, hashes=hashes, **fields)  # type: ignore[arg-type]  # any


def page(*files: File, status: str | None = None) -> ProjectPage:
    return ProjectPage(name="acme-app", files=files, status=status)


def pins(*known: tuple[str, ...]) -> PinsByName:
    """Return pins, each given by its file name, its sha256 and its key unless that is the same."""
    found: dict[str, list[Pin]] = {}
    for seen, (name, sha256, *key) in enumerate(known):
        pin = Pin("acme-app", name, key[0] if key else sha256, sha256, seen, "index")
        found.setdefault(name, []).append(pin)
    return found


def test_a_page_that_was_never_served_is_offered_as_it_is() -> None:
    whole = page(file(), file(SDIST, None))
    assert offered(whole, {}) is whole


def test_every_wheel_has_metadata_and_no_other_file_gets_them() -> None:
    egg = WHEEL.replace(".whl", ".egg")
    stated: dict[str, object] = {WHEEL: {"sha256": OF_METADATA}, SDIST: True, "b-1.zip": False}
    listed = page(
        *(file(name, core_metadata=metadata) for name, metadata in stated.items()),
        *(file(name, core_metadata=False) for name in (egg, "c-1-py3-none-any.whl")),
    )
    found = {f.filename: f.core_metadata for f in offered(listed, {}).files}
    assert found == {**stated, egg: False, "c-1-py3-none-any.whl": True}
    assert offered(listed, {}, promises=lambda _: False) == listed


def test_offline_a_held_wheel_has_the_metadata_that_its_page_does_not_state() -> None:
    listed = page(file(core_metadata=False), file(sha256=NEW, core_metadata=False))
    (held,) = offered(listed, {}, Available({OLD})).files
    assert held.core_metadata is True


def test_a_file_that_is_not_what_it_was_is_withheld_and_named() -> None:
    changed = page(file(sha256=NEW), file(SDIST, OLD))
    known = pins((WHEEL, OLD), (SDIST, OLD))
    assert [f.filename for f in offered(changed, known).files] == [SDIST]
    assert [file.filename for file in withheld(changed, known)] == [WHEEL]


def test_a_missing_sha256_is_filled_in_from_the_pin() -> None:
    listed = page(File(filename=WHEEL, url="https://x.example.com/w", hashes={"md5": "d" * 32}))
    (only,) = offered(listed, pins((WHEEL, OLD))).files
    assert only.hashes == {"md5": "d" * 32, "sha256": OLD}
    assert withheld(listed, pins((WHEEL, OLD))) == []


@pytest.mark.parametrize(
    ("status", "offers"),
    [("quarantined", 0), ("archived", 1), ("deprecated", 1), ("active", 1), (None, 1)],
)
def test_only_of_a_quarantined_project_nothing_is_offered(status: str | None, offers: int) -> None:
    shown = offered(page(file(), status=status), {})
    assert (len(shown.files), shown.status) == (offers, status)


def test_offline_only_files_that_are_held_are_offered() -> None:
    both = page(file(WHEEL, OLD), file(SDIST, NEW))
    assert [f.filename for f in offered(both, {}, Available({NEW})).files] == [SDIST]
    assert offered(both, {}, Available(())).files == ()


def test_offline_a_file_that_its_page_states_no_hash_of_is_offered_by_its_pin() -> None:
    listed = page(file(WHEEL, None))
    assert offered(listed, {}, Available({OLD})).files == ()
    (only,) = offered(listed, pins((WHEEL, OLD)), Available({OLD})).files
    assert only.sha256 == OLD


def test_offline_metadata_is_only_advertised_where_it_is_here_or_inside_the_file() -> None:
    stated = {"sha256": OF_METADATA}
    listed = page(file(core_metadata=stated), file(SDIST, NEW, core_metadata=stated))
    held = {OLD, NEW}
    without = {f.filename: f.core_metadata for f in offered(listed, {}, Available(held)).files}
    assert without == {WHEEL: stated, SDIST: False}
    known = pins((f"{SDIST}.metadata", OF_METADATA, NEW))
    stored = offered(listed, known, Available({*held, OF_METADATA}))
    assert [f.core_metadata for f in stored.files] == [stated, stated]


def test_offline_a_file_of_which_only_the_metadata_is_here_is_not_offered() -> None:
    listed = page(file(core_metadata={"sha256": OF_METADATA}))
    known = pins((f"{WHEEL}.metadata", OF_METADATA, OLD))
    assert offered(listed, known, Available({OF_METADATA})).files == ()


def test_offline_a_page_that_was_read_here_offers_the_files_it_leads_to_here() -> None:
    local = msgspec.structs.replace(file(WHEEL, None), url=f"file:///srv/wheels/{WHEEL}")
    both = page(local, file(SDIST, NEW))
    assert offered(both, {}, Available((), is_local=True)).files == (local,)
    assert offered(both, {}, Available(())).files == ()


def test_offline_what_is_yanked_or_for_another_python_stays_marked() -> None:
    marked = file(yanked="broken", requires_python=">=3.12")
    assert offered(page(marked), {}, Available({OLD})).files == (marked,)


def test_offline_what_is_hidden_is_told_and_whether_it_was_here() -> None:
    other = file("acme_app-2.0-py3-none-any.whl", OF_METADATA)
    listed = page(file(WHEEL, OLD), file(SDIST, NEW), other)
    known = pins((WHEEL, OLD), (SDIST, NEW))
    found = hidden(listed, known, Available({OLD}))
    assert [(each.file.filename, each.was_held) for each in found] == [
        (SDIST, True),
        (other.filename, False),
    ]
    assert hidden(listed, known, None) == []


def test_offline_what_has_changed_is_withheld_and_not_hidden() -> None:
    changed = page(file(sha256=NEW))
    assert hidden(changed, pins((WHEEL, OLD)), Available(())) == []


SHA256 = st.sampled_from([OLD, NEW, OF_METADATA])
#: A page as it is read: some files of a name with a sha256 each, or one without.
PAGES = st.fixed_dictionaries(
    dict.fromkeys((WHEEL, SDIST), st.just([None]) | st.lists(SHA256, unique=True))
).flatmap(
    lambda files: st.permutations([(name, each) for name, of in files.items() for each in of])
)
#: At most one pin for each address, of which that of a distribution says its own sha256.
PINS = st.builds(
    lambda with_key, without: pins(
        *(each[:2] for each in with_key), *((name, sha256, "") for name, sha256 in without.items())
    ),
    st.sets(st.tuples(st.sampled_from([WHEEL, SDIST]), SHA256)),
    st.dictionaries(st.sampled_from([WHEEL, SDIST]), SHA256),
)


@given(listed=PAGES, known=PINS)
def test_a_name_is_withheld_if_it_has_pins_and_its_page_lists_none_of_them(
    listed: list[tuple[str, str | None]], known: PinsByName
) -> None:
    whole = page(*(file(name, sha256) for name, sha256 in listed))
    left_out = withheld(whole, known)
    shown = offered(whole, known).files
    assert len(shown) + len(left_out) == len(whole.files)
    for each in whole.files:
        pinned = {pin.sha256 for pin in known.get(each.filename, ())}
        stated = whole.sha256s(each.filename)
        is_changed = bool(pinned) and bool(stated) and not pinned & stated
        assert (each in left_out) == is_changed
        assert is_changed or each.sha256 is None or each in shown


@given(listed=PAGES, known=PINS)
def test_a_missing_sha256_is_that_of_the_address_without_one_or_the_only_one(
    listed: list[tuple[str, str | None]], known: PinsByName
) -> None:
    bare = [name for name, sha256 in listed if sha256 is None]
    shown = offered(page(*(file(name, sha256) for name, sha256 in listed)), known)
    for name in bare:
        of_name = known.get(name, ())
        without = [pin.sha256 for pin in of_name if not pin.key]
        only = {pin.sha256 for pin in of_name}
        expected = without[0] if without else only.pop() if len(only) == 1 else None
        (found,) = [each.sha256 for each in shown.files if each.filename == name]
        assert found == expected


def test_a_pinned_file_and_another_one_beside_it_are_both_offered() -> None:
    both = page(file(sha256=NEW), file(sha256=OLD))
    assert offered(both, pins((WHEEL, OLD))).files == both.files
    assert has_unknown(both, pins((WHEEL, OLD)))
    assert not has_unknown(both, pins((WHEEL, OLD), (WHEEL, NEW)))


def test_each_of_two_files_of_one_name_has_its_own_metadata() -> None:
    stated = {"sha256": "d" * 64}
    both = page(file(core_metadata=stated), file(sha256=NEW, core_metadata=stated))
    known = pins((f"{WHEEL}.metadata", "e" * 64, OLD), (f"{WHEEL}.metadata", "f" * 64, NEW))
    found = [each.core_metadata for each in offered(both, known).files]
    assert found == [{"sha256": "e" * 64}, {"sha256": "f" * 64}]


def test_metadata_from_before_the_sha256_was_known_belong_to_what_was_first() -> None:
    known = pins((WHEEL, OLD, ""), (WHEEL, NEW), (f"{WHEEL}.metadata", OF_METADATA, ""))
    for sha256, expected in ((OLD, OF_METADATA), (None, OF_METADATA), (NEW, None)):
        pin = metadata_pin(WHEEL, sha256, known)
        assert (pin.sha256 if pin is not None else None) == expected
