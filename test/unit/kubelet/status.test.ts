// Pod status: phases, conditions and container states, with Kubernetes' messages.
import { expect, test } from "vitest";
import type { Container, Pod, PodStatus } from "../../../api/generated/types.ts";
import type { PodObservation } from "../../../kubelet/pod/memory.ts";
import { podStatus } from "../../../kubelet/pod/status.ts";
import { ago, container, exited, imagesAt, now, observation, pod, run, running, sandbox } from "./samples.ts";

const status = (o: PodObservation): PodStatus => podStatus(o.pod!, o);
const condition = (s: PodStatus, type: string): string => {
  const c = s.conditions?.find((x) => x.type === type);
  return [c?.status, c?.reason, c?.message].filter(Boolean).join(" ");
};
const state = (s: PodStatus, name = "c"): string => {
  const found = [...(s.containerStatuses ?? []), ...(s.initContainerStatuses ?? [])].find(
    (c) => c.name === name,
  )?.state;
  if (found?.waiting) return `waiting ${found.waiting.reason}`;
  return found?.running ? "running" : `terminated ${found?.terminated?.reason} ${found?.terminated?.exitCode}`;
};

const never = pod({ spec: { restartPolicy: "Never" } });
const inits = pod({ spec: { initContainers: [container("i")] } });
/** A pod that never restarts, whose container has a policy or rules of its own (KEP-5307). */
const own = (fields: Partial<Container>): Pod =>
  pod({ spec: { restartPolicy: "Never", containers: [container("c", fields)] } });
const on42: Partial<Container> = {
  restartPolicy: "Never",
  restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }],
};
const retriedInit = pod({
  spec: { restartPolicy: "Never", initContainers: [container("i", { restartPolicy: "OnFailure" })] },
});
type Row = readonly [what: string, observed: Partial<PodObservation>, phase: string, state: string, ready: string];
const unready = "False ContainersNotReady containers with unready status: [c]";
const table: readonly Row[] = [
  ["nothing started", { sandboxes: [] }, "Pending", "waiting ContainerCreating", unready],
  [
    "the init container runs",
    { pod: inits, containers: [run("i", running())] },
    "Pending",
    "waiting PodInitializing",
    unready,
  ],
  ["running and ready", { containers: [run("c", running())] }, "Running", "running", "True"],
  ["running and not ready", { containers: [run("c", running())], health: {} }, "Running", "running", unready],
  [
    "exited, and about to be restarted",
    { containers: [run("c", exited(1))], images: imagesAt({ c: 1 }) },
    "Running",
    "terminated Error 1",
    unready,
  ],
  [
    "in crash loop back-off",
    { containers: [run("c", exited(1), { attempt: 1 })] },
    "Running",
    "waiting CrashLoopBackOff",
    unready,
  ],
  [
    "succeeded",
    { pod: never, containers: [run("c", exited(0))] },
    "Succeeded",
    "terminated Completed 0",
    "False PodCompleted",
  ],
  ["failed", { pod: never, containers: [run("c", exited(3))] }, "Failed", "terminated Error 3", "False PodFailed"],
  [
    "failed, with a container that restarts on failure",
    {
      pod: own({ restartPolicy: "OnFailure" }),
      containers: [run("c", exited(1))],
      images: imagesAt({ c: 1 }),
    },
    "Running",
    "terminated Error 1",
    unready,
  ],
  [
    "succeeded, with a container that restarts on failure",
    { pod: own({ restartPolicy: "OnFailure" }), containers: [run("c", exited(0))] },
    "Succeeded",
    "terminated Completed 0",
    "False PodCompleted",
  ],
  [
    "failed with the code of a restart rule",
    { pod: own(on42), containers: [run("c", exited(42))], images: imagesAt({ c: 1 }) },
    "Running",
    "terminated Error 42",
    unready,
  ],
  [
    "failed with another code than that of the rule",
    { pod: own(on42), containers: [run("c", exited(41))] },
    "Failed",
    "terminated Error 41",
    "False PodFailed",
  ],
  [
    "failed, with a container that never restarts in a pod that does",
    {
      pod: pod({ spec: { containers: [container("c", { restartPolicy: "Never" })] } }),
      containers: [run("c", exited(1))],
    },
    "Failed",
    "terminated Error 1",
    "False PodFailed",
  ],
  [
    "an init container with a policy of its own has failed",
    { pod: retriedInit, containers: [run("i", exited(1))], images: imagesAt({ i: 1 }) },
    "Pending",
    "waiting PodInitializing",
    unready,
  ],
  [
    "deleted and completed",
    { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(0))] },
    "Succeeded",
    "terminated Completed 0",
    "False PodCompleted",
  ],
  [
    "deleted and killed",
    { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(137))] },
    "Failed",
    "terminated Error 137",
    "False PodFailed",
  ],
  [
    "deleted, and about to start a container",
    { pod: pod({ deleted: true }), containers: [run("c", { state: "created" })] },
    "Pending",
    "waiting ContainerCreating",
    unready,
  ],
  [
    "deleted before a container started",
    { pod: pod({ deleted: true }), sandboxes: [] },
    "Failed",
    "terminated ContainerStatusUnknown 137",
    "False PodFailed",
  ],
  [
    "deleted while its first init container runs",
    {
      pod: { ...inits, metadata: pod({ deleted: true }).metadata },
      sandboxes: [],
      containers: [run("i", exited(137))],
    },
    "Failed",
    "waiting PodInitializing",
    "False PodFailed",
  ],
  [
    "misconfigured",
    {
      images: imagesAt({ c: 0 }),
      refusals: new Map([["c", { reason: "CreateContainerConfigError", message: "no", at: ago(1) }]]),
    },
    "Pending",
    "waiting CreateContainerConfigError",
    unready,
  ],
];
for (const [what, observed, phase, expectedState, ready] of table)
  test(what, () => {
    const s = status(observation(observed));
    expect([s.phase, state(s), condition(s, "Ready")]).toEqual([phase, expectedState, ready]);
  });

