// The node: cgroups, engine names, images, probes, admission, node status and log options.
import { describe, expect, test } from "vitest";
import type { Container, Secret } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { admission } from "../../../kubelet/admission.ts";
import { cgroupPaths, usageOf } from "../../../kubelet/cgroup.ts";
import { canMountRecursivelyReadOnly, mayPrivilege } from "../../../kubelet/docker/capabilities.ts";
import { demultiplexed } from "../../../kubelet/docker/streams.ts";
import { withTag } from "../../../kubelet/docker/images.ts";
import { engineName, parseEngineName } from "../../../kubelet/docker/create-options.ts";
import { credentialsFor, isImageReference, nameInRegistry, pullPlan } from "../../../kubelet/images.ts";
import { nodeStatus, equalExceptHeartbeat } from "../../../kubelet/node/node-status.ts";
import { healthRequest, healthStatus, portNumber } from "../../../kubelet/probes/handlers.ts";
import { afterResult, initialState, type ProbeResult } from "../../../kubelet/probes/prober.ts";
import { logOptions } from "../../../kubelet/server/logs.ts";
import { sampled } from "../../../kubelet/server/usage-samples.ts";
import { container, identity, now, pod } from "./samples.ts";

describe("cgroups", () => {
  const v1 = "12:memory:/kubepods/podu1/abc\n4:cpu,cpuacct:/kubepods/podu1/abc\n0::/";
  test("version 1 has a path per controller", () =>
    expect(cgroupPaths(v1)).toEqual({
      version: 1,
      cpu: "/sys/fs/cgroup/cpuacct/kubepods/podu1/abc",
      memory: "/sys/fs/cgroup/memory/kubepods/podu1/abc",
    }));
  test("version 2 has one path", () =>
    expect(cgroupPaths("0::/kubepods/podu1/abc\n")).toMatchObject({
      version: 2,
      cpu: "/sys/fs/cgroup/kubepods/podu1/abc",
    }));
  test("inactive file pages are not in the working set", () => {
    const usage = usageOf(1, "123\n", "1000\n", "total_rss 400\ntotal_inactive_file 300\n");
    expect(usage).toEqual({ cpuNanos: 123, memoryUsageBytes: 1_000, memoryWorkingSetBytes: 700, memoryRssBytes: 400 });
    expect(usageOf(2, "usage_usec 5\nuser_usec 3\n", "1000", "anon 400\ninactive_file 300\n").cpuNanos).toBe(5_000);
  });
  test("a rate needs two samples", () => {
    const usage = { cpuNanos: 1_000_000, memoryUsageBytes: 0, memoryWorkingSetBytes: 0, memoryRssBytes: 0 };
    const first = sampled(undefined, usage, 1_000);
    expect(first.nanoCores).toBeUndefined();
    expect(sampled(first, { ...usage, cpuNanos: 501_000_000 }, 2_000).nanoCores).toBe(500_000_000);
  });
});

