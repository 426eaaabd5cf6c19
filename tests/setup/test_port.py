"""The port of the shim in the text of our configuration file."""

import pytest

from indexfallback.clients.takeover import with_port


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[server]\nport = 5504\n"),
        ("# mine\n", "# mine\n\n[server]\nport = 5504\n"),
        ("[server]\n", "[server]\nport = 5504\n"),
        ("[server]\nport = 5503  # fixed\n", "[server]\nport = 5504  # fixed\n"),
        (
            '[server]\nhost = "::1"\n\n[[index]]\nurl = "pypi"\n',
            '[server]\nport = 5504\nhost = "::1"\n\n[[index]]\nurl = "pypi"\n',
        ),
    ],
)
def test_only_the_line_of_the_port_changes(before: str, after: str) -> None:
    assert with_port(before, 5504) == after
