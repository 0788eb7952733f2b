// Resolves DNS questions about the cluster's names ("Kubernetes DNS-Based Service Discovery", version 1.1.0). Pure.
import type { Answer, Question, RecordType } from "dns-packet";
import type { DnsView, NamedPort, ServiceEntry } from "./view.ts";

export interface Zone {
  /** Such as `cluster.local`. */
  readonly domain: string;
  /** The serial number of the SOA record. */
  readonly serial: number;
}
export type Reply =
  | { readonly kind: "answer"; readonly answers: readonly Answer[]; readonly additionals?: readonly Answer[] }
  /** NODATA: the name exists, but has no record of this type. */
  | { readonly kind: "empty" }
  | { readonly kind: "nxdomain" }
  /** Outside the zone: forwarded. */
  | { readonly kind: "forward" };

/** Seconds. Short, because a cached address may be stale. */
const ttl = 5;
const version = "1.1.0";

const a = (name: string, address: string): Answer => ({ type: "A", name, ttl, data: address });
const reply = (answers: readonly Answer[], additionals: readonly Answer[] = []): Reply =>
  answers.length > 0 ? { kind: "answer", answers, additionals } : { kind: "empty" };
const nxdomain: Reply = { kind: "nxdomain" };

function addressesOf(name: string, type: RecordType, service: ServiceEntry): Reply {
  if (service.externalName !== undefined)
    return { kind: "answer", answers: [{ type: "CNAME", name, ttl, data: service.externalName }] };
  if (service.clusterIP !== undefined) return reply(type === "A" ? [a(name, service.clusterIP)] : []);
  const ready = service.hosts.filter((h) => h.ready);
  if (ready.length === 0) return nxdomain;
  return reply(type === "A" ? ready.map((h) => a(name, h.address)) : []);
}

function srv(name: string, port: number, target: string): Answer {
  return { type: "SRV", name, ttl, data: { priority: 0, weight: 100, port, target } };
}

const selfOf = ({ name, namespace }: ServiceEntry, domain: string): string => `${name}.${namespace}.svc.${domain}`;
/** The SRV records of these ports at the address of the service itself. */
const atService = (name: string, ports: readonly NamedPort[], self: string, clusterIP: string): Reply =>
  reply(
    ports.map((p) => srv(name, p.port, self)),
    [a(self, clusterIP)],
  );

/** The SRV records of a named port, such as `_http._tcp.web.default.svc`, with the addresses of their targets. */
function portsOf(name: string, portName: string, protocol: string, service: ServiceEntry, domain: string): Reply {
  const ports = service.ports.filter((p) => `_${p.name}` === portName && `_${p.protocol}` === protocol);
  if (ports.length === 0) return nxdomain;
  const self = selfOf(service, domain);
  if (service.clusterIP !== undefined) return atService(name, ports, self, service.clusterIP);
  const hosts = service.hosts.filter((h) => h.ready).map((h) => ({ ...h, name: `${h.name}.${self}` }));
  return reply(
    hosts.flatMap((h) => ports.map((p) => srv(name, p.port, h.name))),
    hosts.map((h) => a(h.name, h.address)),
  );
}

/** The SRV records of all ports of a service. */
const portsOfAll = (name: string, service: ServiceEntry, domain: string): Reply =>
  service.clusterIP === undefined
    ? { kind: "empty" }
    : atService(name, service.ports, selfOf(service, domain), service.clusterIP);

function serviceReply(name: string, type: RecordType, below: readonly string[], view: DnsView, domain: string): Reply {
  const [namespace, service, ...rest] = below.toReversed();
  if (namespace === undefined) return { kind: "empty" };
  if (service === undefined) return view.hasNamespace(namespace) ? { kind: "empty" } : nxdomain;
  const entry = view.service(namespace, service);
  if (!entry) return nxdomain;
  const [second, first, ...more] = rest;
  if (second === undefined) return type === "SRV" ? portsOfAll(name, entry, domain) : addressesOf(name, type, entry);
  if (more.length > 0) return nxdomain;
  if (first !== undefined) {
    const found = portsOf(name, first, second, entry, domain);
    return type === "SRV" || found.kind === "nxdomain" ? found : { kind: "empty" };
  }
  if (second.startsWith("_"))
    return entry.ports.some((p) => `_${p.protocol}` === second) ? { kind: "empty" } : nxdomain;
  const host = entry.hosts.find((h) => h.name === second);
  return host ? reply(type === "A" ? [a(name, host.address)] : []) : nxdomain;
}

/** The record of a pod, such as `10-244-1-5.default.pod`: its name holds the address. */
function podReply(name: string, type: RecordType, below: readonly string[], view: DnsView): Reply {
  const [namespace, dashed, ...more] = below.toReversed();
  if (namespace === undefined) return { kind: "empty" };
  if (!view.hasNamespace(namespace) || more.length > 0) return nxdomain;
  if (dashed === undefined) return { kind: "empty" };
  const address = dashed.replaceAll("-", ".");
  return /^\d+(\.\d+){3}$/.test(address) && address.split(".").every((n) => Number(n) < 256)
    ? reply(type === "A" ? [a(name, address)] : [])
    : nxdomain;
}

function reverseReply(name: string, view: DnsView, domain: string): Reply {
  const address = name.slice(0, -".in-addr.arpa".length).split(".").toReversed().join(".");
  const known = view.nameOf(address);
  return known === undefined
    ? { kind: "forward" }
    : { kind: "answer", answers: [{ type: "PTR", name, ttl, data: `${known}.${domain}` }] };
}

/** Names are case-insensitive; records repeat the name with the case of the question. */
export function answer(question: Question, view: DnsView, { domain }: Zone): Reply {
  const { type, name: owner } = question;
  const name = owner.toLowerCase().replace(/\.$/, "");
  if (name.endsWith(".in-addr.arpa")) return reverseReply(name, view, domain);
  if (name === domain) return { kind: "empty" };
  if (!name.endsWith(`.${domain}`)) return { kind: "forward" };
  const labels = name.slice(0, -(domain.length + 1)).split(".");
  const branch = labels.at(-1);
  const below = labels.slice(0, -1);
  if (branch === "svc") return serviceReply(owner, type, below, view, domain);
  if (branch === "pod") return podReply(owner, type, below, view);
  if (name === `dns-version.${domain}`)
    return reply(type === "TXT" ? [{ type: "TXT", name: owner, ttl, data: version }] : []);
  return nxdomain;
}

/** The SOA record: the authority of a negative reply, which bounds how long it is cached (RFC 2308). */
export const authority = ({ domain, serial }: Zone): Answer => ({
  type: "SOA",
  name: domain,
  ttl,
  data: {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  },
});
