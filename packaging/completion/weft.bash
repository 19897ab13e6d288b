# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of weft, weftd and weft-netem in bash. Needs nothing but bash.

_weft_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_weft_words() { # _weft_words CURRENT WORD...
    local current=$1
    shift
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current")
}

# Values of options; false when the previous word takes none.
_weft_value() {
    case $2 in
    -k | --key | --passphrase-file | --rules | --stats-json | --keylog | -o | --offer | -g | --group | --invitation | -c | --config)
        _weft_files "$1"
        ;;
    -d | --dir)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$1")
        ;;
    -a | --allow) _weft_words "$1" any ;;
    -f | --for | -l | --listen | -n | --count | -i | --interval | -w | --within | --work-time | --work-effort) COMPREPLY=() ;;
    --work-algorithm) _weft_words "$1" 1 2 ;;
    --congestion) _weft_words "$1" cubic bbr ;;
    --priority) _weft_words "$1" normal urgent background ;;
    *) return 1 ;;
    esac
}

_weft() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local everywhere="--key --passphrase-file --listen --rules --stats-json --keylog --invitation --first-data --as-self --work-time --congestion --json --quiet --help"
    local own=""

    if [ "$COMP_CWORD" -eq 1 ]; then
        _weft_words "$current" key allow pin statement group listen send get ping echo cat --help --version
        return
    fi
    case $command in
    key) own="--passphrase --for" ;;
    pin) own="--owner --server" ;;
    statement) own="--owner --name --version --server --days" ;;
    listen) own="--dir --offer --allow --statement --group --only-groups --work-effort --work-algorithm" ;;
    send) own="--priority" ;;
    get) own="--dir" ;;
    ping | echo) own="--count --interval --within" ;;
    cat) own="--allow" ;;
    esac
    # -a, -d, -i, -n, -o and -w mean something only where the command has them.
    if [[ $previous == -* ]] && _weft_value "$current" "$previous"; then
        return
    fi
    if [[ $current == -* ]]; then
        _weft_words "$current" "$own" "$everywhere"
        return
    fi
    case $command in
    key) _weft_words "$current" new show ;;
    pin) _weft_words "$current" add list remove ;;
    statement) _weft_words "$current" make show ;;
    group)
        if [ "$COMP_CWORD" -eq 2 ]; then
            _weft_words "$current" new invite
        else
            _weft_files "$current"
        fi
        ;;
    allow)
        if [ "$COMP_CWORD" -eq 2 ]; then
            _weft_words "$current" any
        else
            _weft_words "$current" file file.offer file.put file.list file.get echo cat
        fi
        ;;
    send) _weft_files "$current" ;;
    esac
}

_weftd() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

    if [[ $previous == -* ]] && _weft_value "$current" "$previous"; then
        return
    fi
    _weft_words "$current" --config --check-config --group --only-groups --key --passphrase-file --listen --rules --stats-json --keylog \
        --congestion --json --quiet --help --version
}

_weft_netem() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} name
    local link="delay jitter keep-order loss burst reorder reorder-by duplicate corrupt rate queue ecn-mark ecn-bleach mtu mtu-silent cut
        blackout drop fault-packets"
    local words="--a --b --listen --to --at --scenario --rebind --rebind-address --device-mtu --seed --for --json --every --held-max --help
        --version"

    if [ "$COMP_CWORD" -eq 1 ]; then
        _weft_words "$current" tun udp --help --version
        return
    fi
    case $previous in
    --scenario | --json) _weft_files "$current" ;;
    *keep-order | *ecn-bleach | *mtu-silent | *cut) _weft_words "$current" yes no ;;
    --*) COMPREPLY=() ;;
    *)
        for name in $link; do words+=" --$name --up-$name --down-$name"; done
        _weft_words "$current" "$words"
        ;;
    esac
}

complete -F _weft weft
complete -F _weftd weftd
complete -F _weft_netem weft-netem
