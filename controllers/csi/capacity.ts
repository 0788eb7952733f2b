// How much room a driver's node has left for volumes of a class, for the scheduler. Pure, but for the calls that it
// returns. Source: KEP-1472.
import { canonicalJson, hashName } from "../../api/hash.ts";
import type { CSINode, CSIStorageCapacity, StorageClass } from "../../api/generated/types.ts";
import { ownedBy } from "../../api/meta.ts";
import { memoryQuantity, unitsOf } from "../../api/quantity.ts";
import { waitsForConsumer } from "../../api/core/volume-matching.ts";
import { csiStorageCapacities } from "../../api/storage/csi.ts";
import type { Action } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { callOf, type DriverNode, type DriverOptions } from "./sidecar.ts";

export interface ObservedCapacity {
  /** The name of the class. */
  readonly name: string;
  readonly storageClass: StorageClass | undefined;
  /** Owns the object, which is deleted with the node. */
  readonly node: CSINode | undefined;
  readonly capacity: CSIStorageCapacity | undefined;
}

export const capacityNamespace = "kube-system";
const pollMs = 60_000;
/** Smaller changes are not written: a change of 1/32 of the capacity. */
const significance = 32;

/** The name of the object for a class and a node. */
export const capacityName = (className: string, node: DriverNode, driver: string): string =>
  `csisc-${hashName(canonicalJson([driver, className, node.segments]), 10)}`;

function publish(
  observed: ObservedCapacity,
  options: DriverOptions,
  bytes: number,
  maximum: number,
): readonly Action[] {
  const { name, node: owner, capacity: before } = observed;
  const known = unitsOf(before?.capacity);
  if (before?.capacity !== undefined && Math.abs(bytes - known) <= known / significance) return [];
  const sizes = {
    capacity: memoryQuantity(bytes),
    ...(maximum > 0 && { maximumVolumeSize: memoryQuantity(maximum) }),
  };
  if (before)
    return [{ do: "update", resource: csiStorageCapacities, object: { ...before, ...sizes } as CSIStorageCapacity }];
  const { driver, node } = options;
  const draft = {
    kind: "CSIStorageCapacity" as const,
    metadata: {
      name: capacityName(name, node!, driver),
      namespace: capacityNamespace,
      labels: { "csi.storage.k8s.io/drivername": driver },
      ownerReferences: [ownedBy(owner!)],
    },
    storageClassName: name,
    nodeTopology: { matchLabels: node!.segments },
    ...sizes,
  };
  return [{ do: "create", resource: csiStorageCapacities, draft }];
}

/** The next step for a class: the capacity is read again every minute. */
export function decideCapacity(observed: ObservedCapacity, options: DriverOptions): Decision {
  const { storageClass, capacity, node: owner } = observed;
  const { calls, driver, node } = options;
  if (storageClass?.provisioner !== driver || !waitsForConsumer(storageClass))
    return capacity ? { actions: [{ do: "delete", resource: csiStorageCapacities, object: capacity }] } : settled;
  if (owner === undefined || node === undefined) return settled;
  const request = { parameters: storageClass.parameters ?? {}, accessibleTopology: { segments: node.segments } };
  return {
    actions: [],
    effect: callOf("GetCapacity", () => calls.GetCapacity(request), {
      succeeded: ({ availableCapacity, maximumVolumeSize }) => ({
        actions: publish(observed, options, availableCapacity, maximumVolumeSize?.value ?? 0),
        requeueAfter: pollMs,
      }),
      failed: ({ message }) => ({ actions: [], failure: message }),
    }),
  };
}
