// Rights for the parts of a claim's status: its binding, and the reports of each driver.
import { beforeEach, expect, test } from "vitest";
import { namespaces } from "../../../api/core/namespaces.ts";
import type { ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, key } from "../../../api/meta.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import type { Authorizer, User } from "../../../apiserver/authorization/authorizer.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import type { Registry } from "../../../apiserver/registry/verbs.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const r = resourceClaims as unknown as ResourceDefinition;
const at = { r, key: key("team", "c"), subresource: "status" } as const;
const [one, two] = ["one.example.com", "two.example.com"];
const deviceOf = (driver: string, device = "d") => ({ driver, pool: "p", device });
const onNode = (name: string) => ({
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In" as const, values: [name] }] }],
  },
});
const allocation = {
  devices: { results: [deviceOf(one), deviceOf(two)].map((device) => ({ request: "r", ...device })) },
  ...onNode("n1"),
};
const serviceAccount = (node?: string, name = "system:serviceaccount:team:driver"): User => ({
  ...{ name, groups: [] },
  ...(node !== undefined && { extra: { "authentication.kubernetes.io/node-name": [node] } }),
});

let rights: readonly string[];
let checks: string[];
let verbs: Registry;
const authorizer: Authorizer = {
  decide({ verb, group, version, resource, subresource, namespace = "*", name = "*" }) {
    const text = `${verb} ${resource}/${subresource} ${namespace}/${name}`;
    expect([group, version]).toEqual(["resource.k8s.io", "v1"]);
    checks.push(text);
    return { allowed: rights.includes(text) };
  },
};
const write = async (change: Partial<NonNullable<ResourceClaim["status"]>>, user?: User, verb?: string) => {
  const options = { ...(user && { user }), ...(verb && { verb }) };
  const stored = await verbs.change(
    at,
    (now) => ({ ...now, status: { ...(now as ResourceClaim).status, ...change } }) as ApiObject,
    options,
  );
  return objectOf<ResourceClaim>(stored).status;
};

beforeEach(async () => {
  [rights, checks] = [[], []];
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  verbs = clusterRegistry(
    memoryStorage(),
    realWorld(() => {}),
    { ...ranges, authorizer },
  );
  const namespace = { kind: "Namespace", metadata: { name: "team" }, spec: {} };
  await verbs.create(namespaces as unknown as ResourceDefinition, namespace as never);
  const spec = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } };
  await verbs.create(r, { kind: "ResourceClaim", metadata: { name: "c", namespace: "team" }, spec } as never);
});

test("an allocation needs the right to bind, in all namespaces", async () => {
  const user = { name: "me", groups: [] };
  await expect(write({ allocation }, user)).rejects.toThrow(
    'ResourceClaim.resource.k8s.io "c" is invalid: status.allocation: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: resourceclaims.resource.k8s.io is forbidden: User "me" cannot update resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
  );
  await expect(write({ allocation }, user, "patch")).rejects.toThrow('verb="patch" permission');
  rights = ["update resourceclaims/binding */*"];
  await write({ allocation }, user);
  const reservedFor = [{ resource: "pods", name: "p", uid: "u" }];
  rights = [];
  await expect(write({ reservedFor }, user)).rejects.toThrow("status.reservedFor requires");
  checks = [];
  await write({ reservedFor: [] }, user);
  expect(checks).toEqual([]);
});

const anywhere = (driver: string, verb = "update"): string =>
  `arbitrary-node:${verb} resourceclaims/driver team/${driver}`;
const here = (driver: string): string => `associated-node:update resourceclaims/driver team/${driver}`;
type Row = readonly [what: string, user: User, rights: readonly string[], refused: string | undefined];
const rows: readonly Row[] = [
  ["anywhere", serviceAccount(), [anywhere(one)], undefined],
  ["on the node of the devices", serviceAccount("n1"), [here(one)], undefined],
  ["on the node, with the right for any", serviceAccount("n1"), [anywhere(one)], undefined],
  ["on another node", serviceAccount("n2"), [here(one)], `verb="[arbitrary-node:update]" permission`],
  [
    "without a right",
    serviceAccount("n1"),
    [here(two)],
    `status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[associated-node:update arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "one.example.com" is forbidden: User "system:serviceaccount:team:driver" cannot associated-node:update resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "team"`,
  ],
  ["not a service account", serviceAccount("n1", "admin"), [here(one)], `verb="[arbitrary-node:update]" permission`],
];
test.each(rows)("a driver may report about its devices: %s", async (_, user, own, refused) => {
  await write({ allocation });
  rights = own;
  const written = write({ devices: [deviceOf(one)] }, user);
  if (refused === undefined) expect((await written)?.devices).toEqual([deviceOf(one)]);
  else await expect(written).rejects.toThrow(refused);
});

test("only drivers whose reports change are concerned", async () => {
  await write({ allocation, devices: [deviceOf(one)] });
  const user = serviceAccount();
  rights = [anywhere(two)];
  await write({ devices: [deviceOf(one), deviceOf(two)] }, user);
  await expect(write({ devices: [deviceOf(two)] }, user)).rejects.toThrow("status.devices");
  await expect(write({ devices: [{ ...deviceOf(one), data: { a: 1 } }, deviceOf(two)] }, user)).rejects.toThrow(one);
  checks = [];
  await write({ devices: [deviceOf(one), deviceOf(two)] }, user);
  expect(checks).toEqual([]);
});

test("reports go with the allocation, for which the right to bind is enough", async () => {
  await write({ allocation, devices: [deviceOf(one)] });
  rights = ["update resourceclaims/binding */*"];
  const status = await verbs.change(at, (now) => ({ ...now, status: {} }) as ApiObject, { user: serviceAccount() });
  expect(objectOf<ResourceClaim>(status).status?.devices).toBeUndefined();
});

test("devices of nodes with a label are those of no single one", async () => {
  const matchExpressions = [{ key: "zone", operator: "In" as const, values: ["a"] }];
  const [term] = onNode("n1").nodeSelector.nodeSelectorTerms;
  await write({ allocation: { ...allocation, nodeSelector: { nodeSelectorTerms: [{ ...term!, matchExpressions }] } } });
  rights = [here(one)];
  await expect(write({ devices: [deviceOf(one)] }, serviceAccount("n1"))).rejects.toThrow("arbitrary-node");
});
