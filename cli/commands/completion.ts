// orrery completion: prints a completion script, derived from the program's commands and options.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";

/** The completions of a command: its subcommands and options. */
export const wordsAfter = (command: Command): readonly string[] => [
  ...command.commands.map((sub) => sub.name()),
  ...command.options.flatMap((option) =>
    [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
  ),
  "--help",
];

const paths = (command: Command, path: string): readonly (readonly [string, readonly string[]])[] => [
  [path, wordsAfter(command)],
  ...command.commands.flatMap((sub) => paths(sub, `${path} ${sub.name()}`)),
];

const cases = (program: Command): string =>
  paths(program, "orrery")
    .map(([path, words]) => `    "${path}") words="${words.join(" ")}" ;;`)
    .join("\n");

const bash = (program: Command): string => `# bash completion for orrery
_orrery() {
  local path="orrery" words="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && continue
    case " $(_orrery_words "$path") " in *" $word "*) path="$path $word" ;; esac
  done
  COMPREPLY=($(compgen -W "$(_orrery_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_orrery_words() {
  local words=""
  case "$1" in
${cases(program)}
  esac
  printf '%s' "$words"
}
complete -F _orrery orrery ./orrery
`;

const zsh = (program: Command): string => `#compdef orrery
autoload -U +X bashcompinit && bashcompinit
${bash(program)}`;

const fish = (program: Command): string =>
  paths(program, "orrery")
    .map(([path, words]) => {
      const parts = path.split(" ").slice(1);
      const condition = parts.length === 0 ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${parts.at(-1)}`;
      return `complete -c orrery -f -n "${condition}" -a "${words.join(" ")}"`;
    })
    .join("\n")
    .concat("\n");

const shells: Readonly<Record<string, (program: Command) => string>> = { bash, zsh, fish };

/** Adds `completion` to the program. */
export const register = (program: Command): void => {
  program
    .command("completion <shell>")
    .summary("print a completion script for bash, zsh or fish")
    .addHelpText("after", "\nExamples:\n  source <(orrery completion bash)\n  orrery completion fish | source")
    .action((shell: string) => {
      const write = shells[shell];
      if (write === undefined) throw new CliError(`no completion for "${shell}"`, "Choose bash, zsh or fish.");
      process.stdout.write(write(program));
    });
};