describe("engine names", () => {
  const name = { pod: identity, container: "c", attempt: 3 };
  test("round-trip", () => expect(parseEngineName(`/${engineName(name)}`)).toEqual(name));
  test("of other containers are not parsed", () =>
    expect(["orrery_pool_x", "web", "k8s_a_b", ""].map(parseEngineName)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]));
  test("images have a default tag", () =>
    expect(["web", "host:5000/web", "web:1", "web@sha256:1"].map(withTag)).toEqual([
      "web:latest",
      "host:5000/web:latest",
      "web:1",
      "web@sha256:1",
    ]));
  test.each([
    ["web", "docker.io/library/web:latest"],
    ["orrery/web:1", "docker.io/orrery/web:1"],
    ["docker.io/library/web:1", "docker.io/library/web:1"],
    ["docker.io/web", "docker.io/library/web:latest"],
    ["registry.k8s.io/e2e-test-images/agnhost:2.63.0", "registry.k8s.io/e2e-test-images/agnhost:2.63.0"],
    ["localhost:5000/web", "localhost_5000/web:latest"],
    ["localhost/web:1", "localhost/web:1"],
  ])("the image %s has the name %s in the cluster's registry", (image, name) =>
    expect(nameInRegistry(image)).toBe(name),
  );
  test("output frames are decoded from any chunks", async () => {
    const frame = (to: number, text: string) =>
      Buffer.concat([Buffer.from([to, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
    const bytes = Buffer.concat([frame(1, "hello"), frame(2, "oh")]);
    const byOne = async function* () {
      for (const b of bytes) yield Buffer.from([b]);
    };
    const found: string[] = [];
    for await (const p of demultiplexed(byOne())) found.push(`${p.stream}:${Buffer.from(p.data)}`);
    expect(found).toEqual(["stdout:hello", "stderr:oh"]);
  });
  test("privileged containers have all capabilities", () => {
    expect(mayPrivilege("CapBnd:\t000001ffffffffff\n")).toBe(true);
    expect(mayPrivilege("CapBnd:\t000001fffeffffff\n")).toBe(false);
  });
  test.each([
    ["1.44", "5.12.0-generic", true],
    ["1.51", "6.18.44", true],
    ["1.44", "5.11", false],
    ["1.41", "6.18.44", false],
    [undefined, undefined, false],
  ])("mounts recursively read-only with API %s on Linux %s: %s", (ApiVersion, KernelVersion, can) => {
    expect(canMountRecursivelyReadOnly({ ApiVersion, KernelVersion } as never)).toBe(can);
  });
});

describe("images", () => {
  const there = { id: "1", digests: [], user: "", sizeBytes: 1 };
  const plan = (image: string, imagePullPolicy: Container["imagePullPolicy"], present = true) =>
    pullPlan(container("c", { image, imagePullPolicy }), present ? there : undefined);
  test("pull by policy", () => {
    expect([
      plan("a:1", "IfNotPresent"),
      plan("a:1", "IfNotPresent", false),
      plan("a:1", "Always"),
      plan("a:1", "Never", false),
    ]).toEqual(["use", "pull", "pull", "never"]);
    expect([plan("a:latest", undefined), plan("a", undefined), plan("a:1", undefined)]).toEqual([
      "pull",
      "pull",
      "use",
    ]);
  });
  test("invalid references", () => {
    expect(["web:1", "localhost:1/a/b:2", "a", `a@sha256:${"0".repeat(64)}`].every(isImageReference)).toBe(true);
    expect(["Web", "a b", "", "a:", "a::1", "-a", "a@b"].some(isImageReference)).toBe(false);
  });
});

describe("credentials", () => {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const secret = (auths: object) =>
    ({ data: { ".dockerconfigjson": encode(JSON.stringify({ auths })) } }) as unknown as Secret;
  const known = secret({
    "https://index.docker.io/v1/": { auth: encode("me:hush:hush") },
    "reg.corp:5000": { username: "a", password: "b" },
  });
  test("match the registry of the image", () => {
    expect(credentialsFor("reg.corp:5000/x/y:1", [secret({}), known])).toMatchObject({ username: "a", password: "b" });
    expect(credentialsFor("web:1", [known])).toMatchObject({ username: "me", password: "hush:hush" });
    expect(credentialsFor("other.corp/web:1", [known])).toBeUndefined();
  });
});

describe("probes", () => {
  const results = (kind: "readiness" | "liveness", row: string, probe = { failureThreshold: 2, successThreshold: 1 }) =>
    [...row].reduce(
      (s, r) => afterResult(s, (r === "+" ? "success" : "failure") satisfies ProbeResult, probe),
      initialState(kind),
    ).verdict;
  test("one failure below the threshold", () => expect(results("liveness", "+-+-+-")).toBe("success"));
  test("two consecutive failures", () => expect(results("liveness", "+--")).toBe("failure"));
  test("not ready before the first result", () => expect(results("readiness", "")).toBe("failure"));
  test("a success threshold", () =>
    expect(results("readiness", "+-+", { failureThreshold: 1, successThreshold: 2 })).toBe("failure"));
  test("named ports", () => {
    const c = container("c", { ports: [{ name: "http", containerPort: 80 }] });
    expect([portNumber("http", c), portNumber(8080, c), portNumber("81", c), portNumber("no", c)]).toEqual([
      80,
      8080,
      81,
      undefined,
    ]);
  });
  test("gRPC health", () => {
    expect([...healthRequest("a")]).toEqual([0, 0, 0, 0, 3, 10, 1, 97]);
    expect([
      healthStatus(Buffer.from([0, 0, 0, 0, 2, 8, 1])),
      healthStatus(Buffer.from([0, 0, 0, 0, 2, 8, 2])),
    ]).toEqual(["SERVING", "NOT_SERVING"]);
  });
});

describe("admission", () => {
  const room = { labels: { disk: "ssd" }, allocatable: { cpu: "1", memory: "1Gi", pods: "2" }, taints: [] };
  const requesting = (cpu: string) =>
    pod({ spec: { containers: [container("c", { resources: { requests: { cpu } } })] } });
  test("a fitting pod is admitted", () =>
    expect(admission(requesting("500m"), [requesting("500m")], room)).toBeUndefined());
  test("insufficient resources are in the message", () =>
    expect(admission(requesting("600m"), [requesting("500m")], room)).toEqual({
      reason: "OutOfcpu",
      message: "Node didn't have enough resource: cpu, requested: 600, used: 500, capacity: 1000",
    }));
  test("all resources count, except extended ones that the node does not list", () => {
    const wanting = (requests: Readonly<Record<string, string>>) =>
      pod({ spec: { containers: [container("c", { resources: { requests } })] } });
    const offering = {
      ...room,
      allocatable: { ...room.allocatable, "ephemeral-storage": "1Gi", "example.org/gpu": "1" },
    };
    expect(admission(wanting({ "ephemeral-storage": "2Gi" }), [], offering)?.reason).toBe("OutOfephemeral-storage");
    expect(admission(wanting({ "example.org/gpu": "2" }), [], offering)?.reason).toBe("OutOfexample.org/gpu");
    expect(admission(wanting({ "example.org/gpu": "2" }), [], room)).toBeUndefined();
  });
  test("a port of the node that another pod has", () => {
    const onPort = (hostPort: number, more: object = {}) =>
      pod({ spec: { containers: [container("c", { ports: [{ containerPort: 80, hostPort, ...more }] })] } });
    expect(admission(onPort(80), [onPort(80)], room)).toEqual({
      reason: "NodePorts",
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    });
    for (const other of [onPort(81), onPort(80, { protocol: "UDP" })])
      expect(admission(onPort(80), [other], room)).toBeUndefined();
  });
  test("the pod limit", () => expect(admission(pod(), [pod(), pod()], room)?.reason).toBe("OutOfpods"));
  test("another operating system", () => {
    const windows = pod({ spec: { os: { name: "windows" } } });
    expect(admission(windows, [], room)).toEqual({
      reason: "PodOSNotSupported",
      message: "Failed to admit pod as the OS field doesn't match node OS",
    });
    const labelled = pod();
    const { metadata } = labelled;
    expect(
      admission({ ...labelled, metadata: { ...metadata, labels: { "kubernetes.io/os": "windows" } } }, [], room)
        ?.reason,
    ).toBe("PodOSSelectorNodeLabelDoesNotMatch");
    expect(admission(pod({ spec: { os: { name: "linux" } } }), [], room)).toBeUndefined();
  });
  test("node affinity", () => {
    const reason = (...nodeSelectorTerms: readonly object[]) => {
      const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms } as never;
      const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } };
      return admission(pod({ spec: { nodeName: "n1", affinity } }), [], room)?.reason;
    };
    const labelled = (...values: readonly string[]) => ({
      matchExpressions: [{ key: "disk", operator: "In", values }],
    });
    const named = (name: string) => ({ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] });
    expect(reason(labelled("ssd"))).toBeUndefined();
    expect(reason(named("n1"))).toBeUndefined();
    expect(reason(labelled("hdd"), named("n1"))).toBeUndefined();
    expect(reason(labelled("hdd"))).toBe("NodeAffinity");
    expect(reason({ ...labelled("ssd"), ...named("n2") })).toBe("NodeAffinity");
    expect(reason({})).toBe("NodeAffinity");
  });
  test("a node selector", () =>
    expect(admission(pod({ spec: { nodeSelector: { disk: "hdd" } } }), [], room)?.reason).toBe("NodeAffinity"));
  test("a pod that needs a feature which this kubelet does not declare", () =>
    expect(admission(pod({ spec: { hostNetwork: true, hostUsers: false } }), [], room)).toEqual({
      reason: "PodFeatureUnsupported",
      message: "Pod requires node features that are not available: UserNamespacesHostNetworkSupport",
    }));
});

