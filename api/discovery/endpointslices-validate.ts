// What can be wrong with a slice of endpoints.
import { parseAddress } from "../addresses.ts";
import { leadsNowhere, validateAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateQualifiedName, validateSubdomainName } from "../names.ts";
import { duplicate, invalid, oneOf, required, tooMany, unchanged, unsupported } from "../problems.ts";

const types = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];
const mostEndpoints = 1000;
const mostAddresses = 100;
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

function validateEndpoint({ addresses = [], hostname }: Endpoint, path: string, type: string): readonly Problem[] {
  const at = `${path}.addresses`;
  return [
    ...(addresses.length > 0 ? [] : [required(at, "must contain at least 1 address")]),
    ...(addresses.length > mostAddresses ? [tooMany(at, addresses.length, mostAddresses)] : []),
    ...addresses.flatMap((address, i) => byType[type]?.(address, `${at}[${i}]`) ?? []),
    ...validateLabelName(hostname, `${path}.hostname`),
  ];
}

function validatePorts(ports: readonly DiscoveryV1EndpointPort[]): readonly Problem[] {
  if (ports.length > mostPorts) return [tooMany("ports", ports.length, mostPorts)];
  return ports.flatMap((port, i) => {
    const path = `ports[${i}]`;
    const { name = "", protocol, appProtocol } = port;
    return [
      ...validateLabelName(name, `${path}.name`),
      ...(ports.findIndex((other) => (other.name ?? "") === name) < i ? [duplicate(`${path}.name`, name)] : []),
      ...(protocol === undefined ? [required(`${path}.protocol`)] : oneOf(protocol, `${path}.protocol`, protocols)),
      ...(appProtocol === undefined ? [] : validateQualifiedName(appProtocol, `${path}.appProtocol`)),
    ];
  });
}

export function validateEndpointSlice(s: Draft<EndpointSlice>, old?: EndpointSlice): readonly Problem[] {
  const { addressType: type, endpoints = [], ports = [] } = s;
  return [
    ...validateSubdomainName(s.metadata.name, "metadata.name"),
    ...(type ? (types.includes(type) ? [] : [unsupported("addressType", type, types)]) : [required("addressType")]),
    ...(endpoints.length > mostEndpoints
      ? [tooMany("endpoints", endpoints.length, mostEndpoints)]
      : endpoints.flatMap((e, i) => validateEndpoint(e, `endpoints[${i}]`, type))),
    ...validatePorts(ports),
    ...(old ? unchanged(type, old.addressType, "addressType") : []),
  ];
}
