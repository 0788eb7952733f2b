// EndpointSlice: a part of the endpoints of a service, with their conditions.
import type { EndpointSlice } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { parseAddress } from "../addresses.ts";
import { unreachableReason, validateAddress } from "../addresses-validate.ts";
import { ageColumn, firstThree, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { key, type Draft, type Key } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { each, invalid, none, repeated, together } from "../problems.ts";

export type { EndpointSlice } from "../generated/types.ts";

/** The label with the name of the service. */
export const serviceLabel = "kubernetes.io/service-name";
/** The label with the name of the controller that manages the slice. */
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";

/** The key of the service of a slice. */
export const serviceOf = ({ metadata }: EndpointSlice): Key =>
  key(metadata.namespace, metadata.labels?.[serviceLabel] ?? "");
export const isManagedBy =
  (manager: string) =>
  ({ metadata }: EndpointSlice): boolean =>
    metadata.labels?.[managedByLabel] === manager;

const mostEndpoints = 1000;
const mostPorts = 100;

function validateIp(address: string, path: string, bits: 32 | 128): readonly Problem[] {
  const family = bits === 32 ? "IPv4" : "IPv6";
  if (parseAddress(address)?.bits !== bits) return [invalid(path, address, `must be a valid ${family} address`)];
  const detail = unreachableReason(address);
  return detail === undefined ? validateAddress(address, path) : [invalid(path, address, detail)];
}

function validateAddressOf(type: string, address: string, path: string): readonly Problem[] {
  if (type === "IPv4") return validateIp(address, path, 32);
  if (type === "IPv6") return validateIp(address, path, 128);
  if (type !== "FQDN") return none;
  const wrong = validateSubdomainName(address.replace(/\.$/, ""), path);
  return wrong.length > 0 || address.includes(".")
    ? wrong
    : [invalid(path, address, "should be a domain with at least two segments separated by dots")];
}

function validate({ addressType, endpoints = [], ports = [] }: Draft<EndpointSlice>): readonly Problem[] {
  return together(
    endpoints.length <= mostEndpoints &&
      each(endpoints, "endpoints", ({ addresses }, path) =>
        each(addresses, `${path}.addresses`, (address, at) => validateAddressOf(addressType, address, at)),
      ),
    ports.length <= mostPorts && repeated(ports, "ports", "name"),
  );
}

const shown = (items: readonly unknown[]): string => firstThree(items.map(String), "<unset>");

export const endpointSlices = define<EndpointSlice>({
  group: "discovery.k8s.io",
  kind: "EndpointSlice",
  scope: "Namespaced",
  generation: "content",
  validate,
  columns: [
    nameColumn,
    { name: "AddressType", cell: (s) => s.addressType },
    { name: "Ports", cell: ({ ports = [] }) => shown(ports.map((p) => p.port ?? p.name ?? "*")) },
    { name: "Endpoints", cell: ({ endpoints = [] }) => shown(endpoints.flatMap((e) => e.addresses)) },
    ageColumn,
  ],
});
