// What a provisioner does about a claim: the driver makes a volume for it, once, and deletes the volume of a claim that
// was deleted meanwhile. Pure, but for the calls that it returns. Source: external-provisioner's documentation.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { classNameOf, selectedNode, storageProvisioner, waitsForConsumer } from "../../api/core/volume-matching.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttributesClass,
} from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { addFinalizers, patchMetadata } from "../../machinery/metadata-patches.ts";
import { cloningFinalizer } from "./clone-protection.ts";
import { newVolume, newVolumeRequest, volumeNameOf } from "./new-volume.ts";
import { contentSource, type ObservedSource, placeOf, sourceOf, sourceProblem } from "./source.ts";
import { type CallError, callOf, type DriverNode, type DriverOptions } from "./sidecar.ts";

export interface ObservedOrder {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass | undefined;
  /** The volume of this claim, if there is one already. */
  readonly volume: PersistentVolume | undefined;
  /** What it is to be a copy of. */
  readonly source: ObservedSource;
  /** The class of attributes that it names. */
  readonly attributes: VolumeAttributesClass | undefined;
}

interface Provisioner extends Pick<DriverOptions, "driver"> {
  readonly node?: Pick<DriverNode, "name">;
}
const longestName = 63;
/**
 * A finalizer of claims for which the driver may have made a volume that has no PersistentVolume yet. It is written
 * before the call, so that no volume is left when the provisioner is killed and the claim deleted.
 */
export const provisioningFinalizer = ({ driver, node }: Provisioner): string =>
  `provisioning.${driver}/${(node?.name ?? "cluster").slice(0, longestName)}`;

const provisionerOf = ({ metadata: { annotations } }: PersistentVolumeClaim): string | undefined =>
  storageProvisioner.map((name) => annotations?.[name]).find((name) => name !== undefined);

/** Whether the class allows volumes of a node with these labels. */
function isAllowed({ allowedTopologies: terms = [] }: StorageClass, segments: Readonly<Record<string, string>>) {
  return (
    terms.length === 0 ||
    terms.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => !(key in segments) || values.includes(segments[key]!)),
    )
  );
}

type Role = "provision" | "take" | "none";

/** Whether this provisioner is to make a volume for the claim, or may take it because no node is selected. */
function roleIn({ claim, storageClass, source }: ObservedOrder, options: DriverOptions): Role {
  const { driver, node } = options;
  const { metadata, spec } = claim;
  if (metadata.deletionTimestamp !== undefined || spec.volumeName || storageClass === undefined) return "none";
  if (provisionerOf(claim) !== driver) return "none";
  const selected = metadata.annotations?.[selectedNode];
  if (!selected && waitsForConsumer(storageClass)) return "none";
  const place = placeOf(source, options);
  if (place === "elsewhere") return "none";
  if (node === undefined || selected === node.name) return "provision";
  // A copy is made where its source is. The scheduler, which does not know that, places the pod again.
  if (place === "here") return "take";
  return !selected && isAllowed(storageClass, node.segments) ? "take" : "none";
}

const finalizersOf = ({ metadata }: PersistentVolumeClaim): readonly string[] => metadata.finalizers ?? [];

function withoutFinalizer(claim: PersistentVolumeClaim, finalizer: string, because: string): Decision {
  const finalizers = finalizersOf(claim).filter((f) => f !== finalizer);
  return { actions: [patchMetadata(persistentVolumeClaims, claim, { finalizers })], because: [because] };
}

/** A claim is not deleted while it is copied. */
function protectSource(claim: PersistentVolumeClaim, { claim: source }: ObservedSource): readonly Action[] {
  return source && sourceOf(claim)?.type === "claim"
    ? addFinalizers(persistentVolumeClaims, source, [cloningFinalizer])
    : [];
}

/** Why a volume cannot have the attributes that its claim names. */
function attributesProblem({ claim, attributes }: ObservedOrder, { driver, capabilities }: DriverOptions) {
  const { volumeAttributesClassName: name = "" } = claim.spec;
  if (name === "") return undefined;
  if (!capabilities.has("MODIFY_VOLUME"))
    return "CSI driver does not support VolumeAttributesClass: controller MODIFY_VOLUME capability is not reported";
  if (attributes === undefined) return `volumeattributesclasses.storage.k8s.io "${name}" not found`;
  const { driverName } = attributes;
  return driverName === driver
    ? undefined
    : `VAC ${name} referenced in PVC is for driver ${driverName} which does not match driver name ${driver}`;
}

function failed(claim: PersistentVolumeClaim, reason: string): Decision {
  const message = `failed to provision volume with StorageClass "${classNameOf(claim)}": ${reason}`;
  return { actions: [recordEvent(claim, "Warning", "ProvisioningFailed", message)], failure: message };
}

