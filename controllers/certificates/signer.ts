// Certificate signer: issues the certificates of approved requests to the cluster's own signers.
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import type { CertificateSigningRequest as Request } from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import type { Pem } from "../../machinery/certificates/keys.ts";
import { type Controller, controller, type Decision, settled } from "../../machinery/controller.ts";
import { has, pemOf } from "./conditions.ts";
import { signerProblems, signerResource } from "./recognize.ts";

/** The authority that signs, and for how long at most. */
export interface SigningAuthority {
  readonly pem: Pem;
  /** Kubernetes: a year. */
  readonly longestMs: number;
}

const shortestMs = 10 * 60_000;

/** The requested duration within bounds. */
const durationOf = ({ spec: { expirationSeconds } }: Request, longestMs: number): number =>
  expirationSeconds === undefined
    ? longestMs
    : Math.min(Math.max(expirationSeconds * 1000, shortestMs), Math.max(longestMs, shortestMs));

const withStatus = (request: Request, more: NonNullable<Request["status"]>): Decision => ({
  actions: [
    {
      do: "status",
      resource: certificateSigningRequests,
      object: request,
      status: { ...request.status, ...more },
    },
  ],
});

const failed = (request: Request, message: string, now: Instant): Decision =>
  withStatus(request, {
    conditions: [
      ...(request.status?.conditions ?? []),
      { type: "Failed", status: "True", reason: "SignerValidationFailure", message, lastUpdateTime: timestamp(now) },
    ],
  });

/** Reads and signs; the library is loaded by the first request. */
async function sign({ pem, longestMs }: SigningAuthority, request: Request, now: Instant): Promise<Decision> {
  const { parseRequest, signRequest } = await import("../../machinery/certificates/requests.ts");
  const { name } = request.metadata;
  const { usages = [], signerName } = request.spec;
  let problem: string | undefined;
  try {
    problem = signerProblems[signerName]!(parseRequest(pemOf(request)), usages);
  } catch (e) {
    return { actions: [], failure: `unable to parse csr ${JSON.stringify(name)}: ${(e as Error).message}` };
  }
  if (problem !== undefined) return failed(request, problem, now);
  try {
    const options = { usages, ttlMs: durationOf(request, longestMs), now };
    const certificate = await signRequest(pem, pemOf(request), options);
    return withStatus(request, { certificate: Buffer.from(certificate).toString("base64") });
  } catch (e) {
    return { actions: [], failure: `error auto signing csr: ${(e as Error).message}` };
  }
}

export const decide =
  (authority: SigningAuthority) =>
  (request: Request, now: Instant): Decision => {
    const isOpen = has(request, "Approved") && !has(request, "Failed") && !request.status?.certificate;
    if (!isOpen || !(request.spec.signerName in signerProblems)) return settled;
    return {
      actions: [],
      effect: { description: "sign the request", run: () => sign(authority, request, now) },
      because: ["it is approved"],
    };
  };

export const certificateSigner = (authority: SigningAuthority): Controller<Request> =>
  controller({
    name: "csrsigning",
    account: "certificate-controller",
    reconciles: certificateSigningRequests,
    writes: [
      { kind: certificateSigningRequests, subresource: "status", verbs: ["update"] },
      { kind: signerResource, names: Object.keys(signerProblems), verbs: ["sign"] },
    ],
    observe: (views, k) => views.of(certificateSigningRequests).get(k),
    decide: decide(authority),
  });
