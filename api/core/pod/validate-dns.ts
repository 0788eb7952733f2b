// Validation of a pod's DNS policy and configuration.
import type { PodDNSConfig, PodSpec } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateSubdomainName } from "../../names.ts";
import { invalid, required } from "../../problems.ts";

const maxServers = 3;
const maxSearches = 32;
const maxSearchLength = 2048;

/** A search domain; unlike in host names, underscores are allowed. */
function validateSearch(domain: string, path: string): readonly Problem[] {
  if (domain === ".") return [];
  const bare = domain.replace(/\.$/, "");
  return validateSubdomainName(bare.replaceAll("_", "x"), path).length === 0 ? [] : validateSubdomainName(bare, path);
}

function validateConfig({ nameservers = [], searches = [], options = [] }: PodDNSConfig, path: string) {
  return [
    ...(nameservers.length > maxServers
      ? [invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxServers} nameservers`)]
      : []),
    ...(searches.length > maxSearches
      ? [invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`)]
      : []),
    ...(searches.join(" ").length > maxSearchLength
      ? [
          invalid(
            `${path}.searches`,
            searches,
            `must not have more than ${maxSearchLength} characters (including spaces) in the search list`,
          ),
        ]
      : []),
    ...searches.flatMap((domain, i) => validateSearch(domain, `${path}.searches[${i}]`)),
    ...options.flatMap((option, i) => (option.name ? [] : [required(`${path}.options[${i}]`, "must not be empty")])),
  ];
}

/** Validates the DNS policy and its configuration. */
export function validateDns({ dnsConfig, dnsPolicy }: PodSpec, path: string): readonly Problem[] {
  const at = `${path}.dnsConfig`;
  if (dnsPolicy === "None" && !dnsConfig) return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")];
  if (dnsPolicy === "None" && !dnsConfig?.nameservers?.length)
    return [required(`${at}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  return dnsConfig ? validateConfig(dnsConfig, at) : [];
}
