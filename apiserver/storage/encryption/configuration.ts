// The configuration of encryption at rest: which resources are encrypted, by which providers and keys. The first
// provider writes, all read. Source: EncryptionConfiguration of apiserver.config.k8s.io/v1. Pure.
import type { Problem } from "../../../api/errors.ts";
import { each, forbidden, invalid, required, together } from "../../../api/problems.ts";
import {
  type ConfigKind,
  readConfigFile,
  struct,
  structs,
  textSchema,
  textsSchema,
  throwProblems,
} from "../../documents/config-file.ts";

/** A named key, in base64. */
export interface EncryptionKey {
  readonly name: string;
  readonly secret: string;
}
interface Keys {
  readonly keys: readonly EncryptionKey[];
}
/** One way to encrypt. Exactly one field is set. */
export interface Provider {
  readonly aesgcm?: Keys;
  readonly aescbc?: Keys;
  readonly identity?: object;
  /** Not available here, as the one below: refused. */
  readonly secretbox?: Keys;
  readonly kms?: object;
}
export interface EncryptedResources {
  readonly resources: readonly string[];
  readonly providers: readonly Provider[];
}
export interface EncryptionConfiguration {
  readonly resources: readonly EncryptedResources[];
}

const keys = struct("AESConfiguration", { keys: structs("Key", { name: textSchema, secret: textSchema }) });
export const configurationKind: ConfigKind = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "EncryptionConfiguration",
  fields: {
    resources: structs("ResourceConfiguration", {
      resources: textsSchema,
      providers: structs("ProviderConfiguration", {
        ...{ aesgcm: keys, aescbc: keys, secretbox: keys, identity: { type: "object" } },
        kms: struct("KMSConfiguration", {
          ...{ apiVersion: textSchema, name: textSchema, endpoint: textSchema, timeout: textSchema },
          cachesize: { type: "integer" },
        }),
      }),
    }),
  },
};

/** A resource and its group, either of which may be `*`. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}
/** `secrets`, `deployments.apps`, `*.apps`, `*.` or `*.*`, taken apart. */
export function resourceName(text: string): ResourceName {
  const at = text.indexOf(".");
  return at < 0 ? { group: "", resource: text } : { group: text.slice(at + 1), resource: text.slice(0, at) };
}

const masked =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";
/** Whether two of a list overlap: one includes the other. */
const overlap = (a: ResourceName, b: ResourceName): boolean =>
  (a.group === "*" && a.resource === "*") || (a.group === b.group && (a.resource === "*" || b.resource === "*"));

const listProblems = (list: readonly string[], path: string): readonly Problem[] => {
  const names = list.map(resourceName);
  const others = (i: number): readonly ResourceName[] => names.filter((_, j) => j !== i);
  return together(
    new Set(list).size < list.length && invalid(path, list, "the same resource cannot be specified multiple times"),
    names.some((a, i) => others(i).some((b) => overlap(a, b) && (a.group !== b.group || a.resource !== b.resource))) &&
      invalid(path, list, masked),
  );
};

const resourceProblem = (text: string, path: string): Problem | false => {
  const { group, resource } = resourceName(text);
  if (/[A-Z]/.test(text)) return invalid(path, text, "resource name should not contain capital letters");
  if (text === "*")
    return invalid(
      path,
      text,
      "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources",
    );
  if (group === "events.k8s.io")
    return invalid(
      path,
      text,
      "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file",
    );
  if (group === "extensions")
    return invalid(path, text, "'extensions' group has been removed and cannot be used for encryption");
  return (
    group === "*" &&
    resource !== "*" &&
    invalid(path, text, "encrypting the same resource across groups is not supported")
  );
};

const keySizes: readonly number[] = [16, 24, 32];

function keyProblems({ name, secret }: Partial<EncryptionKey>, path: string): readonly Problem[] {
  const bytes = Buffer.from(secret ?? "", "base64");
  return together(
    !name && required(`${path}.name`, "name is a mandatory field for a key"),
    !secret && required(`${path}.secret`, "secret is a mandatory field for a key"),
    // The secret itself is not shown.
    secret && bytes.toString("base64") !== secret
      ? invalid(`${path}.secret`, "REDACTED", "secrets must be base64 encoded")
      : secret &&
          !keySizes.includes(bytes.length) &&
          invalid(
            `${path}.secret`,
            "REDACTED",
            `secret is not of the expected length, got ${bytes.length}, expected one of [16 24 32]`,
          ),
  );
}

const unavailable: Readonly<Record<string, string>> = {
  kms: "this server calls no key management service; use aesgcm with keys in this file",
  secretbox: "this server has no XSalsa20 and Poly1305; use aesgcm",
};

function providerProblems(provider: Provider, path: string): readonly Problem[] {
  const [name, ...more] = Object.keys(provider);
  if (name === undefined)
    return [
      invalid(
        path,
        provider,
        "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity",
      ),
    ];
  if (more.length > 0)
    // Kubernetes shows the provider; with its keys.
    return [
      invalid(
        path,
        "REDACTED",
        "more than one provider specified in a single element, should split into different list elements",
      ),
    ];
  if (unavailable[name] !== undefined) return [forbidden(`${path}.${name}`, unavailable[name])];
  if (name === "identity") return [];
  const all = (provider[name as "aesgcm"] as Partial<Keys> | undefined)?.keys ?? [];
  return all.length === 0
    ? [required(`${path}.${name}.keys`, "at least one keys is required")]
    : each(all, `${path}.${name}.keys`, keyProblems);
}

function problemsOf({ resources = [] }: Partial<EncryptionConfiguration>): readonly Problem[] {
  const needed = (path: string): Problem => required(path, `at least one ${path} is required`);
  if (resources.length === 0) return [needed("resources")];
  return each(resources, "resources", ({ resources: list = [], providers = [] }: Partial<EncryptedResources>, path) =>
    together(
      list.length === 0 && needed(`${path}.resources`),
      listProblems(list, `${path}.resources`),
      each(list, `${path}.resources`, resourceProblem),
      providers.length === 0 && needed(`${path}.providers`),
      each(providers, `${path}.providers`, providerProblems),
    ),
  );
}

/** Throws when an earlier rule of all resources hides a later one. */
function checkMasks({ resources }: EncryptionConfiguration): void {
  const earlier = new Set<string>();
  for (const { group, resource } of resources.flatMap((rule) => rule.resources.map(resourceName))) {
    const mask = [`*.${group}`, "*.*"].find((wider) => earlier.has(wider));
    const shown = group === "" && resource !== "*" ? resource : `${resource}.${group}`;
    if (mask !== undefined) throw new Error(`resource ${JSON.stringify(shown)} is masked by earlier rule "${mask}"`);
    earlier.add(`${resource}.${group}`);
  }
}

/** The configuration in a file. Throws what is wrong with it, without showing a key. */
export function readEncryptionConfiguration(text: string): EncryptionConfiguration {
  const configuration = readConfigFile<EncryptionConfiguration>(text, configurationKind);
  throwProblems(problemsOf(configuration));
  checkMasks(configuration);
  return configuration;
}
