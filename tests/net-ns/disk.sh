#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A folder on a small disk of its own that fills up.
plan=6
. "$(dirname "$0")/lib.bash"
begin
peer=$key@10.72.0.2:$port
kill "$daemon"
wait "$daemon"
mount -t tmpfs -o size=4m tmpfs "$folder/inbox" 2>/dev/null || { rm -rf "$folder/inbox"; mkdir "$folder/inbox"; mount -t tmpfs -o size=4m tmpfs "$folder/inbox"; }
start_daemon "10.72.0.2:$port"
make_file big 12
make_file small 1

as_client "$weft" send "$folder/big" "$peer" >"$folder/send.out" 2>"$folder/send.err"
[ $? -eq 1 ] && [ "$(wc -l <"$folder/send.err")" -eq 1 ] && grep -q 'big: not sent: the disk is full\. Make room' "$folder/send.err"
ok $? "the sender learns in a sentence that the disk is full there"

[ ! -e "$folder/inbox/big" ]
ok $? "what arrived does not bear the name of the whole"

daemon_lives "$peer"
ok $? "the daemon goes on"

mount -o remount,size=32m "$folder/inbox"
as_client "$weft" send "$folder/small" "$peer" >"$folder/small.out" 2>"$folder/small.err" && cmp "$folder/small" "$folder/inbox/small"
ok $? "another file arrives when there is room"

as_client "$weft" send --json "$folder/big" "$peer" >"$folder/again.out" 2>"$folder/again.err" && cmp "$folder/big" "$folder/inbox/big" &&
    ! grep -q '"resumed_at":0,' "$folder/again.out"
ok $? "the large one goes on where it broke off"

mount -o remount,ro "$folder/inbox" && mount -o remount,bind,ro "$folder/inbox" 2>/dev/null
as_client "$weft" send "$folder/small" "$peer" >"$folder/ro.out" 2>"$folder/ro.err"
[ $? -eq 1 ] && [ "$(wc -l <"$folder/ro.err")" -eq 1 ] && grep -q 'small: not sent: ' "$folder/ro.err" && daemon_lives "$peer"
ok $? "a folder that became read-only is told in a sentence"
