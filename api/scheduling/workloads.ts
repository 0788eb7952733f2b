// Workload: templates of the pod groups that a controller makes for its pods. Source: KEP-4671.
import { ageColumn, nameColumn } from "../columns.ts";
import type { Workload } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { podGroupRules } from "./podgroups.ts";

export const workloads = define<Workload>({
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "Workload",
  scope: "Namespaced",
  rules: podGroupRules,
  columns: [nameColumn, ageColumn],
});
