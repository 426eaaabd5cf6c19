"""Walks down a chain without I/O: short ways to write a question, and the caller's loop."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from indexfallback.chain.policy import Ask, Refuse, Serve, next_step
from indexfallback.chain.question import Candidate, Question
from indexfallback.config import Index, Role
from indexfallback.mode import Cause, OfflineState
from indexfallback.outcome import Kind, Outcome

FRESH = 600.0
KEEP = 86400.0

#: All that keeps an index from saying whether it has a project, while there is a network.
TROUBLE = tuple(
    kind for kind in Kind if Outcome(kind, "").is_unavailable and kind is not Kind.OFFLINE
)


def index(name: str, role: Role = "private", **values: Any) -> Index:
    """Return an index of that name at an address made of it."""
    made: dict[str, Any] = {"url": f"https://{name}.example.com/simple/", **values}
    return Index(name=name, role=role, **made)


PRIVATE = index("private")
MIRROR = index("mirror", "mirror", mirror_of="pypi")
PYPI = index("pypi", "public")


def question(*known: Candidate | Index, offline: bool = False) -> Question:
    """Return the question for ``acme-app`` to a chain of which this is known.

    What an index claims it owns, and its claims count as its list of names.
    """
    chain = tuple(c if isinstance(c, Candidate) else Candidate(c) for c in known)
    chain = tuple(
        replace(
            c,
            fresh=FRESH,
            owned=c.owned or c.index.claims("acme-app"),
            list_known=c.list_known or bool(c.index.projects),
        )
        for c in chain
    )
    state = OfflineState(requested=Cause.OPTION if offline else None)
    return Question("acme-app", chain, KEEP, state)


def walk(
    asked: Question, answers: Mapping[str, Kind] | Callable[[str], Kind]
) -> tuple[list[str], Serve | Refuse]:
    """Return the indexes that a walk asks, and its end, where they answer so."""
    answer = answers.__getitem__ if isinstance(answers, Mapping) else answers
    names: list[str] = []
    while not isinstance(step := next_step(asked), (Serve, Refuse)):
        assert isinstance(step, Ask), f"nothing is to be compared: {step}"
        name = asked.chain[step.position].index.name
        names.append(name)
        assert len(names) <= len(asked.chain), f"asked in circles: {names}"
        asked = asked.learnt(step.position, Outcome(answer(name), ""))
    return names, step
