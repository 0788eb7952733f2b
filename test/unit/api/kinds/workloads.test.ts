// Validation of workloads and disruption budgets.
import { expect, test } from "vitest";
import { daemonSets } from "../../../../api/apps/daemonsets.ts";
import { deployments } from "../../../../api/apps/deployments.ts";
import { podDisruptionBudgets } from "../../../../api/policy/poddisruptionbudgets.ts";
import { podTemplates } from "../../../../api/core/podtemplates.ts";
import { replicaSets } from "../../../../api/apps/replicasets.ts";
import { replicationControllers } from "../../../../api/core/replicationcontrollers.ts";
import { type StatefulSet, statefulSets } from "../../../../api/apps/statefulsets.ts";
import { stored, changes, refuses, messagesOf } from "./validation-cases.ts";

const labels = { app: "a" };
const podSpec = { containers: [{ name: "main", image: "app:1" }] };
const template = { metadata: { labels }, spec: podSpec };
const set = (spec: object): object => ({ spec: { selector: { matchLabels: labels }, template, ...spec } });
const claim = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

for (const [r, called] of [
  [deployments, "deployment"],
  [replicaSets, "deployment"],
  [daemonSets, "daemonset"],
  [statefulSets, "statefulset"],
] as const)
  test(`${r.kind}: who selects nothing in particular is refused`, () =>
    expect(messagesOf(r.validate(stored(r as typeof deployments, set({ selector: {} })) as never))).toEqual([
      `spec.selector: Invalid value: {}: empty selector is invalid for ${called}`,
    ]));

refuses(statefulSets, [
  [
    "another order",
    set({ podManagementPolicy: "Random" }),
    "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
  ],
  [
    "numbers for updates by deletion",
    set({ updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } }),
    "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'",
  ],
  [
    "a partition below none",
    set({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: -1 } } }),
    "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "claims that are kept by halves",
    set({ persistentVolumeClaimRetentionPolicy: { whenDeleted: "Maybe" } }),
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Maybe": supported values: "Retain", "Delete"',
  ],
  [
    "a mount of no claim",
    set({
      volumeClaimTemplates: [claim],
      template: {
        metadata: { labels },
        spec: { containers: [{ ...podSpec.containers[0], volumeMounts: [{ name: "other", mountPath: "/a" }] }] },
      },
    }),
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"',
  ],
  [
    "a deadline",
    set({ template: { metadata: { labels }, spec: { ...podSpec, activeDeadlineSeconds: 5 } } }),
    "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
  ],
]);
const fixed =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
changes(statefulSets, [
  ["replicas may change", set({}), set({ replicas: 3 })],
  ["how many revisions are kept may change", set({}), set({ revisionHistoryLimit: 3 })],
  ["its service may not", set({ serviceName: "a" }), set({ serviceName: "b" }), fixed],
  ["nor its claims", set({}), set({ volumeClaimTemplates: [claim] }), fixed],
]);
test("StatefulSet: a template of claims may be mounted", () => {
  const mounted = { containers: [{ ...podSpec.containers[0], volumeMounts: [{ name: "data", mountPath: "/a" }] }] };
  const made = stored(
    statefulSets,
    set({ volumeClaimTemplates: [claim], template: { metadata: { labels }, spec: mounted } }),
  );
  expect(statefulSets.validate(made)).toEqual([]);
  expect(made.spec).toMatchObject({
    podManagementPolicy: "OrderedReady",
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    replicas: 1,
    revisionHistoryLimit: 10,
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    volumeClaimTemplates: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", status: { phase: "Pending" } }],
  });
});
test("StatefulSet: no part of a status is more than the whole", () => {
  const old = stored(statefulSets, set({}));
  const now = { ...old, status: { replicas: 1, readyReplicas: 2, availableReplicas: 1 } } as StatefulSet;
  expect(messagesOf(statefulSets.validateStatus(now, old))).toEqual([
    "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
  ]);
});

const rolling = (rollingUpdate: object): object => set({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });
refuses(daemonSets, [
  [
    "a strategy that does not exist",
    set({ updateStrategy: { type: "Hope" } }),
    'spec.updateStrategy: Unsupported value: {"Type":"Hope","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    "one more and one less at once",
    rolling({ maxSurge: 1, maxUnavailable: 1 }),
    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
  ],
  [
    "no room to move",
    rolling({ maxSurge: 0, maxUnavailable: "0%" }),
    "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
  ],
]);
changes(daemonSets, [
  [
    "its template may change",
    set({}),
    set({ template: { metadata: { labels }, spec: { ...podSpec, hostNetwork: true } } }),
  ],
  [
    "whom it selects may not",
    set({}),
    set({ selector: { matchExpressions: [{ key: "app", operator: "Exists" }] } }),
    'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable',
  ],
]);

refuses(replicationControllers, [
  ["nothing to make", { spec: { selector: labels } }, "spec.template: Required value"],
  [
    "a selector that misses its own pods",
    { spec: { selector: { app: "b" }, template } },
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ],
  [
    "pods that end",
    { spec: { template: { metadata: { labels }, spec: { ...podSpec, restartPolicy: "Never" } } } },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
]);
test("ReplicationController: what is not said of labels is what the pods have", () => {
  const made = stored(replicationControllers, { spec: { template } });
  expect([made.metadata.labels, made.spec.selector, made.spec.replicas]).toEqual([labels, labels, 1]);
});

refuses(podTemplates, [
  [
    "a container that looks around in pods yet to be",
    { template: { ...template, spec: { ...podSpec, ephemeralContainers: [{ name: "debug", image: "a" }] } } },
    "template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
  ],
]);

const budget = (spec: object): object => ({ spec: { selector: { matchLabels: labels }, ...spec } });
refuses(podDisruptionBudgets, [
  [
    "two measures",
    { spec: { minAvailable: 1, maxUnavailable: 1 } },
    'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
  ],
  [
    "more than all",
    budget({ minAvailable: "101%" }),
    'spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    "a share that is none",
    budget({ maxUnavailable: "half" }),
    "spec.maxUnavailable: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ],
  [
    "a policy that does not exist",
    budget({ unhealthyPodEvictionPolicy: "Hope" }),
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Hope": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ],
]);
changes(podDisruptionBudgets, [
  ["everything may change", budget({ minAvailable: 1 }), budget({ maxUnavailable: "50%" })],
]);

test("a deployment's way to update is pointed at as a whole when that does not exist it", () => {
  const given = set({ strategy: { type: "Blue", rollingUpdate: { maxSurge: 1 } } });
  expect(messagesOf(deployments.validate(stored(deployments, given)))).toEqual([
    'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":{"MaxUnavailable":"25%","MaxSurge":1}}: supported values: "Recreate", "RollingUpdate"',
  ]);
});

test("a pod's system is pointed at where Kubernetes does", () => {
  const pod = (os: object) =>
    messagesOf(
      podTemplates.validate(stored(podTemplates, { template: { metadata: { labels }, spec: { ...podSpec, os } } })),
    );
  expect(pod({ name: "plan9" })).toEqual([
    'template.spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
  ]);
  expect(pod({ name: "" })).toEqual(["template.spec.os.name: Required value: cannot be empty"]);
});
