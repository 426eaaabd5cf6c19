"""Stand-ins for projects in directories, so that a resolver looks for none of them in an index."""

from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

from packaging.version import InvalidVersion, Version

from indexfallback.wanted import Demand, Local, Origin

#: For a project whose version is not known: newer than what any requirement is likely to ask for.
_UNKNOWN = "99999"
_WHEEL = "Wheel-Version: 1.0\nGenerator: indexfallback\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_stand_ins(projects: Iterable[Local], directory: Path) -> tuple[Demand, ...]:
    """Write a wheel without requirements for each project; return the pins of them."""
    return tuple(_write(each, directory) for each in projects)


def _write(project: Local, directory: Path) -> Demand:
    try:
        version = str(Version(project.version or _UNKNOWN))
    except InvalidVersion:  # a directive of the build
        version = _UNKNOWN
    name = f"{project.project.replace('-', '_')}-{version}"
    lines = ["Metadata-Version: 2.1", f"Name: {project.project}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in project.extras]
    with ZipFile(directory / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.dist-info/METADATA", "\n".join(lines) + "\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", _WHEEL)
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return Demand(f"{project.project}=={version}", Origin("a project in `develop`"))
