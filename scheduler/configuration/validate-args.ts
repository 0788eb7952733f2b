// Validation of the arguments of plugins, with kube-scheduler's messages.
import type { TopologySpreadConstraint } from "../../api/generated/types.ts";
import { parseDuration } from "../../api/duration.ts";
import type { Problem } from "../../api/errors.ts";
import { validateQualifiedName } from "../../api/names.ts";
import { duplicate, each, forbidden, inRange, invalid, required, together, unsupported } from "../../api/problems.ts";
import type { ShapePoint } from "../plugins/resource-scores.ts";
import type { PluginArgs, ResourceSpec } from "./configuration.ts";
import { validateAddedAffinity } from "./validate-affinity.ts";

type Validation<Name extends keyof PluginArgs> = (args: PluginArgs[Name], path: string) => readonly Problem[];

const preemption: Validation<"DefaultPreemption"> = (args, path) => {
  const { minCandidateNodesPercentage: share = 10, minCandidateNodesAbsolute: least = 100 } = args;
  const [shareAt, leastAt] = [`${path}.minCandidateNodesPercentage`, `${path}.minCandidateNodesAbsolute`];
  const none = "cannot be zero at the same time as";
  return together(
    inRange(share, shareAt, 0, 100, "not in valid range [0, 100]"),
    least < 0 && invalid(leastAt, least, "not in valid range [0, inf)"),
    share === 0 && least === 0 && invalid(shareAt, share, `${none} minCandidateNodesAbsolute`),
    share === 0 && least === 0 && invalid(leastAt, least, `${none} minCandidateNodesPercentage`),
  );
};

const podAffinity: Validation<"InterPodAffinity"> = ({ hardPodAffinityWeight }, path) =>
  inRange(hardPodAffinityWeight, `${path}.hardPodAffinityWeight`, 0, 100, "not in valid range [0, 100]");

const nodeAffinity: Validation<"NodeAffinity"> = ({ addedAffinity }, path) =>
  validateAddedAffinity(addedAffinity, `${path}.addedAffinity`);

const balance: Validation<"NodeResourcesBalancedAllocation"> = ({ resources = [] }, path) =>
  each(resources, `${path}.resources`, ({ name = "", weight = 0 }, at, i) =>
    together(
      resources.slice(0, i).some((other) => other.name === name) && duplicate(`${at}.name`, name),
      weight !== 0 && weight !== 1 && invalid(`${at}.weight`, weight, "must be 1"),
    ),
  );

const spread: Validation<"PodTopologySpread"> = ({ defaultConstraints = [], defaultingType = "System" }, path) => {
  const [typeAt, at] = [`${path}.defaultingType`, `${path}.defaultConstraints`];
  const isKnown = defaultingType === "System" || defaultingType === "List";
  return together(
    !isKnown && unsupported(typeAt, defaultingType, ["System", "List"]),
    defaultingType === "System" &&
      defaultConstraints.length > 0 &&
      invalid(typeAt, defaultingType, "when .defaultConstraints are not empty"),
    each(defaultConstraints, at, (constraint, item, i) =>
      together(constraintProblems(constraint, item), repetition(defaultConstraints, constraint, item, i)),
    ),
  );
};

const actions = ["DoNotSchedule", "ScheduleAnyway"] as const;
function constraintProblems(constraint: Partial<TopologySpreadConstraint>, at: string): readonly Problem[] {
  const { maxSkew = 0, topologyKey = "", whenUnsatisfiable, labelSelector } = constraint;
  const empty = "can not be empty";
  return together(
    maxSkew <= 0 && invalid(`${at}.maxSkew`, maxSkew, "not in valid range (0, inf)"),
    topologyKey === "" ? required(`${at}.topologyKey`, empty) : validateQualifiedName(topologyKey, `${at}.topologyKey`),
    !whenUnsatisfiable
      ? required(`${at}.whenUnsatisfiable`, empty)
      : !actions.includes(whenUnsatisfiable) && unsupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions),
    labelSelector &&
      forbidden(`${at}.labelSelector`, "constraint must not define a selector, as they deduced for each pod"),
  );
}
function repetition(
  all: readonly TopologySpreadConstraint[],
  { topologyKey, whenUnsatisfiable }: TopologySpreadConstraint,
  at: string,
  i: number,
): Problem | false {
  const isSame = (other: TopologySpreadConstraint): boolean =>
    other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable;
  return all.slice(0, i).some(isSame) && duplicate(at, `{${topologyKey}, ${whenUnsatisfiable}}`);
}