test("a failed pull is ErrImagePull, then ImagePullBackOff, with the engine's message in both", () => {
  const failed = {
    is: "failed",
    attempt: 0,
    image: "web:1",
    reason: "ErrImagePull",
    message: "no such thing",
    failures: 1,
  } as const;
  const waiting = (seconds: number) => {
    const s = status(observation({ images: new Map([["c", { ...failed, at: ago(seconds) }]]) }));
    return s.containerStatuses?.[0]?.state?.waiting;
  };
  expect(waiting(0)).toEqual({ reason: "ErrImagePull", message: "no such thing" });
  expect(waiting(4)).toEqual({
    reason: "ImagePullBackOff",
    message: 'Back-off pulling image "web:1": ErrImagePull: no such thing',
  });
});

test("the message of a crash loop has the back-off, the container and the pod", () => {
  const message = (attempt: number) => {
    const s = status(observation({ containers: [run("c", exited(1), { attempt })] }));
    return s.containerStatuses?.[0]?.state?.waiting?.message;
  };
  expect(message(1)).toBe("back-off 10s restarting failed container=c pod=web-0_default(u1)");
  expect(message(4)).toBe("back-off 1m20s restarting failed container=c pod=web-0_default(u1)");
  expect(message(20)).toBe("back-off 5m0s restarting failed container=c pod=web-0_default(u1)");
});

test("a container's status shows how its volumes are mounted", () => {
  const mount = { name: "v", mountPath: "/v" };
  const readOnly = { ...mount, readOnly: true };
  const volumeMounts = [mount, readOnly, { ...readOnly, recursiveReadOnly: "IfPossible" as const }];
  const mounted = pod({ spec: { containers: [container("c", { volumeMounts })] } });
  const statuses = (recursiveReadOnlyMounts: boolean) =>
    status(observation({ pod: mounted, recursiveReadOnlyMounts })).containerStatuses?.[0]?.volumeMounts;
  const disabled = { ...readOnly, recursiveReadOnly: "Disabled" };
  expect(statuses(false)).toEqual([mount, disabled, disabled]);
  expect(statuses(true)).toEqual([mount, disabled, { ...readOnly, recursiveReadOnly: "Enabled" }]);
});

test("a restarted container has a restart count and its last state", () => {
  const s = status(
    observation({ containers: [run("c", running(), { attempt: 2 }), run("c", exited(7), { attempt: 1 })] }),
  );
  const [c] = s.containerStatuses ?? [];
  expect(c?.restartCount).toBe(2);
  expect(c?.lastState?.terminated?.exitCode).toBe(7);
  expect(c?.containerID).toBe("docker://c2");
});

