// All authenticators of bearer tokens, one after the other: the first that knows a token names its owner.
import type { User } from "../authorization/authorizer.ts";
import type { Registry } from "../registry/verbs.ts";
import { type Identify, identifier } from "./authenticate.ts";
import { bootstrapUser } from "./bootstrap-tokens.ts";
import { type Owner, type TokenOptions, type Tokens, tokens, unknownToken } from "./tokens.ts";

/** The user of a token that has no audiences; undefined for tokens of another form. Rejects for an invalid one. */
export type TokenAuthenticator = (token: string) => Promise<User | undefined>;

export interface Authentication {
  readonly tokens: Tokens;
  readonly identify: Identify;
}

/** The authenticators of a server. Those of service accounts come first, then the further ones. */
export function authentication(
  registry: Registry,
  options: TokenOptions,
  further: readonly TokenAuthenticator[] = [],
): Authentication {
  const ofAccounts = tokens(registry, options);
  const others: readonly TokenAuthenticator[] = [(token) => bootstrapUser(registry, token), ...further];
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
  return {
    tokens: { ...ofAccounts, ownerOf },
    identify: identifier(async (token) => (await ownerOf(token)).user, registry.world),
  };
}
