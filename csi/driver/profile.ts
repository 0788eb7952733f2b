// What differs between the drivers: their name, where their volumes can be reached, and by how many nodes.
import type { AccessMode } from "../protocol/volumes.ts";
import type { Backing } from "./volume-store.ts";

export interface DriverProfile {
  readonly name: string;
  readonly accessModes: readonly AccessMode[];
  /** The label of nodes by which a volume belongs to one; undefined for volumes that all nodes reach. */
  readonly topologyKey: string | undefined;
  /** How new volumes are kept where the node can mount files, and where it cannot. */
  readonly backing: { readonly withLoopDevices: Backing; readonly without: Backing };
}

const singleNode: readonly AccessMode[] = [
  "SINGLE_NODE_WRITER",
  "SINGLE_NODE_READER_ONLY",
  "SINGLE_NODE_SINGLE_WRITER",
  "SINGLE_NODE_MULTI_WRITER",
];

/** Volumes in a folder of the node. */
export const localDriver: DriverProfile = {
  name: "local.csi.orrery.dev",
  accessModes: singleNode,
  topologyKey: "topology.local.csi.orrery.dev/node",
  backing: { withLoopDevices: "image", without: "folder" },
};

/** Volumes in one folder behind all nodes. A file system in a file could be mounted by one node at a time only. */
export const sharedDriver: DriverProfile = {
  name: "shared.csi.orrery.dev",
  accessModes: [...singleNode, "MULTI_NODE_READER_ONLY", "MULTI_NODE_SINGLE_WRITER", "MULTI_NODE_MULTI_WRITER"],
  topologyKey: undefined,
  backing: { withLoopDevices: "folder", without: "folder" },
};
