// Validation of quotas: resource names, amounts, and scopes.
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { invalid, required, together } from "../problems.ts";
import { isQuotaName, validateAmount, validateQuotaResourceName } from "../resource-names.ts";

type Amounts = Readonly<Record<string, string>> | undefined;

const compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const ofPods = ["pods", ...compute];
/** The resources that can be counted in each scope. */
const countedIn: Readonly<Record<string, readonly string[]>> = {
  Terminating: ofPods,
  NotTerminating: ofPods,
  BestEffort: ["pods"],
  NotBestEffort: ofPods,
  PriorityClass: ofPods,
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: ["persistentvolumeclaims", "requests.storage"],
};
/** Scopes without values, which take only the operator `Exists`. */
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

const forScopes = "for scope selector";
function validateOperator(r: ScopedResourceSelectorRequirement, path: string): readonly Problem[] {
  const { operator, values = [] } = r;
  const at = `${path}.values`;
  if (operator === "In" || operator === "NotIn")
    return values.length > 0
      ? []
      : [required(at, `must be at least one value when \`operator\` is 'In' or 'NotIn' ${forScopes}`)];
  if (operator === "Exists" || operator === "DoesNotExist")
    return values.length === 0
      ? []
      : [invalid(at, values, `must be no value when \`operator\` is 'Exist' or 'DoesNotExist' ${forScopes}`)];
  return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
}

const mustExist =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function validateScopeSelector({ scopeSelector, hard, scopes }: ResourceQuotaSpec): readonly Problem[] {
  const path = "spec.scopeSelector.matchExpressions";
  const requirements = scopeSelector?.matchExpressions ?? [];
  return together(
    requirements.flatMap((r) =>
      together(
        !countedIn[r.scopeName] && invalid(`${path}.scopeName`, r.scopeName, "unsupported scope"),
        uncounted(r.scopeName, hard).map(() => invalid(path, scopeSelector, "unsupported scope applied to resource")),
        plain.includes(r.scopeName) && r.operator !== "Exists" && invalid(`${path}.operator`, r.operator, mustExist),
        validateOperator(r, path),
      ),
    ),
    conflicting(requirements.map((r) => r.scopeName)) && invalid(path, scopes ?? [], "conflicting scopes"),
  );
}

/** Validates a quota; its scopes are immutable. */
export function validateQuota({ spec }: Draft<ResourceQuota>, old?: ResourceQuota): readonly Problem[] {
  const [now, then] = [new Set(spec.scopes), new Set(old?.spec.scopes)];
  return together(
    validateAmounts(spec.hard, "spec.hard"),
    validateScopes(spec),
    validateScopeSelector(spec),
    old && now.symmetricDifference(then).size > 0 && invalid("spec.scopes", spec.scopes ?? [], "field is immutable"),
  );
}

/** Validates the amounts of a status. */
export const validateQuotaStatus = ({ status }: ResourceQuota): readonly Problem[] =>
  together(validateAmounts(status?.hard, "status.hard"), validateAmounts(status?.used, "status.used"));
