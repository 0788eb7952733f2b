// Validation of limit ranges: the order of bounds, defaults within them, and resource names.
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

const names: Readonly<Record<Bound, string>> = {
  min: "min",
  max: "max",
  default: "default",
  defaultRequest: "default request",
  maxLimitRequestRatio: "ratio",
};
/** Pairs of which the first must not exceed the second, the field a violation is reported at, and the value shown. */
const orders: readonly (readonly [low: Bound, high: Bound, at: Bound, shown: Bound])[] = [
  ["min", "max", "min", "min"],
  ["min", "defaultRequest", "defaultRequest", "defaultRequest"],
  ["defaultRequest", "max", "defaultRequest", "defaultRequest"],
  ["defaultRequest", "default", "defaultRequest", "defaultRequest"],
  ["min", "default", "default", "min"],
  ["default", "max", "default", "max"],
];
const nameOf = (bound: Bound, other: Bound): string =>
  bound === "default" && other === "defaultRequest" ? "default limit" : names[bound];

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
  const { default: limit, defaultRequest: request } = b;
  const isUnequal = !isOvercommitted(resource) && limit && request && limit.nano !== request.nano;
  return together(
    orders
      .filter(([low, high]) => above(b[low], b[high]))
      .map(([low, high, at, shown]) => {
        const detail = `${nameOf(low, high)} value ${text(low)} is greater than ${nameOf(high, low)} value ${text(high)}`;
        return invalid(`${path}.${at}[${resource}]`, text(shown), detail);
      }),
    validateRatio(b, `${path}.maxLimitRequestRatio[${resource}]`),
    isUnequal &&
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
  const excluded = item.type === "Pod" ? (["default", "defaultRequest"] as const) : [];
  const allowedBounds = bounds.filter((bound) => !excluded.some((m) => m === bound));
  const resources = new Set(allowedBounds.flatMap((bound) => Object.keys(item[bound] ?? {})));
  const boundsOf = (resource: string): Bounds =>
    Object.fromEntries(allowedBounds.map((bound) => [bound, parseQuantity(item[bound]?.[resource] ?? "")]));
  const unbounded = item.max?.["storage"] === undefined && item.min?.["storage"] === undefined;
  return together(
    validateType(item.type, `${path}.type`),
    allowedBounds.flatMap((bound) =>
      Object.keys(item[bound] ?? {}).flatMap((name) => validateName(name, `${path}.${bound}[${name}]`)),
    ),
    excluded
      .filter((bound) => Object.keys(item[bound] ?? {}).length > 0)
      .map((bound) => forbidden(`${path}.${bound}`, "may not be specified when `type` is 'Pod'")),
    item.type === "PersistentVolumeClaim" &&
      unbounded &&
      required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided"),
    [...resources].flatMap((resource) => validateBounds(resource, boundsOf(resource), path)),
  );
}

/** Validates a limit range. */
export function validateLimitRange({ spec }: Draft<LimitRange>): readonly Problem[] {
  const limits = spec?.limits ?? [];
  const types = limits.map((item) => item.type);
  return each(limits, "spec.limits", (item, at, i) =>
    together(validateItem(item, at), types.indexOf(item.type) < i && duplicate(`${at}.type`, item.type)),
  );
}
