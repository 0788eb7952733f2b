// The kubelet with a simulated engine and an API server with memory storage: lifecycles of pods.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ContainerStatus, Node, Pod } from "../../api/generated/types.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { leases } from "../../api/coordination/leases.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { image, isReady, nodeName, openStage, runForever, sh, type Stage, until, world } from "./kubelet-stage.ts";

const life = new AbortController().signal;
let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  stage.start();
});
afterEach(() => stage.close());

const find: Stage["find"] = (name) => stage.find(name);
const bind: Stage["bind"] = (name, spec) => stage.bind(name, spec);
const ready: Stage["ready"] = (name) => stage.ready(name);
const first = (p: Pod | undefined): ContainerStatus | undefined => p?.status?.containerStatuses?.[0];
const idOf = (p: Pod): string => first(p)!.containerID!.replace("docker://", "");
const reasons = async (name: string): Promise<readonly string[]> =>
  (await stage.eventsOf(name)).map(({ reason }) => reason);
const node = (): Promise<Node> => stage.client.get(nodes, key(undefined, nodeName));
const readiness = (n: Node | undefined) => n?.status?.conditions?.find((c) => c.type === "Ready");

describe("a pod", () => {
  test("runs, has a status, and is deleted completely", async () => {
    await bind("web");
    const p = await ready("web");
    expect(p.status).toMatchObject({ phase: "Running", hostIP: "172.30.0.11", qosClass: "BestEffort" });
    expect(p.status?.podIP).toMatch(/^10\.0\./);
    await until(
      () => reasons("web"),
      (seen) => ["Pulled", "Created", "Started"].every((r) => seen.includes(r)),
    );
    await stage.client.delete(pods, key("default", "web"));
    await until(
      () => find("web"),
      (seen) => seen === undefined,
    );
    const left = await stage.runtime.list(undefined, new AbortController().signal);
    expect([...left.containers, ...left.sandboxes]).toEqual([]);
    expect(readdirSync(join(stage.stateDir, "pods"))).toEqual([]);
  });

  test("restarts a lost container immediately", async () => {
    await bind("web");
    const before = await ready("web");
    const since = world.clock.now();
    stage.runtime.kill(idOf(before));
    const after = await until(
      () => find("web"),
      (p) => first(p)?.restartCount === 1 && isReady(p),
    );
    expect(world.clock.now() - since).toBeLessThan(1_000);
    expect(first(after)?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
  });

  test("that crashes repeatedly is in back-off", async () => {
    await bind("web", { containers: [{ name: "c", image, command: sh("exit 1") }] });
    const p = await until(
      () => find("web"),
      (seen) => first(seen)?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    expect(first(p)?.restartCount).toBe(1);
    await until(
      () => reasons("web"),
      (seen) => seen.includes("BackOff"),
    );
  });
});

describe("a starting pod", () => {
  test("replaces a lost sandbox", async () => {
    await bind("web");
    const before = await ready("web");
    stage.runtime.killSandbox(before.metadata.uid);
    const after = await until(
      () => find("web"),
      (p) => p?.status?.podIP !== before.status?.podIP && isReady(p),
    );
    expect(first(after)?.restartCount).toBe(1);
    expect(await reasons("web")).toContain("SandboxChanged");
  });

  test("runs init containers in order, and completes", async () => {
    const step = (name: string, script: string) => ({ name, image, command: sh(script) });
    await bind("job", {
      restartPolicy: "Never",
      initContainers: [step("one", "sleep 0.1"), step("two", "exit 0")],
      containers: [step("c", "echo done; exit 0")],
    });
    const p = await until(
      () => find("job"),
      (seen) => seen?.status?.phase === "Succeeded",
    );
    const [one, two] = p?.status?.initContainerStatuses ?? [];
    expect([one?.ready, two?.ready, first(p)?.state?.terminated?.reason]).toEqual([true, true, "Completed"]);
    await until(
      async () => (await stage.runtime.list(undefined, new AbortController().signal)).sandboxes,
      (left) => left.length === 0,
    );
  });

  test("whose image cannot be pulled has the engine's message", async () => {
    await bind("web", { containers: [{ name: "c", image: "no/such:1" }] });
    const p = await until(
      () => find("web"),
      (seen) => first(seen)?.state?.waiting?.reason === "ErrImagePull",
    );
    expect(first(p)?.state?.waiting?.message).toBe("manifest for no/such:1 not found");
    await until(
      () => reasons("web"),
      (seen) => seen.includes("Failed"),
    );
  });
});

describe("a waiting pod", () => {
  test("waits for a missing ConfigMap", async () => {
    const volumes = [{ name: "v", configMap: { name: "cm" } }];
    const volumeMounts = [{ name: "v", mountPath: "/v" }];
    await bind("web", { volumes, containers: [{ name: "c", image, command: runForever, volumeMounts }] });
    await until(
      () => reasons("web"),
      (seen) => seen.includes("FailedMount"),
    );
    await stage.client.create(configMaps, {
      kind: "ConfigMap",
      metadata: { name: "cm", namespace: "default" },
      data: { a: "1" },
    });
    const p = await ready("web");
    expect(existsSync(join(stage.stateDir, "pods", p.metadata.uid, "volumes/kubernetes.io~configmap/v/a"))).toBe(true);
  });

  test("that does not fit is rejected with the amounts", async () => {
    await bind("big", { containers: [{ name: "c", image, resources: { requests: { cpu: "2" } } }] });
    const p = await until(
      () => find("big"),
      (seen) => seen?.status?.phase === "Failed",
    );
    expect(p?.status?.reason).toBe("OutOfcpu");
    expect(p?.status?.message).toContain("requested: 2000, used: 0, capacity: 1000");
  });

  test("that is unknown to the API server is removed", async () => {
    await bind("web");
    const p = await ready("web");
    await stage.stop();
    await stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 0 });
    expect(await find("web")).toBeUndefined();
    stage.start();
    const list = () => stage.runtime.list(p.metadata.uid, new AbortController().signal);
    await until(list, (left) => left.containers.length + left.sandboxes.length === 0);
  });
});

