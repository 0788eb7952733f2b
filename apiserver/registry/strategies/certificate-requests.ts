// CertificateSigningRequests: the server records the requester, the spec never changes, approvers write conditions, and
// signers write everything else of the status.
import type { Problem } from "../../../api/errors.ts";
import type {
  CertificateSigningRequest as Request,
  CertificateSigningRequestCondition as Condition,
} from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../../api/meta.ts";
import { forbidden } from "../../../api/problems.ts";
import type { Authorizer, Decision, User } from "../../authorization/authorizer.ts";
import type { WriteAttributes } from "../admission.ts";
import { defaultStrategy, statusStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";

type Status = NonNullable<Request["status"]>;
const conditionsOf = ({ status }: Request): readonly Condition[] => status?.conditions ?? [];
/** The conditions of the approval subresource. */
const verdicts = ["Approved", "Denied"];

/** Records the authenticated user and ignores the request's fields. The server's components can set another one. */
export function requestedBy(draft: Draft<Request>, user: User | undefined): Draft<Request> {
  if (!user) return draft;
  const { username: _, uid: __, groups: ___, extra: ____, ...rest } = draft.spec;
  const { name: username, uid, groups, extra } = user;
  return { ...draft, spec: { ...rest, username, groups, ...(uid && { uid }), ...(extra && { extra }) } };
}

/** Conditions with the times of their last update, and of their last transition. */
function stamped(conditions: readonly Condition[], old: Request, now: Instant): readonly Condition[] {
  const at = timestamp(now);
  return conditions.map((c) => {
    const same = conditionsOf(old).find((before) => before.type === c.type && before.status === c.status);
    return {
      ...c,
      lastUpdateTime: c.lastUpdateTime ?? at,
      lastTransitionTime: c.lastTransitionTime ?? same?.lastTransitionTime ?? at,
    };
  });
}

const withStatus = (old: Request, sent: Request, status: Status): Request => ({ ...sent, spec: old.spec, status });

/** What an approver writes: conditions, and nothing but conditions. */
export const approved = (old: Request, sent: Request, now: Instant): Request =>
  withStatus(old, sent, { ...old.status, conditions: stamped(conditionsOf(sent), old, now) });

/** The write of a signer: all fields except approval conditions, which are kept. */
export function signed(old: Request, sent: Request, now: Instant): Request {
  const kept = conditionsOf(sent).map((c) =>
    verdicts.includes(c.type) ? (conditionsOf(old).find(({ type }) => type === c.type) ?? c) : c,
  );
  return withStatus(old, sent, { ...sent.status, conditions: stamped(kept, old, now) });
}

/** Only the approval subresource adds these conditions. */
export function verdictProblems(next: Request, old: Request): readonly Problem[] {
  const has = (r: Request, type: string): boolean => conditionsOf(r).some((c) => c.type === type);
  return verdicts
    .filter((type) => has(next, type) && !has(old, type))
    .map((type) => forbidden("status.conditions", `updates may not add a condition of type ${JSON.stringify(type)}`));
}

/** Whether the user may act for the signer, or for all signers of its domain. Components of the server always may. */
async function mayActFor(
  verb: "approve" | "sign",
  { options: { user } }: WriteAttributes,
  { spec: { signerName } }: Request,
  authorizer: Authorizer,
): Promise<Decision> {
  if (!user) return { allowed: true };
  const domain = `${signerName.slice(0, signerName.indexOf("/"))}/*`;
  for (const signer of [signerName, domain]) {
    const attributes = { user, verb, group: "certificates.k8s.io", version: "*", resource: "signers", name: signer };
    if ((await authorizer.decide(attributes)).allowed) return { allowed: true };
  }
  return {
    allowed: false,
    reason: `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`,
  };
}

const status = statusStrategy({});
/** A write of the status that keeps to what its writer may change. */
const preparing = (change: (old: Request, sent: Request, now: Instant) => Request): Strategy => ({
  ...status,
  prepareForUpdate: (next, old, by) =>
    status.prepareForUpdate(change(old as Request, next as Request, by.now), old, by),
});

export const certificateRequestStrategy: Partial<Strategy> = {
  prepareForCreate: (draft, by) =>
    defaultStrategy.prepareForCreate(requestedBy(draft as Draft<Request>, by.options.user), by),
  prepareForUpdate: (next, old, by) =>
    defaultStrategy.prepareForUpdate({ ...next, spec: (old as Request).spec } as ApiObject, old, by),
};

/** Kubernetes' admission plugin CertificateApproval is the permission it needs. */
export const approvalStrategy: Strategy = {
  ...preparing(approved),
  authorize: (by, next, authorizer) => mayActFor("approve", by, next as Request, authorizer),
};

/** Kubernetes' admission plugin CertificateSigning is the permission it needs. */
export const signingStrategy: Strategy = {
  ...preparing(signed),
  validateUpdate(next, old, by) {
    const problems = verdictProblems(next as Request, old as Request);
    return problems.length > 0 ? problems : status.validateUpdate(next, old, by);
  },
  async authorize(by, next, authorizer) {
    if (sameJson((next as Request).status, (by.old as Request).status)) return { allowed: true };
    return mayActFor("sign", by, next as Request, authorizer);
  },
};
