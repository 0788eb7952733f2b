// orrery describe: prints all fields and the events of objects.
import type { Command } from "commander";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { fetchTargets, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import type { Connection } from "../client/connection.ts";
import { describe } from "../printers/describe.ts";
import { clock } from "./cluster-option.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { withSelection } from "./object-options.ts";

function eventsOf(api: Connection, { metadata: { namespace, uid } }: ApiObject): Promise<readonly CoreV1Event[]> {
  const path = `/api/v1${namespace === undefined ? "" : `/namespaces/${namespace}`}/events`;
  return api.list(path + query({ fieldSelector: `involvedObject.uid=${uid}` }));
}

/** Adds `describe` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("describe <resource> [names...]"))
    .summary("say everything about objects")
    .addHelpText("after", "\nExamples:\n  orrery describe pod web-1\n  orrery describe nodes")
    .action(async (resource: string, names: readonly string[], flags: GlobalFlags & TargetFlags) => {
      const scope = await session(flags);
      const { api } = scope;
      const targets = await targetsOf(scope, [resource, ...names], flags, { listsTypes: true });
      const { found, errors } = await fetchTargets(api, targets);
      const objects = found.map(({ object }) => object);
      const texts = await Promise.all(objects.map(async (o) => describe(o, await eventsOf(api, o), clock.now())));
      if (texts.length > 0) printLine(texts.join("\n\n\n"));
      throwAll(errors);
      if (texts.length === 0) printLine("No resources found.");
    });
};
