// The capability by which a volume is requested of a driver: an access mode and a type of Kubernetes in terms of CSI.
import type { AccessMode, VolumeCapability } from "./volumes.ts";

/** How a volume is to be used. */
export interface VolumeUse {
  readonly accessMode: string;
  readonly volumeMode?: string | undefined;
  readonly fsType?: string | undefined;
  readonly mountOptions?: readonly string[] | undefined;
}

/**
 * The access mode of CSI. Drivers with the capability SINGLE_NODE_MULTI_WRITER distinguish between one pod and all pods
 * of one node.
 */
export function csiAccessMode(mode: string, isMultiWriter: boolean): AccessMode {
  if (mode === "ReadWriteMany") return "MULTI_NODE_MULTI_WRITER";
  if (mode === "ReadOnlyMany") return "MULTI_NODE_READER_ONLY";
  if (!isMultiWriter) return "SINGLE_NODE_WRITER";
  return mode === "ReadWriteOncePod" ? "SINGLE_NODE_SINGLE_WRITER" : "SINGLE_NODE_MULTI_WRITER";
}

/** The capability for a use. */
export function csiCapability(use: VolumeUse, isMultiWriter: boolean): Partial<VolumeCapability> {
  const { fsType = "", mountOptions = [] } = use;
  const accessMode = { mode: csiAccessMode(use.accessMode, isMultiWriter) };
  if (use.volumeMode === "Block") return { block: {}, accessMode };
  return { mount: { fsType, mountFlags: mountOptions, volumeMountGroup: "" }, accessMode };
}
