// DeviceClass: a sort of device, and how to set it up.
import type { DeviceClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalid } from "../problems.ts";
import { isExtended } from "../resource-names.ts";
import { deviceRules } from "./device-requests-validate.ts";

export const deviceClasses = define<DeviceClass>({
  group: "resource.k8s.io",
  kind: "DeviceClass",
  scope: "Cluster",
  generation: "spec",
  rules: deviceRules,
  validate: ({ spec }) => [
    ...(spec.extendedResourceName === undefined || isExtended(spec.extendedResourceName)
      ? []
      : [invalid("spec.extendedResourceName", spec.extendedResourceName, "must be a valid extended resource name")]),
  ],
  columns: [nameColumn, ageColumn],
});
