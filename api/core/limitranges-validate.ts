// What can be wrong with a range of limits: bounds that contradict each other, and defaults beyond them.
import type { LimitRange, LimitRangeItem } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, each, forbidden, invalid, required, together } from "../problems.ts";
import { formatQuantity, parseQuantity, type Quantity } from "../quantity.ts";
import { isOvercommitted, validateContainerResourceName, validateResourceName } from "../resource-names.ts";

const standardTypes = ["Pod", "Container", "PersistentVolumeClaim"];
const bounds = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
type Bound = (typeof bounds)[number];
type Bounds = Readonly<Partial<Record<Bound, Quantity>>>;

function validateType(type: string, path: string): readonly Problem[] {
  const form = validateQualifiedName(type, path);
  if (form.length > 0 || type.includes("/") || standardTypes.includes(type)) return form;
  return [invalid(path, type, "must be a standard limit type or fully qualified")];
}

const above = (a: Quantity | undefined, b: Quantity | undefined): boolean =>
  a !== undefined && b !== undefined && a.nano > b.nano;

/** Which of two bounds must not be the greater one, which of them is wrong if it is, and how that is said. */
interface Order {
  readonly low: Bound;
  readonly high: Bound;
  readonly at: Bound;
  readonly shown: Bound;
  say(low: string, high: string): string;
}
const orders: readonly Order[] = [
  {
    ...{ low: "min", high: "max", at: "min", shown: "min" },
    say: (low, high) => `min value ${low} is greater than max value ${high}`,
  },
  {
    ...{ low: "min", high: "defaultRequest", at: "defaultRequest", shown: "defaultRequest" },
    say: (low, high) => `min value ${low} is greater than default request value ${high}`,
  },
  {
    ...{ low: "defaultRequest", high: "max", at: "defaultRequest", shown: "defaultRequest" },
    say: (low, high) => `default request value ${low} is greater than max value ${high}`,
  },
  {
    ...{ low: "defaultRequest", high: "default", at: "defaultRequest", shown: "defaultRequest" },
    say: (low, high) => `default request value ${low} is greater than default limit value ${high}`,
  },
  {
    ...{ low: "min", high: "default", at: "default", shown: "min" },
    say: (low, high) => `min value ${low} is greater than default value ${high}`,
  },
  {
    ...{ low: "default", high: "max", at: "default", shown: "max" },
    say: (low, high) => `default value ${low} is greater than max value ${high}`,
  },
];

const one = 1_000_000_000n;

function validateRatio(b: Bounds, path: string): readonly Problem[] {
  const { maxLimitRequestRatio: ratio, min, max } = b;
  if (!ratio) return [];
  const shown = formatQuantity(ratio);
  const most = min && max && min.nano > 0n ? Number(max.nano) / Number(min.nano) : Number.POSITIVE_INFINITY;
  return together(
    ratio.nano < one && invalid(path, shown, `ratio ${shown} is less than 1`),
    Number(ratio.nano) / Number(one) > most &&
      invalid(path, shown, `ratio ${shown} is greater than max/min = ${most.toFixed(6)}`),
  );
}

function validateBounds(resource: string, b: Bounds, path: string): readonly Problem[] {
  const text = (bound: Bound): string => formatQuantity(b[bound]!);
  const wrong = orders
    .filter(({ low, high }) => above(b[low], b[high]))
    .map(({ low, high, at, shown, say }) =>
      invalid(`${path}.${at}[${resource}]`, text(shown), say(text(low), text(high))),
    );
  const unequal =
    !isOvercommitted(resource) && b.default && b.defaultRequest && b.default.nano !== b.defaultRequest.nano;
  return together(
    wrong,
    validateRatio(b, `${path}.maxLimitRequestRatio[${resource}]`),
    unequal &&
      invalid(
        `${path}.defaultRequest[${resource}]`,
        text("defaultRequest"),
        `default value ${text("default")} must equal to defaultRequest value ${text("defaultRequest")} in ${resource}`,
      ),
  );
}

function validateItem(item: LimitRangeItem, path: string): readonly Problem[] {
  const validateName =
    item.type === "Pod" || item.type === "Container" ? validateContainerResourceName : validateResourceName;
  const misplaced = item.type === "Pod" ? (["default", "defaultRequest"] as const) : [];
  const allowedBounds = bounds.filter((bound) => !misplaced.some((m) => m === bound));
  const resources = new Set(allowedBounds.flatMap((bound) => Object.keys(item[bound] ?? {})));
  const boundsOf = (resource: string): Bounds =>
    Object.fromEntries(allowedBounds.map((bound) => [bound, parseQuantity(item[bound]?.[resource] ?? "")]));
  const unbounded = item.max?.["storage"] === undefined && item.min?.["storage"] === undefined;
  return together(
    validateType(item.type, `${path}.type`),
    allowedBounds.flatMap((bound) =>
      Object.keys(item[bound] ?? {}).flatMap((name) => validateName(name, `${path}.${bound}[${name}]`)),
    ),
    misplaced
      .filter((bound) => Object.keys(item[bound] ?? {}).length > 0)
      .map((bound) => forbidden(`${path}.${bound}`, "may not be specified when `type` is 'Pod'")),
    item.type === "PersistentVolumeClaim" &&
      unbounded &&
      required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided"),
    [...resources].flatMap((resource) => validateBounds(resource, boundsOf(resource), path)),
  );
}

/** What is wrong with a range of limits. */
export function validateLimitRange({ spec }: Draft<LimitRange>): readonly Problem[] {
  const limits = spec?.limits ?? [];
  const types = limits.map((item) => item.type);
  return each(limits, "spec.limits", (item, at, i) =>
    together(validateItem(item, at), types.indexOf(item.type) < i && duplicate(`${at}.type`, item.type)),
  );
}
