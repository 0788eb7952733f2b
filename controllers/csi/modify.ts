// What a resizer does about a claim that names another class of attributes: the driver changes them. Pure, but for the
// calls that it returns. Sources: KEP-3751 and the documentation of external-resizer.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type {
  ModifyVolumeStatus,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  VolumeAttributesClass,
} from "../../api/generated/types.ts";
import { withCondition, withoutCondition } from "../../api/conditions.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { type Action, recordEvent, statusTo, updateTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { isServed } from "./reclaim.ts";
import { type CallError, callOf, type DriverOptions } from "./sidecar.ts";

export interface ObservedModification {
  readonly claim: PersistentVolumeClaim;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  readonly classOf: (name: string) => VolumeAttributesClass | undefined;
}

const modifying = "ModifyingVolume";
const modifyError = "ModifyVolumeError";
const infeasibleRetryMs = 300_000;

/** The claim's status with these conditions of a modification and no others, and this state of it. */
function modified(
  { status = {} }: PersistentVolumeClaim,
  modifyVolumeStatus: ModifyVolumeStatus | undefined,
  conditions: readonly Omit<PersistentVolumeClaimCondition, "lastTransitionTime">[],
  now: Instant,
): NonNullable<PersistentVolumeClaim["status"]> {
  const { conditions: before, modifyVolumeStatus: _, ...rest } = status;
  const kept = [modifying, modifyError].reduce<readonly PersistentVolumeClaimCondition[]>(
    (all, type) => (conditions.some((c) => c.type === type) ? all : withoutCondition(all, type)),
    before ?? [],
  );
  const all = conditions.reduce((list, next) => withCondition(list, next, now), kept);
  return {
    ...rest,
    ...(all.length > 0 && { conditions: all }),
    ...(modifyVolumeStatus && { modifyVolumeStatus }),
  };
}

const write = (claim: PersistentVolumeClaim, status: NonNullable<PersistentVolumeClaim["status"]>): readonly Action[] =>
  statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, status);
const isTrue = (type: string, message: string, reason?: string) => ({
  ...{ type, status: "True", message },
  ...(reason !== undefined && { reason }),
});

/** Whether a call may still be at work: its target is reached before another one is tried. */
function isUncertain({ status }: PersistentVolumeClaim): boolean {
  if (status?.modifyVolumeStatus?.status !== "InProgress") return false;
  return conditionOf(status.conditions, modifying)?.message?.endsWith("Waiting for retry.") !== true;
}

function succeeded(claim: PersistentVolumeClaim, volume: PersistentVolume, name: string, now: Instant): Decision {
  const spec = { ...volume.spec, volumeAttributesClassName: name };
  const status = { ...modified(claim, undefined, [], now), currentVolumeAttributesClassName: name };
  const message = `external resizer modified volume ${claim.metadata.name} with vac ${name} successfully`;
  return {
    // The volume first: the claim says that the modification is complete.
    actions: [
      ...updateTo(persistentVolumes, volume, { ...volume, spec }),
      ...write(claim, status),
      recordEvent(claim, "Normal", "VolumeModifySuccessful", message),
    ],
  };
}

function failed(claim: PersistentVolumeClaim, name: string, error: CallError, now: Instant): Decision {
  const isInfeasible = error.code === "INVALID_ARGUMENT";
  const next = error.isFinal ? "failed. Waiting for retry." : "is still in progress.";
  const [, , description = error.message] = /code = (\w+) desc = (.*)/s.exec(error.message) ?? [];
  const [, code = ""] = /code = (\w+)/.exec(error.message) ?? [];
  const conditions = [
    isTrue(modifying, `Modifying volume to ${JSON.stringify(name)} ${next}`),
    isTrue(modifyError, description, code),
  ];
  const state = { status: isInfeasible ? "Infeasible" : "InProgress", targetVolumeAttributesClassName: name } as const;
  const message = error.isFinal ? error.message : `${error.message}. Still modifying to VAC ${name}`;
  const actions = [
    ...write(claim, modified(claim, state, conditions, now)),
    recordEvent(claim, "Warning", "VolumeModifyFailed", message),
  ];
  return isInfeasible
    ? { actions, because: [message], requeueAfter: infeasibleRetryMs }
    : { actions, failure: message };
}

