// The room of a node for each class that waits for its consumer: published, kept up to date, and withdrawn.
import { expect, test } from "vitest";
import type { CSINode, CSIStorageCapacity, StorageClass } from "../../../api/generated/types.ts";
import { decideCapacity } from "../../../controllers/csi/capacity.ts";
import { driver, driverThat, node, outcome } from "./csi-driver.ts";
import { storageClass } from "./volumes.ts";
import { asStored } from "./world.ts";

const owner = asStored<CSINode>({ kind: "CSINode", metadata: { name: "n1" }, spec: { drivers: [] } });
const delayed = storageClass("fast", { volumeBindingMode: "WaitForFirstConsumer", parameters: { kind: "ssd" } });
const published = (capacity: string): CSIStorageCapacity =>
  asStored({ kind: "CSIStorageCapacity", metadata: { name: "c" }, storageClassName: "fast", capacity });
const room = { availableCapacity: 64 * 2 ** 30, maximumVolumeSize: null };

const rows: readonly (readonly [
  string,
  StorageClass | undefined,
  CSIStorageCapacity | undefined,
  readonly string[],
])[] = [
  ["published", delayed, undefined, ["create"]],
  ["changed", delayed, published("32Gi"), ["update"]],
  ["hardly changed", delayed, published("65Gi"), []],
  ["of a class that is bound at once", storageClass("fast"), undefined, []],
  ["of a class that is gone", undefined, published("64Gi"), ["delete"]],
  ["of another provisioner", { ...delayed, provisioner: "d" }, published("64Gi"), ["delete"]],
];
for (const [what, of, capacity, does] of rows)
  test(`capacity: ${what}`, async () => {
    const { options } = driverThat(room, { node });
    expect(await outcome(decideCapacity({ name: "fast", storageClass: of, node: owner, capacity }, options))).toEqual(
      does,
    );
  });

test("capacity: what is requested and published, and read again in a minute", async () => {
  const { options, calls } = driverThat(room, { node });
  const decision = decideCapacity({ name: "fast", storageClass: delayed, node: owner, capacity: undefined }, options);
  const after = await decision.effect!.run();
  expect(calls).toEqual([
    {
      method: "GetCapacity",
      request: { parameters: { kind: "ssd" }, accessibleTopology: { segments: { zone: "z1" } } },
    },
  ]);
  expect(after).toMatchObject({
    actions: [
      {
        draft: {
          metadata: {
            namespace: "kube-system",
            labels: { "csi.storage.k8s.io/drivername": driver },
            ownerReferences: [{ kind: "CSINode", uid: owner.metadata.uid }],
          },
          storageClassName: "fast",
          nodeTopology: { matchLabels: { zone: "z1" } },
          capacity: "64Gi",
        },
      },
    ],
    requeueAfter: 60_000,
  });
});

test("capacity: nothing before the node is known, and again after an error", async () => {
  const observed = { name: "fast", storageClass: delayed, node: undefined, capacity: undefined };
  expect(decideCapacity(observed, driverThat(room, { node }).options)).toEqual({ actions: [] });
  const failing = decideCapacity({ ...observed, node: owner }, driverThat("INTERNAL", { node }).options);
  expect(await outcome(failing)).toEqual(["retry"]);
});
