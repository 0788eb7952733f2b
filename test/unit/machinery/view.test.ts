// What a view reports when all its objects are replaced.
import { expect, test } from "vitest";
import { type Changed, view } from "../../../machinery/view.ts";
import { storedMeta } from "../stored-meta.ts";
import type { ApiObject } from "../../../api/meta.ts";

const object = (name: string, uid: string, resourceVersion: string): ApiObject => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { ...storedMeta(name), uid, resourceVersion } },
});
const lines = (changes: readonly Changed<ApiObject>[]): readonly string[] =>
  changes.map(
    ([{ metadata }, before, type]) => `${type} ${metadata.name} ${metadata.uid} ${before?.metadata.uid ?? "-"}`,
  );

test("objects that were replaced by others of their name are reported as deleted and added", () => {
  const objects = view<ApiObject>();
  objects.replace([
    object("same", "a", "1"),
    object("changed", "b", "1"),
    object("other", "c", "1"),
    object("gone", "d", "1"),
  ]);
  const next = [
    object("same", "a", "1"),
    object("changed", "b", "2"),
    object("other", "e", "3"),
    object("new", "f", "4"),
  ];
  expect(lines(objects.replace(next))).toEqual([
    "updated changed b b",
    "deleted other c c",
    "added other e -",
    "added new f -",
    "deleted gone d d",
  ]);
});
