// What debug creates; the expected objects were read from a server after kubectl 1.36 had created them, without the
// server's defaults.
import { describe, expect, test } from "vitest";
import type { Node, Pod } from "../../../../api/generated/types.ts";
import {
  type DebugFlags,
  debugCopy,
  lacksRoot,
  nodeDebugPod,
  withDebugContainer,
} from "../../../../cli/generators/debug-pods.ts";

const probe = { exec: { command: ["true"] } };
const full = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "full", namespace: "default", uid: "1", labels: { app: "full" }, annotations: { note: "x" } },
  spec: {
    nodeName: "n1",
    initContainers: [{ name: "init", image: "i:1" }],
    containers: [
      {
        name: "main",
        image: "m:1",
        command: ["sleep"],
        args: ["9"],
        livenessProbe: probe,
        readinessProbe: probe,
        startupProbe: probe,
        securityContext: { capabilities: { add: ["CHOWN"] } },
      },
      { name: "side", image: "s:1" },
    ],
    ephemeralContainers: [{ name: "old", image: "o:1" }],
  },
} as unknown as Pod;
const node = { kind: "Node", metadata: { name: "n1" } } as Node;
const none = { profile: "general", keepInitContainers: true };
const flagsOf = (flags: Partial<DebugFlags>): DebugFlags => ({ ...none, ...flags });
const naming = (isTaken: (name: string) => boolean): string => (isTaken("debugger-x") ? "debugger-y" : "debugger-x");

const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const namespaces = { hostIPC: true, hostNetwork: true, hostPID: true };
const files = { volumes: [{ name: "host-root", hostPath: { path: "/" } }] };
const mounts = { volumeMounts: [{ name: "host-root", mountPath: "/host" }] };

describe("a container in the pod", () => {
  const contexts = {
    legacy: {},
    general: { securityContext: { capabilities: { add: ["SYS_PTRACE"] } } },
    baseline: {},
    restricted: { securityContext: restricted },
    netadmin: { securityContext: { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } } },
    sysadmin: { securityContext: { privileged: true } },
  };
  test.each(Object.entries(contexts))("%s", (profile, context) => {
    const { pod, container } = withDebugContainer(full, flagsOf({ profile, image: "b:1" }), [], naming);
    const added = { name: "debugger-x", image: "b:1", terminationMessagePolicy: "File", ...context };
    expect(pod).toEqual({
      ...full,
      spec: { ...full.spec, ephemeralContainers: [...full.spec.ephemeralContainers!, added] },
    });
    expect(container).toBe("debugger-x");
  });
  test("with everything", () => {
    const flags = flagsOf({
      profile: "baseline",
      image: "b:1",
      container: "dbg",
      env: { A: "1", B: "2" },
      imagePullPolicy: "Never",
      stdin: true,
      tty: true,
      target: "main",
    });
    expect(withDebugContainer(full, flags, ["sleep", "5"], naming).pod.spec.ephemeralContainers!.at(-1)).toEqual({
      name: "dbg",
      image: "b:1",
      command: ["sleep", "5"],
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
      imagePullPolicy: "Never",
      stdin: true,
      targetContainerName: "main",
      terminationMessagePolicy: "File",
      tty: true,
    });
  });
});

describe("a pod on a node", () => {
  const rows = {
    legacy: [{ ...namespaces, ...files }, mounts],
    general: [{ ...namespaces, ...files }, mounts],
    baseline: [{}, {}],
    restricted: [{}, { securityContext: restricted }],
    netadmin: [namespaces, { securityContext: { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } } }],
    sysadmin: [
      { ...namespaces, ...files },
      { ...mounts, securityContext: { privileged: true } },
    ],
  } as const;
  test.each(Object.entries(rows))("%s", (profile, [spec, container]) => {
    const flags = flagsOf({ profile, image: "b:1", argumentsOnly: true });
    expect(nodeDebugPod(node, "node-debugger-n1-x", flags, ["a"]).pod).toEqual({
      kind: "Pod",
      metadata: { name: "node-debugger-n1-x", labels: { "app.kubernetes.io/managed-by": "kubectl-debug" } },
      spec: {
        containers: [{ name: "debugger", image: "b:1", args: ["a"], terminationMessagePolicy: "File", ...container }],
        nodeName: "n1",
        restartPolicy: "Never",
        tolerations: [{ operator: "Exists" }],
        ...spec,
      },
    });
  });
});

