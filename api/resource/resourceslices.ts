// ResourceSlice: devices a driver offers, on one node or reachable from several.
import type { ResourceSlice } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sliceRules, validateSlice } from "./resourceslices-validate.ts";

export const resourceSlices = define<ResourceSlice>({
  group: "resource.k8s.io",
  kind: "ResourceSlice",
  scope: "Cluster",
  generation: "spec",
  selectable: { "spec.driver": (s) => s.spec.driver, "spec.nodeName": (s) => s.spec.nodeName ?? "" },
  rules: sliceRules,
  validate: validateSlice,
  columns: [
    nameColumn,
    { name: "Node", cell: (s) => s.spec.nodeName ?? "" },
    { name: "Driver", cell: (s) => s.spec.driver },
    { name: "Pool", cell: (s) => s.spec.pool.name },
    ageColumn,
  ],
});
