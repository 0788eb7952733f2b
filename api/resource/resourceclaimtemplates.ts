// ResourceClaimTemplate: what the claims of a pod's own devices are made from.
import type { ResourceClaimTemplate } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { claimDefaults } from "./device-requests.ts";
import { validateLabels } from "../names.ts";
import { validateAnnotations } from "../core/pod/validate-metadata.ts";
import { deviceRules } from "./device-requests-validate.ts";

export const resourceClaimTemplates = define<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  kind: "ResourceClaimTemplate",
  scope: "Namespaced",
  defaults: ({ spec, ...d }) => ({
    ...d,
    spec: { ...spec, spec: { ...spec.spec, devices: claimDefaults(spec.spec.devices ?? {}) } },
  }),
  rules: deviceRules,
  validate: ({ spec }, old) =>
    old
      ? []
      : [
          ...validateLabels(spec.metadata?.labels, "spec.metadata.labels"),
          ...validateAnnotations(spec.metadata?.annotations, "spec.metadata.annotations"),
        ],
  columns: [nameColumn, ageColumn],
});