/** A class that is not wanted any more. What was reached stays. */
function cancel(claim: PersistentVolumeClaim, now: Instant): Decision {
  if (conditionOf(claim.status?.conditions, modifying) === undefined) return settled;
  const event = recordEvent(claim, "Normal", "VolumeModifyCanceled", "Cancelled modify.");
  return { actions: [...write(claim, modified(claim, claim.status?.modifyVolumeStatus, [], now)), event] };
}

/** How long a class that was infeasible is not tried again, in milliseconds. */
function untilRetry({ status }: PersistentVolumeClaim, name: string, now: Instant): number {
  const { status: state, targetVolumeAttributesClassName: target } = status?.modifyVolumeStatus ?? {};
  const since = conditionOf(status?.conditions, modifyError)?.lastTransitionTime;
  if (state !== "Infeasible" || target !== name || since === undefined) return 0;
  return Math.max(0, instantOf(since) + infeasibleRetryMs - now);
}

/** Says what is modified, then has the driver do it. */
function modify(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  { metadata: { name }, parameters = {} }: VolumeAttributesClass,
  { calls }: DriverOptions,
  now: Instant,
): Decision {
  const { status: state, targetVolumeAttributesClassName: target } = claim.status?.modifyVolumeStatus ?? {};
  if (state !== "InProgress" || target !== name) {
    const begun = { status: "InProgress", targetVolumeAttributesClassName: name } as const;
    const condition = isTrue(modifying, `Modifying volume to ${JSON.stringify(name)} is in progress.`);
    const message = `external resizer is modifying volume ${claim.metadata.name} with vac ${name}`;
    return {
      actions: [
        ...write(claim, modified(claim, begun, [condition], now)),
        recordEvent(claim, "Normal", "VolumeModify", message),
      ],
      because: [`the claim names ${name}`],
    };
  }
  const request = { volumeId: volume.spec.csi!.volumeHandle, mutableParameters: parameters };
  return {
    actions: [],
    effect: callOf("ControllerModifyVolume", () => calls.ControllerModifyVolume(request), {
      succeeded: () => succeeded(claim, volume, name, now),
      failed: (error) => failed(claim, name, error, now),
    }),
  };
}

/** The next step for a claim. */
export function decideModification(
  { claim, volume, classOf }: ObservedModification,
  options: DriverOptions,
  now: Instant,
): Decision {
  const { status } = claim;
  if (status?.phase !== "Bound" || volume === undefined || !isServed(volume, options)) return settled;
  if (!options.capabilities.has("MODIFY_VOLUME")) return settled;
  const named = claim.spec.volumeAttributesClassName ?? "";
  const current = status.currentVolumeAttributesClassName ?? "";
  const state = status.modifyVolumeStatus;
  if (state === undefined && named === current) return settled;
  if (named === "" && state?.status !== "InProgress") return cancel(claim, now);
  const isContinued = named === "" || isUncertain(claim);
  const name = isContinued ? (state?.targetVolumeAttributesClassName ?? named) : named;
  const attributes = classOf(name);
  if (attributes === undefined) {
    const pending = { ...state, status: "Pending" } as const;
    const because = [`VAC ${JSON.stringify(name)} does not exist.`];
    if (isContinued || state?.status === "Pending") return { actions: [], because };
    return {
      actions: [
        ...write(claim, { ...status, modifyVolumeStatus: pending }),
        recordEvent(claim, "Warning", "VolumeModifyFailed", because[0]!),
      ],
      because,
    };
  }
  const wait = untilRetry(claim, name, now);
  if (wait > 0) return { actions: [], because: ["the class was infeasible"], requeueAfter: wait };
  return modify(claim, volume, attributes, options, now);
}
