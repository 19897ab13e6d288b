#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Senders forged by a raw socket: HELLOs from everywhere, packets of somebody's session, one server's words in another's name.
plan=5
. "$(dirname "$0")/lib.bash"
attack=${WEFT_BUILD:-build/dev}/bench/weft-attack
packets=20000
begin

# count NAME FILE: a counter, one of admission too.
count_of() { python3 -c 'import json, sys; c = json.load(open(sys.argv[2])); print({**c["admission"], **c}[sys.argv[1]])' "$1" "$2"; }

# start_counted NAME: a daemon that writes NAME.json; sets $at, its address.
start_counted() {
    printf 'receive = %s/inbox-%s\nallow = any *\nlisten = 10.72.0.2:0\n' "$folder" "$1" >"$folder/$1.conf"
    WEFT_HOME=$folder/server ip netns exec "$server" "$weftd" --config "$folder/$1.conf" --quiet --stats-json "$folder/$1.json" \
        >"$folder/$1.out" 2>"$folder/$1.err" &
    counted=$!
    pids+=("$counted")
    wait_for 10 grep -q '^listening as' "$folder/$1.out" && wait_for 10 has_keys "$folder/$1.json" || return 1
    at=$(sed -n 's/^listening as .*@//p' "$folder/$1.out")
}
has_keys() { [ -f "$1" ] && [ "$(count_of pool_keys "$1")" -eq 64 ]; }
reached() { [ "$(count_of "$1" "$2")" -ge "$3" ]; }
same() { local name; for name in allocations curve_operations sessions_total table_entries; do [ "$(count_of $name "$1")" -eq "$(count_of $name "$2")" ] || return 1; done; }

start_counted a && a=$at && start_counted b && b=$at
cp "$folder/a.json" "$folder/a.before"
ip -n "$router" route add 10.128.0.0/12 via 10.71.0.2 # answers to nobody end at the client, who forwards nothing

in_client "$attack" spoofed --namespace --target "$a" --count $packets --rate 20000 >"$folder/spoofed.out" 2>"$folder/spoofed.err" &&
    wait_for 10 reached hello "$folder/a.json" $((packets * 9 / 10)) && same "$folder/a.before" "$folder/a.json"
ok $? "HELLOs from twenty thousand senders leave nothing behind"

[ "$(count_of bytes_out "$folder/a.json")" -gt 0 ] && [ "$(count_of bytes_out "$folder/a.json")" -le "$(count_of bytes_in "$folder/a.json")" ]
ok $? "and get no more bytes than they sent"

# What one says about a HELLO in the other's name reaches the other, who says nothing.
in_server "$attack" spoofed --namespace --target "$a" --from "$b" --count 200 >"$folder/named.out" 2>"$folder/named.err" &&
    in_server "$attack" garbage --namespace --target "$a" --from "$b" --count 2000 --rate 5000 >"$folder/junk.out" 2>"$folder/junk.err" &&
    wait_for 10 reached datagrams_in "$folder/b.json" 200 && sleep 1.2 &&
    [ "$(count_of datagrams_out "$folder/b.json")" -eq 0 ] && [ "$(count_of datagrams_in "$folder/b.json")" -le 1000 ]
ok $? "two servers do not answer each other's answers"

limit_rate 60mbit
make_file c 24
start_send "$folder/c" "$key@10.72.0.2:$port"
wait_for 20 part_grew 1000000 &&
    in_router "$attack" forged --namespace --target "10.72.0.2:$port" --count $packets --rate 20000 >"$folder/forged.out" 2>"$folder/forged.err" &&
    grep -q "\"sent\":$packets," "$folder/forged.out" && wait "$sender" && cmp "$folder/c" "$folder/inbox/c" && grep -q '"resumed_at":0' "$folder/send.out"
ok $? "a file arrives whole while packets of its session are forged"

daemon_lives "$key@10.72.0.2:$port" && kill -0 "$counted"
ok $? "the daemons go on"
