// orrery describe: everything there is to say about objects, with what happened to them.
import type { Command } from "commander";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { Connection } from "../api/connection.ts";
import { pathOf, type Wanted, wantedBy } from "../api/resources.ts";
import { describe } from "../printers/describe.ts";
import { namespaceOf, type ObjectFlags, query, selectionOf, session, withSelection } from "./object-options.ts";

async function objectsOf(
  api: Connection,
  { resource, name }: Wanted,
  flags: ObjectFlags,
): Promise<readonly ApiObject[]> {
  if (name !== undefined)
    return [(await api.ask<ApiObject>({ path: pathOf(resource, namespaceOf(flags), name) })).body];
  const { body } = await api.ask<{ readonly items: readonly ApiObject[] }>({
    path: pathOf(resource, namespaceOf(flags)) + query(selectionOf(flags)),
  });
  return body.items;
}

async function eventsOf(api: Connection, o: ApiObject): Promise<readonly CoreV1Event[]> {
  const path = `/api/v1${o.metadata.namespace === undefined ? "" : `/namespaces/${o.metadata.namespace}`}/events`;
  const { body } = await api.ask<{ readonly items: readonly CoreV1Event[] }>({
    path: path + query({ fieldSelector: `involvedObject.uid=${o.metadata.uid}` }),
  });
  return body.items;
}

/** Adds `describe` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("describe <resource> [names...]"))
    .summary("say everything about objects")
    .addHelpText("after", "\nExamples:\n  orrery describe pod web-1\n  orrery describe nodes")
    .action(async (resource: string, names: readonly string[], flags: ObjectFlags) => {
      const { api, resources } = await session(flags);
      const objects = (
        await Promise.all(wantedBy([resource, ...names], resources).map((w) => objectsOf(api, w, flags)))
      ).flat();
      const { clock } = realWorld(() => {});
      const texts = await Promise.all(objects.map(async (o) => describe(o, await eventsOf(api, o), clock.now())));
      process.stdout.write(texts.length > 0 ? `${texts.join("\n\n\n")}\n` : "No resources found.\n");
    });
};
