// Deletion by kind, options and state; and the revisions that can be compacted.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { pods } from "../../../api/core/pods.ts";
import { type ApiObject, instant } from "../../../api/meta.ts";
import type { DeleteOptions } from "../../../machinery/client.ts";
import { decideDeletion, isReleased } from "../../../apiserver/registry/deletion.ts";

const now = instant(Date.UTC(2026, 0, 1));
const later = "2026-01-01T00:00:30Z";
const meta = (more: object = {}) => ({
  name: "x",
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: later,
  ...more,
});
const pod = (spec: object, metadata: object = {}, phase = "Running") =>
  ({
    kind: "Pod",
    apiVersion: "v1",
    metadata: meta(metadata),
    spec: { containers: [], ...spec },
    status: { phase },
  }) as unknown as ApiObject;
const running = (metadata: object = {}) => pod({ nodeName: "n" }, metadata);
const config = (metadata: object = {}) =>
  ({ kind: "ConfigMap", apiVersion: "v1", metadata: meta(metadata) }) as unknown as ApiObject;
const going = (grace: number, more: object = {}) => ({
  deletionTimestamp: later,
  deletionGracePeriodSeconds: grace,
  ...more,
});

/** `remove`, `wait`, or the grace period, deletion time and finalizers. */
function outcomeOf(object: ApiObject, options: DeleteOptions): string {
  const r = object.kind === "Pod" ? pods : object.kind === "Namespace" ? namespaces : configMaps;
  const deletion = decideDeletion(r, object, options, now);
  if (deletion.do !== "mark") return deletion.do;
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = deletion.object.metadata;
  return [`${deletionGracePeriodSeconds} s`, `at ${deletionTimestamp?.slice(17, 19)}`, ...finalizers].join(", ");
}
const rows = [
  ["an object without finalizers", config(), {}, "remove"],
  ["an object with a finalizer", config({ finalizers: ["a/b"] }), {}, "0 s, at 00, a/b"],
  ["an object with a finalizer, deleted again", config(going(0, { finalizers: ["a/b"] })), {}, "wait"],
  ["foreground deletion", config(), { propagationPolicy: "Foreground" }, "0 s, at 00, foregroundDeletion"],
  ["orphaned dependents", config(), { propagationPolicy: "Orphan" }, "0 s, at 00, orphan"],
  ["background deletion", config({ finalizers: ["orphan"] }), { propagationPolicy: "Background" }, "remove"],
  ["a running pod", running(), {}, "30 s, at 30"],
  [
    "a running pod with a grace period in its spec",
    pod({ nodeName: "n", terminationGracePeriodSeconds: 5 }),
    {},
    "5 s, at 05",
  ],
  ["a running pod, shorter grace period requested", running(), { gracePeriodSeconds: 3 }, "3 s, at 03"],
  ["a running pod, zero grace period requested", running(), { gracePeriodSeconds: 0 }, "remove"],
  ["a running pod, negative grace period requested", running(), { gracePeriodSeconds: -1 }, "1 s, at 01"],
  ["an unscheduled pod", pod({}), {}, "remove"],
  ["a completed pod", pod({ nodeName: "n" }, {}, "Succeeded"), {}, "remove"],
  ["a terminating pod, deleted again", running(going(30)), {}, "wait"],
  ["a terminating pod, shorter grace period requested", running(going(30)), { gracePeriodSeconds: 10 }, "10 s, at 10"],
  ["a terminating pod, longer grace period requested", running(going(5)), { gracePeriodSeconds: 60 }, "wait"],
  [
    "a terminating pod, zero grace period requested by its kubelet",
    running(going(30)),
    { gracePeriodSeconds: 0 },
    "remove",
  ],
  [
    "a terminating pod with a finalizer, zero grace period requested by its kubelet",
    running(going(30, { finalizers: ["a/b"] })),
    { gracePeriodSeconds: 0 },
    "0 s, at 00, a/b",
  ],
] as const;
for (const [what, object, options, outcome] of rows)
  test(`delete: ${what}: ${outcome}`, () => expect(outcomeOf(object, options)).toBe(outcome));

test("delete: a namespace is Terminating until its spec finalizers are removed", () => {
  const namespace = {
    kind: "Namespace",
    apiVersion: "v1",
    metadata: meta({ namespace: undefined }),
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  } as unknown as ApiObject;
  const deletion = decideDeletion(namespaces, namespace, {}, now);
  expect(deletion).toMatchObject({ do: "mark", object: { status: { phase: "Terminating" } } });
  const object = deletion.do === "mark" ? deletion.object : namespace;
  expect([
    isReleased(namespaces, object),
    isReleased(namespaces, { ...object, spec: { finalizers: [] } } as ApiObject),
  ]).toEqual([false, true]);
});
