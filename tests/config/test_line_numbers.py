"""Line numbers of a TOML document."""

import pytest

from indexfallback.config.line_numbers import LineNumbers, Path

DOCUMENT = '''\
# [server] in a comment
top = "a"
[server]   # 3
host = "x"  # = y
"po rt" = 1
a.b = 2

[ cache ]
text = """
[index]
name = "not a key" """
list = [
  "x = 1", # ]
  [1, 2],
]
after = {a = 1, b = "}"}
last = \'\'\'
'' ]\'\'\'\'\'
[[index]]
name = "first"

[[index]]
url = ""
[index.sub]
deep = 1
[[index.list]]
[[index.list]]
key = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("server",), 3),
        (("server", "host"), 4),
        (("server", "po rt"), 5),
        (("server", "a", "b"), 6),
        (("cache",), 8),
        (("cache", "text"), 9),
        (("cache", "list"), 12),
        (("cache", "after"), 16),
        (("cache", "last"), 17),
        (("index", 0), 19),
        (("index", 0, "name"), 20),
        (("index", 1), 22),
        (("index", 1, "url"), 23),
        (("index", 1, "sub"), 24),
        (("index", 1, "sub", "deep"), 25),
        (("index", 1, "list", 1, "key"), 28),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_path_has_its_line(path: Path, line: int, end: str) -> None:
    assert LineNumbers(DOCUMENT.replace("\n", end))[path] == line


def test_a_path_without_a_line_has_that_of_the_table_around_it() -> None:
    lines = LineNumbers(DOCUMENT)
    assert lines["cache", "after", "b"] == 16
    assert lines["index", 1, "absent"] == 22
    assert lines["absent", "key"] == 1
