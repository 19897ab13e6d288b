# SPDX-License-Identifier: Apache-2.0
# What the namespace tests share: three network namespaces in a row (client - router - server), a daemon in the last, and
# TAP. Sourced, after $plan was set to the number of claims. Everything made here goes when the script ends.
#
#   client 10.71.0.2, fd71::2  --  10.71.0.1 router 10.72.0.1  --  server 10.72.0.2, fd72::2

set -u
weft=${WEFT_BUILD:-build/dev}/weft
weftd=${WEFT_BUILD:-build/dev}/weftd
id=weft$$
client=$id-c router=$id-r server=$id-s
folder=""
pids=()
count=0

skip_all() {
    echo "1..$plan"
    for n in $(seq "$plan"); do echo "ok $n # SKIP $1"; done
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root, to make network namespaces"
for tool in ip nft tc; do
    command -v $tool >/dev/null || skip_all "needs $tool"
done
ip netns add "$id-probe" 2>/dev/null || skip_all "network namespaces cannot be made here"
ip netns del "$id-probe"

# Ends what was started, each by its id, and takes everything down.
clean_up() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
    wait 2>/dev/null
    for ns in $client $router $server; do ip netns del "$ns" 2>/dev/null; done
    [ -z "$folder" ] || { umount "$folder/inbox" 2>/dev/null; rm -rf "$folder"; }
}
trap clean_up EXIT

# ok WHETHER CLAIM: WHETHER is an exit status.
ok() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        for log in "$folder"/*.err "$folder"/*.out; do [ ! -s "$log" ] || { echo "# $log:"; tail -n 5 "$log" | sed 's/^/# /'; }; done
    fi
}

in_client() { ip netns exec "$client" "$@"; }
in_router() { ip netns exec "$router" "$@"; }
in_server() { ip netns exec "$server" "$@"; }

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    while ! "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.02
    done
}

make_network() {
    local ns
    for ns in $client $router $server; do
        ip netns add "$ns"
        ip -n "$ns" link set lo up
    done
    ip link add c0 netns "$client" type veth peer name r0 netns "$router"
    ip link add s0 netns "$server" type veth peer name r1 netns "$router"
    in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    add_addresses "$client" c0 10.71.0.2/24 fd71::2/64
    add_addresses "$router" r0 10.71.0.1/24 fd71::1/64
    add_addresses "$router" r1 10.72.0.1/24 fd72::1/64
    add_addresses "$server" s0 10.72.0.2/24 fd72::2/64
    ip -n "$client" route add default via 10.71.0.1
    ip -n "$client" -6 route add default via fd71::1
    ip -n "$server" route add default via 10.72.0.1
    ip -n "$server" -6 route add default via fd72::1
}

add_addresses() { # NAMESPACE DEVICE ADDRESS...
    local ns=$1 device=$2 address
    shift 2
    for address in "$@"; do
        case $address in
        *:*) ip -n "$ns" addr add "$address" dev "$device" nodad ;;
        *) ip -n "$ns" addr add "$address" dev "$device" ;;
        esac
    done
    ip -n "$ns" link set "$device" up
}

# Both directions through the router carry this much at most, so that a file is caught in the middle.
limit_rate() { # RATE
    in_router tc qdisc replace dev r0 root tbf rate "$1" burst 128k latency 30ms
    in_router tc qdisc replace dev r1 root tbf rate "$1" burst 128k latency 30ms
}

new_key() { WEFT_HOME=$folder/$1 "$weft" key new; }

as_client() { in_client env WEFT_HOME="$folder/client" "$@"; }

# start_daemon [ADDRESS]: weftd in the server's namespace; sets $key, $port and $daemon.
start_daemon() {
    local address=${1:-[::]:0}
    printf 'receive = %s/inbox\nallow = any *\nlisten = %s\noffer = %s/offered\n' "$folder" "$address" "$folder" \
        >"$folder/weftd.conf"
    rm -f "$folder/weftd.out"
    WEFT_HOME=$folder/server ip netns exec "$server" "$weftd" --config "$folder/weftd.conf" --quiet \
        >"$folder/weftd.out" 2>"$folder/weftd.err" &
    daemon=$!
    pids+=("$daemon")
    wait_for 10 grep -q '^listening as' "$folder/weftd.out" || return 1
    local peer
    peer=$(sed -n 's/^listening as //p' "$folder/weftd.out")
    key=${peer%%@*}
    port=${peer##*:}
}

# start_send FILE PEER: in the background; sets $sender.
start_send() {
    WEFT_HOME=$folder/client ip netns exec "$client" "$weft" send --json "$1" "$2" >"$folder/send.out" 2>"$folder/send.err" &
    sender=$!
    pids+=("$sender")
}

# True when a part of more than that many bytes is in the inbox.
part_grew() { # BYTES
    local part
    for part in "$folder"/inbox/.weft-*; do
        [ -f "$part" ] && [ "$(stat -c %s "$part")" -gt "$1" ] && return 0
    done
    return 1
}

make_file() { # NAME MEBIBYTES
    head -c "$(($2 << 20))" /dev/urandom >"$folder/$1"
}

daemon_lives() { kill -0 "$daemon" 2>/dev/null && as_client "$weft" ping -n 1 "$1" >"$folder/ping.out" 2>"$folder/ping.err"; }

begin() {
    echo "1..$plan"
    folder=$(mktemp -d)
    chmod 755 "$folder"
    make_network
    new_key client >/dev/null && new_key server >/dev/null
    make_file offered 8
    start_daemon || { echo "Bail out! the daemon does not start"; cat "$folder/weftd.err"; exit 1; }
}
