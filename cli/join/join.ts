// Makes this machine a node of a cluster: whom to trust, a certificate by the token, the node's range of pod addresses,
// and the configuration of its engine and its agent.
import { rm } from "node:fs/promises";
import { availableParallelism, hostname, totalmem } from "node:os";
import { createSocket } from "node:dgram";
import { dirname, join } from "node:path";
import { nodes } from "../../api/core/nodes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { hasReason } from "../../api/errors.ts";
import type { Node } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { subdomainMessage, validateSubdomainName } from "../../api/names.ts";
import { type Pair, writePair } from "../../kubelet/certificates/certificate-file.ts";
import { clientCertificate, clientCertificateFile } from "../../kubelet/certificates/node-certificates.ts";
import { requestCertificate } from "../../kubelet/certificates/rotation.ts";
import { abortedWith } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { World } from "../../machinery/world.ts";
import { CliError } from "../cli-error.ts";
import { type AgentConfig, addresses, capacityOf, engineConfig, pauseImage, type Worker } from "../cluster/config.ts";
import { writeAll } from "../cluster/node-files.ts";
import { checkout } from "../paths.ts";
import type { Io } from "../progress.ts";
import { checkEngine } from "./engine.ts";
import { checkHashes, type Discovered, discover, tokenOf } from "./discovery.ts";
import { attachments, checkMachine, checkNeighbours, checkRanges } from "./machine.ts";
import { type NodeSettings, readNodeSettings } from "./node-settings.ts";
import { reachesRegistry, trustRegistry } from "./registry.ts";

export interface JoinOptions {
  /** The URL of the API server. */
  readonly server: string;
  readonly token: string;
  readonly hashes: readonly string[];
  readonly nodeName: string | undefined;
  readonly nodeIp: string | undefined;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Where the node's configuration is written. */
  readonly configDir: string;
  readonly stateDir: string;
  readonly dockerSocket: string;
  /** Set when the engine has to run already. */
  readonly needsEngine: boolean;
}

const certificateWaitMs = 60_000;
const rangeWaitMs = 30_000;

/** Throws CliError for a name that no node can have. */
export function nodeNameOf(text: string): string {
  const name = text.toLowerCase();
  if (validateSubdomainName(name, "name").length === 0 && name !== "") return name;
  throw new CliError(`"${name}" cannot be the name of a node: ${subdomainMessage}`, "Choose one with --node-name.");
}

/** The address from which this machine reaches another one. */
export function ownAddress(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", (e) => reject(new CliError(`${host} cannot be reached: ${e.message}`)));
    // Sends nothing.
    socket.connect(port, host, () => {
      const { address } = socket.address();
      socket.close(() => resolve(address));
    });
  });
}

/**
 * Throws CliError when a node of this name is at work, whose place the machine would take, when it does not reach the
 * other nodes, or when it has a network in the cluster's ranges.
 */
async function checkPlace(client: Client, name: string): Promise<void> {
  const { items } = await client.list(nodes);
  const same = items.find(({ metadata }) => metadata.name === name);
  if (conditionOf(same?.status?.conditions, "Ready")?.status === "True")
    throw new CliError(`the cluster has a node "${name}" that is Ready`, "Choose another name with --node-name.");
  const own = attachments();
  checkNeighbours(
    own,
    items.filter((node) => node !== same),
  );
  checkRanges(own, await readNodeSettings(client), same?.spec.podCIDR);
}

const refused = (e: unknown): never => {
  if (hasReason(e, "Unauthorized"))
    throw new CliError(
      "the token is not valid: it is wrong, has expired, or is not for authentication",
      "Make one on a machine that administers the cluster: orrery token create --print-join-command",
    );
  if (hasReason(e, "Forbidden"))
    throw new CliError(
      `the token may not be used to join: ${(e as Error).message}`,
      "Make one with: orrery token create",
    );
  throw e;
};

/** Requests the node's client certificate by the token, when this machine has been checked. Throws CliError. */
async function bootstrapCertificate(
  { server, ca }: Discovered,
  options: { readonly token: string; readonly nodeName: string; readonly stateDir: string },
  world: World,
  interruption: AbortSignal,
): Promise<Pair> {
  const { token, nodeName, stateDir } = options;
  const { signal, end } = abortedWith(AbortSignal.any([interruption, AbortSignal.timeout(certificateWaitMs)]));
  const client = httpClient({ url: server, ca, token, userAgent: "orrery-join" }, world, signal);
  try {
    await checkPlace(client, nodeName);
    return await requestCertificate({ client, world }, clientCertificate({ nodeName, stateDir }), signal);
  } catch (e) {
    if (signal.aborted && !interruption.aborted)
      throw new CliError(
        "the certificate was not issued in time",
        "Look at the requests with: orrery get csr. They are approved by the controllers of a running control plane.",
      );
    return refused(e);
  } finally {
    end();
  }
}

