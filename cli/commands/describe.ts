// orrery describe: prints the details and events of objects.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { readObjects } from "../client/lists.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, type Target, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import { describe } from "../describe/describe.ts";
import { integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";
import { withFiles, withSelection } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly showEvents?: boolean;
  readonly chunkSize: number;
}

const noType = new CliError(
  'You must specify the type of resource to describe. Use "orrery api-resources" for a complete list of supported resources.',
);

/** What a target refers to, and whether its name was only the beginning of theirs. */
interface Match {
  readonly objects: readonly ApiObject[];
  readonly isPrefix: boolean;
}

/** The named object, else those whose names begin like that. Throws ApiError when there is none. */
async function match(api: Connection, target: Target, flags: Flags): Promise<Match> {
  try {
    return { objects: await readObjects(api, target, flags), isPrefix: false };
  } catch (error) {
    const { name } = target;
    if (name === undefined || target.manifest || !hasReason(error, "NotFound")) throw error;
    const all = await readObjects(api, { ...target, name: undefined }, flags);
    const objects = all.filter(({ metadata }) => metadata.name.startsWith(name));
    if (objects.length === 0) throw error;
    return { objects, isPrefix: true };
  }
}

async function describeAll({ api, namespace }: Session, targets: readonly Target[], flags: Flags): Promise<void> {
  const outcomes = await Promise.allSettled(targets.map((target) => match(api, target, flags)));
  const matches = outcomes.flatMap((o) => (o.status === "fulfilled" ? [o.value] : []));
  const errors = outcomes.flatMap((o) => (o.status === "rejected" ? [o.reason as unknown] : []));
  const objects = matches.flatMap((m) => m.objects);
  const isPrefix = matches.some((m) => m.isPrefix);
  const isSingle = objects.length === 1 && targets.length === 1 && !isPrefix;
  const environment = { api, now: clock.now(), showEvents: flags.showEvents ?? isSingle };
  for (const [i, object] of objects.entries()) {
    const text = await describe(object, environment);
    process.stdout.write(isPrefix ? `${text}\n` : i === 0 ? text : `\n\n${text}`);
  }
  throwAll(errors);
  if (objects.length === 0)
    process.stderr.write(`No resources found${flags.allNamespaces ? "" : ` in ${namespace} namespace.`}\n`);
}

/** Adds `describe` to the program. */
export const register = (program: Command): void => {
  withFiles(withSelection(program.command("describe [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .option("--show-events", "with the events of each object; by default only of a single one")
    .option("--chunk-size <number>", "how many objects to read in one request; 0 reads all at once", integer, 500)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery describe pod web-1\n  orrery describe pod web\n  orrery describe nodes --show-events=false",
    )
    .action(async (args: readonly string[], flags: Flags) => {
      if (args.length === 0 && !flags.filename && !flags.kustomize) throw noType;
      checkTargets(args, flags, { listsTypes: true });
      const scope = await session(flags);
      await describeAll(scope, await targetsOf(scope, args, flags, { listsTypes: true }), flags);
    });
};
