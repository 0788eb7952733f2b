// The Secret of a bootstrap token, and the rows of a list of them. Pure.
import { age } from "../../api/age.ts";
import {
  type BootstrapToken,
  bootstrapTokenType,
  expirationOf,
  isTokenSecret,
  tokenField,
  tokenNamespace,
  tokenSecretName,
} from "../../api/core/bootstrap-tokens.ts";
import type { Secret } from "../../api/generated/types.ts";
import { type Draft, type Instant, instant, timestamp } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";

/** What a token is for. */
export interface TokenOptions {
  /** 0 for a token that does not expire. */
  readonly ttlMs: number;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
  readonly description: string;
}

const usages: readonly string[] = ["signing", "authentication"];
const encoded = (fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, text]) => text !== "")
      .map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
  );

/** The Secret. Throws CliError for usages and groups that no token can have. */
export function tokenSecret({ id, secret }: BootstrapToken, options: TokenOptions, now: Instant): Draft<Secret> {
  const other = options.usages.find((usage) => !usages.includes(usage));
  if (other !== undefined)
    throw new CliError(`invalid bootstrap token usage string: ${other}, valid usage options: ${usages.join(", ")}`);
  const group = options.groups.find((name) => !/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(name));
  if (group !== undefined)
    throw new CliError(
      `bootstrap group "${group}" is invalid (must match \\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\z)`,
    );
  return {
    kind: "Secret",
    metadata: { name: tokenSecretName(id), namespace: tokenNamespace },
    type: bootstrapTokenType,
    data: encoded({
      ...{ "token-id": id, "token-secret": secret, description: options.description },
      expiration: options.ttlMs > 0 ? timestamp(instant(now + options.ttlMs)) : "",
      ...Object.fromEntries(options.usages.map((usage) => [`usage-bootstrap-${usage}`, "true"])),
      "auth-extra-groups": options.groups.join(","),
    }),
  };
}

export const tokenHeader = ["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"];

/** One row for each token, in the order of their ids. */
export const tokenRows = (secrets: readonly Secret[], now: Instant): readonly (readonly string[])[] =>
  secrets
    .filter(isTokenSecret)
    .map((secret) => {
      const end = expirationOf(secret);
      const left = end === undefined ? "<forever>" : end <= now ? "<expired>" : age(now, end);
      const used = usages.filter((usage) => tokenField(secret, `usage-bootstrap-${usage}`) === "true").toSorted();
      return [
        `${tokenField(secret, "token-id")}.${tokenField(secret, "token-secret")}`,
        left,
        end === undefined ? "<never>" : timestamp(end),
        used.join(",") || "<none>",
        tokenField(secret, "description") || "<none>",
        tokenField(secret, "auth-extra-groups") || "<none>",
      ];
    })
    .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
