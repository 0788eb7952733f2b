// Pods, containers and observations for the kubelet's tables, with defaults.
import type { Container, Pod, PodSpec, PodStatus } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import type { PodObservation } from "../../../kubelet/pod/memory.ts";
import { limitsOf } from "../../../kubelet/podspec/resources.ts";
import { containerHash } from "../../../kubelet/podspec/containers.ts";
import type { ContainerState, Exit, RuntimeContainer, Sandbox } from "../../../kubelet/runtime.ts";

export const now = instant(Date.parse("2026-03-01T12:00:00Z"));
export const ago = (seconds: number) => instant(now - seconds * 1_000);

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "web:1",
  ...more,
});

interface PodParts {
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly deleted?: boolean;
  readonly grace?: number;
}
export function pod({ spec = {}, status, deleted, grace = 30 }: PodParts = {}): Pod {
  const end = new Date(now + grace * 1_000).toISOString();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web-0",
      namespace: "default",
      uid: "u1",
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: "2026-03-01T11:59:00Z",
      ...(deleted ? { deletionTimestamp: end, deletionGracePeriodSeconds: grace } : {}),
    },
    spec: { containers: [container("c")], restartPolicy: "Always", terminationGracePeriodSeconds: 30, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

export const identity = { uid: "u1", namespace: "default", name: "web-0" };
export const sandbox = (attempt = 0, state: Sandbox["state"] = "running"): Sandbox => ({
  id: `s${attempt}`,
  pod: identity,
  attempt,
  state,
  createdAt: ago(60),
  ...(state === "running" ? { ip: "10.244.1.5" } : {}),
});

export const running = (since = 60): ContainerState => ({ state: "running", startedAt: ago(since) });
export const exited = (exitCode: number, when = 1, lasted = 5): Exit => ({
  state: "exited",
  exitCode,
  reason: exitCode === 0 ? "Completed" : "Error",
  startedAt: ago(when + lasted),
  finishedAt: ago(when),
});

export function run(name: string, status: ContainerState, more: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const attempt = more.attempt ?? 0;
  return {
    id: `${name}${attempt}`,
    pod: identity,
    name,
    attempt,
    sandboxId: "s0",
    hash: containerHash(container(name)),
    backoff: attempt,
    image: "web:1",
    imageId: "sha256:1",
    createdAt: ago(60),
    limits: limitsOf(container(name)),
    status,
    ...more,
  };
}

export const imagesAt = (attempts: Readonly<Record<string, number>>): PodObservation["images"] =>
  new Map(Object.entries(attempts).map(([name, attempt]) => [name, { is: "there" as const, attempt }]));

export function observation(more: Partial<PodObservation> = {}): PodObservation {
  const health = Object.fromEntries(
    (more.containers ?? [])
      .filter((c) => c.status.state === "running")
      .map((c) => [c.id, { started: true, ready: true }]),
  );
  return {
    pod: pod(),
    gone: false,
    now,
    hostIp: "172.30.0.11",
    sandboxes: [sandbox()],
    containers: [],
    volumes: { is: "ready" },
    unmountFailure: undefined,
    sandboxFailure: undefined,
    images: new Map(),
    refusals: new Map(),
    resizeRefusals: new Map(),
    health,
    backoffEvents: new Map(),
    underWay: new Set(),
    recursiveReadOnlyMounts: false,
    pendingResize: undefined,
    rejection: undefined,
    eviction: undefined,
    reported: true,
    released: false,
    ...more,
  };
}
