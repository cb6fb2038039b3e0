"""A file that is no table is called what it is, whatever its name ends in."""

import zipfile
from io import BytesIO

import pytest

from catalog.importing.encodings import Unreadable
from catalog.importing.files import Spreadsheet

ODS = b"application/vnd.oasis.opendocument.spreadsheet"


def archive(**parts):
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)), "is a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is a PNG picture"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "is a web page (HTML)"),
        (b'<?xml version="1.0"?><Workbook>', "is an XML document"),
        (b'[{"title": "Emma"}]', "is a JSON document"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "is a picture, a recording or a film (WEBP)"),
        (b"\x00\x00\x00\x18ftypheic", "is a picture or a film (MP4, HEIC)"),
        (b"books.csv".ljust(257, b"\0") + b"ustar", "is an archive (tar)"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08" * 20, "is no text, and no spreadsheet that is read here"),
        (archive(mimetype=ODS), "is an OpenDocument spreadsheet (.ods)"),
        (archive(**{"word/document.xml": "<w/>"}), "is a Word document"),
        (archive(**{"xl/workbook.bin": b""}), "is a binary Excel workbook (.xlsb)"),
        (archive(**{"books.csv": "title"}), "is a ZIP archive, and no Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "is protected by a password"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "is a workbook of an old kind (.xls)"),
    ],
)
def test_file_that_is_no_table_is_called_what_it_is(content, reason):
    with pytest.raises(Unreadable) as refused:
        Spreadsheet(BytesIO(content))

    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_any_encoding_is_a_table(encoding):
    sheet = Spreadsheet(BytesIO("title,author,price\nEmma,Jane Austen,1\n".encode(encoding)))

    assert [line.cells["title"] for line in sheet] == ["Emma"]
