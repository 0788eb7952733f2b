// Priority admission: priority and preemption policy of pods from their class, and validation of classes.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { PodSpec, PriorityClass } from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { priorityClasses, systemPriorities } from "../../../api/scheduling/priorityclasses.ts";
import { key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";

/** A server with these classes. */
async function serverWith(
  classes: readonly (readonly [name: string, more: Partial<PriorityClass>])[],
): Promise<Client> {
  const client = await bootstrappedClient();
  for (const [name, more] of classes)
    await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name }, ...more });
  return client;
}
async function outcome(client: Client, spec: Partial<PodSpec>): Promise<string> {
  const metadata = { name: "p", namespace: "default" };
  try {
    const full = { containers: [{ name: "c", image: "i" }], ...spec };
    const { spec: made } = await client.create(pods, { kind: "Pod", metadata, spec: full });
    return `${made.priorityClassName ?? "-"} ${made.priority} ${made.preemptionPolicy}`;
  } catch (error) {
    return (error as Error).message;
  }
}

const high = ["high", { value: 1000, preemptionPolicy: "Never" }] as const;
const usual = ["usual", { value: 7, globalDefault: true }] as const;
const critical = ["system-node-critical", { value: systemPriorities["system-node-critical"]! }] as const;
const refused = (because: string): string => `pods "p" is forbidden: ${because}`;
const differs = (what: string, computed: string): string =>
  refused(
    `the ${what} must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`,
  );

const rows: readonly (readonly [
  what: string,
  classes: readonly (readonly [string, Partial<PriorityClass>])[],
  own: Partial<PodSpec>,
  expected: string,
])[] = [
  ["a pod without a class has priority zero", [high], {}, "- 0 PreemptLowerPriority"],
  ["priority and policy come from the class", [high], { priorityClassName: "high" }, "high 1000 Never"],
  ["a pod without a class gets the default class", [high, usual], {}, "usual 7 PreemptLowerPriority"],
  ["an explicit class overrides the default", [high, usual], { priorityClassName: "high" }, "high 1000 Never"],
  [
    "system classes exist without being created",
    [critical],
    { priorityClassName: "system-node-critical" },
    "system-node-critical 2000001000 PreemptLowerPriority",
  ],
  ["an unknown class", [high], { priorityClassName: "higher" }, refused("no PriorityClass with name higher was found")],
  ["equal explicit values are accepted", [high], { priorityClassName: "high", priority: 1000 }, "high 1000 Never"],
  [
    "a different priority is refused",
    [high],
    { priorityClassName: "high", priority: 1 },
    differs("integer value of priority (1)", "1000"),
  ],
  ["a priority without a class is refused", [], { priority: 5 }, differs("integer value of priority (5)", "0")],
  [
    "a different preemption policy is refused",
    [high],
    { priorityClassName: "high", preemptionPolicy: "PreemptLowerPriority" },
    differs("string value of PreemptionPolicy (PreemptLowerPriority)", "Never"),
  ],
];
for (const [what, classes, own, expected] of rows)
  test(`priority: ${what}`, async () => expect(await outcome(await serverWith(classes), own)).toBe(expected));

test("priority: an update without priority fields keeps them", async () => {
  const client = await serverWith([high]);
  await outcome(client, { priorityClassName: "high" });
  const pod = await client.get(pods, key("default", "p"));
  const { priority: _, preemptionPolicy: __, ...spec } = pod.spec;
  const metadata = { ...pod.metadata, labels: { replaced: "yes" } };
  const replaced = await client.update(pods, { ...pod, metadata, spec });
  expect([replaced.metadata.labels, replaced.spec]).toEqual([metadata.labels, pod.spec]);
});

test("priority: the default class can be set, unset and deleted", async () => {
  const client = await serverWith([high, ["usual", { value: 7 }]]);
  const [first] = [await client.get(priorityClasses, key(undefined, "usual"))];
  expect(await outcome(client, {})).toBe("- 0 PreemptLowerPriority");
  const marked = await client.update(priorityClasses, { ...first, globalDefault: true });
  await client.delete(pods, key("default", "p"), { gracePeriodSeconds: 0 });
  expect(await outcome(client, {})).toBe("usual 7 PreemptLowerPriority");
  await client.update(priorityClasses, { ...marked, description: "still the usual one" });
  await client.delete(priorityClasses, key(undefined, "usual"));
  await client.delete(pods, key("default", "p"), { gracePeriodSeconds: 0 });
  expect(await outcome(client, {})).toBe("- 0 PreemptLowerPriority");
});

const already = (name: string): string =>
  `priorityclasses.scheduling.k8s.io "${name}" is forbidden: PriorityClass usual is already marked as default. Only one default can exist`;

test("priority: there is at most one default class", async () => {
  const client = await serverWith([high, usual]);
  const second = { kind: "PriorityClass", metadata: { name: "second" }, value: 1, globalDefault: true } as const;
  await expect(client.create(priorityClasses, second)).rejects.toThrow(already("second"));
  const other = await client.get(priorityClasses, key(undefined, "high"));
  await expect(client.update(priorityClasses, { ...other, globalDefault: true })).rejects.toThrow(already("high"));
});

test("priority: system classes cannot be deleted", async () => {
  const client = await serverWith([critical]);
  await expect(client.delete(priorityClasses, key(undefined, "system-node-critical"))).rejects.toThrow(
    'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
  );
});
