// The ciphers of encryption at rest, in Kubernetes' formats: what each writes begins with a prefix that names the
// cipher and the key.
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomFillSync } from "node:crypto";
import type { EncryptionKey, Provider } from "./configuration.ts";

/** What all encrypted values begin with. */
export const encryptedPrefix = "k8s:enc:";

/** One key of one cipher, or none. */
export interface Cipher {
  /** What the values of this key begin with; empty for values that are not encrypted. */
  readonly prefix: string;
  /** Of the cipher and the key itself: another key of the same name is another. Empty where nothing is encrypted. */
  readonly id: string;
  /** Encrypts a value, with its prefix. */
  seal(key: string, value: Uint8Array): Uint8Array;
  /** Decrypts what follows the prefix. Throws when the value was not encrypted with this key, or was changed since. */
  open(key: string, bytes: Uint8Array): Uint8Array;
}

const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;

/** The parts in a buffer of their own: parts of a slab would keep all of it in memory. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));
const short = "the stored data was shorter than the required size";

/** What a key is for: its prefix, its bytes, and the size of both in bits. */
function keyOf(scheme: string, { name, secret }: EncryptionKey) {
  const bytes = Buffer.from(secret, "base64");
  const prefix = `${encryptedPrefix}${scheme}:v1:${name}:`;
  return {
    prefix,
    id: prefix + createHash("sha256").update(bytes).digest("hex"),
    head: Buffer.from(prefix),
    secret: createSecretKey(bytes),
    bits: bytes.length * 8,
  };
}

/** AES in Galois/Counter Mode (NIST SP 800-38D). It authenticates the storage key, so values cannot change places. */
function aesgcm(key: EncryptionKey): Cipher {
  const { prefix, id, head, secret, bits } = keyOf("aesgcm", key);
  const algorithm = `aes-${bits}-gcm` as "aes-256-gcm";
  return {
    ...{ prefix, id },
    seal(at, value) {
      const nonce = random(nonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce);
      cipher.setAAD(Buffer.from(at));
      const encrypted = cipher.update(value);
      cipher.final();
      return joined(head, nonce, encrypted, cipher.getAuthTag());
    },
    open(at, bytes) {
      if (bytes.length < nonceBytes + tagBytes) throw new Error(short);
      const decipher = createDecipheriv(algorithm, secret, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(at));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const value = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
      try {
        decipher.final();
      } catch {
        throw new Error("cipher: message authentication failed");
      }
      return joined(value);
    },
  };
}

/** AES in cipher block chaining mode with the padding of PKCS #7. It authenticates nothing; for values of before. */
function aescbc(key: EncryptionKey): Cipher {
  const { prefix, id, head, secret, bits } = keyOf("aescbc", key);
  const algorithm = `aes-${bits}-cbc`;
  return {
    ...{ prefix, id },
    seal(_at, value) {
      const start = random(blockBytes);
      const cipher = createCipheriv(algorithm, secret, start);
      return joined(head, start, cipher.update(value), cipher.final());
    },
    open(_at, bytes) {
      if (bytes.length < 2 * blockBytes) throw new Error(short);
      const decipher = createDecipheriv(algorithm, secret, bytes.subarray(0, blockBytes));
      try {
        return joined(decipher.update(bytes.subarray(blockBytes)), decipher.final());
      } catch {
        throw new Error("invalid padding on input");
      }
    },
  };
}

/** Encrypts nothing. It reads no encrypted values. */
export const identity: Cipher = { prefix: "", id: "", seal: (_at, value) => value, open: (_at, bytes) => bytes };

/** The ciphers of a provider, one for each key. The first writes. */
export function ciphersOf({ aesgcm: gcm, aescbc: cbc }: Provider): readonly Cipher[] {
  if (gcm) return gcm.keys.map(aesgcm);
  return cbc ? cbc.keys.map(aescbc) : [identity];
}
