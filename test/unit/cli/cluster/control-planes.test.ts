// Several control planes: their places, their etcd members, and who shares what.
import { expect, test } from "vitest";
import {
  controlPlaneNumber,
  controlPlanesOf,
  endpointOf,
  etcdConfig,
  loadBalancerConfig,
  loadBalancerPlace,
  storeVolume,
} from "../../../../cli/cluster/control-planes.ts";

const subnet = "172.30.4.0/24";
const first = controlPlaneNumber("lab", subnet, 1);
const second = controlPlaneNumber("lab", subnet, 2);
const third = controlPlaneNumber("lab", subnet, 3);
const alone = { name: "lab", controlPlane: first };
const several = { ...alone, furtherControlPlanes: [second, third], loadBalancer: loadBalancerPlace("lab", subnet) };

test("everything about a control plane follows from its number, and no address is that of another container", () => {
  const places = [...[1, 2, 3, 4, 5].map((n) => controlPlaneNumber("lab", subnet, n)), several.loadBalancer];
  expect(places.map(({ name, ip }) => `${name} ${ip}`)).toEqual([
    "lab-control-plane 172.30.4.2",
    "lab-control-plane-2 172.30.4.4",
    "lab-control-plane-3 172.30.4.5",
    "lab-control-plane-4 172.30.4.6",
    "lab-control-plane-5 172.30.4.7",
    "lab-load-balancer 172.30.4.9",
  ]);
});

test("nodes reach one control plane directly, and several through the load balancer", () => {
  expect([controlPlanesOf(alone), endpointOf(alone)]).toEqual([[first], first]);
  expect([controlPlanesOf(several), endpointOf(several)]).toEqual([[first, second, third], several.loadBalancer]);
  expect(loadBalancerConfig(controlPlanesOf(several)).backends).toEqual([
    { host: "172.30.4.2", port: 6443 },
    { host: "172.30.4.4", port: 6443 },
    { host: "172.30.4.5", port: 6443 },
  ]);
  expect([first, second].map((place) => storeVolume(several, place))).toEqual(["lab-etcd", "lab-control-plane-2-etcd"]);
});

test("a single etcd member listens on the loopback address only, and by TLS with certificates of both sides", () => {
  const config = etcdConfig(first, [first], "new");
  expect(Object.entries(config).filter(([, value]) => /https?:/.test(String(value)))).toEqual([
    ["listen-client-urls", "https://127.0.0.1:2379"],
    ["advertise-client-urls", "https://127.0.0.1:2379"],
    // Health and metrics, without what is stored.
    ["listen-metrics-urls", "http://127.0.0.1:2381"],
    ["listen-peer-urls", "https://127.0.0.1:2380"],
    ["initial-advertise-peer-urls", "https://127.0.0.1:2380"],
    ["initial-cluster", "lab-control-plane=https://127.0.0.1:2380"],
  ]);
  const tls = { "trusted-ca-file": "/etc/orrery/etcd-clients-ca.crt" };
  expect(config).toMatchObject({ "client-transport-security": tls, "peer-transport-security": tls });
});

test("members of an etcd cluster reach each other by TLS with certificates of both sides", () => {
  expect(etcdConfig(second, controlPlanesOf(several), "existing")).toMatchObject({
    name: "lab-control-plane-2",
    "listen-client-urls": "https://127.0.0.1:2379",
    "client-transport-security": { "trusted-ca-file": "/etc/orrery/etcd-clients-ca.crt" },
    "listen-peer-urls": "https://172.30.4.4:2380",
    "initial-cluster":
      "lab-control-plane=https://172.30.4.2:2380,lab-control-plane-2=https://172.30.4.4:2380,lab-control-plane-3=https://172.30.4.5:2380",
    "initial-cluster-state": "existing",
    "peer-transport-security": { "trusted-ca-file": "/etc/orrery/etcd-ca.crt" },
  });
});
