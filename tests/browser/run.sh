#!/usr/bin/env bash
# Runs the browser tests in a network of their own: loopback and one pair of interfaces, nothing else. Firefox does not
# pair a non-loopback candidate with 127.0.0.1, so the server's media address is the pair's; and what a page might ask of
# the internet has nowhere to go. The relay has a name there, as an operator's has; who asks for another is refused at once.
set -euo pipefail
self=$(readlink -f "$0")
if [ "${TESTS_IN_NAMESPACE:-}" != yes ]; then
  flags=(--net --mount)
  [ "$(id -u)" -eq 0 ] || flags+=(--map-root-user)
  TESTS_IN_NAMESPACE=yes exec unshare "${flags[@]}" -- "$self" "$@"
fi
export PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
ip link add media0 type veth peer name media1
ip addr add 10.99.0.1/24 dev media0
ip link set media0 up
ip link set media1 up
ip route add default via 10.99.0.2 dev media0
names=$(mktemp -d)
{ cat /etc/hosts; echo 10.99.0.3 turn.example.org; } >"$names/hosts"
echo nameserver 127.0.0.1 >"$names/resolv.conf"
for file in hosts resolv.conf; do mount --bind "$names/$file" "/etc/$file"; done
rm -r "$names" # what is mounted stays until the last of this network ends
exec node "$@"
