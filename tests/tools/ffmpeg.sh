#!/usr/bin/env bash
# Prints the path of an ffmpeg with the WHIP muxer; installs it under target/test-tools on first use.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=0.6.0
dir=target/test-tools/ffmpeg
find_it() { find "$dir" -path '*imageio_ffmpeg/binaries/ffmpeg-*' -type f 2>/dev/null | head -n 1; }
[ -n "$(find_it)" ] || python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$dir" "imageio-ffmpeg" >&2
path=$(find_it)
[ -n "$path" ] || { echo "The tests need ffmpeg 8 or newer with WHIP: pip install imageio-ffmpeg" >&2; exit 1; }
chmod +x "$path"
echo "$PWD/$path"
