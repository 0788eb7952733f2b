// What can be wrong with what a pod says of where it may run: affinities, tolerations, and how its like are spread.
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateLabelValue, validateQualifiedName, validateSubdomainName } from "../../names.ts";
import { duplicate, forbidden, invalid, oneOf, required, shownWhole, unsupported } from "../../problems.ts";
import { validateLabelSelector, validateOperator } from "../../selector-validate.ts";

/** A node's labels may also be compared as numbers. */
function validateNodeOperator(requirement: NodeSelectorRequirement, path: string): readonly Problem[] {
  const { operator, values = [] } = requirement;
  if (operator !== "Gt" && operator !== "Lt") return validateOperator(requirement, path);
  return values.length === 1
    ? []
    : [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): readonly Problem[] {
  const single = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
  const chosen = operator === "In" || operator === "NotIn";
  return [
    ...(chosen ? [] : [invalid(`${path}.operator`, operator, "not a valid selector operator")]),
    ...(chosen && values.length !== 1 ? [required(`${path}.values`, single)] : []),
    ...(key === "metadata.name"
      ? values.flatMap((value, i) => validateSubdomainName(value, `${path}.values[${i}]`))
      : [invalid(`${path}.key`, key, "not a valid field selector key")]),
  ];
}

const validateTerm = (term: NodeSelectorTerm, path: string, strict: boolean): readonly Problem[] => [
  ...(term.matchExpressions ?? []).flatMap((r, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    return [
      ...validateNodeOperator(r, at),
      ...validateQualifiedName(r.key, `${at}.key`),
      ...(strict ? (r.values ?? []).flatMap((value, j) => validateLabelValue(value, `${at}.values[${j}]`)) : []),
    ];
  }),
  ...(term.matchFields ?? []).flatMap((r, i) => validateField(r, `${path}.matchFields[${i}]`)),
];

/** What is wrong with a choice of nodes that must be kept to. */
export function validateNodeSelector({ nodeSelectorTerms = [] }: NodeSelector, path: string): readonly Problem[] {
  const at = `${path}.nodeSelectorTerms`;
  if (nodeSelectorTerms.length === 0) return [required(at, "must have at least one node selector term")];
  return nodeSelectorTerms.flatMap((term, i) => validateTerm(term, `${at}[${i}]`, true));
}

const validateWeight = (weight: number, path: string): readonly Problem[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(`${path}.weight`, weight, "must be in the range 1-100")];

type Selector = PodAffinityTerm["labelSelector"];

/** Keys whose values a pod takes from itself; without a selector there is nothing to add them to. */
function validateKeys(keys: readonly string[] | undefined, selector: Selector, path: string): readonly Problem[] {
  if (!keys?.length) return [];
  if (!selector) return [forbidden(path, "must not be specified when labelSelector is not set")];
  return keys.flatMap((key, i) => validateQualifiedName(key, `${path}[${i}]`));
}

function validateAffinityTerm(term: PodAffinityTerm, path: string): readonly Problem[] {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [], topologyKey } = term;
  return [
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => validateLabelName(name, `${path}.namespace`)),
    ...validateKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    ...validateKeys(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    ...matchLabelKeys.flatMap((key, i) =>
      mismatchLabelKeys.includes(key)
        ? [invalid(`${path}.matchLabelKeys[${i}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys")]
        : [],
    ),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...validateQualifiedName(topologyKey ?? "", `${path}.topologyKey`),
  ];
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string): readonly Problem[] {
  const must = `${path}.requiredDuringSchedulingIgnoredDuringExecution`;
  const should = `${path}.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) =>
      validateAffinityTerm(term, `${must}[${i}]`),
    ),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ weight, podAffinityTerm }, i) => [
      ...validateWeight(weight, `${should}[${i}]`),
      ...validateAffinityTerm(podAffinityTerm, `${should}[${i}].podAffinityTerm`),
    ]),
  ];
}

