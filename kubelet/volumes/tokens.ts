// Tokens of a pod's service account: asked for when a volume shows one, and anew before they run out (KEP-1205).
import type { Pod, ServiceAccountTokenProjection } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";
import { type Draft, type Instant, instant, instantOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { Unmet } from "../podspec/references.ts";

/** A token, and when to ask for the next one; or why there is none. */
interface Held {
  readonly token?: string;
  readonly expiresAt: Instant;
  readonly renewAt: Instant;
  readonly failure?: string;
}
/** What a pod holds, by what was asked for. */
export type HeldTokens = ReadonlyMap<string, Held>;

/** A token is used for so much of its life, and never for longer than a day. */
const usedShare = 0.8;
const longestUseMs = 24 * 3_600_000;
const retryMs = 10_000;

const idOf = ({ audience = "", expirationSeconds }: ServiceAccountTokenProjection): string =>
  `${expirationSeconds} ${audience}`;

const wantedBy = (pod: Pod): readonly ServiceAccountTokenProjection[] =>
  (pod.spec.volumes ?? []).flatMap((v) => (v.projected?.sources ?? []).flatMap((s) => s.serviceAccountToken ?? []));

/** The request for a token that is worth nothing once the pod is gone. */
function requestFor(pod: Pod, { audience, expirationSeconds }: ServiceAccountTokenProjection): Draft<TokenRequest> {
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

/** When the next token is due, of one that was given now. Pure. */
const renewalOf = (now: Instant, expiresAt: Instant): Instant =>
  instant(now + Math.min((expiresAt - now) * usedShare, longestUseMs));

/** The tokens the pod's volumes show. One that cannot be had anew is shown for as long as it counts. */
export async function freshTokens(
  { client, world }: { readonly client: Client; readonly world: World },
  pod: Pod,
  held: HeldTokens,
): Promise<HeldTokens> {
  const ask = async (wanted: ServiceAccountTokenProjection): Promise<Held> => {
    const before = held.get(idOf(wanted));
    if (before && world.clock.now() < before.renewAt) return before;
    try {
      const { status } = await client.create(tokenRequests, requestFor(pod, wanted));
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
  return new Map(await Promise.all(wantedBy(pod).map(async (w) => [idOf(w), await ask(w)] as const)));
}

/** When the first of them has to be asked for anew, if any ever has. */
export const nextRenewal = (held: HeldTokens): Instant | undefined =>
  held.size === 0 ? undefined : instant(Math.min(...[...held.values()].map(({ renewAt }) => renewAt)));

/** The token a volume shows; throws `Unmet` when there is none. */
export function tokenFor(held: HeldTokens, wanted: ServiceAccountTokenProjection): string {
  const { token, failure } = held.get(idOf(wanted)) ?? {};
  if (token === undefined) throw new Unmet(`failed to fetch token: ${failure ?? "it was not asked for"}`);
  return token;
}
