"""Errors of the configuration file: each names line, cause and remedy."""

import os
from pathlib import Path

import pytest

from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError

PRIVATE = '[[index]]\nname = "private"\nurl = "https://packages.example.com/simple/"\n'
MIRROR = '[[index]]\nname = "mirror"\nurl = "https://mirror.example.com/simple/"\n'
PYPI = '[[index]]\nname = "pypi"\nurl = "pypi"\n'


@pytest.fixture(autouse=True)
def _no_pip_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    load_settings(config=file, environ={})


def server(line: str) -> str:
    return f"[server]\n{line}\n"


def private(line: str) -> str:
    return f"{PRIVATE}{line}\n"


def mirror(line: str) -> str:
    return f"{PYPI}{MIRROR}{line}\n"


def url(text: str) -> str:
    return f'[[index]]\nname = "x"\nurl = "{text}"\n'


EXAMPLE = 'write an address like "https://packages.example.com/simple/"'
ERRORS = [
    # TOML itself
    (
        "a = b",
        "1: this is not TOML (Invalid value, column 5); correct this line; text needs quotes",
    ),
    (
        '[server]\nx = """',
        "2: this is not TOML (Unterminated string); correct this line; text needs quotes",
    ),
    # tables and keys
    ("[sever]", '1: unknown table "sever"; did you mean "server"?'),
    (
        "[other]",
        '1: unknown table "other"; use one of server, cache, limits, policy, mirror, index',
    ),
    ("[[indexes]]", '1: unknown table "indexes"; did you mean "index"?'),
    ("port = 1", '1: unknown key "port" above all tables; it belongs in [server]'),
    (
        "prt = 1",
        (
            '1: unknown key "prt" above all tables; '
            "use one of [server], [cache], [limits], [[index]]"
        ),
    ),
    ("server = 1", '1: "server" is not a table; write [server] above its keys'),
    ('[index]\nname = "x"', '1: "index" is not a list of tables; write [[index]]'),
    (server("prot = 1"), '2: [server]: unknown key "prot"; did you mean "port"?'),
    (
        server("x = 1"),
        (
            '2: [server]: unknown key "x"; use one of host, port, tls_cert, tls_key, base_path, '
            "trusted_proxies, private, public_read, max_upload_size"
        ),
    ),
    (server('dir = "x"'), '2: [server]: unknown key "dir"; it belongs in [cache]'),
    (
        private('pasword = "hunter2"'),
        '4: index "private": unknown key "pasword"; did you mean "password_env"?',
    ),
    (
        private('password = "hunter2"'),
        (
            '4: index "private": unknown key "password"; put it into an environment '
            'variable, and write its name: password_env = "..."; '
            "or use keyring = true, or netrc"
        ),
    ),
    # the plain tables
    (
        server('host = "a b"'),
        '2: [server]: host = "a b" is not a host; write only an address, like "127.0.0.1"',
    ),
    (server("host = 1"), "2: [server]: host = 1 is not text; put it in quotes"),
    (server('host = ""'), '2: [server]: host = "" is empty; write a value, or remove the line'),
    (
        server('port = "5503"'),
        '2: [server]: port = "5503" is not a port; write a number like 5503, without quotes',
    ),
    (
        server("port = true"),
        "2: [server]: port = true is not a port; write a number like 5503, without quotes",
    ),
    (server("port = 0"), "2: [server]: port = 0 is not a port; write a number from 1 to 65535"),
    (
        server("port = 65536"),
        "2: [server]: port = 65536 is not a port; write a number from 1 to 65535",
    ),
    ("[cache]\nfresh = 10", '2: [cache]: fresh = 10 has no unit; write "10 s"'),
    (
        '[cache]\nkeep = "-1 s"',
        '2: [cache]: keep = "-1 s" is negative; write a duration like "10 s"',
    ),
    (
        '[cache]\nmax_size = "0 GB"',
        '2: [cache]: max_size = "0 GB" is zero; write a size like "20 GB"',
    ),
    (
        '[cache]\ndir = "config.toml"',
        '2: [cache]: dir = "config.toml" is a file, not a directory; name a directory',
    ),
    (
        '[cache]\ndir = "~no-such-user/x"',
        (
            '2: [cache]: dir = "~no-such-user/x" is in an unknown home directory; '
            "write an absolute path"
        ),
    ),
    ("[cache]\ndir = [1]", "2: [cache]: dir = [...] is not text; put it in quotes"),
    ("[cache]\ndir = {a = 1}", "2: [cache]: dir = {...} is not text; put it in quotes"),
    (
        '[limits]\ndeadline = "0 s"',
        '2: [limits]: deadline = "0 s" is zero; write a duration like "10 s"',
    ),
    (
        '[limits]\ndeadline = "2 h"',
        '2: [limits]: deadline = "2 h" is longer than 1 h; write a duration like "10 s"',
    ),
    # one index
    ('[[index]]\nurl = "pypi"', '1: [[index]] number 1: has no name; add name = "..."'),
    ('[[index]]\nname = "x"', '1: index "x": has no url; add url = "..."'),
    (
        '[[index]]\nname = "A b"',
        (
            '2: index "A b": name = "A b" is not a name; '
            "use a-z, 0-9, dot, dash and underscore; begin with a letter or digit"
        ),
    ),
    (
        private('role = "privat"'),
        '4: index "private": role = "privat" is unknown; did you mean "private"?',
    ),
    (
        private('role = "x"'),
        '4: index "private": role = "x" is unknown; use one of private, mirror, public',
    ),
    (
        private('on_outage = "x"'),
        '4: index "private": on_outage = "x" is unknown; use one of ledger, stop, next',
    ),
    (
        private('pages = "frist"'),
        '4: index "private": pages = "frist" is unknown; did you mean "first"?',
    ),
    (
        private('projects = "acme-*"'),
        '4: index "private": projects = "acme-*" is not a list; write a list like ["acme-*"]',
    ),
    (
        private('projects = ["[a]"]'),
        (
            '4: index "private": projects = [...] has an item that is not a pattern; '
            'write names, "*" and "?", like ["acme-*"]'
        ),
    ),
    (
        private('keyring = "yes"'),
        (
            '4: index "private": keyring = "yes" is neither true nor false; '
            "write true or false, without quotes"
        ),
    ),
    (
        private('probe = "a b"'),
        ('4: index "private": probe = "a b" is not a project name; write a name like "acme-app"'),
    ),
    (
        private('connect_timeout = "0 s"'),
        ('4: index "private": connect_timeout = "0 s" is zero; write a duration like "10 s"'),
    ),
    (
        private('password_env = "A B"'),
        (
            '4: index "private": password_env = "A B" is not the name of an environment variable; '
            'write only the name, like "PRIVATE_INDEX_PASSWORD"'
        ),
    ),
    (
        private('password_env = "P"'),
        (
            '4: index "private": password_env needs a user name; '
            'add username = "..." (for a token often "__token__")'
        ),
    ),
    (
        private('username = "ci"\npassword_env = "UNSET"'),
        (
            '5: index "private": password_env = "UNSET" names an environment variable that is '
            "not set; "
            "set UNSET, or remove the line"
        ),
    ),
    (
        url("https://u@h.example.com/") + 'username = "ci"',
        '4: index "x": url has a user name as well; remove one of the two',
    ),
    (
        url("https://u:p@h.example.com/") + 'password_env = "P"',
        '4: index "x": url has a password as well; remove one of the two',
    ),
    # its address
    (url(""), '3: index "x": url = "" is empty; write a value, or remove the line'),
    (
        url("ftp://h.example.com/"),
        (
            '3: index "x": url = "ftp://h.example.com/" has the scheme "ftp"; '
            "use https, http, file or s3"
        ),
    ),
    (url("https:///simple"), f'3: index "x": url = "https:///simple" has no host; {EXAMPLE}'),
    (
        url("https://h.example.com:x/"),
        f'3: index "x": url = "https://h.example.com:x/" is not a valid address; {EXAMPLE}',
    ),
    (url("https://[h/"), f'3: index "x": url = "https://[h/" is not a valid address; {EXAMPLE}'),
    (
        url("https://u:p@h.example.com/?t=1"),
        (
            '3: index "x": url = "https://h.example.com/" has a "?" or a "#"; '
            "remove it and what follows"
        ),
    ),
    (
        url("https://h.example.com/a b/"),
        (
            '3: index "x": url = "https://h.example.com/a b/" contains a space or a control '
            "character; "
            "write %20 for a space"
        ),
    ),
    (
        url("packages.example.com/simple"),
        (
            '3: index "x": url = "packages.example.com/simple" is neither an address nor '
            "a directory; "
            f"{EXAMPLE}"
        ),
    ),
    (
        url("u:hunter2@h.example.com"),
        f'3: index "x": url = "h.example.com" is neither an address nor a directory; {EXAMPLE}',
    ),
    (
        url("pipy"),
        '3: index "x": url = "pipy" is neither an address nor a directory; did you mean "pypi"?',
    ),
    (
        url("./config.toml"),
        (
            '3: index "x": url = "./config.toml" is a file, not a directory; '
            "name the directory of the index"
        ),
    ),
    (
        url("~no-such-user/x"),
        f'3: index "x": url = "~no-such-user/x" is in an unknown home directory; {EXAMPLE}',
    ),
    (
        url("file:simple"),
        (
            '3: index "x": url = "file:simple" is not an absolute path; '
            "use file:/// and an absolute path"
        ),
    ),
    (
        url("http://localhost:5503/simple/"),
        (
            '3: index "x": url = "http://localhost:5503/simple/" is the address of '
            "indexfallback itself; "
            "write the address of another index"
        ),
    ),
    # the chain
    (
        PYPI + PRIVATE.replace("private", "pypi"),
        (
            '5: index "pypi": name = "pypi" is the same as at FILE:2; '
            "give one of the two another name"
        ),
    ),
    (
        PRIVATE + PRIVATE.replace("private", "again").replace("https://", "https://u:p@"),
        (
            '6: index "again": url = "https://packages.example.com/simple/" is the same '
            "as at FILE:3; "
            'remove one of the two (the other is "private")'
        ),
    ),
    (
        mirror('mirror_of = "pypy"'),
        '7: index "mirror": mirror_of = "pypy" names no index; did you mean "pypi"?',
    ),
    (
        MIRROR + 'mirror_of = "pypi"',
        '4: index "mirror": mirror_of = "pypi" names no index; add the public index as well',
    ),
    (
        mirror('mirror_of = "mirror"'),
        '7: index "mirror": mirror_of = "mirror" is the index itself; name the public index',
    ),
    (
        MIRROR + 'mirror_of = "b"\n' + PRIVATE.replace('"private"', '"b"') + 'mirror_of = "mirror"',
        '4: index "mirror": mirror_of = "b" is a mirror itself; name a public index',
    ),
    (
        MIRROR + 'mirror_of = "private"\n' + private('role = "private"'),
        '4: index "mirror": mirror_of = "private" is a private index; name a public index',
    ),
    (
        mirror('role = "mirror"'),
        (
            '7: index "mirror": role = "mirror" needs mirror_of; '
            'add mirror_of = "..." with the name of the public index'
        ),
    ),
    (
        mirror('mirror_of = "pypi"\nrole = "public"'),
        '8: index "mirror": role = "public" contradicts mirror_of; remove one of the two',
    ),
    (
        PYPI + 'role = "private"',
        '4: index "pypi": role = "private" is not possible for PyPI; remove the role',
    ),
    (
        private('fresh = "5 s"').replace("https://packages.example.com/simple/", "file:///srv/"),
        '4: index "private": fresh has no use: a directory is read each time; remove it',
    ),
    (
        private("upload = true"),
        (
            '4: index "private": upload = true needs a directory or a bucket; write the path of a '
            'directory as url, like "/srv/packages", or "s3://bucket/prefix"'
        ),
    ),
    (
        private('pages = "authority"'),
        (
            '4: index "private": pages = "authority" is for mirrors, and this one is '
            "private; "
            "remove it"
        ),
    ),
    (
        '[[index]]\nname = "local"\nurl = "/srv/wheels"\nforbidden = "absent"',
        '4: index "local": forbidden is for http, and this is a directory; remove it',
    ),
    (
        private('cooldown_except = ["acme-*"]'),
        (
            '4: index "private": cooldown_except has no use without cooldown; '
            'add cooldown = "7 days", or remove it'
        ),
    ),
    (
        PYPI + 'on_outage = "stop"',
        '4: index "pypi": on_outage is for private indexes, and this one is public; remove it',
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_an_error_names_line_cause_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    file = str(tmp_path / "config.toml")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == f"{file}:{message.replace('FILE', file)}"


def test_an_address_on_another_machine_is_refused(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has directories on other machines")
    with pytest.raises(ConfigError, match='is on another machine, "server"; use file:///'):
        load(tmp_path, url("file://server/share"))


def test_a_file_named_on_the_command_line_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "absent.toml"
    with pytest.raises(ConfigError) as caught:
        load_settings(config=file, environ={})
    assert str(caught.value) == (
        f"{file}: the configuration file does not exist; "
        "correct the path, or write one with `indexfallback config init`"
    )


def test_a_directory_is_refused_as_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the configuration cannot be read \(.+\); make it"):
        load_settings(config=tmp_path, environ={})


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(config=file, environ={})
    assert str(caught.value) == f"{file}: the configuration is not UTF-8 text; save it as UTF-8"