describe("a probed pod", () => {
  test("is not ready before its readiness probe succeeds", async () => {
    const readinessProbe = { exec: { command: sh("exit 1") }, periodSeconds: 1 };
    await bind("web", { containers: [{ name: "c", image, command: runForever, readinessProbe }] });
    await until(
      () => reasons("web"),
      (seen) => seen.includes("Unhealthy"),
    );
    expect(isReady(await find("web"))).toBe(false);
  });

  test("that terminates is probed for readiness only", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const probe = { tcpSocket: { host: "127.0.0.1", port }, periodSeconds: 1, failureThreshold: 10 };
    // Without a trap the container runs until the grace period ends.
    const container = { name: "c", image, command: sh("sleep 60"), livenessProbe: probe, readinessProbe: probe };
    await bind("web", { terminationGracePeriodSeconds: 4, containers: [container] });
    await ready("web");
    await stage.client.delete(pods, key("default", "web"));
    await until(
      () => reasons("web"),
      (seen) => seen.includes("Killing"),
    );
    server.close();
    await until(
      () => find("web"),
      (seen) => seen === undefined,
    );
    const unhealthy = (await stage.eventsOf("web")).filter(({ reason }) => reason === "Unhealthy");
    const kinds = new Set(unhealthy.map(({ message }) => message.split(" ")[0]));
    expect([...kinds]).toEqual(["Readiness"]);
  });
});

describe("a terminating pod", () => {
  test("that is deleted while it starts never reports success, an unknown exit code, or a reverted phase", async () => {
    const seen = new Map<string, Pod[]>();
    const stop = new AbortController();
    const from = await stage.client.revision();
    const watching = (async () => {
      for await (const e of stage.client.watch(pods, { from }, stop.signal))
        if (e.type !== "progress")
          seen.set(e.object.metadata.name, [...(seen.get(e.object.metadata.name) ?? []), e.object]);
    })().catch(() => {});
    const delays = [0, 5, 10, 20, 40, 60, 80, 120, 160, 250];
    const spec = { restartPolicy: "Never" as const, terminationGracePeriodSeconds: 1 };
    const fastDelete = async (ms: number): Promise<void> => {
      await bind(`quick-${ms}`, { ...spec, containers: [{ name: "c", image, command: sh("exit 1") }] });
      await world.clock.sleep(ms);
      await stage.client.delete(pods, key("default", `quick-${ms}`));
    };
    await Promise.all(delays.map(fastDelete));
    for (const ms of delays)
      await until(
        () => find(`quick-${ms}`),
        (p) => p === undefined,
      );
    stop.abort();
    await watching;
    expect(seen.size).toBe(delays.length);
    for (const versions of seen.values()) {
      const ends = versions.flatMap((p) => first(p) ?? []).map((s) => s.state?.terminated);
      const codes = ends.slice(ends.findIndex((e) => e !== undefined)).map((e) => e?.exitCode);
      if (ends.some((e) => e !== undefined)) expect([1, 137]).toEqual(expect.arrayContaining([...new Set(codes)]));
      expect(versions.at(-1)?.status?.phase).toMatch(/Failed|Pending/);
    }
  });

  test("that exceeds a volume limit is evicted", async () => {
    const containers = [{ name: "c", image, command: runForever, volumeMounts: [{ name: "v", mountPath: "/v" }] }];
    await bind("web", { containers, volumes: [{ name: "v", emptyDir: { sizeLimit: "1Ki" } }] });
    const { metadata } = await ready("web");
    const volume = join(stage.stateDir, "pods", metadata.uid, "volumes", "kubernetes.io~empty-dir", "v");
    writeFileSync(join(volume, "file"), Buffer.alloc(10_000));
    const evicted = await until(
      () => find("web"),
      (p) => p?.status?.phase === "Failed" && first(p)?.state?.terminated !== undefined,
    );
    expect(evicted?.status).toMatchObject({
      reason: "Evicted",
      message: 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
    });
    expect(await reasons("web")).toContain("Evicted");
  });
});

