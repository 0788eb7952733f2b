// Canonical times.
import { expect, test } from "vitest";
import { leases } from "../../../api/coordination/leases.ts";
import { pods } from "../../../api/core/pods.ts";
import { decode } from "../../../api/schema.ts";
import { canonicalTime } from "../../../api/times.ts";

for (const [text, seconds, micros] of [
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"],
  ["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"],
  ["2026-01-02T03:04:05.9999999Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.999999Z"],
  ["2026-01-02T03:04:05.25+02:30", "2026-01-02T00:34:05Z", "2026-01-02T00:34:05.250000Z"],
  ["2026-01-01T00:00:00-01:00", "2026-01-01T01:00:00Z", "2026-01-01T01:00:00.000000Z"],
  ["2026-13-01T00:00:00Z", undefined, undefined],
  ["2026-01-02", undefined, undefined],
  ["yesterday", undefined, undefined],
  ["", undefined, undefined],
] as const)
  test(`times: ${JSON.stringify(text)}`, () =>
    expect([canonicalTime(text, "date-time"), canonicalTime(text, "date-time-micro")]).toEqual([seconds, micros]));

test("times: the field's format sets the precision, and an invalid time is refused", () => {
  const lease = decode(leases.schema, { spec: { renewTime: "2026-01-02T03:04:05Z" } });
  expect(lease).toMatchObject({ value: { spec: { renewTime: "2026-01-02T03:04:05.000000Z" } }, wrong: [] });
  const pod = decode(pods.schema, { status: { startTime: "soon" } });
  expect(pod.wrong).toMatchObject([
    {
      path: "status.startTime",
      read: 'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
    },
  ]);
});
