// Server-side apply: field ownership and conflicts.
import { fromFieldsV1, pathsIn, shownPath, toFieldsV1 } from "../../../apiserver/registry/fields/set.ts";
import { fieldsOf } from "../../../apiserver/registry/fields/shape.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ApiError, hasReason } from "../../../api/errors.ts";
import { configMaps } from "../../../api/core/configmaps.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { type ApiObject, instant } from "../../../api/meta.ts";
import { decode } from "../../../api/schema.ts";
import { applied, appliedNew } from "../../../apiserver/registry/fields/apply.ts";
import { type Writer, ownedAfter } from "../../../apiserver/registry/fields/ownership.ts";

const now = instant(0);
const by = (manager: string): Writer => ({ manager, now });
const pathsOf = (fieldsV1: object | undefined): string[] => [...pathsIn(fromFieldsV1(fieldsV1)!)].map(shownPath).sort();
type Config = ApiObject & { readonly data?: Readonly<Record<string, string>> };
const config = (data?: Record<string, string>, metadata: object = {}): Config =>
  ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "default", ...metadata },
    ...(data && { data }),
  }) as Config;
/** The object as it is stored, without empty fields. */
const stored = (object: ApiObject): Config => decode(configMaps.schema, object).value as Config;
const apply = (object: ApiObject, manager: string, data?: Record<string, string>, force = false): Config =>
  stored(applied(configMaps, object, config(data), by(manager), force));
/** `one:.data.a,.data.b two:.data.c` */
const owners = (object: ApiObject): string =>
  (object.metadata.managedFields ?? []).map((e) => `${e.manager}:${pathsOf(e.fieldsV1).join(",")}`).join(" ");
const first = (manager: string, data: Record<string, string>): Config =>
  stored(appliedNew(configMaps, config(data), by(manager)));
const refusal = (body: () => unknown): string => {
  try {
    body();
  } catch (e) {
    expect(hasReason(e, "Conflict")).toBe(true);
    return (e as ApiError).message;
  }
  return "not refused";
};

test("apply: the manager owns the fields it applies", () =>
  expect(owners(first("one", { a: "1", b: "2" }))).toBe("one:.data.a,.data.b"));
test("apply: the same configuration again changes nothing", () => {
  const made = first("one", { a: "1" });
  expect(apply(made, "one", { a: "1" })).toEqual(made);
});
test("apply: a field that is no longer applied is removed", () => {
  const made = first("one", { a: "1", b: "2" });
  expect(apply(made, "one", { b: "3" }).data).toEqual({ b: "3" });
  expect(apply(made, "one").data).toBeUndefined();
});
test("apply: managers share a field with equal values, and it is removed with its last owner", () => {
  const both = apply(first("one", { a: "1" }), "two", { a: "1" });
  expect(owners(both)).toBe("one:.data.a two:.data.a");
  const left = apply(both, "one", {});
  expect([left.data, owners(left)]).toEqual([{ a: "1" }, "one:.data two:.data.a"]);
  expect(apply(left, "two", {}).data ?? {}).toEqual({});
});
test("apply: a change of another manager's field conflicts, unless forced", () => {
  const made = first("one", { a: "1", b: "1" });
  expect(refusal(() => apply(made, "two", { a: "2" }))).toBe(
    'Apply failed with 1 conflict: conflict with "one": .data.a',
  );
  expect(refusal(() => apply(made, "two", { a: "2", b: "2" }))).toBe(
    'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b',
  );
  const forced = apply(made, "two", { a: "2" }, true);
  expect([forced.data, owners(forced)]).toEqual([{ a: "2", b: "1" }, "one:.data.b two:.data.a"]);
});
test("apply: an update takes ownership of the fields it changes, and a later apply conflicts", () => {
  const made = first("one", { a: "1", b: "1" });
  const edited = ownedAfter(configMaps, made, { ...made, data: { a: "2", b: "1" } } as ApiObject, by("edit"));
  expect(owners(edited)).toBe("one:.data.b edit:.data.a");
  expect(refusal(() => apply(edited, "one", { a: "1", b: "1" }))).toMatch(/conflict with "edit" using v1: \.data\.a/);
  const removed = ownedAfter(
    configMaps,
    made,
    config({ b: "1" }, { managedFields: made.metadata.managedFields }),
    by("edit"),
  );
  expect(owners(removed)).toBe("one:.data.b");
});
test("apply: fields of an object without managed fields belong to before-first-apply", () => {
  const old = config({ a: "1", b: "1" });
  expect(refusal(() => apply(old, "one", { a: "2" }))).toMatch(/conflict with "before-first-apply" using v1/);
  expect(owners(apply(old, "one", { a: "1" }))).toBe("one:.data.a before-first-apply:.data,.data.a,.data.b");
});

const deployment = (spec: object): ApiObject =>
  ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d", namespace: "default" },
    spec,
  }) as unknown as ApiObject;
