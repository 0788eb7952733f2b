// Projected service account tokens: requested for the volumes of a pod and renewed before they expire (KEP-1205).
import type { Pod, ServiceAccountTokenProjection } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";
import { type Draft, type Instant, instant, instantOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { Unmet } from "../podspec/references.ts";

/** A token and its renewal time, or the error of its request. */
interface Held {
  readonly token?: string;
  readonly expiresAt: Instant;
  readonly renewAt: Instant;
  readonly failure?: string;
}
/** The tokens of a pod by expiry and audience. */
export type HeldTokens = ReadonlyMap<string, Held>;

/** A token is renewed after this share of its lifetime, and after a day at the latest. */
const lifetimeShare = 0.8;
const maxAgeMs = 24 * 3_600_000;
const retryMs = 10_000;

const idOf = ({ audience = "", expirationSeconds }: ServiceAccountTokenProjection): string =>
  `${expirationSeconds} ${audience}`;

const projectionsOf = (pod: Pod): readonly ServiceAccountTokenProjection[] =>
  (pod.spec.volumes ?? []).flatMap((v) => (v.projected?.sources ?? []).flatMap((s) => s.serviceAccountToken ?? []));

/** A request for a token bound to the pod: it is invalid once the pod is deleted. */
export function tokenRequestFor(
  pod: Pod,
  { audience, expirationSeconds }: Omit<ServiceAccountTokenProjection, "path">,
): Draft<TokenRequest> {
  const { name, namespace, uid } = pod.metadata;
  return {
    kind: "TokenRequest",
    metadata: { name: pod.spec.serviceAccountName ?? "default", ...(namespace && { namespace }) },
    spec: {
      audiences: audience ? [audience] : [],
      ...(expirationSeconds !== undefined && { expirationSeconds }),
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    },
  };
}

/** When a token issued now has to be renewed. Pure. */
const renewalOf = (now: Instant, expiresAt: Instant): Instant =>
  instant(now + Math.min((expiresAt - now) * lifetimeShare, maxAgeMs));

/** The tokens of the pod's volumes, renewed where due. After a failed renewal the old token stays until it expires. */
export async function freshTokens(
  { client, world }: { readonly client: Client; readonly world: World },
  pod: Pod,
  held: HeldTokens,
): Promise<HeldTokens> {
  const renewed = async (source: ServiceAccountTokenProjection): Promise<Held> => {
    const before = held.get(idOf(source));
    if (before && world.clock.now() < before.renewAt) return before;
    try {
      const { status } = await client.create(tokenRequests, tokenRequestFor(pod, source));
      const { token, expirationTimestamp } = status as Required<NonNullable<TokenRequest["status"]>>;
      const expiresAt = instantOf(expirationTimestamp);
      return { token, expiresAt, renewAt: renewalOf(world.clock.now(), expiresAt) };
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      const now = world.clock.now();
      const renewAt = instant(now + retryMs);
      if (before?.token && now < before.expiresAt) return { ...before, renewAt };
      return { expiresAt: now, renewAt: now, failure: e.message };
    }
  };
  return new Map(await Promise.all(projectionsOf(pod).map(async (w) => [idOf(w), await renewed(w)] as const)));
}

/** When the next token has to be renewed; undefined without tokens. */
export const nextRenewal = (held: HeldTokens): Instant | undefined =>
  held.size === 0 ? undefined : instant(Math.min(...[...held.values()].map(({ renewAt }) => renewAt)));

/** The token of a projection; throws `Unmet` without one. */
export function tokenFor(held: HeldTokens, source: ServiceAccountTokenProjection): string {
  const { token, failure } = held.get(idOf(source)) ?? {};
  if (token === undefined) throw new Unmet(`failed to fetch token: ${failure ?? "it was not asked for"}`);
  return token;
}
