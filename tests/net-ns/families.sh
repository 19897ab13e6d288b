#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files through a router, over IPv4 and IPv6, and addresses that lead nowhere.
plan=6
. "$(dirname "$0")/lib.bash"
begin
make_file a 8

as_client "$weft" send "$folder/a" "$key@10.72.0.2:$port" >"$folder/4.out" 2>"$folder/4.err" && cmp "$folder/a" "$folder/inbox/a"
ok $? "a file arrives through a router over IPv4"

as_client "$weft" send "$folder/a" "$key@[fd72::2]:$port" >"$folder/6.out" 2>"$folder/6.err" && cmp "$folder/a" "$folder/inbox/a.1"
ok $? "a file arrives through a router over IPv6"

mkdir "$folder/here"
as_client "$weft" get "$key@[fd72::2]:$port" offered --dir "$folder/here" >"$folder/get.out" 2>"$folder/get.err" &&
    cmp "$folder/offered" "$folder/here/offered"
ok $? "a file is fetched through a router over IPv6"

# No route, a host that is not there, a port that nobody has: a sentence within the time given.
tells() { # ADDRESS
    local began=$SECONDS
    as_client "$weft" ping -n 1 -w 2000 "$key@$1" >"$folder/tell.out" 2>"$folder/tell.err" && return 1
    [ "$(wc -l <"$folder/tell.err")" -eq 1 ] && grep -q '^weft: ping 1: .*\.$' "$folder/tell.err" && [ $((SECONDS - began)) -le 4 ]
}
ip -n "$client" route del default
tells 192.0.2.1:4870
ok $? "an address without a route is told in a sentence"
ip -n "$client" route add default via 10.71.0.1

tells 10.72.0.99:4870
ok $? "a host that is not there is told in a sentence"

tells 10.72.0.2:9
ok $? "a port that nobody has is told in a sentence"
