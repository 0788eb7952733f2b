// Audit policies: which rule decides about a request, and what is refused in a file.
import { expect, test } from "vitest";
import { auditDecision, readAuditPolicy } from "../../../../apiserver/audit/policy.ts";
import type { RequestInfo, User } from "../../../../apiserver/authorization/authorizer.ts";

const head = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
const policyOf = (rules: string) => readAuditPolicy(`${head}rules:\n${rules}`);
const ann: User = { name: "ann", groups: ["dev", "system:authenticated"] };
const pod: RequestInfo = { verb: "get", group: "", version: "v1", resource: "pods", namespace: "team", name: "p" };
const exec: RequestInfo = { ...pod, verb: "create", subresource: "exec" };
const deployments: RequestInfo = { verb: "list", group: "apps", resource: "deployments", namespace: "team" };
const namespace: RequestInfo = { verb: "get", group: "", resource: "namespaces", name: "team" };
const nodes: RequestInfo = { verb: "list", group: "", resource: "nodes" };
const metrics: RequestInfo = { verb: "get", path: "/metrics/cadvisor" };

const matching: readonly (readonly [rule: string, matches: readonly RequestInfo[]])[] = [
  ["{}", [pod, exec, deployments, namespace, nodes, metrics]],
  ["users: [bob]", []],
  ["users: [bob, ann]", [pod, exec, deployments, namespace, nodes, metrics]],
  ["userGroups: [ops]", []],
  ["userGroups: [ops, dev]", [pod, exec, deployments, namespace, nodes, metrics]],
  ["verbs: [list]", [deployments, nodes]],
  ["namespaces: [team]", [pod, exec, deployments, namespace]],
  ['namespaces: [""]', [nodes]],
  ['resources: [{group: ""}]', [pod, exec, namespace, nodes]],
  ['resources: [{group: "*"}]', [pod, exec, deployments, namespace, nodes]],
  ["resources: [{resources: [pods]}]", [pod]],
  ["resources: [{resources: [pods/exec]}]", [exec]],
  ['resources: [{resources: ["*"]}]', [pod, exec, namespace, nodes]],
  ['resources: [{resources: ["*/exec"]}]', [exec]],
  ['resources: [{resources: ["pods/*"]}]', [pod, exec]],
  ["resources: [{resources: [pods], resourceNames: [p]}]", [pod]],
  ["resources: [{resources: [pods], resourceNames: [q]}]", []],
  ["nonResourceURLs: [/metrics]", []],
  ["nonResourceURLs: [/metrics*]", [metrics]],
  ['nonResourceURLs: ["*"]', [metrics]],
];
test.each(matching)("a rule with %s", (rule, matches) => {
  const policy = policyOf(`- {level: Metadata, ${rule.replace(/^\{\}$/, "")}}`);
  const found = [pod, exec, deployments, namespace, nodes, metrics].filter(
    (request) => auditDecision(policy, request, ann).level === "Metadata",
  );
  expect(found).toEqual(matches);
});

test("the first rule that matches decides, and none records nothing", () => {
  const policy = policyOf(
    "- {level: None, verbs: [list]}\n- {level: Request, omitStages: [RequestReceived], omitManagedFields: false}\n",
  );
  expect(auditDecision(policy, nodes, ann).level).toBe("None");
  expect(auditDecision({ ...policy, omitStages: ["Panic"], omitManagedFields: true }, pod, ann)).toEqual({
    ...{ level: "Request", omitStages: ["Panic", "RequestReceived"], omitManagedFields: false },
  });
  expect(auditDecision(policyOf("- {level: Metadata, verbs: [list]}"), pod, ann).level).toBe("None");
});

test("a request without a user matches no rule about users", () => {
  expect(auditDecision(policyOf("- {level: Metadata, users: [ann]}"), pod, undefined).level).toBe("None");
  expect(auditDecision(policyOf("- {level: Metadata, userGroups: [dev]}"), pod, undefined).level).toBe("None");
  expect(auditDecision(policyOf("- {level: Metadata}"), pod, undefined).level).toBe("Metadata");
});

test.each([
  ["rules: []", "loaded illegal policy with 0 rules"],
  ["rules: [{}]", "rules[0].level: Required value"],
  [
    "rules: [{level: All}]",
    'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request"',
  ],
  ["rules: [{level: None, verb: [get]}]", 'unknown field "rules[0].verb"'],
  ["rules: [{level: None}]\nrules: []", 'key "rules" already set in map'],
  ["rules: [{level: None, nonResourceURLs: [x]}]", "must begin with a '/' character"],
  ['rules: [{level: None, nonResourceURLs: ["/*/x"]}]', "must be the final character of the rule"],
  ["rules: [{level: None, nonResourceURLs: [/x], namespaces: [team]}]", "rules cannot apply to both regular resources"],
  ["rules: [{level: None, resources: [{group: apps/v1}]}]", 'rules[0].resources.group: Invalid value: "apps/v1"'],
  ["rules: [{level: None, resources: [{resourceNames: [a]}]}]", "using resourceNames requires at least one resource"],
  ["rules: [{level: None, omitStages: [Never]}]", 'rules[0].omitStages[0]: Invalid value: "Never": allowed stages are'],
])("the policy %s is refused", (text, message) => {
  expect(() => readAuditPolicy(head + text)).toThrow(message);
});
