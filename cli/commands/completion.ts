// orrery completion: prints a completion script.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { scripts } from "../completion/scripts.ts";

const examples = `
Examples:
  source <(orrery completion bash)                                    now, in bash; in ~/.bashrc, always
  orrery completion zsh > "\${fpath[1]}/_orrery"                       in zsh
  orrery completion fish > ~/.config/fish/completions/orrery.fish     in fish`;

/** Adds `completion` to the program. */
export const register = (program: Command): void => {
  program
    .command("completion <shell>")
    .addHelpText("after", examples)
    .action((shell: string) => {
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
      if (script === undefined) throw new CliError(`no completion for "${shell}"`, "Choose bash, zsh or fish.");
      process.stdout.write(script);
    });
};
