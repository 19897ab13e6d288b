#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `make run` shows: two real processes with fresh keys exchange a real file over UDP on loopback, and what it took.
#
# Usage: [FILE=path] [SIZE_MIB=256] tools/run-demo.sh [folder of the built programs]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-build/release}
weft=$bin/weft
weftd=$bin/weftd
size_mib=${SIZE_MIB:-256}
dir=$(mktemp -d "${TMPDIR:-/tmp}/weft-run.XXXXXX")
daemon=

cleanup() {
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

die() {
    echo "make run: $*" >&2
    if [ -s "$dir/daemon.log" ]; then
        sed 's/^/  weftd: /' "$dir/daemon.log" >&2
    fi
    exit 1
}

# One number or text out of one line of JSON: field FILE NAME
field() {
    sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1" | tail -n 1
}

# Numbers with a decimal point, without other programs: ms 12345 (microseconds) -> 12.3
ms() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }
mib() { printf '%d.%d' $(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576)); }

if [ -n "${FILE:-}" ]; then
    [ -f "$FILE" ] || die "there is no file $FILE."
    file=$(readlink -f "$FILE")
else
    need=$((size_mib * 2 + 64))
    free=$(df -Pm "$dir" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$need" ] || die "$dir needs $need MiB of room and has $free. Set SIZE_MIB or TMPDIR."
    file=$dir/random-${size_mib}-mib.bin
    echo "Making a file of $size_mib MiB of random bytes."
    head -c "$((size_mib * 1048576))" /dev/urandom >"$file"
fi

server_key=$("$weft" key new --key "$dir/server.key")
"$weft" key new --key "$dir/client.key" >"$dir/client.public"
client_key=$("$weft" key show --key "$dir/client.key" --for "$server_key")
cat >"$dir/weftd.conf" <<CONF
key = $dir/server.key
listen = 127.0.0.1:0
receive = $dir/inbox
rules = $dir/rules
allow = $client_key *
stats-json = $dir/server.json
CONF
"$weftd" --config "$dir/weftd.conf" >"$dir/daemon.out" 2>"$dir/daemon.log" &
daemon=$!
for _ in $(seq 100); do
    grep -qs '^listening as ' "$dir/daemon.out" && break
    kill -0 "$daemon" 2>/dev/null || die "the daemon ended."
    sleep 0.05
done
peer=$(sed -n 's/^listening as //p' "$dir/daemon.out")
[ -n "$peer" ] || die "the daemon did not say where it listens."

echo
echo "Two programs, two fresh keys, nothing else: no certificate, no name server."
echo "  weftd  ${server_key:0:20}…  listens at ${peer#*@} (UDP)"
echo "  weft   ${client_key:0:20}…  may use it, as the daemon's configuration says: the key it shows there and nowhere else"
echo
echo "\$ weft send $(basename "$file") ${peer:0:20}…@${peer#*@}"
"$weft" send --json --key "$dir/client.key" --stats-json "$dir/client.json" "$file" "$peer" >"$dir/result.json" ||
    die "the file did not get through: $(cat "$dir/result.json")"

name=$(field "$dir/result.json" name)
sent=$(sha256sum "$file" | cut -d ' ' -f 1)
got=$(sha256sum "$dir/inbox/$name" | cut -d ' ' -f 1)
[ "$sent" = "$got" ] || die "the digests differ: $sent sent, $got received."
[ "$sent" = "$(field "$dir/result.json" sha256)" ] || die "the command tells another digest."
"$weft" ping --json -q -n 20 -i 10 --key "$dir/client.key" "$peer" >"$dir/ping.json" || die "the ping failed."
rtt=$(sed -n 's/.*"rtt_us":\([0-9]*\).*/\1/p' "$dir/ping.json" | sort -n | sed -n 10p)
kill "$daemon"
wait "$daemon" || die "the daemon did not end cleanly."
daemon=

size=$(field "$dir/result.json" size)
took=$(field "$dir/result.json" took_us)
packets=$(field "$dir/result.json" first_packets)
rate=$((size * 10 / (took + 1))) # tenths of MB/s
arrived="$(mib "$size") MiB"
[ "$size" -ge 1048576 ] || arrived="$size bytes"
echo "  arrived whole: $arrived, sha256 ${got:0:16}… on both sides"
echo
echo "What it took"
echo "  until the first reply   $packets packets, $((packets / 2)) round trips, $(ms "$(field "$dir/result.json" first_reply_us)") ms (handshake, both keys proved, question and answer)"
echo "  handshake               $(ms "$(field "$dir/result.json" handshake_us)") ms"
echo "  throughput              $((rate / 10)).$((rate % 10)) MB/s from disk to disk, both digests included ($(ms "$took") ms)"
echo "  sent again              $(field "$dir/result.json" resent) frames"
echo "  round trip later        $rtt us (median of 20 pings)"
echo "  memory                  weft $(mib "$(field "$dir/client.json" rss)") MiB, weftd $(mib "$(field "$dir/server.json" rss)") MiB resident; $(field "$dir/server.json" curve_operations) curve operations in weftd"
echo
echo "Go on"
echo "  $weft key new                                   your own key, in ~/.config/weft/key"
echo "  $weft listen --dir inbox --allow any            here; it prints what to type there:"
echo "  $weft send FILE weft1…@host:port                there"
echo "  $weft --help, README.md, docs/ARCHITECTURE.md   more"
