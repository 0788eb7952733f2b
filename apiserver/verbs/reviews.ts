// Reviews, which are created and answered at once: TokenReview, SubjectAccessReview and their kin.
import { ApiError } from "../../api/errors.ts";
import { apiVersionOf } from "../../api/kinds.ts";
import type {
  ResourceAttributes,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from "../../api/generated/types.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../api/meta.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";
import type { Authorizer, RequestInfo, User } from "../authorization/authorizer.ts";
import { invalid, methodNotServed } from "../registry/refusals.ts";
import type { Tokens } from "../authentication/tokens.ts";
import { negotiated } from "../response/render.ts";
import { inNamespace, objectIn, writeQuery } from "../request/body.ts";
import { type Extension, reply } from "../request/request-response.ts";
import { warned } from "../response/warnings.ts";

/** What the answer adds to the question. */
interface Answer {
  readonly metadata?: object;
  readonly status: object;
}
type Question = Draft<ApiObject> & { readonly spec?: unknown };
interface Known {
  readonly now: Instant;
  readonly authorizer: Authorizer;
  readonly tokens: Pick<Tokens, "ownerOf">;
}
type Ask = (question: Question, asker: User, known: Known) => Answer | Promise<Answer>;

const attributesOf = ({ verb = "", ...of }: ResourceAttributes): RequestInfo => ({ verb, ...of });
const attempted = (spec: SubjectAccessReview["spec"]): RequestInfo =>
  spec.resourceAttributes
    ? attributesOf(spec.resourceAttributes)
    : { verb: spec.nonResourceAttributes?.verb ?? "", path: spec.nonResourceAttributes?.path ?? "" };

async function access(spec: SubjectAccessReview["spec"], user: User, authorizer: Authorizer): Promise<Answer> {
  const { allowed, reason } = await authorizer.decide({ ...attempted(spec), user });
  return { status: { allowed, ...(reason !== undefined && { reason }) } };
}
const accessOf: Ask = (question, _asker, { authorizer }) => {
  const { spec } = question as unknown as SubjectAccessReview;
  return access(spec, { name: spec.user ?? "", groups: spec.groups ?? [] }, authorizer);
};

/** Everything, or nothing: there are no finer rules yet. */
const rulesOf: Ask = async (question, user, { authorizer }) => {
  const { namespace } = (question as unknown as SelfSubjectRulesReview).spec ?? {};
  if (!namespace) throw new ApiError("BadRequest", "no namespace on request");
  const { allowed } = await authorizer.decide({ user, verb: "*" });
  return {
    status: {
      resourceRules: allowed ? [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] : [],
      nonResourceRules: allowed ? [{ verbs: ["*"], nonResourceURLs: ["*"] }] : [],
      incomplete: false,
    },
  };
};

const userInfo = ({ name, uid, groups, extra }: User): object => ({
  username: name,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra && { extra }),
});

/** The owner of a token, and which of the requested audiences it is for. */
const ownerOf: Ask = async (question, _asker, { tokens }) => {
  const { token, audiences = [] } = (question as unknown as TokenReview).spec ?? {};
  if (!token) throw new ApiError("BadRequest", "token is required for TokenReview in authentication");
  try {
    const owner = await tokens.ownerOf(token, audiences.length > 0 ? audiences : undefined);
    return { status: { authenticated: true, user: userInfo(owner.user), audiences: owner.audiences } };
  } catch (e) {
    // Kubernetes combines the errors of two authenticators; the first knows no such token.
    const [first, then] = ["invalid bearer token", (e as Error).message];
    return { status: { user: {}, error: first === then ? first : `[${first}, ${then}]` } };
  }
};

const answers: Readonly<Record<string, Ask>> = {
  SubjectAccessReview: accessOf,
  LocalSubjectAccessReview: accessOf,
  SelfSubjectAccessReview: (question, asker, { authorizer }) =>
    access((question as unknown as SubjectAccessReview).spec, asker, authorizer),
  SelfSubjectRulesReview: rulesOf,
  SelfSubjectReview: (_question, asker, { now }) => ({
    metadata: { creationTimestamp: timestamp(now) },
    status: { userInfo: userInfo(asker) },
  }),
  TokenReview: ownerOf,
};

/** Serves the review kinds, which cannot be read or listed. */
export function reviews(
  kinds: KindRegistry,
  world: World,
  { tokens, authorizer }: Pick<Known, "tokens" | "authorizer">,
): Extension {
  return async (request) => {
    const path = request.place;
    const r = path && kinds.of(path);
    if (!path || r?.virtual !== "review") return undefined;
    if (request.method !== "POST" || path.name !== undefined) throw methodNotServed();
    negotiated(request.headers.accept, ["Plain"]);
    const heard = new Set<string>();
    const warn = (sentence: string): void => void heard.add(sentence);
    const { validation } = writeQuery(request, warn);
    const object = inNamespace(r, objectIn(request, r, { kinds, validation, warn }), path.namespace);
    const problems = r.validate(object);
    if (problems.length > 0) throw invalid(r, "", problems);
    const known = { now: world.clock.now(), tokens, authorizer };
    const { metadata = object.metadata ?? {}, status } = await answers[r.kind]!(object, request.user, known);
    const answer = { ...object, kind: r.kind, apiVersion: apiVersionOf(r), metadata, status };
    return warned(reply(answer, 201), heard);
  };
}
