#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Paths that carry less than their ends believe, with and without a word about it.
plan=5
. "$(dirname "$0")/lib.bash"
begin
peer=$key@10.72.0.2:$port

try() { # NAME
    make_file "$1" 4
    as_client timeout 60 "$weft" send "$folder/$1" "$peer" >"$folder/send.out" 2>"$folder/send.err" && cmp "$folder/$1" "$folder/inbox/$1"
}

set_mtu() { # MTU
    ip -n "$router" link set r1 mtu "$1"
    ip -n "$server" link set s0 mtu "$1"
}

try plain
ok $? "a file arrives where every link carries 1500 bytes"

set_mtu 1300
try narrow
ok $? "a file arrives where a link in the middle carries 1300 bytes"

in_router nft add table inet weft
in_router nft 'add chain inet weft out { type filter hook output priority 0; }'
in_router nft 'add rule inet weft out meta l4proto { icmp, icmpv6 } drop'
try hole
ok $? "a file arrives where the router says nothing of what it drops"

set_mtu 1500
limit_rate 60mbit
make_file shrinks 24
start_send "$folder/shrinks" "$peer"
wait_for 20 part_grew 4000000 && set_mtu 1300 && wait "$sender" && cmp "$folder/shrinks" "$folder/inbox/shrinks"
ok $? "a file goes on where the path becomes narrower in the middle and nobody says so"

daemon_lives "$peer"
ok $? "the daemon goes on"
