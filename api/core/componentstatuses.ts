// ComponentStatus: the health of a control plane component, measured on request. Deprecated.
import type { ComponentStatus } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { nameColumn } from "../columns.ts";

export type { ComponentStatus } from "../generated/types.ts";

const health = (c: ComponentStatus): NonNullable<ComponentStatus["conditions"]>[number] | undefined =>
  c.conditions?.find((condition) => condition.type === "Healthy");

function statusCell(c: ComponentStatus): string {
  const healthy = health(c);
  if (!healthy) return "Unknown";
  return healthy.status === "True" ? "Healthy" : "Unhealthy";
}

export const componentStatuses = define<ComponentStatus>({
  group: "",
  kind: "ComponentStatus",
  shortNames: ["cs"],
  scope: "Cluster",
  virtual: "measured",
  deprecated: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn,
    { name: "Status", cell: statusCell },
    { name: "Message", cell: (c) => health(c)?.message ?? "" },
    { name: "Error", cell: (c) => health(c)?.error ?? "" },
  ],
});
