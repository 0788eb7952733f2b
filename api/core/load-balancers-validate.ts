// What can be wrong with the addresses a load balancer is said to answer at.
import { parseAddress } from "../addresses.ts";
import { validateLenientAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { LoadBalancerIngress, LoadBalancerStatus } from "../generated/types.ts";
import { validateSubdomainName } from "../names.ts";
import { each, forbidden, invalid, required, together } from "../problems.ts";

const path = "status.loadBalancer.ingress";

/** An address as an IP; one that stood there before is taken as it is. */
export const validateBalancedIp = (ip: string | undefined, at: string, known: readonly string[]): readonly Problem[] =>
  ip && !known.includes(ip) ? validateLenientAddress(ip, at) : [];

/** An address as a name. */
export const validateBalancedName = (hostname: string | undefined, at: string): readonly Problem[] =>
  together(
    validateSubdomainName(hostname, at),
    hostname && parseAddress(hostname) && invalid(at, hostname, "must be a DNS name, not an IP address"),
  );

/** How packets come is said of an address, and of nothing else. Source: KEP-1860. */
export function validateMode({ ip, ipMode }: LoadBalancerIngress, path: string): readonly Problem[] {
  const at = `${path}.ipMode`;
  if (ipMode === undefined) return ip ? [required(at, "must be specified when `ip` is set")] : [];
  return ip ? [] : [forbidden(at, "may not be specified when `ip` is not set")];
}

/** What is wrong with a service's balancer: only a service of that type has one. */
export function validateBalancerStatus(
  status: LoadBalancerStatus = {},
  old: LoadBalancerStatus = {},
  type: string | undefined,
): readonly Problem[] {
  const { ingress = [] } = status;
  if (type !== "LoadBalancer" && ingress.length > 0)
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  const known = (old.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return each(ingress, path, (one, at) => {
    return together(
      validateBalancedIp(one.ip, `${at}.ip`, known),
      validateBalancedName(one.hostname, `${at}.hostname`),
    );
  });
}

/** Unless it is said, an address is the balancer's own, and packets come as they were sent. Source: KEP-1860. */
export const withModes = (status: LoadBalancerStatus): LoadBalancerStatus =>
  status.ingress
    ? { ...status, ingress: status.ingress.map((one) => (one.ip ? { ...one, ipMode: one.ipMode ?? "VIP" } : one)) }
    : status;
