// The ports and addresses of port-forward: `8080`, `8080:80`, `:80`, `8080:http`, and those of services. Pure.
import { isIP } from "node:net";
import type { Pod, Service } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";

export interface ForwardedPort {
  /** 0 for a random one. */
  readonly local: number;
  readonly remote: number;
}
/** A port argument as it was typed. */
interface PortPair {
  readonly local: string;
  readonly remote: string;
}

function pairOf(text: string): PortPair {
  const parts = text.split(":");
  if (parts.length > 2) throw new CliError(`invalid port format '${text}'`);
  const [local = "", remote = local] = parts;
  if (remote === "") throw new CliError("remote port cannot be empty");
  return { local, remote };
}

const isNumber = (text: string): boolean => /^[+-]?\d+$/.test(text);

function portIn(text: string, side: "local" | "remote"): number {
  const problem = !/^\d+$/.test(text) ? "invalid syntax" : Number(text) > 65_535 ? "value out of range" : undefined;
  if (problem === undefined) return Number(text);
  throw new CliError(
    `error parsing ${side} port '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`,
  );
}

function numbersOf({ local, remote }: PortPair): ForwardedPort {
  const ports = { local: local === "" ? 0 : portIn(local, "local"), remote: portIn(remote, "remote") };
  if (ports.remote === 0) throw new CliError("remote port must be > 0");
  return ports;
}

/** Checks ports before the pod is known, which may name some of them. Throws CliError in kubectl's words. */
export function checkPorts(args: readonly string[]): void {
  for (const { local, remote } of args.map(pairOf))
    if (isNumber(remote)) numbersOf({ local, remote });
    else if (local !== remote && local !== "") portIn(local, "local");
}

type ServicePort = NonNullable<Service["spec"]["ports"]>[number];

/** The port of a container by its name. Sidecars come after the other containers. */
function containerPort({ metadata, spec }: Pod, name: string): number {
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
  const ports = [...spec.containers, ...sidecars].flatMap((c) => c.ports ?? []);
  const found = ports.find((port) => port.name === name);
  if (found) return found.containerPort;
  throw new CliError(`Pod '${metadata.name}' does not have a named port '${name}'`);
}

function servicePort({ metadata, spec }: Service, text: string): ServicePort {
  const named = isNumber(text) ? undefined : (spec.ports ?? []).find(({ name }) => name === text);
  if (!isNumber(text) && !named) throw new CliError(`Service '${metadata.name}' does not have a named port '${text}'`);
  const port = named?.port ?? Number(text);
  const found = (spec.ports ?? []).find((p) => p.port === port);
  if (found) return found;
  throw new CliError(`Service ${metadata.name} does not have a service port ${port}`);
}

/** The port of the pod behind a port of a service. */
function targetOf({ spec }: Service, { port, targetPort }: ServicePort, pod: Pod): number {
  if (spec.clusterIP === "None" || !targetPort) return port;
  return typeof targetPort === "number" ? targetPort : containerPort(pod, targetPort);
}

interface Declared {
  readonly port: number;
  readonly protocol: string;
}

/** Throws CliError for a port that is declared for UDP only. */
function refuseUdp(declared: readonly Declared[], port: number, text: string): void {
  const has = (protocol: string): boolean => declared.some((d) => d.port === port && d.protocol === protocol);
  if (has("UDP") && !has("TCP")) throw new CliError(`UDP protocol is not supported for ${text}`);
}

function podPorts(pairs: readonly PortPair[], pod: Pod): readonly ForwardedPort[] {
  const declared = pod.spec.containers
    .flatMap((c) => c.ports ?? [])
    .map(({ containerPort: port, protocol = "TCP" }) => ({ port, protocol }));
  return pairs.map(({ local, remote }) => {
    const port = isNumber(remote) ? remote : String(containerPort(pod, remote));
    refuseUdp(declared, Number(port), remote);
    return numbersOf({ local: local === remote ? port : local, remote: port });
  });
}

function servicePorts(pairs: readonly PortPair[], service: Service, pod: Pod): readonly ForwardedPort[] {
  const declared = (service.spec.ports ?? []).map(({ port, protocol = "TCP" }) => ({ port, protocol }));
  return pairs.map(({ local, remote }) => {
    const port = servicePort(service, remote);
    refuseUdp(declared, port.port, remote);
    const target = String(targetOf(service, port, pod));
    return numbersOf({ local: local === remote ? String(port.port) : local, remote: target });
  });
}

/** The ports of the arguments, for a pod that was named itself or by a service. Throws CliError in kubectl's words. */
export const forwardedPorts = (args: readonly string[], pod: Pod, service?: Service): readonly ForwardedPort[] =>
  service ? servicePorts(args.map(pairOf), service, pod) : podPorts(args.map(pairOf), pod);

/** An address to listen on. Of the two of `localhost`, one is sufficient. */
export interface ListenAddress {
  readonly address: string;
  readonly isLocalhost: boolean;
}

/** The addresses of `--address`, sorted. Throws CliError in kubectl's words. */
export function listenAddresses(texts: readonly string[]): readonly ListenAddress[] {
  if (texts.length === 0) throw new CliError("you must specify at least 1 address");
  const found = new Map<string, ListenAddress>();
  for (const text of texts) {
    if (text !== "localhost" && isIP(text) === 0) throw new CliError(`${text} is not a valid IP`);
    if (text !== "localhost") found.set(text, { address: text, isLocalhost: false });
    else
      for (const address of ["127.0.0.1", "::1"])
        if (!found.has(address)) found.set(address, { address, isLocalhost: true });
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}
