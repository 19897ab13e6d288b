#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# weft-netem between two namespaces by TUN devices: what the kernel and weft send passes, and meets what was asked for.
plan=10
. "$(dirname "$0")/lib.bash"
netem=${WEFT_BUILD:-build/dev}/weft-netem
begin

# start_netem OPTION...: the devices we0 and we1, 10.73.0.1 at the client and 10.73.0.2 at the server; sets $emulator.
start_netem() {
    rm -f "$folder/netem.out"
    "$netem" tun --a "$client:we0:10.73.0.1/24,fd73::1/64" --b "$server:we1:10.73.0.2/24,fd73::2/64" --json "$folder/netem.json" "$@" \
        >"$folder/netem.out" 2>"$folder/netem.err" &
    emulator=$!
    pids+=("$emulator")
    wait_for 10 grep -qs '^ready' "$folder/netem.out"
}

end_netem() { kill "$emulator" && wait "$emulator"; }

# told EXPRESSION: of the last report r.
told() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$folder/netem.json" "$1"; }

# What kernel TCP carries from the client to the server is what arrives; sets the port aside for itself.
tcp_passes() { # HOST MEBIBYTES
    rm -f "$folder/tcp.port"
    in_server timeout 60 python3 - "$1" "$folder/tcp.port" >"$folder/tcp.sum" 2>"$folder/tcp.err" <<'PY' &
import hashlib, os, socket, sys
s = socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
with open(sys.argv[2] + ".new", "w") as f:
    f.write(str(s.getsockname()[1]))
os.rename(sys.argv[2] + ".new", sys.argv[2])
c, _ = s.accept()
h = hashlib.sha256()
while data := c.recv(1 << 16):
    h.update(data)
print(h.hexdigest())
PY
    local receiver=$!
    pids+=("$receiver")
    wait_for 10 test -s "$folder/tcp.port" || return 1
    in_client timeout 60 python3 - "$1" "$(cat "$folder/tcp.port")" "$2" >"$folder/tcp.sent" 2>"$folder/tcp.err" <<'PY' || return 1
import hashlib, random, socket, sys
data = random.Random(1).randbytes(int(sys.argv[3]) << 20)
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(data)
s.close()
print(hashlib.sha256(data).hexdigest())
PY
    wait "$receiver" && cmp "$folder/tcp.sum" "$folder/tcp.sent"
}

sends() { # NAME MEBIBYTES PEER
    make_file "$1" "$2"
    as_client timeout 60 "$weft" send "$folder/$1" "$3" >"$folder/send.out" 2>"$folder/send.err" && cmp "$folder/$1" "$folder/inbox/$1"
}

start_netem --delay 5ms && tcp_passes 10.73.0.2 8 && tcp_passes fd73::2 8 && end_netem && told 'r["up"]["packets_out"] > 5000'
ok $? "kernel TCP passes, over IPv4 and IPv6"

start_netem --delay 2ms --loss 1% --reorder 2% --duplicate 1% && tcp_passes 10.73.0.2 4 && end_netem &&
    told 'r["up"]["fates"]["lost"] > 5 and r["up"]["duplicated"] > 5'
ok $? "kernel TCP gets through loss, reordering and copies"

start_netem --delay 2ms --corrupt 1% && tcp_passes 10.73.0.2 4 && end_netem && told 'r["up"]["corrupted"] > 5'
ok $? "flipped bits of TCP are left to its checksum: what arrives is right"

start_netem --delay 2ms --mtu 1300 && tcp_passes 10.73.0.2 2 && tcp_passes fd73::2 2 && end_netem &&
    told 'r["up"]["fates"]["too_big"] > 0 and r["up"]["too_big_told"] > 0'
ok $? "TCP learns from ICMP what a narrow link carries"

in_client sysctl -qw net.ipv4.tcp_ecn=1 && in_server sysctl -qw net.ipv4.tcp_ecn=1
start_netem --delay 2ms --rate 40mbit --queue 100ms --ecn-mark 5ms && tcp_passes 10.73.0.2 4 && end_netem &&
    told 'r["up"]["marked"] > 0 and r["up"]["fates"]["queue_full"] == 0'
ok $? "a queue that marks tells TCP in time that it grows"

start_netem --delay 5ms --loss 2% --corrupt 2% && sends four 3 "$key@10.73.0.2:$port" && sends six 3 "$key@[fd73::2]:$port" && end_netem &&
    told 'r["up"]["fates"]["lost"] > 20 and r["up"]["corrupted"] > 20'
ok $? "weft's files arrive whole through loss and damage, over IPv4 and IPv6"

start_netem --delay 5ms --mtu 1300 --mtu-silent yes && sends hole 2 "$key@10.73.0.2:$port" && end_netem &&
    told 'r["up"]["too_big_told"] == 0'
ok $? "weft's files arrive through a silent black hole"

start_netem --delay 10ms --rate 16mbit --blackout 1s+1s/3s && sends dark 6 "$key@10.73.0.2:$port" && end_netem &&
    told 'r["up"]["fates"]["cut"] > 0'
ok $? "weft's files go on after blackouts"

start_netem && end_netem && start_netem && end_netem && ! ip -n "$client" link show we0 >/dev/null 2>&1
ok $? "the devices go with the emulator, and can be made again"

"$netem" tun --a "$client:lo:10.73.0.1/24" --b "$server:we1:10.73.0.2/24" >"$folder/netem.out" 2>"$folder/netem.err"
[ $? -eq 1 ] && [ "$(wc -l <"$folder/netem.err")" -eq 1 ] && grep -q '^weft-netem: .*\.$' "$folder/netem.err"
ok $? "a device that cannot be made is told in one sentence"
