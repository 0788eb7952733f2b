// A certificate that renews itself: before it expires, a new one is requested from the cluster, kept, and used from
// then on. Source: Kubernetes' page "Certificate rotation for the kubelet".
import { X509Certificate } from "node:crypto";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import type { CertificateSigningRequest as Request } from "../../api/generated/types.ts";
import { type Draft, type Instant, instant, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { type Pair, readPair, validityOf, writePair } from "./certificate-file.ts";

type Usages = NonNullable<Request["spec"]["usages"]>;

/** The names of a certificate. */
export interface CertificateContent {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}
export interface CertificateOptions {
  readonly signerName: string;
  readonly usages: Usages;
  readonly content: CertificateContent;
  /** Where the current pair is kept. */
  readonly file: string;
  /** The pair to begin with, when the file has none. */
  readonly initial?: Pair | undefined;
  /** The requested lifetime; the signer's longest by default. */
  readonly expirationSeconds?: number | undefined;
}
interface Ports {
  readonly client: Client;
  readonly world: World;
}

/** A pair that changes while it is used. */
export interface RotatingCertificate {
  /** Undefined until the first one is issued. */
  readonly current: () => Pair | undefined;
  /** Calls back with every new pair. */
  onRenewed(listener: (pair: Pair) => void): void;
  /** Renews it until the signal aborts. */
  run(ports: Ports, signal: AbortSignal): Promise<void>;
}

/** Whether a certificate has all of these names. */
function hasNames({ cert }: Pair, { dnsNames = [], ipAddresses = [] }: CertificateContent): boolean {
  const certificate = new X509Certificate(cert);
  return (
    dnsNames.every((name) => certificate.checkHost(name, { subject: "never" }) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

/** When a certificate is to be renewed: after 70 to 90 percent of its life, not all nodes at once. Pure. */
export function renewalOf({ from, to }: { readonly from: Instant; readonly to: Instant }, random: number): Instant {
  return instant(Math.round(from + (to - from) * (0.7 + 0.2 * random)));
}

const waitMs = 15 * 60_000;
const longestPollMs = 5_000;
const longestPauseMs = 32_000;
/** Timers are no longer than this, so that a machine that slept renews soon. */
const longestSleepMs = 3_600_000;

/** The issued certificate, as PEM. Rejects when the request is denied, has failed, or is not signed in time. */
async function issued({ client, world }: Ports, request: Request, signal: AbortSignal): Promise<string> {
  const deadline = world.clock.now() + waitMs;
  for (let pause = 250; world.clock.now() < deadline; pause = Math.min(2 * pause, longestPollMs)) {
    const { metadata, status } = await client.get(certificateSigningRequests, keyOf(request));
    if (metadata.uid !== request.metadata.uid) throw new Error("the request was replaced by another one");
    if (status?.certificate) return Buffer.from(status.certificate, "base64").toString();
    const refusal = status?.conditions?.find(({ type }) => type === "Denied" || type === "Failed");
    if (refusal) throw new Error(`the request is ${refusal.type}: ${refusal.message ?? refusal.reason ?? ""}`);
    await world.clock.sleep(pause, signal);
  }
  throw new Error(`the request ${request.metadata.name} was not signed within ${waitMs / 60_000} minutes`);
}

/** A new pair from the cluster's signer. */
export async function requestCertificate(
  ports: Ports,
  { signerName, usages, content, expirationSeconds }: Omit<CertificateOptions, "file" | "initial">,
  signal: AbortSignal,
): Promise<Pair> {
  // Loaded on demand: the library is large, and a certificate is renewed once in months.
  const { newRequest } = await import("../../machinery/certificates/requests.ts");
  const { request, key } = await newRequest(content);
  const draft: Draft<Request> = {
    kind: "CertificateSigningRequest",
    metadata: { generateName: "csr-" },
    spec: {
      ...{ signerName, usages, request: Buffer.from(request).toString("base64") },
      ...(expirationSeconds !== undefined && { expirationSeconds }),
    },
  };
  const created = await ports.client.create(certificateSigningRequests, draft);
  return { cert: await issued(ports, created, signal), key };
}

async function sleepUntil({ clock }: World, at: Instant, signal: AbortSignal): Promise<void> {
  for (let left = at - clock.now(); left > 0; left = at - clock.now())
    await clock.sleep(Math.min(left, longestSleepMs), signal);
}

/** The pair of the file or the initial one, that which ends later. An unreadable or expired one counts as none. */
export async function usablePair(
  { file, initial }: Pick<CertificateOptions, "file" | "initial">,
  now: Instant,
): Promise<Pair | undefined> {
  const usable = [await readPair(file), initial].flatMap((pair) => {
    try {
      return pair && now < validityOf(pair).to ? [pair] : [];
    } catch {
      return [];
    }
  });
  return usable.toSorted((a, b) => validityOf(b).to - validityOf(a).to)[0];
}

/** Opens the kept pair. */
export async function rotatingCertificate(options: CertificateOptions, now: Instant): Promise<RotatingCertificate> {
  let pair = await usablePair(options, now);
  const listeners: ((pair: Pair) => void)[] = [];
  const renew = async (ports: Ports, signal: AbortSignal): Promise<void> => {
    const next = await requestCertificate(ports, options, signal);
    await writePair(options.file, next);
    pair = next;
    for (const listener of listeners) listener(next);
  };
  return {
    current: () => pair,
    onRenewed: (listener) => void listeners.push(listener),
    async run(ports, signal) {
      const { clock, random, log } = ports.world;
      const about = { signer: options.signerName };
      while (!signal.aborted) {
        if (pair && hasNames(pair, options.content))
          await sleepUntil(ports.world, renewalOf(validityOf(pair), random.next()), signal).catch(() => {});
        for (let pause = 2_000; !signal.aborted; pause = Math.min(2 * pause, longestPauseMs)) {
          try {
            await renew(ports, signal);
            log("certificate renewed", { ...about, until: new Date(validityOf(pair!).to).toISOString() });
            break;
          } catch (e) {
            if (!signal.aborted) log("certificate not renewed", { ...about, error: (e as Error).message });
            await clock.sleep(pause * (1 + 0.1 * random.next()), signal).catch(() => {});
          }
        }
      }
    },
  };
}
