// The public keys of a provider: found through its OpenID configuration when its first token comes, and read again for
// tokens that they do not verify. Source: OpenID Connect Discovery 1.0.
import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import type { World } from "../../../machinery/world.ts";
import type { Issuer } from "./configuration.ts";
import type { FetchJson } from "./fetch.ts";

export type KeySet = ReturnType<typeof createLocalJWKSet>;
export interface ProviderKeys {
  /** The keys. Rejects as long as none could be read. */
  current(): Promise<KeySet>;
  /** Keys that were read after these; undefined when there are none, or these were read a moment ago. */
  newerThan(keys: KeySet): Promise<KeySet | undefined>;
}

/** After a success, keys are not read again sooner: tokens with made-up keys must not cause requests. */
const cooldownMs = 10_000;
/** Keys that the provider has withdrawn are not trusted for longer, as long as it can be reached. */
const maxAgeMs = 3_600_000;
const [firstBackoffMs, lastBackoffMs] = [1_000, 60_000];

const wellKnown = "/.well-known/openid-configuration";
const configurationUrl = ({ url, discoveryURL }: Issuer): string =>
  discoveryURL || `${url.replace(/\/$/, "")}${wellKnown}`;

async function readKeys(issuer: Issuer, fetchJson: FetchJson): Promise<KeySet> {
  const found = (await fetchJson(configurationUrl(issuer))) as Readonly<Record<string, unknown>> | null;
  const { issuer: actual, jwks_uri: keysUrl } = found ?? {};
  if (actual !== issuer.url)
    throw new Error(
      `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(issuer.url)} got ${JSON.stringify(actual ?? "")}`,
    );
  if (typeof keysUrl !== "string" || !URL.canParse(keysUrl) || new URL(keysUrl).protocol !== "https:")
    throw new Error("the provider names no address of keys that begins with https");
  return createLocalJWKSet((await fetchJson(keysUrl)) as JSONWebKeySet);
}

/** Keys of an issuer; nothing is read before they are needed. */
export function providerKeys(
  issuer: Issuer,
  { clock, log }: Omit<World, "random">,
  fetchJson: FetchJson,
): ProviderKeys {
  let keys: KeySet | undefined;
  let problem = "";
  let [failures, notBefore, staleAt] = [0, 0, 0];
  let reading: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    try {
      keys = await readKeys(issuer, fetchJson);
      failures = 0;
      [notBefore, staleAt] = [clock.now() + cooldownMs, clock.now() + maxAgeMs];
    } catch (error) {
      problem = (error as Error).message;
      notBefore = clock.now() + Math.min(firstBackoffMs * 2 ** failures++, lastBackoffMs);
      log("the keys of a token issuer cannot be read", { issuer: issuer.url, error: problem });
    }
  };
  /** Reads once for all tokens that wait, and not too often. */
  const readSoon = async (): Promise<void> => {
    if (!reading && clock.now() < notBefore) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  };
  return {
    async current() {
      if (!keys || clock.now() >= staleAt) await readSoon();
      if (!keys) throw new Error(`oidc: authenticator not initialized: ${problem}`);
      return keys;
    },
    async newerThan(old) {
      if (keys === old) await readSoon();
      return keys === old ? undefined : keys;
    },
  };
}
