// The events of one request: what each stage records.
import { expect, test } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { type AuditedRequest, auditing } from "../../../../apiserver/audit/audit.ts";
import type { AuditPolicy } from "../../../../apiserver/audit/policy.ts";
import { realWorld } from "../../../../machinery/real-world.ts";

const request: AuditedRequest = {
  ...{ id: "1", began: Date.UTC(2026, 0, 2), url: "/api/v1/nodes?watch=1", headers: {}, remoteAddress: "10.0.0.1" },
  attributes: { verb: "watch", group: "", version: "v1", resource: "nodes" },
  user: { name: "ann", groups: [] },
  isLongRunning: true,
};
function recorded(policy: AuditPolicy = { rules: [{ level: "Metadata" }] }, changes: Partial<AuditedRequest> = {}) {
  const lines: string[] = [];
  const clock = { ...realWorld(() => {}).clock, now: () => instant(Date.UTC(2026, 0, 2, 0, 0, 1)) };
  const { auditor, end } = auditing(policy, clock, (line) => lines.push(line));
  return { audit: auditor({ ...request, ...changes }), end, events: () => lines.map((line) => JSON.parse(line)) };
}
const stages = (events: readonly { stage: string }[]): readonly string[] => events.map(({ stage }) => stage);

test("an annotation that is there is kept", () => {
  const { audit, events } = recorded();
  audit!.authorized({ allowed: true, reason: "first" });
  audit!.authorized({ allowed: false, reason: "second" });
  audit!.completes(200);
  expect(events().at(-1).annotations).toEqual({
    "authorization.k8s.io/decision": "allow",
    "authorization.k8s.io/reason": "first",
  });
});

test("what a stopping server cuts off is recorded, and what is over is not recorded again", () => {
  const { audit, end, events } = recorded();
  end();
  audit!.completes(200);
  end();
  expect(stages(events())).toEqual(["RequestReceived", "ResponseStarted", "ResponseComplete"]);
  expect(events().at(-1).responseStatus).toEqual({
    ...{ metadata: {}, status: "Success", message: "Connection closed early", code: 200 },
  });
});

test("a failure of the server itself is its own stage", () => {
  const { audit, events } = recorded(undefined, { isLongRunning: false });
  audit!.panics("x is not a function");
  audit!.responds({ status: 500 });
  audit!.completes(500);
  expect(stages(events())).toEqual(["RequestReceived", "Panic"]);
  expect(events().at(-1).responseStatus).toMatchObject({
    ...{ status: "Failure", message: "APIServer panic'd: x is not a function", reason: "InternalError", code: 500 },
  });
});

test("stages are left out, and so are requests that no rule records", () => {
  const { audit, events } = recorded({ rules: [{ level: "Metadata" }], omitStages: ["ResponseStarted"] });
  audit!.completes(200);
  expect(stages(events())).toEqual(["RequestReceived", "ResponseComplete"]);
  expect(recorded({ rules: [{ level: "None" }] }).audit).toBeUndefined();
});

test("a long user agent is cut, and times have microseconds", () => {
  const { events } = recorded(undefined, { headers: { "user-agent": "x".repeat(2000) } });
  expect(events()[0]).toMatchObject({
    ...{ userAgent: `${"x".repeat(1024)}...TRUNCATED`, requestReceivedTimestamp: "2026-01-02T00:00:00.000000Z" },
  });
});
