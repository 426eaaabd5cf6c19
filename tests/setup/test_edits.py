"""The edits for each client, which keep the rest of the file."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexfallback.clients import edits, shell
from indexfallback.clients.undo import undone

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

URL = "http://127.0.0.1:5503/simple/"
#: Blocks of TOML files, in any order: comments, tables, arrays of tables, dotted keys.
BLOCKS = st.lists(
    st.sampled_from(
        (
            "# a comment",
            '[[index]]\nname = "corp"\nurl = "https://corp.example.com/simple/"\n',
            '[pip]\nlink-mode = "copy" # for a disk',
            '[pypi]\nurl = "https://old.example.com/simple/" # old\nverify_ssl = true',
            "[virtualenvs]\nin-project = true\n",
            '[pypi.private]\nurl = "https://p.example.com/simple/"',
            "[plugins.other]\nkey = [\n  1, # one\n  2,\n]",
        )
    ),
    unique=True,
).map("\n".join)
PATHS = st.sampled_from((edits.PDM_PATH, edits.POETRY_PATH))


@settings(max_examples=40)  # each parses the file several times
@given(BLOCKS, PATHS)
def test_a_key_is_set_and_all_others_mean_what_they_did(text: str, path: tuple[str, ...]) -> None:
    found = tomllib.loads(edits.toml_steps(text, path, URL)[-1].text)
    expected = tomllib.loads(text)
    table = expected
    for key in path[:-1]:
        table = table.setdefault(key, {})
    table[path[-1]] = URL
    assert found == expected


@settings(max_examples=40)  # each parses the file several times
@given(BLOCKS, PATHS)
def test_every_line_of_toml_but_that_of_the_key_survives(text: str, path: tuple[str, ...]) -> None:
    remaining = iter(edits.toml_steps(text, path, URL)[-1].text.split("\n"))
    kept = [line for line in text.split("\n") if "old.example.com" not in line]
    assert all(line in remaining for line in kept)


@settings(max_examples=40)  # each parses the file several times
@given(BLOCKS, st.booleans(), PATHS)
def test_an_edit_of_toml_is_the_same_twice_and_is_undone_to_the_byte(
    text: str, is_uv: bool, path: tuple[str, ...]
) -> None:
    steps = edits.uv_steps(text, URL) if is_uv else edits.toml_steps(text, path, URL)
    after = steps[-1].text
    again = edits.uv_steps(after, URL) if is_uv else edits.toml_steps(after, path, URL)
    assert again[-1].text == after
    assert undone(steps, after) == (text, ())
    assert undone(steps, f"# mine\n{after}") == (f"# mine\n{text}", ())


@settings(max_examples=40)  # each parses the file several times
@given(BLOCKS)
def test_uv_gets_one_default_index_after_its_other_indexes(text: str) -> None:
    found = tomllib.loads(edits.uv_steps(text, URL)[-1].text)["index"]
    assert found == [*tomllib.loads(text).get("index", []), {"url": URL, "default": True}]


def test_the_default_index_of_uv_is_replaced_and_keeps_its_other_keys() -> None:
    text = '[[index]]\nname = "corp"\nurl = "https://corp.example.com/"\ndefault = true\n'
    found = tomllib.loads(edits.uv_steps(text, URL)[-1].text)
    assert found == {"index": [{"name": "corp", "url": URL, "default": True}]}


@pytest.mark.parametrize("text", ['index-url = "x"\n', 'index-url = "x"\n[pip]\nindex-url = "y"\n'])
def test_the_older_key_of_uv_is_replaced_where_it_is_used(text: str) -> None:
    found = edits.uv_steps(text, URL)[-1].text
    assert found == text.replace('"x"', f'"{URL}"').replace('"y"', f'"{URL}"')


def test_an_array_of_inline_tables_of_uv_is_added_to() -> None:
    text = 'index = [{name = "a", url = "https://a.example.com/", explicit = true}]\n'
    found = tomllib.loads(edits.uv_steps(text, URL)[-1].text)
    assert found["index"][1] == {"url": URL, "default": True}


def test_pip_gets_an_extra_index_only_where_some_file_has_one() -> None:
    weaker = "[install]\nextra-index-url = https://two.example.com/\n"
    assert edits.pip_steps("", URL)[-1].text == f"[global]\nindex-url = {URL}\n"
    assert edits.pip_steps("", URL, [weaker])[-1].text == (
        f"[global]\nindex-url = {URL}\n\n[install]\nextra-index-url = {URL}\n"
    )


@pytest.mark.parametrize("fish", [False, True])
def test_a_variable_of_a_shell_is_set_once(fish: bool) -> None:
    text = "# mine\nalias ll='ls -l'"
    (_, step) = edits.pipenv_steps(text, URL, fish=fish)
    assert step.text.startswith(f"{text}\n")
    assert len(edits.pipenv_steps(step.text, URL, fish=fish)) == 1
    assert shell.value_of(step.text, "PIPENV_PYPI_MIRROR") == URL


def test_a_variable_that_a_shell_sets_already_is_replaced_where_it_stands() -> None:
    text = "a\n  export PIPENV_PYPI_MIRROR='https://x.example.com/' # old\nb\n"
    (_, step) = edits.pipenv_steps(text, URL, fish=False)
    assert step.text == f"a\nexport PIPENV_PYPI_MIRROR={URL}\nb\n"