/** Where a node has no room, the scheduler chooses again. */
function reschedules(observed: ObservedOrder, options: DriverOptions, { code }: CallError): boolean {
  return options.node !== undefined && code === "RESOURCE_EXHAUSTED" && waitsForConsumer(observed.storageClass);
}

function provision(observed: ObservedOrder, options: DriverOptions): Decision {
  const { claim, storageClass, source } = observed;
  const { calls } = options;
  if (sourceOf(claim)?.type === "populated") {
    const message = "Assuming an external populator will provision the volume";
    return { actions: [recordEvent(claim, "Normal", "Provisioning", message)] };
  }
  const problem = attributesProblem(observed, options) ?? sourceProblem(claim, source, storageClass!, options);
  if (problem !== undefined) return failed(claim, problem);
  const protection = protectSource(claim, source);
  if (protection.length > 0) return { actions: protection, because: [`${keyOf(claim)} becomes a copy of it`] };
  const order = { claim, storageClass: storageClass!, source: contentSource(source), attributes: observed.attributes };
  const finalizer = provisioningFinalizer(options);
  const finalizers = finalizersOf(claim);
  const name = volumeNameOf(claim);
  const marks = finalizers.includes(finalizer)
    ? []
    : [patchMetadata(persistentVolumeClaims, claim, { finalizers: [...finalizers, finalizer] })];
  const begins = `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;
  return {
    actions: [...marks, recordEvent(claim, "Normal", "Provisioning", begins)],
    because: [`${options.driver} is its provisioner`],
    effect: callOf("CreateVolume", () => calls.CreateVolume(newVolumeRequest(order, options)), {
      succeeded: ({ volume }) => ({
        actions: [
          { do: "create", resource: persistentVolumes, draft: newVolume(order, volume!, options) },
          recordEvent(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${name}`),
        ],
      }),
      failed: (error) => {
        const failure = failed(claim, error.message);
        if (!reschedules(observed, options, error)) return failure;
        const patch = { metadata: { uid: claim.metadata.uid, annotations: { [selectedNode]: null } } };
        const unselect: Action = {
          ...{ do: "patch", resource: persistentVolumeClaims, object: claim },
          patch: { type: "merge", patch },
        };
        return { actions: [...failure.actions, unselect], because: [failure.failure!] };
      },
    }),
  };
}

/**
 * Deletes what the driver may have made for a claim that does not want it any more. The name finds it, if it exists; if
 * not, it is made and deleted at once.
 */
function undo(observed: ObservedOrder, options: DriverOptions): Decision {
  const { claim, storageClass } = observed;
  const { calls } = options;
  const finalizer = provisioningFinalizer(options);
  const done = withoutFinalizer(claim, finalizer, "no volume was left for it");
  const later = ({ message }: CallError): Decision => ({ actions: [], failure: message });
  const noClass = {
    apiVersion: "",
    kind: "StorageClass",
    metadata: claim.metadata,
    provisioner: options.driver,
  } as const;
  const order = {
    claim,
    storageClass: storageClass ?? noClass,
    source: contentSource(observed.source),
    attributes: observed.attributes,
  };
  return {
    actions: [],
    because: ["the claim does not want the volume any more"],
    effect: callOf("CreateVolume", () => calls.CreateVolume(newVolumeRequest(order, options)), {
      succeeded: ({ volume }) => ({
        actions: [],
        effect: callOf("DeleteVolume", () => calls.DeleteVolume({ volumeId: volume!.volumeId }), {
          succeeded: () => done,
          failed: later,
        }),
      }),
      failed: (error) => (error.isFinal ? done : later(error)),
    }),
  };
}

/** The next step for a claim. */
export function decideOrder(observed: ObservedOrder, options: DriverOptions): Decision {
  const { claim, volume } = observed;
  const finalizer = provisioningFinalizer(options);
  const isMarked = finalizersOf(claim).includes(finalizer);
  if (volume || claim.spec.volumeName === volumeNameOf(claim)) {
    // Until then the binder writes the claim.
    const isStable = claim.status?.phase === "Bound" || claim.metadata.deletionTimestamp !== undefined;
    return isMarked && isStable ? withoutFinalizer(claim, finalizer, "it has its volume") : settled;
  }
  const role = roleIn(observed, options);
  if (role === "provision") return provision(observed, options);
  if (isMarked) return undo(observed, options);
  if (role === "none") return settled;
  const annotations = { [selectedNode]: options.node!.name };
  return {
    actions: [patchMetadata(persistentVolumeClaims, claim, { annotations })],
    because: ["this node makes its volume"],
  };
}
