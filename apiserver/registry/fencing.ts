// Fencing: a write of a leader is committed only while the lease is of the leader's term. The lease's revision is a
// condition of the write's transaction, so no other leader can begin between the check and the write.
import { type Lease, leases } from "../../api/coordination/leases.ts";
import { isInTerm, type LeaseTerm, termIsOver } from "../../machinery/lease-term.ts";
import type { Commit, Storage, Stored, Write } from "../storage/storage.ts";
import { objectOf, prefixOf } from "./codec.ts";

/**
 * Commits the writes if the term lasts; throws Conflict if it is over. Costs a look at the local state, and a second
 * attempt when the lease was renewed since that state.
 */
export async function commitInTerm(
  storage: Storage,
  term: LeaseTerm | undefined,
  write: Write,
  ...alongside: readonly Write[]
): Promise<Commit> {
  if (!term) return storage.commit(write, ...alongside);
  const key = prefixOf(leases) + term.lease;
  const lasts = (lease: Stored | undefined): lease is Stored => !!lease && isInTerm(objectOf<Lease>(lease), term);
  const received = storage.received.get(key);
  // The local state may be older than the term.
  let lease = lasts(received) ? received : await storage.get(key);
  while (lasts(lease)) {
    const commit = await storage.commit(write, ...alongside, { key, expect: lease.modified });
    if (commit.ok || commit.key !== key) return commit;
    lease = commit.current;
  }
  throw termIsOver(term);
}
