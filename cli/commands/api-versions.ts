// orrery api-versions: lists the groups and versions that the server serves.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Groups {
  readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
}

/** Adds `api-versions` to the program. */
export const register = (program: Command): void => {
  program
    .command("api-versions [args...]")
    .usage("[options]")
    .action(async (args: readonly string[], flags: GlobalFlags) => {
      if (args.length > 0)
        throw new CliError(
          `unexpected arguments: [${args.join(" ")}]`,
          "See 'orrery api-versions -h' for help and examples",
        );
      const { api } = await session(flags);
      const [core, named] = await Promise.all([
        api.get<{ readonly versions: readonly string[] }>("/api"),
        api.get<Groups>("/apis"),
      ]);
      const versions = [...core.versions, ...named.groups.flatMap((g) => g.versions.map((v) => v.groupVersion))];
      for (const version of versions.sort()) printLine(version);
    });
};
