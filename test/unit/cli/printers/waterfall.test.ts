// The waterfall of a trace: order, indentation, durations, gaps, bars and failures.
import { expect, test } from "vitest";
import type { SpanRecord, Trace } from "../../../../api/explanation/trace.ts";
import { durationText, waterfall } from "../../../../cli/printers/waterfall.ts";

const span = (id: string, parent: string, [start, end]: readonly [number, number], more: Partial<SpanRecord> = {}) => ({
  ...{ traceId: "t", spanId: id, parentSpanId: parent, start, end, name: id, component: "kube-apiserver" },
  ...more,
});
const trace = (spans: readonly SpanRecord[], dropped = 0): Trace => ({
  ...{ kind: "Trace", apiVersion: "orrery.dev/v1", traceId: "t", dropped, spans },
  object: { kind: "Deployment", namespace: "default", name: "web" },
});
const options = { isWide: false, width: 120 };
/** Without the heading. */
const rows = (spans: readonly SpanRecord[], more = options): readonly string[] =>
  waterfall(trace(spans), more).split("\n").slice(3, -1);

test.each([
  [0, "0"],
  [0.0123, "12 µs"],
  [1.04, "1.0 ms"],
  [999, "999 ms"],
  [1_500, "1.50 s"],
  [60_000, "60.0 s"],
  [600_000, "10.0 min"],
])("%d ms is %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test("each span is under its cause, by its start, with a bar where it is in the trace", () => {
  const spans = [span("b", "a", [50, 100]), span("a", "elsewhere", [0, 100]), span("c", "b", [50, 75])];
  expect(rows(spans)).toEqual([
    "       +0    100 ms  ████████████████████████  kube-apiserver  a",
    "   +50 ms     50 ms  ············████████████  kube-apiserver    b",
    "   +50 ms     25 ms  ············██████······  kube-apiserver      c",
  ]);
});

test("time between a cause and what follows is a line of its own", () => {
  const spans = [span("a", "", [0, 10]), span("sync pod", "a", [60, 100], { component: "kubelet", node: "n1" })];
  expect(rows(spans)[1]).toMatch(/^ +50 ms + {2}… until the kubelet had something to do$/);
  expect(rows(spans)[2]).toContain("kubelet n1");
  expect(rows([span("a", "", [0, 10]), span("b", "a", [10.5, 20])])).toHaveLength(2);
});

test("short parts are behind what they are part of; wide, each has its line and its attributes", () => {
  const attributes = { because: "replicas are missing" };
  const spans = [span("reconcile", "", [0, 10], { attributes }), span("queue wait", "reconcile", [0, 4])];
  expect(rows(spans)).toEqual([expect.stringMatching(/reconcile {2}\(queue wait 4\.0 ms\)$/)]);
  const wide = rows(spans, { isWide: true, width: 120 });
  expect(wide).toHaveLength(3);
  expect(wide[1]).toMatch(/^ +because: replicas are missing$/);
});

test("failures are shown, and spans that were not kept are counted", () => {
  expect(rows([span("bind", "", [0, 1], { error: "no such node" })])[0]).toMatch(/bind {2}failed: no such node$/);
  expect(waterfall(trace([span("a", "", [0, 1])], 7), options)).toContain("7 more spans of this trace were not kept.");
});
