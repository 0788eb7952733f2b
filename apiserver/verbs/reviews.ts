// Reviews, whose create computes the status in the response: TokenReview, SubjectAccessReview and similar kinds.
import { ApiError } from "../../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import type { SelfSubjectRulesReview, SubjectAccessReview, TokenReview } from "../../api/generated/types.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../api/meta.ts";
import { aggregated } from "../../api/quote.ts";
import type { World } from "../../machinery/world.ts";
import type { Authorizer, ListedRules, User } from "../authorization/authorizer.ts";
import { invalid, methodNotServed } from "../registry/refusals.ts";
import type { Tokens } from "../authentication/tokens.ts";
import { negotiated } from "../response/render.ts";
import { bodyOf, inNamespace } from "../request/body.ts";
import { type Handler, reply } from "../request/request-response.ts";
import { warned } from "../response/encode.ts";
import { describedRequest } from "./access-attributes.ts";

/** What the response adds to the request. */
interface Outcome {
  readonly metadata?: object;
  readonly status: object;
}
type Review = Draft<ApiObject> & { readonly spec?: unknown };
interface Context {
  readonly now: Instant;
  readonly authorizer: Authorizer;
  readonly tokens: Pick<Tokens, "ownerOf">;
}
type Reviewer = (review: Review, user: User, context: Context) => Outcome | Promise<Outcome>;

async function access(spec: SubjectAccessReview["spec"], user: User, authorizer: Authorizer): Promise<Outcome> {
  const { info, problems } = describedRequest(spec);
  const { allowed, reason } = await authorizer.decide({ ...info, user });
  const evaluationError = problems.join("; ");
  return { status: { allowed, ...(reason && { reason }), ...(evaluationError && { evaluationError }) } };
}
const accessOf: Reviewer = (review, _user, { authorizer }) => {
  const { spec } = review as unknown as SubjectAccessReview;
  const { user: name = "", groups = [], uid, extra } = spec;
  return access(spec, { name, groups, ...(uid !== undefined && { uid }), ...(extra && { extra }) }, authorizer);
};

const unlisted: ListedRules = { rules: [], isComplete: false, problems: [] };

/** Rules of resources and of URLs; incomplete when an authorizer does not show all that it allows by. */
const rulesOf: Reviewer = (review, user, { authorizer }) => {
  const { namespace } = (review as unknown as SelfSubjectRulesReview).spec ?? {};
  if (!namespace) throw new ApiError("BadRequest", "no namespace on request");
  const { rules, isComplete, problems } = authorizer.rulesFor?.(user, namespace) ?? unlisted;
  const [resourceRules, nonResourceRules] = [
    rules.filter(({ nonResourceURLs }) => !nonResourceURLs?.length),
    rules.filter(({ nonResourceURLs }) => nonResourceURLs?.length),
  ];
  const evaluationError = problems.length > 0 && aggregated(problems);
  return {
    status: { resourceRules, nonResourceRules, incomplete: !isComplete, ...(evaluationError && { evaluationError }) },
  };
};

const userInfo = ({ name, uid, groups, extra }: User): object => ({
  username: name,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra && { extra }),
});

/** The owner of a token, and which of the requested audiences it is for. */
const ownerOf: Reviewer = async (review, _user, { tokens }) => {
  const { token, audiences = [] } = (review as unknown as TokenReview).spec ?? {};
  if (!token) throw new ApiError("BadRequest", "token is required for TokenReview in authentication");
  try {
    const owner = await tokens.ownerOf(token, audiences.length > 0 ? audiences : undefined);
    return { status: { authenticated: true, user: userInfo(owner.user), audiences: owner.audiences } };
  } catch (e) {
    // Kubernetes combines the errors of two authenticators, of which the first has no such token.
    const [first, then] = ["invalid bearer token", (e as Error).message];
    return { status: { user: {}, error: first === then ? first : `[${first}, ${then}]` } };
  }
};

const reviewers: Readonly<Record<string, Reviewer>> = {
  SubjectAccessReview: accessOf,
  LocalSubjectAccessReview: accessOf,
  SelfSubjectAccessReview: (review, user, { authorizer }) =>
    access((review as unknown as SubjectAccessReview).spec, user, authorizer),
  SelfSubjectRulesReview: rulesOf,
  SelfSubjectReview: (_review, user, { now }) => ({
    metadata: { creationTimestamp: timestamp(now) },
    status: { userInfo: userInfo(user) },
  }),
  TokenReview: ownerOf,
};

/** The user of requests inside this process, for reviews of oneself. */
const inProcess: User = { name: "system:apiserver", groups: ["system:masters"] };

/** Answers reviews of components in this process, which name the user in question. */
export const reviewer =
  (context: Omit<Context, "now">, { clock }: World) =>
  async (r: ResourceDefinition, draft: Review): Promise<ApiObject> => {
    const problems = r.validate(draft);
    if (problems.length > 0) throw invalid(r, "", problems);
    const { status } = await reviewers[r.kind]!(draft, inProcess, { ...context, now: clock.now() });
    return { ...draft, kind: r.kind, apiVersion: apiVersionOf(r), status } as unknown as ApiObject;
  };

/** Serves the review kinds, which cannot be read or listed. */
export const reviews =
  ({ tokens, authorizer }: Omit<Context, "now">): Handler =>
  async (call) => {
    const { registry, r, path, request } = call;
    if (request.method !== "POST" || path.name !== undefined) throw methodNotServed();
    negotiated(request.headers.accept, ["Plain"]);
    const { object: sent, warnings } = bodyOf(call, r);
    const object = inNamespace(r, sent, path.namespace);
    const problems = r.validate(object);
    if (problems.length > 0) throw invalid(r, "", problems);
    const context = { now: registry.world.clock.now(), tokens, authorizer };
    const { metadata = object.metadata ?? {}, status } = await reviewers[r.kind]!(object, request.user, context);
    return warned(reply({ ...object, kind: r.kind, apiVersion: apiVersionOf(r), metadata, status }, 201), warnings);
  };
