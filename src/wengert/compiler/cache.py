"""Object code kept on disk, so that a program compiled once starts at once in the next process.

A file holds what was made of one program, after a checksum of that and of the file's name, which is the hash of
everything that it depends on. Files appear by renaming, so no process ever sees half of one. Whatever goes wrong with
the disk only means that nothing is kept: compiling goes on.

The files lie in a few folders, by the first letter of their names. Each folder has its share of the room, and is looked
through on its own: how long that takes does not grow with all that is kept.

``WENGERT_CACHE`` names another folder, or is ``off``.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["Store", "current_store", "default_store"]

FORMAT = "3"
"""Another one makes all files of before unknown."""
MOST_BYTES = 256 << 20
"""What the files may hold together; the folder that is beyond its share loses its oldest until a quarter is free."""
FOLDERS = 16
BLOCK = 4096
"""What a file takes at least."""
BETWEEN_CHECKS = 16
"""One in so many files that are written has its folder looked through: those with certain keys."""
CHECKSUM = 32
SUFFIX = ".object"


class Store:
    """A folder of object code.

    Parameters
    ----------
    folder : pathlib.Path
        Made when something is first kept.
    most_bytes : int
        What the files may hold together.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES):
        self.folder, self.most_bytes = folder, most_bytes
        self.reads, self.writes = True, True

    @staticmethod
    def key(*parts: str | bytes) -> str:
        """The name of what depends on these texts."""
        found = hashlib.sha256()
        for part in (FORMAT, *parts):
            data = part.encode() if isinstance(part, str) else part
            found.update(len(data).to_bytes(8, "little"))
            found.update(data)
        return found.hexdigest()

    def load(self, key: str) -> bytes | None:
        """What was kept under a key; `None` if there is nothing, or nothing whole."""
        if not self.reads:
            return None
        path = self._path(key)
        try:
            content = _content(path)
        except OSError:
            return None
        if not self._is_ours():
            return None
        data = content[CHECKSUM:]
        if not data or _checksum(key, data) != content[:CHECKSUM]:
            self.drop(key)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return data

    def drop(self, key: str) -> None:
        """Forget what was kept under a key, as it is of no use."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(key))

    def keep(self, key: str, data: bytes) -> None:
        """Keep object code under a key, if the disk allows it."""
        if not self.writes:
            return
        path = self._path(key)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours():
                return
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._write(path, _checksum(key, data) + data)
            if int(key[1:9], 16) % BETWEEN_CHECKS == 0:
                self._drop_oldest(path.parent)
        except OSError:
            self.writes = False

    def _path(self, key: str) -> Path:
        return self.folder / f"{int(key[0], 16) % FOLDERS:x}" / f"{key}{SUFFIX}"

    def _is_ours(self) -> bool:
        """Whether nobody else can write into the folder: what lies there is run."""
        if not hasattr(os, "getuid"):
            return True
        try:
            found = os.stat(self.folder)
        except OSError:
            return False
        self.reads = self.writes = found.st_uid == os.getuid() and not found.st_mode & 0o022
        return self.reads

    def _write(self, path: Path, content: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _drop_oldest(self, folder: Path) -> None:
        """Make room; also what a killed process has left half written counts, and goes in its turn."""
        files = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith((SUFFIX, ".part")):
                    with contextlib.suppress(OSError):
                        found = entry.stat()
                        files.append((found.st_mtime, max(found.st_size, BLOCK), entry.path))
        total, most = sum(size for _, size, _ in files), self.most_bytes // FOLDERS
        if total <= most:
            return
        for _, size, path in sorted(files):
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= most * 3 // 4:
                break


def _checksum(key: str, data: bytes) -> bytes:
    """What tells whether a file is whole, and lies under its own name."""
    return hashlib.sha256(key.encode() + data).digest()


def _content(path: Path) -> bytes:
    """What a file holds; nothing of what is no file, such as a pipe or a device, which may never end."""
    with open(path, "rb", opener=_without_waiting) as file:
        return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe would else be waited for until somebody writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def default_store() -> Store | None:
    """The user's own store, or the one that ``WENGERT_CACHE`` names; `None` where it says ``off``."""
    wish = os.environ.get("WENGERT_CACHE", "")
    if wish.lower() in ("off", "0", "no", "false"):
        return None
    if wish:
        return Store(Path(wish))
    home = os.environ.get("XDG_CACHE_HOME", "")
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "")
    try:
        fallback = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:
        return None
    base = Path(home) if home and os.path.isabs(home) else fallback
    return Store(base / "wengert")


_stores: dict[int, Store | None] = {}


def current_store() -> Store | None:
    """The store of this process; a forked one looks again."""
    process = os.getpid()
    if process not in _stores:
        _stores.clear()
        _stores[process] = default_store()
    return _stores[process]
