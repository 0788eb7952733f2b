// DNS responses by record type and name.
import { expect, test } from "vitest";
import type { RecordType } from "dns-packet";
import type { EndpointSlice, Service } from "../../../api/generated/types.ts";
import { answer } from "../../../network/dns/answer.ts";
import { upstreamsOf } from "../../../network/dns/server.ts";
import { dnsView } from "../../../network/dns/view.ts";
import { parseRoutes, routeChanges } from "../../../network/routes.ts";

const service = (name: string, spec: object): Service =>
  ({
    metadata: { name, namespace: "default" },
    spec: { ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec },
  }) as unknown as Service;
const slices: Readonly<Record<string, readonly EndpointSlice[]>> = {
  db: [
    {
      addressType: "IPv4",
      ports: [{ name: "http", port: 5432, protocol: "TCP" }],
      endpoints: [
        { addresses: ["10.244.1.2"], hostname: "db-0", conditions: { ready: true } },
        { addresses: ["10.244.2.2"], conditions: { ready: true } },
        { addresses: ["10.244.3.2"], conditions: { ready: false } },
      ],
    } as unknown as EndpointSlice,
  ],
};
const view = dnsView(
  [
    service("web", { clusterIP: "10.96.0.20" }),
    service("db", { clusterIP: "None" }),
    service("ext", { type: "ExternalName", externalName: "a.example" }),
  ],
  (s) => slices[s.metadata.name] ?? [],
  ["default", "kube-system"],
);
const resolve = (type: RecordType, name: string): string => {
  const reply = answer({ type, name }, view, { domain: "cluster.local", serial: 1 });
  if (reply.kind !== "answer") return reply.kind;
  return reply.answers
    .map((a) => (a.type === "SRV" ? `${a.data.port} ${a.data.target}` : String((a as { readonly data: unknown }).data)))
    .join(", ");
};

const table: readonly (readonly [type: RecordType, name: string, response: string])[] = [
  ["A", "web.default.svc.cluster.local", "10.96.0.20"],
  ["A", "WEB.Default.svc.cluster.LOCAL", "10.96.0.20"],
  ["AAAA", "web.default.svc.cluster.local", "empty"],
  ["A", "nobody.default.svc.cluster.local", "nxdomain"],
  ["A", "web.nowhere.svc.cluster.local", "nxdomain"],
  ["A", "default.svc.cluster.local", "empty"],
  ["A", "svc.cluster.local", "empty"],
  ["A", "web.cluster.local", "nxdomain"],
  ["A", "db.default.svc.cluster.local", "10.244.1.2, 10.244.2.2"],
  ["A", "db-0.db.default.svc.cluster.local", "10.244.1.2"],
  ["A", "10-244-2-2.db.default.svc.cluster.local", "10.244.2.2"],
  ["A", "db-9.db.default.svc.cluster.local", "nxdomain"],
  ["CNAME", "ext.default.svc.cluster.local", "a.example"],
  ["A", "ext.default.svc.cluster.local", "a.example"],
  ["SRV", "_http._tcp.web.default.svc.cluster.local", "80 web.default.svc.cluster.local"],
  ["SRV", "_http._udp.web.default.svc.cluster.local", "nxdomain"],
  [
    "SRV",
    "_http._tcp.db.default.svc.cluster.local",
    "5432 db-0.db.default.svc.cluster.local, 5432 10-244-2-2.db.default.svc.cluster.local",
  ],
  ["A", "10-244-1-5.default.pod.cluster.local", "10.244.1.5"],
  ["A", "10-244-1-500.default.pod.cluster.local", "nxdomain"],
  ["A", "10-244-1-5.nowhere.pod.cluster.local", "nxdomain"],
  ["PTR", "20.0.96.10.in-addr.arpa", "web.default.svc.cluster.local"],
  ["PTR", "2.1.244.10.in-addr.arpa", "db-0.db.default.svc.cluster.local"],
  ["PTR", "9.9.9.9.in-addr.arpa", "forward"],
  ["A", "example.com", "forward"],
  ["A", "web.default.svc", "forward"],
  ["TXT", "dns-version.cluster.local", "1.1.0"],
];
for (const [type, name, response] of table)
  test(`dns: ${type} ${name} is ${response}`, () => expect(resolve(type, name)).toBe(response));

test("dns: external names are forwarded to the node's name servers, except the cluster's own", () =>
  expect(
    upstreamsOf(
      "# comment\nnameserver 10.96.0.10\nnameserver 127.0.0.11\nsearch a\nnameserver fe80::1\n",
      "10.96.0.10",
    ),
  ).toEqual(["127.0.0.11"]));

test("routes: existing ones are parsed, missing ones added, stale ones deleted", () => {
  const before = parseRoutes(
    "default via 172.30.0.1 dev eth0\n10.244.2.0/24 via 172.30.0.12 dev eth0\n10.244.1.0/24 dev docker0 proto kernel\n",
    "10.244",
  );
  expect([...before]).toEqual([["10.244.2.0/24", "172.30.0.12"]]);
  expect(routeChanges(before, new Map([["10.244.3.0/24", "172.30.0.13"]]))).toEqual([
    ["route", "del", "10.244.2.0/24", "via", "172.30.0.12"],
    ["route", "replace", "10.244.3.0/24", "via", "172.30.0.13"],
  ]);
});
