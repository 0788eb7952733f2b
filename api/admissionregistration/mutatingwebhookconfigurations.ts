// MutatingWebhookConfiguration: who may change what is about to be written.
import type { MutatingWebhookConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "./match-rules.ts";
import { webhookDefaults } from "./webhook-defaults.ts";
import { validateWebhooks } from "./webhooks-validate.ts";

export const mutatingWebhookConfigurations = define<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration"),
  generation: "webhooks",
  defaults: (d) =>
    d.webhooks
      ? {
          ...d,
          webhooks: d.webhooks.map((hook) => ({
            ...webhookDefaults(hook),
            reinvocationPolicy: hook.reinvocationPolicy ?? "Never",
          })),
        }
      : d,
  validate: ({ metadata, webhooks }) => validateWebhooks(metadata, webhooks),
  columns: [nameColumn, { name: "Webhooks", type: "integer", cell: (c) => c.webhooks?.length ?? 0 }, ageColumn],
});
