#!/usr/bin/env bash
# Installs what the tests need from the system's packages when it may, and names it when it may not.
set -euo pipefail
declare -A package=(
  [chromium]=chromium [firefox-esr]=firefox-esr [ip]=iproute2 [nft]=nftables [pebble]=pebble [unshare]=util-linux [openssl]=openssl [certutil]=libnss3-tools [turnserver]=coturn [pip3]=python3-pip
)
missing=()
for command in "${!package[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null || missing+=("${package[$command]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need these packages: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
