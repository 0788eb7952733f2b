// The traffic of services through this node, from counters of the rules: new connections, and bytes in both directions.
import type { Service, ServicePort } from "../../api/generated/types.ts";
import type { Run } from "../command.ts";
import { type Observed, proxiedServices } from "./rules.ts";

/** A port of a service, by what packets to it carry. */
export interface CountedPort {
  readonly namespace: string;
  readonly service: string;
  readonly port: string;
}
/** Every frontend that is counted: `address . protocol . port`, or `protocol . port` of a node port. */
export type Frontends = ReadonlyMap<string, CountedPort>;

const keysOf = ({ spec }: Service, { protocol = "TCP", port, nodePort }: ServicePort): readonly string[] => [
  ...[spec.clusterIP!, ...(spec.externalIPs ?? [])].map(
    (address) => `${address} . ${protocol.toLowerCase()} . ${port}`,
  ),
  ...(nodePort ? [`${protocol.toLowerCase()} . ${nodePort}`] : []),
];

/** The frontends of all services that the proxy serves. Pure. */
export const frontendsOf = (observed: Pick<Observed, "services">): Frontends =>
  new Map(
    proxiedServices(observed).flatMap((service) =>
      (service.spec.ports ?? []).flatMap((port) =>
        keysOf(service, port).map((key) => [
          key,
          {
            namespace: service.metadata.namespace ?? "default",
            service: service.metadata.name,
            port: port.name ?? String(port.port),
          },
        ]),
      ),
    ),
  );

/** A table of our own, so that the counters outlive changes of the other rules. */
const table = "ip orrery_traffic";
const setNames = ["connections", "received", "sent"] as const;
const isNodePort = (key: string): boolean => key.split(" . ").length === 2;
/** The sets that have an element for a frontend. */
const setsOf = (key: string): readonly string[] => setNames.map((name) => (isNodePort(key) ? `${name}_node` : name));

const setTypes = setNames.flatMap((name) => [
  `set ${name} { type ipv4_addr . inet_proto . inet_service; counter; }`,
  `set ${name}_node { type inet_proto . inet_service; counter; }`,
]);

// Packets to a service are counted before their address is translated, and those from it after that was undone. A
// lookup in a set of this kind counts, at a cost that does not depend on the number of services.
const emptyTable = `table ${table}
delete table ${table}
table ${table} {
  ${setTypes.join("\n  ")}
  chain inward {
    ct state new ip daddr . meta l4proto . th dport @connections
    ip daddr . meta l4proto . th dport @received return
    fib daddr type != local return
    ct state new meta l4proto . th dport @connections_node
    meta l4proto . th dport @received_node
  }
  chain outward {
    ip saddr . meta l4proto . th sport @sent return
    fib saddr type local meta l4proto . th sport @sent_node
  }
  chain prerouting {
    type filter hook prerouting priority mangle
    ct direction original ct state new jump inward
    ct direction original ct state established,related ct status dnat jump inward
  }
  chain output { type filter hook output priority mangle; ct direction original jump inward; }
  chain postrouting { type filter hook postrouting priority 150; ct direction reply ct status dnat jump outward; }
  chain input { type filter hook input priority 150; ct direction reply ct status dnat jump outward; }
}`;

const elements = (verb: "add" | "delete", keys: readonly string[]): readonly string[] =>
  [
    ...Map.groupBy(
      keys.flatMap((key) => setsOf(key).map((set) => [set, key] as const)),
      ([set]) => set,
    ),
  ].map(([set, pairs]) => `${verb} element ${table} ${set} { ${pairs.map(([, key]) => key).join(", ")} }`);

/** The input of `nft` that counts these frontends. The counters of those that were counted before go on. Pure. */
export function trafficRules(before: Frontends | undefined, next: Frontends): string {
  const added = [...next.keys()].filter((key) => !before?.has(key));
  const gone = [...(before?.keys() ?? [])].filter((key) => !next.has(key));
  return [...(before ? [] : [emptyTable]), ...elements("delete", gone), ...elements("add", added)].join("\n");
}

interface Element {
  readonly elem?: { readonly val: { readonly concat: readonly (string | number)[] }; readonly counter: Counter };
}
interface Counter {
  readonly packets: number;
  readonly bytes: number;
}
interface Listed {
  readonly nftables: readonly { readonly set?: { readonly name: string; readonly elem?: readonly Element[] } }[];
}

/** The counters of each frontend, from the output of `nft -j list sets`. Pure. */
export function countersIn(listed: string): ReadonlyMap<string, ReadonlyMap<string, Counter>> {
  const { nftables } = JSON.parse(listed) as Listed;
  return new Map(
    nftables.flatMap(({ set }) =>
      set === undefined
        ? []
        : [
            [
              set.name,
              new Map(
                (set.elem ?? []).flatMap(({ elem }) => (elem ? [[elem.val.concat.join(" . "), elem.counter]] : [])),
              ),
            ] as const,
          ],
    ),
  );
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');

interface Totals {
  connections: number;
  received: number;
  sent: number;
}

/** Prometheus' text about all ports of services; those of several addresses are added up. Pure. */
export function trafficText(frontends: Frontends, counters: ReturnType<typeof countersIn>): string {
  const totals = new Map<string, Totals>();
  for (const [key, { namespace, service, port }] of frontends) {
    const labels = `namespace="${escaped(namespace)}",service="${escaped(service)}",port="${escaped(port)}"`;
    const sum = totals.getOrInsertComputed(labels, () => ({ connections: 0, received: 0, sent: 0 }));
    const [connections, received, sent] = setsOf(key).map((set) => counters.get(set)?.get(key));
    sum.connections += connections?.packets ?? 0;
    sum.received += received?.bytes ?? 0;
    sum.sent += sent?.bytes ?? 0;
  }
  const lines = [...totals].flatMap(([labels, { received, sent }]) => [
    `service_proxy_bytes_total{${labels},direction="received"} ${received}`,
    `service_proxy_bytes_total{${labels},direction="sent"} ${sent}`,
  ]);
  return [
    "# HELP service_proxy_connections_total Connections that began at this node to a port of a service.",
    "# TYPE service_proxy_connections_total counter",
    ...[...totals].map(([labels, { connections }]) => `service_proxy_connections_total{${labels}} ${connections}`),
    "# HELP service_proxy_bytes_total Bytes of these connections, headers included: received and sent by the service.",
    "# TYPE service_proxy_bytes_total counter",
    ...lines,
    "",
  ].join("\n");
}

/** Counts the traffic of services. */
export interface TrafficCounters {
  /** Counts these services from now on. */
  count(observed: Pick<Observed, "services">): Promise<void>;
  /** The counters as Prometheus' text. */
  metrics(): Promise<string>;
}

export function trafficCounters(run: Run): TrafficCounters {
  let counted: Frontends | undefined;
  return {
    async count(observed) {
      const [before, next] = [counted, frontendsOf(observed)];
      // Unknown until the change has succeeded; then the next one writes the complete table.
      counted = undefined;
      const rules = trafficRules(before, next);
      if (rules !== "") await run("nft", ["-f", "-"], rules);
      counted = next;
    },
    async metrics() {
      if (!counted) return "";
      const listed = await run("nft", ["-j", "list", "sets", "table", "ip", "orrery_traffic"]);
      return trafficText(counted, countersIn(listed));
    },
  };
}
