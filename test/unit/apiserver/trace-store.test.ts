// The bounded store of traces, and the headers that carry contexts.
import { expect, test } from "vitest";
import { formatTraceparent, parseTraceparent, type SpanRecord } from "../../../api/explanation/trace.ts";
import { key, revision } from "../../../api/meta.ts";
import { traceStore } from "../../../apiserver/traces/store.ts";
import { tracer } from "../../../machinery/trace.ts";

const write = (traceId: string, object: string, parentSpanId?: string): SpanRecord => ({
  ...{ traceId, spanId: "s", name: "write", component: "kube-apiserver", start: 0, end: 1, object, isWrite: true },
  ...(parentSpanId !== undefined && { parentSpanId }),
});

test("an object is found in the last trace that began with a write of it, else in the first that wrote it", () => {
  const store = traceStore();
  store.add(write("1", "apps/deployments default/web"));
  store.add(write("1", "/pods default/web-1", "parent"));
  store.add(write("2", "apps/deployments default/web"));
  store.add(write("2", "/pods default/web-1", "parent"));
  expect(store.of("apps/deployments default/web")?.traceId).toBe("2");
  expect(store.of("/pods default/web-1")?.traceId).toBe("1");
  expect(store.of("/pods default/other")).toBeUndefined();
});

test("above the bound the oldest traces go, with what is known of their objects", () => {
  const store = traceStore({ spans: 32, spansPerTrace: 4 });
  for (let i = 0; i < 100; i++) store.add(write(`${i}`, `/pods default/${i}`));
  expect(store.of("/pods default/0")).toBeUndefined();
  expect(store.of("/pods default/99")?.spans).toHaveLength(1);
  for (let i = 0; i < 6; i++) store.add(write("long", "/pods default/long", "parent"));
  expect(store.of("/pods default/long")).toMatchObject({ spans: { length: 4 }, dropped: 2 });
});

const context = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", isSampled: true };
test.each([
  [formatTraceparent(context), context],
  [formatTraceparent({ ...context, isSampled: false }), { ...context, isSampled: false }],
  ["01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes", context],
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", undefined],
  ["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", undefined],
  ["00-00000000000000000000000000000000-b7ad6b7169203331-01", undefined],
  ["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", undefined],
  ["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", undefined],
  ["nonsense", undefined],
  [undefined, undefined],
])("traceparent %s", (header, expected) => {
  expect(parseTraceparent(header)).toEqual(expected);
});

const recorded = (samplesPerMillion?: number) => {
  const spans: SpanRecord[] = [];
  const random = { next: () => 0.5 };
  const options = { component: "c", random, now: () => 1, record: (span: SpanRecord) => spans.push(span) };
  return { spans, own: tracer({ ...options, ...(samplesPerMillion !== undefined && { samplesPerMillion }) }) };
};

test("a change is known while it is committed, and after it by its revision", () => {
  const { own } = recorded();
  const span = own.start("write");
  const change = { kind: "Pod", key: key("default", "a"), revision: revision(7) };
  expect(own.causeOf(change)).toBeUndefined();
  const settled = own.committing("Pod", change.key, span.context);
  expect(own.causeOf(change)).toBe(span.context);
  own.caused(change.revision, span.context);
  settled();
  expect(own.as("other").causeOf(change)).toBe(span.context);
  expect(own.causeOf({ ...change, revision: revision(7 + 16_384) })).toBeUndefined();
});

test("what begins a trace decides whether it is sampled, and all of it follows", () => {
  const { own, spans } = recorded(400_000);
  const root = own.start("unsampled");
  root.child("part").end();
  root.end();
  expect(spans).toEqual([]);
  own.start("of a client", { parent: context }).end();
  expect(spans.map(({ name, traceId }) => [name, traceId])).toEqual([["of a client", context.traceId]]);
});
