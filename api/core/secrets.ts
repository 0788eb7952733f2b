// Secret: like a ConfigMap, for what should not be read over a shoulder. Values are base64.
import type { Secret } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { invalid, required, together } from "../problems.ts";
import { immutableData, validateKeys, validateSize } from "./config-data.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Secret } from "../generated/types.ts";

/** Base64 of UTF-8 text, without Node: this vocabulary also runs in a browser. */
const encode = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** `stringData` is a convenience for writers: it ends up in `data` and is never read back. */
function defaults({ stringData, ...d }: Draft<Secret>): Draft<Secret> {
  const written = Object.entries(stringData ?? {}).map(([k, v]) => [k, encode(v)] as const);
  return { ...d, ...(written.length > 0 || d.data ? { data: { ...d.data, ...Object.fromEntries(written) } } : {}) };
}

/** Keys that a secret of a well-known type must have. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};
const login = ["username", "password"];
const accountAnnotation = "kubernetes.io/service-account.name";

/** What a well-known type needs to be of any use. */
function validateType({ data = {}, metadata, type = "" }: Draft<Secret>): readonly Problem[] {
  const missing = (keys: readonly string[]): readonly Problem[] => keys.map((key) => required(`data[${key}]`));
  if (type === "kubernetes.io/service-account-token")
    return metadata.annotations?.[accountAnnotation] ? [] : [required(`metadata.annotations[${accountAnnotation}]`)];
  if (type === "kubernetes.io/basic-auth") return login.some((key) => data[key] !== undefined) ? [] : missing(login);
  const needed = neededKeys[type] ?? [];
  // A private key must also have something in it.
  const isThere = (key: string): boolean => (key === "ssh-privatekey" ? !!data[key] : data[key] !== undefined);
  return together(missing(needed.filter((key) => !isThere(key))), validateDockerConfig(needed, data));
}

/** The credentials of registries are an object in JSON. */
function validateDockerConfig(keys: readonly string[], data: Readonly<Record<string, string>>): readonly Problem[] {
  return keys
    .filter((key) => key.startsWith(".docker") && data[key] !== undefined)
    .flatMap((key) => {
      try {
        const value: unknown = JSON.parse(atob(data[key] ?? ""));
        if (typeof value === "object" && !Array.isArray(value)) return [];
        return [invalid(`data[${key}]`, "<secret contents redacted>", "must be an object")];
      } catch (e) {
        return [invalid(`data[${key}]`, "<secret contents redacted>", (e as Error).message)];
      }
    });
}

const validate = (s: Draft<Secret>, old?: Secret): readonly Problem[] =>
  together(
    validateKeys(s.data, "data"),
    validateSize(undefined, s.data, "data"),
    validateType(s),
    immutableData(s, old),
  );

export const secrets = define<Secret>({
  group: "",
  kind: "Secret",
  scope: "Namespaced",
  defaults,
  validate,
  selectable: { type: (s) => s.type ?? "" },
  columns: [
    nameColumn,
    { name: "Type", cell: (s) => s.type ?? "" },
    { name: "Data", type: "string", cell: (s) => Object.keys(s.data ?? {}).length },
    ageColumn,
  ],
});