describe("a pod that requests", () => {
  test("a token has the API credentials once the root certificate is published", async () => {
    await bind("web", { automountServiceAccountToken: true });
    await until(
      () => reasons("web"),
      (seen) => seen.includes("FailedMount"),
    );
    const metadata = { name: "kube-root-ca.crt", namespace: "default" };
    await stage.client.create(configMaps, { kind: "ConfigMap", metadata, data: { "ca.crt": "PEM" } });
    const p = await ready("web");
    const volumes = join(stage.stateDir, "pods", p.metadata.uid, "volumes/kubernetes.io~projected");
    const shown = (file: string) => readFileSync(join(volumes, p.spec.volumes![0]!.name, file), "utf8");
    expect([shown("ca.crt"), shown("namespace")]).toEqual(["PEM", "default"]);
    expect(shown("token").split(".")).toHaveLength(3);
  });

  test("more than its node has keeps its resources", async () => {
    const requesting = (cpu: string) => ({ requests: { cpu, memory: "1Mi" }, limits: { cpu: "2" } });
    await bind("web", { containers: [{ name: "c", image, command: runForever, resources: requesting("100m") }] });
    await ready("web");
    const resize = (cpu: string) => {
      const patch = { spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] } };
      return stage.client.patch(pods, key("default", "web"), { type: "strategic", patch }, "resize");
    };
    const pending = (p: Pod | undefined) => p?.status?.conditions?.find((c) => c.type === "PodResizePending");
    const cpuShares = async () => (await stage.runtime.list(undefined, life)).containers[0]?.limits.cpuShares;
    await resize("1500m");
    const waiting = await until(
      () => find("web"),
      (seen) => pending(seen) !== undefined,
    );
    expect(pending(waiting)).toMatchObject({
      reason: "Infeasible",
      message: "Node didn't have enough capacity: cpu, requested: 1500, capacity: 1000",
    });
    expect([first(waiting)?.resources, await cpuShares()]).toEqual([requesting("100m"), 102]);
    await resize("500m");
    const resized = await until(
      () => find("web"),
      (seen) => first(seen)?.resources?.requests?.["cpu"] === "500m",
    );
    expect([pending(resized), first(resized)?.allocatedResources?.["cpu"], await cpuShares()]).toEqual([
      undefined,
      "500m",
      512,
    ]);
    expect(first(resized)?.restartCount).toBe(0);
  });
});

describe("a kubelet", () => {
  test("that restarts keeps its pods", async () => {
    await bind("web");
    const before = await ready("web");
    await stage.stop();
    stage.start();
    await world.clock.sleep(300);
    const after = await find("web");
    expect(first(after)).toEqual(first(before));
    expect(after?.status).toEqual(before.status);
  });

  test("registers its node and keeps its lease", async () => {
    const n = await until(
      () => node().catch(() => undefined),
      (seen) => readiness(seen)?.status === "True",
    );
    expect(n?.spec.podCIDR).toBe("10.244.1.0/24");
    expect(n?.status?.capacity).toMatchObject({ cpu: "1", pods: "10" });
    expect(n?.status?.images?.flatMap((i) => i.names ?? [])).toContain(image);
    const lease = () => stage.client.get(leases, key("kube-node-lease", nodeName)).catch(() => undefined);
    const early = await until(lease, (l) => l?.spec.renewTime !== undefined);
    await until(lease, (l) => l?.spec.renewTime !== early?.spec.renewTime);
  });

  test("without an engine is NotReady, and recovers with it", async () => {
    await bind("web");
    await ready("web");
    stage.runtime.setDown(true);
    const n = await until(
      () => node(),
      (seen) => readiness(seen)?.status === "False",
    );
    expect(readiness(n)).toMatchObject({ reason: "KubeletNotReady" });
    expect(readiness(n)?.message).toContain("container runtime is down");
    await bind("later");
    stage.runtime.setDown(false);
    await until(
      () => node(),
      (seen) => readiness(seen)?.status === "True",
    );
    await ready("later");
    expect(first(await find("web"))?.restartCount).toBe(0);
  });
});
