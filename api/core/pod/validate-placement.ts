// Validation of affinities, tolerations and topology spread constraints.
import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateLabelValue, validateQualifiedName, validateSubdomainName } from "../../names.ts";
import { duplicate, each, forbidden, invalid, required, goStruct, together, unsupported } from "../../problems.ts";
import { validateOperator } from "../../selector-validate.ts";

/** Node labels can also be compared as integers. */
function validateNodeOperator(requirement: NodeSelectorRequirement, path: string): readonly Problem[] {
  const { operator, values = [] } = requirement;
  if (operator !== "Gt" && operator !== "Lt") return validateOperator(requirement, path);
  return values.length === 1
    ? []
    : [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): readonly Problem[] {
  const single = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
  const isList = operator === "In" || operator === "NotIn";
  return together(
    !isList && invalid(`${path}.operator`, operator, "not a valid selector operator"),
    isList && values.length !== 1 && required(`${path}.values`, single),
    key === "metadata.name"
      ? each(values, `${path}.values`, (value, at) => validateSubdomainName(value, at))
      : invalid(`${path}.key`, key, "not a valid field selector key"),
  );
}

/** Validates a node selector term. */
export const validateTerm = (term: NodeSelectorTerm, path: string): readonly Problem[] =>
  together(
    each(term.matchExpressions, `${path}.matchExpressions`, (r, at) => {
      return together(validateNodeOperator(r, at), validateQualifiedName(r.key, `${at}.key`));
    }),
    each(term.matchFields, `${path}.matchFields`, (r, at) => validateField(r, at)),
  );

/** Label values of a required node selector; preferred terms are not validated. */
export const validateValues = ({ nodeSelectorTerms = [] }: NodeSelector, path: string): readonly Problem[] =>
  each(nodeSelectorTerms, `${path}.nodeSelectorTerms`, (term, at) =>
    (term.matchExpressions ?? []).flatMap(({ values = [] }, j) =>
      values.flatMap((value, k) => validateLabelValue(value, `${at}.matchExpressions[${j}].values[${k}]`)),
    ),
  );

type Selector = PodAffinityTerm["labelSelector"];

/** Label keys whose values are added to the selector, which therefore must be set. */
function validateKeys(keys: readonly string[] | undefined, selector: Selector, path: string): readonly Problem[] {
  if (!keys?.length) return [];
  if (!selector) return [forbidden(path, "must not be specified when labelSelector is not set")];
  return each(keys, path, (key, at) => validateQualifiedName(key, at));
}

/** Validates a pod affinity term. */
export function validateAffinityTerm(term: PodAffinityTerm, path: string): readonly Problem[] {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  return together(
    (term.namespaces ?? []).flatMap((name) => validateLabelName(name, `${path}.namespace`)),
    validateKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    validateKeys(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    each(
      matchLabelKeys,
      `${path}.matchLabelKeys`,
      (key, at) =>
        mismatchLabelKeys.includes(key) && invalid(at, key, "exists in both matchLabelKeys and mismatchLabelKeys"),
    ),
  );
}

const tolerationFields = ["key", "operator", "value", "effect", "tolerationSeconds"];

/** A toleration as messages print it. */
export const shownToleration = (t: Toleration): object | null =>
  goStruct({ key: "", operator: "", value: "", effect: "", ...t }, tolerationFields);

function validateTolerationValue(toleration: Toleration, path: string): readonly Problem[] {
  const { operator = "", value = "" } = toleration;
  if (operator === "Exists") {
    if (value === "") return [];
    return [invalid(path, shownToleration(toleration), "value must be empty when `operator` is 'Exists'")];
  }
  if (operator !== "" && operator !== "Equal") return [unsupported(path, operator, ["Equal", "Exists"])];
  return validateLabelValue(value, path);
}

/** Validates a toleration. */
export const validateToleration = (t: Toleration, path: string): readonly Problem[] =>
  together(
    !t.key &&
      t.operator !== "Exists" &&
      invalid(
        `${path}.operator`,
        t.operator ?? "",
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    t.tolerationSeconds !== undefined &&
      t.effect !== "NoExecute" &&
      invalid(`${path}.effect`, t.effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    validateTolerationValue(t, `${path}.operator`),
  );

/** Validates one topology spread constraint. */
export const validateConstraint = (c: TopologySpreadConstraint, path: string): readonly Problem[] =>
  together(
    c.minDomains !== undefined &&
      c.whenUnsatisfiable !== "DoNotSchedule" &&
      invalid(
        `${path}.minDomains`,
        c.minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${c.whenUnsatisfiable}`,
      ),
    validateKeys(c.matchLabelKeys, c.labelSelector, `${path}.matchLabelKeys`),
  );

/** Spread constraints are unique by topology key and policy. */
export const validateSpread = (all: readonly TopologySpreadConstraint[], path: string): readonly Problem[] =>
  each(
    all,
    path,
    (c, at, i) =>
      all
        .slice(i + 1)
        .some((other) => other.topologyKey === c.topologyKey && other.whenUnsatisfiable === c.whenUnsatisfiable) &&
      duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${c.topologyKey}, ${c.whenUnsatisfiable}}`),
  );