const pod = (...containers: object[]) => ({ template: { spec: { containers } } });
const applySpec = (object: ApiObject, manager: string, spec: object, force = false): ApiObject =>
  applied(deployments, object, deployment(spec), by(manager), force);
const containersIn = (object: ApiObject) =>
  (object as unknown as { spec: ReturnType<typeof pod> }).spec.template.spec.containers;

test("apply: items of a keyed list belong to the managers that applied them", () => {
  const made = appliedNew(
    deployments,
    deployment(pod({ name: "a", image: "1", ports: [{ containerPort: 80 }] })),
    by("one"),
  );
  const side = applySpec(made, "two", pod({ name: "b", image: "2" }));
  expect(containersIn(side)).toEqual([
    { name: "a", image: "1", ports: [{ containerPort: 80 }] },
    { name: "b", image: "2" },
  ]);
  expect(containersIn(applySpec(side, "one", pod({ name: "a", image: "1" })))).toEqual([
    { name: "a", image: "1" },
    { name: "b", image: "2" },
  ]);
  const gone = applySpec(side, "one", { replicas: 1 });
  expect(containersIn(gone)).toEqual([{ name: "b", image: "2" }]);
});
test("apply: an item keeps the fields that another manager owns", () => {
  const made = appliedNew(deployments, deployment(pod({ name: "a", image: "1" })), by("one"));
  const shared = applySpec(made, "two", pod({ name: "a", command: ["x"] }));
  const left = applySpec(shared, "one", { replicas: 1 });
  expect(containersIn(left)).toEqual([{ name: "a", command: ["x"] }]);
});
test("apply: omitting replicas keeps the value set through the scale subresource", () => {
  const made = appliedNew(deployments, deployment({ replicas: 1, ...pod({ name: "a", image: "1" }) }), by("one"));
  const scaled = ownedAfter(
    deployments,
    made,
    { ...made, spec: { ...(made as unknown as { spec: object }).spec, replicas: 5 } } as ApiObject,
    by("autoscaler"),
  );
  const again = applySpec(scaled, "one", pod({ name: "a", image: "2" })) as unknown as { spec: { replicas: number } };
  expect(again.spec.replicas).toBe(5);
  expect(refusal(() => applySpec(scaled, "one", { replicas: 1 }))).toMatch(
    /conflict with "autoscaler" using apps\/v1: \.spec\.replicas/,
  );
});
test("apply: atomic fields have one owner", () => {
  const made = appliedNew(deployments, deployment({ selector: { matchLabels: { a: "b" } } }), by("one"));
  expect(owners(made)).toBe("one:.spec.selector");
});

const data = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2"));
const manager = fc.constantFrom("one", "two", "three");
test("apply: after a forced apply the object has the applied fields and a repeated apply changes nothing", () => {
  fc.assert(
    fc.property(data, fc.array(fc.tuple(manager, data), { maxLength: 8 }), (begin, steps) => {
      let object = first("zero", begin);
      for (const [manager, data] of steps) {
        object = apply(object, manager, data, true);
        expect(object.data ?? {}).toMatchObject(data);
        expect(apply(object, manager, data)).toEqual(object);
        const owned = new Set((object.metadata.managedFields ?? []).flatMap((e) => pathsOf(e.fieldsV1)));
        for (const key of Object.keys(object.data ?? {})) expect(owned).toContain(`.data.${key}`);
      }
    }),
  );
});
test("field sets round-trip", () => {
  fc.assert(
    fc.property(data, fc.array(fc.constantFrom("x", "y", "z")), (labels, names) => {
      const spec = pod(...[...new Set(names)].map((name) => ({ name, env: [{ name: "E", value: "v" }] })));
      const fields = fieldsOf(deployments.schema, { metadata: { labels, finalizers: ["a/b"] }, spec });
      expect(fromFieldsV1(toFieldsV1(fields))).toEqual(fields);
    }),
  );
});
test("field sets are sorted: fields first, then items by key values", () => {
  const item = (key: object): string => `k:${JSON.stringify(key)}`;
  const rows: readonly (readonly string[])[] = [
    ["f:a", "f:b", "f:ba"],
    ["f:z", item({ name: "a" }), item({ name: "a b" }), item({ name: 'a"' }), item({ name: "b" })],
    [item({ port: 9 }), item({ port: 80 }), item({ port: 100 })],
    [item({ port: 80, protocol: "TCP" }), item({ port: 80, protocol: "UDP" }), item({ port: 443, protocol: "TCP" })],
    [item({ name: "a-b" }), item({ name: "a.b" }), item({ name: "ab" })],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...rows).chain((row) => fc.tuple(fc.constant(row), fc.shuffledSubarray([...row]))),
      ([row, steps]) => {
        const written = toFieldsV1(fromFieldsV1(Object.fromEntries(steps.map((step) => [step, {}])))!);
        expect(Object.keys(written)).toEqual(row.filter((step) => steps.includes(step)));
      },
    ),
  );
});
