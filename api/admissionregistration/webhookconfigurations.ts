// MutatingWebhookConfiguration and ValidatingWebhookConfiguration: webhooks that change or refuse requests.
import type {
  AdmissionregistrationV1WebhookClientConfig as WebhookClientConfig,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { define } from "../kinds.ts";
import { validateDns1035Label, validateDomain } from "../names.ts";
import { each, invalid, together } from "../problems.ts";
import { extension, matchRules } from "./match-rules.ts";
import { validateClientConfig } from "./webhook-client-config.ts";

const reviewVersions = ["v1", "v1beta1"];

const validateVersions = (versions: readonly string[], path: string) =>
  together(
    each(versions, path, (version, at, i) =>
      versions.indexOf(version) < i ? [invalid(at, version, "duplicate version")] : validateDns1035Label(version, at),
    ),
    versions.length > 0 &&
      !versions.some((version) => reviewVersions.includes(version)) &&
      invalid(path, versions, `must include at least one of ${reviewVersions.join(", ")}`),
  );

/** Names of webhooks are unique in a cluster by convention, so they include a domain. */
const validateWebhook = ({ name, admissionReviewVersions: versions }: Omit<ValidatingWebhook, "kind">) =>
  together(
    validateDomain(name, "name", 3, "three segments separated by dots"),
    validateVersions(versions, "admissionReviewVersions"),
  );

const webhooks = {
  ...extension,
  group: "admissionregistration.k8s.io",
  generation: "webhooks",
  rules: {
    ...matchRules,
    MutatingWebhook: validateWebhook,
    ValidatingWebhook: validateWebhook,
    WebhookClientConfig: (config: WebhookClientConfig) => validateClientConfig(config, ""),
  },
  columns: [
    nameColumn,
    {
      name: "Webhooks",
      type: "integer",
      cell: (c: { readonly webhooks?: readonly unknown[] }) => c.webhooks?.length ?? 0,
    },
    ageColumn,
  ],
} as const;

export const mutatingWebhookConfigurations = define<MutatingWebhookConfiguration>({
  ...webhooks,
  kind: "MutatingWebhookConfiguration",
});

export const validatingWebhookConfigurations = define<ValidatingWebhookConfiguration>({
  ...webhooks,
  kind: "ValidatingWebhookConfiguration",
});
