#!/bin/sh
# backup.sh FOLDER: one dump of the database in FOLDER, restored once into another database, and old dumps deleted.
#
# Run by the owner of the tables (the role that serves may not read the sequences). Reads libpq's variables, so that no
# password stands on a command line: PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD. And two of its own:
#   CHECK_DATABASE   an empty database of the same owner whose name ends with _check: each dump is restored into it, and
#                    everything in it is dropped before. Without it the dump is only read through.
#   KEEP_DAYS        days after which a dump is deleted (14). None is deleted when today's failed.
# Leaves no file behind that is not a whole dump. Exit code 1 and one line on stderr when anything fails.
set -eu
umask 077

fail() { echo "backup: $*" >&2; exit 1; }

folder=${1:-}
[ -d "$folder" ] && [ -w "$folder" ] || fail "name a folder that can be written to, not '$folder'"
case ${KEEP_DAYS:=14} in '' | *[!0-9]*) fail "KEEP_DAYS is '$KEEP_DAYS': write a number of days" ;; esac
case ${CHECK_DATABASE:=} in '' | *_check) ;; *) fail "CHECK_DATABASE is '$CHECK_DATABASE', and is emptied: its name must end with _check" ;; esac
[ "${CHECK_DATABASE}" != "${PGDATABASE:?name the database}" ] || fail "CHECK_DATABASE is the database itself"

dump=$folder/bookstore-$(date -u +%Y-%m-%dT%H%M%SZ).dump
part=$dump.part.$$
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM

pg_dump --format=custom --no-owner --lock-wait-timeout=60s --file="$part" || fail "pg_dump failed: no dump was kept"
if [ -n "$CHECK_DATABASE" ]; then
    psql --dbname="$CHECK_DATABASE" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 \
        --command='SET client_min_messages = warning; DROP OWNED BY CURRENT_USER CASCADE' ||
        fail "$CHECK_DATABASE cannot be emptied: no dump was kept"
    pg_restore --exit-on-error --single-transaction --no-owner --dbname="$CHECK_DATABASE" "$part" ||
        fail "the dump cannot be restored: it was not kept"
    restored=$(psql --dbname="$CHECK_DATABASE" --no-psqlrc --tuples-only --no-align \
        --command='SELECT (SELECT count(*) FROM books) || $$ books, $$ || (SELECT count(*) FROM users) || $$ accounts$$')
else
    pg_restore --file=/dev/null "$part" || fail "the dump cannot be read: it was not kept"
    restored="read through, not restored (CHECK_DATABASE is not set)"
fi
sync "$part"
mv "$part" "$dump"
find "$folder" -maxdepth 1 -name 'bookstore-*.dump' -mtime "+$KEEP_DAYS" -exec rm -f {} +
echo "backup: $dump, $(wc -c < "$dump") bytes: $restored"
