// Validation that ConfigMap and Secret share: keys, total size, and immutability.
import { validateDataKey } from "../names.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import { forbidden, together, tooLong } from "../problems.ts";

const maxBytes = 1024 * 1024;

type Data = Readonly<Record<string, string>> | undefined;

/** Keys, which may become file names. */
export const validateKeys = (data: Data, path: string): readonly Problem[] =>
  Object.keys(data ?? {}).flatMap((key) => validateDataKey(key, `${path}[${key}]`));

/** Bytes in all values. */
const sizeOf = (data: Data, bytesOf: (value: string) => number): number =>
  Object.values(data ?? {}).reduce((sum, value) => sum + bytesOf(value), 0);
const textBytes = (text: string): number => new TextEncoder().encode(text).length;
const base64Bytes = (text: string): number => Math.floor((text.replace(/=+$/, "").length * 3) / 4);

/** Text counts in UTF-8, binary data decoded from base64. */
export const validateSize = (text: Data, binary: Data, path: string): readonly Problem[] =>
  sizeOf(text, textBytes) + sizeOf(binary, base64Bytes) > maxBytes ? [tooLong(path, maxBytes)] : [];

interface Holder {
  readonly immutable?: boolean;
  readonly data?: Data;
  readonly binaryData?: Data;
}

/** Data marked immutable can never change again. */
export function immutableData(now: Holder, old: Holder | undefined): readonly Problem[] {
  if (old?.immutable !== true) return [];
  const fixed = (path: string): Problem => forbidden(path, "field is immutable when `immutable` is set");
  const differs = (a: Data, b: Data): boolean => !sameJson(a ?? {}, b ?? {});
  return together(
    now.immutable !== true && fixed("immutable"),
    differs(now.data, old.data) && fixed("data"),
    differs(now.binaryData, old.binaryData) && fixed("binaryData"),
  );
}
