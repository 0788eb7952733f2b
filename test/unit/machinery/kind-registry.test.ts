import { expect, test } from "vitest";
import { deployments } from "../../../api/apps/deployments.ts";
import { pods } from "../../../api/core/pods.ts";
import { define } from "../../../api/kinds.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";

const widgets = define({
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  scope: "Namespaced",
  published: "com.example.v1.Widget",
  schema: { type: "object" },
});

test("a kind is found by its resource and by its apiVersion and kind", () => {
  const kinds = kindRegistry([pods, deployments]);
  expect(kinds.of({ group: "", version: "v1", plural: "pods" })).toBe(pods);
  expect(kinds.ofKind("apps/v1", "Deployment")).toBe(deployments);
  expect(kinds.of({ group: "apps", version: "v1", plural: "pods" })).toBeUndefined();
  expect(kinds.ofKind("v1", "Deployment")).toBeUndefined();
});

test("kinds can be added and removed, and each change is notified once", () => {
  const kinds = kindRegistry([pods]);
  const seen: number[] = [];
  const stop = kinds.changed.listen(() => seen.push(kinds.all().length));
  const before = kinds.all();
  kinds.add(widgets);
  expect(kinds.ofKind("example.com/v1", "Widget")).toBe(widgets);
  kinds.remove(widgets);
  expect(kinds.ofKind("example.com/v1", "Widget")).toBeUndefined();
  kinds.remove(widgets);
  stop();
  kinds.add(deployments);
  expect(seen).toEqual([2, 1]);
  expect(before).toEqual([pods]);
});

test("a kind under a served resource's name replaces it", () => {
  const kinds = kindRegistry([pods, widgets]);
  const renamed = { ...widgets, kind: "Gadget" };
  kinds.add(renamed);
  expect(kinds.all()).toEqual([pods, renamed]);
  expect(kinds.ofKind("example.com/v1", "Widget")).toBeUndefined();
  expect(kinds.ofKind("example.com/v1", "Gadget")).toBe(renamed);
});
