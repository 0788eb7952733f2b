// Makes a scenario smaller while a property of it holds: leaves out pods, nodes, objects, and then their fields.
import type { Manifest, Scenario } from "./scenario.ts";

type Parts = Pick<Scenario, "nodes" | "objects" | "bound" | "steps">;
const parts = ["steps", "bound", "objects", "nodes"] as const satisfies readonly (keyof Parts)[];

/** All values in which one entry of a list or one field is left out, outer ones first. */
function* smaller(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield value.toSpliced(i, 1);
    for (let i = 0; i < value.length; i++) for (const less of smaller(value[i])) yield value.with(i, less);
  } else if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value);
    for (const [name] of fields) yield Object.fromEntries(fields.filter(([other]) => other !== name));
    for (const [name, inner] of fields) for (const less of smaller(inner)) yield { ...value, [name]: less };
  }
}

type Holds = (scenario: Scenario) => Promise<boolean>;
/** An invalid scenario has no property. */
const quietly =
  (holds: Holds): Holds =>
  (scenario) =>
    holds(scenario).catch(() => false);

/** Leaves out halves, quarters, and so on of a list. */
async function fewer(scenario: Scenario, part: keyof Parts, holds: Holds): Promise<Scenario> {
  let current = scenario;
  for (let size = Math.ceil(current[part].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < current[part].length; ) {
      const candidate = { ...current, [part]: current[part].toSpliced(at, size) };
      if (await holds(candidate)) current = candidate;
      else at += size;
    }
  return current;
}

async function plainer(scenario: Scenario, part: keyof Parts, holds: Holds): Promise<Scenario> {
  let current = scenario;
  for (let i = 0; i < current[part].length; i++) {
    let isSmaller = true;
    while (isSmaller) {
      isSmaller = false;
      for (const less of smaller(current[part][i])) {
        const candidate = { ...current, [part]: current[part].with(i, less as Manifest) };
        if (!(await holds(candidate))) continue;
        current = candidate;
        isSmaller = true;
        break;
      }
    }
  }
  return current;
}

/** A scenario with the property of which nothing can be left out alone. */
export async function minimized(scenario: Scenario, property: Holds): Promise<Scenario> {
  const holds = quietly(property);
  let current = scenario;
  for (const part of parts) current = await fewer(current, part, holds);
  for (const part of parts) current = await plainer(current, part, holds);
  return current;
}
