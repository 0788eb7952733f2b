// Whether the names in a request for a kubelet's serving certificate are those of its node. Pure.
import type { Node } from "../../api/generated/types.ts";
import { addressText, parseAddress } from "../../api/addresses.ts";
import type { CertificateRequest } from "../../machinery/certificates/requests.ts";
import { nodePrefix, nodesGroup } from "./recognize.ts";

/** The user that made a request, as the API server recorded it. */
export interface Requester {
  readonly username?: string;
  readonly groups?: readonly string[];
}
/** What the names of a request are compared with. */
export interface ServingContext {
  /** The nodes of the cluster, also the requester's own. */
  readonly nodes: readonly Node[];
  /** Names and addresses of the API servers, which no node may have. */
  readonly reserved: readonly string[];
}

/** A name in lower case, or an address as it is usually written. */
function canonical(text: string): string {
  const address = parseAddress(text);
  return address ? addressText(address) : text.toLowerCase();
}

const addressesOf = ({ status }: Node): readonly { readonly type: string; readonly address: string }[] =>
  status?.addresses ?? [];
const ipTypes = ["InternalIP", "ExternalIP"];
const dnsTypes = ["Hostname", "InternalDNS", "ExternalDNS"];
const ofTypes = (node: Node, types: readonly string[]): readonly string[] =>
  addressesOf(node)
    .filter(({ type }) => types.includes(type))
    .map(({ address }) => canonical(address));

/**
 * Why a request is not approved; undefined when all of its names are the node's own. A node writes its own status, so
 * an address counts only while no other node has it, and never if it is one of the API servers': the owner of a
 * certificate for those could pose as them.
 */
export function servingProblem(
  { commonName, dnsNames, ipAddresses }: CertificateRequest,
  { username, groups = [] }: Requester,
  { nodes, reserved }: ServingContext,
): string | undefined {
  if (username !== commonName || !groups.includes(nodesGroup)) return "it was not made by the node it names";
  const name = commonName.slice(nodePrefix.length);
  const node = nodes.find(({ metadata }) => metadata.name === name);
  if (!node) return `there is no node ${name}`;
  const own = [...ofTypes(node, ipTypes), ...ofTypes(node, dnsTypes), canonical(name)];
  const others = new Set(
    nodes
      .filter((other) => other !== node)
      .flatMap((other) => [...ofTypes(other, [...ipTypes, ...dnsTypes]), canonical(other.metadata.name)]),
  );
  const forbidden = new Set(reserved.map(canonical));
  for (const host of [...dnsNames, ...ipAddresses].map(canonical)) {
    if (!own.includes(host)) return `${host} is no address of node ${name}`;
    if (forbidden.has(host)) return `${host} is the API server's`;
    if (others.has(host)) return `${host} is also the address of another node`;
  }
  return undefined;
}
