"""A recipe that runs a command of the part's, as recipes that call pip or other buildouts do."""

from tests.fakes import Dist, wheel

_MODULE = b"""\
import os, shlex, subprocess, sys

class Recipe:
    def __init__(self, buildout, name, options):
        self.arguments = shlex.split(options["command"])

    def install(self):
        subprocess.run([sys.executable, *self.arguments], check=True)
        return ()

    update = install
"""
_ENTRY_POINTS = b"[zc.buildout]\ndefault = acme_recipe:Recipe\n"


def recipe() -> Dist:
    """Return ``acme.recipe``, whose option ``command`` is arguments of Python."""
    return wheel(
        "acme.recipe",
        extra_files={
            "acme_recipe.py": _MODULE,
            "acme_recipe-1.0.dist-info/entry_points.txt": _ENTRY_POINTS,
        },
    )
