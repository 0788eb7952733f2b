// LimitRange: how much one thing in a namespace may ask for, and what it asks for when it does not say.
import type { LimitRange, LimitRangeItem } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateLimitRange } from "./limitranges-validate.ts";

export type { LimitRange } from "../generated/types.ts";

/** A container is limited to the most it may have, and requests what it is limited to, unless it says otherwise. */
function itemDefaults(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== "Container") return item;
  const limits = { ...item.max, ...item.default };
  return { ...item, default: limits, defaultRequest: { ...item.min, ...limits, ...item.defaultRequest } };
}

export const limitRanges = define<LimitRange>({
  group: "",
  kind: "LimitRange",
  shortNames: ["limits"],
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  defaults: (d) => (d.spec?.limits ? { ...d, spec: { ...d.spec, limits: d.spec.limits.map(itemDefaults) } } : d),
  validate: validateLimitRange,
});
