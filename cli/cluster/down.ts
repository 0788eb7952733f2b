// Removes a cluster: containers, volumes, network, files, and with the last cluster the blackhole routes.
import { rm } from "node:fs/promises";
import type { Io } from "../progress.ts";
import { hasNetwork, removeAll } from "./containers.ts";
import { removeBlackholes } from "./host-routes.ts";
import { withLock } from "./lock.ts";
import { clusterDir } from "../paths.ts";
import { allocationLock } from "./state.ts";

/** Removes a cluster. Idempotent: missing parts are ignored. */
export const down = (name: string, io: Io): Promise<void> =>
  io.progress.step(`removed cluster "${name}"`, async () => {
    await removeAll(name);
    await rm(clusterDir(name), { recursive: true, force: true });
    // Otherwise a cluster that is being created could lose the routes it found.
    await withLock(allocationLock(), io.clock, async () => {
      if (!(await hasNetwork())) await removeBlackholes();
    });
  });
