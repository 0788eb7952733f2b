// Updates of each kind: of missing objects, and without a resource version.
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { type ResourceDefinition, isStored, qualified } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, keyOf } from "../../../api/meta.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import { put } from "../../../apiserver/registry/patching.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import type { Registry } from "../../../apiserver/registry/verbs.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { draftOf } from "../api/minimal-objects.ts";

/** Kinds whose update creates a missing object. */
const createdByUpdate = new Set([
  "clusterrolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "endpoints",
  "events",
  "events.events.k8s.io",
  "leases.coordination.k8s.io",
  "limitranges",
  "rolebindings.rbac.authorization.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "runtimeclasses.node.k8s.io",
  "services",
]);
/** Kinds whose update requires a resource version. */
const byRevision = new Set([
  "apiservices.apiregistration.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "leases.coordination.k8s.io",
  "mutatingadmissionpolicies.admissionregistration.k8s.io",
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "poddisruptionbudgets.policy",
  "runtimeclasses.node.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "volumeattachments.storage.k8s.io",
  "volumesnapshotclasses.snapshot.storage.k8s.io",
  "volumesnapshotcontents.snapshot.storage.k8s.io",
  "volumesnapshots.snapshot.storage.k8s.io",
]);

async function cluster(): Promise<Registry> {
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const verbs = clusterRegistry(
    memoryStorage(),
    realWorld(() => {}),
    ranges,
  );
  await verbs.create(namespaces as unknown as ResourceDefinition, {
    kind: "Namespace",
    metadata: { name: "default" },
  });
  const account = { kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } };
  await verbs.create(serviceAccounts as unknown as ResourceDefinition, account);
  return verbs;
}
/** `created`, `updated`, or the error of an update with changed metadata. */
async function outcomeOf(verbs: Registry, r: ResourceDefinition, before: object, change: object = {}): Promise<string> {
  const draft = before as Draft<ApiObject>;
  const object = { ...draft, metadata: { ...draft.metadata, ...change } };
  const target = { r, key: keyOf(object as never) };
  return put(verbs, target, object, {}).then(
    ({ created }) => (created ? "created" : "updated"),
    (e: Error) => e.message,
  );
}

for (const r of builtinKinds.filter((kind) => isStored(kind) || kind.form)) {
  const name = qualified(r);
  const object = draftOf(r).metadata.name;
  test(`update: ${name} that is missing ${createdByUpdate.has(name) ? "is created" : "is not found"}`, async () => {
    const missing = `${name} "${object}" not found`;
    expect(await outcomeOf(await cluster(), r, draftOf(r))).toBe(createdByUpdate.has(name) ? "created" : missing);
  });
  test(`update: ${name} ${byRevision.has(name) ? "requires" : "does not require"} a resource version`, async () => {
    const verbs = await cluster();
    const created = objectOf(await verbs.create(r, draftOf(r)));
    const refused = `${name} "${object}" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update`;
    const withoutRevision = { resourceVersion: undefined };
    expect(await outcomeOf(verbs, r, created, withoutRevision)).toBe(byRevision.has(name) ? refused : "updated");
    expect(await outcomeOf(verbs, r, created)).toBe("updated");
    expect(await outcomeOf(verbs, r, created, { resourceVersion: "1" })).toMatch(
      /^Operation cannot be fulfilled on .* modified;/,
    );
  });
}

test("update: an object created by an update has no uid precondition to meet", async () => {
  const verbs = await cluster();
  const leases = builtinKinds.find((r) => r.plural === "leases")!;
  const uid = "0c9ee0b9-5b2b-4c8b-9f0b-1d2f8d1b7c55";
  expect(await outcomeOf(verbs, leases, draftOf(leases), { uid })).toBe(
    `Operation cannot be fulfilled on leases.coordination.k8s.io "a": StorageError: invalid object, Code: 4, Key: /registry/leases/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: `,
  );
  expect(await outcomeOf(verbs, leases, draftOf(leases), { resourceVersion: "77" })).toBe("created");
});

test("create: generateName is validated as a name, except for a trailing dash", async () => {
  const verbs = await cluster();
  const services = builtinKinds.find((r) => r.plural === "services" && r.group === "")!;
  const named = (generateName: string) =>
    verbs.create(services, { ...draftOf(services), metadata: { generateName, namespace: "default" } } as never).then(
      (stored) => objectOf(stored).metadata.name.slice(0, -5),
      (e: Error) => e.message,
    );
  expect(await named("web-")).toBe("web-");
  expect(await named("Web-")).toMatch(
    / is invalid: \[metadata.generateName: Invalid value: "Web-": a lowercase RFC 1123 label must/,
  );
});
