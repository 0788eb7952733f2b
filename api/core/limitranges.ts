// LimitRange: default and extreme resources of each pod, container or claim of a namespace.
import type { LimitRange, LimitRangeItem } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateLimitRange } from "./limitranges-validate.ts";

export type { LimitRange } from "../generated/types.ts";

/** The default limit of containers is the maximum, and their default request is the limit, else the minimum. */
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
