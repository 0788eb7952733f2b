// Merge keys and list types of core kinds. A list without its keys would lose the fields of other managers.
import { expect, test } from "vitest";
import { resolve, schemaOf, type Schema } from "../../../api/schema.ts";
import { strategicPatched } from "../../../apiserver/registry/patch/strategic.ts";

/** The schema of a field, as the field itself states it. */
function fieldAt(published: string, path: string): Schema {
  return path.split(".").reduce<Schema>((schema, name) => {
    const full = resolve(schema);
    const found = (full.items ? resolve(full.items) : full).properties?.[name];
    if (!found) throw new Error(`${published} has no ${path}`);
    return found;
  }, schemaOf(published));
}
const core = (kind: string): string => `io.k8s.api.core.v1.${kind}`;

const keyed: readonly (readonly [kind: string, path: string, applied: string, patched?: string])[] = [
  [core("Pod"), "spec.containers", "name"],
  [core("Pod"), "spec.containers.ports", "containerPort,protocol", "containerPort"],
  [core("Pod"), "spec.containers.env", "name"],
  [core("Pod"), "spec.containers.volumeMounts", "mountPath"],
  [core("Pod"), "spec.containers.volumeDevices", "devicePath"],
  [core("Pod"), "spec.initContainers", "name"],
  [core("Pod"), "spec.ephemeralContainers", "name"],
  [core("Pod"), "spec.volumes", "name"],
  [core("Pod"), "spec.imagePullSecrets", "name"],
  [core("Pod"), "spec.hostAliases", "ip"],
  [core("Pod"), "spec.topologySpreadConstraints", "topologyKey,whenUnsatisfiable", "topologyKey"],
  [core("Pod"), "spec.schedulingGates", "name"],
  [core("Pod"), "spec.resourceClaims", "name"],
  [core("Pod"), "status.conditions", "type"],
  [core("Pod"), "status.podIPs", "ip"],
  [core("Service"), "spec.ports", "port,protocol", "port"],
  [core("Service"), "status.conditions", "type"],
  [core("ServiceAccount"), "secrets", "name"],
  [core("Node"), "status.conditions", "type"],
  [core("Node"), "status.addresses", "type"],
  [core("Namespace"), "status.conditions", "type"],
  [core("PersistentVolumeClaim"), "status.conditions", "type"],
  [core("ReplicationController"), "status.conditions", "type"],
  [core("ComponentStatus"), "conditions", "type"],
  ["io.k8s.api.apps.v1.Deployment", "status.conditions", "type"],
  ["io.k8s.api.apps.v1.StatefulSet", "status.conditions", "type"],
  ["io.k8s.api.policy.v1.PodDisruptionBudget", "status.conditions", "type"],
];
for (const [kind, path, applied, patched = applied] of keyed)
  test(`${path} of a ${kind.split(".").at(-1)} is merged by ${applied}`, () => {
    const field = fieldAt(kind, path);
    expect(field["x-kubernetes-list-type"]).toBe("map");
    expect(field["x-kubernetes-list-map-keys"]?.join(",")).toBe(applied);
    expect(field["x-kubernetes-patch-merge-key"]).toBe(patched);
    expect(field["x-kubernetes-patch-strategy"]).toMatch(/^merge/);
  });

const kinds: readonly (readonly [kind: string, path: string, list: "atomic" | "set"])[] = [
  [core("Pod"), "spec.tolerations", "atomic"],
  [core("Pod"), "spec.containers.command", "atomic"],
  [core("Node"), "spec.podCIDRs", "set"],
  [core("Node"), "spec.taints", "atomic"],
  ["io.k8s.api.batch.v1.Job", "status.conditions", "atomic"],
  ["io.k8s.api.batch.v1.Job", "spec.podFailurePolicy.rules", "atomic"],
  ["io.k8s.api.batch.v1.Job", "spec.podFailurePolicy.rules.onExitCodes.values", "set"],
];
for (const [kind, path, list] of kinds)
  test(`${path} of a ${kind.split(".").at(-1)} is ${list}`, () =>
    expect(fieldAt(kind, path)["x-kubernetes-list-type"]).toBe(list));

const atomic: readonly (readonly [kind: string, path: string])[] = [
  [core("Service"), "spec.selector"],
  [core("Pod"), "spec.nodeSelector"],
  ["io.k8s.api.apps.v1.Deployment", "spec.selector"],
  [core("Endpoints"), "subsets.addresses.targetRef"],
];
for (const [kind, path] of atomic)
  test(`${path} of a ${kind.split(".").at(-1)} has one owner`, () => {
    const field = fieldAt(kind, path);
    expect({ ...resolve(field), ...field }["x-kubernetes-map-type"]).toBe("atomic");
  });

const amounts: readonly (readonly [kind: string, path: string])[] = [
  [core("Pod"), "spec.containers.resources.limits"],
  [core("Node"), "status.capacity"],
  [core("ResourceQuota"), "spec.hard"],
  [core("LimitRange"), "spec.limits.maxLimitRequestRatio"],
  [core("PersistentVolume"), "spec.capacity"],
];
for (const [kind, path] of amounts)
  test(`${path} of a ${kind.split(".").at(-1)} holds quantities`, () =>
    expect(fieldAt(kind, path).additionalProperties?.format).toBe("quantity"));

test("a budget's selector is replaced by a patch, a deployment's is merged", () => {
  const patched = (published: string): unknown =>
    strategicPatched(
      schemaOf(published),
      { spec: { selector: { matchLabels: { a: "1" } } } },
      { spec: { selector: { matchLabels: { b: "2" } } } },
    );
  expect(patched("io.k8s.api.policy.v1.PodDisruptionBudget")).toEqual({
    spec: { selector: { matchLabels: { b: "2" } } },
  });
  expect(patched("io.k8s.api.apps.v1.Deployment")).toEqual({ spec: { selector: { matchLabels: { a: "1", b: "2" } } } });
});
