#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client behind a NAT, whose outer address changes in the middle, and a client that moves.
plan=5
. "$(dirname "$0")/lib.bash"
begin
make_file a 4
peer=$key@10.72.0.2:$port

in_router nft add table ip weft
in_router nft 'add chain ip weft out { type nat hook postrouting priority srcnat; }'
in_router nft 'add rule ip weft out oifname r1 masquerade fully-random'
ip -n "$server" route del default # it knows the router alone, as a server knows nothing behind a NAT
as_client "$weft" send "$folder/a" "$peer" >"$folder/send.out" 2>"$folder/send.err" && cmp "$folder/a" "$folder/inbox/a"
ok $? "a file arrives from behind a NAT"

limit_rate 60mbit
make_file b 24
start_send "$folder/b" "$peer"
# Taking the address away makes the router forget its mappings.
wait_for 20 part_grew 4000000 &&
    ip -n "$router" addr del 10.72.0.1/24 dev r1 && ip -n "$router" addr add 10.72.0.77/24 dev r1 &&
    wait "$sender" && cmp "$folder/b" "$folder/inbox/b" && grep -q '"resumed_at":0' "$folder/send.out"
ok $? "a file goes on when the NAT's address changes in the middle"

mkdir "$folder/here"
WEFT_HOME=$folder/client ip netns exec "$client" "$weft" get "$peer" offered --dir "$folder/here" >"$folder/get.out" 2>"$folder/get.err" &
getter=$!
pids+=("$getter")
here_grew() { local p; for p in "$folder"/here/.weft-*; do [ -f "$p" ] && [ "$(stat -c %s "$p")" -gt 2000000 ] && return 0; done; return 1; }
wait_for 20 here_grew &&
    ip -n "$router" addr del 10.72.0.77/24 dev r1 && ip -n "$router" addr add 10.72.0.1/24 dev r1 &&
    wait "$getter" && cmp "$folder/offered" "$folder/here/offered"
ok $? "a file that is fetched goes on when the NAT's address changes in the middle"

make_file d 24
start_send "$folder/d" "$peer"
wait_for 20 part_grew 4000000 &&
    ip -n "$client" addr del 10.71.0.2/24 dev c0 && ip -n "$client" addr add 10.71.0.3/24 dev c0 &&
    ip -n "$client" route replace default via 10.71.0.1 &&
    wait "$sender" && cmp "$folder/d" "$folder/inbox/d" && grep -q '"resumed_at":0' "$folder/send.out"
ok $? "a file goes on when the client's own address changes in the middle"

daemon_lives "$peer"
ok $? "the daemon goes on"
