// What the cluster answers to a question about names. Pure. Source: "Kubernetes DNS-Based Service Discovery", version
// 1.1.0.
import type { Answer, Question, RecordType } from "dns-packet";
import type { DnsView, Host, ServiceEntry } from "./view.ts";

export interface Zone {
  /** Such as `cluster.local`. */
  readonly domain: string;
  /** Name servers in front of which the cluster's names stand: everything else is theirs. */
  readonly serial: number;
}
export type Reply =
  | { readonly kind: "answer"; readonly answers: readonly Answer[]; readonly additionals?: readonly Answer[] }
  /** The name exists, but has nothing of this type. */
  | { readonly kind: "empty" }
  | { readonly kind: "no such name" }
  /** Not a name of ours. */
  | { readonly kind: "elsewhere" };

/** Seconds an answer may be kept: services move, and a stale address is a lost request. */
const ttl = 5;
const version = "1.1.0";

const a = (name: string, address: string): Answer => ({ type: "A", name, ttl, data: address });
const answered = (answers: readonly Answer[], additionals: readonly Answer[] = []): Reply =>
  answers.length > 0 ? { kind: "answer", answers, additionals } : { kind: "empty" };
const nobody: Reply = { kind: "no such name" };

function addressesOf(name: string, type: RecordType, service: ServiceEntry): Reply {
  if (service.externalName !== undefined)
    return { kind: "answer", answers: [{ type: "CNAME", name, ttl, data: service.externalName }] };
  if (service.clusterIP !== undefined) return answered(type === "A" ? [a(name, service.clusterIP)] : []);
  const ready = service.hosts.filter((h) => h.ready);
  if (ready.length === 0) return nobody;
  return answered(type === "A" ? ready.map((h) => a(name, h.address)) : []);
}

function srv(name: string, port: number, target: string): Answer {
  return { type: "SRV", name, ttl, data: { priority: 0, weight: 100, port, target } };
}

/** `_http._tcp.web.default.svc`: where that port is, and the addresses of who is named. */
function portsOf(name: string, portName: string, protocol: string, service: ServiceEntry, domain: string): Reply {
  const ports = service.ports.filter((p) => `_${p.name}` === portName && `_${p.protocol}` === protocol);
  if (ports.length === 0) return nobody;
  const self = `${service.name}.${service.namespace}.svc.${domain}`;
  if (service.clusterIP !== undefined)
    return answered(
      ports.map((p) => srv(name, p.port, self)),
      [a(self, service.clusterIP)],
    );
  const hosts = service.hosts.filter((h) => h.ready).map((h) => ({ ...h, name: `${h.name}.${self}` }));
  return answered(
    hosts.flatMap((h) => ports.map((p) => srv(name, p.port, h.name))),
    hosts.map((h) => a(h.name, h.address)),
  );
}

const hostReply = (name: string, type: RecordType, host: Host | undefined): Reply =>
  host ? answered(type === "A" ? [a(name, host.address)] : []) : nobody;

function serviceReply(name: string, type: RecordType, below: readonly string[], view: DnsView, domain: string): Reply {
  const [namespace, service, ...rest] = below.toReversed();
  if (namespace === undefined) return { kind: "empty" };
  if (service === undefined) return view.hasNamespace(namespace) ? { kind: "empty" } : nobody;
  const entry = view.service(namespace, service);
  if (!entry) return nobody;
  const [second, first, ...more] = rest;
  if (second === undefined) return type === "SRV" ? portsOfAll(name, entry, domain) : addressesOf(name, type, entry);
  if (more.length > 0) return nobody;
  if (first !== undefined) {
    const found = portsOf(name, first, second, entry, domain);
    return type === "SRV" || found.kind === "no such name" ? found : { kind: "empty" };
  }
  if (second.startsWith("_")) return entry.ports.some((p) => `_${p.protocol}` === second) ? { kind: "empty" } : nobody;
  return hostReply(
    name,
    type,
    entry.hosts.find((h) => h.name === second),
  );
}

/** A question for all ports of a service at once. */
function portsOfAll(name: string, service: ServiceEntry, domain: string): Reply {
  const self = `${service.name}.${service.namespace}.svc.${domain}`;
  return service.clusterIP === undefined
    ? { kind: "empty" }
    : answered(
        service.ports.map((p) => srv(name, p.port, self)),
        [a(self, service.clusterIP)],
      );
}

/** `10-244-1-5.default.pod`: the address is in the name. */
function podReply(name: string, type: RecordType, below: readonly string[], view: DnsView): Reply {
  const [namespace, dashed, ...more] = below.toReversed();
  if (namespace === undefined) return { kind: "empty" };
  if (!view.hasNamespace(namespace) || more.length > 0) return nobody;
  if (dashed === undefined) return { kind: "empty" };
  const address = dashed.replaceAll("-", ".");
  return /^\d+(\.\d+){3}$/.test(address) && address.split(".").every((n) => Number(n) < 256)
    ? answered(type === "A" ? [a(name, address)] : [])
    : nobody;
}

function reverseReply(name: string, view: DnsView, domain: string): Reply {
  const address = name.slice(0, -".in-addr.arpa".length).split(".").toReversed().join(".");
  const known = view.nameOf(address);
  return known === undefined
    ? { kind: "elsewhere" }
    : { kind: "answer", answers: [{ type: "PTR", name, ttl, data: `${known}.${domain}` }] };
}

/** Names are compared without case, and answered as they were asked. */
export function answer(question: Question, view: DnsView, { domain }: Zone): Reply {
  const asked = question.name;
  const name = asked.toLowerCase().replace(/\.$/, "");
  const type = question.type;
  if (name.endsWith(".in-addr.arpa")) return reverseReply(name, view, domain);
  if (name === domain) return { kind: "empty" };
  if (!name.endsWith(`.${domain}`)) return { kind: "elsewhere" };
  const labels = name.slice(0, -(domain.length + 1)).split(".");
  const branch = labels.at(-1);
  const below = labels.slice(0, -1);
  if (branch === "svc") return serviceReply(asked, type, below, view, domain);
  if (branch === "pod") return podReply(asked, type, below, view);
  if (name === `dns-version.${domain}`)
    return answered(type === "TXT" ? [{ type: "TXT", name: asked, ttl, data: version }] : []);
  return nobody;
}

/** Who is in charge of the zone; goes with every "no", so that it may be remembered for as long. */
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
