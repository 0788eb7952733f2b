// ComponentStatus: how the parts of a control plane are, asked of them when somebody wants to know. Deprecated.
import type { ComponentStatus } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { nameColumn } from "../columns.ts";

export type { ComponentStatus } from "../generated/types.ts";

const health = (c: ComponentStatus): NonNullable<ComponentStatus["conditions"]>[number] | undefined =>
  c.conditions?.find((condition) => condition.type === "Healthy");

function word(c: ComponentStatus): string {
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
    { name: "Status", cell: word },
    { name: "Message", cell: (c) => health(c)?.message ?? "" },
    { name: "Error", cell: (c) => health(c)?.error ?? "" },
  ],
});
