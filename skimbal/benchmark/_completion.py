"""Scripts that complete the command line in a shell, made from its parser.

After ``--methods``, ``--datasets`` and other lists with commas, the last entry is completed. The
script of zsh is that of bash, by zsh's own ``bashcompinit``.
"""

import argparse

from skimbal.benchmark._names import (
    BACKENDS,
    METHOD_NAMES,
    METRICS,
    REPORT_KINDS,
    SPLITS,
    SUITE_NAMES,
)
from skimbal.benchmark._parser import LISTS, SHELLS

# Values of options and of arguments by name; files are completed elsewhere.
_VALUES = {
    "--suite": SUITE_NAMES,
    "--methods": METHOD_NAMES,
    "--split": SPLITS,
    "--backend": BACKENDS,
    "--metric": METRICS,
    "--control": METHOD_NAMES,
    "what": LISTS,
    "shell": SHELLS,
}
_BASH = """\
_skimbal() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words="" head=""
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$cur"))
        return
    fi
    case "$prev" in
{options}
        --data|--out|{files}|out) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    if [[ -z $words ]]; then
        case "${{COMP_WORDS[1]}}" in
{subcommands}
        esac
    else
        [[ $cur == *,* ]] && head="${{cur%,*}},"
    fi
    COMPREPLY=($(compgen -P "$head" -W "$words" -- "${{cur##*,}}"))
    [[ ${{#COMPREPLY[@]}} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$cur"))
}}
complete -F _skimbal skimbal"""


def completion_script(parser, shell):
    """The completion script of a shell.

    Parameters
    ----------
    parser : ArgumentParser
    shell : {"bash", "zsh", "fish"}

    Returns
    -------
    str
        To be evaluated by the shell: ``eval "$(skimbal completion bash)"``.
    """
    commands = {name: _actions(p) for name, p in _subparsers(parser).items()}
    if shell == "fish":
        return _fish(commands)
    script = _bash(commands)
    return script if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{script}"


def _subparsers(parser):
    (found,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return found.choices


def _actions(parser):
    return [action for action in parser._actions if action.dest != "help"]


def _words(actions):
    """What may come next: options, and the values of an argument."""
    words = [text for action in actions for text in action.option_strings]
    for action in actions:
        words += [] if action.option_strings else _VALUES.get(action.dest, ())
    return words


def _bash(commands):
    used = {text for actions in commands.values() for a in actions for text in a.option_strings}
    options = [
        f'        {name}) words="{" ".join(_VALUES[name])}" ;;' for name in _VALUES if name in used
    ]
    subcommands = [
        f'            {name}) words="{" ".join(_words(actions))}" ;;'
        for name, actions in commands.items()
    ]
    return _BASH.format(
        commands=" ".join(commands),
        files="|".join(f"--{kind}" for kind in REPORT_KINDS),
        options="\n".join(options),
        subcommands="\n".join(subcommands),
    )


def _fish(commands):
    lines = [f"complete -c skimbal -n __fish_use_subcommand -f -a '{' '.join(commands)}'"]
    for name, actions in commands.items():
        when = f"complete -c skimbal -n '__fish_seen_subcommand_from {name}'"
        for action in actions:
            values = _VALUES.get((action.option_strings or [action.dest])[-1], ())
            given = f" -f -a '{' '.join(values)}'" if values else ""
            if action.option_strings:
                needs_value = "" if action.nargs == 0 else " -r"
                text = (action.help or "").replace("'", "")
                option = action.option_strings[-1].lstrip("-")
                lines.append(f"{when} -l {option}{needs_value}{given} -d '{text}'")
            elif given:
                lines.append(when + given)
    return "\n".join(lines)
