// Random objects that fit a schema can be defaulted, validated and printed without exceptions.
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { apiVersionOf, isStored, type ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, instant } from "../../../api/meta.ts";
import { decode, resolve, type Schema } from "../../../api/schema.ts";
import { seeded } from "../../sim/virtual-clock.ts";

const seed = Number(process.env["SEED"] ?? 1);
const tries = 150;

type Dice = () => number;
const oneOf = <T>(dice: Dice, choices: readonly T[]): T => choices[Math.floor(dice() * choices.length)]!;
const texts = [
  "",
  "a",
  "A",
  "a-b",
  "x".repeat(70),
  "10.0.0.1",
  "80",
  "1Gi",
  "*",
  "true",
  "RollingUpdate",
  "In",
  "%",
  "a/b",
];
const numbers = [0, 1, -1, 80, 2 ** 31 - 1];

/** A value of this schema, with random optional fields. */
function valueBy(schema: Schema, dice: Dice, depth: number): unknown {
  const full = resolve(schema);
  if (full["x-kubernetes-int-or-string"]) return dice() < 0.5 ? oneOf(dice, numbers) : oneOf(dice, [...texts, "50%"]);
  switch (full.type) {
    case "string":
      if (full.format === "date-time") return "2026-01-01T00:00:00Z";
      if (full.format === "byte") return oneOf(dice, ["", "YQ==", "e30="]);
      return full.format === "quantity" ? oneOf(dice, ["0", "1", "1Gi", "100m", "-1"]) : oneOf(dice, texts);
    case "integer":
    case "number":
      return oneOf(dice, numbers);
    case "boolean":
      return dice() < 0.5;
    case "array":
      return depth > 9
        ? []
        : Array.from({ length: Math.floor(dice() * 3) }, () => valueBy(full.items ?? {}, dice, depth + 1));
    case "object":
      return objectOf(full, dice, depth);
    default:
      return {};
  }
}

function objectOf({ properties, additionalProperties }: Schema, dice: Dice, depth: number): object {
  if (!properties) {
    if (!additionalProperties || depth > 9) return {};
    const names = texts.slice(0, Math.floor(dice() * 3));
    return Object.fromEntries(names.map((name) => [name, valueBy(additionalProperties, dice, depth + 1)]));
  }
  // Fewer fields at greater depth keeps the object finite.
  const share = depth === 0 ? 0.9 : depth < 3 ? 0.5 : 0.25;
  const chosen = Object.entries(properties).filter(() => dice() < share);
  return Object.fromEntries(chosen.map(([name, field]) => [name, valueBy(field, dice, depth + 1)]));
}

function arbitrary(r: ResourceDefinition, dice: Dice): Draft<ApiObject> {
  const { metadata: _, ...body } = objectOf(resolve(r.schema), dice, 0) as Partial<ApiObject>;
  const { value } = decode(r.schema, { ...body, kind: r.kind, apiVersion: apiVersionOf(r) });
  const where = r.scope === "Namespaced" ? { namespace: "default" } : {};
  return { ...(value as object), metadata: { name: oneOf(dice, texts), ...where } } as Draft<ApiObject>;
}

const now = instant(Date.parse("2026-01-02T00:00:00Z"));
function livesThrough(r: ResourceDefinition, draft: Draft<ApiObject>, before: Draft<ApiObject>): void {
  const full = r.defaults(draft);
  r.validate(full);
  r.warnings(full);
  const metadata = { ...before.metadata, uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const old = { ...r.defaults(before), apiVersion: apiVersionOf(r), metadata } as unknown as ApiObject;
  r.validate(full, old);
  r.warnings(full, old);
  const stored = { ...full, apiVersion: apiVersionOf(r), metadata } as unknown as ApiObject;
  for (const column of r.columns) column.cell(stored, now);
  for (const read of Object.values(r.selectable)) read(stored);
}

for (const r of builtinKinds.filter((k) => k.virtual !== "measured"))
  test(`${apiVersionOf(r)} ${r.kind}: random objects are defaulted, validated and printed without an exception`, () => {
    const dice = seeded(seed);
    const next = (): number => dice.next();
    const faults: string[] = [];
    for (let i = 0; i < tries && faults.length < 3; i++) {
      const [draft, before] = [arbitrary(r, next), arbitrary(r, next)];
      try {
        livesThrough(r, draft, before);
      } catch (e) {
        const at = (e as Error).stack
          ?.split("\n")
          .slice(1, 3)
          .map((line) => line.trim().replace(/\(.*\/(api\/)/, "($1"))
          .join(" ");
        faults.push(`${(e as Error).message} ${at} in ${JSON.stringify(draft).slice(0, 300)}`);
      }
    }
    expect(faults).toEqual([]);
  });

test("the test covers every stored kind", () => {
  expect(builtinKinds.filter(isStored).length).toBeGreaterThan(40);
});
