// The scheduler as a simulation: it places pods as the profile that they name does, among all nodes.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { parseSchedulerConfig } from "../../../cli/scheduler-config.ts";
import { reschedulingSimulation, schedulingSimulation, type SchedulerSetup } from "../../../cli/simulation.ts";

const node = (name: string): Node =>
  ({
    metadata: { name },
    spec: {},
    status: { allocatable: { cpu: "2", memory: "8Gi", pods: "110" } },
  }) as unknown as Node;
const pod = (name: string, spec: object = {}): Pod =>
  ({
    metadata: { name, uid: name, namespace: "d" },
    spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m" } } }], ...spec },
  }) as unknown as Pod;

const schedulerConfig = parseSchedulerConfig(`
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
  pluginConfig:
  - {name: NodeResourcesFit, args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}}
- {schedulerName: spreading}
`);
const packing = "MostAllocated";
const nodes = [node("a"), node("b")];
const pods = [pod("first", { nodeName: "b" })];

test.each<[what: string, setup: SchedulerSetup, schedulerName: string | undefined, nodeName: string]>([
  ["packing", { packing }, undefined, "b"],
  ["spreading", { packing: "LeastAllocated" }, undefined, "a"],
  ["the default profile of a file", { packing: "LeastAllocated", schedulerConfig }, undefined, "b"],
  ["another profile of the file", { packing, schedulerConfig }, "spreading", "a"],
  ["of another scheduler, the first profile", { packing, schedulerConfig }, "other", "b"],
])("placed by %s", (_, setup, schedulerName, nodeName) => {
  const waiting = [pod("p", { schedulerName })];
  const [placement] = schedulingSimulation(setup).place({ nodes, pods }, waiting);
  expect(placement).toMatchObject({ nodeName, reasons: [] });
  const trial = reschedulingSimulation(setup).begin({ nodes, pods, budgets: [], objectsOf: () => [] });
  trial.add(pods[0]!);
  expect(trial.place(waiting[0]!)).toEqual({ nodeName });
});

test("the descheduler moves the pods of all profiles, and no others", () => {
  const { places } = reschedulingSimulation({ packing, schedulerConfig });
  const names = [undefined, "spreading", "other"];
  expect(names.map((schedulerName) => places(pod("p", { schedulerName })))).toEqual([true, true, false]);
});

test("all nodes of a large cluster are looked at", () => {
  const many = Array.from({ length: 300 }, (_, i) => node(`n${String(i).padStart(3, "0")}`));
  const last = [pod("first", { nodeName: "n299" })];
  const [placement] = schedulingSimulation({ packing }).place({ nodes: many, pods: last }, [pod("p")]);
  expect(placement?.nodeName).toBe("n299");
});
