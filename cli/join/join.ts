// Makes this machine a node of a cluster: whom to trust, a certificate by the token, the node's range of pod addresses,
// and the configuration of its engine and its agent.
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism, hostname, totalmem } from "node:os";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { nodes } from "../../api/core/nodes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { hasReason } from "../../api/errors.ts";
import type { Node } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { readPair, writePair } from "../../kubelet/certificates/certificate-file.ts";
import { clientCertificate, clientCertificateFile } from "../../kubelet/certificates/node-certificates.ts";
import { requestCertificate } from "../../kubelet/certificates/rotation.ts";
import { abortedWith } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { World } from "../../machinery/world.ts";
import { CliError } from "../cli-error.ts";
import { type AgentConfig, addresses, engineConfig, type Worker } from "../cluster/config.ts";
import { writeAll } from "../cluster/node-files.ts";
import { checkout } from "../paths.ts";
import type { Io } from "../progress.ts";
import { checkHashes, type Discovered, discover, tokenOf } from "./discovery.ts";
import { attachments, checkMachine, checkNeighbours, checkRanges } from "./machine.ts";
import { type NodeSettings, readNodeSettings } from "./node-settings.ts";

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
}

const certificateWaitMs = 60_000;
const rangeWaitMs = 30_000;

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

/** The other nodes. Throws CliError when one of this name is at work: the machine would take its place. */
async function othersThan(client: Client, name: string): Promise<readonly Node[]> {
  const { items } = await client.list(nodes);
  const same = items.find(({ metadata }) => metadata.name === name);
  if (conditionOf(same?.status?.conditions, "Ready")?.status === "True")
    throw new CliError(`the cluster has a node "${name}" that is Ready`, "Choose another name with --node-name.");
  return items.filter((node) => node !== same);
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

/** Requests the node's client certificate by the token. Throws CliError when this machine cannot reach other nodes. */
async function bootstrapCertificate(
  { server, ca }: Discovered,
  options: { readonly token: string; readonly nodeName: string; readonly stateDir: string },
  world: World,
  interruption: AbortSignal,
): Promise<void> {
  const { token, nodeName, stateDir } = options;
  const { signal, end } = abortedWith(AbortSignal.any([interruption, AbortSignal.timeout(certificateWaitMs)]));
  const client = httpClient({ url: server, ca, token, userAgent: "orrery-join" }, world, signal);
  try {
    checkNeighbours(attachments(), await othersThan(client, nodeName));
    const pair = await requestCertificate({ client, world }, clientCertificate({ nodeName, stateDir }), signal);
    await writePair(clientCertificateFile(stateDir), pair);
  } catch (e) {
    if (signal.aborted && !interruption.aborted)
      throw new CliError(
        "the certificate was not issued in time",
        "Look at the requests with: orrery get csr. They are approved by the controllers of a running control plane.",
      );
    refused(e);
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
  capacity: { cpuMillis: Math.round(worker.cpus * 1000), memoryBytes: worker.memoryBytes, pods: 110 },
  pauseImage: "orrery/pause:1",
});

/**
 * Joins, and writes the configuration of the engine and the agent, which are to be started with it. Throws CliError,
 * and then nothing is left in the cluster but perhaps a Node without a status.
 */
export async function joinCluster(options: JoinOptions, io: Io, signal: AbortSignal): Promise<AgentConfig> {
  const { configDir, stateDir } = options;
  const token = tokenOf(options.token);
  checkHashes(options.hashes);
  await checkMachine(process.platform, process.getuid?.());
  const world = realWorld(() => {});
  const found = await io.progress.step("cluster discovered", () => discover(options.server, token, options.hashes));
  const { hostname: host, port } = new URL(found.server);
  const ip = options.nodeIp ?? (await ownAddress(host, Number(port || 443)));
  const nodeName = (options.nodeName ?? hostname()).toLowerCase();
  const file = clientCertificateFile(stateDir);
  await rm(file, { force: true });
  await io.progress.step("certificate issued", () =>
    bootstrapCertificate(found, { token: options.token, nodeName, stateDir }, world, signal),
  );
  const pair = await readPair(file);
  const connected = abortedWith(signal);
  const access = { url: found.server, ca: found.ca, userAgent: "orrery-join", ...pair };
  const client = httpClient(access, world, connected.signal);
  try {
    return await io.progress.step("node registered", async () => {
      const settings = await readNodeSettings(client);
      const podCidr = await rangeOf(client, nodeName, world, signal);
      checkRanges(attachments(), settings, podCidr);
      const size = { cpus: options.cpus ?? availableParallelism(), memoryBytes: options.memoryBytes ?? totalmem() };
      const worker: Worker = { name: nodeName, ip, podCidr, ...size };
      const config = agentConfig(found, settings, worker, options);
      await mkdir(stateDir, { recursive: true });
      const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
      const files = {
        "agent.json": json(config),
        "dockerd.json": json(engineConfig(worker, checkout)),
        "ca.crt": found.ca,
      };
      await writeAll(configDir, files);
      return config;
    });
  } finally {
    connected.end();
  }
}
