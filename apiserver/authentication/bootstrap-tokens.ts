// Authenticates the holders of bootstrap tokens: users system:bootstrap:ID of the group system:bootstrappers.
import { timingSafeEqual } from "node:crypto";
import {
  parseBootstrapToken,
  tokenGroups,
  tokenNamespace,
  tokenSecretName,
  usableToken,
} from "../../api/core/bootstrap-tokens.ts";
import { secrets } from "../../api/core/secrets.ts";
import type { Secret } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import type { User } from "../authorization/authorizer.ts";
import type { Registry } from "../registry/verbs.ts";
import { find } from "./tokens.ts";

/** Compares without telling by its duration how much of the texts is the same. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The user of a bootstrap token; undefined for a text of another form, and for a token that is not valid. */
export async function bootstrapUser(registry: Registry, text: string): Promise<User | undefined> {
  const token = parseBootstrapToken(text);
  if (!token) return undefined;
  const secret = await find(registry, secrets, key(tokenNamespace, tokenSecretName(token.id)));
  const known = secret && usableToken(secret as Secret, "authentication", registry.world.clock.now());
  if (!known || !isSame(known.secret, token.secret)) return undefined;
  const groups = tokenGroups(secret as Secret);
  return groups && { name: `system:bootstrap:${known.id}`, groups: [...groups, "system:authenticated"] };
}
