// How pods find each other: one address for many, names, ports of nodes, across nodes and on the same one.
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
const { ctl, says } = cluster;
const examples = join(import.meta.dirname, "../../manifests/examples");
const nodeNames = ["node-1", "node-2", "node-3"].map((node) => `${cluster.name}-${node}`);

/** A pod to ask from, on a node of our choice. */
const asker = (name: string, node: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    nodeSelector: { "kubernetes.io/hostname": node },
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "orrery/busybox:1", command: ["sleep", "infinity"] }],
  },
});

const inPod = (name: string, ...command: readonly string[]): Promise<string> => says(["exec", name, "--", ...command]);
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
  await says([
    "apply",
    ...["spread", "readiness", "host-port"].flatMap((name) => ["-f", join(examples, `${name}.yaml`)]),
  ]);
  const askers = nodeNames.map((node, i) => asker(`ask-${i + 1}`, node));
  await says("apply -f -", askers.map((object) => JSON.stringify(object)).join("\n---\n"));
  await until("every pod Ready", async () => {
    const { items } = await cluster.client.list(pods, { namespace: "default" });
    return items.length === 8 && items.every(isReady);
  });
});

test("nodes that are equally loaded get one pod each", async () => {
  expect((await spreadPods()).map((pod) => pod.spec.nodeName).toSorted()).toEqual(nodeNames);
});

test("one address stands for all pods of a service, from every node", async () => {
  const names = (await spreadPods()).map((pod) => pod.metadata.name).toSorted();
  for (const from of ["ask-1", "ask-2", "ask-3"]) {
    const greeters = (await fetchedOften(from, "http://spread/", 40)).map(greeter);
    expect([...new Set(greeters)].toSorted(), from).toEqual(names);
  }
});

test("pods reach each other's own addresses across nodes, and are seen as who they are", async () => {
  const ips = (await spreadPods()).map((pod) => pod.status!.podIP!);
  for (const ip of ips) expect(await fetched("ask-1", `http://${ip}:8080/healthz`)).toBe("ok\n");
});

test("a headless service is a name for its pods' own addresses", async () => {
  const ips = (await spreadPods()).map((pod) => pod.status!.podIP!).toSorted();
  expect(addressesIn(await inPod("ask-2", "nslookup", "spread-headless.default.svc.cluster.local"))).toEqual(ips);
  const service = await inPod("ask-2", "nslookup", "-type=srv", "_http._tcp.spread-headless.default.svc.cluster.local");
  expect(service.match(/ 8080 \S+\.spread-headless\.default\.svc\.cluster\.local/g)).toHaveLength(3);
});

test("names are asked for over UDP and TCP, shortened as the pod's search path allows", async () => {
  expect(await inPod("ask-3", "cat", "/etc/resolv.conf")).toMatch(
    /^nameserver 10\.96\.0\.10$[\s\S]*search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m,
  );
  for (const name of ["spread", "spread.default", "spread.default.svc", "spread.default.svc.cluster.local"])
    expect(await fetched("ask-3", `http://${name}/healthz`), name).toBe("ok\n");
  expect(await inPod("ask-3", "nslookup", "kubernetes.default.svc.cluster.local")).toContain("Address: 10.96.0.1");
  const reverse = await inPod("ask-3", "nslookup", await clusterIpOf("spread"));
  expect(reverse).toContain("name = spread.default.svc.cluster.local");
  const missing = await ctl(["exec", "ask-3", "--", "nslookup", "nobody-knows.default.svc.cluster.local"]);
  expect(missing.out + missing.err).toContain("NXDOMAIN");
});

test("the port of a service is open on every node, whether or not a pod of it runs there", async () => {
  await says("scale deployment spread --replicas=1");
  await until("one pod", async () => (await spreadPods()).length === 1);
  const { spec } = await cluster.client.get(services, key("default", "spread-outside"));
  for (const node of ["node-1", "node-2", "node-3"]) {
    const url = `http://${await cluster.addressOf(node)}:${spec.ports![0]!.nodePort}/healthz`;
    expect(await visit(url), node).toBe("ok");
  }
  await says("scale deployment spread --replicas=3");
  await until("three pods Ready", async () => {
    const all = await spreadPods();
    return all.length === 3 && all.every(isReady);
  });
});

test("a visitor with affinity is sent to the same pod every time", async () => {
  const greeters = (await fetchedOften("ask-1", "http://spread-sticky/", 15)).map(greeter);
  expect(new Set(greeters).size).toBe(1);
});

test("a pod can ask for a port of its node", async () => {
  const { spec } = await cluster.pod("host-port");
  const url = `http://${await cluster.addressOf(spec.nodeName!.replace(`${cluster.name}-`, ""))}:8088/healthz`;
  expect(await visit(url)).toBe("ok");
});

test("a pod reaches itself through its own service", async () => {
  expect(await fetched("readiness", "http://readiness.default/healthz")).toBe("ok\n");
});

test("a service without anybody behind it refuses at once", async () => {
  const [ms, { code, err }] = await timed(() =>
    ctl(["exec", "ask-1", "--", "wget", "-q", "-O", "-", "http://nobody/"]),
  );
  expect([code, err]).toEqual([1, expect.stringContaining("Connection refused")]);
  expect(ms).toBeLessThan(2_000);
});

test("a pod that is not ready gets no visitors, until it is again", async () => {
  const asked = (): Promise<number> =>
    ctl(["exec", "ask-2", "--", "timeout", "3", "wget", "-q", "-O", "-", "http://readiness/healthz"]).then(
      (e) => e.code,
    );
  expect(await asked()).toBe(0);
  await inPod("readiness", "touch", "/tmp/busy");
  await until("refused", async () => (await asked()) !== 0);
  expect(isReady(await cluster.pod("readiness"))).toBe(false);
  await inPod("readiness", "rm", "/tmp/busy");
  await until("served again", async () => (await asked()) === 0);
});

test("the API is reached from within, by its name, from every node", async () => {
  for (const from of ["ask-1", "ask-2", "ask-3"]) {
    const url = "https://kubernetes.default.svc/version";
    const { out, err } = await ctl(["exec", from, "--", "timeout", "5", "wget", "-q", "-O", "-", url]);
    // Busybox knows too few ciphers to agree on one; to be told so by the server is an answer all the same.
    expect(out + err, from).toMatch(/gitVersion|TLS error from peer/);
  }
});
