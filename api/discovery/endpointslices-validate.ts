// What can be wrong with a slice of endpoints.
import { parseAddress } from "../addresses.ts";
import { leadsNowhere, validateAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { duplicate, invalid } from "../problems.ts";

const mostEndpoints = 1000;
const mostPorts = 100;

function validateIp(address: string, path: string, bits: 32 | 128): readonly Problem[] {
  const family = bits === 32 ? "IPv4" : "IPv6";
  if (parseAddress(address)?.bits !== bits) return [invalid(path, address, `must be a valid ${family} address`)];
  const detail = leadsNowhere(address);
  return detail === undefined ? validateAddress(address, path) : [invalid(path, address, detail)];
}

function validateDomain(name: string, path: string): readonly Problem[] {
  const wrong = validateSubdomainName(name.replace(/\.$/, ""), path);
  return wrong.length > 0 || name.includes(".")
    ? wrong
    : [invalid(path, name, "should be a domain with at least two segments separated by dots")];
}

const byType: Readonly<Record<string, (address: string, path: string) => readonly Problem[]>> = {
  IPv4: (address, path) => validateIp(address, path, 32),
  IPv6: (address, path) => validateIp(address, path, 128),
  FQDN: validateDomain,
};

/** The addresses of an endpoint are of the type of its slice. */
const validateEndpoint = ({ addresses }: Endpoint, path: string, type: string): readonly Problem[] =>
  addresses.flatMap((address, i) => byType[type]?.(address, `${path}.addresses[${i}]`) ?? []);

/** Ports go by their names, of which the empty one is one. */
const validateNames = (ports: readonly DiscoveryV1EndpointPort[]): readonly Problem[] =>
  ports.flatMap(({ name = "" }, i) =>
    ports.findIndex((other) => (other.name ?? "") === name) < i ? [duplicate(`ports[${i}].name`, name)] : [],
  );

export function validateEndpointSlice({
  addressType,
  endpoints = [],
  ports = [],
}: Draft<EndpointSlice>): readonly Problem[] {
  return [
    ...(endpoints.length > mostEndpoints
      ? []
      : endpoints.flatMap((e, i) => validateEndpoint(e, `endpoints[${i}]`, addressType))),
    ...(ports.length > mostPorts ? [] : validateNames(ports)),
  ];
}
