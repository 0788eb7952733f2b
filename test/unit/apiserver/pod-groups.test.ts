// Pod groups as the server writes them: priorities of classes, the workload they name, protection, and what is dropped.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { PodGroup } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import { podGroupFinalizer, podGroups } from "../../../api/scheduling/podgroups.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import { workloads } from "../../../api/scheduling/workloads.ts";
import type { Client } from "../../../machinery/client.ts";
const namespace = "default";
const policy = { schedulingPolicy: { gang: { minCount: 2 } } };

async function server(): Promise<Client> {
  const client = await bootstrappedClient();
  await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "high" }, value: 1000 });
  const template = { name: "t", ...policy, schedulingConstraints: { topology: [{ key: "rack" }] } };
  await client.create(workloads, {
    ...{ kind: "Workload", metadata: { name: "w", namespace } },
    spec: { podGroupTemplates: [template] },
  });
  return client;
}
const draft = (more: Partial<PodGroup["spec"]> = {}): Draft<PodGroup> => ({
  ...{ kind: "PodGroup", metadata: { name: "g", namespace } },
  spec: { ...policy, ...more },
});
const from = (workloadName: string, podGroupTemplateName: string): Partial<PodGroup["spec"]> => ({
  podGroupTemplateRef: { workload: { workloadName, podGroupTemplateName } },
});
const refused = (why: string): string => `podgroups.scheduling.k8s.io "g" is forbidden: ${why}`;

const created: readonly (readonly [what: string, spec: Partial<PodGroup["spec"]>, expected: object | string])[] = [
  ["no class: priority zero", {}, { priority: 0 }],
  ["a class", { priorityClassName: "high" }, { priorityClassName: "high", priority: 1000 }],
  ["a class that is not there", { priorityClassName: "low" }, refused("no PriorityClass with name low was found")],
  [
    "a priority that is not that of the class",
    { priority: 7 },
    refused(
      "priority set in the pod group (7) must match the priority computed (0) based on the priority class set in the spec",
    ),
  ],
  ["a template of a workload", from("w", "t"), { priority: 0, ...from("w", "t") }],
  ["a workload that is not there", from("v", "t"), refused('PodGroup rejected: Workload "v" not found')],
  [
    "a template that is not there",
    from("w", "s"),
    refused('PodGroup rejected: PodGroupTemplate "s" not found in Workload "w"'),
  ],
  [
    "fields of features that are off are dropped",
    { schedulingConstraints: { topology: [{ key: "rack" }] }, resourceClaims: [{ name: "c", resourceClaimName: "c" }] },
    { priority: 0 },
  ],
];
for (const [what, spec, expected] of created)
  test(`pod groups: ${what}`, async () => {
    const client = await server();
    const made = await client.create(podGroups, draft(spec)).then(
      (group) => group.spec,
      (e: unknown) => (e as Error).message,
    );
    expect(made).toEqual(typeof expected === "string" ? expected : { ...policy, disruptionMode: "Pod", ...expected });
  });

test("pod groups: kept while pods may use them, and their status is written by its subresource alone", async () => {
  const client = await server();
  const status = { conditions: [] };
  const made = await client.create(podGroups, { ...draft(), status });
  expect([made.metadata.finalizers, made.status]).toEqual([[podGroupFinalizer], {}]);
  const condition = { type: "PodGroupScheduled", status: "True", reason: "Scheduled", message: "" } as const;
  const conditions = [{ ...condition, lastTransitionTime: made.metadata.creationTimestamp }];
  await client.update(podGroups, { ...made, status: { conditions } }, "status");
  await client.delete(podGroups, key(namespace, "g"));
  const left = await client.get(podGroups, key(namespace, "g"));
  expect([left.metadata.deletionTimestamp === undefined, left.status]).toEqual([false, { conditions }]);
});

test("workloads: fields of features that are off are dropped from their templates", async () => {
  const { spec } = await (await server()).get(workloads, key(namespace, "w"));
  expect(spec.podGroupTemplates).toEqual([{ name: "t", ...policy }]);
});
