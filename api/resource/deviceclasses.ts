// DeviceClass: a sort of device, and how to set it up.
import type { DeviceClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateSubdomainName } from "../names.ts";
import { invalid } from "../problems.ts";
import { isExtended } from "../resource-names.ts";
import { validateEach } from "./device-lists-validate.ts";
import { validateOpaque, validateSelectors } from "./device-requests-validate.ts";

const mostConfigurations = 32;

export const deviceClasses = define<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "Cluster",
  published: "io.k8s.api.resource.v1.DeviceClass",
  schema: schemaOf("io.k8s.api.resource.v1.DeviceClass"),
  generation: "spec",
  defaults: (d) => ({ ...d, spec: d.spec ?? {} }),
  validate: ({ metadata, spec }) => [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...validateSelectors(spec.selectors, "spec.selectors"),
    ...validateEach(spec.config, "spec.config", mostConfigurations, ({ opaque }, path) => validateOpaque(opaque, path)),
    ...(spec.extendedResourceName === undefined || isExtended(spec.extendedResourceName)
      ? []
      : [invalid("spec.extendedResourceName", spec.extendedResourceName, "must be a valid extended resource name")]),
  ],
  columns: [nameColumn, ageColumn],
});
