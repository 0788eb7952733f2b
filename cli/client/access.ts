// From a kubeconfig's entries to what a connection needs: reads certificate and token files, runs credential plugins.
import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import { type ApiAccess, type Connection, connection } from "./connection.ts";
import type { ClusterEntry, Selected, UserEntry } from "./kubeconfig.ts";
import { select } from "./kubeconfig.ts";
import { orreryKubeconfig } from "./kubeconfig-files.ts";

function pem(data: string | undefined, file: string | undefined): string | undefined {
  if (data) return Buffer.from(data, "base64").toString();
  if (!file) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`unable to read the file ${file}: ${(error as Error).message}`);
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function credentials(
  user: UserEntry,
  cluster: ClusterEntry,
): Promise<Pick<ApiAccess, "cert" | "key" | "headers">> {
  const cert = pem(user["client-certificate-data"], user["client-certificate"]);
  const key = pem(user["client-key-data"], user["client-key"]);
  const tokenText = user.token ?? pem(undefined, user.tokenFile);
  if (tokenText) return { cert, key, headers: bearer(tokenText.trim()) };
  if (user.username) {
    const pair = Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64");
    return { cert, key, headers: { authorization: `Basic ${pair}` } };
  }
  if (!user.exec) return { cert, key };
  // Loaded only for users with a plugin.
  const { execCredentials } = await import("./exec-credentials.ts");
  const status = await execCredentials(user.exec, cluster);
  return {
    cert: status.clientCertificateData ?? cert,
    key: status.clientKeyData ?? key,
    ...(status.token ? { headers: bearer(status.token) } : {}),
  };
}

const impersonation = (user: UserEntry): Readonly<Record<string, string | readonly string[]>> => ({
  ...(user.as && { "impersonate-user": user.as }),
  ...(user["as-uid"] && { "impersonate-uid": user["as-uid"] }),
  ...(user["as-groups"] && { "impersonate-group": user["as-groups"] }),
  ...Object.fromEntries(
    Object.entries(user["as-user-extra"] ?? {}).map(([key, values]) => [
      `impersonate-extra-${encodeURIComponent(key).toLowerCase()}`,
      values,
    ]),
  ),
});

/** What a connection to the selected cluster needs. */
export async function accessOf({ cluster, user }: Selected): Promise<ApiAccess> {
  const { headers, ...pair } = await credentials(user, cluster);
  return {
    server: cluster.server,
    ca: pem(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    ...pair,
    insecure: cluster["insecure-skip-tls-verify"],
    serverName: cluster["tls-server-name"],
    headers: { ...headers, ...impersonation(user) },
  };
}

/** Access with certificates, as Orrery's own kubeconfigs have them. */
export type CertificateAccess = ApiAccess & Readonly<Record<"ca" | "cert" | "key", string>>;

/** The access of a cluster of Orrery. Throws CliError when there is no such cluster. */
export async function readAccess(cluster: string): Promise<CertificateAccess> {
  const access = await accessOf(select(await orreryKubeconfig(cluster), { environment: {} }));
  return { ...access, ca: access.ca ?? "", cert: access.cert ?? "", key: access.key ?? "" };
}

/** A connection to a cluster of Orrery by name. */
export const connect = async (cluster: string): Promise<Connection> => connection(await readAccess(cluster));
