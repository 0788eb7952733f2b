// A volume for a claim: the request to the driver, and the PersistentVolume for its response. Pure. Sources: the
// documentation of external-provisioner, the Container Storage Interface.
import { classNameOf, provisionedBy } from "../../api/core/volume-matching.ts";
import type {
  NodeSelectorTerm,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttributesClass,
} from "../../api/generated/types.ts";
import type { Draft } from "../../api/meta.ts";
import { memoryQuantity, unitsOf } from "../../api/quantity.ts";
import { csiCapability } from "../../csi/protocol/capabilities.ts";
import type { ContentSource } from "./source.ts";
import type { DriverCalls, DriverOptions } from "./sidecar.ts";

type CreateVolume = DriverCalls["CreateVolume"];
export type NewVolumeRequest = Parameters<CreateVolume>[0];
export type NewVolume = NonNullable<Awaited<ReturnType<CreateVolume>>["volume"]>;

/** On volumes: the object stays until the driver has deleted what it stands for. */
export const volumeFinalizer = "external-provisioner.volume.kubernetes.io/finalizer";
const reservedPrefix = "csi.storage.k8s.io/";
const fsTypeParameter = `${reservedPrefix}fstype`;

/** The name of the volume for a claim, which is the same in every attempt. */
export const volumeNameOf = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;

/** A claim, its class, and what its volume is to be a copy of. */
export interface Order {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
  readonly source: ContentSource | undefined;
  readonly attributes: VolumeAttributesClass | undefined;
}

type ClassParameters = Readonly<Record<string, string>>;
/** Parameters for the driver; those with the reserved prefix are for the controllers beside it. */
export const parametersOf = ({ parameters = {} }: { readonly parameters?: ClassParameters }): ClassParameters =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => !name.startsWith(reservedPrefix)));

export function newVolumeRequest(order: Order, { node, capabilities }: DriverOptions): NewVolumeRequest {
  const { claim, storageClass, source, attributes } = order;
  const { accessModes = [], volumeMode, resources } = claim.spec;
  const isMultiWriter = capabilities.has("SINGLE_NODE_MULTI_WRITER");
  const { mountOptions, parameters } = storageClass;
  const use = { volumeMode, fsType: parameters?.[fsTypeParameter], mountOptions };
  return {
    name: volumeNameOf(claim),
    capacityRange: {
      requiredBytes: unitsOf(resources?.requests?.["storage"]),
      limitBytes: unitsOf(resources?.limits?.["storage"]),
    },
    volumeCapabilities: accessModes.map((accessMode) => csiCapability({ ...use, accessMode }, isMultiWriter)),
    parameters: parametersOf(storageClass),
    ...(attributes && { mutableParameters: attributes.parameters ?? {} }),
    ...(source && { volumeContentSource: source }),
    ...(node && { accessibilityRequirements: { requisite: [node], preferred: [node] } }),
  };
}

/** Nodes that can reach a volume: those with all labels of one of its topologies. */
function nodeAffinity(topologies: NewVolume["accessibleTopology"]) {
  if (topologies.length === 0) return {};
  const nodeSelectorTerms = topologies.map(
    ({ segments }): NodeSelectorTerm => ({
      matchExpressions: Object.keys(segments)
        .toSorted()
        .map((key) => ({ key, operator: "In", values: [segments[key]!] })),
    }),
  );
  return { nodeAffinity: { required: { nodeSelectorTerms } } };
}

function referenceTo({ metadata }: PersistentVolumeClaim) {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: namespace!, name, uid, resourceVersion };
}

/** The object for a volume that the driver made. */
export function newVolume(
  { claim, storageClass }: Order,
  made: NewVolume,
  { driver }: DriverOptions,
): Draft<PersistentVolume> {
  const { accessModes = [], volumeMode, resources, volumeAttributesClassName } = claim.spec;
  const { mountOptions, parameters, reclaimPolicy = "Delete" } = storageClass;
  const fsType = parameters?.[fsTypeParameter];
  const bytes = made.capacityBytes || unitsOf(resources?.requests?.["storage"]);
  return {
    kind: "PersistentVolume",
    metadata: {
      name: volumeNameOf(claim),
      annotations: { [provisionedBy]: driver },
      ...(reclaimPolicy === "Delete" && { finalizers: [volumeFinalizer] }),
    },
    spec: {
      accessModes,
      capacity: { storage: memoryQuantity(bytes) },
      claimRef: referenceTo(claim),
      csi: {
        driver,
        volumeHandle: made.volumeId,
        ...(fsType !== undefined && { fsType }),
        ...(Object.keys(made.volumeContext).length > 0 && { volumeAttributes: made.volumeContext }),
      },
      ...(mountOptions && { mountOptions }),
      ...nodeAffinity(made.accessibleTopology),
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: classNameOf(claim),
      ...(volumeMode && { volumeMode }),
      ...(volumeAttributesClassName && { volumeAttributesClassName }),
    },
  };
}
