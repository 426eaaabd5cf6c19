"""A cooldown, and clients that know nothing of it."""

from tests.clients.support import Client, User, write_config
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import HTML_ONLY
from tests.serving import wait_until


def test_pip_and_uv_take_the_newest_release_that_is_old_enough_of_an_index_without_times(
    user: User, environments: dict[str, Client]
) -> None:
    with FakeIndex(
        [wheel("acme-app", "1.0"), wheel("acme-app", "0.9")], formats=HTML_ONLY
    ) as index:
        indexes = {"public": {"url": index.url, "role": "public", "cooldown": "7 days"}}
        write_config(user.config, indexes, cache_fresh="0 s")
        with user.serve() as served:
            why = "/-/why/acme-app"
            assert served.get(why)["cooldown"]["releases"] == []
            index.add(wheel("acme-app", "2.0"))
            # An answer is repeated for a second, in which both clients may have ended.
            wait_until(lambda: served.get(why)["cooldown"]["releases"], 10, "2.0 is not seen")
            for name in ("pip", "uv"):
                found = user.install(environments[name], served.url, "acme-app").expect()
                assert found == {"acme-app": "1.0"}
            (withheld,) = served.get("/-/status")["activity"]["projects"]["acme-app"]["withheld"]
    assert withheld["version"] == "2.0"
