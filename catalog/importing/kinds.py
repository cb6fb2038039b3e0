"""Recognises files that are not tables by their first bytes, so that a picture named books.csv is called a picture."""

import zipfile
from typing import BinaryIO

LOOKED_AT = 4_096  # bytes of the beginning
PARTS_LOOKED_AT = 1_000  # names in a ZIP archive
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SAVE = "save the table as .xlsx or as CSV UTF-8"

STARTS: dict[bytes, str] = {
    b"\xff\xd8\xff": "is a JPEG picture",
    b"\x89PNG": "is a PNG picture",
    b"GIF8": "is a GIF picture",
    b"II*\x00": "is a TIFF picture",
    b"MM\x00*": "is a TIFF picture",
    b"%PDF": "is a PDF document",
    b"{\\rtf": "is a text document (RTF)",
    b"7z\xbc\xaf": "is a 7-Zip archive",
    b"Rar!": "is a RAR archive",
    b"BZh": "is packed with bzip2",
    b"\xfd7zXZ": "is packed with xz",
    b"\x28\xb5\x2f\xfd": "is packed with Zstandard",
    b"SQLite format 3\x00": "is an SQLite database",
    b"\x00\x01\x00\x00Standard": "is an Access database",
    b"OggS": "is a recording (Ogg)",
    b"\x7fELF": "is a program",
}
MARKUP = {
    b"<!doctype html": "is a web page (HTML)",
    b"<html": "is a web page (HTML)",
    b"<table": "is a web page (HTML)",
    b"<?xml": "is an XML document",
    b'[{"': "is a JSON document",
}
# By the name of a part of a ZIP archive.
PARTS = {
    "xl/workbook.bin": "is a binary Excel workbook (.xlsb)",
    "word/document.xml": "is a Word document",
    "ppt/presentation.xml": "is a PowerPoint presentation",
    "Index/Document.iwa": "is a document of Numbers or Pages",
}
# By the part `mimetype` of a ZIP archive.
MIMETYPES = {
    b"application/vnd.oasis.opendocument.spreadsheet": "is an OpenDocument spreadsheet (.ods)",
    b"application/vnd.oasis.opendocument.text": "is an OpenDocument text (.odt)",
    b"application/epub+zip": "is an e-book (EPUB)",
}
# Control characters allowed in a text: tab, the ends of lines and pages, and the end of a DOS file.
OF_TEXTS = frozenset(b"\t\n\x0b\x0c\r\x1a\x1b\x1c\x1d\x1e\x1f")
ODD = bytes(set(range(32)) - OF_TEXTS)
FEW = 8  # other control characters that a text may have by mistake


def of_archive(file: BinaryIO) -> str:
    """The kind of a ZIP archive that is not an .xlsx. Leaves the file at its beginning."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()[:PARTS_LOOKED_AT]
            for part, kind in PARTS.items():
                if part in names:
                    return f"{kind}: {SAVE}"
            if "mimetype" in names:
                with archive.open("mimetype") as part_of:
                    kind = MIMETYPES.get(part_of.read(100).strip(), "")
                if kind:
                    return f"{kind}: {SAVE}"
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return f"is a damaged workbook, or a damaged ZIP archive: {SAVE}"
    finally:
        file.seek(0)
    return "is a ZIP archive, and no Excel workbook (.xlsx): unpack it first"


def of_ole(file: BinaryIO) -> str:
    """The kind of a file in Microsoft's compound format. Leaves it at its beginning."""
    content = file.read(1 << 20)
    file.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "is protected by a password: save it without one"
    return f"is a workbook of an old kind (.xls): {SAVE}"


def of_bytes(start: bytes, *, is_text: bool) -> str:
    """The kind of a file with this beginning; "" for text. `is_text`: its encoding is certain."""
    for mark, kind in STARTS.items():
        if start.startswith(mark):
            return f"{kind}: {SAVE}"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    for mark, kind in MARKUP.items():
        if text.startswith(mark):
            return f"{kind}: {SAVE}"
    if start[:4] == b"RIFF" and start[8:12] in {b"WEBP", b"WAVE", b"AVI "}:
        return f"is a picture, a recording or a film ({start[8:12].decode().strip()}): {SAVE}"
    if start[4:8] == b"ftyp":
        return f"is a picture or a film (MP4, HEIC): {SAVE}"
    if start[257:262] == b"ustar":
        return "is an archive (tar): unpack it first"
    odd = len(start) - len(start.translate(None, ODD))
    if not is_text and odd >= FEW and odd * 20 > len(start):
        return f"is no text, and no spreadsheet that is read here: {SAVE}"
    return ""
