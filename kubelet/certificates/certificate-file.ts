// A certificate and its key in one file, which is replaced at once: a kubelet that is killed finds the old pair or the
// new one.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Instant } from "../../api/meta.ts";

/** A certificate with its private key, both as PEM text. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** From when to when the certificate of a pair is valid. Throws when it cannot be read. */
export function validityOf({ cert }: Pair): { readonly from: Instant; readonly to: Instant } {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return { from: validFromDate.getTime() as Instant, to: validToDate.getTime() as Instant };
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n/g;
const keyBlock = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]*-----END \1PRIVATE KEY-----\n/;

/** The pair in a text; undefined when there is none, or the key is that of another certificate. */
export function pairIn(text: string): Pair | undefined {
  const cert = (text.match(certificateBlock) ?? []).join("");
  const [key] = keyBlock.exec(text) ?? [];
  if (cert === "" || key === undefined) return undefined;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the file. Without one, or when it is damaged, there is no pair. */
export async function readPair(path: string): Promise<Pair | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : pairIn(text);
}

/** Replaces the file. When this resolves, the pair survives a loss of power. */
export async function writePair(path: string, { cert, key }: Pair): Promise<void> {
  const dir = dirname(path);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(cert + key);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dir);
  await folder.sync().finally(() => folder.close());
}
