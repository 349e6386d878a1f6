#!/usr/bin/env bash
# Runs the sample configurations of docs/edges with the real programs. Those that are not installed are unpacked under
# target/test-tools from Debian's packages, which starts no service; what cannot be had is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"
declare -A packages=(
  [nginx]=nginx [caddy]=caddy [haproxy]='haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1'
  [turnserver]=coturn [systemd-analyze]=systemd [openssl]=openssl
)
dir=$PWD/target/test-tools/edges
unpacked=$dir/root
export PATH="$PATH:$unpacked/usr/sbin:$unpacked/usr/bin"
export LD_LIBRARY_PATH="$unpacked/usr/lib/$(uname -m)-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
missing=()
for command in "${!packages[@]}"; do
  command -v "$command" >/dev/null && continue
  mkdir -p "$unpacked"
  # shellcheck disable=SC2086 # several packages
  if ! (cd "$dir" && apt-get download -qq ${packages[$command]} >/dev/null 2>&1) && [ "$(id -u)" -eq 0 ]; then
    # No lists yet, or old ones.
    apt-get update -qq && (cd "$dir" && apt-get download -qq ${packages[$command]} >/dev/null 2>&1) || true
  fi
  for file in "$dir"/*.deb; do
    [ -e "$file" ] && dpkg -x "$file" "$unpacked" && rm "$file"
  done
  command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "The samples of docs/edges need these packages: ${missing[*]}" >&2
  echo "Get them with: sudo apt-get update && sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
# A network of their own, where clients have addresses of both families.
flags=(--net)
[ "$(id -u)" -eq 0 ] || flags+=(--map-root-user)
# shellcheck disable=SC2016 # for the other shell
exec unshare "${flags[@]}" -- bash -euc '
  ip link set lo up
  for address in 2001:db8:77:88:99:aa:bb:cc 2001:db8:5::99; do ip addr add "$address/128" dev lo; done
  exec node --test --test-reporter=spec tests/edges/*.test.mjs'

