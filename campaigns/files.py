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

from .problems import CampaignFileError


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


def read_text(path: Path | str) -> TextFile:
    """Read a text file as UTF-8 or UTF-16, with or without a byte-order mark, else as Windows' cp1252 with a remark.

    Raises
    ------
    CampaignFileError : where there is no such file, it may not be read, or it is not text
    """
    path = Path(path)
    return decode(read_bytes(path), path.name)


def read_bytes(path: Path | str) -> bytes:
    """Read a file's bytes; a file that is missing, locked or a folder is a :class:`CampaignFileError`."""
    path = Path(path)
    with _said_plainly(path, "read"):
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
        return TextFile(_utf16_without_mark(data, file), "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
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
    target = Path(os.path.realpath(path))
    data = text.encode("utf-8") if isinstance(text, str) else text
    with _said_plainly(path, "written"):
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name of a file last through a power cut, where the system knows how."""
    with contextlib.suppress(OSError):  # Windows opens no folders; the file itself is safe already
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _utf16_without_mark(data: bytes, file: str) -> str:
    """Decode UTF-16 that lacks its mark: Latin letters leave every second byte zero. Other zero bytes are no text."""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = data[first::2].count(0)
        if len(data) % 2 == 0 and zeros > 0.8 * len(data) / 2 and not data[1 - first :: 2].count(0):
            with contextlib.suppress(UnicodeDecodeError):
                return data.decode(encoding)
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
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        problem = "The disk is full" if full else f"It cannot be {verb}: {error.strerror or error}"
        remedy = "Make room and try again; nothing was changed." if full else "Try again; nothing was changed."
        raise CampaignFileError.whole_file(path.name, problem, remedy) from error
