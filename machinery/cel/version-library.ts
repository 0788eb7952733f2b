// Functions on semantic versions in CEL expressions. Source: the Kubernetes reference, "CEL in Kubernetes", semver
// library; semver.org, "Precedence".
import type { Environment } from "@marcbachmann/cel-js";

/** A value of the CEL type `kubernetes.Semver`. Build metadata has no meaning for its functions. */
export class CelVersion {
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];
  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    this.numbers = numbers;
    this.prerelease = prerelease;
  }
}

const number = "(0|[1-9]\\d*)";
const identifier = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const form = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

function parse(text: string): CelVersion | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return new CelVersion([major!, minor!, patch!].map(BigInt), prerelease?.split(".") ?? []);
}

/** Drops a `v` in front and leading zeros, and adds missing parts. */
function normalized(text: string): string {
  const [, numbers = "", rest = ""] = /^v?([^-+]*)(.*)$/s.exec(text.trim()) ?? [];
  const parts = numbers.split(".").map((part) => part.replace(/^0+(?=\d)/, ""));
  return [...parts, "0", "0"].slice(0, Math.max(3, parts.length)).join(".") + rest;
}

/** Throws when the text is not a semantic version. */
export function celVersion(text: string, isNormalized = false): CelVersion {
  const version = parse(isNormalized ? normalized(text) : text);
  if (!version) throw new Error(`semver: invalid version ${JSON.stringify(text)}`);
  return version;
}

const isNumeric = (part: string): boolean => /^\d+$/.test(part);
function compareParts(a: string, b: string): number {
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1;
  const [x, y] = isNumeric(a) ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : x > y ? 1 : 0;
}

function compare(a: CelVersion, b: CelVersion): number {
  for (const [i, n] of a.numbers.entries()) if (n !== b.numbers[i]) return n < b.numbers[i]! ? -1 : 1;
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    const order = other === undefined ? 1 : compareParts(part, other);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}

const type = "kubernetes.Semver";

/** Adds the type and its functions. */
export const withVersions = (environment: Environment): Environment =>
  environment
    .registerType(type, { ctor: CelVersion, fields: {} })
    .registerFunction(`semver(string): ${type}`, (text: string) => celVersion(text))
    .registerFunction(`semver(string, bool): ${type}`, celVersion)
    .registerFunction("isSemver(string): bool", (text: string) => parse(text) !== undefined)
    .registerFunction(
      "isSemver(string, bool): bool",
      (text: string, isNormalized: boolean) => parse(isNormalized ? normalized(text) : text) !== undefined,
    )
    .registerOperator(`${type} == ${type}`, (a: CelVersion, b: CelVersion) => compare(a, b) === 0)
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: CelVersion, b: CelVersion) => compare(a, b) > 0)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: CelVersion, b: CelVersion) => compare(a, b) < 0)
    .registerFunction(`${type}.compareTo(${type}): int`, (a: CelVersion, b: CelVersion) =>
      BigInt(Math.sign(compare(a, b))),
    )
    .registerFunction(`${type}.major(): int`, ({ numbers }: CelVersion) => numbers[0]!)
    .registerFunction(`${type}.minor(): int`, ({ numbers }: CelVersion) => numbers[1]!)
    .registerFunction(`${type}.patch(): int`, ({ numbers }: CelVersion) => numbers[2]!);
