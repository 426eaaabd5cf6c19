"""`run` tells of known vulnerabilities of what a client has downloaded, once."""

from tests.clients.support import Client, User, write_config
from tests.fakes import FakeIndex, wheel

STATED = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fixed_in": ["2.0"]}


def test_run_tells_of_a_vulnerability_after_the_first_install_and_not_again(
    user: User, environments: dict[str, Client]
) -> None:
    with FakeIndex([wheel("demo", "1.0")], json=True) as index:
        index.project("demo").vulnerabilities["1.0"] = [STATED]
        public = {"url": index.url, "role": "public"}
        write_config(user.config, {"public": public}, policy_notices=True)
        first, second = (
            user.run(
                *environments["pip"].install(user.target(), "--index-url", index.url, "demo")
            ).expect()
            for _ in range(2)
        )
    assert "demo 1.0 has 1 known vulnerability: CVE-2026-1 (corrected in 2.0)." in first.said
    assert "vulnerab" not in second.said
    assert "1 project: 1 from public" in second.said