const volumes: Validation<"VolumeBinding"> = ({ bindTimeoutSeconds = 600, shape }, path) =>
  together(
    bindTimeoutSeconds < 0 &&
      invalid(
        `${path}.bindTimeoutSeconds`,
        bindTimeoutSeconds,
        "invalid BindTimeoutSeconds, should not be a negative value",
      ),
    shape &&
      invalid(
        `${path}.shape`,
        shape.map(({ utilization: Utilization = 0, score: Score = 0 }) => ({ Utilization, Score })),
        "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring",
      ),
  );

function validateShape(shape: readonly Partial<ShapePoint>[], path: string): readonly Problem[] {
  if (shape.length === 0) return [required(path, "at least one point must be specified")];
  const used = shape.map(({ utilization = 0 }) => utilization);
  const unsorted = used.findIndex((utilization, i) => i > 0 && used[i - 1]! >= utilization);
  return together(
    unsorted > 0 &&
      invalid(`${path}[${unsorted}].utilization`, used[unsorted], "values must be sorted in increasing order"),
    each(shape, path, ({ utilization, score }, at) =>
      together(
        inRange(utilization, `${at}.utilization`, 0, 100, "not in valid range [0, 100]"),
        inRange(score, `${at}.score`, 0, 10, "not in valid range [0, 10]"),
      ),
    ),
  );
}
const weights = (resources: readonly ResourceSpec[] | undefined, path: string): readonly Problem[] =>
  each(resources, path, ({ name = "", weight = 0 }, at) =>
    inRange(weight, `${at}.weight`, 0, 100, `resource weight of ${name} not in valid range (0, 100]`),
  );

const strategies = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"] as const;
const fit: Validation<"NodeResourcesFit"> = (args, path) => {
  const { ignoredResources, ignoredResourceGroups, scoringStrategy } = args;
  const within = (field: string): string => (path === "" ? field : `${path}.${field}`);
  const at = within("scoringStrategy");
  const { type, resources, requestedToCapacityRatio: ratio } = scoringStrategy ?? { type: "LeastAllocated" };
  const ratioAt = `${at}.requestedToCapacityRatio`;
  const isRatio = type === "RequestedToCapacityRatio";
  return together(
    each(ignoredResources, within("ignoredResources"), validateQualifiedName),
    each(ignoredResourceGroups, within("ignoredResourceGroups"), (group, item) =>
      together(
        group.includes("/") && invalid(item, group, "resource group name can't contain '/'"),
        validateQualifiedName(group, item),
      ),
    ),
    !strategies.includes(type ?? ("" as never)) && unsupported(`${at}.type`, type, strategies),
    weights(resources, `${at}.resources`),
    isRatio && !ratio && required(ratioAt, "must be specified when type is RequestedToCapacityRatio"),
    isRatio && ratio && validateShape(ratio.shape ?? [], `${ratioAt}.shape`),
    !isRatio && ratio && forbidden(ratioAt, "must be nil when type is not RequestedToCapacityRatio"),
  );
};

/** Milliseconds; what is not a duration counts as absent. */
export const durationOf = (text: string | undefined): number | undefined => {
  const parsed = text === undefined ? undefined : parseDuration(text);
  return typeof parsed === "number" ? parsed : undefined;
};
const devices: Validation<"DynamicResources"> = ({ filterTimeout, bindingTimeout }, path) =>
  together(
    (durationOf(filterTimeout) ?? 0) < 0 && invalid(`${path}.filterTimeout`, filterTimeout, "must be zero or positive"),
    (durationOf(bindingTimeout) ?? 1000) < 1000 &&
      invalid(`${path}.bindingTimeout`, bindingTimeout, "must be at least 1 second"),
  );

const validations: { readonly [Name in keyof PluginArgs]: Validation<Name> } = {
  DefaultPreemption: preemption,
  DynamicResources: devices,
  InterPodAffinity: podAffinity,
  NodeAffinity: nodeAffinity,
  NodeResourcesBalancedAllocation: balance,
  NodeResourcesFit: fit,
  PodTopologySpread: spread,
  VolumeBinding: volumes,
};

/** Validates decoded arguments of a plugin. Those of plugins without validation are valid. */
export function validateArgs(plugin: string, args: object, path: string): readonly Problem[] {
  const validate = Object.hasOwn(validations, plugin) ? validations[plugin as keyof PluginArgs] : undefined;
  // The name and the type of the arguments belong together.
  return validate?.(args as never, path) ?? [];
}
