// The STATUS column of `kubectl get pods`.
import { expect, test } from "vitest";
import type { ContainerStatus, Pod } from "../../../api/generated/types.ts";
import { statusWord } from "../../../api/core/pod/status.ts";

const container = (state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: "c",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running = container({ running: {} }, { ready: true });
const ended = (exitCode: number, reason?: string) => container({ terminated: { exitCode, ...(reason && { reason }) } });
const ready = { type: "Ready", status: "True" };

const rows: readonly (readonly [string, Pod["status"], string, { readonly deletionTimestamp: string }?])[] = [
  ["without a phase", {}, "Unknown"],
  ["pending", { phase: "Pending" }, "Pending"],
  ["running", { phase: "Running", containerStatuses: [running], conditions: [ready] }, "Running"],
  [
    "waiting",
    { phase: "Pending", containerStatuses: [container({ waiting: { reason: "ErrImagePull" } })] },
    "ErrImagePull",
  ],
  ["succeeded", { phase: "Succeeded", containerStatuses: [ended(0, "Completed")] }, "Completed"],
  ["failed without a reason", { phase: "Failed", containerStatuses: [ended(3)] }, "ExitCode:3"],
  ["evicted", { phase: "Failed", reason: "Evicted" }, "Evicted"],
  [
    "not ready, with one container completed and one running",
    { phase: "Running", containerStatuses: [ended(0, "Completed"), running] },
    "NotReady",
  ],
  [
    "gated",
    { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    "SchedulingGated",
  ],
  ["deleted", { phase: "Running", containerStatuses: [running] }, "Terminating", { deletionTimestamp: "x" }],
  ["deleted on a lost node", { phase: "Running", reason: "NodeLost" }, "Unknown", { deletionTimestamp: "x" }],
  [
    "deleted after completion",
    { phase: "Succeeded", containerStatuses: [ended(0, "Completed")] },
    "Completed",
    { deletionTimestamp: "x" },
  ],
];
for (const [what, status, word, going] of rows)
  test(`a pod that is ${what}`, () => {
    const pod = { metadata: { name: "p", ...going }, spec: { containers: [] }, status } as unknown as Pod;
    expect(statusWord(pod)).toBe(word);
  });
