// Who may say what of a request for a certificate: who asks is told by the server, what is asked for never changes, one
// part of the status approves, the other signs.
import type { Problem } from "../../api/errors.ts";
import type {
  CertificateSigningRequest as Request,
  CertificateSigningRequestCondition as Condition,
} from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../api/meta.ts";
import { forbidden } from "../../api/problems.ts";
import type { User } from "../authorization/authorizer.ts";
import { invalid } from "./refusals.ts";
import type { Change, Registry, Target } from "./verbs.ts";

type Status = NonNullable<Request["status"]>;
const conditionsOf = ({ status }: Request): readonly Condition[] => status?.conditions ?? [];
/** What only an approver says. */
const verdicts = ["Approved", "Denied"];

/** In the name of who makes the request, whatever it says itself. The server's own parts are taken at their word. */
export function requestedBy(draft: Draft<Request>, user: User | undefined): Draft<Request> {
  if (!user) return draft;
  const { username: _, uid: __, groups: ___, extra: ____, ...asked } = draft.spec;
  const { name: username, uid, groups, extra } = user;
  return { ...draft, spec: { ...asked, username, groups, ...(uid && { uid }), ...(extra && { extra }) } };
}

/** A condition was written when it is first heard of, and has held since it last was otherwise. */
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

const withStatus = (old: Request, given: Request, status: Status): Request => ({ ...given, spec: old.spec, status });

/** What an approver writes: conditions, and nothing but conditions. */
export const approved = (old: Request, given: Request, now: Instant): Request =>
  withStatus(old, given, { ...old.status, conditions: stamped(conditionsOf(given), old, now) });

/** What a signer writes: everything but the verdicts, which stand as they were. */
export function signed(old: Request, given: Request, now: Instant): Request {
  const kept = conditionsOf(given).map((c) =>
    verdicts.includes(c.type) ? (conditionsOf(old).find(({ type }) => type === c.type) ?? c) : c,
  );
  return withStatus(old, given, { ...given.status, conditions: stamped(kept, old, now) });
}

/** What is wrong with what a signer writes, beside what is wrong with any status. */
export function verdictProblems(next: Request, old: Request): readonly Problem[] {
  const has = (r: Request, type: string): boolean => conditionsOf(r).some((c) => c.type === type);
  return verdicts
    .filter((type) => has(next, type) && !has(old, type))
    .map((type) => forbidden("status.conditions", `updates may not add a condition of type ${JSON.stringify(type)}`));
}

const isRequest = (r: ResourceDefinition): boolean =>
  r.group === certificateSigningRequests.group && r.plural === certificateSigningRequests.plural;

/** The same change, of what this part of a request may say. */
function confined({ r, part }: Target, decide: Change, now: () => Instant): Change {
  return async (current) => {
    const [old, given] = [current as Request, (await decide(current)) as Request];
    if (part === "approval") return approved(old, given, now());
    // What is asked for stays: whoever wants something else asks again.
    if (part !== "status") return { ...given, spec: old.spec } as ApiObject;
    const next = signed(old, given, now());
    const problems = verdictProblems(next, old);
    if (problems.length > 0 && !sameJson(next, old)) throw invalid(r, old.metadata.name, problems);
    return next;
  };
}

/** The verbs, with these rules for requests for certificates. All other kinds pass through untouched. */
export const withCertificateRequests = (registry: Registry): Registry => ({
  ...registry,
  create: (r, draft, options) =>
    registry.create(r, isRequest(r) ? requestedBy(draft as Draft<Request>, options?.user) : draft, options),
  change(target, decide, options) {
    if (!isRequest(target.r)) return registry.change(target, decide, options);
    const { part, ...whole } = target;
    const inner: Target = part === undefined ? whole : { ...whole, part: "status" };
    return registry.change(
      inner,
      confined(target, decide, () => registry.world.clock.now()),
      options,
    );
  },
});
