// EndpointSlice: up to a hundred addresses behind a service, with what each is good for.
import type { EndpointSlice } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { key, type Key } from "../meta.ts";
import { ageColumn, firstThree, nameColumn } from "../columns.ts";
import { validateEndpointSlice } from "./endpointslices-validate.ts";

export type { EndpointSlice } from "../generated/types.ts";

/** Of which service a slice is. */
export const serviceLabel = "kubernetes.io/service-name";
/** Who writes a slice; what others write is left alone. */
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";

/** The key of the service a slice is of. */
export const serviceOf = ({ metadata }: EndpointSlice): Key =>
  key(metadata.namespace, metadata.labels?.[serviceLabel] ?? "");
/** Whether a slice is written by this manager. */
export const isManagedBy =
  (manager: string) =>
  ({ metadata }: EndpointSlice): boolean =>
    metadata.labels?.[managedByLabel] === manager;

export const endpointSlices = define<EndpointSlice>({
  group: "discovery.k8s.io",
  kind: "EndpointSlice",
  scope: "Namespaced",
  generation: "content",
  validate: validateEndpointSlice,
  columns: [
    nameColumn,
    { name: "AddressType", cell: (s) => s.addressType },
    {
      name: "Ports",
      cell: (s) =>
        firstThree(
          (s.ports ?? []).map((p) => String(p.port ?? p.name ?? "*")),
          "<unset>",
        ),
    },
    {
      name: "Endpoints",
      cell: (s) =>
        firstThree(
          (s.endpoints ?? []).flatMap((e) => e.addresses),
          "<unset>",
        ),
    },
    ageColumn,
  ],
});
