# SPDX-License-Identifier: Apache-2.0
# Completion of weft, weftd and weft-netem in fish.

set -l commands key allow pin statement group listen send get ping echo cat

complete -c weft -f
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a key -d "make a key, or show it"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a allow -d "let somebody use a service"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a pin -d "know servers by name"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a statement -d "say, as an owner, which key a server has"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a group -d "make a group, or invite to it"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a listen -d "receive and offer files"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a send -d "send files"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a get -d "fetch an offered file"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a ping -d "measure round trips"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a echo -d "send a text and print the answer"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -a cat -d "join input and output of two programs"
complete -c weft -n "not __fish_seen_subcommand_from $commands" -l version -d version
complete -c weft -l work-time -x -d "most work done for a server, in seconds"
complete -c weft -l invitation -r -F -d "call inside a group"
complete -c weft -l first-data -d "messages may ride in the handshake"
complete -c weft -l as-self -d "show the own key, the same everywhere"

complete -c weft -n "__fish_seen_subcommand_from key" -a "new show"
complete -c weft -n "__fish_seen_subcommand_from key" -s p -l passphrase -d "seal the file"
complete -c weft -n "__fish_seen_subcommand_from key" -s f -l for -x -d "the key that this server sees"
complete -c weft -n "__fish_seen_subcommand_from allow" -a "any file file.offer file.put file.list file.get echo cat"
complete -c weft -n "__fish_seen_subcommand_from pin" -a "add list remove"
complete -c weft -n "__fish_seen_subcommand_from pin" -s o -l owner -x -d "who answers for the name"
complete -c weft -n "__fish_seen_subcommand_from pin statement" -s s -l server -x -d "key of the server"
complete -c weft -n "__fish_seen_subcommand_from statement" -a "make show"
complete -c weft -n "__fish_seen_subcommand_from statement" -s o -l owner -r -F -d "the owner's key file"
complete -c weft -n "__fish_seen_subcommand_from statement" -s n -l name -x -d "name of the server"
complete -c weft -n "__fish_seen_subcommand_from statement" -s v -l version -x -d "higher than before"
complete -c weft -n "__fish_seen_subcommand_from statement" -s d -l days -x -d "how long it counts"
complete -c weft -n "__fish_seen_subcommand_from listen" -s s -l statement -r -F -d "what the owner says about our key"
complete -c weft -n "__fish_seen_subcommand_from group" -a "new invite" -F
complete -c weft -n "__fish_seen_subcommand_from listen" -s g -l group -r -F -d "answer its members"
complete -c weft -n "__fish_seen_subcommand_from listen" -l only-groups -d "answer nobody else"
complete -c weft -n "__fish_seen_subcommand_from listen" -s d -l dir -r -a "(__fish_complete_directories)" -d "folder for what comes in"
complete -c weft -n "__fish_seen_subcommand_from listen" -s o -l offer -r -F -d "file to offer"
complete -c weft -n "__fish_seen_subcommand_from listen" -s a -l allow -x -a any -d "may use everything"
complete -c weft -n "__fish_seen_subcommand_from listen" -l work-effort -x -d "work asked of strangers"
complete -c weft -n "__fish_seen_subcommand_from listen" -l work-algorithm -x -a "1 2" -d "what a try is"
complete -c weft -n "__fish_seen_subcommand_from send" -F
complete -c weft -n "__fish_seen_subcommand_from send" -s p -l priority -x -a "normal urgent background" -d "beside others"
complete -c weft -n "__fish_seen_subcommand_from get" -s d -l dir -r -a "(__fish_complete_directories)" -d "where to put it"
complete -c weft -n "__fish_seen_subcommand_from ping echo" -s n -l count -x -d "how many"
complete -c weft -n "__fish_seen_subcommand_from ping echo" -s i -l interval -x -d "milliseconds between"
complete -c weft -n "__fish_seen_subcommand_from ping echo" -s w -l within -x -d "milliseconds to wait"
complete -c weft -n "__fish_seen_subcommand_from cat" -s a -l allow -x -a any -d "may connect"

for program in weft weftd
    complete -c $program -s k -l key -r -F -d "key file"
    complete -c $program -l passphrase-file -r -F -d "passphrase of the key"
    complete -c $program -s l -l listen -x -d "local address:port"
    complete -c $program -l rules -r -F -d "rules of weft allow"
    complete -c $program -l stats-json -r -F -d counters
    complete -c $program -l keylog -r -F -d "session secrets"
    complete -c $program -l congestion -x -a "cubic bbr" -d "who says how fast to send"
    complete -c $program -s j -l json -d "one JSON object a result"
    complete -c $program -s q -l quiet -d "no progress, no remarks"
    complete -c $program -s h -l help -d help
end

complete -c weftd -f
complete -c weftd -s c -l config -r -F -d configuration
complete -c weftd -s g -l group -r -F -d "answer its members"
complete -c weftd -l only-groups -d "answer nobody else"
complete -c weftd -l check-config -d "say whether it is good"
complete -c weftd -l version -d version

complete -c weft-netem -f
complete -c weft-netem -n "not __fish_seen_subcommand_from tun udp" -a tun -d "join two network namespaces"
complete -c weft-netem -n "not __fish_seen_subcommand_from tun udp" -a udp -d "relay datagrams to a server"
for side in "" up- down-
    for name in delay jitter reorder-by
        complete -c weft-netem -l $side$name -x -d "a time, as 20ms"
    end
    for name in loss reorder duplicate corrupt
        complete -c weft-netem -l $side$name -x -d "a share, as 2.5%"
    end
    for name in keep-order ecn-bleach mtu-silent cut
        complete -c weft-netem -l $side$name -x -a "yes no"
    end
    complete -c weft-netem -l {$side}burst -x -d "into, out of, lost inside: 1%,20%,90%"
    complete -c weft-netem -l {$side}rate -x -d "as 10mbit"
    complete -c weft-netem -l {$side}queue -x -d "bytes, or a time at the rate"
    complete -c weft-netem -l {$side}ecn-mark -x -d "bytes, or a time at the rate"
    complete -c weft-netem -l {$side}mtu -x -d "bytes of an IP packet"
    complete -c weft-netem -l {$side}blackout -x -d "as 5s+2s/20s"
    complete -c weft-netem -l {$side}drop -x -d "numbers of packets, as 2-7"
    complete -c weft-netem -l {$side}fault-packets -x -d "faults hit the first so many"
end
complete -c weft-netem -l a -x -d "namespace:device:address/prefix"
complete -c weft-netem -l b -x -d "namespace:device:address/prefix"
complete -c weft-netem -l listen -x -d "address:port for clients"
complete -c weft-netem -l to -x -d "address:port of the server"
complete -c weft-netem -l at -x -d "what follows holds from then on"
complete -c weft-netem -l scenario -r -F -d "options, one a line"
complete -c weft-netem -l rebind -x -d "another port so often"
complete -c weft-netem -l rebind-address -x -d "and the next of these addresses"
complete -c weft-netem -l device-mtu -x -d "of the TUN devices"
complete -c weft-netem -l seed -x -d "decides whatever chance decides"
complete -c weft-netem -l for -x -d "ends by itself"
complete -c weft-netem -l json -r -F -d "what it did"
complete -c weft-netem -l every -x -d "and so often"
complete -c weft-netem -l held-max -x -d "bytes for packets under way"
complete -c weft-netem -s h -l help -d help
complete -c weft-netem -l version -d version
