"""The paths of the clients' configuration files on each system; no I/O."""

from pathlib import PurePath

from indexfallback.clients.machine import Machine

_ROAMING = ("AppData", "Roaming")
_LOCAL = ("AppData", "Local")


def pip_file(machine: Machine) -> PurePath:
    """Return the user's file of pip; its legacy path if there is a file only there."""
    name = "pip.ini" if machine.platform == "win32" else "pip.conf"
    legacy = _legacy_pip_file(machine)
    if machine.platform == "win32":
        file = machine.directory("APPDATA", *_ROAMING) / "pip" / name
    elif machine.platform == "darwin":
        support = machine.home / "Library" / "Application Support" / "pip"
        file = (support if machine.exists(support) else machine.home / ".config" / "pip") / name
    else:
        file = machine.directory("XDG_CONFIG_HOME", ".config") / "pip" / name
    return legacy if machine.exists(legacy) and not machine.exists(file) else file


def pip_weaker_files(machine: Machine) -> tuple[PurePath, ...]:
    """Return the files of pip that the user's file overrides, the weakest first."""
    system, legacy = _pip_system_files(machine), _legacy_pip_file(machine)
    return system if legacy == pip_file(machine) else (*system, legacy)


def _legacy_pip_file(machine: Machine) -> PurePath:
    if machine.platform == "win32":
        return machine.home / "pip" / "pip.ini"
    return machine.home / ".pip" / "pip.conf"


def _pip_system_files(machine: Machine) -> tuple[PurePath, ...]:
    kind = type(machine.home)
    if machine.platform == "win32":
        return (kind(machine.environ.get("PROGRAMDATA") or "C:/ProgramData") / "pip" / "pip.ini",)
    if machine.platform == "darwin":
        return (kind("/Library/Application Support/pip/pip.conf"),)
    folders = [folder / "pip" / "pip.conf" for folder in _system_folders(machine)]
    return (*folders, kind("/etc/pip.conf"))


def _system_folders(machine: Machine) -> list[PurePath]:
    named = machine.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [type(machine.home)(folder) for folder in named.split(":") if folder]


def uv_file(machine: Machine) -> PurePath:
    """Return the user's file of uv, which has the same path on macOS and Linux."""
    if machine.platform == "win32":
        return machine.directory("APPDATA", *_ROAMING) / "uv" / "uv.toml"
    return machine.directory("XDG_CONFIG_HOME", ".config") / "uv" / "uv.toml"


def uv_system_files(machine: Machine) -> tuple[PurePath, ...]:
    """Return the system-wide files of uv, whose indexes are added to those of the user."""
    kind = type(machine.home)
    if machine.platform == "win32":
        return (kind(machine.environ.get("PROGRAMDATA") or "C:/ProgramData") / "uv" / "uv.toml",)
    folders = [folder / "uv" / "uv.toml" for folder in _system_folders(machine)]
    return (*folders, kind("/etc/uv/uv.toml"))


def uv_tools(machine: Machine) -> PurePath:
    """Return the directory where uv installs tools, each with its receipt."""
    if machine.environ.get("UV_TOOL_DIR"):
        return machine.directory("UV_TOOL_DIR")
    if machine.platform == "win32":
        return machine.directory("APPDATA", *_ROAMING) / "uv" / "data" / "tools"
    return machine.directory("XDG_DATA_HOME", ".local", "share") / "uv" / "tools"


def poetry_file(machine: Machine) -> PurePath:
    """Return the user's file of poetry."""
    if machine.environ.get("POETRY_CONFIG_DIR"):
        folder = machine.directory("POETRY_CONFIG_DIR")
    elif machine.platform == "win32":
        folder = machine.directory("APPDATA", *_ROAMING) / "pypoetry"
    else:
        folder = _unix_folder(machine, "pypoetry")
    return folder / "config.toml"


def pdm_file(machine: Machine) -> PurePath:
    """Return the user's file of pdm; on Windows, its path has the name twice."""
    if machine.environ.get("PDM_CONFIG_FILE"):
        return machine.directory("PDM_CONFIG_FILE")
    if machine.platform == "win32":
        folder = machine.directory("LOCALAPPDATA", *_LOCAL) / "pdm" / "pdm"
    else:
        folder = _unix_folder(machine, "pdm")
    return folder / "config.toml"


def _unix_folder(machine: Machine, name: str) -> PurePath:
    """Return the directory of platformdirs; on macOS, only its newer versions use XDG."""
    folder = machine.directory("XDG_CONFIG_HOME", ".config") / name
    is_older = machine.platform == "darwin" and not machine.exists(folder)
    return machine.home / "Library" / "Application Support" / name if is_older else folder


def buildout_file(machine: Machine) -> PurePath:
    """Return the user's defaults of zc.buildout."""
    return machine.directory("BUILDOUT_HOME", ".buildout") / "default.cfg"


def shell_file(machine: Machine) -> PurePath:
    """Return the start-up file of the user's shell."""
    shell = PurePath(machine.environ.get("SHELL", "")).name
    if shell == "zsh":
        return machine.directory("ZDOTDIR") / ".zshenv"
    if shell == "fish":
        folder = machine.directory("XDG_CONFIG_HOME", ".config") / "fish" / "conf.d"
        return folder / "indexfallback.fish"
    return machine.home / (".bashrc" if shell == "bash" else ".profile")
