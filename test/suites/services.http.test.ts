// Services over HTTP: changes of type, and repeated updates by manifests without the allocated fields.
import { expect, test } from "vitest";
import { sharedJsonClient } from "./json-client.ts";

const send = sharedJsonClient();

const services = "/api/v1/namespaces/default/services";
const inMerge = { "content-type": "application/merge-patch+json" };
const ports = [{ name: "http", port: 80 }];

test("a service changes its type, and has the fields of each type", async () => {
  const to = async (spec: object) => (await send("PATCH", `${services}/s`, { spec }, inMerge)).json;
  const made = await send("POST", services, {
    metadata: { name: "s" },
    spec: { type: "ExternalName", externalName: "a.example" },
  });
  expect([made.status, made.json.spec.clusterIP, made.json.spec.ipFamilies]).toEqual([201, undefined, undefined]);
  const { spec: inside } = await to({ type: "ClusterIP", externalName: null, ports });
  expect(inside).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./), ipFamilies: ["IPv4"] });
  const { spec: outside } = await to({ type: "NodePort" });
  expect([outside.clusterIP, outside.externalTrafficPolicy]).toEqual([inside.clusterIP, "Cluster"]);
  const { spec: balanced } = await to({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
  expect(balanced.ports).toEqual(outside.ports);
  expect(balanced.healthCheckNodePort).toBeGreaterThanOrEqual(30_000);
  const { spec: again } = await to({ type: "ClusterIP" });
  expect(again).toEqual(inside);
  const { spec: named } = await to({ type: "ExternalName", externalName: "b.example" });
  expect([named.clusterIP, named.clusterIPs, named.ipFamilies, named.ipFamilyPolicy]).toEqual(Array(4).fill(undefined));
});

test("an update without allocated fields keeps them, and changes of immutable fields are refused", async () => {
  const manifest = (spec: object = {}): object => ({
    metadata: { name: "m" },
    spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", ports, ...spec },
  });
  const made = await send("POST", services, manifest());
  const put = await send("PUT", `${services}/m`, manifest());
  expect([put.status, put.json.spec]).toEqual([200, made.json.spec]);
  expect(put.json.metadata.resourceVersion).toBe(made.json.metadata.resourceVersion);
  const other = await send("PUT", `${services}/m`, manifest({ clusterIP: "10.96.200.1", loadBalancerClass: "x" }));
  expect([other.status, other.json.details.causes]).toEqual([
    422,
    [
      {
        reason: "FieldValueInvalid",
        message: 'Invalid value: ["10.96.200.1"]: may not change once set',
        field: "spec.clusterIPs[0]",
      },
      {
        reason: "FieldValueInvalid",
        message: 'Invalid value: "x": may not change once set',
        field: "spec.loadBalancerClass",
      },
    ],
  ]);
});

test("an allocated node port is refused, also for health checks, and a dry run allocates none", async () => {
  const spec = (more: object): object => ({ type: "NodePort", ports: [{ port: 80, ...more }] });
  await send("POST", services, { metadata: { name: "first" }, spec: spec({ nodePort: 30_007 }) });
  const second = await send("POST", services, { metadata: { name: "second" }, spec: spec({ nodePort: 30_007 }) });
  expect([second.status, second.json.message]).toEqual([
    422,
    'Service "second" is invalid: spec.ports[0].nodePort: Invalid value: 30007: provided port is already allocated',
  ]);
  const health = { type: "LoadBalancer", externalTrafficPolicy: "Local", ports, healthCheckNodePort: 30_007 };
  const third = await send("POST", services, { metadata: { name: "third" }, spec: health });
  expect([third.status, third.json.message]).toEqual([
    500,
    "Internal error occurred: failed to allocate requested HealthCheck NodePort 30007: provided port is already allocated",
  ]);
  const tried = await send("POST", `${services}?dryRun=All`, {
    metadata: { name: "t" },
    spec: spec({ nodePort: 30_008 }),
  });
  const real = await send("POST", services, { metadata: { name: "t" }, spec: spec({ nodePort: 30_008 }) });
  expect([tried.status, real.status]).toEqual([201, 201]);
});

test("ignored and deprecated fields have warnings", async () => {
  const spec = { clusterIP: "None", ports, externalIPs: ["192.0.2.1"], trafficDistribution: "PreferClose" };
  const { status, warnings } = await send("POST", services, { metadata: { name: "old" }, spec });
  expect([status, warnings]).toEqual([
    201,
    [
      "spec.externalIPs is ignored for headless services",
      "spec.externalIPs is deprecated",
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ]);
});
