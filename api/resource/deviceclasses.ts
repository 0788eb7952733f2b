// DeviceClass: selects and configures a category of devices.
import { ageColumn, nameColumn } from "../columns.ts";
import type { DeviceClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { invalid, none } from "../problems.ts";
import { isExtended } from "../resource-names.ts";
import { deviceRules } from "./device-requests.ts";

export const deviceClasses = define<DeviceClass>({
  group: "resource.k8s.io",
  kind: "DeviceClass",
  scope: "Cluster",
  generation: "spec",
  rules: deviceRules,
  validate: ({ spec: { extendedResourceName: name } }) =>
    name === undefined || isExtended(name)
      ? none
      : [invalid("spec.extendedResourceName", name, "must be a valid extended resource name")],
  columns: [nameColumn, ageColumn],
});
