// What the binder does about a claim: the volume it is bound to, what it waits for, whether its volume is lost. Pure.
// Source: the Kubernetes concepts page "Persistent Volumes".
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { classAnnotation } from "../../api/core/volume-fields.ts";
import {
  bindCompleted,
  boundByController,
  classNameOf,
  hasAccessModes,
  refersTo,
  selectedNode,
  storageProvisioner,
  volumeAnywhere,
  waitsForConsumer,
} from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { parseQuantity } from "../../api/quantity.ts";
import { type Action, recordEvent, updateTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";
import { bind, claimPhaseTo } from "./binding.ts";

export interface ObservedClaim {
  readonly claim: PersistentVolumeClaim;
  /** The volume that the claim names. */
  readonly named: PersistentVolume | undefined;
  /** Volumes that refer to the claim, and those of its class that refer to none. */
  readonly candidates: readonly PersistentVolume[];
  readonly storageClass: StorageClass | undefined;
  /** The class of claims without one. */
  readonly defaultClass: string | undefined;
  /** Pods that use the claim. */
  readonly pods: readonly Pod[];
}

const pending = (claim: PersistentVolumeClaim, ...events: readonly Action[]): Decision => ({
  actions: [...claimPhaseTo(claim, "Pending"), ...events],
  because: events.flatMap((e) => (e.do === "event" ? [e.message] : [])),
});

const list = (names: readonly string[]): string => names.toSorted().join(", ");

/** The event of a claim that is bound once a pod that uses it is scheduled. */
function consumerAwaited({ claim, pods }: ObservedClaim): Action {
  const names = pods.filter(({ spec }) => !spec.nodeName).map(({ metadata }) => metadata.name);
  if (names.length === 0)
    return recordEvent(
      claim,
      "Normal",
      "WaitForFirstConsumer",
      "waiting for first consumer to be created before binding",
    );
  const which = names.length > 1 ? "pods" : "pod";
  return recordEvent(claim, "Normal", "WaitForPodScheduled", `waiting for ${which} ${list(names)} to be scheduled`);
}

/** Names the provisioner that is to make a volume for the claim. */
function provision({ claim, storageClass }: ObservedClaim): Decision {
  const failed = (message: string): Decision =>
    pending(claim, recordEvent(claim, "Warning", "ProvisioningFailed", message));
  if (storageClass === undefined) return failed(`storageclass.storage.k8s.io "${classNameOf(claim)}" not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) return failed(`no volume plugin matched name: ${provisioner}`);
  const names = Object.fromEntries(storageProvisioner.map((name) => [name, provisioner]));
  const annotations = { ...claim.metadata.annotations, ...names };
  const named = { ...claim, metadata: { ...claim.metadata, annotations } };
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  const actions = updateTo(persistentVolumeClaims, claim, named);
  const event = recordEvent(claim, "Normal", "ExternalProvisioning", message);
  return actions.length > 0 ? { actions: [...actions, event], because: [message] } : pending(claim);
}

/** A claim that names no volume. */
function findVolume(observed: ObservedClaim, now: Instant): Decision {
  const { claim, candidates, storageClass, defaultClass } = observed;
  const hasClass = claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[classAnnotation];
  if (!hasClass && defaultClass !== undefined) {
    const object = { ...claim, spec: { ...claim.spec, storageClassName: defaultClass } };
    return {
      actions: [{ do: "update", resource: persistentVolumeClaims, object }],
      because: [`${defaultClass} is the default class`],
    };
  }
  // A binding that has begun is completed, also when the volume is deleted meanwhile: then both go together.
  const begun = candidates.find((v) => v.status?.phase === "Bound" && v.spec.claimRef?.uid === claim.metadata.uid);
  const isDelayed = waitsForConsumer(storageClass);
  const volume = begun ?? volumeAnywhere(claim, candidates, isDelayed);
  if (volume) return bind(volume, claim, now);
  if (isDelayed && !claim.metadata.annotations?.[selectedNode]) return pending(claim, consumerAwaited(observed));
  if (classNameOf(claim) !== "") return provision(observed);
  const message = "no persistent volumes available for this claim and no storage class is set";
  return pending(claim, recordEvent(claim, "Normal", "FailedBinding", message));
}

const sizeOf = (quantities: Readonly<Record<string, string>> | undefined): bigint =>
  parseQuantity(quantities?.["storage"] ?? "0")?.nano ?? 0n;

/** Why a claim cannot have the volume it names; undefined when it can. */
function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (sizeOf(volume.spec.capacity) < sizeOf(claim.spec.resources?.requests)) return "requested PV is too small";
  if (classNameOf(volume) !== classNameOf(claim)) return "storageClassName does not match";
  if ((volume.spec.volumeAttributesClassName ?? "") !== (claim.spec.volumeAttributesClassName ?? ""))
    return "VolumeAttributesClassName does not match";
  if ((volume.spec.volumeMode ?? "Filesystem") !== (claim.spec.volumeMode ?? "Filesystem"))
    return "incompatible volumeMode";
  return hasAccessModes(volume, claim) ? undefined : "incompatible accessMode";
}

/** A claim that names a volume and is not bound yet. */
function bindNamed({ claim, named }: ObservedClaim, now: Instant): Decision {
  if (named === undefined) return pending(claim);
  const { name } = named.metadata;
  const { claimRef } = named.spec;
  if (claimRef === undefined) {
    const reason = mismatch(named, claim);
    if (reason === undefined) return bind(named, claim, now);
    const message = `Cannot bind to requested volume "${name}": ${reason}`;
    return pending(claim, recordEvent(claim, "Warning", "VolumeMismatch", message));
  }
  if (refersTo(named, claim)) return bind(named, claim, now);
  const message = `volume "${name}" already bound to a different claim.`;
  // The system never makes a reference to another claim's volume: it was changed by a user.
  if (claim.metadata.annotations?.[boundByController] !== undefined) return { actions: [], because: [message] };
  return pending(claim, recordEvent(claim, "Warning", "FailedBinding", message));
}

function lost(claim: PersistentVolumeClaim, reason: string, message: string): Decision {
  const isReported = claim.status?.phase === "Lost";
  const events = isReported ? [] : [recordEvent(claim, "Warning", reason, message)];
  return { actions: [...claimPhaseTo(claim, "Lost"), ...events], because: [message] };
}

/** The event of a claim that requests more than it has, until a resizer begins. */
function expansionAwaited(claim: PersistentVolumeClaim): readonly Action[] {
  const { capacity, allocatedResourceStatuses } = claim.status ?? {};
  if (sizeOf(claim.spec.resources?.requests) <= sizeOf(capacity) || allocatedResourceStatuses?.["storage"]) return [];
  const message = "waiting for an external controller to expand this PVC";
  return [recordEvent(claim, "Normal", "ExternalExpanding", message)];
}

/** A claim whose binding was complete once. */
function keepBound({ claim, named }: ObservedClaim, now: Instant): Decision {
  if (!claim.spec.volumeName)
    return lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  if (named === undefined)
    return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const { claimRef } = named.spec;
  if (claimRef === undefined || (refersTo(named, claim) && claimRef.uid)) {
    const next = bind(named, claim, now);
    return next.actions.length > 0 ? next : { actions: expansionAwaited(claim) };
  }
  const message = "Two claims are bound to the same volume, this one is bound incorrectly";
  return lost(claim, "ClaimMisbound", message);
}

/** The next step for a claim. */
export function decideClaim(observed: ObservedClaim, now: Instant): Decision {
  const { metadata, spec } = observed.claim;
  if (metadata.annotations?.[bindCompleted] !== undefined) return keepBound(observed, now);
  return spec.volumeName ? bindNamed(observed, now) : findVolume(observed, now);
}
