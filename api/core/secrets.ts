// Secret: confidential data that pods read as files or variables; values are base64.
import type { Secret } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { invalid, required, together } from "../problems.ts";
import { immutableData, validateKeys, validateSize } from "./config-data.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Secret } from "../generated/types.ts";

/** Base64 of UTF-8 text, without Node's Buffer: api/ also runs in a browser. */
const encode = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** `stringData` is write-only: it is merged into `data`. */
function defaults({ stringData, ...d }: Draft<Secret>): Draft<Secret> {
  const written = Object.entries(stringData ?? {}).map(([k, v]) => [k, encode(v)] as const);
  return { ...d, ...(written.length > 0 || d.data ? { data: { ...d.data, ...Object.fromEntries(written) } } : {}) };
}

/** Required keys by type. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};
const login = ["username", "password"];
const accountAnnotation = "kubernetes.io/service-account.name";

/** Keys that a well-known type requires. */
function validateType({ data = {}, metadata, type = "" }: Draft<Secret>): readonly Problem[] {
  const missing = (keys: readonly string[]): readonly Problem[] => keys.map((key) => required(`data[${key}]`));
  if (type === "kubernetes.io/service-account-token")
    return metadata.annotations?.[accountAnnotation] ? [] : [required(`metadata.annotations[${accountAnnotation}]`)];
  if (type === "kubernetes.io/basic-auth") return login.some((key) => data[key] !== undefined) ? [] : missing(login);
  const needed = neededKeys[type] ?? [];
  // A private key must also be non-empty.
  const isPresent = (key: string): boolean => (key === "ssh-privatekey" ? !!data[key] : data[key] !== undefined);
  return together(missing(needed.filter((key) => !isPresent(key))), validateDockerConfig(needed, data));
}

/** Registry credentials are a JSON object. */
function validateDockerConfig(keys: readonly string[], data: Readonly<Record<string, string>>): readonly Problem[] {
  return keys
    .filter((key) => key.startsWith(".docker") && data[key] !== undefined)
    .flatMap((key) => {
      const refuse = (detail: string): readonly Problem[] => [
        invalid(`data[${key}]`, "<secret contents redacted>", detail),
      ];
      try {
        const value: unknown = JSON.parse(atob(data[key] ?? ""));
        return typeof value === "object" && !Array.isArray(value) ? [] : refuse("must be an object");
      } catch (e) {
        return refuse((e as Error).message);
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
