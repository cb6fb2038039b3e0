"""Detects the encoding of a text file. In doubt staff are asked: a wrong guess would store Brontë as BrontÃ«."""

import codecs
import re
import unicodedata
from typing import BinaryIO

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The encodings that staff can choose, by Python's name.
ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1257": "Windows-1257 (Baltic)",
    "iso8859-15": "ISO 8859-15 (Western Europe)",
    "iso8859-2": "ISO 8859-2 (Central Europe)",
    "mac-roman": "Mac Roman",
    "cp437": "DOS (437)",
    "cp850": "DOS (850)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "shift-jis": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "euc-kr": "EUC-KR (Korean)",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}
NAMES = ENCODINGS | {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252"}
GUESSED = ("cp1252", "cp1250", "cp1254", "cp1251", "mac-roman")

# Letters beyond ASCII that are frequent in the languages of a code page.
WESTERN = frozenset("éèêëàâäáåãçíìîïñóòôöõøúùûüæœßÉÈÊÀÂÄÁÅÃÇÍÎÑÓÔÖÕØÚÛÜÆŒ")
CENTRAL = frozenset("áâăäąćčçďéęëěíîłľńňóôőöřśšşťţúůűüýźžżđßÁÂÄĄĆČÇĎÉĘĚÍÎŁĽŃŇÓÔŐÖŘŚŠŞŤŢÚŮŰÜÝŹŽŻĐ")
TURKISH = frozenset("çğıöşüâîûÇĞİÖŞÜÂÎÛ")
LETTERS = {"cp1252": WESTERN, "cp1250": CENTRAL, "cp1254": TURKISH, "mac-roman": WESTERN}
SIGNS = frozenset("’‘‚“”„–—…«»‹›•·°€£§©®™¿¡ªº№ \xa0")

PART = 1 << 20  # bytes of one read
# Shares of the bytes beyond ASCII that are valid UTF-8. In Japanese and Chinese encodings a third is, by chance.
SURELY_UTF8, PERHAPS_UTF8 = 0.6, 0.25
MAX_WORDS = 2_000  # different words with bytes beyond ASCII that are examined
WORD = re.compile(rb"[^\x00-\x20,;|\"/()]*[\x80-\xff][^\x00-\x20,;|\"/()]*")
MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Unreadable(Exception):
    """The whole file is refused. The message follows the file's name in a sentence."""


class AskEncoding(Unreadable):
    """Several encodings are plausible, or none: staff must choose."""


def encoding_of(file: BinaryIO) -> str:
    """By the byte order mark; else UTF-8 if the whole file is valid; else the only plausible code page of GUESSED.

    Leaves the file at its beginning. Raises Unreadable.
    """
    start = file.read(4096)
    file.seek(0)
    if marked := marked_encoding(start):
        return marked
    stopped = first_stray_byte(file)
    if stopped is None:
        return "utf-8"
    line, byte = stopped
    words, share = words_beyond_ascii(file)
    if share >= SURELY_UTF8:
        raise Unreadable(
            f"is UTF-8 with a byte 0x{byte:02X} on line {line} that does not belong there: correct that line, or save "
            "the file as CSV UTF-8"
        )
    if share >= PERHAPS_UTF8:
        raise AskEncoding(
            f"is not UTF-8 (byte 0x{byte:02X} on line {line}), and parts of it could be: say which encoding it has, or "
            "save it as CSV UTF-8"
        )
    return code_page_of(words, line, byte)


def marked_encoding(start: bytes) -> str | None:
    """The encoding shown by the first bytes of a file: a byte order mark, or the NULs of UTF-16."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    return utf16_without_mark(start)


def utf16_without_mark(start: bytes) -> str | None:
    """Recognises UTF-16 without a byte order mark: in mostly Latin text every other byte is NUL."""
    pairs = len(start) // 2
    if pairs < 4:
        return None
    even, odd = start[0 : pairs * 2 : 2].count(0), start[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.4 and even < pairs * 0.1:
        return "utf-16-le"
    if even > pairs * 0.4 and odd < pairs * 0.1:
        return "utf-16-be"
    return None


def first_stray_byte(file: BinaryIO) -> tuple[int, int] | None:
    """The line and value of the first byte that is not UTF-8; None if all are. Leaves the file at its beginning."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, last = 1, False
    try:
        while not last:
            part = file.read(PART)
            last = not part
            try:
                decoder.decode(part, final=last)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                return line + before.count(b"\n"), error.object[error.start]
            line += part.count(b"\n")
    finally:
        file.seek(0)
    return None


def check_text(file: BinaryIO, encoding: str) -> None:
    """Raises Unreadable, with the line, for a byte that this encoding has not. Leaves the file at its beginning."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, last = 1, False
    try:
        while not last:
            part = file.read(PART)
            last = not part
            try:
                line += decoder.decode(part, final=last).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].decode(encoding, "ignore").count("\n")
                raise Unreadable(f"is not {NAMES[encoding]} on line {line}: save it as CSV UTF-8") from error
    finally:
        file.seek(0)


def words_beyond_ascii(file: BinaryIO) -> tuple[list[bytes], float]:
    """Up to MAX_WORDS words with bytes beyond ASCII, and the share of these bytes that are valid UTF-8 (0 to 1)."""
    words: dict[bytes, None] = {}
    valid = all_bytes = 0
    while part := file.read(PART):
        part += file.readline(PART)
        valid += sum(len(found[0]) for found in MULTIBYTE.finditer(part))
        all_bytes += len(part) - len(part.translate(None, bytes(range(128, 256))))
        for found in WORD.finditer(part):
            if len(words) < MAX_WORDS:
                words[found[0][:100]] = None
    file.seek(0)
    return list(words), valid / max(all_bytes, 1)


def code_page_of(words: list[bytes], line: int, byte: int) -> str:
    """The only code page of GUESSED that turns all these words into plausible ones. Raises AskEncoding."""
    read: dict[str, list[str]] = {}
    for encoding in GUESSED:
        try:
            texts = [word.decode(encoding) for word in words]
        except UnicodeDecodeError:
            continue
        if all(is_plausible(text) for text in texts):
            read[encoding] = texts
    usual = {
        encoding: texts
        for encoding, texts in read.items()
        if encoding == "cp1251"
        or all(c.isascii() or c in SIGNS or c in LETTERS[encoding] for text in texts for c in text)
    }
    candidates = usual or read
    if candidates and len({tuple(texts) for texts in candidates.values()}) == 1:
        return next(iter(candidates))
    where = f"is not UTF-8 (byte 0x{byte:02X} on line {line})"
    if not candidates:
        raise AskEncoding(f"{where}, and none of the usual encodings makes words of it: save it as CSV UTF-8")
    differing = next(place for place in range(len(words)) if len({texts[place] for texts in candidates.values()}) > 1)
    choices = " or ".join(f"{NAMES[encoding]} (“{texts[differing]}”)" for encoding, texts in candidates.items())
    raise AskEncoding(f"{where}, and could be {choices}: say which, or save it as CSV UTF-8")


def is_plausible(word: str) -> bool:
    """Whether a word looks real: letters of one script, capitals only at its beginning, signs only around it."""
    letters = [c for c in word if c.isalpha()]
    foreign = [c for c in letters if not c.isascii()]
    cyrillic = [c for c in foreign if "CYRILLIC" in unicodedata.name(c, "")]
    if cyrillic and (len(cyrillic) < len(letters) or any(odd_cyrillic(c) for c in cyrillic)):
        return False
    if not cyrillic and len(foreign) >= 3 and len(foreign) * 2 > len(letters):
        return False  # no language with Latin letters has that many accents
    return all(
        fits(before, character, after)
        for before, character, after in zip(" " + word[:-1], word, word[1:] + " ", strict=True)
        if not (before.isascii() and character.isascii())
    )


def odd_cyrillic(character: str) -> bool:
    """A letter of Windows-1251 outside Russian, Ukrainian, Belarusian, Serbian, Macedonian and Bulgarian."""
    return not ("а" <= character.lower() <= "я" or character.lower() in "ёђѓєѕіїјљњћќўџґ")


def fits(before: str, character: str, after: str) -> bool:
    if character.isalpha():
        # A capital after a small letter, beyond ASCII, shows a wrong encoding. (Callers skip pairs in ASCII: iPhone.)
        return not (character.isupper() and before.islower())
    if character.isascii():
        return True
    if character in "’\xa0–—·№":
        return True
    if character in "‘“„‚«‹¿¡":
        return not before.isalpha() or (character == "“" and not after.isalpha())  # „so“ in German
    if character in "”»›…™®©ªº°":
        return not after.isalpha()
    return character in SIGNS and not (before.isalpha() or after.isalpha())
