// Runs the CSI drivers of a node in one process: `local`, whose volumes belong to the node, and `shared`, whose volumes
// all nodes reach.
import { join } from "node:path";
import { runDriver } from "../csi/driver/driver.ts";
import { type DriverProfile, localDriver, sharedDriver } from "../csi/driver/profile.ts";
import { realWorld } from "../machinery/real-world.ts";
import { type AgentConfig, localVolumesDir, sharedVolumesDir } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

/** Runs until the signal aborts. What is mounted stays mounted. */
export async function runCsiDrivers({ nodeName, stateDir }: AgentConfig, signal: AbortSignal): Promise<void> {
  const run = (profile: DriverProfile, root: string): Promise<void> =>
    runDriver(
      {
        profile,
        node: nodeName,
        root,
        socketPath: join(stateDir, "plugins", profile.name, "csi.sock"),
        registrationSocketPath: join(stateDir, "plugins_registry", `${profile.name}-reg.sock`),
      },
      realWorld(componentLog("csi")),
      signal,
    );
  await Promise.all([run(localDriver, localVolumesDir), run(sharedDriver, sharedVolumesDir)]);
}
