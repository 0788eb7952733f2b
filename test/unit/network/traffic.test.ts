// Counters of the traffic of services: which frontends are counted, and what is read of them.
import { expect, test } from "vitest";
import type { Service } from "../../../api/generated/types.ts";
import { countersIn, frontendsOf, trafficRules, trafficText } from "../../../network/proxy/traffic.ts";

const service = (name: string, clusterIP: string, port: object): Service =>
  ({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" } },
    spec: { type: "NodePort", clusterIP, ports: [port] },
  }) as unknown as Service;
const web = service("web", "10.96.1.1", { name: "http", port: 80, nodePort: 30080 });
const dns = service("dns", "10.96.1.2", { port: 53, protocol: "UDP" });

test("every address of a service is a frontend, and those without a proxy are not", () => {
  const headless = service("headless", "None", { port: 80 });
  expect([...frontendsOf({ services: [web, dns, headless] }).keys()]).toEqual([
    "10.96.1.1 . tcp . 80",
    "tcp . 30080",
    "10.96.1.2 . udp . 53",
  ]);
});

test("the first rules are a complete table, later ones only changes", () => {
  const first = frontendsOf({ services: [web] });
  const rules = trafficRules(undefined, first);
  expect(rules).toContain("delete table ip orrery_traffic");
  expect(rules).toContain("add element ip orrery_traffic received { 10.96.1.1 . tcp . 80 }");
  expect(rules).toContain("add element ip orrery_traffic received_node { tcp . 30080 }");
  expect(trafficRules(first, first)).toBe("");
  expect(trafficRules(first, frontendsOf({ services: [dns] })).split("\n")).toEqual([
    ...["connections", "received", "sent"].map(
      (set) => `delete element ip orrery_traffic ${set} { 10.96.1.1 . tcp . 80 }`,
    ),
    ...["connections", "received", "sent"].map((set) => `delete element ip orrery_traffic ${set}_node { tcp . 30080 }`),
    ...["connections", "received", "sent"].map(
      (set) => `add element ip orrery_traffic ${set} { 10.96.1.2 . udp . 53 }`,
    ),
  ]);
});

test("the counters of all addresses of a port are one series", () => {
  const element = (key: readonly (string | number)[], packets: number, bytes: number) => ({
    elem: { val: { concat: key }, counter: { packets, bytes } },
  });
  const set = (name: string, ...elem: object[]) => ({ set: { name, elem } });
  const listed = JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      set("connections", element(["10.96.1.1", "tcp", 80], 3, 180)),
      set("connections_node", element(["tcp", 30080], 2, 120)),
      set("received", element(["10.96.1.1", "tcp", 80], 10, 1_000)),
      set("sent_node", element(["tcp", 30080], 5, 700)),
      { set: { name: "sent" } },
    ],
  });
  const lines = trafficText(frontendsOf({ services: [web] }), countersIn(listed)).split("\n");
  expect(lines.filter((line) => !line.startsWith("#"))).toEqual([
    'service_proxy_connections_total{namespace="shop",service="web",port="http"} 5',
    'service_proxy_bytes_total{namespace="shop",service="web",port="http",direction="received"} 1000',
    'service_proxy_bytes_total{namespace="shop",service="web",port="http",direction="sent"} 700',
    "",
  ]);
});
