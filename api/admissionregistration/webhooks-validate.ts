// What can be wrong with a webhook of either sort.
import type { Problem } from "../errors.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../generated/types.ts";
import { validateDns1035Label, validateSubdomainName } from "../names.ts";
import { invalid, required } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { matchRules } from "./match-rules-validate.ts";
import { validateCall } from "./webhook-calls-validate.ts";

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

const validateWebhook = (hook: ValidatingWebhook | MutatingWebhook, path: string): readonly Problem[] => [
  ...validateName(hook.name, `${path}.name`),
  ...validateCall(hook.clientConfig, `${path}.clientConfig`),
  ...validateVersions(hook.admissionReviewVersions, `${path}.admissionReviewVersions`),
];

export const webhookRules: Rules = {
  ...matchRules,
  MutatingWebhook: validateWebhook,
  ValidatingWebhook: validateWebhook,
};
