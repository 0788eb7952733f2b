// MutatingWebhookConfiguration: who may change what is about to be written.
import type { MutatingWebhookConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "./match-rules.ts";
import { webhookRules } from "./webhooks-validate.ts";

export const mutatingWebhookConfigurations = define<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  kind: "MutatingWebhookConfiguration",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  generation: "webhooks",
  rules: webhookRules,
  columns: [nameColumn, { name: "Webhooks", type: "integer", cell: (c) => c.webhooks?.length ?? 0 }, ageColumn],
});