/** Registers the node, and waits for its range of pod addresses. */
async function rangeOf(client: Client, nodeName: string, { clock }: World, signal: AbortSignal): Promise<string> {
  const draft: Draft<Node> = { kind: "Node", metadata: { name: nodeName }, spec: {} };
  await client.create(nodes, draft).catch((e: unknown) => {
    if (!hasReason(e, "AlreadyExists")) throw e;
  });
  for (const deadline = clock.now() + rangeWaitMs; clock.now() < deadline; await clock.sleep(200, signal)) {
    const { podCIDR } = (await client.get(nodes, key(undefined, nodeName))).spec;
    if (podCIDR) return podCIDR;
  }
  throw new CliError(
    "the node got no range of pod addresses",
    "Is the cluster's range used up? orrery get nodes -o wide",
  );
}

/** The configuration of the agent of a node that joins. */
const agentConfig = (
  { server }: Discovered,
  settings: NodeSettings,
  worker: Worker,
  { configDir, stateDir, dockerSocket }: JoinOptions,
): AgentConfig => ({
  ...settings,
  ...{ nodeName: worker.name, nodeIp: worker.ip, server, podCidr: worker.podCidr, stateDir, dockerSocket },
  pki: { ca: join(configDir, "ca.crt") },
  kubeletPort: addresses.kubeletPort,
  capacity: capacityOf(worker),
  pauseImage,
});

/** Writes what engine and agent are started with. Certificates of another node that the machine was are dropped. */
async function writeNode(
  { ca }: Discovered,
  pair: Pair,
  { agent, engine }: { readonly agent: AgentConfig; readonly engine: object },
  configDir: string,
): Promise<void> {
  const file = clientCertificateFile(agent.stateDir);
  await rm(dirname(file), { recursive: true, force: true });
  await writePair(file, pair);
  const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  await writeAll(configDir, { "agent.json": json(agent), "dockerd.json": json(engine), "ca.crt": ca });
  if (agent.registry !== undefined) await trustRegistry(agent.registry, { ca, pairFile: file });
}

/** The settings for this machine: without the registry if that is out of reach. */
async function settingsFor(client: Client, tls: Pair & { readonly ca: string }): Promise<NodeSettings> {
  const { registry, ...settings } = await readNodeSettings(client);
  const isReached = registry !== undefined && (await reachesRegistry(registry, tls));
  return isReached ? { ...settings, registry } : settings;
}

/**
 * Joins, and writes the configuration of the engine and the agent, which are to be started with it. Throws CliError,
 * and then nothing has changed on this machine, and in the cluster there is at most a Node without a status.
 */
export async function joinCluster(options: JoinOptions, io: Io, signal: AbortSignal): Promise<AgentConfig> {
  const { stateDir } = options;
  const token = tokenOf(options.token);
  const nodeName = nodeNameOf(options.nodeName ?? hostname());
  checkHashes(options.hashes);
  await checkMachine(process.platform, process.getuid?.());
  if (options.needsEngine) await checkEngine(options.dockerSocket);
  const world = realWorld(() => {});
  const found = await io.progress.step("cluster discovered", () => discover(options.server, token, options.hashes));
  const { hostname: host, port } = new URL(found.server);
  const ip = options.nodeIp ?? (await ownAddress(host, Number(port || 443)));
  const pair = await io.progress.step("certificate issued", () =>
    bootstrapCertificate(found, { token: options.token, nodeName, stateDir }, world, signal),
  );
  const connected = abortedWith(signal);
  const access = { url: found.server, ca: found.ca, userAgent: "orrery-join", ...pair };
  const client = httpClient(access, world, connected.signal);
  try {
    return await io.progress.step("node registered", async () => {
      const settings = await settingsFor(client, { ca: found.ca, ...pair });
      const podCidr = await rangeOf(client, nodeName, world, signal);
      const size = { cpus: options.cpus ?? availableParallelism(), memoryBytes: options.memoryBytes ?? totalmem() };
      const worker: Worker = { name: nodeName, ip, podCidr, ...size };
      const agent = agentConfig(found, settings, worker, options);
      await writeNode(found, pair, { agent, engine: engineConfig(worker, checkout) }, options.configDir);
      return agent;
    });
  } finally {
    connected.end();
  }
}
