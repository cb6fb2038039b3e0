"""How the staff's site writes times: as UTC, and saying so. Django's own format of English does not name the zone."""

DATETIME_FORMAT = r"Y-m-d H:i \U\T\C"
