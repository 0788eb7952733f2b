// In-place resize: pending and in-progress conditions.
import { expect, test } from "vitest";
import type { Pod, ResourceRequirements } from "../../../api/generated/types.ts";
import { pendingResize } from "../../../kubelet/admission.ts";
import { withAllocated, isResized, resizeOf } from "../../../kubelet/podspec/resources.ts";
import { podStatus } from "../../../kubelet/pod/status.ts";
import { container, observation, pod, run, running } from "./samples.ts";

const cpu = (request: string, limit?: string): ResourceRequirements => ({
  requests: { cpu: request },
  ...(limit && { limits: { cpu: limit } }),
});
const statusWith = (resources?: ResourceRequirements) => ({
  containerStatuses: [
    { name: "c", image: "", imageID: "", ready: true, restartCount: 0, ...(resources && { resources }) },
  ],
});
const resizing = (desired: ResourceRequirements, actual?: ResourceRequirements): Pod =>
  pod({ spec: { containers: [container("c", { resources: desired })] }, status: statusWith(actual) });

test("a resize is desired when spec and status resources differ", () => {
  expect(isResized(resizing(cpu("1"), cpu("1")))).toBe(false);
  expect(isResized(resizing(cpu("2"), cpu("1")))).toBe(true);
  expect(isResized(resizing(cpu("1", "2"), cpu("1")))).toBe(true);
  expect(isResized(resizing(cpu("1")))).toBe(false);
  expect(withAllocated(resizing(cpu("2", "3"), cpu("1"))).spec.containers[0]?.resources).toEqual(cpu("1"));
});

test("a resize above the node's capacity is infeasible, above the free resources deferred", () => {
  const room = { labels: {}, allocatable: { cpu: "2", memory: "1Gi", pods: "10" }, taints: [] };
  const other = pod({ spec: { containers: [container("o", { resources: cpu("1500m") })] } });
  const pending = (request: string) => pendingResize(resizing(cpu(request)), [other], room);
  expect(pending("500m")).toBeUndefined();
  expect(pending("1")).toEqual({
    reason: "Deferred",
    message: "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
  });
  expect(pending("3")).toEqual({
    reason: "Infeasible",
    message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
  });
});

test("a container is restarted only for resources with RestartContainer", () => {
  const policy = (resourceName: string) => ({ resizePolicy: [{ resourceName, restartPolicy: "RestartContainer" }] });
  const was = run("c", running());
  expect(resizeOf(container("c"), was)).toBe("none");
  expect(resizeOf(container("c", { resources: cpu("1") }), was)).toBe("inPlace");
  expect(resizeOf(container("c", { resources: cpu("1"), ...policy("memory") }), was)).toBe("inPlace");
  expect(resizeOf(container("c", { resources: cpu("1"), ...policy("cpu") }), was)).toBe("restart");
});

test("during a resize the status has the actual resources and the resize conditions", () => {
  const p = resizing(cpu("2"), cpu("1"));
  const o = observation({ pod: p, containers: [run("c", running())] });
  const resizeConditions = (s: ReturnType<typeof podStatus>): readonly string[] =>
    (s.conditions ?? []).filter((c) => c.type.startsWith("PodResize")).map((c) => `${c.type} ${c.reason ?? ""}`);
  const moving = podStatus(p, o);
  expect([moving.containerStatuses?.[0]?.resources, resizeConditions(moving)]).toEqual([
    cpu("1"),
    ["PodResizeInProgress "],
  ]);
  const refused = podStatus(p, { ...o, resizeRefusals: new Map([["c", { at: o.now, message: "too little" }]]) });
  expect(resizeConditions(refused)).toEqual(["PodResizeInProgress Error"]);
  const there = podStatus(
    { ...p, status: moving },
    { ...o, containers: [run("c", running(), { limits: { cpuShares: 2048 } })] },
  );
  expect([there.containerStatuses?.[0]?.resources, resizeConditions(there)]).toEqual([cpu("2"), []]);
});
