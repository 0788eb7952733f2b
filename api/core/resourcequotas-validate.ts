// What can be wrong with a quota: a resource nobody counts, or a scope in which it is not counted.
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { invalid, required, together } from "../problems.ts";
import { isQuotaName, validateAmount, validateQuotaResourceName } from "../resource-names.ts";

type Amounts = Readonly<Record<string, string>> | undefined;

const compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const ofPods = ["pods", ...compute];
/** What each scope can count. */
const countedIn: Readonly<Record<string, readonly string[]>> = {
  Terminating: ofPods,
  NotTerminating: ofPods,
  BestEffort: ["pods"],
  NotBestEffort: ofPods,
  PriorityClass: ofPods,
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: ["persistentvolumeclaims", "requests.storage"],
};
/** Scopes a pod is either in or not in: there is nothing to choose from. */
const plain = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

const validateAmounts = (amounts: Amounts, path: string): readonly Problem[] =>
  Object.entries(amounts ?? {}).flatMap(([name, text]) =>
    together(validateQuotaResourceName(name, `${path}[${name}]`), validateAmount(name, text, `${path}[${name}]`)),
  );

const uncounted = (scope: string, hard: Amounts): readonly string[] =>
  Object.keys(hard ?? {})
    .toSorted()
    .filter((name) => isQuotaName(name) && countedIn[scope]?.includes(name) === false);
const conflicting = (scopes: readonly string[]): boolean =>
  opposites.some(([one, other]) => scopes.includes(one) && scopes.includes(other));

function validateScopes({ scopes = [], hard }: ResourceQuotaSpec): readonly Problem[] {
  const path = "spec.scopes";
  return together(
    scopes.flatMap((scope) =>
      together(
        !countedIn[scope] && invalid(path, scopes, "unsupported scope"),
        uncounted(scope, hard).map(() => invalid(path, scopes, "unsupported scope applied to resource")),
      ),
    ),
    conflicting(scopes) && invalid(path, scopes, "conflicting scopes"),
  );
}

function validateOperator(r: ScopedResourceSelectorRequirement, path: string): readonly Problem[] {
  const { operator, values = [] } = r;
  if (operator === "In" || operator === "NotIn")
    return values.length > 0
      ? []
      : [
          required(
            `${path}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        ];
  if (operator === "Exists" || operator === "DoesNotExist")
    return values.length === 0
      ? []
      : [
          invalid(
            `${path}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        ];
  return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
}

function validateScopeSelector({ scopeSelector, hard, scopes }: ResourceQuotaSpec): readonly Problem[] {
  const path = "spec.scopeSelector.matchExpressions";
  const wanted = scopeSelector?.matchExpressions ?? [];
  return together(
    wanted.flatMap((r) =>
      together(
        !countedIn[r.scopeName] && invalid(`${path}.scopeName`, r.scopeName, "unsupported scope"),
        uncounted(r.scopeName, hard).map(() => invalid(path, scopeSelector, "unsupported scope applied to resource")),
        plain.includes(r.scopeName) &&
          r.operator !== "Exists" &&
          invalid(
            `${path}.operator`,
            r.operator,
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
          ),
        validateOperator(r, path),
      ),
    ),
    conflicting(wanted.map((r) => r.scopeName)) && invalid(path, scopes ?? [], "conflicting scopes"),
  );
}

/** What is wrong with a quota. Which pods it counts stays as it was. */
export function validateQuota({ spec }: Draft<ResourceQuota>, old?: ResourceQuota): readonly Problem[] {
  const [now, then] = [new Set(spec.scopes), new Set(old?.spec.scopes)];
  return together(
    validateAmounts(spec.hard, "spec.hard"),
    validateScopes(spec),
    validateScopeSelector(spec),
    old && now.symmetricDifference(then).size > 0 && invalid("spec.scopes", spec.scopes ?? [], "field is immutable"),
  );
}

/** What is wrong with what a quota is said to have counted. */
export const validateQuotaStatus = ({ status }: ResourceQuota): readonly Problem[] =>
  together(validateAmounts(status?.hard, "status.hard"), validateAmounts(status?.used, "status.used"));
