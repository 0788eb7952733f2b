// What can be wrong with how a pod finds names.
import type { PodDNSConfig, PodSpec } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateSubdomainName } from "../../names.ts";
import { invalid, required } from "../../problems.ts";

const mostServers = 3;
const mostSearches = 32;
const longestSearches = 2048;

/** Where names are searched. Underscores are taken, though no name of a host has any. */
function validateSearch(domain: string, path: string): readonly Problem[] {
  if (domain === ".") return [];
  const bare = domain.replace(/\.$/, "");
  return validateSubdomainName(bare.replaceAll("_", "x"), path).length === 0 ? [] : validateSubdomainName(bare, path);
}

function validateConfig({ nameservers = [], searches = [], options = [] }: PodDNSConfig, path: string) {
  return [
    ...(nameservers.length > mostServers
      ? [invalid(`${path}.nameservers`, nameservers, `must not have more than ${mostServers} nameservers`)]
      : []),
    ...(searches.length > mostSearches
      ? [invalid(`${path}.searches`, searches, `must not have more than ${mostSearches} search paths`)]
      : []),
    ...(searches.join(" ").length > longestSearches
      ? [
          invalid(
            `${path}.searches`,
            searches,
            `must not have more than ${longestSearches} characters (including spaces) in the search list`,
          ),
        ]
      : []),
    ...searches.flatMap((domain, i) => validateSearch(domain, `${path}.searches[${i}]`)),
    ...options.flatMap((option, i) => (option.name ? [] : [required(`${path}.options[${i}]`, "must not be empty")])),
  ];
}

/** What is wrong with the policy, and with what is said beside it. */
export function validateDns({ dnsConfig, dnsPolicy }: PodSpec, path: string): readonly Problem[] {
  const at = `${path}.dnsConfig`;
  if (dnsPolicy === "None" && !dnsConfig) return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")];
  if (dnsPolicy === "None" && !dnsConfig?.nameservers?.length)
    return [required(`${at}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  return dnsConfig ? validateConfig(dnsConfig, at) : [];
}
