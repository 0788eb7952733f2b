// The paths of the proxies (`nodes|pods|services/[SCHEME:]NAME[:PORT]/proxy/REST`) and their targets: the kubelet of a
// node, a port of a pod, or an endpoint of a service.
import { addressText, holdsAddress, parseAddress, parseBlock } from "../../api/addresses.ts";
import { ApiError } from "../../api/errors.ts";
import { type EndpointSlice, endpointSlices } from "../../api/discovery/endpointslices.ts";
import { type Node, nodes } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { type Service, services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import type { KubeletTls, Kubelets, PodAt } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";

/** The path of a proxied request. */
export interface ProxyPath {
  readonly plural: "nodes" | "pods" | "services";
  readonly namespace: string | undefined;
  /** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. */
  readonly id: string;
  /** Everything up to `proxy`, as it was written. */
  readonly prefix: string;
  /** The path at the target: empty, or beginning with a slash. */
  readonly rest: string;
}

const shape = /^(\/api\/v1\/(?:namespaces\/([^/]+)\/(pods|services)|(nodes))\/([^/]+)\/proxy)(\/.*)?$/;

/** Undefined when the path is none of a proxy. */
export function proxyPath(path: string): ProxyPath | undefined {
  const [, prefix = "", namespace, kind, node, id = "", rest = ""] = shape.exec(path) ?? [];
  if (prefix === "") return undefined;
  try {
    return {
      plural: (kind ?? node) as ProxyPath["plural"],
      namespace: namespace === undefined ? undefined : decodeURIComponent(namespace),
      id: decodeURIComponent(id),
      prefix,
      rest: cleaned(rest),
    };
  } catch {
    return undefined;
  }
}

/** Where the proxies are, as routes are written. */
export const proxyRoutes: readonly string[] = [
  "/api/v1/nodes/:name/proxy",
  "/api/v1/namespaces/:namespace/pods/:name/proxy",
  "/api/v1/namespaces/:namespace/services/:name/proxy",
].flatMap((route) => [route, `${route}/*`]);

const unescaped = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;
/** A segment of a path, escaped where necessary. */
const step = (text: string): string =>
  encodeURIComponent(text)
    .replace(unescaped, decodeURIComponent)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** A path without empty steps and steps back; a slash at its end stays. */
export function cleaned(path: string): string {
  const steps: string[] = [];
  for (const text of decodeURIComponent(path).split("/"))
    if (text === "..") steps.pop();
    else if (text !== "" && text !== ".") steps.push(step(text));
  if (steps.length === 0) return path === "" ? "" : "/";
  return `/${steps.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** The parts of an id. */
export interface Named {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** Undefined when it is not written as ids are. */
export function namedIn(id: string): Named | undefined {
  const parts = id.split(":");
  if (parts.length > 3) return undefined;
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  return name !== "" && ["", "http", "https"].includes(scheme) ? { scheme, name, port } : undefined;
}

/** Where a proxied request is sent. */
export interface ProxyTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  /** None is the scheme's own. */
  readonly port: string;
  /** For kubelets. The certificates of other targets are not verified. */
  readonly tls?: KubeletTls;
  /** The pod, when it is reached through its kubelet. */
  readonly pod?: PodAt;
}

const schemeOf = ({ scheme }: Named): ProxyTarget["scheme"] => (scheme === "https" ? "https" : "http");

/** The addresses of the server itself and of its link, and those of no single host. */
const unreachable = [
  ...["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"],
  ...["::/127", "fe80::/10", "ff00::/8"],
].map((block) => parseBlock(block)!);

/**
 * No loopback, link-local or multicast address, however it is written: a client must not reach the server itself by its
 * proxy. Pure.
 */
export function isProxyable(ip: string): boolean {
  const parsed = parseAddress(ip);
  if (!parsed || parsed.irregular === "zeros") return false;
  const address = parsed.irregular === "mapped" ? parseAddress(addressText(parsed))! : parsed;
  return !unreachable.some((block) => holdsAddress(block, address));
}

const firstPort = (pod: Pod): string =>
  String(pod.spec.containers.flatMap((c) => c.ports ?? []).find(() => true)?.containerPort ?? "");

/** Whether an address is one of those a node gives to its pods. Pure. */
export function isFromNode({ spec }: Node, ip: string): boolean {
  const address = parseAddress(ip);
  const ranges = (spec.podCIDRs ?? []).map(parseBlock).filter((block) => block !== undefined);
  return address !== undefined && ranges.some((block) => holdsAddress(block, address));
}

/**
 * A pod with an address that its node gave it is reached through that node. One with another address, the node's own or
 * that of a network we know nothing of, is reached like any machine.
 */
async function wayTo(registry: Registry, { metadata, spec }: Pod, ip: string): Promise<{ readonly pod?: PodAt }> {
  if (!spec.nodeName || spec.hostNetwork) return {};
  const found = await registry.get(nodes, key(undefined, spec.nodeName)).catch(() => undefined);
  if (!found || !isFromNode(objectOf<Node>(found), ip)) return {};
  return { pod: { node: spec.nodeName, namespace: metadata.namespace!, pod: metadata.name } };
}

async function podTarget(registry: Registry, namespace: string, named: Named): Promise<ProxyTarget> {
  const pod = objectOf<Pod>(await registry.get(pods, key(namespace, named.name)));
  const ip = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP;
  if (!ip || !isProxyable(ip)) throw new ApiError("BadRequest", "address not allowed");
  const port = named.port || firstPort(pod);
  return { scheme: schemeOf(named), host: ip, port, ...(await wayTo(registry, pod, ip)) };
}

/** The name of the port a client has named or numbered. Pure. */
export function portName(service: Service, port: string): string {
  if (!/^\d+$/.test(port)) return port;
  const found = service.spec.ports?.find((p) => p.port === Number(port));
  if (found === undefined)
    throw new ApiError("ServiceUnavailable", `no service port ${port} found for service "${service.metadata.name}"`);
  return found.name ?? "";
}

interface Candidate {
  readonly ip: string;
  readonly port: number;
  readonly pod: string | undefined;
}
/** The ready endpoints that serve a port of this name. Pure. */
export function candidatesIn(slices: readonly EndpointSlice[], name: string): readonly Candidate[] {
  return slices.flatMap(({ ports = [], endpoints = [] }) =>
    ports
      .filter((p) => (p.name ?? "") === name && p.port !== undefined)
      .flatMap(({ port }) =>
        endpoints
          .filter((e) => e.conditions?.ready !== false)
          .map((e) => ({
            ip: e.addresses[0]!,
            port: port!,
            pod: e.targetRef?.kind === "Pod" ? e.targetRef.name : undefined,
          })),
      ),
  );
}

/** The pod of an endpoint, if the address is still that of the pod: slices may be written by users. */
async function thatPod(registry: Registry, namespace: string, { ip, pod }: Candidate): Promise<Pod | undefined> {
  if (pod === undefined || !isProxyable(ip)) return undefined;
  const stored = await registry.get(pods, key(namespace, pod)).catch(() => undefined);
  const found = stored && objectOf<Pod>(stored);
  const addresses = [found?.status?.podIP, ...(found?.status?.podIPs ?? []).map((p) => p.ip)];
  return addresses.includes(ip) ? found : undefined;
}

async function serviceTarget(registry: Registry, namespace: string, named: Named): Promise<ProxyTarget> {
  const service = objectOf<Service>(await registry.get(services, key(namespace, named.name)));
  const name = portName(service, named.port);
  const labelSelector = `kubernetes.io/service-name=${named.name}`;
  const { entries } = await registry.list(endpointSlices, { namespace, labelSelector });
  const candidates = candidatesIn(
    entries.map((stored) => objectOf<EndpointSlice>(stored)),
    name,
  );
  const offset = Math.floor(registry.world.random.next() * candidates.length);
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[(i + offset) % candidates.length]!;
    const pod = await thatPod(registry, namespace, candidate);
    if (!pod) continue;
    const place = { scheme: schemeOf(named), host: candidate.ip, port: String(candidate.port) };
    return { ...place, ...(await wayTo(registry, pod, candidate.ip)) };
  }
  throw new ApiError("ServiceUnavailable", `no endpoints available for service "${named.name}"`);
}

async function nodeTarget(kubelets: Kubelets, named: Named): Promise<ProxyTarget> {
  const { host, port } = await kubelets.place(named.name);
  if (named.port === "" || named.port === String(port))
    return { scheme: "https", host, port: String(port), tls: kubelets.tls };
  if (!isProxyable(host)) throw new ApiError("BadRequest", "address not allowed");
  return { scheme: schemeOf(named), host, port: named.port };
}

/** The target of a request. */
export function proxyTarget(registry: Registry, kubelets: Kubelets, path: ProxyPath): Promise<ProxyTarget> {
  const named = namedIn(path.id);
  const kind = path.plural.slice(0, -1);
  if (named === undefined) throw new ApiError("BadRequest", `invalid ${kind} request ${JSON.stringify(path.id)}`);
  if (path.plural === "nodes") return nodeTarget(kubelets, named);
  return (path.plural === "pods" ? podTarget : serviceTarget)(registry, path.namespace ?? "", named);
}
