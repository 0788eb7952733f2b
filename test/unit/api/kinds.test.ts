// Invariants of every kind in the table.
import { expect, test } from "vitest";
import { canonicalJson } from "../../../api/hash.ts";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { apiVersionOf, isStored, type ResourceDefinition } from "../../../api/kinds.ts";
import { instant, type ApiObject, type Draft } from "../../../api/meta.ts";
import { decode } from "../../../api/schema.ts";
import { draftOf } from "./minimal-objects.ts";

const stored = builtinKinds.filter(isStored);

/** A new object as it is stored. */
const bornOf = (r: ResourceDefinition): ApiObject => {
  const full = r.defaults(draftOf(r));
  const systemFields = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  return r.onCreate({
    ...full,
    apiVersion: apiVersionOf(r),
    metadata: { ...full.metadata, ...systemFields },
  } as ApiObject);
};

for (const r of stored) {
  const object = bornOf(r);
  const full = object as unknown as Draft<ApiObject>;
  test(`${r.kind}: a minimal object is valid after defaulting`, () => expect(r.validate(full)).toEqual([]));
  test(`${r.kind}: defaulting is idempotent`, () => expect(canonicalJson(r.defaults(full))).toBe(canonicalJson(full)));
  test(`${r.kind}: a defaulted object conforms to its schema and round-trips through JSON`, () => {
    const { unknown, wrong, value } = decode(r.schema, JSON.parse(JSON.stringify(full)));
    expect({ unknown, wrong }).toEqual({ unknown: [], wrong: [] });
    expect(canonicalJson(value)).toBe(canonicalJson(full));
  });
  test(`${r.kind}: every column can be printed for a new object`, () => {
    const cells = r.columns.map((c) => c.cell(object, instant(Date.parse("2026-01-01T00:00:05Z"))));
    expect(cells.filter((c) => c === undefined || Number.isNaN(c))).toEqual([]);
    for (const read of Object.values(r.selectable)) expect(typeof read(object)).toBe("string");
  });
}

test("kinds of a group have distinct names", () => {
  const called = stored.flatMap((r) =>
    [r.plural, r.singular, ...r.shortNames].filter((n, i, all) => all.indexOf(n) === i),
  );
  expect(called.filter((n, i) => called.indexOf(n) < i)).toEqual([]);
});
