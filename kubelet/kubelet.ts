// Composes the kubelet of one node: views of the API, pod workers, heartbeats, evictions and the HTTPS server.
import { mkdir } from "node:fs/promises";
import type { ProxyRule } from "../api/explanation/explanation.ts";
import type { Node, Pod, Service } from "../api/generated/types.ts";
import { pods } from "../api/core/pods.ts";
import { services } from "../api/core/services.ts";
import { sameJson } from "../api/hash.ts";
import { type Key, key, revision } from "../api/meta.ts";
import { nodes } from "../api/core/nodes.ts";
import { csiDrivers as csiDriverObjects } from "../api/storage/csi.ts";
import { succeeds } from "../machinery/abort.ts";
import type { Client } from "../machinery/client.ts";
import { type DecisionLog, decisionLog } from "../machinery/decisions.ts";
import { eventRecorder } from "../machinery/events.ts";
import { type Informer, informer } from "../machinery/informer.ts";
import { serial } from "../machinery/serial.ts";
import type { World } from "../machinery/world.ts";
import { defaultCdiFolders } from "./devices/cdi.ts";
import { deviceClaims } from "./devices/device-claims.ts";
import { deviceDrivers } from "./devices/drivers.ts";
import { absenceMs, withdrawSlices } from "./devices/slices.ts";
import { runEvictions } from "./eviction.ts";
import { type HeartbeatTimes, heartbeat } from "./node/heartbeat.ts";
import { machineFacts, nodeHealth } from "./node/node-health.ts";
import { capacityOf, type NodeHealth, nodeLabels, type NodeSettings } from "./node/node-status.ts";
import type { NodeContext } from "./node-context.ts";
import { runPlugins } from "./plugins.ts";
import { nameSettings } from "./pod/pod-files.ts";
import { podWorkers } from "./pods.ts";
import { referencedObjects, usualClaimPollMs } from "./referenced-objects.ts";
import type { ContainerRuntime } from "./runtime.ts";
import { publishDriver, withdrawDriver } from "./volumes/csi/csi-node.ts";
import { csiDrivers } from "./volumes/csi/drivers.ts";
import { writeInUse } from "./volumes/csi/in-use.ts";
import { csiMounter } from "./volumes/csi/mounter.ts";
import { localDevices } from "./volumes/local-devices.ts";
import type { SubPathMounts } from "./volumes/sub-path-mounts.ts";
import { type VolumeStats, volumeStats } from "./volumes/volume-stats.ts";

/** The configuration of one node's kubelet. */
export interface KubeletSettings extends NodeSettings {
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly stateDir: string;
  /** Folders of CDI specifications, the most important last; the usual ones by default. */
  readonly cdiFolders?: readonly string[];
  readonly times: HeartbeatTimes;
  /** The interval at which the claims of running pods are read; the usual one by default. */
  readonly claimPollMs?: number;
}
/** The decisions kept for explanations: 16 of each pod. Bytes are estimates. */
const keptDecisions = { perKey: 16, keys: 1_000, bytes: 4 * 1024 * 1024 };
interface KubeletPorts {
  readonly world: World;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly subPaths: SubPathMounts;
  readonly admitToNetwork?: NodeContext["admitToNetwork"];
}
/** What its HTTPS server reads. */
export interface KubeletView extends Pick<KubeletPorts, "world" | "runtime"> {
  readonly settings: KubeletSettings;
  readonly pods: Informer<Pod>;
  readonly volumes: () => Promise<readonly VolumeStats[]>;
  /** The last decisions about the pods of the node. */
  readonly decisions: Pick<DecisionLog, "of">;
  /** How the node's proxy treats packets to a service; absent where the network is not this program's. */
  readonly explainService?: (key: Key) => readonly ProxyRule[];
  /** The metrics of other parts of this process, as Prometheus text. */
  readonly componentMetrics?: () => Promise<string>;
  /** The traffic of services through this node, as Prometheus text. */
  readonly serviceMetrics?: () => Promise<string>;
}

/** Coalesces pulls: requests for the same image share one. */
function sharedPulls(runtime: ContainerRuntime): NodeContext["pull"] {
  const pulls = new Map<string, Promise<void>>();
  return (image, as, signal) => {
    // The registry authorizes each user separately.
    const id = JSON.stringify([image, as]);
    const work = pulls.get(id) ?? runtime.pull(image, as, signal).finally(() => pulls.delete(id));
    pulls.set(id, work);
    return work;
  };
}

/** The CSI volumes of the node. `retry` is called when what a pod may wait for has happened. */
function nodeVolumes(
  { nodeName, stateDir }: KubeletSettings,
  ports: Pick<KubeletPorts, "world" | "client"> & Pick<NodeContext, "events">,
  retry: () => void,
  signal: AbortSignal,
) {
  const { world, client } = ports;
  const policies = informer(client, csiDriverObjects, world);
  const drivers = csiDrivers({
    world,
    publish: (driver) => publishDriver(client, nodeName, driver),
    withdraw: (driver) => withdrawDriver(client, nodeName, driver),
  });
  const policyOf = (driver: string) => policies.lister.get(key(undefined, driver))?.spec;
  policies.onChange(retry);
  // One at a time, so that an older list never replaces a newer one.
  const oneAtATime = serial();
  const reportInUse = (): Promise<Node> =>
    oneAtATime("", async () => writeInUse(client, nodeName, await mounter.inUse()));
  const mounter = csiMounter({ ...ports, drivers, nodeName, stateDir, policyOf, freed: retry, reportInUse }, signal);
  return {
    policies,
    mounter,
    register: drivers.register,
  };
}

