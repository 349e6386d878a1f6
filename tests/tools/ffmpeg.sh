#!/usr/bin/env bash
# Prints the path of an ffmpeg with the WHIP muxer; installs it under target/test-tools on first use.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The package's release that contains ffmpeg 9.0.2.
version=0.8.1
dir=target/test-tools/ffmpeg-$version
find_it() { find "$dir" -path '*imageio_ffmpeg/binaries/ffmpeg-*' -type f 2>/dev/null | head -n 1; }
if [ -z "$(find_it)" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
    --target "$dir" "imageio-ffmpeg==$version" >&2
fi
path=$(find_it)
[ -n "$path" ] || { echo "The tests need ffmpeg 9 with WHIP: pip install imageio-ffmpeg==$version" >&2; exit 1; }
chmod +x "$path"
echo "$PWD/$path"
