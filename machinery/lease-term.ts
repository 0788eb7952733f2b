// The term of a leader: which holding of a lease its writes belong to. The API server commits a write with a term only
// while the lease is of that term (fencing), so a leader that was paused and deposed cannot write any more.
import { leases } from "../api/coordination/leases.ts";
import { ApiError, hasReason } from "../api/errors.ts";
import type { Lease } from "../api/generated/types.ts";
import { type Key, keyOf } from "../api/meta.ts";

/** One holding of a lease, from its acquisition on. Renewals keep it; every acquisition begins another one. */
export interface LeaseTerm {
  readonly lease: Key;
  readonly uid: string;
  readonly holder: string;
  /** `leaseTransitions` at the acquisition. */
  readonly transitions: number;
}

/** The term that a lease shows. */
export const termOf = (lease: Lease): LeaseTerm => ({
  lease: keyOf(lease),
  uid: lease.metadata.uid,
  holder: lease.spec.holderIdentity ?? "",
  transitions: lease.spec.leaseTransitions ?? 0,
});

/** Whether the lease is held in this term. A released lease is in none. */
export function isInTerm({ metadata, spec }: Lease, { uid, holder, transitions }: LeaseTerm): boolean {
  return metadata.uid === uid && spec.holderIdentity === holder && (spec.leaseTransitions ?? 0) === transitions;
}

/** The request header that carries a term. Requests without it are not fenced. */
export const termHeader = "orrery-lease-term";

/** A term as the value of the header. */
export const encodeTerm = ({ lease, uid, holder, transitions }: LeaseTerm): string =>
  new URLSearchParams({ lease, uid, holder, transitions: String(transitions) }).toString();

/** Reads the header. Throws BadRequest: a write that was meant to be fenced must not be committed without. */
export function decodeTerm(text: string): LeaseTerm {
  const fields = new URLSearchParams(text);
  const [lease, uid, holder] = ["lease", "uid", "holder"].map((name) => fields.get(name));
  const transitions = fields.get("transitions") ?? "";
  if (!lease || !uid || !holder || !/^\d+$/.test(transitions))
    throw new ApiError("BadRequest", `invalid header ${termHeader}: ${JSON.stringify(text)}`);
  return { lease: lease as Key, uid, holder, transitions: Number(transitions) };
}

const cause = "LeaseNotHeld";

/** The refusal of a write whose term is over. */
export function termIsOver({ lease, holder }: LeaseTerm): ApiError {
  const message = `the lease ${lease} is no longer held by ${JSON.stringify(holder)} in the term of this request`;
  const { group, plural } = leases;
  return new ApiError("Conflict", message, { group, kind: plural, name: lease, causes: [{ reason: cause, message }] });
}

/** Whether a write was refused because its term is over. */
export const isTermOver = (e: unknown): boolean =>
  hasReason(e, "Conflict") && (e as ApiError).details?.causes?.some(({ reason }) => reason === cause) === true;
