// Validation problems of lists.
import { expect, test } from "vitest";
import { each, none, required, together } from "../../../api/problems.ts";
import { schemaOf } from "../../../api/schema.ts";
import { problemsAt } from "../../../api/validation.ts";
import { validateProjected } from "../../../api/core/pod/validate-projections.ts";

const problem = required("a");

test("together: all problems in order, and the shared empty list for none", () => {
  expect(together(none, [problem], none, [required("b")]).map((p) => p.path)).toEqual(["a", "b"]);
  expect(together(none, none)).toBe(none);
  expect(each([1, 2], "list", () => none)).toBe(none);
});
test("each: passes the path and index of the item", () =>
  expect(each(["x", "y"], "list", (item, at, i) => [required(`${at}${item}${i}`)]).map((p) => p.path)).toEqual([
    "list[0]x0",
    "list[1]y1",
  ]));

const many = 400_000;
test("validation time is linear in the number of problems", () => {
  const env = Array.from({ length: many }, () => ({ name: "" }));
  expect(problemsAt("c", schemaOf("io.k8s.api.core.v1.Container"), { name: "c", image: "i", env }).length).toBe(many);
  const source = { configMap: { name: "c", items: Array.from({ length: many }, () => ({ key: "k", path: "p" })) } };
  expect(validateProjected([source], "projected").length).toBe(many - 1);
});
