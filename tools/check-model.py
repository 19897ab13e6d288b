#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the models in docs/model and the code together, and reads the ProVerif text as far as that goes without ProVerif.

States   A line "LEGAL hs WF_HS_HELLO -> WF_HS_NEED_DATA WF_HS_FAILED" in a model says the same as the table `legal` of
         src/session/hs.c.
Steps    A comment "MODEL ee box0" in a model names steps; the code that does one carries the same word in a comment, at
         the client's end (hs*.c) and the server's (adm*.c), or in schedule.c for both.
Text     With each set of flags that README.md names, every name of a .pvm is declared and every function has its number of
         arguments.

Usage: check-model.py ROOT
"""

import re
import subprocess
import sys
from pathlib import Path

_LEGAL = re.compile(r"\bLEGAL (\w+) (\w+) -> ([\w ]+?) *(?:\*/)?$", re.M)
_TABLE = re.compile(r"static const \w+ legal\[\w+\] = \{(.*?)\};", re.S)
_ROW = re.compile(r"\[(\w+)\] = ([^,]*),")
_STEPS = re.compile(r"\bMODEL ([a-z0-9 ]+?) *\*(?:/|\))")
_FLAG = re.compile(r"^[A-Z][A-Z0-9_]*$")
KEYWORDS = set("""among channel choice const data diff do else equation event expand forall foreach free fun get if in inj-event
    insert let letfun new nounif not or otherwise out param phase private process proba pred query reduc secret set sync table
    then type typeConverter weaksecret yield bitstring bool nat true false attacker mess preciseActions""".split())


def legal_in_model(text):
    """{(file, state): {next states}}"""
    return {(file, state): set(following.split()) for file, state, following in _LEGAL.findall(text)}


def legal_in_code(text):
    table = _TABLE.search(text)
    rows = _ROW.findall(table.group(1)) if table else []
    return {state: set(re.findall(r"<< (\w+)", following)) for state, following in rows}


def compare_states(model, code):
    """model: as legal_in_model; code: {file: as legal_in_code}"""
    for file in sorted({file for file, _ in model}):
        said = {state: following for (of, state), following in model.items() if of == file}
        done = code.get(file)
        if not done:
            yield f"src/session/{file}.c has no table of legal states, a model names it"
            continue
        for state in sorted(set(said) | set(done)):
            if said.get(state, set()) != done.get(state, set()):
                yield f"{state}: the model goes on to {sorted(said.get(state, set()))}, {file}.c to {sorted(done.get(state, set()))}"


def steps(text):
    return {word for words in _STEPS.findall(text) for word in words.split()}


def compare_steps(model, client, server, shared):
    for word in sorted((client | server | shared) - model):
        yield f"the code is tagged MODEL {word}, no model has that step"
    for word in sorted(model - shared):
        for end, tagged in (("client (hs*.c)", client), ("server (adm*.c)", server)):
            if word not in tagged:
                yield f"step {word} of the model is tagged nowhere at the {end}"


# --- the ProVerif text ---


def without_comments(text):
    return re.sub(r"\(\*.*?\*\)", " ", text, flags=re.S)


def declarations(text):
    """The tokens of each declaration; the process is the last."""
    tokens = re.findall(r"inj-event|[A-Za-z_]\w*|<>|==>|&&|\|\||[^\s\w]|\d+", text)
    one = []
    for token in tokens:
        if token == ".":
            yield one
            one = []
        elif token == "process" and not one:
            one = [token]
        else:
            one.append(token)
    if one:
        yield one


def arguments(tokens, at):
    """How many arguments stand in the parentheses that open at `at`."""
    depth, commas = 0, 0
    for i in range(at, len(tokens)):
        depth += tokens[i] in "([" 
        depth -= tokens[i] in ")]"
        if depth == 0:
            return 0 if i == at + 1 else commas + 1
        commas += depth == 1 and tokens[i] == ","
    return None


def is_name(token):
    return re.match(r"[A-Za-z_]\w*$", token) is not None and token not in KEYWORDS


def declared(one, names):
    """Enters what a declaration introduces to everybody: {name: number of arguments or None}."""
    kind = one[0]
    if kind in ("type", "free", "const"):
        end = one.index(":") if ":" in one else len(one)
        names.update({token: None for token in one[1:end] if is_name(token)})
    elif kind in ("fun", "event", "letfun", "let"):
        has = len(one) > 2 and one[2] == "("
        names[one[1]] = arguments(one, 2) if has else None
    elif kind == "reduc":
        at = one.index(";") + 1
        names[one[at]] = arguments(one, at + 1)


def bound(one):
    """What it introduces for itself: annotated names, and names in the pattern of a let."""
    found = {one[i] for i in range(len(one) - 1) if one[i + 1] in (":", ",") and is_name(one[i])} if one[0] in ("reduc", "equation", "query") else set()
    found |= {one[i] for i in range(len(one) - 1) if one[i + 1] == ":"}
    for i, token in enumerate(one):
        if token == "let":
            found |= pattern(one, i + 1)
    return found


def pattern(one, at):
    found, depth = set(), 0
    for i in range(at, len(one)):
        if one[i] == "=" and depth == 0:
            break
        depth += one[i] == "("
        depth -= one[i] == ")"
        if is_name(one[i]) and one[i - 1] != "=" and one[i + 1] != "(":
            found.add(one[i])
    return found


def text_problems(text):
    """What is wrong with a ProVerif text without comments and switches."""
    names = {}
    all_declarations = list(declarations(text))
    for one in all_declarations:
        declared(one, names)
    if not all_declarations or "process" not in all_declarations[-1]:
        yield "there is no process"
    for one in all_declarations:
        where = " ".join(one[:3])
        if one.count("(") != one.count(")"):
            yield f"parentheses do not match in: {where}"
            continue
        own = bound(one)
        for i, token in enumerate(one):
            if not is_name(token) or token in own:
                continue
            if token not in names:
                yield f"{token} is not declared in: {where}"
            elif names[token] is not None and one[i + 1 : i + 2] == ["("] and arguments(one, i + 1) != names[token]:
                yield f"{token} has {arguments(one, i + 1)} arguments instead of {names[token]} in: {where}"


def flag_sets(readme):
    """Every group of flags in backquotes."""
    groups = [tuple(group.split()) for group in re.findall(r"`([^`]+)`", readme)]
    return sorted({group for group in groups if group and all(_FLAG.match(flag) for flag in group)})


def preprocessed(path, flags):
    command = ["cpp", "-P", "-traditional-cpp", *[f"-D{flag}" for flag in flags], str(path)]
    return without_comments(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def check_text(path, readme):
    source = path.read_text(encoding="utf-8")
    spin = path.with_suffix(".pml").read_text(encoding="utf-8")
    known = set(re.findall(r"#(?:ifdef|ifndef) (\w+)", source))
    elsewhere = set(re.findall(r"#(?:ifdef|ifndef) (\w+)", spin))
    for flags in flag_sets(readme):
        for flag in flags:
            if flag not in known | elsewhere:
                yield f"README.md names the flag {flag}, no model has it"
        if set(flags) <= known:
            for problem in text_problems(preprocessed(path, flags)):
                yield f"{path.name} with {' '.join(flags)}: {problem}"


def read_all(folder, patterns):
    return "\n".join(path.read_text(encoding="utf-8") for p in patterns for path in sorted(folder.glob(p)))


def main(root):
    models, session = root / "docs" / "model", root / "src" / "session"
    text = read_all(models, ["*.pvm", "*.pml"])
    states = legal_in_model(text)
    code = {file: legal_in_code((session / f"{file}.c").read_text(encoding="utf-8")) for file, _ in states
            if (session / f"{file}.c").exists()}
    ends = [steps(read_all(session, [pattern])) for pattern in ("hs*.c", "adm*.c", "schedule*.c")]
    wrong = list(compare_states(states, code))
    wrong += compare_steps(steps(text), *ends)
    wrong += check_text(models / "handshake.pvm", (models / "README.md").read_text(encoding="utf-8"))
    print("\n".join(dict.fromkeys(wrong)))
    print(f"{len(states)} states and {len(steps(text))} steps of the models are those of the code")
    return 1 if wrong or not states else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