test("conditions keep their transition time, and foreign ones are kept", () => {
  const since = "2026-03-01T11:00:00Z";
  const before = {
    conditions: [
      { type: "Ready", status: "True", lastTransitionTime: since },
      { type: "Initialized", status: "False", lastTransitionTime: since },
      { type: "example.com/gate", status: "True", lastTransitionTime: since },
    ],
  };
  const s = status(observation({ pod: pod({ status: before }), containers: [run("c", running())] }));
  const when = Object.fromEntries((s.conditions ?? []).map((c) => [c.type, c.lastTransitionTime]));
  expect(when["Ready"]).toBe(since);
  expect(when["Initialized"]).toBe("2026-03-01T12:00:00Z");
  expect(when["example.com/gate"]).toBe(since);
});

test("a pod with an unmet readiness gate is not ready", () => {
  const gated = pod({ spec: { readinessGates: [{ conditionType: "example.com/gate" }] } });
  const s = status(observation({ pod: gated, containers: [run("c", running())] }));
  expect(condition(s, "ContainersReady")).toBe("True");
  expect(condition(s, "Ready")).toBe(
    'False ReadinessGatesNotReady corresponding condition of pod readiness gate "example.com/gate" does not exist.',
  );
});

test("a container whose start failed has no start time", () => {
  const refused = { ...exited(128), startedAt: undefined, reason: "StartError" as const };
  const s = status(observation({ pod: never, containers: [run("c", refused)] }));
  expect(s.containerStatuses?.[0]?.state?.terminated).toMatchObject({
    exitCode: 128,
    reason: "StartError",
    startedAt: "2026-03-01T11:59:59Z",
    finishedAt: "2026-03-01T11:59:59Z",
  });
});

test("a rejected pod has a reason and no container statuses", () => {
  const s = status(
    observation({ sandboxes: [], rejection: { reason: "OutOfcpu", message: "Node didn't have enough resource: cpu" } }),
  );
  expect([s.phase, s.reason, s.message]).toEqual([
    "Failed",
    "OutOfcpu",
    "Pod was rejected: Node didn't have enough resource: cpu",
  ]);
  expect(s.containerStatuses).toBeUndefined();
});

test("a pod past its deadline is Failed", () => {
  const late = pod({ spec: { activeDeadlineSeconds: 5 }, status: { startTime: new Date(ago(6)).toISOString() } });
  const s = status(observation({ pod: late, containers: [run("c", running())] }));
  expect([s.phase, s.reason]).toEqual(["Failed", "DeadlineExceeded"]);
});

test("an evicted pod is Failed with the reason", () => {
  const eviction = { reason: "Evicted", message: "too much" };
  const evicted = observation({ eviction, containers: [run("c", running())] });
  expect(status(evicted)).toMatchObject({ phase: "Failed", reason: "Evicted", message: "too much" });
  expect(status(observation({ eviction, pod: pod({ status: { phase: "Succeeded" } }) })).phase).toBe("Succeeded");
});

test("a pod has no address before its volumes are mounted, and keeps it when they are mounted again", () => {
  const isReady = ({ conditions }: PodStatus): string | undefined =>
    conditions?.find(({ type }) => type === "PodReadyToStartContainers")?.status;
  for (const volumes of [{ is: "mounting" }, { is: "failed", at: now, failures: 1 }] as const) {
    const without = status(observation({ volumes }));
    expect([without.podIP, isReady(without)]).toEqual([undefined, "False"]);
  }
  const again = status(observation({ volumes: { is: "mounting" }, containers: [run("c", running())] }));
  expect([again.podIP, isReady(again)]).toEqual([sandbox().ip, "True"]);
});

test("the status is stable", () => {
  const o = observation({ containers: [run("c", running())], sandboxes: [sandbox()] });
  const once = status(o);
  expect(podStatus({ ...o.pod!, status: once }, { ...o, now: (now + 5_000) as typeof now })).toEqual(once);
});

test("a removed container keeps its last status, unless it is restarted", () => {
  const two = { restartPolicy: "OnFailure" as const, containers: [container("c"), container("d")] };
  const before = status(
    observation({ pod: pod({ spec: two }), containers: [run("c", exited(0)), run("d", exited(1))] }),
  );
  const later = observation({ pod: pod({ spec: two, status: before }), containers: [] });
  const after = status(later);
  expect(after.containerStatuses?.[0]).toEqual(before.containerStatuses?.[0]);
  expect(state(after, "d")).toMatch(/^waiting/);
});
