// Getting an image for a container: what its policy asks for, and what is told of it. The decisions are pure.
import type { Container, Secret } from "../api/generated/types.ts";
import type { ImageStatus, RegistryCredentials } from "./runtime.ts";

export type PullPlan = "use" | "pull" | "never";

/** Whether the image at hand will do. Without a policy, only `latest` is fetched anew. */
export function pullPlan(c: Container, present: ImageStatus | undefined): PullPlan {
  const policy = c.imagePullPolicy ?? (/:latest$|^[^:@]*$/.test(c.image ?? "") ? "Always" : "IfNotPresent");
  if (policy === "Always") return "pull";
  if (present !== undefined) return "use";
  return policy === "Never" ? "never" : "pull";
}

const name =
  /^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tag = /^[\w][\w.-]{0,127}$/;
const digest = /^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/;

/** Is this a reference that a registry could know at all? */
export function isImageReference(image: string): boolean {
  const [plain = "", hash] = image.split("@");
  if (hash !== undefined && !digest.test(hash)) return false;
  const colon = plain.lastIndexOf(":");
  const tagged = colon > plain.lastIndexOf("/");
  return name.test(tagged ? plain.slice(0, colon) : plain) && (!tagged || tag.test(plain.slice(colon + 1)));
}

/** `1.234s`, or `234ms`, as the pull's duration is told. */
export const pullDuration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)}ms` : `${Number((ms / 1_000).toFixed(3))}s`;

/**
 * The registry an image comes from; one without a dot, a colon or the name `localhost` in front is the public one's.
 */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : "docker.io";
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
    const whole = JSON.parse(text(".dockerconfigjson") || "{}") as { readonly auths?: Readonly<Record<string, Entry>> };
    return whole.auths ?? (JSON.parse(text(".dockercfg") || "{}") as Readonly<Record<string, Entry>>);
  } catch {
    // A secret that cannot be read opens no door; the registry's refusal will say so.
    return {};
  }
}

/** Who to be towards the image's registry: the first secret that knows it says so. */
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
