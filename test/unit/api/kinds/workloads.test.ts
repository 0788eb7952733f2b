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
  test(`${r.kind}: an empty selector is refused`, () =>
    expect(messagesOf(r.validate(stored(r as typeof deployments, set({ selector: {} })) as never))).toEqual([
      `spec.selector: Invalid value: {}: empty selector is invalid for ${called}`,
    ]));

test("the image of an image volume may be open in a template", () => {
  const spec = { ...podSpec, volumes: [{ name: "v", image: { reference: "" } }] };
  const draft = stored(deployments, set({ template: { ...template, spec } }));
  expect(messagesOf(deployments.validate(draft as never))).toEqual([]);
});

refuses(statefulSets, [
  [
    "another order",
    set({ podManagementPolicy: "Random" }),
    "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
  ],
  [
    "rollingUpdate with OnDelete",
    set({ updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } }),
    "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'",
  ],
  [
    "a negative partition",
    set({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: -1 } } }),
    "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "an unknown claim retention policy",
    set({ persistentVolumeClaimRetentionPolicy: { whenDeleted: "Maybe" } }),
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Maybe": supported values: "Retain", "Delete"',
  ],
  [
    "a mount without a claim",
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
  ["replicas can change", set({}), set({ replicas: 3 })],
  ["revisionHistoryLimit can change", set({}), set({ revisionHistoryLimit: 3 })],
  ["serviceName cannot change", set({ serviceName: "a" }), set({ serviceName: "b" }), fixed],
  ["volumeClaimTemplates cannot change", set({}), set({ volumeClaimTemplates: [claim] }), fixed],
]);
test("StatefulSet: a claim template can be mounted", () => {
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
test("StatefulSet: replica counts in a status do not exceed replicas", () => {
  const old = stored(statefulSets, set({}));
  const now = { ...old, status: { replicas: 1, readyReplicas: 2, availableReplicas: 1 } } as StatefulSet;
  expect(messagesOf(statefulSets.validateStatus(now, old))).toEqual([
    "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
  ]);
});

const rolling = (rollingUpdate: object): object => set({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });
refuses(daemonSets, [
  [
    "an unknown strategy",
    set({ updateStrategy: { type: "Hope" } }),
    'spec.updateStrategy: Unsupported value: {"Type":"Hope","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    "maxSurge and maxUnavailable together",
    rolling({ maxSurge: 1, maxUnavailable: 1 }),
    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
  ],
  [
    "maxSurge and maxUnavailable of zero",
    rolling({ maxSurge: 0, maxUnavailable: "0%" }),
    "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
  ],
]);
changes(daemonSets, [
  [
    "the template can change",
    set({}),
    set({ template: { metadata: { labels }, spec: { ...podSpec, hostNetwork: true } } }),
  ],
  [
    "the selector cannot change",
    set({}),
    set({ selector: { matchExpressions: [{ key: "app", operator: "Exists" }] } }),
    'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable',
  ],
]);

refuses(replicationControllers, [
  ["no template", { spec: { selector: labels } }, "spec.template: Required value"],
  [
    "a selector that does not match the template",
    { spec: { selector: { app: "b" }, template } },
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ],
  [
    "a restart policy of Never",
    { spec: { template: { metadata: { labels }, spec: { ...podSpec, restartPolicy: "Never" } } } },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
]);
test("ReplicationController: labels and selector default to those of the template", () => {
  const made = stored(replicationControllers, { spec: { template } });
  expect([made.metadata.labels, made.spec.selector, made.spec.replicas]).toEqual([labels, labels, 1]);
});

refuses(podTemplates, [
  [
    "an ephemeral container in a template",
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
    "more than 100 percent",
    budget({ minAvailable: "101%" }),
    'spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    "an invalid percentage",
    budget({ maxUnavailable: "half" }),
    "spec.maxUnavailable: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ],
  [
    "an unknown eviction policy",
    budget({ unhealthyPodEvictionPolicy: "Hope" }),
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Hope": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ],
]);
changes(podDisruptionBudgets, [
  ["the spec can change", budget({ minAvailable: 1 }), budget({ maxUnavailable: "50%" })],
]);

test("an unknown deployment strategy is reported with the complete strategy", () => {
  const invalid = set({ strategy: { type: "Blue", rollingUpdate: { maxSurge: 1 } } });
  expect(messagesOf(deployments.validate(stored(deployments, invalid)))).toEqual([
    'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":{"MaxUnavailable":"25%","MaxSurge":1}}: supported values: "Recreate", "RollingUpdate"',
  ]);
});

test("an invalid operating system is reported at the path Kubernetes uses", () => {
  const pod = (os: object) =>
    messagesOf(
      podTemplates.validate(stored(podTemplates, { template: { metadata: { labels }, spec: { ...podSpec, os } } })),
    );
  expect(pod({ name: "plan9" })).toEqual([
    'template.spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
  ]);
  expect(pod({ name: "" })).toEqual(["template.spec.os.name: Required value: cannot be empty"]);
});
