// Whether a rule of a role allows a request. Pure. Source: the Kubernetes page "Using RBAC Authorization"; resource
// names never match requests without a name.
import type { PolicyRule } from "../../../api/generated/types.ts";
import { includes, resourceMatches, urlMatches } from "../../../api/rbac/coverage.ts";
import type { RequestInfo } from "../authorizer.ts";

/** Whether a rule allows a request. */
export function ruleAllows(rule: PolicyRule, request: RequestInfo): boolean {
  const { verb, group = "", resource, subresource = "", name = "", path = "" } = request;
  if (!includes(rule.verbs, verb)) return false;
  if (resource === undefined) return urlMatches(rule.nonResourceURLs, path);
  const { resourceNames = [] } = rule;
  return (
    includes(rule.apiGroups, group) &&
    resourceMatches(rule.resources, resource, subresource) &&
    (resourceNames.length === 0 || resourceNames.includes(name))
  );
}
