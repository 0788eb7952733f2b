// What a pod's worker does next, row by row; and that carrying it out comes to an end.
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

/** An action in the few words that matter. */
function said(a: PodAction): string {
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
const say = (o: PodObservation): string => decidePod(o).actions.map(said).join(", ");

const inits = pod({ spec: { initContainers: [container("i1"), container("i2")] } });
const sidecar = pod({
  spec: { restartPolicy: "Never", initContainers: [container("s", { restartPolicy: "Always" }), container("i")] },
});
const never = pod({ spec: { restartPolicy: "Never" } });
const onFailure = pod({ spec: { restartPolicy: "OnFailure" } });
const more = (also: Partial<Container> = {}): Pod =>
  pod({ spec: { containers: [container("c", { resources: { limits: { cpu: "1" } }, ...also })] } });
const done0 = run("i1", exited(0));

type Row = readonly [what: string, observed: Partial<PodObservation>, expected: string];
const table: readonly Row[] = [
  ["volumes come first", { sandboxes: [], volumes: { is: "unknown" } }, "mountVolumes"],
  ["then the sandbox", { sandboxes: [] }, "runSandbox 0"],
  [
    "a dead sandbox has a successor, and is kept until that runs",
    { sandboxes: [sandbox(0, "exited")] },
    "runSandbox 1",
  ],
  [
    "the new sandbox outlives the old one's traces",
    { sandboxes: [sandbox(0, "exited"), sandbox(1)], images: imagesAt({ c: 0 }) },
    "create c#0, remove s0",
  ],
  ["then the image", {}, "getImage c#0"],
  ["then the container", { images: imagesAt({ c: 0 }) }, "create c#0"],
  ["one that was made but not started is started", { containers: [run("c", { state: "created" })] }, "start c0"],
  [
    "one made for a sandbox that is gone is made anew",
    { containers: [run("c", { state: "created" }, { sandboxId: "old" })] },
    "remove c0",
  ],
  ["all is well", { containers: [run("c", running())] }, ""],
  [
    "the first death is followed by a life at once",
    { containers: [run("c", exited(1))], images: imagesAt({ c: 1 }) },
    "create c#1",
  ],
  ["the second one is not", { containers: [run("c", exited(1), { attempt: 1 })] }, "tell restart"],
  [
    "nor is it told of twice",
    { containers: [run("c", exited(1), { attempt: 1 })], backoffEvents: new Map([["c", now + 9_000]]) },
    "",
  ],
  [
    "ten seconds later it is",
    { containers: [run("c", exited(1, 10), { attempt: 1 })], images: imagesAt({ c: 2 }) },
    "create c#2",
  ],
  [
    "a run of ten minutes clears its name",
    { containers: [run("c", exited(1, 1, 600), { attempt: 5 })], images: imagesAt({ c: 6 }) },
    "create c#6",
  ],
  [
    "a success is followed by a life too, if it shall always run",
    { containers: [run("c", exited(0))], images: imagesAt({ c: 1 }) },
    "create c#1",
  ],
  ["but not if only failures are", { pod: onFailure, containers: [run("c", exited(0))] }, "remove s0"],
  ["a failure is not, if never", { pod: never, containers: [run("c", exited(1))] }, "remove s0"],
  [
    "of the dead the last two are kept",
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
  [
    "a changed image calls for a new container",
    { containers: [run("c", running(), { hash: "old" })] },
    "stop c0 within 30s",
  ],
  [
    "so does a failed probe",
    {
      containers: [run("c", running())],
      health: { c0: { started: true, ready: false, verdict: { because: "liveness", graceMs: 5_000 } } },
    },
    "stop c0 within 5s",
  ],
  [
    "without its sandbox a container has no network",
    { sandboxes: [sandbox(0, "exited")], containers: [run("c", running())] },
    "stop c0 within 30s",
  ],
  ["init containers go one by one", { pod: inits }, "getImage i1#0"],
  ["the second after the first", { pod: inits, containers: [done0] }, "getImage i2#0"],
  ["the ordinary ones after the last", { pod: inits, containers: [done0, run("i2", exited(0))] }, "getImage c#0"],
  [
    "a failed one is tried again",
    { pod: inits, containers: [run("i1", exited(1))], images: imagesAt({ i1: 1 }) },
    "create i1#1",
  ],
  [
    "once ordinary ones have begun, nobody asks for the init ones' traces",
    { pod: inits, containers: [run("c", running())] },
    "",
  ],
  [
    "in a new sandbox they run again",
    { pod: inits, sandboxes: [sandbox(1)], containers: [done0], images: imagesAt({ i1: 1 }) },
    "create i1#1",
  ],
  [
    "a sidecar that has started lets the next one start",
    { pod: sidecar, containers: [run("s", running())] },
    "getImage i#0",
  ],
  [
    "one that has not does not",
    { pod: sidecar, containers: [run("s", running())], health: { s0: { started: false, ready: false } } },
    "",
  ],
  [
    "it goes when all others have",
    { pod: sidecar, containers: [run("s", running()), run("i", exited(0)), run("c", exited(0))] },
    "stop s0 within 30s",
  ],
  [
    "a pod that is deleted is stopped, within what is left of its time",
    { pod: pod({ deleted: true, grace: 10 }), containers: [run("c", running())] },
    "stop c0 within 10s",
  ],
  [
    "sidecars after the others",
    {
      pod: { ...sidecar, metadata: pod({ deleted: true }).metadata },
      containers: [run("s", running()), run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "while a container of it is being made, the sandbox stays, or the start would fail",
    { pod: pod({ deleted: true }), underWay: new Set(["create c 0"]) },
    "",
  ],
  [
    "nor does it go while one is being started",
    { pod: pod({ deleted: true }), containers: [run("c", { state: "created" })], underWay: new Set(["start c0"]) },
    "",
  ],
  [
    "once it runs, its hook keeps nobody from stopping it",
    { pod: pod({ deleted: true, grace: 10 }), containers: [run("c", running())], underWay: new Set(["create c 0"]) },
    "stop c0 within 10s",
  ],
  [
    "a container that was made and not started is removed before the sandbox",
    { pod: pod({ deleted: true }), containers: [run("c", { state: "created" })] },
    "remove c0",
  ],
  [
    "a pod that is evicted is stopped at once",
    { eviction: { reason: "Evicted", message: "" }, containers: [run("c", running())] },
    "stop c0 within 1s",
  ],
  ["then its sandbox goes", { pod: pod({ deleted: true }), containers: [run("c", exited(0))] }, "remove s0"],
  [
    "then nothing, until the API knows how it ended",
    { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(0))], reported: false },
    "",
  ],
  ["then the traces", { pod: pod({ deleted: true }), sandboxes: [], containers: [run("c", exited(0))] }, "remove c0"],
  ["then what it kept on the node", { pod: pod({ deleted: true }), sandboxes: [] }, "release"],
  ["and at last the object", { pod: pod({ deleted: true }), sandboxes: [], released: true }, "deleteFromApi"],
  [
    "one that nobody knows is stopped soon",
    { pod: undefined, gone: true, containers: [run("c", running())] },
    "stop c0 within 1s",
  ],
  ["and leaves nothing", { gone: true, sandboxes: [], released: true }, ""],
  ["a rejected pod gets nothing", { rejection: { reason: "OutOfcpu", message: "" }, sandboxes: [] }, ""],
  [
    "a pod beyond its deadline is ended",
    {
      pod: pod({ spec: { activeDeadlineSeconds: 10 }, status: { startTime: new Date(ago(10)).toISOString() } }),
      containers: [run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "a pod that has failed stays so, and keeps its logs",
    { pod: pod({ status: { phase: "Failed" } }), sandboxes: [], containers: [run("c", exited(1))] },
    "",
  ],
  ["who asks for more than it was given is given it", { pod: more(), containers: [run("c", running())] }, "resize c0"],
  [
    "or begins anew, if it wants to",
    {
      pod: more({ resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }),
      containers: [run("c", running())],
    },
    "stop c0 within 30s",
  ],
  [
    "what the engine refuses is not asked for at once again",
    { pod: more(), containers: [run("c", running())], resizeRefusals: new Map([["c", { at: ago(1), message: "no" }]]) },
    "",
  ],
  [
    "a volume whose token runs out is seen to",
    { volumes: { is: "ready", until: now }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  ["but not before that", { volumes: { is: "ready", until: instant(now + 1) }, containers: [run("c", running())] }, ""],
  [
    "what could not be shown is tried again beside what runs",
    { volumes: { is: "failed", at: instant(now - 500), failures: 1 }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  [
    "a kubelet that has just started looks after the volumes of what runs",
    { volumes: { is: "unknown" }, containers: [run("c", running())] },
    "mountVolumes",
  ],
  ["who comes to look joins at any time", { pod: debugged(), containers: [run("c", running())] }, "getImage d#0"],
  [
    "even before the others have begun",
    { pod: debugged({ initContainers: [container("i")] }), images: imagesAt({ i: 0, d: 0 }) },
    "create d#0, create i#0",
  ],
  [
    "and sees the processes of another once that runs",
    { pod: debugged({}, "c"), containers: [run("c", running())], images: imagesAt({ d: 0 }) },
    "create d#0 beside c0",
  ],
  [
    "and waits for it until then",
    { pod: debugged({}, "c"), containers: [run("c", { state: "created" })], images: imagesAt({ d: 0 }) },
    "start c0",
  ],
  [
    "is not run again, however it ended",
    { pod: debugged(), containers: [run("c", running()), run("d", exited(1, 600))] },
    "",
  ],
  [
    "nor when the engine has forgotten it",
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
    "and holds up nobody's end",
    {
      pod: debugged({ restartPolicy: "Never" }),
      containers: [run("c", exited(0)), run("d", running())],
    },
    "stop d0 within 30s",
  ],
];
for (const [what, observed, expected] of table) test(what, () => expect(say(observation(observed))).toBe(expected));

test("a run that the engine has forgotten still counts", () => {
  const told = { name: "c", image: "", imageID: "", ready: true, restartCount: 2, containerID: "docker://c2" };
  expect(say(observation({ pod: pod({ status: { containerStatuses: [told] } }) }))).toBe("getImage c#3");
});

test("a missing image is asked for again after ten seconds, not before", () => {
  const failed = { is: "failed", attempt: 0, reason: "ErrImagePull", message: "no", failures: 1 } as const;
  const at = (seconds: number) => observation({ images: new Map([["c", { ...failed, at: ago(seconds) }]]) });
  expect(say(at(1))).toBe("");
  expect(say(at(5))).toBe("tell pull");
  expect(decidePod(at(5)).requeueAt).toBe(now + 5_000);
  expect(say(at(10))).toBe("getImage c#0");
});

/** The world after one action, if all goes well. */
function after(o: PodObservation, a: PodAction): PodObservation {
  const others = (id: string) => o.containers.filter((c) => c.id !== id);
  const changed = (id: string, status: RuntimeContainer["status"]) =>
    o.containers.map((c) => (c.id === id ? { ...c, status } : c));
  const healthy = (id: string) => ({ ...o.health, [id]: { started: true, ready: true } });
  switch (a.do) {
    case "mountVolumes":
      return { ...o, volumes: { is: "ready" } };
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
      return { ...o, containers: others(a.id), sandboxes: o.sandboxes.filter((s) => s.id !== a.id) };
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

test("carrying out what was decided leads to silence", () => {
  fc.assert(
    fc.property(anything, (start) => {
      let o = observation(start);
      for (let round = 0; round < 40; round++) {
        const { actions, requeueAt } = decidePod(o);
        if (actions.length === 0 && requeueAt === undefined) return true;
        for (const a of actions) o = after(o, a);
        // Nothing to do but to wait: then the wait is over.
        if (actions.length === 0) o = { ...o, now: (requeueAt ?? o.now) as typeof o.now };
      }
      return false;
    }),
    { numRuns: 2_000 },
  );
});

test("what is asked for depends only on what is there, not on the order it is listed in", () => {
  fc.assert(
    fc.property(anything, (start) => {
      const listed = observation(start);
      const reversed = {
        ...listed,
        containers: listed.containers.toReversed(),
        sandboxes: listed.sandboxes.toReversed(),
      };
      expect(new Set(decidePod(reversed).actions.map(said))).toEqual(new Set(decidePod(listed).actions.map(said)));
    }),
  );
});
