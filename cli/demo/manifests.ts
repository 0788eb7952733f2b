// Applies files of manifests/ in a namespace of their own, and removes it.
import { join } from "node:path";
import { type ErrorReason, hasReason } from "../../api/errors.ts";
import type { V2HorizontalPodAutoscaler, Service } from "../../api/generated/types.ts";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { key } from "../../api/meta.ts";
import { type Manifest, readManifests } from "../client/manifests.ts";
import { checkout } from "../paths.ts";
import { eventually, type Stage } from "./stage.ts";

const manager = "orrery-demo";

/** Removes the node port, which another guestbook may use, and shortens the stabilization window. */
function adapted(object: Manifest): Manifest {
  if (object.kind === "Service") {
    const service = object as Service;
    const ports = service.spec.ports?.map(({ nodePort: _, ...port }) => port);
    const adaptedService: Service = { ...service, spec: { ...service.spec, ports } };
    return adaptedService;
  }
  if (object.kind === "HorizontalPodAutoscaler") {
    const scaler = object as V2HorizontalPodAutoscaler;
    const behavior = { scaleDown: { stabilizationWindowSeconds: 5 } };
    const adaptedScaler: V2HorizontalPodAutoscaler = { ...scaler, spec: { ...scaler.spec, behavior } };
    return adaptedScaler;
  }
  return object;
}

const kindOf = (object: Manifest): ResourceDefinition =>
  builtinKinds.find((r) => r.kind === object.kind && apiVersionOf(r) === object.apiVersion)!;

/** Applies a file or a folder of `manifests/` with server-side apply. */
export async function applyManifests({ client, namespace }: Stage, path: string): Promise<void> {
  const { objects } = await readManifests([join(checkout, "manifests", path)], false);
  for (const { object } of objects) {
    const placed = { ...adapted(object), metadata: { ...object.metadata, namespace } };
    const patch = { type: "apply", object: placed, fieldManager: manager, force: true } as const;
    await client.patch(kindOf(object), key(namespace, object.metadata.name ?? ""), patch);
  }
}

/** Creates the namespace, after that of an earlier tour is removed. */
export async function openNamespace(stage: Stage): Promise<void> {
  await closeNamespace(stage);
  await stage.client.create(namespaces, { kind: "Namespace", metadata: { name: stage.namespace }, spec: {} });
}

/** Deletes the namespace and waits until it is gone. */
export async function closeNamespace(stage: Stage): Promise<void> {
  const { client, namespace } = stage;
  const ignore =
    (...reasons: readonly ErrorReason[]) =>
    (error: unknown): undefined => {
      if (!hasReason(error, ...reasons)) throw error;
    };
  const find = () => client.get(namespaces, key(undefined, namespace)).catch(ignore("NotFound"));
  if ((await find()) === undefined) return;
  await client.delete(namespaces, key(undefined, namespace)).catch(ignore("NotFound", "Conflict"));
  await eventually(stage, `namespace ${namespace} and everything in it is gone`, 60_000, async () => ({
    holds: (await find()) === undefined,
    seen: "still going",
  }));
}
