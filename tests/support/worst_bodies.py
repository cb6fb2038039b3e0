"""Bodies of up to 1 MB that cost the most for their size: as JSON, and as the forms that the admin reads."""

MB = 1_000_000  # bytes: the contract's limit of a body

# Refused by their number of values, before any value is made.
TOO_MANY_VALUES = {
    "empty objects": b'{"items": [' + b"{}," * 330_000 + b"{}]}",
    "numbers": b'{"items": [' + b"1," * 499_000 + b"1]}",
    "empty texts": b'{"items": [' + b'"",' * 330_000 + b'""]}',
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}",
    "one key again and again": b'{"items": 1' + b',"a":1' * 160_000 + b"}",
    "objects that never end": b'{"a":' * 160_000,
    "brackets": b"[" * (MB // 2) + b"]" * (MB // 2),
    "pairs of brackets": b'{"items": [' + b"[]," * 330_000 + b"[]]}",
    "texts with quotation marks": b'{"items": [' + b'"\\"",' * 190_000 + b'""]}',
    "texts that end in a backslash": b'{"items": [' + b'"\\\\",' * 190_000 + b'""]}',
}
# Few values, one of them long.
ONE_VALUE = {
    "a text of commas": b'{"title": "%s"}' % (b"," * 990_000),
    "a text of brackets": b'{"description": "%s"}' % (b"[{" * 490_000),
    "a text of escapes": b'{"title": "%s"}' % (b'\\"' * 490_000),
    "a text of surrogates": b'{"title": "%s"}' % (b"\\ud800" * 160_000),
    "a long number": b'{"price": %s, "quantity": %s}' % (b"1" * 490_000, b"9." + b"9" * 490_000),
}

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def part(name: bytes, content: bytes = b"", more: bytes = b"") -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name, more, content)


# (Content-Type, body) each.
FORMS = {
    "a form of pairs": (URLENCODED, b"a=1&" * 249_000),
    "a form of ampersands": (URLENCODED, b"&" * 990_000),
    "a form of one field's values": (URLENCODED, b"_selected_action=1&" * 50_000),
    "a form of escapes": (URLENCODED, b"q=" + b"%C3%A9" * 160_000),
    "parts": (MULTIPART, part(b"a") * (990_000 // len(part(b"a"))) + b"--x--\r\n"),
    "parts with files": (
        MULTIPART,
        part(b"a", b"b", b'; filename="a.csv"') * (990_000 // len(part(b"a", b"b", b'; filename="a.csv"'))) + b"--x--",
    ),
    "a part of semicolons": (MULTIPART, part(b"a", b"", b";" * 900_000) + b"--x--\r\n"),
    "a part of base64": (
        MULTIPART,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + b"A\n" * 490_000
        + b"\r\n--x--\r\n",
    ),
    "a part of half boundaries": (MULTIPART, part(b"a", b"\r\n--" * 240_000) + b"--x--\r\n"),
    "boundaries": (MULTIPART, b"--x\r\n" * 198_000),
}
