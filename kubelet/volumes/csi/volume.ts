// A CSI volume of a pod, as its persistent volume or the pod's spec describes it, and what calls say about it. Pure.
import type { CSIDriver, PersistentVolume, Pod, SecretReference, Volume } from "../../../api/generated/types.ts";
import type { NodeCapability } from "../../../csi/protocol/node.ts";
import type { AccessMode, VolumeCapability } from "../../../csi/protocol/volumes.ts";
import { sha256 } from "../../../csi/protocol/volume-names.ts";
import type { ClaimedVolume } from "../claims.ts";

export interface CsiVolume {
  /** The name of its folder at the pod: that of the persistent volume, or of the pod's volume. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  readonly fsType: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly mountOptions: readonly string[];
  readonly accessModes: NonNullable<PersistentVolume["spec"]["accessModes"]>;
  readonly readOnly: boolean;
  /** Containers get the device, not a file system on it. */
  readonly isBlock: boolean;
  /** It lives with its pod, without a claim. */
  readonly isInline: boolean;
  readonly secrets: Readonly<Partial<Record<"stage" | "publish" | "expand", SecretReference>>>;
}

function ofPersistentVolume({ pv, readOnly }: ClaimedVolume): CsiVolume | undefined {
  const { csi, accessModes = [], mountOptions = [] } = pv.spec;
  if (csi === undefined) return undefined;
  return {
    name: pv.metadata.name,
    driver: csi.driver,
    handle: csi.volumeHandle,
    fsType: csi.fsType ?? "",
    attributes: csi.volumeAttributes ?? {},
    mountOptions,
    accessModes,
    readOnly: readOnly || (csi.readOnly ?? false),
    isBlock: pv.spec.volumeMode === "Block",
    isInline: false,
    secrets: { stage: csi.nodeStageSecretRef, publish: csi.nodePublishSecretRef, expand: csi.nodeExpandSecretRef },
  };
}

function inlineVolume(pod: Pod, { name, csi }: Volume): CsiVolume | undefined {
  if (csi === undefined) return undefined;
  const secret = csi.nodePublishSecretRef?.name;
  return {
    name,
    driver: csi.driver,
    handle: `csi-${sha256(`${pod.metadata.uid}${name}`)}`,
    fsType: csi.fsType ?? "",
    attributes: csi.volumeAttributes ?? {},
    mountOptions: [],
    accessModes: ["ReadWriteOnce"],
    readOnly: csi.readOnly ?? false,
    isBlock: false,
    isInline: true,
    secrets: secret === undefined ? {} : { publish: { name: secret, namespace: pod.metadata.namespace } },
  };
}

/** The CSI volume behind a volume of the pod; undefined for other types. */
export const csiVolumeOf = (pod: Pod, v: Volume, behind: ClaimedVolume | undefined): CsiVolume | undefined =>
  behind ? ofPersistentVolume(behind) : inlineVolume(pod, v);

/** One pod alone may use the volume. With more access modes it is not known which one the pod means. */
export const isForOnePod = ({ accessModes }: CsiVolume): boolean =>
  accessModes.length === 1 && accessModes[0] === "ReadWriteOncePod";

type Capabilities = ReadonlySet<NodeCapability>;

function accessMode({ accessModes }: CsiVolume, capabilities: Capabilities): AccessMode {
  const tellsWriters = capabilities.has("SINGLE_NODE_MULTI_WRITER");
  switch (accessModes[0] ?? "ReadWriteOnce") {
    case "ReadOnlyMany":
      return "MULTI_NODE_READER_ONLY";
    case "ReadWriteMany":
      return "MULTI_NODE_MULTI_WRITER";
    case "ReadWriteOncePod":
      return tellsWriters ? "SINGLE_NODE_SINGLE_WRITER" : "SINGLE_NODE_WRITER";
    default:
      return tellsWriters ? "SINGLE_NODE_MULTI_WRITER" : "SINGLE_NODE_WRITER";
  }
}

/** How a driver is to provide the volume. `group` is the pod's, for drivers that give volumes to it themselves. */
export function capabilityFor(v: CsiVolume, capabilities: Capabilities, group: number | undefined): VolumeCapability {
  const volumeMountGroup = group !== undefined && capabilities.has("VOLUME_MOUNT_GROUP") ? String(group) : "";
  return {
    ...(v.isBlock ? { block: {} } : { mount: { fsType: v.fsType, mountFlags: v.mountOptions, volumeMountGroup } }),
    accessMode: { mode: accessMode(v, capabilities) },
  } as VolumeCapability;
}

/** A driver without an object attaches its volumes and gets nothing about pods. Source: API reference, CSIDriver. */
export type DriverPolicy = CSIDriver["spec"] | undefined;

/** Whether a volume is attached to the node before it is mounted. */
export const isAttached = ({ isInline }: Pick<CsiVolume, "isInline">, policy: DriverPolicy): boolean =>
  !isInline && policy?.attachRequired !== false;

/** Whether the kubelet gives the volume to the pod's group. */
export function isGivenToGroup(v: CsiVolume, policy: DriverPolicy): boolean {
  const fsGroupPolicy = policy?.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
  if (v.readOnly || v.isBlock || fsGroupPolicy === "None") return false;
  return fsGroupPolicy === "File" || (v.fsType !== "" && !v.isInline && v.accessModes.includes("ReadWriteOnce"));
}

/** What a driver gets to know about the pod, if its object demands so. */
export function podAttributes(
  { metadata, spec }: Pod,
  { isInline }: CsiVolume,
  policy: DriverPolicy,
): Record<string, string> {
  if (!policy?.podInfoOnMount) return {};
  const prefix = "csi.storage.k8s.io";
  return {
    [`${prefix}/pod.name`]: metadata.name,
    [`${prefix}/pod.namespace`]: metadata.namespace ?? "",
    [`${prefix}/pod.uid`]: metadata.uid,
    [`${prefix}/serviceAccount.name`]: spec.serviceAccountName ?? "",
    [`${prefix}/ephemeral`]: String(isInline),
  };
}

/** Why the driver may not have the volume: it must declare that it has inline ones. */
export function unsupportedMode({ driver, isInline }: CsiVolume, policy: DriverPolicy): string | undefined {
  const mode = isInline ? "Ephemeral" : "Persistent";
  if (policy === undefined)
    return isInline ? `volume mode "${mode}" not supported by driver ${driver} (no CSIDriver object)` : undefined;
  const modes = policy.volumeLifecycleModes ?? ["Persistent"];
  if (modes.includes(mode)) return undefined;
  const supported = modes.map((m) => `"${m}"`).join(" ");
  return `volume mode "${mode}" not supported by driver ${driver} (only supports [${supported}])`;
}
