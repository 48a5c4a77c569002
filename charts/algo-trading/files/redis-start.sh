# The system's users come from the Secret at every start; users of runners and gateways, which the operator has saved, stay.
set -eu
umask 077
data="${DATA:-/data}"
touch "$data/users.acl"
{
  cat "${SECRET:-/etc/redis-secret}/users.acl"
  grep -v -E '^user (default|probe|operator|api|recorder) ' "$data/users.acl" || true
} > "$data/users.acl.new"
mv "$data/users.acl.new" "$data/users.acl"
exec redis-server "${CONFIG:-/etc/redis-config}/redis.conf" --dir "$data" --aclfile "$data/users.acl" "$@"
