// Image pull policies, image references and pull credentials. Pure.
import type { Secret } from "../api/generated/types.ts";
import type { ImageStatus, RegistryCredentials } from "./runtime.ts";

type PullPlan = "use" | "pull" | "never";

/** An image of a container or a volume, and when it is pulled. */
export interface ImageRequest {
  readonly image?: string | undefined;
  readonly imagePullPolicy?: string | undefined;
}

/** What the pull policy requires. Without a policy only the tag `latest` is always pulled. */
export function pullPlan({ image = "", imagePullPolicy }: ImageRequest, present: ImageStatus | undefined): PullPlan {
  const policy = imagePullPolicy ?? (/:latest$|^[^:@]*$/.test(image) ? "Always" : "IfNotPresent");
  if (policy === "Always") return "pull";
  if (present !== undefined) return "use";
  return policy === "Never" ? "never" : "pull";
}

const name =
  /^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tag = /^[\w][\w.-]{0,127}$/;
const digest = /^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/;

/** Whether the text is a valid image reference. */
export function isImageReference(image: string): boolean {
  const [plain = "", hash] = image.split("@");
  if (hash !== undefined && !digest.test(hash)) return false;
  const colon = plain.lastIndexOf(":");
  const tagged = colon > plain.lastIndexOf("/");
  return name.test(tagged ? plain.slice(0, colon) : plain) && (!tagged || tag.test(plain.slice(colon + 1)));
}

/** Formats the duration of a pull for its event: `1.234s` or `234ms`. */
export const pullDuration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)}ms` : `${Number((ms / 1_000).toFixed(3))}s`;

/** The registry of an image: docker.io unless the first part has a dot or a colon or is `localhost`. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

/**
 * The name of an image in a registry that serves those of others: the full name, with its registry as the first part of
 * the path. The colon before a port is not allowed there.
 */
export function nameInRegistry(image: string): string {
  const registry = registryOf(image);
  const path = image.startsWith(`${registry}/`) ? image.slice(registry.length + 1) : image;
  const isOfficial = registry === "docker.io" && !path.includes("/");
  const isTagged = path.includes("@") || path.slice(path.lastIndexOf("/") + 1).includes(":");
  return `${registry.replace(":", "_")}/${isOfficial ? "library/" : ""}${path}${isTagged ? "" : ":latest"}`;
}

interface Entry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}
const hostOf = (server: string): string => server.replace(/^https?:\/\//, "").split("/")[0] ?? "";
const publicHosts = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

function entriesOf(secret: Secret): Readonly<Record<string, Entry>> {
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? "", "base64").toString();
  try {
    const config = JSON.parse(text(".dockerconfigjson") || "{}") as {
      readonly auths?: Readonly<Record<string, Entry>>;
    };
    return config.auths ?? (JSON.parse(text(".dockercfg") || "{}") as Readonly<Record<string, Entry>>);
  } catch {
    // A malformed secret gives no credentials; the registry then refuses the pull.
    return {};
  }
}

/** The credentials of the first secret that has an entry for the image's registry. */
export function credentialsFor(image: string, secrets: readonly Secret[]): RegistryCredentials | undefined {
  const registry = registryOf(image);
  const fits = (server: string): boolean =>
    hostOf(server) === registry || (publicHosts.has(hostOf(server)) && registry === "docker.io");
  for (const secret of secrets)
    for (const [server, entry] of Object.entries(entriesOf(secret))) {
      if (!fits(server)) continue;
      const [name = "", ...rest] = Buffer.from(entry.auth ?? "", "base64")
        .toString()
        .split(":");
      return { username: entry.username ?? name, password: entry.password ?? rest.join(":"), server };
    }
  return undefined;
}
