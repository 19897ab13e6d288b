#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A router that loses packets, stops passing them for a while, or drops those of a size.
plan=4
. "$(dirname "$0")/lib.bash"
begin
make_file a 8
peer=$key@10.72.0.2:$port

in_router nft add table inet weft
in_router nft 'add chain inet weft forward { type filter hook forward priority 0; }'
in_router nft 'add rule inet weft forward meta l4proto udp numgen random mod 100 < 5 drop'
as_client "$weft" send "$folder/a" "$peer" >"$folder/send.out" 2>"$folder/send.err" && cmp "$folder/a" "$folder/inbox/a"
ok $? "with 5 percent of the packets lost both ways a file arrives whole"

mkdir "$folder/here"
as_client "$weft" get "$peer" offered --dir "$folder/here" >"$folder/get.out" 2>"$folder/get.err" &&
    cmp "$folder/offered" "$folder/here/offered"
ok $? "with 5 percent of the packets lost both ways a file is fetched whole"
in_router nft flush chain inet weft forward

limit_rate 60mbit
make_file b 24
start_send "$folder/b" "$peer"
wait_for 20 part_grew 4000000 &&
    in_router nft 'add rule inet weft forward meta l4proto udp drop' && sleep 2 &&
    kill -0 "$sender" && [ ! -e "$folder/inbox/b" ] &&
    in_router nft flush chain inet weft forward &&
    wait "$sender" && cmp "$folder/b" "$folder/inbox/b" && grep -q '"resumed_at":0' "$folder/send.out"
ok $? "a file goes on by itself when the network was gone for two seconds"

daemon_lives "$peer"
ok $? "the daemon goes on"
