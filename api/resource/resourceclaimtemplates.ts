// ResourceClaimTemplate: what the claims of a pod's own devices are made from.
import type { ResourceClaimTemplate } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { claimDefaults } from "./device-requests.ts";
import { validateLabels, validateSubdomainName } from "../names.ts";
import { validateAnnotations } from "../core/pod/validate-annotations.ts";
import { unchanged } from "../problems.ts";
import { validateClaim } from "./device-requests-validate.ts";

export const resourceClaimTemplates = define<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  scope: "Namespaced",
  published: "io.k8s.api.resource.v1.ResourceClaimTemplate",
  schema: schemaOf("io.k8s.api.resource.v1.ResourceClaimTemplate"),
  defaults: (d) => ({
    ...d,
    spec: {
      ...d.spec,
      metadata: d.spec?.metadata ?? {},
      spec: { ...d.spec?.spec, devices: claimDefaults(d.spec?.spec?.devices ?? {}) },
    },
  }),
  validate: ({ metadata, spec }, old) =>
    old
      ? unchanged(spec, old.spec, "spec")
      : [
          ...validateSubdomainName(metadata.name, "metadata.name"),
          ...validateLabels(spec.metadata?.labels, "spec.metadata.labels"),
          ...validateAnnotations(spec.metadata?.annotations, "spec.metadata.annotations"),
          ...validateClaim(spec.spec.devices, "spec.spec.devices"),
        ],
  columns: [nameColumn, ageColumn],
});
