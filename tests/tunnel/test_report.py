"""What a tunnel counts, and which programs it remembers."""

from indexfallback.tunnel.report import Activity, Refusal

ORIGIN = "https://packages.example.com"


def refused(activity: Activity, mark: str = "a", *, said_so: bool = True) -> None:
    activity.refused(ORIGIN, mark, "curl/8", said_so=said_so)


def test_a_program_that_says_that_it_distrusts_goes_past() -> None:
    activity = Activity()
    activity.accepted("a")
    refused(activity)
    assert activity.goes_past(ORIGIN, "a")
    assert activity.goes_past(ORIGIN, "a")
    assert activity.report().refusals == (Refusal(ORIGIN, "curl/8", 2),)


def test_so_does_one_that_closes_and_has_never_accepted() -> None:
    activity = Activity()
    refused(activity, said_so=False)
    assert activity.goes_past(ORIGIN, "a")


def test_a_program_that_has_accepted_before_may_close() -> None:
    activity = Activity()
    activity.accepted("a")
    refused(activity, said_so=False)
    assert not activity.goes_past(ORIGIN, "a")


def test_other_programs_and_other_origins_do_not_go_past() -> None:
    activity = Activity()
    refused(activity)
    assert not activity.goes_past(ORIGIN, "b")
    assert not activity.goes_past("https://other.example.com", "a")


def test_a_second_refusal_does_not_reset_the_count() -> None:
    activity = Activity()
    refused(activity)
    activity.goes_past(ORIGIN, "a")
    refused(activity)
    assert activity.report().refusals[0].relayed == 1


def test_the_tables_are_bounded() -> None:
    activity = Activity()
    for number in range(1500):
        activity.accepted(f"trusting {number}")
        refused(activity, str(number))
    assert len(activity.report().refusals) == 1000
    assert activity.goes_past(ORIGIN, "1499")
    assert not activity.goes_past(ORIGIN, "0")


def test_numbers_are_counted() -> None:
    activity = Activity()
    for what in ("requests", "requests", "failed"):
        activity.count(what)
    report = activity.report()
    assert (report.requests, report.failed, report.connections) == (2, 1, 0)
