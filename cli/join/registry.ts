// The cluster's registry for a machine that joins: whether it is within reach, and what the machine's engine needs to
// pull from it.
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";

/** Where every engine looks for authorities and client certificates, by registry. */
const engineCertificates = "/etc/docker/certs.d";
const timeoutMs = 5_000;

/** Whether the registry serves a client with this certificate. */
export const reachesRegistry = (
  registry: string,
  tls: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request(`https://${registry}/v2/`, { ...tls, agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on("timeout", () => call.destroy(new Error("no response in time")));
    call.on("error", () => resolve(false));
    call.end();
  });

/**
 * Lets the engine pull by the node's own certificate. The links lead to the file of the pair, which the kubelet renews:
 * an engine reads the certificate and the key from it, each by its kind of block, at every pull.
 */
export async function trustRegistry(
  registry: string,
  { ca, pairFile }: { readonly ca: string; readonly pairFile: string },
  certificates = engineCertificates,
): Promise<void> {
  const dir = join(certificates, registry);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "ca.crt"), ca);
  for (const end of ["cert", "key"]) {
    const link = join(dir, `client.${end}`);
    await rm(link, { force: true });
    await symlink(pairFile, link);
  }
}
