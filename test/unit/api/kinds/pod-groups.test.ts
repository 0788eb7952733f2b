// Pod groups, workloads, and the group of a pod: validation, immutability, defaults, and what kubectl get shows.
import { expect, test } from "vitest";
import { pods } from "../../../../api/core/pods.ts";
import { instant } from "../../../../api/meta.ts";
import { podGroups } from "../../../../api/scheduling/podgroups.ts";
import { workloads } from "../../../../api/scheduling/workloads.ts";
import { changes, messagesOf, refuses, stored } from "./validation-cases.ts";

const gang = (minCount: number): object => ({ gang: { minCount } });
const group = (more: object = {}): object => ({ spec: { schedulingPolicy: gang(2), ...more } });
const from = (workloadName: string, podGroupTemplateName = "t"): object => ({
  podGroupTemplateRef: { workload: { workloadName, podGroupTemplateName } },
});
const frozen = (...fields: readonly string[]): readonly string[] =>
  fields.map((field) => `spec.${field}: Invalid value: null: field is immutable`);
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

refuses(podGroups, [
  ["no policy", { spec: {} }, 'spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`'],
  [
    "both policies",
    group({ schedulingPolicy: { basic: {}, ...gang(1) } }),
    'spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`',
  ],
  ["a gang of none", group({ schedulingPolicy: { gang: {} } }), "spec.schedulingPolicy.gang.minCount: Required value"],
  [
    "a gang of less than none",
    group({ schedulingPolicy: gang(-1) }),
    "spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1",
  ],
  [
    "an empty template reference",
    group({ podGroupTemplateRef: {} }),
    'spec.podGroupTemplateRef: Invalid value: "": must specify one of: `workload`',
  ],
  [
    "a template reference without names",
    group({ podGroupTemplateRef: { workload: {} } }),
    "spec.podGroupTemplateRef.workload.workloadName: Required value",
    "spec.podGroupTemplateRef.workload.podGroupTemplateName: Required value",
  ],
  [
    "a workload name with a slash",
    group(from("a/b")),
    `spec.podGroupTemplateRef.workload.workloadName: Invalid value: "a/b": ${subdomain}`,
  ],
  [
    "an unknown disruption mode, a class name with a slash, a priority of system classes",
    group({ disruptionMode: "Node", priorityClassName: "a/b", priority: 1_000_000_001 }),
    'spec.disruptionMode: Unsupported value: "Node": supported values: "Pod", "PodGroup"',
    `spec.priorityClassName: Invalid value: "a/b": ${subdomain}`,
    "spec.priority: Invalid value: 1000000001: must be less than or equal to 1000000000",
  ],
]);

changes(podGroups, [
  ["the same spec again", group(from("w")), group(from("w"))],
  ["another policy", group(), group({ schedulingPolicy: gang(0) }), ...frozen("schedulingPolicy")],
  ["a template reference that is removed", group(from("w")), group(), ...frozen("podGroupTemplateRef")],
  [
    "other modes and priorities",
    group(),
    group({ disruptionMode: "PodGroup", priority: 1, priorityClassName: "high" }),
    ...frozen("disruptionMode", "priorityClassName", "priority"),
  ],
]);

const template = (name: string, more: object = {}): object => ({ name, schedulingPolicy: gang(1), ...more });
refuses(workloads, [
  ["no templates", { spec: {} }, "spec.podGroupTemplates: Required value"],
  [
    "nine templates",
    { spec: { podGroupTemplates: Array.from({ length: 9 }, (_, i) => template(`t${i}`)) } },
    "spec.podGroupTemplates: Too many: 9: must have at most 8 items",
  ],
  [
    "two templates of one name, and one without policy",
    { spec: { podGroupTemplates: [template("t"), template("t", { schedulingPolicy: {} })] } },
    'spec.podGroupTemplates[1]: Duplicate value: "t"',
    'spec.podGroupTemplates[1].schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`',
  ],
  [
    "a controller without kind",
    { spec: { controllerRef: { name: "a/b" }, podGroupTemplates: [template("t")] } },
    "spec.controllerRef.kind: Required value",
    "spec.controllerRef.name: Invalid value: \"a/b\": may not contain '/'",
  ],
]);
changes(workloads, [
  [
    "other templates and another controller",
    { spec: { podGroupTemplates: [template("t")] } },
    { spec: { controllerRef: { kind: "Job", name: "j" }, podGroupTemplates: [template("u")] } },
    ...frozen("controllerRef", "podGroupTemplates"),
  ],
]);

const inGroup = (schedulingGroup: object): object => ({
  spec: { containers: [{ name: "c", image: "i" }], schedulingGroup },
});
refuses(pods, [
  [
    "a group without a name",
    inGroup({}),
    "spec.schedulingGroup.podGroupName: Invalid value: null: must specify one of: `podGroupName`",
  ],
  [
    "a group whose name is no subdomain",
    inGroup({ podGroupName: "a/b" }),
    `spec.schedulingGroup.podGroupName: Invalid value: "a/b": ${subdomain}`,
  ],
]);
test("the group of a pod is immutable", () => {
  const [old, next] = ["g", "h"].map((podGroupName) => stored(pods, inGroup({ podGroupName })));
  expect(messagesOf(pods.validate(next!, old)).map((line) => line.split("\n")[0])).toEqual([
    expect.stringMatching(/^spec: Forbidden: pod updates may not change fields other than /),
  ]);
});

test("pods of a group are disrupted one by one unless it says otherwise", () =>
  expect(stored(podGroups, group()).spec.disruptionMode).toBe("Pod"));

const shown: readonly (readonly [
  what: string,
  spec: object,
  conditions: readonly object[],
  cells: readonly string[],
])[] = [
  ["a new gang", {}, [], ["Gang", "<none>", "Pending"]],
  ["a basic group of a workload", { schedulingPolicy: { basic: {} }, ...from("w") }, [], ["Basic", "w", "Pending"]],
  ["one that is scheduled", {}, [{ type: "PodGroupScheduled", status: "True" }], ["Gang", "<none>", "Scheduled"]],
  [
    "one that is not",
    {},
    [{ type: "PodGroupScheduled", status: "False", reason: "SchedulerError" }],
    ["Gang", "<none>", "Unschedulable"],
  ],
  [
    "one that is preempted",
    {},
    [
      { type: "PodGroupScheduled", status: "True" },
      { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" },
    ],
    ["Gang", "<none>", "PreemptionByScheduler"],
  ],
];
for (const [what, spec, conditions, cells] of shown)
  test(`kubectl get podgroups: ${what}`, () => {
    const object = stored(podGroups, { ...group(spec), status: { conditions } });
    const [, ...own] = podGroups.columns.map((column) => column.cell(object, instant(0)));
    expect(own.slice(0, 3)).toEqual(cells);
  });

test("the status of a claim names a claim of the group", () => {
  const old = stored(podGroups, group({ resourceClaims: [{ name: "a", resourceClaimName: "x" }] }));
  const next = { ...old, status: { resourceClaimStatuses: [{ name: "a" }, { name: "b" }] } };
  expect(messagesOf(podGroups.validateStatus(next, old))).toEqual([
    'status.resourceClaimStatuses[1].name: Invalid value: "b": must match the name of an entry in `spec.resourceClaims`',
  ]);
});