/** The devices of the node. Slices of drivers that stay away, also since before the kubelet's start, are deleted. */
function nodeDevices(
  { nodeName, stateDir }: KubeletSettings,
  { world, client }: Pick<KubeletPorts, "world" | "client">,
  signal: AbortSignal,
) {
  const withdraw = async (): Promise<void> => {
    await world.clock.sleep(absenceMs, signal);
    await withdrawSlices(client, nodeName, drivers.has);
  };
  const withdrawn = (): void =>
    void withdraw().catch((e: Error) => {
      if (!signal.aborted) world.log("resource slices not deleted", { error: e.message });
    });
  const drivers = deviceDrivers(world, withdrawn);
  withdrawn();
  return { claims: deviceClaims({ client, drivers, stateDir }), register: drivers.register };
}

/** What drivers provide on the node. `retry` is called when what a pod may wait for has happened. */
function nodePlugins(
  settings: KubeletSettings,
  ports: Parameters<typeof nodeVolumes>[1],
  retry: () => void,
  signal: AbortSignal,
) {
  const { world } = ports;
  const volumes = nodeVolumes(settings, ports, retry, signal);
  const devices = nodeDevices(settings, ports, signal);
  const handlers = { CSIPlugin: volumes.register, DRAPlugin: devices.register };
  const registered = (): void => {
    volumes.mounter.retryUnstaging();
    retry();
  };
  const run = () =>
    Promise.all([
      volumes.policies.run(signal),
      runPlugins({ world, stateDir: settings.stateDir, handlers, registered }, signal),
    ]);
  return { volumes, devices, run };
}

/** Runs the kubelet until the signal aborts; `serve` is its HTTPS server. Its pods keep running. */
export async function kubelet(
  settings: KubeletSettings,
  { world, client, runtime, subPaths, admitToNetwork = async () => {} }: KubeletPorts,
  serve: (view: KubeletView, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(settings.stateDir, { recursive: true });
  const { nodeName, nodeIp, stateDir, claimPollMs = usualClaimPollMs } = settings;
  const identity = { ...settings, ...(await machineFacts()) };
  let recursiveReadOnlyMounts = false;
  const health = async (until: AbortSignal): Promise<NodeHealth> => {
    const now = await nodeHealth(runtime, settings.capacity, stateDir, until);
    recursiveReadOnlyMounts = now.recursiveReadOnlyMounts ?? recursiveReadOnlyMounts;
    return { ...now, volumesInUse: await volumes.mounter.inUse() };
  };
  const ownPods = informer(client, pods, world, { selection: { fieldSelector: `spec.nodeName=${nodeName}` } });
  const allServices = informer<Service>(client, services, world);
  const ownNode = informer(client, nodes, world, { selection: { fieldSelector: `metadata.name=${nodeName}` } });
  const workers = podWorkers(ownPods);
  ownNode.onChange((node, before) => {
    if (!sameJson(node.status?.volumesAttached, before?.status?.volumesAttached)) workers.retryVolumes();
  });
  const events = eventRecorder(client, world, { component: "kubelet", host: nodeName });
  const objects = referencedObjects({ client, world }, claimPollMs, workers.contentChanged, signal);
  const plugins = nodePlugins(settings, { world, client, events }, workers.retryVolumes, signal);
  const { volumes, devices } = plugins;
  const allocatable = capacityOf(identity, await health(signal));
  const room = () => {
    const node = ownNode.lister.get(key(undefined, nodeName));
    return { labels: node?.metadata.labels ?? nodeLabels(identity), allocatable, taints: node?.spec.taints ?? [] };
  };
  const decisions = decisionLog(keptDecisions);
  const context: NodeContext = {
    ...{ world, client, runtime, events, decisions },
    objects,
    csi: volumes.mounter,
    devices: devices.claims,
    localDevices: localDevices(stateDir),
    subPaths,
    nodeName,
    nodeIp,
    stateDir,
    names: await nameSettings(settings.clusterDns, settings.clusterDomain),
    allocatable,
    cdiFolders: settings.cdiFolders ?? defaultCdiFolders,
    recursiveReadOnlyMounts: () => recursiveReadOnlyMounts,
    services: () => allServices.lister.all(),
    pull: sharedPulls(runtime),
    admitToNetwork,
    admit: (pod) => workers.admit(pod, room()),
    fits: (pod) => workers.fits(pod, room()),
  };
  const stats = volumeStats({ world, csi: volumes.mounter, stateDir, pods: ownPods.lister, lookup: objects.lookup });
  const evict = (uid: string, message: string): void => workers.evict(uid, { reason: "Evicted", message });
  const work = async (): Promise<void> => {
    // Before the first complete list a running pod would look like an orphan.
    const views = [ownPods, allServices, ownNode, volumes.policies].map((i) => i.caughtUp(revision(0), signal));
    if (await succeeds(Promise.all(views))) await workers.run(context, signal);
  };
  await Promise.all([
    ownPods.run(signal),
    allServices.run(signal),
    ownNode.run(signal),
    plugins.run(),
    heartbeat({ world, client, events, identity, times: settings.times, health }, signal),
    work(),
    runEvictions({ world, runtime, stateDir, pods: ownPods.lister, evict }, settings.times.statusCheckMs, signal),
    serve({ settings, runtime, world, pods: ownPods, volumes: stats, decisions }, signal),
  ]);
}
