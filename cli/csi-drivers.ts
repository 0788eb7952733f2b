// Runs the CSI drivers of a node in one process, each with the controllers that call it: `local`, whose volumes belong
// to the node, and `shared`, whose volumes all nodes reach.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runDriverControllers } from "../controllers/csi/controllers.ts";
import { runDriver } from "../csi/driver/driver.ts";
import { type DriverProfile, localDriver, sharedDriver } from "../csi/driver/profile.ts";
import { controllerService } from "../csi/protocol/controller.ts";
import { connectTo } from "../csi/protocol/grpc.ts";
import { followedCertificate } from "../kubelet/certificates/followed.ts";
import { csiCertificateFile } from "../kubelet/certificates/node-certificates.ts";
import type { Client } from "../machinery/client.ts";
import { httpClient } from "../machinery/http-client.ts";
import { runAsLeader } from "../machinery/leader-election.ts";
import { realWorld } from "../machinery/real-world.ts";
import { type AgentConfig, initialPair, localVolumesDir, sharedVolumesDir } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

const world = realWorld(componentLog("csi"));

/**
 * Runs the controllers beside a driver: those of a driver of the node for the node's volumes; of those beside the same
 * driver on every node only the leader's.
 */
async function runControllers(
  { name, topologyKey }: DriverProfile,
  { nodeName, timings }: AgentConfig,
  socketPath: string,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const service = connectTo(socketPath, controllerService, world.clock);
  const driver = { driver: name, calls: service.call };
  try {
    if (topologyKey !== undefined) {
      const node = { name: nodeName, segments: { [topologyKey]: nodeName } };
      await runDriverControllers({ ...driver, node }, client, world, signal);
      return;
    }
    const lease = { namespace: "kube-system", name: `external-provisioner-leader-${name.replaceAll(".", "-")}` };
    // A node has one process, so that one that is started again may lead at once.
    const election = { ...lease, identity: nodeName, ...timings.election };
    await runAsLeader(
      election,
      client,
      world,
      (leading, term) => runDriverControllers(driver, leading, world, term),
      signal,
    );
  } finally {
    service.close();
  }
}

/**
 * Runs until the signal aborts. What is mounted stays mounted. The agent of the node renews the certificate. The driver
 * of shared volumes runs only where their folder is: a machine that joined has it if it was mounted there.
 */
export async function runCsiDrivers(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const { nodeName, stateDir, server, pki } = config;
  const source = { file: csiCertificateFile(stateDir), initial: initialPair(pki.csi) };
  const certificate = await followedCertificate(source, world, signal);
  const ca = readFileSync(pki.ca, "utf8");
  const access = { url: server, ca, userAgent: "orrery-csi", pair: certificate.current };
  const client = httpClient(access, world, signal);
  const run = (profile: DriverProfile, root: string): readonly Promise<void>[] => {
    const socketPath = join(stateDir, "plugins", profile.name, "csi.sock");
    const registrationSocketPath = join(stateDir, "plugins_registry", `${profile.name}-reg.sock`);
    const options = { profile, node: nodeName, root, socketPath, registrationSocketPath };
    return [runDriver(options, world, signal), runControllers(profile, config, socketPath, client, signal)];
  };
  const shared = existsSync(sharedVolumesDir) ? run(sharedDriver, sharedVolumesDir) : [];
  await Promise.all([certificate.run(), ...run(localDriver, localVolumesDir), ...shared]);
}
