for folder in /usr/lib/postgresql/*/bin; do
  if [ -d "$folder" ]; then PATH="$folder:$PATH"; fi
done
exec pg_isready -q -h 127.0.0.1 -U algo_owner -d "$DATABASE"