describe("a copy of the pod", () => {
  const copyOf = (flags: Partial<DebugFlags>, args: readonly string[] = []) =>
    debugCopy(full, flagsOf({ copyTo: "copy", ...flags }), args, naming).pod;
  const [{ livenessProbe: _l, readinessProbe: _r, startupProbe: _s, ...bare }, side] = full.spec.containers as [
    Pod["spec"]["containers"][0],
    Pod["spec"]["containers"][0],
  ];
  const added = {
    name: "debugger-x",
    image: "b:1",
    terminationMessagePolicy: "File",
    securityContext: { capabilities: { add: ["SYS_PTRACE"] } },
  };
  test("with another container", () => {
    expect(copyOf({ image: "b:1" })).toEqual({
      kind: "Pod",
      metadata: { name: "copy", namespace: "default" },
      spec: {
        initContainers: full.spec.initContainers,
        containers: [bare, side, added],
        shareProcessNamespace: true,
      },
    });
  });
  test("with what it may keep", () => {
    const kept = {
      keepLabels: true,
      keepAnnotations: true,
      keepLiveness: true,
      keepReadiness: true,
      keepStartup: true,
    };
    expect(copyOf({ image: "b:1", ...kept, keepInitContainers: false, sameNode: true, shareProcesses: false })).toEqual(
      {
        kind: "Pod",
        metadata: { name: "copy", namespace: "default", labels: { app: "full" }, annotations: { note: "x" } },
        spec: { containers: [full.spec.containers[0], side, added], shareProcessNamespace: false, nodeName: "n1" },
      },
    );
  });
  test("with another command of a container", () => {
    expect(copyOf({ container: "main" }, ["sh"]).spec.containers[0]).toEqual({
      name: "main",
      image: "m:1",
      command: ["sh"],
      securityContext: { capabilities: { add: ["CHOWN", "SYS_PTRACE"] } },
    });
    expect(copyOf({ container: "main", argumentsOnly: true }, ["sh"]).spec.containers[0]).toMatchObject({
      command: ["sleep"],
      args: ["sh"],
    });
  });
  test("with other images, and nothing else", () => {
    const { spec, metadata } = copyOf({ setImage: { "*": "x:1", side: "y:1" } });
    expect(spec.containers.map(({ image }) => image)).toEqual(["x:1", "y:1"]);
    expect([spec.shareProcessNamespace, metadata.labels]).toEqual([undefined, { app: "full" }]);
  });
  test("the profile legacy drops labels only", () => {
    const { spec, metadata } = copyOf({ profile: "legacy", image: "b:1" });
    expect(metadata).toEqual({ name: "copy", namespace: "default", annotations: { note: "x" } });
    expect([spec.shareProcessNamespace, spec.containers[0]]).toEqual([undefined, full.spec.containers[0]]);
  });
  test("a new container needs an image", () =>
    expect(() => copyOf({ container: "nope" }, ["x"])).toThrow("you must specify image when creating new container"));
});

test.each([
  [1000, { privileged: true }, true],
  [1000, { capabilities: { add: ["NET_ADMIN"] } }, true],
  [1000, { privileged: true, runAsUser: 0 }, false],
  [1000, {}, false],
  [0, { privileged: true }, false],
  [undefined, { privileged: true }, false],
])("user %s of the pod and %j: %s", (runAsUser, securityContext, warns) => {
  const spec = { securityContext: { runAsUser }, containers: [{ name: "c", image: "b", securityContext }] };
  expect(lacksRoot({ spec } as unknown as Pod, "c")).toBe(warns);
});
