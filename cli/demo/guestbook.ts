// The guestbook of manifests/, set up in a namespace of its own so that nothing of the user's is touched.
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { hasReason } from "../../api/errors.ts";
import type { V2HorizontalPodAutoscaler, Service } from "../../api/generated/types.ts";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { checkout } from "../cluster/paths.ts";
import { eventually, type Stage } from "./stage.ts";

const folder = join(checkout, "manifests", "guestbook");
const manager = "orrery-demo";

const read = async (): Promise<readonly ApiObject[]> => {
  const files = globSync("*.yaml", { cwd: folder }).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJSON() as ApiObject));
};

/** The user's own guestbook may hold the port, and a tour has no patience for the usual wait before shrinking. */
function adapted(object: ApiObject): ApiObject {
  if (object.kind === "Service") {
    const service = object as Service;
    const ports = service.spec.ports?.map(({ nodePort: _, ...port }) => port);
    return { ...service, spec: { ...service.spec, ports } } as ApiObject;
  }
  if (object.kind === "HorizontalPodAutoscaler") {
    const scaler = object as V2HorizontalPodAutoscaler;
    return {
      ...scaler,
      spec: { ...scaler.spec, behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } },
    } as ApiObject;
  }
  return object;
}

const kindOf = (object: ApiObject): ResourceDefinition =>
  builtinKinds.find((r) => r.kind === object.kind && apiVersionOf(r) === object.apiVersion)!;

/** Applies every manifest of the guestbook, as `apply -f` would, and says how many there were. */
export async function applyGuestbook({ client, namespace }: Stage): Promise<number> {
  const objects = await read();
  for (const object of objects) {
    const placed = { ...adapted(object), metadata: { ...object.metadata, namespace } };
    const patch = { type: "apply", object: placed, fieldManager: manager, force: true } as const;
    await client.patch(kindOf(object), key(namespace, object.metadata.name), patch);
  }
  return objects.length;
}

/** Makes the namespace, after the remains of an earlier tour are gone. */
export async function openNamespace(stage: Stage): Promise<void> {
  await closeNamespace(stage);
  await stage.client.create(namespaces, { kind: "Namespace", metadata: { name: stage.namespace }, spec: {} });
}

/** Removes the namespace with all that is in it, and waits until it is gone. */
export async function closeNamespace(stage: Stage): Promise<void> {
  const { client, namespace } = stage;
  const isThere = (): Promise<boolean> =>
    client.get(namespaces, key(undefined, namespace)).then(
      () => true,
      (error: unknown) => {
        if (hasReason(error, "NotFound")) return false;
        throw error;
      },
    );
  if (!(await isThere())) return;
  await client.delete(namespaces, key(undefined, namespace)).catch((error: unknown) => {
    if (!hasReason(error, "NotFound", "Conflict")) throw error;
  });
  await eventually(stage, `namespace ${namespace} and everything in it is gone`, 60_000, async () => {
    const there = await isThere();
    return { come: !there, seen: "still going" };
  });
}
