// The names by which the kubelet and the controllers mean the same volume on a node. Pure.
import { createHash } from "node:crypto";

/** A volume of a driver: how the driver is called, and what it calls the volume. */
export interface DriverVolume {
  readonly driver: string;
  readonly volumeHandle: string;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The name of a volume in the status of a node. */
export const uniqueName = ({ driver, volumeHandle }: DriverVolume): string =>
  `kubernetes.io/csi/${driver}^${volumeHandle}`;

/** The name of the VolumeAttachment of a volume to a node. */
export const attachmentName = ({ driver, volumeHandle }: DriverVolume, nodeName: string): string =>
  `csi-${sha256(`${volumeHandle}${driver}${nodeName}`)}`;
