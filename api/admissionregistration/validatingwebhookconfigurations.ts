// ValidatingWebhookConfiguration: who is asked whether a change may happen.
import type { ValidatingWebhookConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "./match-rules.ts";
import { webhookRules } from "./webhooks-validate.ts";

export const validatingWebhookConfigurations = define<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  kind: "ValidatingWebhookConfiguration",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  generation: "webhooks",
  rules: webhookRules,
  columns: [nameColumn, { name: "Webhooks", type: "integer", cell: (c) => c.webhooks?.length ?? 0 }, ageColumn],
});
