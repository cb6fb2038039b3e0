#!/bin/sh
# roles.sh: the role that serves, its rights, and the database in which backups are checked; may run at each start.
#
# Run as the owner of the database, by libpq's variables (PGHOST, PGDATABASE, PGUSER, PGPASSWORD), before the first
# `migrate`, with APP_PASSWORD: the password of the role bookstore_app. Needs psql 15 or newer, and CREATEROLE, CREATEDB.
set -eu
: "${APP_PASSWORD:?the password of bookstore_app}" "${PGDATABASE:?the database}"
exec psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 <<'SQL'
\getenv app_password APP_PASSWORD
SET client_min_messages = warning;
SET log_statement = 'none';
SELECT 'CREATE ROLE bookstore_app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bookstore_app') \gexec
ALTER ROLE bookstore_app PASSWORD :'app_password';
SELECT 'CREATE DATABASE bookstore_check' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'bookstore_check') \gexec
GRANT USAGE ON SCHEMA public TO bookstore_app;
-- What is there already, from a release before this one, and what migrations will make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bookstore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO bookstore_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bookstore_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO bookstore_app;
SQL
