// All authenticators of bearer tokens, one after the other: the first that knows a token names its owner.
import type { User } from "../authorization/authorizer.ts";
import type { Registry } from "../registry/verbs.ts";
import { anonymous, type Identify, identifier } from "./authenticate.ts";
import { bootstrapUser } from "./bootstrap-tokens.ts";
import { type Owner, type TokenOptions, type Tokens, tokens, unknownToken } from "./tokens.ts";

/** The user of a token that has no audiences; undefined for tokens of another form. Rejects for an invalid one. */
export type TokenAuthenticator = (token: string) => Promise<User | undefined>;

/** Refuses requests without credentials where they are not allowed. */
const withoutAnonymous =
  (identify: Identify, isAllowed: (path: string) => boolean): Identify =>
  async (request) => {
    const user = await identify(request);
    const [path = ""] = (request.url ?? "").split("?");
    return user === anonymous && !isAllowed(path) ? undefined : user;
  };

export interface Authentication {
  readonly tokens: Tokens;
  readonly identify: Identify;
}

/** Authenticators that a server has beside its own. */
export interface FurtherAuthentication {
  readonly authenticators?: readonly TokenAuthenticator[];
  /** Whether requests without credentials have a user, by their path; all have when left out. */
  readonly isAnonymousAllowed?: (path: string) => boolean;
}

/** The authenticators of a server. Those of service accounts come first, then the further ones. */
export function authentication(
  registry: Registry,
  options: TokenOptions,
  { authenticators = [], isAnonymousAllowed }: FurtherAuthentication = {},
): Authentication {
  const ofAccounts = tokens(registry, options);
  const others: readonly TokenAuthenticator[] = [(token) => bootstrapUser(registry, token), ...authenticators];
  /** Tokens of these owners are meant for this server, and for no other audience. */
  const otherOwner = async (token: string, audiences: readonly string[]): Promise<Owner> => {
    const errors: string[] = [];
    const own = audiences.filter((audience) => audience === ofAccounts.issuer);
    for (const authenticate of own.length > 0 ? others : []) {
      const user = await authenticate(token).catch((e: Error) => void errors.push(e.message));
      if (user) return { user, audiences: own };
    }
    throw new Error(errors[0] ?? unknownToken);
  };
  const ownerOf: Tokens["ownerOf"] = (token, audiences) =>
    ofAccounts.ownerOf(token, audiences).catch((e: Error) => {
      if (e.message !== unknownToken) throw e;
      return otherOwner(token, audiences ?? [ofAccounts.issuer]);
    });
  const identify = identifier(async (token) => (await ownerOf(token)).user, registry.world);
  return {
    tokens: { ...ofAccounts, ownerOf },
    identify: isAnonymousAllowed ? withoutAnonymous(identify, isAnonymousAllowed) : identify,
  };
}
