// TokenRequest: issues a service account token with an expiry, audiences and a bound object.
import { ApiError } from "../../api/errors.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { nodes } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { secrets } from "../../api/core/secrets.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Instant, key, timestamp } from "../../api/meta.ts";
import { invalid as wrong } from "../../api/problems.ts";
import { bodyOf } from "../request/body.ts";
import { type Handler, reply, targetOf } from "../request/request-response.ts";
import { warned } from "../response/encode.ts";
import { objectOf } from "../registry/codec.ts";
import { conflict, invalid } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { type Bound, named } from "../authentication/claims.ts";
import { type Tokens, find } from "../authentication/tokens.ts";

type Reference = NonNullable<TokenRequest["spec"]["boundObjectRef"]>;

/** The expiry that kubelets request, after which a token is valid for a year more: programs may read it only once. */
const warnAfterSeconds = 3607;
const graceSeconds = 365 * 24 * 3600;

/** The node of the pod is part of the claims, whether or not it exists. */
async function nodeOf(registry: Registry, { spec: { nodeName } }: Pod): Promise<Bound> {
  if (!nodeName) return {};
  const node = await find(registry, nodes, key(undefined, nodeName));
  return { node: node ? named(node) : { name: nodeName } };
}

/** Looks up what a token is to be bound to. */
async function boundTo(registry: Registry, account: ApiObject, ref: Reference): Promise<Bound> {
  const { apiVersion = "", kind = "", name = "" } = ref;
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  const inNamespace = key(account.metadata.namespace, name);
  switch (group === "" ? kind : "") {
    case "Pod": {
      const pod = objectOf<Pod>(await registry.get(pods, inNamespace));
      if ((pod.spec.serviceAccountName ?? "default") !== account.metadata.name)
        throw new ApiError(
          "BadRequest",
          `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
        );
      return { ...(await nodeOf(registry, pod)), pod: named(pod) };
    }
    case "Node":
      return { node: named(objectOf(await registry.get(nodes, key(undefined, name)))) };
    case "Secret":
      return { secret: named(objectOf(await registry.get(secrets, inNamespace))) };
    default:
      throw new ApiError("BadRequest", `cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
}

/** The uid in the reference is that of the object. */
function checkUid({ kind = "", apiVersion = "", name = "", uid }: Reference, bound: Bound): void {
  const found = (bound.pod ?? bound.secret ?? bound.node)?.uid;
  if (!uid || uid === found) return;
  const r = { group: apiVersion.includes("/") ? apiVersion.split("/")[0]! : "", plural: kind, kind };
  const because = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  throw conflict(r, name, because);
}

/** The name, namespace and uid in the request are those of the account. */
function checkAccount({ metadata }: Partial<ApiObject>, account: ApiObject): void {
  const { name, uid } = account.metadata;
  for (const field of ["name", "namespace"] as const) {
    const requested = metadata?.[field];
    const problem = `must match the service account ${field} if specified`;
    if (requested && requested !== account.metadata[field])
      throw invalid(tokenRequests, name, [wrong(`metadata.${field}`, requested, problem)]);
  }
  if (metadata?.uid && metadata.uid !== uid)
    throw conflict(
      { ...tokenRequests, plural: tokenRequests.kind },
      name,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
    );
}

/** The request with its defaults, validated. */
function completed(draft: unknown, account: ApiObject, issuer: string, now: Instant): TokenRequest {
  const defaulted = tokenRequests.defaults(draft as TokenRequest);
  const audiences = defaulted.spec?.audiences?.length ? defaulted.spec.audiences : [issuer];
  const { name, namespace, uid } = account.metadata;
  const request = {
    kind: tokenRequests.kind,
    apiVersion: apiVersionOf(tokenRequests),
    metadata: { name, namespace, uid, creationTimestamp: timestamp(now) },
    spec: { ...defaulted.spec, audiences, boundObjectRef: defaulted.spec?.boundObjectRef ?? null },
  } as unknown as TokenRequest;
  const problems = tokenRequests.validate(request);
  if (problems.length > 0) throw invalid(tokenRequests, "", problems);
  return request;
}

async function issued(registry: Registry, tokens: Tokens, account: ApiObject, draft: unknown): Promise<TokenRequest> {
  const now = registry.world.clock.now();
  checkAccount(draft as Partial<ApiObject>, account);
  const request = completed(draft, account, tokens.issuer, now);
  const { audiences = [], expirationSeconds: seconds = 0, boundObjectRef: ref } = request.spec;
  const bound = ref ? await boundTo(registry, account, ref) : {};
  if (ref) checkUid(ref, bound);
  const isLenient =
    bound.pod !== undefined &&
    seconds === warnAfterSeconds &&
    audiences.every((audience) => audience === tokens.issuer);
  const lasting = isLenient ? { seconds: graceSeconds, warnAfter: seconds } : { seconds };
  const token = tokens.make(account, { audiences, bound, ...lasting });
  return { ...request, status: { token, expirationTimestamp: timestamp((now + seconds * 1000) as Instant) } };
}

const accountAt = async (registry: Registry, namespace: string | undefined, name: string): Promise<ApiObject> =>
  objectOf<ApiObject>(await registry.get(serviceAccounts, key(namespace, name)));

/** Answers requests of components in this process. */
export const tokenIssuer =
  (registry: Registry, tokens: Tokens) =>
  async (request: Draft<TokenRequest>): Promise<TokenRequest> => {
    const { namespace, name = "" } = request.metadata;
    return issued(registry, tokens, await accountAt(registry, namespace, name), request);
  };

/** Serves `serviceaccounts/NAME/token`. */
export const tokenRequest =
  (tokens: Tokens): Handler =>
  async (call) => {
    const { registry, path } = call;
    const { object, options, warnings } = bodyOf(call, tokenRequests as unknown as ResourceDefinition);
    await registry.admit(targetOf(call), {
      ...{ operation: "CREATE", subresource: "token", object: object as ApiObject, options },
    });
    const account = await accountAt(registry, path.namespace, path.name!);
    return warned(reply(await issued(registry, tokens, account, object), 201), warnings);
  };