test("a request for which the pod has devices is none of the node's room", () => {
  const room = { labels: {}, allocatable: { pods: "2", "example.org/gpu": "0" }, taints: [] };
  const names = ["deviceclass.resource.kubernetes.io/gpus", "example.org/gpu"];
  for (const resourceName of names) {
    const c = container("c", { resources: { requests: { [resourceName]: "1" } } });
    const spec = { containers: [c], initContainers: [{ ...c, name: "i" }] };
    const mapped = (...containers: readonly string[]) => {
      const requestMappings = containers.map((name) => ({ containerName: name, resourceName, requestName: "r" }));
      return pod({ spec, status: { extendedResourceClaimStatus: { resourceClaimName: "x", requestMappings } } });
    };
    expect(admission(mapped("c"), [], room)?.reason).toBe(`OutOf${resourceName}`);
    expect(admission(mapped("c", "i"), [], room)).toBeUndefined();
  }
});

describe("node status", () => {
  const identityOfNode = {
    nodeName: "n1",
    nodeIp: "172.30.0.11",
    kubeletPort: 10_250,
    podCidr: "10.244.1.0/24",
    capacity: { cpuMillis: 1_500, memoryBytes: 2 ** 31, pods: 110 },
    labels: {},
    machineId: "m",
    bootId: "b",
    osImage: "Debian",
    architecture: "x64",
    kernel: "6",
  };
  const health = {
    runtimeVersion: "20.10",
    recursiveReadOnlyMounts: false,
    runtimeError: undefined,
    images: [],
    memoryAvailableBytes: 2 ** 30,
    diskAvailableBytes: 50,
    diskCapacityBytes: 100,
    volumesInUse: [],
    pidsAvailable: 1_000,
  };
  const conditions = (h: Partial<typeof health> | { runtimeVersion: undefined; runtimeError: string }) =>
    (nodeStatus(identityOfNode, { ...health, ...h } as typeof health, undefined, now).conditions ?? []).map(
      (c) => `${c.type}=${c.status} ${c.reason}`,
    );
  test("healthy", () =>
    expect(conditions({})).toEqual([
      "MemoryPressure=False KubeletHasSufficientMemory",
      "DiskPressure=False KubeletHasNoDiskPressure",
      "PIDPressure=False KubeletHasSufficientPID",
      "Ready=True KubeletReady",
    ]));
  test("without a container engine", () => {
    expect(conditions({ runtimeVersion: undefined, runtimeError: "gone" })).toContain("Ready=False KubeletNotReady");
  });
  test("with disk pressure", () =>
    expect(conditions({ diskAvailableBytes: 1, memoryAvailableBytes: 1 })).toEqual(
      expect.arrayContaining([
        "MemoryPressure=True KubeletHasInsufficientMemory",
        "DiskPressure=True KubeletHasDiskPressure",
      ]),
    ));
  test("is stable between heartbeats", () => {
    const first = nodeStatus(identityOfNode, health, undefined, now);
    expect(equalExceptHeartbeat(first, nodeStatus(identityOfNode, health, first, instant(now + 1_000)))).toBe(true);
    expect(first.capacity).toMatchObject({ cpu: "1500m", memory: "2Gi", pods: "110" });
  });
  test("extended resources that were advertised stay, and are allocatable", () => {
    const first = nodeStatus(identityOfNode, health, undefined, now);
    const patched = { ...first, capacity: { ...first.capacity, "example.com/foo": "5", cpu: "64" } };
    const next = nodeStatus(identityOfNode, health, patched, now);
    for (const amounts of [next.capacity, next.allocatable])
      expect(amounts).toEqual({ ...first.capacity, "example.com/foo": "5" });
  });
});

describe("kubelet server", () => {
  test("log options", () => {
    const q = (text: string) => logOptions(new URLSearchParams(text), now);
    expect(q("tailLines=5&sinceSeconds=10&follow=true")).toMatchObject({
      tail: 5,
      since: now - 10_000,
      follow: true,
      previous: false,
    });
    expect(() => q("tailLines=-1")).toThrow("Invalid request.");
  });
});
