// NodeMetrics and PodMetrics: resource usage measured by the kubelets, read on request and never stored.
import { define } from "../kinds.ts";
import type { ApiObject } from "../meta.ts";
import type { Schema } from "../schema.ts";
import { nameColumn } from "../columns.ts";

/** `cpu` and `memory` as quantities, averaged over `window` and ending at `timestamp`. */
export type Usage = Readonly<Record<string, string>>;
interface Measured extends ApiObject {
  readonly timestamp: string;
  readonly window: string;
}
export interface NodeMetrics extends Measured {
  readonly kind: "NodeMetrics";
  readonly usage: Usage;
}
export interface PodMetrics extends Measured {
  readonly kind: "PodMetrics";
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

const usage: Schema = { type: "object", additionalProperties: { type: "string", format: "quantity" } };
const measured = (own: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  properties: {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
    timestamp: { type: "string", format: "date-time" },
    window: { type: "string" },
    ...own,
  },
});

export const nodeMetrics = define<NodeMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "NodeMetrics",
  plural: "nodes",
  singular: "",
  scope: "Cluster",
  virtual: "measured",
  published: "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
  schema: measured({ usage }),
  columns: [
    nameColumn,
    { name: "cpu", cell: (m) => m.usage["cpu"] ?? "" },
    { name: "memory", cell: (m) => m.usage["memory"] ?? "" },
  ],
});
export const podMetrics = define<PodMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "PodMetrics",
  plural: "pods",
  singular: "",
  scope: "Namespaced",
  virtual: "measured",
  published: "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics",
  schema: measured({
    containers: { type: "array", items: { type: "object", properties: { name: { type: "string" }, usage } } },
  }),
  columns: [
    nameColumn,
    { name: "cpu", cell: (m) => m.containers[0]?.usage["cpu"] ?? "" },
    { name: "memory", cell: (m) => m.containers[0]?.usage["memory"] ?? "" },
  ],
});