/** What is wrong with where, and beside whom, a pod wants to be. */
export function validateAffinity(affinity: Affinity | undefined, path: string): readonly Problem[] {
  const node = affinity?.nodeAffinity;
  const must = node?.requiredDuringSchedulingIgnoredDuringExecution;
  const should = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...(must ? validateNodeSelector(must, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`) : []),
    ...(node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ weight, preference }, i) => [
      ...validateWeight(weight, `${should}[${i}]`),
      ...validateTerm(preference ?? {}, `${should}[${i}].preference`, false),
    ]),
    ...validatePodAffinity(affinity?.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity?.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

const wholeToleration = ["key", "operator", "value", "effect", "tolerationSeconds"];

/** A toleration as errors show it. */
export const shownToleration = (t: Toleration): object | null =>
  shownWhole({ key: "", operator: "", value: "", effect: "", ...t }, wholeToleration);

function validateTolerated(toleration: Toleration, path: string): readonly Problem[] {
  const { operator = "", value = "" } = toleration;
  if (operator === "Exists") {
    if (value === "") return [];
    return [invalid(path, shownToleration(toleration), "value must be empty when `operator` is 'Exists'")];
  }
  if (operator !== "" && operator !== "Equal") return [unsupported(path, operator, ["Equal", "Exists"])];
  return validateLabelValue(value, path);
}

/** What is wrong with the taints a pod puts up with. */
export const validateTolerations = (tolerations: readonly Toleration[], path: string): readonly Problem[] =>
  tolerations.flatMap((t, i) => {
    const at = `${path}[${i}]`;
    return [
      ...(t.key ? validateQualifiedName(t.key, `${at}.key`) : []),
      ...(!t.key && t.operator !== "Exists"
        ? [
            invalid(
              `${at}.operator`,
              t.operator ?? "",
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : []),
      ...(t.tolerationSeconds !== undefined && t.effect !== "NoExecute"
        ? [invalid(`${at}.effect`, t.effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set")]
        : []),
      ...validateTolerated(t, `${at}.operator`),
      ...(t.effect && !effects.includes(t.effect) ? [unsupported(`${at}.effect`, t.effect, effects)] : []),
    ];
  });

const actions = ["DoNotSchedule", "ScheduleAnyway"];
const greater = "must be greater than zero";

function validateConstraint(c: TopologySpreadConstraint, path: string): readonly Problem[] {
  const { minDomains, whenUnsatisfiable } = c;
  return [
    ...(c.maxSkew > 0 ? [] : [invalid(`${path}.maxSkew`, c.maxSkew, greater)]),
    ...(c.topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...(actions.includes(whenUnsatisfiable)
      ? []
      : [unsupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions)]),
    ...(minDomains !== undefined && minDomains <= 0 ? [invalid(`${path}.minDomains`, minDomains, greater)] : []),
    ...(minDomains !== undefined && whenUnsatisfiable !== "DoNotSchedule"
      ? [
          invalid(
            `${path}.minDomains`,
            minDomains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
          ),
        ]
      : []),
    ...oneOf(c.nodeAffinityPolicy, `${path}.nodeAffinityPolicy`, ["Honor", "Ignore"]),
    ...oneOf(c.nodeTaintsPolicy, `${path}.nodeTaintsPolicy`, ["Honor", "Ignore"]),
    ...validateKeys(c.matchLabelKeys, c.labelSelector, `${path}.matchLabelKeys`),
    ...validateLabelSelector(c.labelSelector, `${path}.labelSelector`),
  ];
}

/** What is wrong with how pods are to be spread. */
export const validateSpread = (all: readonly TopologySpreadConstraint[], path: string): readonly Problem[] =>
  all.flatMap((c, i) => [
    ...validateConstraint(c, `${path}[${i}]`),
    ...(all
      .slice(i + 1)
      .some((other) => other.topologyKey === c.topologyKey && other.whenUnsatisfiable === c.whenUnsatisfiable)
      ? [duplicate(`${path}[${i}].{topologyKey, whenUnsatisfiable}`, `{${c.topologyKey}, ${c.whenUnsatisfiable}}`)]
      : []),
  ]);
