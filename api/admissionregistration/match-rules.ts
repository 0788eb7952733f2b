// Which requests a webhook or a policy wants to see: what both say alike, and what they mean when they are silent.
import type {
  LabelSelector,
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  RuleWithOperations,
} from "../generated/types.ts";
import { selectorText } from "../selector.ts";

/** Kinds that extend the API go by this name too: `kubectl get api-extensions`. */
export const extensionCategories: readonly string[] = ["api-extensions"];

interface Selecting {
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

/** Of any version, in any namespace, whatever its labels. */
export const everywhere = <S extends Selecting>(given: S): S => ({
  ...given,
  matchPolicy: given.matchPolicy ?? "Equivalent",
  namespaceSelector: given.namespaceSelector ?? {},
  objectSelector: given.objectSelector ?? {},
});

/** Namespaced and cluster-scoped alike. */
export const anyScope = <R extends RuleWithOperations | NamedRuleWithOperations>(rules: readonly R[]): readonly R[] =>
  rules.map((r) => ({ ...r, scope: r.scope ?? "*" }));

/** What a policy looks at. */
export const matchDefaults = (match: MatchResources): MatchResources => ({
  ...everywhere(match),
  ...(match.resourceRules && { resourceRules: anyScope(match.resourceRules) }),
  ...(match.excludeResourceRules && { excludeResourceRules: anyScope(match.excludeResourceRules) }),
});

/** A policy's parameters by kind, as a column shows them. */
export const paramKindText = (kind: ParamKind | undefined): string =>
  kind ? `${kind.apiVersion ?? ""}/${kind.kind ?? ""}` : "<unset>";

/** A binding's parameters, as a column shows them. */
export function paramText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector ? selectorText(ref.selector) : "<unset>";
}
