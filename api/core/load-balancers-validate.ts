// Validation of the ingress points of a load balancer status.
import { parseAddress } from "../addresses.ts";
import { validateLenientAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { LoadBalancerIngress, LoadBalancerStatus } from "../generated/types.ts";
import { validateSubdomainName } from "../names.ts";
import { each, forbidden, invalid, required, together } from "../problems.ts";

const path = "status.loadBalancer.ingress";

/** The IP of an ingress point; those of the old status are not validated again. */
export const validateBalancedIp = (ip: string | undefined, at: string, known: readonly string[]): readonly Problem[] =>
  ip && !known.includes(ip) ? validateLenientAddress(ip, at) : [];

/** The hostname of an ingress point. */
export const validateBalancedName = (hostname: string | undefined, at: string): readonly Problem[] =>
  together(
    validateSubdomainName(hostname, at),
    hostname && parseAddress(hostname) && invalid(at, hostname, "must be a DNS name, not an IP address"),
  );

/** The IP mode goes with an IP. Source: KEP-1860. */
export function validateMode({ ip, ipMode }: LoadBalancerIngress, path: string): readonly Problem[] {
  const at = `${path}.ipMode`;
  if (ipMode === undefined) return ip ? [required(at, "must be specified when `ip` is set")] : [];
  return ip ? [] : [forbidden(at, "may not be specified when `ip` is not set")];
}

/** Validates the load balancer status of a service, which only that type has. */
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

/** The IP mode defaults to `VIP`: packets keep their destination. Source: KEP-1860. */
export const withModes = (status: LoadBalancerStatus): LoadBalancerStatus =>
  status.ingress
    ? { ...status, ingress: status.ingress.map((one) => (one.ip ? { ...one, ipMode: one.ipMode ?? "VIP" } : one)) }
    : status;
