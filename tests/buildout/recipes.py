"""A recipe and an extension for the tests."""

from tests.fakes import Dist, wheel

_MODULE = b"""\
import os, shlex, subprocess, sys

class Recipe:
    def __init__(self, buildout, name, options):
        self.arguments = shlex.split(options["command"])
        options["location"] = buildout["buildout"]["parts-directory"]

    def install(self):
        subprocess.run([sys.executable, *self.arguments], check=True)
        return ()

    update = install
"""
_ENTRY_POINTS = b"[zc.buildout]\ndefault = acme_recipe:Recipe\n"


#: As buildout.wheel, which itself needs a pip older than ours.
_EXTENSION = b"""\
from zc.buildout import easy_install

def load(buildout):
    easy_install.UNPACKERS = dict(easy_install.UNPACKERS)
    print("> loaded")

def unload(buildout):
    print("> unloaded")
"""
_HOOKS = b"""\
[zc.buildout.extension]
default = acme_extension:load
[zc.buildout.unloadextension]
default = acme_extension:unload
"""


def extension() -> Dist:
    """Return ``acme.extension``, which changes how buildout unpacks, and says when."""
    return wheel(
        "acme.extension",
        extra_files={
            "acme_extension.py": _EXTENSION,
            "acme_extension-1.0.dist-info/entry_points.txt": _HOOKS,
        },
    )


def recipe() -> Dist:
    """Return ``acme.recipe``, whose option ``command`` is arguments of Python.

    It sets the option ``location``.
    """
    return wheel(
        "acme.recipe",
        extra_files={
            "acme_recipe.py": _MODULE,
            "acme_recipe-1.0.dist-info/entry_points.txt": _ENTRY_POINTS,
        },
    )
