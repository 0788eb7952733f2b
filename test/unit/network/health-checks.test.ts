// Health check node ports and their responses.
import { afterEach, expect, test } from "vitest";
import type { EndpointSlice, Service } from "../../../api/generated/types.ts";
import { type HealthCheck, healthCheckServers, healthChecksOf } from "../../../network/proxy/health-checks.ts";

const endpoint = (address: string, nodeName: string, ready = true) => ({
  addresses: [address],
  nodeName,
  conditions: { ready },
});
const checksOf = (spec: object, labels = {}): ReadonlyMap<number, HealthCheck> => {
  const local = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_100 };
  const metadata = { name: "web", namespace: "shop", labels };
  const service = { metadata, spec: { clusterIP: "10.96.0.20", ...local, ...spec } } as unknown as Service;
  const endpoints = [endpoint("10.244.1.2", "n1"), endpoint("10.244.1.3", "n1", false), endpoint("10.244.2.2", "n2")];
  const slice = (port: number) => ({ metadata: {}, addressType: "IPv4", endpoints, ports: [{ port }] });
  const slices = [slice(80), slice(443)] as unknown as readonly EndpointSlice[];
  return healthChecksOf({ nodeName: "n1", services: [service], slicesOf: () => slices });
};
test("a load balancer service with local traffic has a health check that counts ready pods of this node", () => {
  expect([...checksOf({})]).toEqual([[30_100, { namespace: "shop", name: "web", localEndpoints: 1 }]]);
  expect(checksOf({ externalTrafficPolicy: "Cluster" }).size).toBe(0);
  expect(checksOf({ type: "NodePort" }).size).toBe(0);
  expect(checksOf({}, { "service.kubernetes.io/service-proxy-name": "other" }).size).toBe(0);
});

const servers = healthCheckServers("127.0.0.1");
afterEach(() => servers.serve(new Map()));
const port = 21_000 + (process.pid % 9_000);
const serve = (localEndpoints: number): Promise<void> =>
  servers.serve(new Map([[port, { namespace: "shop", name: "web", localEndpoints }]]));
const check = () => fetch(`http://127.0.0.1:${port}/healthz`);

test("a health check follows the endpoints of its node, and its port closes with the service", async () => {
  await serve(2);
  const good = await check();
  expect([good.status, good.headers.get("content-type"), good.headers.get("x-load-balancing-endpoint-weight")]).toEqual(
    [200, "application/json", "2"],
  );
  expect(await good.text()).toBe(
    '{\n\t"service": {\n\t\t"namespace": "shop",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
  );
  await serve(0);
  const bad = await check();
  expect([bad.status, bad.headers.get("x-load-balancing-endpoint-weight")]).toEqual([503, "0"]);
  await servers.serve(new Map());
  await expect(check()).rejects.toThrow();
});
