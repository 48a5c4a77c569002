# Makes the cluster once, in a folder of its own that is renamed when complete: a start that was cut off begins anew.
set -eu
sockets="${SOCKETS:-/tmp}"
for folder in /usr/lib/postgresql/*/bin; do
  if [ -d "$folder" ]; then PATH="$folder:$PATH"; fi
done
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  new="$PGDATA.new"
  rm -rf "$new"
  # Local connections exist inside this container only.
  initdb -D "$new" -U postgres -E UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 --data-checksums
  echo "host all all all scram-sha-256" >> "$new/pg_hba.conf"
  pg_ctl -D "$new" -w -o "-c listen_addresses='' -c unix_socket_directories=$sockets" start
  psql -h "$sockets" -U postgres -d postgres -v ON_ERROR_STOP=1 -v database="$DATABASE" \
    -v password="$(cat "${SECRET:-/etc/postgresql-secret}/owner-password")" <<'SQL'
CREATE ROLE algo_owner LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE :"database" OWNER algo_owner;
SQL
  psql -h "$sockets" -U postgres -d "$DATABASE" -v ON_ERROR_STOP=1 \
    -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' -c 'GRANT ALL ON SCHEMA public TO algo_owner WITH GRANT OPTION'
  pg_ctl -D "$new" -w -m fast stop
  mv "$new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories="$sockets" "$@"
