// Reads the tree of an object: its owners up to the first, and everything that this one owns.
import { hasReason } from "../../../api/errors.ts";
import { type ApiObject, instantOf } from "../../../api/meta.ts";
import { readTable } from "../../client/lists.ts";
import { isPreferred, type Resource } from "../../client/resources.ts";
import type { ServerTable } from "../../printers/table.ts";
import type { ObjectRef } from "../state.ts";
import { type OwnedObject, treeColumns, treeRows } from "../tree.ts";
import { type Reading, refPath } from "./source.ts";

/** How many lists are read at once. */
const parallel = 6;
/** Owners above this height are not looked for: owner references may form a cycle. */
const maxHeight = 10;

/** The first owner of an object that exists, else the object itself. */
async function rootOf(of: ObjectRef, { session }: Reading): Promise<ObjectRef> {
  let root = of;
  for (let i = 0; i < maxHeight; i++) {
    const object = await session.api.get<ApiObject>(refPath(root)).catch((error: unknown) => {
      if (i === 0 || !hasReason(error, "NotFound")) throw error;
      return undefined;
    });
    // A dependent outlives its owner for a moment.
    if (object === undefined) return of;
    const owners = object.metadata.ownerReferences ?? [];
    const owner = owners.find(({ controller }) => controller) ?? owners[0];
    const resource = owner && (await session.mapper.ofKind(owner.apiVersion, owner.kind));
    if (owner === undefined || resource === undefined) return root;
    root = { resource, namespace: resource.namespaced ? root.namespace : undefined, name: owner.name };
  }
  return root;
}

/** The objects of a table of one type. */
function objectsOf(resource: Resource, { columnDefinitions, rows }: ServerTable): readonly OwnedObject[] {
  const column = (title: string): number => columnDefinitions.findIndex(({ name }) => name.toUpperCase() === title);
  const [ready, status] = [column("READY"), column("STATUS")];
  return rows.flatMap(({ cells, object }) => {
    const { name, namespace, uid, ownerReferences = [], creationTimestamp } = object?.metadata ?? {};
    if (name === undefined || uid === undefined) return [];
    return [
      {
        ref: { resource, namespace, name },
        uid,
        owners: ownerReferences.map((owner) => owner.uid),
        ready: String(cells[ready] ?? ""),
        status: String(cells[status] ?? ""),
        created: creationTimestamp ? instantOf(creationTimestamp) : undefined,
      },
    ];
  });
}

/** Reads everything that may be owned by the root. Types that cannot be listed are left out. */
async function candidates(root: ObjectRef, { session, signal }: Reading): Promise<readonly OwnedObject[]> {
  const all = await session.mapper.all();
  const resources = all.filter(
    (r) =>
      isPreferred(r, all) &&
      r.verbs.includes("list") &&
      r.plural !== "events" &&
      // What is in a namespace owns nothing outside of it.
      (r.namespaced || !root.resource.namespaced),
  );
  const objects: OwnedObject[] = [];
  const next = resources.values();
  const readSome = async (): Promise<void> => {
    for (const resource of next) {
      if (signal.aborted) return;
      const target = { resource, namespace: resource.namespaced ? root.namespace : undefined, name: undefined };
      const table = await readTable(session.api, target, { chunkSize: 0 }).catch(() => undefined);
      if (table) objects.push(...objectsOf(resource, table));
    }
  };
  await Promise.all(Array.from({ length: parallel }, readSome));
  return objects;
}

/** Publishes the tree of an object. Throws ApiError or CliError. */
export async function readTree(of: ObjectRef, reading: Reading): Promise<void> {
  const root = await rootOf(of, reading);
  const objects = await candidates(root, reading);
  const found = objects.find(({ ref }) => refPath(ref) === refPath(root));
  const changes = found === undefined ? [] : treeRows(found, objects);
  const cursor = changes.find(({ name, resource }) => name === of.name && resource?.kind === of.resource.kind)?.id;
  reading.publish({ type: "rows", update: { columns: treeColumns, changes, replaces: true, cursor } });
}
