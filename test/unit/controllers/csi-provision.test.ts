// The provisioner: which claims it makes volumes for, what it requests of the driver, and what follows from errors.
import { expect, test } from "vitest";
import type { PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { decideOrder, type ObservedOrder, provisioningFinalizer } from "../../../controllers/csi/provision.ts";
import type { DriverOptions } from "../../../controllers/csi/sidecar.ts";
import type { RpcCode } from "../../../csi/protocol/grpc.ts";
import { driver, driverThat, node, outcome } from "./csi-driver.ts";
import { claim, storageClass, volume } from "./volumes.ts";
import { ago } from "./world.ts";

const annotations = { "volume.kubernetes.io/storage-provisioner": driver };
const waiting = claim({ metadata: { annotations }, spec: { storageClassName: "fast" } });
const order = (more: Partial<ObservedOrder> = {}): ObservedOrder => ({
  ...{
    claim: waiting,
    storageClass: storageClass("fast"),
    volume: undefined,
    sourceClaim: undefined,
    source: undefined,
  },
  ...more,
});
const begins = 'Normal Provisioning: External provisioner is provisioning volume for claim "default/data"';
const made = { volume: { volumeId: "id", capacityBytes: 2 ** 30, volumeContext: { a: "b" }, accessibleTopology: [] } };
const selected = (name: string, more: object = {}): PersistentVolumeClaim =>
  claim({
    metadata: { annotations: { ...annotations, "volume.kubernetes.io/selected-node": name }, ...more },
    spec: { storageClassName: "fast" },
  });
const zones = (...values: string[]) =>
  storageClass("fast", { allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values }] }] });
const marked = { finalizers: [provisioningFinalizer({ ...driverThat({}).options, node })] };

const failed = (reason: string): string =>
  `Warning ProvisioningFailed: failed to provision volume with StorageClass "fast": ${reason}`;
const copy = { ...waiting, spec: { ...waiting.spec, dataSource: { kind: "PersistentVolumeClaim", name: "other" } } };
const other = claim({ name: "other", spec: { volumeName: "pv" }, status: { phase: "Bound" } });
const rows: readonly (readonly [
  string,
  Partial<ObservedOrder>,
  object | RpcCode,
  DriverOptions["node"],
  readonly string[],
])[] = [
  [
    "a volume is made",
    {},
    made,
    undefined,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "the driver refuses",
    {},
    "INVALID_ARGUMENT",
    undefined,
    ["patch", begins, failed("rpc error: code = InvalidArgument desc = no"), "retry"],
  ],
  ["another provisioner's claim", { claim: claim({ spec: { storageClassName: "fast" } }) }, made, undefined, []],
  ["a claim without its class", { storageClass: undefined }, made, undefined, []],
  [
    "a node must be selected first",
    { storageClass: storageClass("fast", { volumeBindingMode: "WaitForFirstConsumer" }) },
    made,
    undefined,
    [],
  ],
  ["another node is selected", { claim: selected("n2") }, made, node, []],
  [
    "this node is selected",
    { claim: selected("n1") },
    "INTERNAL",
    node,
    ["patch", begins, failed("rpc error: code = Internal desc = no"), "retry"],
  ],
  ["no node is selected: the claim is taken", {}, made, node, ["patch"]],
  ["taken only where the class allows it", { storageClass: zones("z2") }, made, node, []],
  ["taken where the class allows it", { storageClass: zones("z2", "z1") }, made, node, ["patch"]],
  [
    "a claim that is deleted before",
    { claim: claim({ metadata: { annotations, deletionTimestamp: ago(1) } }) },
    made,
    undefined,
    [],
  ],
  [
    "deleted meanwhile: made or found, and deleted",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    made,
    node,
    ["patch"],
  ],
  [
    "deleted meanwhile, and the driver may be at work",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    "UNAVAILABLE",
    node,
    ["retry"],
  ],
  [
    "deleted meanwhile, and never made",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    "RESOURCE_EXHAUSTED",
    node,
    ["patch"],
  ],
  ["another node is selected meanwhile", { claim: selected("n2", marked) }, made, node, ["patch"]],
  [
    "a copy of nothing",
    { claim: copy },
    made,
    undefined,
    [
      failed('error getting PVC other (namespace "default") from api server: persistentvolumeclaims "other" not found'),
      "retry",
    ],
  ],
  [
    "a copy of a claim that is not bound",
    { claim: copy, sourceClaim: { ...other, status: { phase: "Pending" } } },
    made,
    undefined,
    [failed("the PVC DataSource other must be bound"), "retry"],
  ],
  [
    "a copy of another driver's volume",
    { claim: copy, sourceClaim: other, source: volume() },
    made,
    undefined,
    [failed(`the source volume pv is not of driver ${driver}`), "retry"],
  ],
];
for (const [what, of, response, on, does] of rows)
  test(`provisioner: ${what}`, async () =>
    expect(await outcome(decideOrder(order(of), driverThat(response, on && { node: on }).options))).toEqual(does));

test("provisioner: the request", async () => {
  const { options, calls } = driverThat(made, { node });
  const parameters = { "csi.storage.k8s.io/fstype": "ext4", kind: "fast" };
  const of = { claim: selected("n1"), storageClass: storageClass("fast", { parameters, mountOptions: ["noatime"] }) };
  await outcome(decideOrder(order(of), options));
  expect(calls).toEqual([
    {
      method: "CreateVolume",
      request: {
        name: "pvc-uid-of-data",
        capacityRange: { requiredBytes: 2 ** 30, limitBytes: 0 },
        volumeCapabilities: [
          {
            mount: { fsType: "ext4", mountFlags: ["noatime"], volumeMountGroup: "" },
            accessMode: { mode: "SINGLE_NODE_MULTI_WRITER" },
          },
        ],
        parameters: { kind: "fast" },
        accessibilityRequirements: { requisite: [node], preferred: [node] },
      },
    },
  ]);
});
