// ValidatingWebhookConfiguration: who is asked whether a change may happen.
import type { ValidatingWebhookConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "./match-rules.ts";
import { webhookDefaults } from "./webhook-defaults.ts";
import { validateWebhooks } from "./webhooks-validate.ts";

export const validatingWebhookConfigurations = define<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration"),
  generation: "webhooks",
  defaults: (d) =>
    d.webhooks
      ? {
          ...d,
          webhooks: d.webhooks.map(webhookDefaults),
        }
      : d,
  validate: ({ metadata, webhooks }) => validateWebhooks(metadata, webhooks),
  columns: [nameColumn, { name: "Webhooks", type: "integer", cell: (c) => c.webhooks?.length ?? 0 }, ageColumn],
});
