// Grows the file system of a volume after its controller has grown the volume, and completes the resize of its claim
// (CSI: NodeExpandVolume). Sources: KEP-284, KEP-1790.
import type { PersistentVolumeClaim, PersistentVolumeClaimCondition, Pod } from "../../../api/generated/types.ts";
import { hasReason } from "../../../api/errors.ts";
import { type Instant, timestamp } from "../../../api/meta.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { unitsOf } from "../../../api/quantity.ts";
import { RpcError, type RpcCode } from "../../../csi/protocol/grpc.ts";
import type { Client } from "../../../machinery/client.ts";
import type { EventRecorder } from "../../../machinery/events.ts";
import type { World } from "../../../machinery/world.ts";
import type { ClaimedVolume } from "../claims.ts";
import { VolumeFailure } from "../volume-failure.ts";
import { rpcMessage } from "./rpc-message.ts";

type Claim = PersistentVolumeClaim;
type ResizeStatus = "NodeResizeInProgress" | "NodeResizeInfeasible";

const resizeConditions = ["FileSystemResizePending", "Resizing", "ControllerResizeError", "NodeResizeError"];
const isOfResize = ({ type }: PersistentVolumeClaimCondition): boolean => resizeConditions.includes(type);

/** Whether the file system of a mounted volume has to grow: its controller has left this to the node. Pure. */
export function needsExpansion({ claim, pv, readOnly }: ClaimedVolume): boolean {
  const step = claim.status?.allocatedResourceStatuses?.["storage"];
  const isNodesTurn = step === "NodeResizePending" || step === "NodeResizeInProgress";
  const [now, size] = [claim.status?.capacity?.["storage"], pv.spec.capacity?.["storage"]];
  return !readOnly && isNodesTurn && unitsOf(size) > unitsOf(now);
}

/** The claim with a step of its resize. Pure. */
export function withStep(claim: Claim, step: ResizeStatus): Claim {
  const allocatedResourceStatuses = { ...claim.status?.allocatedResourceStatuses, storage: step };
  return { ...claim, status: { ...claim.status, allocatedResourceStatuses } };
}

/** The claim with an error of its resize. Pure. */
export function withResizeError(claim: Claim, error: string, now: Instant): Claim {
  const message = `failed to expand pvc with ${error}`;
  const before = claim.status?.conditions?.find(({ type }) => type === "NodeResizeError");
  const lastTransitionTime = before?.lastTransitionTime ?? timestamp(now);
  const others = (claim.status?.conditions ?? []).filter(({ type }) => type !== "NodeResizeError");
  const condition = { type: "NodeResizeError", status: "True", message, lastTransitionTime };
  return { ...claim, status: { ...claim.status, conditions: [...others, condition] } };
}

/** The claim after its resize: with the new size, and without what the resize has left in its status. Pure. */
export function resized(claim: Claim, size: string): Claim {
  const { storage: _, ...allocatedResourceStatuses } = claim.status?.allocatedResourceStatuses ?? {};
  return {
    ...claim,
    status: {
      ...claim.status,
      capacity: { ...claim.status?.capacity, storage: size },
      allocatedResourceStatuses,
      conditions: (claim.status?.conditions ?? []).filter((c) => !isOfResize(c)),
    },
  };
}

/** With these codes the driver may still do what it was called for. */
const isUnfinished: readonly RpcCode[] = [
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "UNAVAILABLE",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
];
/** With these codes the driver will refuse the size again. */
const isInfeasible: readonly RpcCode[] = ["INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND"];

export interface ExpansionPorts {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly world: World;
  readonly nodeName: string;
}

/** Writes the claim's status. Fails with a conflict when another node or pod has written it. */
const write = ({ client }: ExpansionPorts, claim: Claim): Promise<Claim> =>
  client.update(persistentVolumeClaims, claim, "status");

async function recordError(ports: ExpansionPorts, claim: Claim, e: unknown): Promise<void> {
  if (!(e instanceof RpcError) || isUnfinished.includes(e.code)) return;
  const marked = isInfeasible.includes(e.code) ? withStep(claim, "NodeResizeInfeasible") : claim;
  await write(ports, withResizeError(marked, rpcMessage(e), ports.world.clock.now()));
}

/**
 * Grows the volume by `grow`, and completes the resize. Throws `VolumeFailure` when the driver refuses; a claim that
 * was written meanwhile is left to the next attempt.
 */
export async function expandVolume(
  ports: ExpansionPorts,
  pod: Pod,
  { claim, pv }: ClaimedVolume,
  grow: (bytes: number) => Promise<unknown>,
): Promise<void> {
  const size = pv.spec.capacity!["storage"]!;
  const volume = pv.metadata.name;
  try {
    const begun = await write(ports, withStep(claim, "NodeResizeInProgress"));
    try {
      await grow(unitsOf(size));
    } catch (e) {
      await recordError(ports, begun, e);
      // Not possible while the pod runs: it keeps the volume as it is, and the next pod on a node may have it grown.
      if (e instanceof RpcError && e.code === "FAILED_PRECONDITION") return;
      const message = `NodeExpandVolume.NodeExpandVolume failed for volume "${volume}" : ${rpcMessage(e)}`;
      throw new VolumeFailure(message, "VolumeResizeFailed");
    }
    await write(ports, resized(begun, size));
  } catch (e) {
    if (hasReason(e, "Conflict")) return;
    throw e;
  }
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${volume}" ${ports.nodeName}`;
  for (const object of [pod, claim]) ports.events.record(object, "Normal", "FileSystemResizeSuccessful", message);
}
