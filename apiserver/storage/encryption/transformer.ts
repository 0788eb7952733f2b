// Encryption at rest: values are encrypted on their way to what keeps them, and decrypted once, when they enter the log
// in memory. Reads and watches never wait for a cipher.
import { ApiError } from "../../../api/errors.ts";
import type { Log } from "../../../machinery/world.ts";
import { kindOf, type Stored } from "../storage.ts";
import { type Cipher, ciphersOf, encryptedPrefix, identity } from "./ciphers.ts";
import { type EncryptionConfiguration, resourceName } from "./configuration.ts";

/** Changes values between the log and what keeps them. */
export interface Transformer {
  /** The bytes to keep. */
  seal(key: string, value: Uint8Array): Uint8Array;
  /** The value of kept bytes; bytes that cannot be read become a value that {@link Encryption.readable} refuses. */
  open(key: string, kept: Uint8Array): Uint8Array;
}

/** Keeps values as they are. */
export const unchanged: Transformer = { seal: (_key, value) => value, open: (_key, kept) => kept };

/** What encrypts by a configuration, which may change. */
export interface Encryption extends Transformer {
  /** Whether a value is kept in another form than it would be now. */
  isStale(stored: Stored): boolean;
  /** The entry with its value. Throws InternalError for one that cannot be decrypted by the current configuration. */
  readable(stored: Stored): Stored;
  /** Whether some value could not be decrypted so far. */
  hasUnreadable(): boolean;
  use(configuration: EncryptionConfiguration): void;
}

/** The ciphers for each resource. */
function chainsIn({ resources }: EncryptionConfiguration): (group: string, resource: string) => readonly Cipher[] {
  const chains = new Map<string, Cipher[]>();
  for (const { resources: list, providers } of resources) {
    for (const text of list) {
      const { group, resource } = resourceName(text);
      const name = `${resource}.${group}`;
      const chain = chains.get(name) ?? [];
      chains.set(name, chain);
      chain.push(...providers.flatMap(ciphersOf));
    }
  }
  return (group, resource) =>
    chains.get(`${resource}.${group}`) ?? chains.get(`*.${group}`) ?? chains.get("*.*") ?? [identity];
}

const head = Buffer.from(encryptedPrefix);
const isEncrypted = (bytes: Uint8Array): boolean =>
  bytes[0] === head[0] && Buffer.compare(bytes.subarray(0, head.length), head) === 0;
const startsWith = (bytes: Uint8Array, prefix: string): boolean =>
  Buffer.compare(bytes.subarray(0, prefix.length), Buffer.from(prefix)) === 0;

/** Why none of the ciphers of a resource reads a value, as Kubernetes says it. */
function failureOf(chain: readonly Cipher[], kept: Uint8Array, failures: readonly string[]): string {
  if (failures.length > 0) return failures.join(", ");
  const scheme = (prefix: string): string => prefix.split(":").slice(0, 4).join(":");
  if (chain.some(({ prefix }) => prefix !== "" && startsWith(kept, `${scheme(prefix)}:`)))
    return "no matching key was found for the provided AES transformer";
  return chain.every(({ prefix }) => prefix === "")
    ? "identity transformer tried to read encrypted data"
    : "no matching prefix found";
}

const remedy =
  "the encryption configuration of this server lacks the key it was written with, or the value was changed in the store: add the key to the providers of its resource";

/** The value of bytes, and the cipher that read it. Throws an error with the reasons. */
function decrypt(chain: readonly Cipher[], key: string, kept: Uint8Array): { value: Uint8Array; by: Cipher } {
  const failures: string[] = [];
  const encrypted = isEncrypted(kept);
  for (const by of chain) {
    if (encrypted ? by.prefix === "" || !startsWith(kept, by.prefix) : by.prefix !== "") continue;
    try {
      return { value: by.open(key, kept.subarray(by.prefix.length)), by };
    } catch (e) {
      failures.push((e as Error).message);
    }
  }
  throw new Error(failureOf(chain, kept, failures));
}

/** Encrypts by a configuration. `renew` returns a newer one, if there is one, when a value cannot be read. */
export function encryption(
  configuration: EncryptionConfiguration,
  log: Log,
  renew: () => EncryptionConfiguration | undefined = () => undefined,
): Encryption {
  let chainFor = chainsIn(configuration);
  /** By the prefix of a kind. */
  let chains = new Map<string, readonly Cipher[]>();
  /** The cipher that each encrypted value was read or written with. */
  const forms = new WeakMap<Uint8Array, string>();
  /** What could not be read, and what it was read as later. */
  const unreadable = new WeakMap<Uint8Array, Stored | undefined>();
  let hasUnreadable = false;

  const chainOf = (key: string): readonly Cipher[] => {
    const kind = kindOf(key) ?? "";
    const known = chains.get(kind);
    if (known) return known;
    const [, group = "", resource = ""] = kind.split("/");
    const chain = chainFor(group, resource);
    chains.set(kind, chain);
    return chain;
  };
  const read = (key: string, kept: Uint8Array): Uint8Array => {
    const { value, by } = decrypt(chainOf(key), key, kept);
    if (by.id !== "") forms.set(value, by.id);
    return value;
  };
  const use = (next: EncryptionConfiguration): void => {
    chainFor = chainsIn(next);
    chains = new Map();
  };
  const readAgain = (key: string, kept: Uint8Array): Uint8Array => {
    try {
      return read(key, kept);
    } catch (e) {
      const newer = renew();
      if (!newer) throw e;
      use(newer);
      return read(key, kept);
    }
  };
  return {
    use,
    seal(key, value) {
      const [writer = identity] = chainOf(key);
      if (writer.id !== "") forms.set(value, writer.id);
      return writer.seal(key, value);
    },
    open(key, kept) {
      try {
        return readAgain(key, kept);
      } catch (e) {
        log("a value cannot be decrypted", { key, error: (e as Error).message, advice: remedy });
        const value = new Uint8Array(kept);
        unreadable.set(value, undefined);
        hasUnreadable = true;
        return value;
      }
    },
    isStale: ({ key, value }) => (forms.get(value) ?? "") !== (chainOf(key)[0] ?? identity).id,
    hasUnreadable: () => hasUnreadable,
    readable(stored) {
      if (!hasUnreadable || !unreadable.has(stored.value)) return stored;
      const known = unreadable.get(stored.value);
      if (known) return known;
      try {
        const readLater = { ...stored, value: readAgain(stored.key, stored.value) };
        unreadable.set(stored.value, readLater);
        return readLater;
      } catch (e) {
        throw new ApiError(
          "InternalError",
          `Internal error occurred: unable to transform key ${JSON.stringify(stored.key)}: ${(e as Error).message}; ${remedy}`,
        );
      }
    },
  };
}
