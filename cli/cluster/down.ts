// Takes a cluster away without a trace: containers, volumes, network, files, and the routes the last one leaves.
import { rm } from "node:fs/promises";
import type { Io } from "../progress.ts";
import { hasNetwork, removeAll } from "./containers.ts";
import { removeBlackholes } from "./host-routes.ts";
import { withLock } from "./lock.ts";
import { clusterDir } from "./paths.ts";
import { allocationLock } from "./state.ts";

/** Removes everything that belongs to a cluster; what is not there is no error, so it may be run again. */
export const down = (name: string, io: Io): Promise<void> =>
  io.progress.step(`removed cluster "${name}"`, async () => {
    await removeAll(name);
    await rm(clusterDir(name), { recursive: true, force: true });
    // Held, so that a cluster that is just coming up does not lose the routes it has seen.
    await withLock(allocationLock(), io.clock, async () => {
      if (!(await hasNetwork())) await removeBlackholes();
    });
  });
