// Certificate request cleaner: deletes requests that are decided, or were forgotten, some time after.
import { X509Certificate } from "node:crypto";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import type { CertificateSigningRequest as Request } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { controller, type Decision, settled } from "../../machinery/controller.ts";
import { certificateOf } from "./conditions.ts";

const hourMs = 3_600_000;
/** So long after their last condition: issued, denied and failed requests; and those that wait. */
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

function endOf(certificate: string): Instant | undefined {
  try {
    return new X509Certificate(certificate).validToDate.getTime() as Instant;
  } catch {
    return undefined;
  }
}

/** From when on a request is not needed, each with the reason. */
function deadlines(request: Request): readonly (readonly [at: number, because: string])[] {
  const { conditions = [] } = request.status ?? {};
  const certificate = certificateOf(request);
  if (conditions.length === 0)
    return [[instantOf(request.metadata.creationTimestamp!) + pendingMs, "it was not handled for a day"]];
  return conditions.flatMap(({ type, lastUpdateTime }) => {
    const after = (ms: number, because: string): readonly (readonly [number, string])[] =>
      lastUpdateTime === undefined ? [] : [[instantOf(lastUpdateTime) + ms, because]];
    if (type === "Denied") return after(decidedMs, "it was denied an hour ago");
    if (type === "Failed") return after(decidedMs, "it failed an hour ago");
    if (type !== "Approved") return [];
    if (certificate === undefined) return after(pendingMs, "it was approved a day ago, and no certificate was issued");
    const end = endOf(certificate);
    return [
      ...after(decidedMs, "its certificate was issued an hour ago"),
      ...(end === undefined ? [] : [[end, "its certificate has expired"] as const]),
    ];
  });
}

export function decide(request: Request, now: Instant): Decision {
  const [first] = deadlines(request).toSorted(([a], [b]) => a - b);
  if (first === undefined || request.metadata.deletionTimestamp !== undefined) return settled;
  const [at, because] = first;
  if (now <= at) return { actions: [], requeueAfter: at - now + 1 };
  return { actions: [{ do: "delete", resource: certificateSigningRequests, object: request }], because: [because] };
}

export const certificateCleaner = controller({
  name: "csrcleaner",
  account: "certificate-controller",
  reconciles: certificateSigningRequests,
  writes: [{ kind: certificateSigningRequests, verbs: ["delete"] }],
  observe: (views, k) => views.of(certificateSigningRequests).get(k),
  decide,
});
