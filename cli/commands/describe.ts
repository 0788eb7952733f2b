// orrery describe: prints all fields and the events of objects.
import type { Command } from "commander";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { targetsOf } from "../api/resources.ts";
import type { Connection } from "../cluster/connection.ts";
import { describe } from "../printers/describe.ts";
import { clock } from "./cluster-option.ts";
import { type ObjectFlags, objectsOf, printLine, query, session, withSelection } from "./object-options.ts";

function eventsOf(api: Connection, { metadata: { namespace, uid } }: ApiObject): Promise<readonly CoreV1Event[]> {
  const path = `/api/v1${namespace === undefined ? "" : `/namespaces/${namespace}`}/events`;
  return api.list(path + query({ fieldSelector: `involvedObject.uid=${uid}` }));
}

/** Adds `describe` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("describe <resource> [names...]"))
    .summary("say everything about objects")
    .addHelpText("after", "\nExamples:\n  orrery describe pod web-1\n  orrery describe nodes")
    .action(async (resource: string, names: readonly string[], flags: ObjectFlags) => {
      const { api, resources } = await session(flags);
      const targets = targetsOf([resource, ...names], resources);
      const objects = (await Promise.all(targets.map((target) => objectsOf(api, target, flags)))).flat();
      const texts = await Promise.all(objects.map(async (o) => describe(o, await eventsOf(api, o), clock.now())));
      printLine(texts.length > 0 ? texts.join("\n\n\n") : "No resources found.");
    });
};
