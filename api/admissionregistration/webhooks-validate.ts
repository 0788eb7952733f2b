// What can be wrong with a webhook of either sort.
import type { Problem } from "../errors.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../generated/types.ts";
import type { DraftMeta } from "../meta.ts";
import { validateDns1035Label, validateSubdomainName } from "../names.ts";
import { duplicate, invalid, oneOf, required } from "../problems.ts";
import { failurePolicies, matchPolicies, validateConditions, validateRule } from "./match-rules-validate.ts";
import { validateLabelSelector } from "../selector-validate.ts";
import { validateCall } from "./webhook-calls-validate.ts";

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;

const harmless = ["None", "NoneOnDryRun"];
const reinvocations = ["IfNeeded", "Never"];
const reviewVersions = ["v1", "v1beta1"];

/** Webhooks of everybody live side by side: their names say whose they are. */
function validateName(name: string | undefined, path: string): readonly Problem[] {
  if (!name) return [required(path)];
  const wrong = validateSubdomainName(name, path);
  if (wrong.length > 0 || name.split(".").length >= 3) return wrong;
  return [invalid(path, name, "should be a domain with at least three segments separated by dots")];
}

function validateVersions(versions: readonly string[] = [], path: string): readonly Problem[] {
  if (versions.length === 0) return [required(path, `must specify one of ${reviewVersions.join(", ")}`)];
  const wrong = versions.flatMap((v, i) =>
    versions.indexOf(v) < i
      ? [invalid(`${path}[${i}]`, v, "duplicate version")]
      : validateDns1035Label(v, `${path}[${i}]`),
  );
  return versions.some((v) => reviewVersions.includes(v))
    ? wrong
    : [...wrong, invalid(path, versions, `must include at least one of ${reviewVersions.join(", ")}`)];
}

function validateWebhook(hook: Webhook, path: string): readonly Problem[] {
  const { timeoutSeconds = 10 } = hook;
  return [
    ...validateName(hook.name, `${path}.name`),
    ...(hook.rules ?? []).flatMap((r, i) => validateRule(r, `${path}.rules[${i}]`)),
    ...oneOf(hook.failurePolicy, `${path}.failurePolicy`, failurePolicies),
    ...oneOf(hook.matchPolicy, `${path}.matchPolicy`, matchPolicies),
    ...(hook.sideEffects === undefined
      ? [required(`${path}.sideEffects`, `must specify one of ${harmless.join(", ")}`)]
      : oneOf(hook.sideEffects, `${path}.sideEffects`, harmless)),
    ...(timeoutSeconds >= 1 && timeoutSeconds <= 30
      ? []
      : [invalid(`${path}.timeoutSeconds`, timeoutSeconds, "the timeout value must be between 1 and 30 seconds")]),
    ...validateLabelSelector(hook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(hook.objectSelector, `${path}.objectSelector`),
    ...oneOf(hook.reinvocationPolicy, `${path}.reinvocationPolicy`, reinvocations),
    ...validateCall(hook.clientConfig, `${path}.clientConfig`),
    ...validateConditions(hook.matchConditions, `${path}.matchConditions`),
    ...validateVersions(hook.admissionReviewVersions, `${path}.admissionReviewVersions`),
  ];
}

/** What is wrong with a configuration of webhooks. */
export function validateWebhooks(metadata: DraftMeta, hooks: readonly Webhook[] = []): readonly Problem[] {
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...hooks.flatMap((hook, i) => [
      ...validateWebhook(hook, `webhooks[${i}]`),
      ...(hook.name && hooks.findIndex((other) => other.name === hook.name) < i
        ? [duplicate(`webhooks[${i}].name`, hook.name)]
        : []),
    ]),
  ];
}
