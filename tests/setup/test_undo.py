"""Undo: exact, even after the user has edited other lines."""

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.clients import edits
from indexfallback.clients.undo import undone
from tests.setup.test_ini import FILES

URL = "http://127.0.0.1:5503/simple/"
PIP = """\
# mine
[global]
timeout = 60
extra-index-url =
    https://ci:secret@packages.example.com/simple/

[install]
no-compile = yes
"""
TOML = """\
# mine
prerelease = "disallow"

[[index]]
name = "corp"
url = "https://corp.example.com/simple/"  # the proxy
default = true

[pip]
link-mode = "copy"
"""
#: Lines that a user may add, and that no file here has.
ADDED = st.sampled_from(("# note", "retries = 3", "; note", "proxy = http://p.example.com"))


@given(FILES)
def test_undone_at_once_every_file_of_pip_is_what_it_was(text: str) -> None:
    steps = edits.pip_steps(text, URL)
    assert undone(steps, steps[-1].text) == (text, ())


@given(FILES.filter(lambda text: "[global]" in text), ADDED, st.data())
def test_undone_after_a_line_was_added_anywhere_the_file_is_the_old_one_with_that_line(
    text: str, line: str, data: st.DataObject
) -> None:
    steps = edits.pip_steps(text, URL)
    after = steps[-1].text.split("\n")
    place = data.draw(st.integers(0, len(after)))
    found, left = undone(steps, "\n".join([*after[:place], line, *after[place:]]))
    assert left == ()
    assert line in found.split("\n")
    lines = found.split("\n")
    lines.remove(line)
    assert "\n".join(lines) == text


def test_a_line_that_was_edited_elsewhere_stays_edited() -> None:
    steps = edits.pip_steps(PIP, URL)
    current = steps[-1].text.replace("timeout = 60", "timeout = 90")
    assert undone(steps, current) == (PIP.replace("timeout = 60", "timeout = 90"), ())


def test_an_address_that_was_changed_since_is_kept_and_reported() -> None:
    steps = edits.pip_steps(PIP, URL)
    current = steps[-1].text.replace(f"extra-index-url = {URL}", "extra-index-url = mine")
    found, left = undone(steps, current)
    assert left == ("[global] extra-index-url",)
    assert found == PIP.replace(
        "extra-index-url =\n    https://ci:secret@packages.example.com/simple/",
        "extra-index-url = mine",
    )


def test_a_section_that_the_user_has_used_since_stays() -> None:
    steps = edits.pip_steps("", URL)
    found, left = undone(steps, f"{steps[-1].text}timeout = 60\n")
    assert (found, left) == ("[global]\ntimeout = 60\n", ())


def test_sections_in_another_order_are_undone() -> None:
    install = "[install]\nno-compile = yes\nno-deps = no\nuser = no\nroot = /x\n"
    steps = edits.pip_steps(f"[global]\ntimeout = 60\n{install}", URL)
    head, _, _ = steps[-1].text.partition(install)
    assert undone(steps, install + head) == (f"{install}[global]\ntimeout = 60\n", ())


def test_a_line_that_was_moved_and_doubled_is_kept_and_reported() -> None:
    install = "[install]\nno-compile = yes\nno-deps = no\nuser = no\nroot = /x\n"
    steps = edits.pip_steps(f"[global]\n{install}", URL)
    current = f"{install}[global]\nindex-url = {URL}\n[download]\nindex-url = {URL}\n"
    assert undone(steps, current) == (current, ("[global] index-url",))


def test_a_removed_address_is_reported() -> None:
    steps = edits.pip_steps("[global]\n", URL)
    assert undone(steps, "[global]\nindex-url = mine\n") == (
        "[global]\nindex-url = mine\n",
        ("[global] index-url",),
    )


def test_a_table_of_uv_is_put_back_with_its_comment() -> None:
    steps = edits.uv_steps(TOML, URL)
    current = steps[-1].text.replace("disallow", "allow")
    assert undone(steps, current) == (TOML.replace("disallow", "allow"), ())


def test_an_index_of_uv_with_more_keys_of_the_user_is_kept_and_reported() -> None:
    steps = edits.uv_steps("", URL)
    current = f'{steps[-1].text}name = "shim"\n'
    assert undone(steps, current) == (current, ("[[index]]",))


def test_a_file_without_a_last_line_end_gets_none() -> None:
    text = "[install]\nno-compile = yes"
    steps = edits.pip_steps(text, URL)
    current = steps[-1].text.replace("no-compile = yes", "no-compile = no")
    assert undone(steps, current) == ("[install]\nno-compile = no", ())
