// Services: cluster IPs, DNS, node ports and host ports, across nodes and on one node.
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { visit } from "../../cli/demo/visitors.ts";
import { testCluster, timed, until } from "./cluster.ts";

const cluster = testCluster("e2e-net", "--nodes", "3", "--spread");
const { ctl, output } = cluster;
const examples = join(import.meta.dirname, "../../manifests/examples");
const nodeNames = ["node-1", "node-2", "node-3"].map((node) => `${cluster.name}-${node}`);

/** A client pod on the given node. */
const clientPod = (name: string, node: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    nodeSelector: { "kubernetes.io/hostname": node },
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "orrery/busybox:1", command: ["sleep", "infinity"] }],
  },
});

const inPod = (name: string, ...command: readonly string[]): Promise<string> =>
  output(["exec", name, "--", ...command]);
const fetched = (name: string, url: string): Promise<string> =>
  inPod(name, "timeout", "5", "wget", "-q", "-O", "-", url);
const fetchedOften = async (name: string, url: string, times: number): Promise<readonly string[]> =>
  (await inPod(name, "sh", "-c", `for i in $(seq ${times}); do timeout 5 wget -q -O - ${url}; done`))
    .trim()
    .split("\n");
const greeter = (line: string): string => /Hello from (\S+),/.exec(line)?.[1] ?? line;
const addressesIn = (reply: string): readonly string[] =>
  [...reply.matchAll(/^Address(?: \d+)?: (10\.244\.\S+)$/gm)].map(([, ip]) => ip!).toSorted();

const spreadPods = async (): Promise<readonly Pod[]> =>
  (await cluster.client.list(pods, { namespace: "default", labelSelector: "app=spread" })).items;
const clusterIpOf = async (name: string): Promise<string> =>
  (await cluster.client.get(services, key("default", name))).spec.clusterIP!;

beforeAll(async () => {
  await output([
    "apply",
    ...["spread", "readiness", "host-port"].flatMap((name) => ["-f", join(examples, `${name}.yaml`)]),
  ]);
  const clientPods = nodeNames.map((node, i) => clientPod(`client-${i + 1}`, node));
  await output("apply -f -", clientPods.map((object) => JSON.stringify(object)).join("\n---\n"));
  await until("every pod Ready", async () => {
    const { items } = await cluster.client.list(pods, { namespace: "default" });
    return items.length === 8 && items.every(isReady);
  });
});

test("equally loaded nodes get one pod each", async () => {
  expect((await spreadPods()).map((pod) => pod.spec.nodeName).toSorted()).toEqual(nodeNames);
});

test("a cluster IP reaches all pods of a service, from every node", async () => {
  const names = (await spreadPods()).map((pod) => pod.metadata.name).toSorted();
  for (const from of ["client-1", "client-2", "client-3"]) {
    const greeters = (await fetchedOften(from, "http://spread/", 40)).map(greeter);
    expect([...new Set(greeters)].toSorted(), from).toEqual(names);
  }
});

test("pods reach each other across nodes, without source NAT", async () => {
  const ips = (await spreadPods()).map((pod) => pod.status!.podIP!);
  for (const ip of ips) expect(await fetched("client-1", `http://${ip}:8080/healthz`)).toBe("ok\n");
});

test("a headless service resolves to pod addresses", async () => {
  const ips = (await spreadPods()).map((pod) => pod.status!.podIP!).toSorted();
  expect(addressesIn(await inPod("client-2", "nslookup", "spread-headless.default.svc.cluster.local"))).toEqual(ips);
  const service = await inPod(
    "client-2",
    "nslookup",
    "-type=srv",
    "_http._tcp.spread-headless.default.svc.cluster.local",
  );
  expect(service.match(/ 8080 \S+\.spread-headless\.default\.svc\.cluster\.local/g)).toHaveLength(3);
});

test("DNS over UDP and TCP, with the pod's search domains", async () => {
  expect(await inPod("client-3", "cat", "/etc/resolv.conf")).toMatch(
    /^nameserver 10\.96\.0\.10$[\s\S]*search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m,
  );
  for (const name of ["spread", "spread.default", "spread.default.svc", "spread.default.svc.cluster.local"])
    expect(await fetched("client-3", `http://${name}/healthz`), name).toBe("ok\n");
  expect(await inPod("client-3", "nslookup", "kubernetes.default.svc.cluster.local")).toContain("Address: 10.96.0.1");
  const reverse = await inPod("client-3", "nslookup", await clusterIpOf("spread"));
  expect(reverse).toContain("name = spread.default.svc.cluster.local");
  const missing = await ctl(["exec", "client-3", "--", "nslookup", "nobody-knows.default.svc.cluster.local"]);
  expect(missing.out + missing.err).toContain("NXDOMAIN");
});

test("a node port is open on every node, also without a local pod", async () => {
  await output("scale deployment spread --replicas=1");
  await until("one pod", async () => (await spreadPods()).length === 1);
  const { spec } = await cluster.client.get(services, key("default", "spread-outside"));
  for (const node of ["node-1", "node-2", "node-3"]) {
    const url = `http://${await cluster.addressOf(node)}:${spec.ports![0]!.nodePort}/healthz`;
    expect(await visit(url), node).toBe("ok");
  }
  await output("scale deployment spread --replicas=3");
  await until("three pods Ready", async () => {
    const all = await spreadPods();
    return all.length === 3 && all.every(isReady);
  });
});

test("session affinity reaches the same pod", async () => {
  const greeters = (await fetchedOften("client-1", "http://spread-sticky/", 15)).map(greeter);
  expect(new Set(greeters).size).toBe(1);
});

test("a host port reaches its pod", async () => {
  const { spec } = await cluster.pod("host-port");
  const url = `http://${await cluster.addressOf(spec.nodeName!.replace(`${cluster.name}-`, ""))}:8088/healthz`;
  expect(await visit(url)).toBe("ok");
});

test("a pod reaches itself through its service", async () => {
  expect(await fetched("readiness", "http://readiness.default/healthz")).toBe("ok\n");
});

test("a service without endpoints refuses connections immediately", async () => {
  const [ms, { code, err }] = await timed(() =>
    ctl(["exec", "client-1", "--", "wget", "-q", "-O", "-", "http://nobody/"]),
  );
  expect([code, err]).toEqual([1, expect.stringContaining("Connection refused")]);
  expect(ms).toBeLessThan(2_000);
});

test("an unready pod receives no connections until it is ready again", async () => {
  const exitCode = (): Promise<number> =>
    ctl(["exec", "client-2", "--", "timeout", "3", "wget", "-q", "-O", "-", "http://readiness/healthz"]).then(
      (e) => e.code,
    );
  expect(await exitCode()).toBe(0);
  await inPod("readiness", "touch", "/tmp/busy");
  await until("refused", async () => (await exitCode()) !== 0);
  expect(isReady(await cluster.pod("readiness"))).toBe(false);
  await inPod("readiness", "rm", "/tmp/busy");
  await until("served again", async () => (await exitCode()) === 0);
});

test("pods on every node reach the API server by its DNS name", async () => {
  for (const from of ["client-1", "client-2", "client-3"]) {
    const url = "https://kubernetes.default.svc/version";
    const { out, err } = await ctl(["exec", from, "--", "timeout", "5", "wget", "-q", "-O", "-", url]);
    // Busybox has no common cipher with the server; a TLS alert also shows that the server is reached.
    expect(out + err, from).toMatch(/gitVersion|TLS error from peer/);
  }
});
