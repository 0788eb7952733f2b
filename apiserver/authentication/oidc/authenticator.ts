// Authenticates the holders of an outside provider's tokens (OpenID Connect). Decision 046.
import { expiringCache } from "../../../machinery/expiring-cache.ts";
import type { World } from "../../../machinery/world.ts";
import type { User } from "../../authorization/authorizer.ts";
import type { FurtherAuthentication, TokenAuthenticator } from "../authenticators.ts";
import { issuerIn } from "../tokens.ts";
import type { AuthenticationOptions, JwtAuthenticator } from "./configuration.ts";
import { jsonFetch } from "./fetch.ts";
import { providerKeys } from "./provider.ts";
import { userMapping } from "./user.ts";
import { isIssuer, verifiedClaims } from "./verify.ts";

/** A verified token is not verified again for so long: changes of the provider's keys take effect after it. */
const rememberedMs = 10_000;
const mostRemembered = 1_000;

function providerAuthenticator(
  configuration: JwtAuthenticator,
  algorithms: readonly string[],
  world: Omit<World, "random">,
): TokenAuthenticator {
  const { issuer } = configuration;
  const { clock } = world;
  const fetchJson = jsonFetch({ ca: issuer.certificateAuthority, clock });
  const of = { issuer, algorithms, keys: providerKeys(issuer, world, fetchJson) };
  const userOf = userMapping(configuration);
  const verified = expiringCache<User>(clock, mostRemembered);
  return async (token) => {
    if (!isIssuer(issuerIn(token), issuer)) return undefined;
    const known = verified.get(token);
    if (known) return known;
    const claims = await verifiedClaims(token, of, clock).catch((error: Error) => {
      throw new Error(`oidc: verify token: ${error.message}`, { cause: error });
    });
    const user = userOf(claims);
    verified.set(token, user, Math.min(rememberedMs, Number(claims["exp"]) * 1000 - clock.now()));
    return user;
  };
}

/** Where requests without credentials have a user: everywhere unless configured. */
function anonymousPaths({ anonymous }: AuthenticationOptions): Pick<FurtherAuthentication, "isAnonymousAllowed"> {
  if (!anonymous) return {};
  const { enabled = false, conditions = [] } = anonymous;
  const paths = new Set(conditions.map(({ path }) => path));
  return { isAnonymousAllowed: (path) => enabled && (paths.size === 0 || paths.has(path)) };
}

/** What is configured. Nothing is read from a provider before one of its tokens comes. */
export const configuredAuthentication = (
  options: AuthenticationOptions,
  world: Omit<World, "random">,
): FurtherAuthentication => ({
  authenticators: (options.jwt ?? []).map((jwt) => providerAuthenticator(jwt, options.algorithms, world)),
  ...anonymousPaths(options),
});
