// A kubelet with a simulated engine and an API server with memory storage, and what tests do with it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod, PodSpec } from "../../api/generated/types.ts";
import { events } from "../../api/core/events.ts";
import { pods } from "../../api/core/pods.ts";
import { type Draft, key } from "../../api/meta.ts";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { tokenIssuer } from "../../apiserver/verbs/token-requests.ts";
import { tokens } from "../../apiserver/authentication/tokens.ts";
import { newSigningKey } from "../../cli/cluster/pki.ts";
import { linuxMounts } from "../../csi/driver/mounts.ts";
import { type KubeletSettings, type KubeletView, kubelet } from "../../kubelet/kubelet.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { mountsBelow, mountTable } from "../../machinery/mount-table.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { testSubPaths } from "./sub-paths.ts";
import { type SimulatedRuntime, simulatedRuntime } from "../sim/runtime.ts";

export const world = realWorld(() => {});
export const nodeName = "n1";
export const image = "sim/shell:1";
export const sh = (script: string) => ["sh", "-c", script];
export const runForever = sh("trap 'exit 0' TERM; while :; do sleep 1; done");

export interface Stage {
  readonly client: Client;
  readonly runtime: SimulatedRuntime;
  readonly stateDir: string;
  start(): void;
  /** Stops the kubelet and resolves when it has stopped. */
  stop(): Promise<void>;
  /** Stops the kubelet and removes its folder. */
  close(): Promise<void>;
  find(name: string): Promise<Pod | undefined>;
  /** Creates a pod of the node, by default with one container that runs forever. */
  bind(name: string, spec?: Partial<PodSpec>): Promise<void>;
  ready(name: string): Promise<Pod>;
  /** What the kubelet's server shows of the volumes. */
  volumes: KubeletView["volumes"];
  /** The reasons and messages of the events about an object. */
  eventsOf(name: string): Promise<readonly { readonly reason: string; readonly message: string }[]>;
}

const settings: Omit<KubeletSettings, "stateDir"> = {
  nodeName,
  nodeIp: "172.30.0.11",
  kubeletPort: 10_250,
  capacity: { cpuMillis: 1_000, memoryBytes: 2 ** 40, pods: 10 },
  podCidr: "10.244.1.0/24",
  clusterDns: "10.96.0.10",
  clusterDomain: "cluster.local",
  labels: {},
  claimPollMs: 100,
  times: { leaseRenewMs: 100, leaseDurationSeconds: 40, statusCheckMs: 100, statusReportMs: 300_000 },
};

async function newClient(): Promise<Client> {
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const verbs = clusterRegistry(memoryStorage(), world, ranges);
  const issued = tokens(verbs, { issuer: "https://issuer.test", key: await newSigningKey() });
  const client = inProcessClient(verbs, { issue: tokenIssuer(verbs, issued) });
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: "10.96.0.0/16" });
  return client;
}

export async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (tries > 400) throw new Error(`the condition was not met in time: ${JSON.stringify(seen, null, 1)}`);
    await world.clock.sleep(10);
  }
}

export const isReady = (p: Pod | undefined): boolean =>
  p?.status?.conditions?.find((c) => c.type === "Ready")?.status === "True";

type AdmitToNetwork = (pod: Pod, address: string) => Promise<void>;

/** The stage before its kubelet is started. */
export async function openStage(
  more: Partial<KubeletSettings> = {},
  admitToNetwork: AdmitToNetwork = async () => {},
): Promise<Stage> {
  const client = await newClient();
  const runtime = simulatedRuntime(world, [image]);
  const stateDir = mkdtempSync(join(tmpdir(), "orrery-kubelet-"));
  let shown: KubeletView | undefined;
  const serve = (view: KubeletView, signal: AbortSignal): Promise<void> => {
    shown = view;
    return new Promise((resolve) => void onAbort(signal, resolve));
  };
  let ended: Promise<void> = Promise.resolve();
  let life = new AbortController();
  const find: Stage["find"] = (name) => client.get(pods, key("default", name)).catch(() => undefined);
  const stop: Stage["stop"] = async () => {
    life.abort();
    await ended;
  };
  return {
    client,
    runtime,
    stateDir,
    start() {
      life = new AbortController();
      const ports = { world, client, runtime, subPaths: testSubPaths(stateDir), admitToNetwork };
      ended = kubelet({ ...settings, ...more, stateDir }, ports, serve, life.signal);
    },
    stop,
    async close() {
      await stop();
      for (const path of mountsBelow(await mountTable(), stateDir)) await linuxMounts().unmount(path);
      rmSync(stateDir, { recursive: true });
    },
    find,
    async bind(name, spec = {}) {
      const containers = [{ name: "c", image, command: runForever }];
      const usual = { automountServiceAccountToken: false, containers };
      const draft = { metadata: { name, namespace: "default" }, spec: { ...usual, ...spec, nodeName } };
      await client.create(pods, draft as unknown as Draft<Pod>);
    },
    volumes: () => shown!.volumes(),
    ready: (name) => until(() => find(name), isReady) as Promise<Pod>,
    async eventsOf(name) {
      const { items } = await client.list(events);
      const own = items.filter((e) => e.involvedObject.name === name);
      return own.map(({ reason = "", message = "" }) => ({ reason, message }));
    },
  };
}
