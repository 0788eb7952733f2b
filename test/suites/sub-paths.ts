// Sub-paths of volumes for kubelets in tests: mounted as on a node where root is available, else shown where they are.
import { readlink } from "node:fs/promises";
import { pathOf } from "../../kubelet/volumes/sub-path.ts";
import { type SubPathMounts, subPathMounts } from "../../kubelet/volumes/sub-path-mounts.ts";

export const canMount = process.getuid?.() === 0;

/** Shows a sub-path where it is in its volume. */
export const unmountedSubPaths: SubPathMounts = {
  mount: (opened) => readlink(pathOf(opened)),
  unmountAll: async () => {},
};

export const testSubPaths = (stateDir: string): SubPathMounts =>
  canMount ? subPathMounts(stateDir) : unmountedSubPaths;
