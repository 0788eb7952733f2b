// The kubeconfig: merging files, and which cluster, user and namespace a command uses. Pure.
import { CliError } from "../cli-error.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

export interface ClusterEntry {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
  readonly extensions?: readonly { readonly name: string; readonly extension?: unknown }[];
}
/** A program that prints credentials (KEP-541). */
export interface ExecEntry {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}
export interface UserEntry {
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly "as-uid"?: string;
  readonly "as-groups"?: readonly string[];
  readonly "as-user-extra"?: Readonly<Record<string, readonly string[]>>;
  readonly exec?: ExecEntry;
}
export interface ContextEntry {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}
type Named<K extends string, T> = { readonly name: string } & Readonly<Record<K, T>>;
export interface Kubeconfig {
  readonly clusters: readonly Named<"cluster", ClusterEntry>[];
  readonly users: readonly Named<"user", UserEntry>[];
  readonly contexts: readonly Named<"context", ContextEntry>[];
  readonly "current-context"?: string;
}

export const emptyKubeconfig: Kubeconfig = { clusters: [], users: [], contexts: [] };

const firstOfName = <T extends { readonly name: string }>(lists: readonly (readonly T[])[]): readonly T[] => {
  const all = lists.flat();
  return all.filter((entry, i) => all.findIndex(({ name }) => name === entry.name) === i);
};

/** Merges kubeconfigs. The first that has a name, or a current context, wins. */
export const merged = (configs: readonly Kubeconfig[]): Kubeconfig => {
  const current = configs.map((c) => c["current-context"]).find((name) => name);
  return {
    clusters: firstOfName(configs.map((c) => c.clusters)),
    users: firstOfName(configs.map((c) => c.users)),
    contexts: firstOfName(configs.map((c) => c.contexts)),
    ...(current === undefined ? {} : { "current-context": current }),
  };
};

const fileFields = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];
const located = <T extends object>(entry: T, locate: (path: string) => string): T =>
  Object.fromEntries(
    Object.entries(entry).map(([field, value]) => [
      field,
      fileFields.includes(field) && typeof value === "string" && value !== "" ? locate(value) : value,
    ]),
  ) as T;

/** Resolves the files that a kubeconfig names, which are relative to its own folder. */
export const withLocatedFiles = (config: Kubeconfig, locate: (path: string) => string): Kubeconfig => ({
  ...config,
  clusters: config.clusters.map((c) => ({ ...c, cluster: located(c.cluster, locate) })),
  users: config.users.map((u) => ({ ...u, user: located(u.user, locate) })),
});

/** What a command connects with. */
export interface Selected {
  readonly contextName: string | undefined;
  readonly cluster: ClusterEntry & { readonly server: string };
  readonly user: UserEntry;
  readonly namespace: string | undefined;
}

function userFrom(flags: GlobalFlags): UserEntry {
  const extras = Map.groupBy(flags.asUserExtra ?? [], (text) => text.split("=", 1)[0]!);
  const entries: UserEntry = {
    ...(flags.clientCertificate && { "client-certificate": flags.clientCertificate }),
    ...(flags.clientKey && { "client-key": flags.clientKey }),
    ...(flags.token && { token: flags.token }),
    ...(flags.username && { username: flags.username }),
    ...(flags.password && { password: flags.password }),
    ...(flags.as && { as: flags.as }),
    ...(flags.asUid && { "as-uid": flags.asUid }),
    ...(flags.asGroup && { "as-groups": flags.asGroup }),
    ...(flags.asUserExtra && {
      "as-user-extra": Object.fromEntries(
        [...extras].map(([key, texts]) => [key, texts.map((text) => text.slice(key.length + 1))]),
      ),
    }),
  };
  return entries;
}

/** An entry without the fields that these flags replace: a path replaces data, a token replaces a password. */
const replaced = <T extends object>(entry: T, flags: Partial<T>, fields: readonly (readonly [string, string])[]): T => {
  const dropped = fields.filter(([flag]) => flag in flags).map(([, field]) => field);
  const kept = Object.entries(entry).filter(([field]) => !dropped.includes(field));
  return { ...(Object.fromEntries(kept) as T), ...flags };
};

/** The cluster, user and namespace that the flags and the current context select. Throws CliError as kubectl does. */
export function select(config: Kubeconfig, flags: GlobalFlags): Selected {
  const contextName = flags.context || config["current-context"] || undefined;
  const context = config.contexts.find(({ name }) => name === contextName)?.context;
  // kubectl's words depend on whether it needs the context for the namespace.
  if (flags.context && flags.namespace && context === undefined)
    throw new CliError(`context "${flags.context}" does not exist`);
  if (contextName !== undefined && context === undefined)
    throw new CliError(
      `Error in configuration: context was not found for specified context: ${contextName}`,
      undefined,
      {
        isBare: true,
      },
    );
  const clusterName = flags.cluster || context?.cluster;
  const entry = config.clusters.find(({ name }) => name === clusterName)?.cluster;
  const userName = flags.user || context?.user;
  const user = config.users.find(({ name }) => name === userName)?.user;
  if (userName && user === undefined) throw new CliError(`auth info "${userName}" does not exist`);
  const cluster = replaced<ClusterEntry>(
    entry ?? {},
    {
      ...(flags.server && { server: flags.server }),
      ...(flags.certificateAuthority && { "certificate-authority": flags.certificateAuthority }),
      ...(flags.insecureSkipTlsVerify !== undefined && { "insecure-skip-tls-verify": flags.insecureSkipTlsVerify }),
      ...(flags.tlsServerName && { "tls-server-name": flags.tlsServerName }),
    },
    [
      ["certificate-authority", "certificate-authority-data"],
      ["insecure-skip-tls-verify", "certificate-authority"],
      ["insecure-skip-tls-verify", "certificate-authority-data"],
    ],
  );
  if (!cluster.server) throw new CliError(`no server found for cluster "${clusterName ?? ""}"`);
  const effectiveUser = replaced<UserEntry>(user ?? {}, userFrom(flags), [
    ["client-certificate", "client-certificate-data"],
    ["client-key", "client-key-data"],
    ["token", "tokenFile"],
    ["token", "exec"],
  ]);
  const { as, "as-uid": uid, "as-groups": groups, "as-user-extra": extra } = effectiveUser;
  if (!as && (uid ?? groups ?? extra))
    throw new CliError(`requesting uid, groups or user-extra for ${userName} without impersonating a user`);
  const server = /^https?:\/\//.test(cluster.server) ? cluster.server : `http://${cluster.server}`;
  return {
    contextName,
    cluster: { ...cluster, server },
    user: effectiveUser,
    namespace: flags.namespace || context?.namespace,
  };
}
