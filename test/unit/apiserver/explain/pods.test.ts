// Causes of pods that are rare or slow to bring about, as tables over the pure rule.
import { expect, test } from "vitest";
import { decidePodCauses, type PodObservation } from "../../../../apiserver/explain/causes/pod.ts";
import type { ContainerStatus, CoreV1Event, Node, Pod } from "../../../../api/generated/types.ts";
import { instant, instantOf } from "../../../../api/meta.ts";

const created = "2026-12-01T00:00:00Z";
const soon = instant(instantOf(created) + 5_000);
const late = instant(instantOf(created) + 3_600_000);

type Status = NonNullable<Pod["status"]>;
const pod = (status: Status, spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  ...{ apiVersion: "v1", kind: "Pod", status },
  metadata: {
    name: "web",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: created,
    ...metadata,
  },
  spec: {
    nodeName: "n1",
    containers: [{ name: "app", image: "web:1", resources: { limits: { memory: "64Mi" } } }],
    ...spec,
  },
});
const container = (state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}): Status => ({
  phase: "Running",
  containerStatuses: [
    {
      name: "app",
      image: "",
      imageID: "",
      ready: false,
      restartCount: 3,
      containerID: "x",
      ...(state && { state }),
      ...more,
    },
  ],
});
const ended = (exitCode: number, reason: string, message?: string) => ({
  terminated: { exitCode, reason, ...(message !== undefined && { message }) },
});
const backOff = { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } };
const event = (reason: string, message: string): CoreV1Event =>
  ({ reason, message, involvedObject: { fieldPath: "spec.containers{app}" } }) as CoreV1Event;
const node = (status: string, message = ""): Node =>
  ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1" },
    status: { conditions: [{ type: "Ready", status, message }] },
  }) as unknown as Node;
const seen = (more: Partial<PodObservation> = {}): PodObservation => ({
  ...{ events: [], claims: [], missing: [], node: node("True") },
  ...more,
});
const deleted = { deletionTimestamp: "2026-12-01T00:00:30Z" };
const unschedulable = (message: string): Status => ({
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
});

type Row = readonly [what: string, pod: Pod, observed: PodObservation, state: string, reason: string, message: RegExp];
const rows: readonly Row[] = [
  [
    "killed for its memory",
    pod(container(backOff, { lastState: ended(137, "OOMKilled") })),
    seen(),
    "Failing",
    "OOMKilled",
    /limit of 64Mi .* restarted 3 times/,
  ],
  [
    "last words",
    pod(container(backOff, { lastState: ended(1, "Error", "a\nno database\n") })),
    seen(),
    "Failing",
    "CrashLoopBackOff",
    /code 1, restarted 3 times; it wrote: no database$/,
  ],
  [
    "a command that is not there",
    pod(container(backOff, { lastState: ended(127, "Error") })),
    seen(),
    "Failing",
    "CrashLoopBackOff",
    /code 127 \(the command was not found\)/,
  ],
  [
    "a liveness probe",
    pod(container(backOff, { lastState: ended(137, "Error") })),
    seen({ events: [event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")] }),
    ...(["Failing", "LivenessProbeFailed", /statuscode: 500/] as const),
  ],
  [
    "denied by the registry",
    pod(container({ waiting: { reason: "ErrImagePull", message: "pull access denied" } })),
    seen(),
    "Failing",
    "ErrImagePull",
    /"web:1" .* cannot be pulled: pull access denied/,
  ],
  [
    "evicted",
    pod({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
    seen(),
    "Failing",
    "Evicted",
    /low on resource/,
  ],
  [
    "a job's pod that failed",
    pod({ ...container(ended(2, "Error")), phase: "Failed" }, { restartPolicy: "Never" }),
    seen(),
    "Failing",
    "Error",
    /exits with code 2/,
  ],
  [
    "a node that was lost",
    pod(container({ running: {} })),
    seen({ node: node("Unknown", "Kubelet stopped posting node status.") }),
    "Failing",
    "NodeNotReady",
    /stopped posting/,
  ],
  ["a node that is gone", pod(container({ running: {} })), seen({ node: "missing" }), "Failing", "NodeNotFound", /n1/],
  [
    "deleted, and its node is lost",
    pod(container({ running: {} }), {}, deleted),
    seen({ node: node("Unknown") }),
    "Waiting",
    "NodeNotReady",
    /not ready/,
  ],
  [
    "deleted, and does not end",
    pod(container({ running: {} }), {}, deleted),
    seen(),
    "Failing",
    "TerminationStuck",
    /n1 has not ended it/,
  ],
  [
    "a volume that cannot be attached",
    pod({ phase: "Pending" }),
    seen({ events: [event("FailedAttachVolume", "Multi-Attach error")] }),
    "Failing",
    "FailedAttachVolume",
    /Multi-Attach/,
  ],
  [
    "a readiness gate",
    pod(
      {
        phase: "Running",
        containerStatuses: [
          { name: "app", image: "", imageID: "", ready: true, restartCount: 0, state: { running: {} } },
        ],
      },
      { readinessGates: [{ conditionType: "example.com/up" }] },
    ),
    seen(),
    "Failing",
    "ReadinessGatesNotReady",
    /example.com\/up/,
  ],
  [
    "a scheduler that does not run",
    pod({}, { nodeName: undefined, schedulerName: "mine" } as object),
    seen(),
    "Waiting",
    "NoScheduler",
    /"mine"/,
  ],
  [
    "no nodes at all",
    pod(unschedulable("0/0 nodes are available"), { nodeName: undefined } as object),
    seen(),
    "Failing",
    "Unschedulable",
    /0\/0/,
  ],
];
test.each(rows)("%s", (_, ...[about, observed, state, reason, message]) => {
  const finding = decidePodCauses(about, observed, late);
  expect([finding.state, finding.causes.map((c) => c.reason)]).toEqual([state, [reason]]);
  expect(finding.causes[0]!.message).toMatch(message);
});

const onTheirWay: readonly (readonly [what: string, pod: Pod])[] = [
  ["just created", pod({}, { nodeName: undefined } as object)],
  [
    "its containers are created",
    pod({
      phase: "Pending",
      containerStatuses: [
        { ...container({ waiting: { reason: "ContainerCreating" } }).containerStatuses![0]!, containerID: "" },
      ],
    }),
  ],
  ["ending within its grace period", pod(container({ running: {} }), {}, deleted)],
];
test.each(onTheirWay)("progressing: %s", (_, about) => {
  expect(decidePodCauses(about, seen(), soon)).toMatchObject({ state: "Progressing", causes: [] });
});

test("a pod whose claim is not bound follows from the cause of the claim", () => {
  const claims = [{ reason: "StorageClassNotFound", message: "the storage class does not exist" }];
  const about = pod(unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."), {
    nodeName: undefined,
  } as object);
  expect(decidePodCauses(about, seen({ claims }), late).causes).toMatchObject([
    { reason: "Unschedulable", causes: claims },
  ]);
});
