// What an image's name says of it.
import type { Container, PodSpec } from "../../generated/types.ts";

/** Rules of the container's own come first, then its policy, then the pod's. Source: KEP-5307. */
export function startsAgain(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  spec: PodSpec,
  code: number,
): boolean {
  const rule = rules.find(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(code) === true;
    return exitCodes?.operator === (isListed ? "In" : "NotIn");
  });
  if (restartPolicy && rule?.action === "Restart") return true;
  const policy = restartPolicy || spec.restartPolicy;
  return policy === "OnFailure" ? code !== 0 : policy !== "Never";
}

const named =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ";
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const ofLinux = [
  ...named.split(" ").map((name) => `SIG${name}`),
  "SIGRTMIN",
  ...upTo(15).map((n) => `SIGRTMIN+${n}`),
  ...upTo(14).map((n) => `SIGRTMAX-${n}`),
  "SIGRTMAX",
].toSorted();

/** What there is to choose from; nothing is known of other operating systems. */
export function stopSignals(os: string): readonly string[] | undefined {
  if (os === "windows") return ["SIGKILL", "SIGTERM"];
  return os === "linux" ? ofLinux : undefined;
}

/** `docker.io/library/nginx` is `nginx:latest`: without a tag, or with that one, the image may have moved on. */
export function pullPolicy(image: string | undefined): "Always" | "IfNotPresent" {
  const name = image ?? "";
  if (name.includes("@")) return "IfNotPresent";
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}
