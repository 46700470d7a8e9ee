"""Reading what an editor or a spreadsheet saved; writing so that a crash leaves the old file or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..surrogates.errors import AlloyloopError
from .problems import CampaignFileError


class Disk:
    """The few calls by which files change; all go through `DISK`, so that a test can make any of them fail."""

    def create(self, path: Path) -> int:
        """Make an empty file that is not there yet, and open it for writing."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of some bytes."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        """Let what was written last through a power cut, where the system knows how: some network drives do not."""
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise

    def allow(self, path: Path, mode: int) -> None:
        """Set a file's permissions, where the system knows how."""
        with contextlib.suppress(OSError):
            path.chmod(mode)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or folder another name, in one step, in the place of a file that has it."""
        old.replace(new)

    def make_folder(self, path: Path) -> None:
        """Make a folder that is not there yet."""
        path.mkdir()

    def unlink(self, path: Path) -> None:
        """Delete a file."""
        path.unlink()

    def remove_folder(self, path: Path) -> None:
        """Delete an empty folder."""
        path.rmdir()


DISK = Disk()
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file and how it was encoded, so that it can be written back byte for byte.

    Parameters
    ----------
    text : the content, its line ends as they are, without the byte-order mark
    encoding : ``utf-8``, ``utf-16-le``, ``utf-16-be``, ``cp1252`` or ``latin-1``
    bom : whether the file begins with a byte-order mark
    remarks : what had to be assumed
    """

    text: str
    encoding: str = "utf-8"
    bom: bool = False
    remarks: tuple[str, ...] = ()


_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


# Larger files are none of ours: a table of 100 000 alloys has some 10 MB.
MOST_BYTES = 100_000_000


def read_text(path: Path | str, most: int = MOST_BYTES) -> TextFile:
    """Read a text file as UTF-8 or UTF-16, with or without a byte-order mark, else as Windows' cp1252 with a remark.

    Raises
    ------
    CampaignFileError : where there is no such file, it may not be read, has more than `most` bytes, or it is not text
    """
    path = Path(path)
    return decode(read_bytes(path, most), path.name)


def read_bytes(path: Path | str, most: int = MOST_BYTES) -> bytes:
    """Read a file's bytes; one that is missing, locked, a folder or too large is a :class:`CampaignFileError`."""
    path = Path(path)
    with _said_plainly(path, "read"):
        said = path.stat()
        if not stat.S_ISREG(said.st_mode) and not stat.S_ISDIR(said.st_mode):  # a pipe would never end
            raise CampaignFileError.whole_file(path.name, "A file was expected, and this is not one")
        if said.st_size > most:
            raise CampaignFileError.whole_file(
                path.name,
                f"It has {said.st_size / 1e6:.3g} MB, and no more than {most / 1e6:g} MB are read",
                "Check that it is the file that was meant.",
            )
        return path.read_bytes()


def decode(data: bytes, file: str) -> TextFile:
    """Turn the bytes of a file into text; `file` is its name for messages.

    Examples
    --------
    >>> decode(b"\\xef\\xbb\\xbfid,E", "a.csv")
    TextFile(text='id,E', encoding='utf-8', bom=True, remarks=())
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return TextFile(data[len(mark) :].decode(encoding), encoding, bom=True)
            except UnicodeDecodeError as error:
                raise _not_text(file, f"it begins as {encoding.upper()} and goes on as something else") from error
    if b"\0" in data:
        return _utf16_without_mark(data, file)
    try:
        return TextFile(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    try:
        text, encoding = data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:  # five bytes mean nothing in cp1252; latin-1 gives every byte back
        text, encoding = data.decode("latin-1"), "latin-1"
    remark = (
        f"{file} is not UTF-8 and was read as Windows text ({encoding}): check letters such as °, ±, µ and β in it."
    )
    return TextFile(text, encoding, remarks=(remark,))


def encode(file: TextFile) -> bytes:
    """Turn text back into bytes, as UTF-8 with a byte-order mark where its old encoding has no sign for a new letter.

    Examples
    --------
    >>> encode(TextFile("µ", "cp1252")), encode(TextFile("β", "cp1252"))
    (b'\\xb5', b'\\xef\\xbb\\xbf\\xce\\xb2')
    """
    marks = {encoding: mark for mark, encoding in _BOMS}
    try:
        return (marks[file.encoding] if file.bom else b"") + file.text.encode(file.encoding)
    except UnicodeEncodeError:
        return marks["utf-8"] + file.text.encode("utf-8")


def write_atomically(path: Path | str, text: str | bytes) -> None:
    """Replace a file in one step: whatever happens, it holds all of the old content or all of the new.

    Parameters
    ----------
    path : the file; its folder must exist. A link stays a link, and the file keeps its permissions
    text : written as UTF-8, its line ends as they are; bytes are written as they are

    Raises
    ------
    CampaignFileError : where it cannot be written (full disk, held open by a spreadsheet); the file is unchanged
    """
    path = Path(path)
    data = text.encode("utf-8") if isinstance(text, str) else text
    target = Path(os.path.realpath(path))
    with _said_plainly(path, "written"):
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            _write(temporary, data, like=target)
            _rename(temporary, target)
        except BaseException:
            _forget(temporary)
            raise


def stage(path: Path, data: bytes) -> Path:
    """Write the next content of a file beside it, whole and lasting, for `put_in_place`; an earlier one is replaced.

    Raises
    ------
    CampaignFileError
        where it cannot be written, or the file could not be replaced later; nothing is changed
    """
    staged = staged_name(path)
    with _said_plainly(path, "written"):
        target = Path(os.path.realpath(path))
        if target.exists():  # a spreadsheet that holds it open is found out before anything happens
            os.close(os.open(target, os.O_RDWR))
        if staged.exists():
            DISK.unlink(staged)
        try:
            _write(staged, data, like=target)
            sync_folder(staged.parent)
        except BaseException:
            _forget(staged)
            raise
    return staged


def staged_name(path: Path) -> Path:
    """Where the next content of a file waits: beside the file, or beside that which a link stands for."""
    target = Path(os.path.realpath(path))
    return target.with_name(f".{target.name}.staged")


def put_in_place(staged: Path, path: Path) -> None:
    """Give a file or folder that was staged its name, in one step that lasts."""
    with _said_plainly(path, "written"):
        _rename(staged, Path(os.path.realpath(path)))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, so that it lasts."""
    with _said_plainly(path, "written"):
        _write(path, data)


