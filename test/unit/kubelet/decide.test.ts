// The next actions of a pod worker, and their convergence.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Container, Pod } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import type { PodAction } from "../../../kubelet/pod/actions.ts";
import { decidePod } from "../../../kubelet/pod/decide.ts";
import { limitsOf } from "../../../kubelet/podspec/resources.ts";
import type { PodObservation } from "../../../kubelet/pod/memory.ts";
import type { RuntimeContainer } from "../../../kubelet/runtime.ts";
import { ago, container, exited, imagesAt, now, observation, pod, run, running, sandbox } from "./samples.ts";

/** A one-line summary of an action. */
function summaryOf(a: PodAction): string {
  switch (a.do) {
    case "getImage":
      return `${a.do} ${a.container}#${a.attempt}`;
    case "create":
      return `${a.do} ${a.container}#${a.attempt}${a.target === undefined ? "" : ` beside ${a.target}`}`;
    case "start":
    case "resize":
    case "remove":
      return `${a.do} ${a.id}`;
    case "stop":
      return `stop ${a.id} within ${a.graceMs / 1_000}s`;
    case "recordBackoff":
      return `tell ${a.kind}`;
    case "runSandbox":
      return `runSandbox ${a.attempt}`;
    default:
      return a.do;
  }
}
const toldOf = (name: string) => ({
  name,
  containerID: `docker://${name}0`,
  image: "",
  imageID: "",
  ready: false,
  restartCount: 0,
});
const debugged = (spec: Partial<Pod["spec"]> = {}, targetContainerName?: string): Pod =>
  pod({ spec: { ...spec, ephemeralContainers: [{ ...container("d"), targetContainerName }] } });
const actionsOf = (o: PodObservation): string => decidePod(o).actions.map(summaryOf).join(", ");

const inits = pod({ spec: { initContainers: [container("i1"), container("i2")] } });
const sidecar = pod({
  spec: { restartPolicy: "Never", initContainers: [container("s", { restartPolicy: "Always" }), container("i")] },
});
const never = pod({ spec: { restartPolicy: "Never" } });
const onFailure = pod({ spec: { restartPolicy: "OnFailure" } });
const more = (also: Partial<Container> = {}): Pod =>
  pod({ spec: { containers: [container("c", { resources: { limits: { cpu: "1" } }, ...also })] } });
const claiming = pod({
  deleted: true,
  spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] },
});
const done0 = run("i1", exited(0));

