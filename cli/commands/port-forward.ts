// orrery port-forward: listens on local ports and forwards their connections to a pod.
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Command } from "commander";
import type { Pod, Service } from "../../api/generated/types.ts";
import { hasReason } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import {
  checkPorts,
  type ForwardedPort,
  forwardedPorts,
  type ListenAddress,
  listenAddresses,
} from "../client/forwarded-ports.ts";
import { podsOf } from "../client/pods-of.ts";
import { connectToPod, forwardConnection, type PodConnection } from "../client/port-forward.ts";
import { type Session, session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { duration, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { interruption } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly address: readonly string[];
  readonly podRunningTimeout: number;
}
const help = "See 'orrery port-forward -h' for help and examples";

/** A running pod, and the ports to forward. */
interface Forwarding {
  readonly pod: Pod;
  readonly path: string;
  readonly ports: readonly ForwardedPort[];
}

async function forwardingOf(scope: Session, args: readonly string[], flags: Flags): Promise<Forwarding> {
  const [what = "", ...ports] = args;
  const [target] = await targetsOf(scope, [what], {}, { defaultType: "pods" });
  const choice = { purpose: "attach to", prefersRestarted: false, timeoutMs: flags.podRunningTimeout };
  const pod = (await podsOf(scope, target!, choice))[0]!;
  const isService = target!.resource.kind === "Service" && target!.resource.group === "";
  const service = isService ? await scope.api.get<Service>(targetPath(target!)) : undefined;
  const forwarded = forwardedPorts(ports, pod, service);
  if (pod.status?.phase !== "Running")
    throw new CliError(`unable to forward port because pod is not running. Current status=${pod.status?.phase}`);
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
  return { pod, path, ports: forwarded };
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
  EAFNOSUPPORT: "address family not supported by protocol",
};

interface Listening {
  readonly server: Server;
  readonly port: number;
}

const hostPort = (address: string, port: number): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`;

/** Listens on one address. Throws an Error in Go's words. */
async function listen(address: string, port: number, accept: (socket: Socket) => void): Promise<Listening> {
  const server = createServer({ allowHalfOpen: true }, accept).listen({ port, host: address, ipv6Only: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const network = address.includes(":") ? "tcp6" : "tcp4";
    throw new Error(
      `unable to create listener: Error listen ${network} ${hostPort(address, port)}: bind: ${reasons[code] ?? message}`,
    );
  }
  return { server, port: (server.address() as AddressInfo).port };
}

/** Listens for one port on all addresses, and prints where. Prints why, when it cannot. */
async function listenAll(
  { local, remote }: ForwardedPort,
  addresses: readonly ListenAddress[],
  accept: (socket: Socket, local: number) => void,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  const failures: { readonly isLocalhost: boolean; readonly message: string }[] = [];
  let port = local;
  let hasLocalhost = false;
  for (const { address, isLocalhost } of addresses)
    try {
      const listening = await listen(address, port, (socket) => accept(socket, listening.port));
      port = listening.port;
      servers.push(listening.server);
      hasLocalhost ||= isLocalhost;
      printLine(`Forwarding from ${hostPort(address, port)} -> ${remote}`);
    } catch (error) {
      failures.push({ isLocalhost, message: (error as Error).message });
    }
  if (!failures.some(({ isLocalhost }) => !isLocalhost || !hasLocalhost)) return servers;
  const messages = failures.map(({ message }) => message).join(" ");
  process.stderr.write(
    `Unable to listen on port ${port}: Listeners failed to create with the following errors: [${messages}]\n`,
  );
  for (const server of servers) server.close();
  return [];
}

/** Whether the pod is still the one that was connected to. */
async function isThere({ api }: Session, { pod, path }: Forwarding): Promise<boolean> {
  try {
    const { metadata, status } = await api.get<Pod>(path);
    return metadata.uid === pod.metadata.uid && status?.phase === "Running";
  } catch (error) {
    if (hasReason(error, "NotFound")) return false;
    throw error;
  }
}

/** Forwards connections until the signal aborts. Throws CliError when the pod is lost. */
async function forward(
  scope: Session,
  forwarding: Forwarding,
  connection: PodConnection,
  addresses: readonly ListenAddress[],
  signal: AbortSignal,
): Promise<void> {
  let requestId = 0;
  const accept = async (socket: Socket, local: number, remote: number): Promise<void> => {
    printLine(`Handling connection for ${local}`);
    const error = await forwardConnection(connection, socket, { remote, requestId: requestId++ });
    if (error === undefined) return;
    process.stderr.write(`an error occurred forwarding ${local} -> ${remote}: ${error}\n`);
    // kubectl ends at the first error; here one refused connection does not end the others.
    if (!(await isThere(scope, forwarding))) connection.close();
  };
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  for (const port of forwarding.ports) {
    const onSocket = (socket: Socket, local: number): void => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      accept(socket, local, port.remote).catch(() => connection.close());
    };
    servers.push(...(await listenAll(port, addresses, onSocket)));
  }
  const off = onAbort(signal, connection.close);
  try {
    if (servers.length === 0) {
      const ports = forwarding.ports.map(({ local, remote }) => `{${local} ${remote}}`).join(" ");
      throw new CliError(`unable to listen on any of the requested ports: [${ports}]`);
    }
    await connection.left;
    if (!signal.aborted) throw new CliError("lost connection to pod");
  } finally {
    off();
    connection.close();
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  }
}

const portForward = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (args.length < 2) throw new CliError("TYPE/NAME and list of ports are required for port-forward", help);
  if (flags.podRunningTimeout <= 0) throw new CliError("--pod-running-timeout must be higher than zero", help);
  checkPorts(args.slice(1));
  const addresses = listenAddresses(flags.address);
  const scope = await session(flags);
  const forwarding = await forwardingOf(scope, args, flags);
  const signal = interruption();
  const connection = await connectToPod(scope.api.access, `${forwarding.path}/portforward`);
  await forward(scope, forwarding, connection, addresses, signal);
};

/** Adds `port-forward` to the program. */
export const register = (program: Command): void => {
  program
    .command("port-forward [args...]")
    .usage("[flags] (POD | TYPE/NAME) [LOCAL_PORT:]REMOTE_PORT...")
    .option("--address <addresses>", "the addresses to listen on: IP addresses, or localhost", list, ["localhost"])
    .option("--pod-running-timeout <duration>", "how long to wait for the first pod", duration, 60_000)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery port-forward web-1 8080:80\n  orrery port-forward deploy/web :http\n  orrery port-forward svc/web 8443:https",
    )
    .action(portForward);
};
