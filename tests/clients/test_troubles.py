"""What a shim could not do, in words."""

import pytest

from indexfallback.clients.troubles import troubles


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("private could not be asked", "private could not be asked."),
        ("no index has it", "No index has it."),
    ],
)
def test_a_cause_begins_as_a_sentence_and_a_name_as_it_is_spelt(cause: str, sentence: str) -> None:
    tried = [{"index": "private", "what": "absent", "detail": ""}]
    failure = {"what": "demo", "status": 503, "tried": tried, "cause": cause, "remedy": ""}
    status = {"activity": {"failures": [failure]}, "indexes": [], "offline": False}
    (trouble,) = troubles(status, 0.0)
    assert trouble == ("demo could not be looked up.", (sentence,))