def _write(path: Path, data: bytes, like: Path | None = None) -> None:
    """Write a new file, with the permissions of another where that is there."""
    descriptor = DISK.create(path)
    try:
        DISK.write(descriptor, data)
        DISK.sync(descriptor)
    finally:
        os.close(descriptor)
    if like is not None and like.exists():
        DISK.allow(path, stat.S_IMODE(like.stat().st_mode))


def _rename(old: Path, new: Path) -> None:
    DISK.rename(old, new)
    sync_folder(new.parent)


def write_cache(path: Path, data: bytes) -> None:
    """Keep what may be lost at any time: whole or not at all, and nothing is said where it cannot be kept."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with contextlib.suppress(OSError, AlloyloopError):
        if not path.parent.is_dir():
            make_folder(path.parent)
        _forget(temporary)
        descriptor = DISK.create(temporary)
        try:
            DISK.write(descriptor, data)
        finally:
            os.close(descriptor)
        DISK.rename(temporary, path)


def make_folder(path: Path) -> None:
    """Make a folder that lasts, and those above it; one that is there stays as it is."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with _said_plainly(path, "made"):
        try:
            DISK.make_folder(path)
        except FileExistsError:  # another writer came first: both make the folder of locks before they hold one
            if not path.is_dir():
                raise
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it; one that is not there is no mistake."""
    with _said_plainly(path, "deleted"):
        if path.is_dir() and not path.is_symlink():
            for entry in sorted(path.iterdir()):
                remove(entry)
            DISK.remove_folder(path)
        elif path.exists() or path.is_symlink():
            DISK.unlink(path)


def sync_folder(folder: Path) -> None:
    """Make the new name of a file last through a power cut, where the system knows how."""
    with contextlib.suppress(OSError):  # Windows opens no folders; the file itself is safe already
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            DISK.sync(descriptor)
        finally:
            os.close(descriptor)


def _forget(path: Path) -> None:
    """Delete a file that nobody has seen yet; one that stays is in nobody's way."""
    with contextlib.suppress(OSError):
        if path.exists():
            DISK.unlink(path)


def _utf16_without_mark(data: bytes, file: str) -> TextFile:
    """Decode UTF-16 that lacks its mark: Latin letters leave every second byte zero. Other zero bytes are no text."""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = data[first::2].count(0)
        if len(data) % 2 == 0 and zeros > 0.8 * len(data) / 2 and not data[1 - first :: 2].count(0):
            with contextlib.suppress(UnicodeDecodeError):
                return TextFile(data.decode(encoding), encoding)
    raise _not_text(file, f"byte {data.index(0) + 1} is zero")


def _not_text(file: str, why: str) -> CampaignFileError:
    return CampaignFileError.whole_file(
        file, f"This is not a text file: {why}", "Save the table from your spreadsheet as CSV (UTF-8)."
    )


@contextlib.contextmanager
def _said_plainly(path: Path, verb: str) -> Iterator[None]:
    """Turn what the system says about a file into a sentence with a remedy."""
    try:
        yield
    except FileNotFoundError as error:
        what = "There is no such file" if verb == "read" else "Its folder does not exist"
        raise CampaignFileError.whole_file(path.name, what, f"Check the path: {path}.") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise CampaignFileError.whole_file(path.name, "A file was expected, and this is not one") from error
    except PermissionError as error:
        remedy = "Close it in the spreadsheet that may hold it open, or check its permissions; nothing was changed."
        raise CampaignFileError.whole_file(path.name, f"It cannot be {verb}", remedy) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            remedy = "Copy the campaign to a folder that may be written in; nothing was changed."
            raise CampaignFileError.whole_file(path.name, "It is on a read-only disk", remedy) from error
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        problem = "The disk is full" if full else f"It cannot be {verb}: {error.strerror or error}"
        remedy = "Make room and try again; nothing was changed." if full else "Try again; nothing was changed."
        raise CampaignFileError.whole_file(path.name, problem, remedy) from error
