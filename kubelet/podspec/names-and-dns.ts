// The contents of a pod's /etc/hostname, /etc/hosts and /etc/resolv.conf. Pure.
import type { Pod } from "../../api/generated/types.ts";

/** The cluster's DNS settings and the node's own files. */
export interface NameSettings {
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly nodeResolvConf: string;
  readonly nodeHosts: string;
}

const longestLabel = 63;

/** The pod's host name, cut to the length of a DNS label. */
export const hostnameOf = (pod: Pod): string =>
  (pod.spec.hostname || pod.metadata.name).slice(0, longestLabel).replace(/[-.]+$/, "");

/** The pod's fully qualified name, if it has a subdomain. */
const fullNameOf = (pod: Pod, clusterDomain: string): string | undefined =>
  pod.spec.subdomain
    ? `${hostnameOf(pod)}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`
    : undefined;

const preamble = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet"];
const multicast = ["fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters"];

function aliases(pod: Pod): readonly string[] {
  const lines = (pod.spec.hostAliases ?? []).map((a) => `${a.ip}\t${(a.hostnames ?? []).join("\t")}`);
  return lines.length === 0 ? [] : ["", "# Entries added by HostAliases.", ...lines];
}

/** A pod on the host's network, without `ip`, gets the node's file. */
export function hostsFile(pod: Pod, ip: string | undefined, settings: NameSettings): string {
  if (pod.spec.hostNetwork) {
    const lines = [settings.nodeHosts.trimEnd(), ...aliases(pod), ""];
    return ["# Kubernetes-managed hosts file (host network).", ...lines].join("\n");
  }
  const full = fullNameOf(pod, settings.clusterDomain);
  const own = [full, hostnameOf(pod)].filter((n) => n !== undefined).join("\t");
  const entry = ip === undefined ? [] : [`${ip}\t${own}`];
  return ["# Kubernetes-managed hosts file.", ...preamble, ...multicast, ...entry, ...aliases(pod), ""].join("\n");
}

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

function parsed(file: string): Resolver {
  const words = (key: string): readonly string[] =>
    file
      .split("\n")
      .map((l) => l.trim().split(/\s+/))
      .filter(([k]) => k === key)
      .flatMap(([, ...rest]) => rest);
  const searches = words("search").filter((s) => s !== ".");
  return { nameservers: words("nameserver"), searches, options: words("options") };
}

function base(pod: Pod, settings: NameSettings): Resolver {
  const node = parsed(settings.nodeResolvConf);
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  if (policy === "Default" || (policy === "ClusterFirst" && pod.spec.hostNetwork)) return node;
  const { clusterDomain, clusterDns } = settings;
  const own = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { nameservers: [clusterDns], searches: [...own, ...node.searches], options: ["ndots:5"] };
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** The resolver by `dnsPolicy`, then `dnsConfig`, whose options replace those of the same name. */
export function resolvConf(pod: Pod, settings: NameSettings): string {
  const from = base(pod, settings);
  const more = pod.spec.dnsConfig;
  const added = (more?.options ?? []).map((o) => (o.value === undefined ? `${o.name}` : `${o.name}:${o.value}`));
  const key = (option: string): string => option.split(":")[0]!;
  const options = [...from.options.filter((o) => !added.some((a) => key(a) === key(o))), ...added];
  const searches = unique([...from.searches, ...(more?.searches ?? [])]);
  return [
    ...unique([...from.nameservers, ...(more?.nameservers ?? [])])
      .slice(0, 3)
      .map((n) => `nameserver ${n}`),
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}