type Row = readonly [what: string, observed: Partial<PodObservation>, expected: string];
const table: readonly Row[] = [
  ["volumes come first", { sandboxes: [], volumes: { is: "unknown" } }, "mountVolumes"],
  ["the sandbox runs while drivers mount", { sandboxes: [], volumes: { is: "mounting" } }, "runSandbox 0"],
  ["images are fetched while drivers mount", { volumes: { is: "mounting" } }, "getImage c#0"],
  ["containers wait for the drivers", { volumes: { is: "mounting" }, images: imagesAt({ c: 0 }) }, ""],
  [
    "without its volumes a pod has no sandbox",
    { volumes: { is: "failed", at: now, failures: 1 }, images: imagesAt({ c: 0 }) },
    "remove s0",
  ],
  ["the sandbox follows the volumes", { sandboxes: [] }, "runSandbox 0"],
  [
    "an exited sandbox is replaced, and kept until the new one runs",
    { sandboxes: [sandbox(0, "exited")] },
    "runSandbox 1",
  ],
  [
    "an old sandbox is removed when the new one runs",
    { sandboxes: [sandbox(0, "exited"), sandbox(1)], images: imagesAt({ c: 0 }) },
    "create c#0, remove s0",
  ],
  ["the image follows the sandbox", {}, "getImage c#0"],
  ["the container follows the image", { images: imagesAt({ c: 0 }) }, "create c#0"],
  ["a created container is started", { containers: [run("c", { state: "created" })] }, "start c0"],
  [
    "a container of a removed sandbox is created again",
    { containers: [run("c", { state: "created" }, { sandboxId: "old" })] },
    "remove c0",
  ],
  ["a running container needs no action", { containers: [run("c", running())] }, ""],
  ["the first restart is immediate", { containers: [run("c", exited(1))], images: imagesAt({ c: 1 }) }, "create c#1"],
  ["the second restart has a back-off", { containers: [run("c", exited(1), { attempt: 1 })] }, "tell restart"],
  [
    "the back-off event is emitted once",
    { containers: [run("c", exited(1), { attempt: 1 })], backoffEvents: new Map([["c", now + 9_000]]) },
    "",
  ],
  [
    "the second restart follows after ten seconds",
    { containers: [run("c", exited(1, 10), { attempt: 1 })], images: imagesAt({ c: 2 }) },
    "create c#2",
  ],
  [
    "a run of ten minutes resets the back-off",
    { containers: [run("c", exited(1, 1, 600), { attempt: 5 })], images: imagesAt({ c: 6 }) },
    "create c#6",
  ],
  [
    "restartPolicy Always restarts after success",
    { containers: [run("c", exited(0))], images: imagesAt({ c: 1 }) },
    "create c#1",
  ],
  [
    "restartPolicy OnFailure does not restart after success",
    { pod: onFailure, containers: [run("c", exited(0))] },
    "remove s0",
  ],
  [
    "restartPolicy Never does not restart after failure",
    { pod: never, containers: [run("c", exited(1))] },
    "remove s0",
  ],
  [
    "a container's own policy precedes the pod's",
    {
      pod: pod({ spec: { restartPolicy: "Never", containers: [container("c", { restartPolicy: "OnFailure" })] } }),
      containers: [run("c", exited(1))],
      images: imagesAt({ c: 1 }),
    },
    "create c#1",
  ],
  [
    "the last two exited containers are kept",
    {
      containers: [
        run("c", running(), { attempt: 3 }),
        run("c", exited(1), { attempt: 2 }),
        run("c", exited(1), { attempt: 1 }),
        run("c", exited(1)),
      ],
    },
    "remove c0",
  ],
  ["a changed image stops the container", { containers: [run("c", running(), { hash: "old" })] }, "stop c0 within 30s"],
  [
    "a failed liveness probe stops the container",
    {
      containers: [run("c", running())],
      health: { c0: { started: true, ready: false, verdict: { because: "liveness", graceMs: 5_000 } } },
    },
    "stop c0 within 5s",
  ],
  [
    "a container without a running sandbox is stopped",
    { sandboxes: [sandbox(0, "exited")], containers: [run("c", running())] },
    "stop c0 within 30s",
  ],
  ["init containers run sequentially", { pod: inits }, "getImage i1#0"],
  ["the second init container follows the first", { pod: inits, containers: [done0] }, "getImage i2#0"],
  [
    "main containers follow the last init container",
    { pod: inits, containers: [done0, run("i2", exited(0))] },
    "getImage c#0",
  ],
  [
    "a failed init container is restarted",
    { pod: inits, containers: [run("i1", exited(1))], images: imagesAt({ i1: 1 }) },
    "create i1#1",
  ],
  [
    "removed init containers do not matter once main containers have started",
    { pod: inits, containers: [run("c", running())] },
    "",
  ],
  [
    "init containers run again in a new sandbox",
    { pod: inits, sandboxes: [sandbox(1)], containers: [done0], images: imagesAt({ i1: 1 }) },
    "create i1#1",
  ],
  [
    "a started sidecar allows the next init container",
    { pod: sidecar, containers: [run("s", running())] },
    "getImage i#0",
  ],
  [
    "a sidecar that has not started blocks the next init container",
    { pod: sidecar, containers: [run("s", running())], health: { s0: { started: false, ready: false } } },
    "",
  ],
  [
    "a sidecar is stopped after all main containers",
    { pod: sidecar, containers: [run("s", running()), run("i", exited(0)), run("c", exited(0))] },
    "stop s0 within 30s",
  ],
  [
    "a deleted pod is stopped within its remaining grace period",
    { pod: pod({ deleted: true, grace: 10 }), containers: [run("c", running())] },
    "stop c0 within 10s",
  ],
  [
    "sidecars are stopped after main containers",
    {
      pod: { ...sidecar, metadata: pod({ deleted: true }).metadata },
      containers: [run("s", running()), run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "the sandbox is kept while a container is being created, or its start would fail",
    { pod: pod({ deleted: true }), underWay: new Set(["create c 0"]) },
    "",
  ],
  [
    "the sandbox is kept while a container is being started",
    { pod: pod({ deleted: true }), containers: [run("c", { state: "created" })], underWay: new Set(["start c0"]) },
    "",
  ],
  [
    "a postStart hook does not delay the stop",
    { pod: pod({ deleted: true, grace: 10 }), containers: [run("c", running())], underWay: new Set(["create c 0"]) },
    "stop c0 within 10s",
  ],
  [
    "a created container is removed before the sandbox",
    { pod: pod({ deleted: true }), containers: [run("c", { state: "created" })] },
    "remove c0",
  ],
  [
    "an evicted pod is stopped immediately",
    { eviction: { reason: "Evicted", message: "" }, containers: [run("c", running())] },
    "stop c0 within 1s",
  ],
  [
    "the sandbox of a stopped pod is removed",
    { pod: pod({ deleted: true }), containers: [run("c", exited(0))] },
    "remove s0",
  ],
  [
    "containers are kept until the API server has the final status",
    { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(0))], reported: false },
    "",
  ],
  [
    "exited containers are removed",
    { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(0))] },
    "remove c0",
  ],
  [
    "nothing is released while volumes are being mounted",
    { pod: pod({ deleted: true }), sandboxes: [], underWay: new Set(["mountVolumes"]) },
    "",
  ],
  ["volumes of drivers are unmounted after the last container", { pod: claiming, sandboxes: [] }, "unmountVolumes"],
  [
    "volumes of drivers are unmounted before the object is deleted",
    { pod: claiming, sandboxes: [], volumes: { is: "unmounted" } },
    "release",
  ],
  [
    "a driver that refuses is left alone for a while",
    { pod: claiming, sandboxes: [], unmountFailure: { at: instant(now - 900), failures: 2 } },
    "",
  ],
  [
    "and called again then",
    { pod: claiming, sandboxes: [], unmountFailure: { at: instant(now - 1_000), failures: 2 } },
    "unmountVolumes",
  ],
  [
    "at the latest after two minutes and two seconds",
    { pod: claiming, sandboxes: [], unmountFailure: { at: instant(now - 122_000), failures: 20 } },
    "unmountVolumes",
  ],
  ["volumes and local data are released", { pod: pod({ deleted: true }), sandboxes: [] }, "release"],
  ["the API object is deleted last", { pod: pod({ deleted: true }), sandboxes: [], released: true }, "deleteFromApi"],
  [
    "an unknown pod is stopped with a short grace period",
    { pod: undefined, gone: true, containers: [run("c", running())] },
    "stop c0 within 1s",
  ],
  ["an unknown pod has no API object to delete", { gone: true, sandboxes: [], released: true }, ""],
  ["a rejected pod has no actions", { rejection: { reason: "OutOfcpu", message: "" }, sandboxes: [] }, ""],
  [
    "a pod past its deadline is stopped",
    {
      pod: pod({ spec: { activeDeadlineSeconds: 10 }, status: { startTime: new Date(ago(10)).toISOString() } }),
      containers: [run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "a failed pod keeps its containers and logs",
    { pod: pod({ status: { phase: "Failed" } }), sandboxes: [], containers: [run("c", exited(1))] },
    "",
  ],
  ["changed resources are applied in place", { pod: more(), containers: [run("c", running())] }, "resize c0"],
  [
    "changed resources with RestartContainer restart the container",
    {
      pod: more({ resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }),
      containers: [run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "a refused resize is retried after a delay",
    { pod: more(), containers: [run("c", running())], resizeRefusals: new Map([["c", { at: ago(1), message: "no" }]]) },
    "",
  ],
  [
    "volumes are mounted again when a token expires",
    { volumes: { is: "ready", until: now }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  [
    "volumes are not mounted again before that",
    { volumes: { is: "ready", until: instant(now + 1) }, containers: [run("c", running())] },
    "",
  ],
  [
    "failed volume updates are retried while containers run",
    { volumes: { is: "failed", at: instant(now - 500), failures: 1 }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  [
    "a restarted kubelet mounts the volumes of running containers",
    { volumes: { is: "unknown" }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  ["an ephemeral container starts at any time", { pod: debugged(), containers: [run("c", running())] }, "getImage d#0"],
  [
    "an ephemeral container starts before main containers",
    { pod: debugged({ initContainers: [container("i")] }), images: imagesAt({ i: 0, d: 0 }) },
    "create d#0, create i#0",
  ],
  [
    "an ephemeral container joins the namespace of its running target",
    { pod: debugged({}, "c"), containers: [run("c", running())], images: imagesAt({ d: 0 }) },
    "create d#0 beside c0",
  ],
  [
    "an ephemeral container waits for its target",
    { pod: debugged({}, "c"), containers: [run("c", { state: "created" })], images: imagesAt({ d: 0 }) },
    "start c0",
  ],
  [
    "an ephemeral container is not restarted",
    { pod: debugged(), containers: [run("c", running()), run("d", exited(1, 600))] },
    "",
  ],
  [
    "a removed ephemeral container is not restarted",
    {
      pod: {
        ...debugged(),
        status: { ephemeralContainerStatuses: [toldOf("d")] },
      },
      containers: [run("c", running())],
    },
    "",
  ],
  [
    "an ephemeral container does not delay completion",
    {
      pod: debugged({ restartPolicy: "Never" }),
      containers: [run("c", exited(0)), run("d", running())],
    },
    "stop d0 within 30s",
  ],
];
for (const [what, observed, expected] of table)
  test(what, () => expect(actionsOf(observation(observed))).toBe(expected));

test("a removed container counts as a restart", () => {
  const status = { name: "c", image: "", imageID: "", ready: true, restartCount: 2, containerID: "docker://c2" };
  expect(actionsOf(observation({ pod: pod({ status: { containerStatuses: [status] } }) }))).toBe("getImage c#3");
});

test("a failed image pull is retried after ten seconds", () => {
  const failed = { is: "failed", attempt: 0, image: "i", reason: "ErrImagePull", message: "no", failures: 1 } as const;
  const at = (seconds: number) => observation({ images: new Map([["c", { ...failed, at: ago(seconds) }]]) });
  expect(actionsOf(at(1))).toBe("");
  expect(actionsOf(at(5))).toBe("tell pull");
  expect(decidePod(at(5)).requeueAt).toBe(now + 5_000);
  expect(actionsOf(at(10))).toBe("getImage c#0");
});

/** The observation after one successful action. */
function after(o: PodObservation, a: PodAction): PodObservation {
  const otherContainers = (id: string) => o.containers.filter((c) => c.id !== id);
  const changed = (id: string, status: RuntimeContainer["status"]) =>
    o.containers.map((c) => (c.id === id ? { ...c, status } : c));
  const healthy = (id: string) => ({ ...o.health, [id]: { started: true, ready: true } });
  switch (a.do) {
    case "mountVolumes":
      return { ...o, volumes: { is: "ready" } };
    case "unmountVolumes":
      return { ...o, volumes: { is: "unmounted" } };
    case "runSandbox":
      return { ...o, sandboxes: [...o.sandboxes, sandbox(a.attempt)] };
    case "getImage":
      return { ...o, images: new Map([...o.images, [a.container, { is: "there", attempt: a.attempt }]]) };
    case "create": {
      const init = o.pod?.spec.initContainers?.some((c) => c.name === a.container && c.restartPolicy !== "Always");
      const status = init ? exited(0, 0) : running(0);
      const { attempt, backoff, sandboxId } = a;
      const limits = limitsOf(o.pod?.spec.containers.find((c) => c.name === a.container) ?? container(a.container));
      const made = run(a.container, status, { attempt, backoff, sandboxId, limits });
      return { ...o, containers: [...o.containers, made], health: healthy(made.id) };
    }
    case "start":
      return { ...o, containers: changed(a.id, running(0)), health: healthy(a.id) };
    case "resize": {
      const limits = limitsOf(o.pod!.spec.containers.find((c) => c.name === a.container)!);
      return { ...o, containers: o.containers.map((c) => (c.id === a.id ? { ...c, limits } : c)) };
    }
    case "stop":
      return { ...o, containers: changed(a.id, exited(0, 0)) };
    case "remove":
      return { ...o, containers: otherContainers(a.id), sandboxes: o.sandboxes.filter((s) => s.id !== a.id) };
    case "recordBackoff":
      return { ...o, backoffEvents: new Map([...o.backoffEvents, [a.container, a.until]]) };
    case "release":
      return { ...o, released: true };
    case "deleteFromApi":
      return { ...o, gone: true };
  }
}

const states = fc.oneof(
  fc.constant(running()),
  fc.constant({ state: "created" as const }),
  fc
    .record({ code: fc.constantFrom(0, 1, 137), when: fc.integer({ min: 0, max: 400 }) })
    .map((e) => exited(e.code, e.when)),
);
const runsOf = (name: string) =>
  fc
    .array(
      fc.record({ status: states, sandboxId: fc.constantFrom("s0", "s1"), hash: fc.constantFrom(undefined, "old") }),
      { maxLength: 3 },
    )
    .map((all) =>
      all.map(({ hash, ...r }, attempt) => run(name, r.status, { ...r, attempt, ...(hash ? { hash } : {}) })),
    );
const pods: fc.Arbitrary<Pod> = fc
  .record({
    restartPolicy: fc.constantFrom("Always", "OnFailure", "Never"),
    inits: fc.constantFrom([], [container("i")], [container("s", { restartPolicy: "Always" })]),
    two: fc.boolean(),
    resources: fc.constantFrom(undefined, { limits: { cpu: "1" } }),
    deleted: fc.boolean(),
  })
  .map(({ restartPolicy, inits: initContainers, two, resources, deleted }) => {
    const c = container("c", { resources });
    const spec = { restartPolicy, initContainers, containers: two ? [c, container("d")] : [c] };
    return pod({ deleted, spec });
  });
const anything = fc.record({
  pod: pods,
  gone: fc.boolean(),
  sandboxes: fc.constantFrom([], [sandbox()], [sandbox(0, "exited")], [sandbox(0, "exited"), sandbox(1)]),
  containers: fc.tuple(runsOf("c"), runsOf("d"), runsOf("i"), runsOf("s")).map((all) => all.flat()),
});

test("repeated decisions lead to no actions", () => {
  fc.assert(
    fc.property(anything, (start) => {
      let o = observation(start);
      for (let round = 0; round < 40; round++) {
        const { actions, requeueAt } = decidePod(o);
        if (actions.length === 0 && requeueAt === undefined) return true;
        for (const a of actions) o = after(o, a);
        // No actions remain but a wait: advance to its end.
        if (actions.length === 0) o = { ...o, now: (requeueAt ?? o.now) as typeof o.now };
      }
      return false;
    }),
    { numRuns: 2_000 },
  );
});

test("actions do not depend on the order of lists", () => {
  fc.assert(
    fc.property(anything, (start) => {
      const listed = observation(start);
      const reversed = {
        ...listed,
        containers: listed.containers.toReversed(),
        sandboxes: listed.sandboxes.toReversed(),
      };
      expect(new Set(decidePod(reversed).actions.map(summaryOf))).toEqual(
        new Set(decidePod(listed).actions.map(summaryOf)),
      );
    }),
  );
});
