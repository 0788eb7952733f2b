// Selectors of devices: expressions about one device, with its driver, attributes and capacities. Source: KEP-4381; the
// Kubernetes concepts page, "Dynamic Resource Allocation".
import type { Environment } from "@marcbachmann/cel-js";
import type { Device, DeviceAttribute } from "../../api/generated/types.ts";
import { baseEnvironment, compile, type CompileProblem, type Expression } from "./expression.ts";
import { celQuantity } from "./quantity-library.ts";
import { celVersion } from "./version-library.ts";

/** Attributes and capacities of a device, and characters of a value, are no more. */
const mostItems = 64;
const domains = "map<string, map<string,";

const environment = (): Environment =>
  baseEnvironment()
    .registerType("kubernetes.DRADevice", {
      fields: {
        driver: "string",
        allowMultipleAllocations: "bool",
        attributes: `${domains} dyn>>`,
        capacity: `${domains} kubernetes.Quantity>>`,
      },
    })
    .registerVariable("device", "kubernetes.DRADevice");

let devices: Environment | undefined;

/** A selector that is compiled. */
export interface DeviceSelector {
  /** Throws what goes wrong, as an attribute that the device does not have. */
  matches(subject: DeviceOfDriver): boolean;
}
/** What a selector looks at. Kept for each device, because it is compared with many selectors. */
export interface DeviceOfDriver {
  readonly device: {
    readonly driver: string;
    readonly allowMultipleAllocations: boolean;
    readonly attributes: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
    readonly capacity: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  };
}

function attributeValue(name: string, { bool, int, string, version }: DeviceAttribute): unknown {
  if (int !== undefined) return BigInt(int);
  if (bool !== undefined) return bool;
  if (string !== undefined) return string;
  if (version !== undefined) return celVersion(version);
  throw new Error(`attribute ${name}: unsupported attribute value`);
}

/** Values by domain and name; the driver's own have its name as domain. A domain without values is empty. */
function byDomain(entries: readonly (readonly [string, unknown])[], driver: string) {
  const maps = new Map<string, Map<string, unknown>>();
  for (const [name, value] of entries) {
    const slash = name.indexOf("/");
    const [domain, id] = slash < 0 ? [driver, name] : [name.slice(0, slash), name.slice(slash + 1)];
    maps.set(domain, (maps.get(domain) ?? new Map<string, unknown>()).set(id, value));
  }
  const empty = new Map<string, unknown>();
  const found = maps.get.bind(maps);
  return Object.assign(maps, { get: (domain: string) => found(domain) ?? empty });
}

/** Throws for an attribute of a type that is not known. */
export const deviceOfDriver = (driver: string, d: Device): DeviceOfDriver => ({
  device: {
    driver,
    allowMultipleAllocations: d.allowMultipleAllocations === true,
    attributes: byDomain(
      Object.entries(d.attributes ?? {}).map(([name, a]) => [name, attributeValue(name, a)]),
      driver,
    ),
    capacity: byDomain(
      Object.entries(d.capacity ?? {}).map(([name, c]) => [name, celQuantity(c.value)]),
      driver,
    ),
  },
});

function compiled(source: string): DeviceSelector | CompileProblem {
  devices ??= environment();
  const expression: Expression | CompileProblem = compile(devices, source, {
    returns: "bool",
    mostItems,
    defaultedMaps: ["device.attributes", "device.capacity"],
  });
  if ("kind" in expression) return expression;
  return {
    matches(subject) {
      const result = expression.evaluate({ ...subject });
      if (typeof result !== "boolean")
        throw new Error(`CEL result of type ${typeof result} could not be converted to bool`);
      return result;
    },
  };
}

const known = new Map<string, DeviceSelector | CompileProblem>();
const mostKnown = 500;

/** A selector, or why its expression is refused. The same few occur in many claims: they are compiled once. */
export function deviceSelector(source: string): DeviceSelector | CompileProblem {
  const found = known.get(source);
  if (found) return found;
  if (known.size >= mostKnown) known.clear();
  const selector = compiled(source);
  known.set(source, selector);
  return selector;
}
