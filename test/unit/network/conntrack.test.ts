// Which connection tracking entries of UDP flows are stale.
import { expect, test } from "vitest";
import { deletionsOf } from "../../../network/proxy/dataplane.ts";

const backends = new Map([
  ["10.96.0.20:53", new Set(["10.244.1.2:5353"])],
  ["*:30053", new Set(["10.244.1.2:5353"])],
]);
const entry = (to: string, port: number, pod: string, podPort: number, flags = ""): string =>
  `udp      17 29 src=10.244.1.9 dst=${to} sport=4711 dport=${port} ${flags}src=${pod} dst=10.244.1.9 sport=${podPort} dport=4711 mark=0 use=1`;
const deletion = (address: string, port: number): readonly string[] => [
  "-D",
  "-p",
  "udp",
  "-s",
  "10.244.1.9",
  "-d",
  address,
  "--sport",
  "4711",
  "--dport",
  String(port),
];

const table: readonly (readonly [what: string, entry: string, deleted: readonly string[] | undefined])[] = [
  ["to a serving pod", entry("10.96.0.20", 53, "10.244.1.2", 5353), undefined],
  ["to a deleted pod", entry("10.96.0.20", 53, "10.244.1.3", 5353), deletion("10.96.0.20", 53)],
  ["to a removed port", entry("10.96.0.20", 53, "10.244.1.2", 5354), deletion("10.96.0.20", 53)],
  [
    "from before the service had endpoints",
    entry("10.96.0.20", 53, "10.96.0.20", 53, "[UNREPLIED] "),
    deletion("10.96.0.20", 53),
  ],
  ["to a node port", entry("172.30.0.12", 30_053, "10.244.1.3", 5353), deletion("172.30.0.12", 30_053)],
  ["to a service without endpoints", entry("10.96.0.21", 53, "10.244.1.3", 53), undefined],
  ["that cannot be parsed", "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.", undefined],
];
test.each(table)("a flow %s", (_, listed, deleted) =>
  expect(deletionsOf(listed, backends)).toEqual(deleted === undefined ? [] : [deleted]),
);
